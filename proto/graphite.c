#include "proto/graphite.h"

#define NODE_MAX 251

void ob_graphite_line(
        struct ob_text *out, const char *path, size_t path_length, struct ob_metric_value value, int64_t time)
{
        ob_text_add(out, path, path_length);
        ob_text_add_char(out, ' ');
        ob_text_add_number(out, value);
        ob_text_add_char(out, ' ');
        ob_text_add_int(out, time);
        ob_text_add_char(out, '\n');
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
