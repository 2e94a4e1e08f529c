#include "config/setting.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/expand.h"
#include "config/file.h"
#include "config/secret.h"
#include "config/start.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/nearest.h"

int ob_setting_fail(const config_setting_t *at, struct ob_err *err, const char *format, ...)
{
        const char *file = config_setting_source_file(at);
        char said[OB_ERR_MAX];
        va_list args;

        va_start(args, format);
        vsnprintf(said, sizeof(said), format, args);
        va_end(args);
        return ob_fail(err, "%s:%u: %s", file ? file : "config", config_setting_source_line(at), said);
}

int ob_setting_expect(const config_setting_t *at, int type, const char *what, struct ob_err *err)
{
        if (config_setting_type(at) == type)
                return 0;
        return ob_setting_fail(at, err, "\"%s\" must be %s", config_setting_name(at), what);
}

const config_setting_t *ob_setting_list(
        const config_setting_t *root, const char *name, const char *file, struct ob_err *err)
{
        const config_setting_t *list = config_setting_get_member(root, name);

        if (!list || !config_setting_length(list)) {
                ob_fail(err, "%s:%u: \"%s\" is missing or empty: write at least one, as in %s = ( { … } );",
                        list ? config_setting_source_file(list) : file, list ? config_setting_source_line(list) : 1,
                        name, name);
                return NULL;
        }
        return ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( { … }, … )", err) ? NULL : list;
}

const char *ob_setting_text(const config_setting_t *at, struct ob_texts *texts, struct ob_err *err)
{
        const char *name = config_setting_name(at);
        struct ob_err why;
        char *text;

        if (config_setting_type(at) != CONFIG_TYPE_STRING) {
                ob_setting_fail(at, err, "\"%s\" must be a text in quotes", name ? name : "this");
                return NULL;
        }
        text = ob_expand(config_setting_get_string(at), &why);
        if (!text) {
                ob_setting_fail(at, err, "%s", why.text);
                return NULL;
        }
        return ob_texts_keep(texts, text);
}

/* One setting that is read: where it is in the file, its row, and the field that it sets. */
struct reading {
        const config_setting_t *at;
        const struct ob_setting *setting;
        void *field;
        struct ob_texts *texts;
};

static int read_text(const struct reading *r, struct ob_err *err)
{
        const char *text = ob_setting_text(r->at, r->texts, err);

        if (!text)
                return -1;
        *(const char **)r->field = text;
        return 0;
}

/*
 * A secret that comes wholly from the environment is not written in the file, so the file is not noted. An empty
 * secret keeps the value that a password_file has set.
 */
static int read_secret(const struct reading *r, struct ob_err *err)
{
        const char *file = config_setting_source_file(r->at), *text = ob_setting_text(r->at, r->texts, err);
        const char *raw, *fallback;

        if (!text)
                return -1;
        if (*text)
                *(const char **)r->field = text;
        raw = config_setting_get_string(r->at);
        fallback = strstr(raw, ":-");
        if (file && *raw && (strncmp(raw, "${", 2) != 0 || (fallback && fallback[2] != '}')))
                ob_texts_note_file(r->texts, file, true);
        return 0;
}

static int read_prefix(const struct reading *r, struct ob_err *err)
{
        const char *text = ob_setting_text(r->at, r->texts, err);

        if (!text)
                return -1;
        for (const char *c = text; *c; c++)
                if (!ob_name_is_node_char(*c) && *c != '.')
                        return ob_setting_fail(
                                r->at, err, "\"%s\" may contain only A-Z a-z 0-9 _ . -", r->setting->name);
        if (*text == '.' || strstr(text, "..") || (*text && text[strlen(text) - 1] == '.'))
                return ob_setting_fail(r->at, err,
                        "\"%s\" must not begin or end with a dot, or contain two dots in a row", r->setting->name);
        *(const char **)r->field = text;
        return 0;
}

