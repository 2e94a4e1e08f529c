#include "proto/statsd.h"

#include <stdbool.h>

#include "proto/name.h"

static char type_of(const struct ob_metric *m)
{
        return m->series->kind == OB_COUNTER ? 'c' : 'g';
}

static void add_value(struct ob_text *out, char type, struct ob_metric_value value)
{
        const char suffix[] = { '|', type };

        ob_text_add_char(out, ':');
        ob_text_add_number(out, value);
        ob_text_add(out, suffix, sizeof(suffix));
}

static void add_plain(struct ob_text *out, const char *prefix, const struct ob_metric *m,
        void (*name)(struct ob_text *out, const char *prefix, const struct ob_series *series))
{
        size_t from = out->length, length;
        char type = type_of(m);

        name(out, prefix, m->series);
        if (type == 'g' && ob_number_is_negative(m->value)) {
                /* "-5|g" means "five less" to a server, so the gauge is set to zero first. */
                length = out->length - from;
                add_value(out, type, ob_whole(0));
                ob_text_add_char(out, '\n');
                if (!out->too_long)
                        ob_text_add(out, out->data + from, length);
        }
        add_value(out, type, m->value);
        ob_text_add_char(out, '\n');
}

void ob_statsd_plain(struct ob_text *out, const char *prefix, const struct ob_metric *m)
{
        add_plain(out, prefix, m, ob_name_dotted);
}

void ob_statsd_plain_by_nodes(struct ob_text *out, const char *prefix, const struct ob_metric *m)
{
        add_plain(out, prefix, m, ob_name_dotted_by_nodes);
}
