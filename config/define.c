#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "proto/memory.h"

/* A name of ours stands in every line we send: no byte in it may need an escape. */
static bool is_name(const char *text)
{
        if (!islower((unsigned char)*text))
                return false;
        for (; *text; text++)
                if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '_' &&
                        (*text != '.' || !text[1] || text[1] == '.'))
                        return false;
        return true;
}

static int find_role(const config_setting_t *at, const char *word, enum ob_role *role, struct ob_err *err)
{
        for (enum ob_role r = 0; r < OB_ROLES; r++)
                if (*word && !strcmp(ob_roles[r].word, word)) {
                        *role = r;
                        return 0;
                }
        return ob_setting_fail(at, err,
                "no such role: \"%s\" (there are cursor, settled, time, made, key, "
                "enum, label, value, peak, increment, total, count, age and event)",
                word);
}

static char *lower(const char *text)
{
        char *made = ob_copy(text);

        for (char *c = made; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        return made;
}

/* Tags are called as their column, metrics as the source and their column, unless they are named. */
static const char *default_name(const struct ob_source *source, const struct ob_column *c, struct ob_texts *texts)
{
        ob_cleanup(ob_free_at) char *column = lower(c->column ? c->column : "rows");

        if (ob_roles[c->role].is_tag)
                return ob_texts_keep(texts, ob_copy(column));
        if (ob_roles[c->role].is_metric)
                return ob_texts_keep(texts, ob_format("%s.%s", source->name, column));
        return NULL;
}

/* ( "role", "COLUMN" ) or ( "role", "COLUMN", "name" ); what a page's column has besides is read elsewhere. */
static int read_column(const config_setting_t *at, const struct ob_source *source, struct ob_column *c,
        struct ob_texts *texts, struct ob_err *err)
{
        int length = config_setting_length(at), most = source->kind == OB_SOURCE_PAGE ? 5 : 3;
        const char *words[3] = { NULL };

        if (config_setting_is_aggregate(at) == CONFIG_FALSE || length < 2 || length > most)
                return ob_setting_fail(at, err,
                        "a column is ( \"role\", \"COLUMN\" ) or "
                        "( \"role\", \"COLUMN\", \"name\"%s )",
                        most > 3 ? ", \"kind\", \"XPATH\"" : "");
        for (int i = 0; i < length && i < 3; i++) {
                words[i] = ob_setting_text(config_setting_get_elem(at, (unsigned)i), texts, err);
                if (!words[i])
                        return -1;
        }
        if (find_role(at, words[0], &c->role, err))
                return -1;
        c->column = *words[1] ? words[1] : NULL;
        if (!c->column && c->role != OB_COUNT && source->kind != OB_SOURCE_PAGE)
                return ob_setting_fail(at, err, "role \"%s\" needs a column", words[0]);
        if (c->column && strchr(c->column, '`'))
                return ob_setting_fail(at, err, "a column's name has no \"`\"");
        c->name = words[2] ? words[2] : default_name(source, c, texts);
        if (c->name && ob_roles[c->role].is_tag && !strcmp(c->name, "manager"))
                return ob_setting_fail(
                        at, err, "the tag \"manager\" is the manager's name; give another as the third word");
        if (c->name && !is_name(c->name))
                return ob_setting_fail(at, err,
                        "\"%s\" is no name for a tag or metric: it begins with a-z and "
                        "is made of a-z 0-9 _ and single dots; give one as the third word",
                        c->name);
        return 0;
}

static int read_columns(const config_setting_t *list, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        int n = config_setting_length(list);

        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( ( \"role\", \"COLUMN\" ), … )", err))
                return -1;
        if (n > OB_COLUMNS_MAX)
                return ob_setting_fail(list, err, "more than %d columns", OB_COLUMNS_MAX);
        for (int i = 0; i < n; i++, source->n_columns++) {
                const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
                struct ob_column *c = &source->columns[i];

                if (read_column(at, source, c, texts, err))
                        return -1;
                for (int j = 0; c->name && j < i; j++)
                        if (source->columns[j].name && !strcmp(source->columns[j].name, c->name))
                                return ob_setting_fail(at, err, "\"%s\" names two columns", c->name);
                if (source->kind != OB_SOURCE_PAGE)
                        continue;
                if (ob_config_define_cell(at, c, &page->columns[page->n_columns++], texts, err))
                        return -1;
                c->column = c->name;
        }
        return 0;
}

static int read_table(
        const config_setting_t *table, struct ob_source *source, struct ob_texts *texts, struct ob_err *err)
{
        source->table = ob_setting_text(table, texts, err);
        if (!source->table)
                return -1;
        if (!*source->table || strchr(source->table, '`'))
                return ob_setting_fail(table, err, "\"%s\" is no table's name", source->table);
        return 0;
}

/* The page is called as the source that it is for. */
static int read_page(const config_setting_t *group, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        *page = (struct ob_page) { .name = source->name };
        source->table = source->name;
        if (ob_page_find(ob_builtin_pages, ob_n_builtin_pages, source->name))
                return ob_setting_fail(group, err, "\"%s\" is a page that is built in", source->name);
        return ob_config_define_page(group, page, texts, err);
}

int ob_config_define(const config_setting_t *group, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *table = config_setting_get_member(group, "table");
        const config_setting_t *columns = config_setting_get_member(group, "columns");
        bool is_page = source->kind == OB_SOURCE_PAGE;
        struct ob_err why;

        if ((!table && !is_page) || !columns)
                return ob_setting_fail(group, err,
                        "\"%s\" is no built-in source; to define one, give it a "
                        "\"table\" and \"columns\"",
                        source->name);
        if (!is_name(source->name) || strchr(source->name, '.'))
                return ob_setting_fail(group, err, "a source's name begins with a-z and is made of a-z 0-9 _");
        if (is_page ? read_page(group, source, page, texts, err) : read_table(table, source, texts, err))
                return -1;
        if (read_columns(columns, source, page, texts, err))
                return -1;
        if (ob_source_check(source, &why))
                return ob_setting_fail(group, err, "%s", why.text);
        return 0;
}