static int read_path(const struct reading *r, struct ob_err *err)
{
        const char *text = ob_setting_text(r->at, r->texts, err);

        if (!text)
                return -1;
        *(const char **)r->field = ob_path_beside(config_setting_source_file(r->at), text, r->texts);
        return 0;
}

/* A library that opens a pipe would wait for a writer. */
static int read_input(const struct reading *r, struct ob_err *err)
{
        struct ob_err why;

        if (read_path(r, err))
                return -1;
        return ob_file_check(*(const char **)r->field, &why) ? ob_setting_fail(r->at, err, "%s", why.text) : 0;
}

/* A secret and the file of this secret must not both be set: nobody could say which of the two is meant. */
static int refuse_both(const struct reading *r, struct ob_err *err)
{
        static const char suffix[] = "_file";
        const char *name = r->setting->name, *text;
        ob_cleanup(ob_free_at) char *other = ob_format("%.*s", (int)(strlen(name) - strlen(suffix)), name);
        const config_setting_t *at = config_setting_get_member(config_setting_parent(r->at), other);

        if (!at)
                return 0;
        text = ob_setting_text(at, r->texts, err);
        if (!text)
                return -1;
        return *text ? ob_setting_fail(
                               r->at, err, "\"%s\" and \"%s\" are both set: remove one of the two", other, name)
                     : 0;
}

/* The secret is the first line of the file, as the file is now. */
static int read_file(const struct reading *r, struct ob_err *err)
{
        const char *path = ob_setting_text(r->at, r->texts, err);
        char line[OB_SECRET_MAX];
        struct ob_err why;

        if (!path)
                return -1;
        if (!*path)
                return 0;
        if (refuse_both(r, err))
                return -1;
        path = ob_path_beside(config_setting_source_file(r->at), path, r->texts);
        if (ob_secret_read(path, line, &why))
                return ob_setting_fail(r->at, err, "%s", why.text);
        *(const char **)r->field = path;
        *(const char **)((char *)r->field - r->setting->offset + r->setting->secret) =
                ob_texts_keep(r->texts, ob_copy(line));
        ob_texts_note_file(r->texts, path, true);
        explicit_bzero(line, sizeof(line));
        return 0;
}

static int read_number(const struct reading *r, int64_t *number, struct ob_err *err)
{
        const struct ob_setting *s = r->setting;
        int type = config_setting_type(r->at);

        if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
                return ob_setting_fail(r->at, err, "\"%s\" must be a whole number", s->name);
        *number = config_setting_get_int64(r->at);
        if (*number < s->min || *number > s->max)
                return ob_setting_fail(r->at, err, "\"%s\" must be from %lld to %lld, not %lld", s->name,
                        (long long)s->min, (long long)s->max, (long long)*number);
        return 0;
}

static int read_int(const struct reading *r, struct ob_err *err)
{
        int64_t number = 0;

        if (read_number(r, &number, err))
                return -1;
        *(int *)r->field = (int)number;
        return 0;
}

static int read_long(const struct reading *r, struct ob_err *err)
{
        return read_number(r, r->field, err);
}

static int read_bool(const struct reading *r, struct ob_err *err)
{
        if (ob_setting_expect(r->at, CONFIG_TYPE_BOOL, "true or false", err))
                return -1;
        *(bool *)r->field = config_setting_get_bool(r->at);
        return 0;
}

static int read_choice(const struct reading *r, struct ob_err *err)
{
        const char *text = ob_setting_text(r->at, r->texts, err);
        ob_cleanup(ob_free_at) char *list = ob_copy("");

        if (!text)
                return -1;
        for (int i = 0; r->setting->choices[i]; i++) {
                char *longer;

                if (!strcmp(text, r->setting->choices[i])) {
                        *(int *)r->field = i;
                        return 0;
                }
                longer = ob_format("%s%s\"%s\"", list, i ? " or " : "", r->setting->choices[i]);
                free(list);
                list = longer;
        }
        return ob_setting_fail(r->at, err, "\"%s\" must be %s, not \"%s\"", r->setting->name, list, text);
}

