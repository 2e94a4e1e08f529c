#include "proto/graphite.h"

#include <string.h>

#define NODE_MAX 251

void ob_graphite_line(
        struct ob_text *out, const char *path, size_t path_length, struct ob_metric_value value, int64_t time)
{
        char *at = out->data + out->length;

        if (out->too_long || out->room - out->length < path_length + OB_GRAPHITE_NUMBERS) {
                out->too_long = true;
                return;
        }
        memcpy(at, path, path_length);
        at += path_length;
        *at++ = ' ';
        at += ob_number_format(at, value);
        *at++ = ' ';
        at += ob_number_format_int(at, time);
        *at++ = '\n';
        out->length = (size_t)(at - out->data);
}

/* Carbon stores a tagged series under a hash of its name, so only the length of the whole line matters. */
bool ob_graphite_path_is_storable(const char *path, size_t length)
{
        size_t node = 0;

        if (length <= NODE_MAX) /* nearly all paths are so short */
                return true;
        for (size_t i = 0; i < length; i++) {
                if (path[i] == ';')
                        return true;
                node = path[i] == '.' ? 0 : node + 1;
                if (node > NODE_MAX)
                        return false;
        }
        return true;
}
