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

/* The keys of a sink's own tags come from outside. */
static bool is_key_char(char c)
{
        return is_tag_char(c) && c != '!' && c != '^' && c != '=';
}

const char *ob_name_mark(const char *prefix)
{
        return *prefix ? prefix : "otterbeat";
}

void ob_name_bare(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        if (*prefix) {
                ob_text_add_string(out, prefix);
                ob_text_add_char(out, '.');
        }
        ob_text_add_string(out, series->name);
}

static const char *value_of(const struct ob_tag *tag)
{
        return *tag->value ? tag->value : "none";
}

static const char *node_of(const struct ob_tag *tag)
{
        return tag->node ? tag->node : value_of(tag);
}

static void add_dotted(struct ob_text *out, const char *prefix, const struct ob_series *series,
        const char *(*text_of)(const struct ob_tag *tag))
{
        if (*prefix) {
                ob_text_add_string(out, prefix);
                ob_text_add_char(out, '.');
        }
        for (unsigned i = 0; i < series->n_identity; i++) {
                const struct ob_tag *tag = &series->tags[i];

                ob_text_add_string(out, tag->key);
                ob_text_add_char(out, '.');
                ob_text_add_mapped(out, text_of(tag), ob_name_is_node_char);
                ob_text_add_char(out, '.');
        }
        ob_text_add_string(out, series->name);
}

void ob_name_dotted(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        add_dotted(out, prefix, series, value_of);
}

void ob_name_dotted_by_nodes(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        add_dotted(out, prefix, series, node_of);
}

/* Graphite keeps the metric's own name under this key. */
static const char *graphite_key(const char *key)
{
        return strcmp(key, "name") ? key : "name_";
}

/* Tags in the order of their keys, which are unique. Tags without a value are left out. */
struct sorted {
        const struct ob_tag *tags[OB_TAGS_MAX + OB_TAGS_MORE_MAX];
        unsigned n;
};

static void sort_in(struct sorted *s, const struct ob_tag *tag)
{
        const char *key = graphite_key(tag->key);
        unsigned at = s->n;
        int order = 1;

        if (!tag->value || !*tag->value)
                return;
        while (at > 0 && (order = strcmp(graphite_key(s->tags[at - 1]->key), key)) > 0)
                at--;
        if (at > 0 && !order)
                return;
        memmove(s->tags + at + 1, s->tags + at, (s->n - at) * sizeof(*s->tags));
        s->tags[at] = tag;
        s->n++;
}

void ob_name_tagged_with(struct ob_text *out, const char *prefix, const struct ob_series *series,
        const struct ob_tag *more, unsigned n_more)
{
        struct sorted s = { .n = 0 };

        for (unsigned i = 0; i < series->n_tags; i++)
                sort_in(&s, &series->tags[i]);
        for (unsigned i = 0; i < n_more && i < OB_TAGS_MORE_MAX; i++)
                sort_in(&s, &more[i]);
        ob_name_bare(out, prefix, series);
        for (unsigned i = 0; i < s.n; i++) {
                ob_text_add_char(out, ';');
                ob_text_add_mapped(out, graphite_key(s.tags[i]->key), is_key_char);
                ob_text_add_char(out, '=');
                ob_text_add_mapped(out, s.tags[i]->value, is_tag_char);
        }
}

void ob_name_tagged(struct ob_text *out, const char *prefix, const struct ob_series *series)
{
        ob_name_tagged_with(out, prefix, series, NULL, 0);
}

#define NODE_ROOM 4096

/* Moves `*at` past `text`, if `text` is there. */
static bool skip(const char **at, const char *text, size_t length)
{
        if (strncmp(*at, text, length) != 0)
                return false;
        *at += length;
        return true;
}

static bool skip_string(const char **at, const char *text)
{
        return skip(at, text, strlen(text));
}

static bool skip_value(const char **at, const char *value)
{
        char room[NODE_ROOM];
        struct ob_text text = ob_text_over(room, sizeof(room));

        if (!*value) {
                *at += strcspn(*at, ".");
                return true;
        }
        ob_text_add_mapped(&text, value, ob_name_is_node_char);
        return !text.too_long && skip(at, text.data, text.length);
}

static bool skip_prefix(const char **at, const char *prefix)
{
        return !*prefix || (skip_string(at, prefix) && skip_string(at, "."));
}

static bool skip_tag(const char **at, const struct ob_tag *tag)
{
        return skip_string(at, tag->key) && skip_string(at, ".") && skip_value(at, tag->value) &&
               skip_string(at, ".");
}

bool ob_name_is_dotted_of(const char *path, const char *prefix, const struct ob_series *series)
{
        if (!skip_prefix(&path, prefix))
                return false;
        for (unsigned i = 0; i < series->n_identity; i++)
                if (!skip_tag(&path, &series->tags[i]))
                        return false;
        return !strcmp(path, series->name);
}

bool ob_name_is_dotted_under(const char *path, const char *prefix, const struct ob_tag *tag)
{
        return skip_prefix(&path, prefix) && skip_tag(&path, tag);
}

/* Whether ";key=value" stands among the tags. */
static bool has_tag(const char *tags, const struct ob_tag *tag)
{
        char room[NODE_ROOM];
        struct ob_text text = ob_text_over(room, sizeof(room));

        ob_text_add_char(&text, ';');
        ob_text_add_string(&text, graphite_key(tag->key));
        ob_text_add_char(&text, '=');
        ob_text_add_mapped(&text, tag->value, is_tag_char);
        for (; !text.too_long && *tags; tags += 1 + strcspn(tags + 1, ";"))
                if (!strncmp(tags, text.data, text.length) && strchr(";", tags[text.length]))
                        return true;
        return false;
}

bool ob_name_is_tagged_of(const char *path, const char *prefix, const struct ob_series *series)
{
        if (!skip_prefix(&path, prefix) || !skip_string(&path, series->name) || (*path && *path != ';'))
                return false;
        for (unsigned i = 0; i < series->n_identity; i++)
                if (*series->tags[i].value && !has_tag(path, &series->tags[i]))
                        return false;
        return true;
}

bool ob_name_is_tagged_with(const char *path, const struct ob_tag *tag)
{
        return has_tag(path, tag);
}