static int read_start(const struct reading *r, struct ob_err *err)
{
        const char *text = ob_setting_text(r->at, r->texts, err);
        struct ob_start *start = r->field;

        if (!text)
                return -1;
        if (ob_start_parse(text, start))
                return 0;
        return ob_setting_fail(r->at, err,
                "\"start\" must be \"now\", \"oldest\", a date in UTC like \"2020-04-20 00:00:00\", or a time back from "
                "now like \"-2h\" (units: s, m, h, d), not \"%s\"",
                text);
}

static int read_nothing(const struct reading *r, struct ob_err *err)
{
        (void)r;
        (void)err;
        return 0;
}

static int (*const readers[OB_SET_TYPES])(const struct reading *r, struct ob_err *err) = {
        [OB_SET_TEXT] = read_text,
        [OB_SET_SECRET] = read_secret,
        [OB_SET_PREFIX] = read_prefix,
        [OB_SET_FILE] = read_file,
        [OB_SET_PATH] = read_path,
        [OB_SET_INPUT] = read_input,
        [OB_SET_INT] = read_int,
        [OB_SET_LONG] = read_long,
        [OB_SET_BOOL] = read_bool,
        [OB_SET_CHOICE] = read_choice,
        [OB_SET_START] = read_start,
        [OB_SET_GROUP] = read_nothing,
};

void ob_settings_defaults(const struct ob_setting *table, void *target)
{
        for (const struct ob_setting *s = table; s->name; s++) {
                void *field = (char *)target + s->offset;

                switch (s->type) {
                case OB_SET_INT:
                case OB_SET_CHOICE:
                        *(int *)field = (int)s->number;
                        break;
                case OB_SET_LONG:
                        *(int64_t *)field = s->number;
                        break;
                case OB_SET_BOOL:
                        *(bool *)field = s->number;
                        break;
                case OB_SET_START:
                        ob_start_parse(s->text, field);
                        break;
                case OB_SET_GROUP:
                case OB_SET_TYPES:
                        break;
                default: /* all others are texts */
                        *(const char **)field = s->text ? s->text : "";
                }
        }
}

static int refuse_unknown(const config_setting_t *at, const struct ob_setting *table, struct ob_err *err)
{
        struct ob_nearest nearest = { .word = config_setting_name(at) };

        for (const struct ob_setting *s = table; s->name; s++)
                ob_nearest_try(&nearest, s->name);
        if (nearest.name)
                return ob_setting_fail(
                        at, err, "no such setting: \"%s\"; did you mean \"%s\"?", nearest.word, nearest.name);
        return ob_setting_fail(at, err, "no such setting: \"%s\"", nearest.word);
}

int ob_settings_read(const config_setting_t *group, const struct ob_setting *table, void *target,
        struct ob_texts *texts, struct ob_err *err)
{
        for (int i = 0; i < config_setting_length(group); i++) {
                const config_setting_t *at = config_setting_get_elem(group, (unsigned)i);
                const struct ob_setting *s = table;

                while (s->name && strcmp(s->name, config_setting_name(at)) != 0)
                        s++;
                if (!s->name)
                        return refuse_unknown(at, table, err);
                if (readers[s->type](&(struct reading) { at, s, (char *)target + s->offset, texts }, err))
                        return -1;
        }
        return 0;
}

int ob_settings_read_group(const config_setting_t *group, const char *name, const struct ob_setting *table,
        void *target, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(group, name);

        ob_settings_defaults(table, target);
        if (!at)
                return 0;
        if (ob_setting_expect(at, CONFIG_TYPE_GROUP, "a group: { … }", err))
                return -1;
        return ob_settings_read(at, table, target, texts, err);
}
