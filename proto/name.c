#include "proto/name.h"

#include <string.h>

bool ob_name_is_node_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* '~' is allowed in the middle of a value, but forbidding it costs less than the exception. */
static bool is_tag_char(char c)
{
        return c > ' ' && c < 0x7f && c != ';' && c != '~';
}

void ob_name_bare(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        if (*prefix) {
                ob_text_add_string(out, prefix);
                ob_text_add_char(out, '.');
        }
        ob_text_add_string(out, series->name);
}

void ob_name_dotted(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        if (*prefix) {
                ob_text_add_string(out, prefix);
                ob_text_add_char(out, '.');
        }
        for (unsigned i = 0; i < series->n_identity; i++) {
                const struct ob_tag *tag = &series->tags[i];

                ob_text_add_string(out, tag->key);
                ob_text_add_char(out, '.');
                ob_text_add_mapped(out, *tag->value ? tag->value : "none", ob_name_is_node_char);
                ob_text_add_char(out, '.');
        }
        ob_text_add_string(out, series->name);
}

/* The tags in order of their keys; there are a dozen at most. */
static void sort_tags(const struct ob_series *series, const struct ob_tag *sorted[OB_TAGS_MAX])
{
        for (unsigned i = 0; i < series->n_tags; i++) {
                unsigned at = i;

                for (; at > 0 && strcmp(sorted[at - 1]->key, series->tags[i].key) > 0; at--)
                        sorted[at] = sorted[at - 1];
                sorted[at] = &series->tags[i];
        }
}

void ob_name_tagged(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        const struct ob_tag *sorted[OB_TAGS_MAX];

        sort_tags(series, sorted);
        ob_name_bare(out, prefix, series);
        for (unsigned i = 0; i < series->n_tags; i++) {
                if (!*sorted[i]->value)
                        continue;
                ob_text_add_char(out, ';');
                ob_text_add_string(out, sorted[i]->key);
                ob_text_add_char(out, '=');
                ob_text_add_mapped(out, sorted[i]->value, is_tag_char);
        }
}
