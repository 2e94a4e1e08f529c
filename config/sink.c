#include "config/config.h"

bool ob_config_has_tags(const struct ob_sink_settings *s)
{
        return s->type == OB_SINK_GRAPHITE ? s->tagged : s->flavor == OB_FLAVOR_DOGSTATSD;
}

int ob_config_check_sink(const config_setting_t *at, const struct ob_sink_settings *s, struct ob_err *err)
{
        const config_setting_t *path = config_setting_get_member(at, "path");

        if (s->path == OB_PATH_NAMES && ob_config_has_tags(s))
                return ob_setting_fail(path, err, "\"path\" is about dotted names, and this sink sends tags");
        return 0;
}
