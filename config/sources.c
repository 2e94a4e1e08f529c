#include "config/sources.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/all_settings.h"
#include "proto/memory.h"

/* A group that defines a page has this setting, and a group that defines a table has not. */
static bool is_page(const config_setting_t *group)
{
        return config_setting_get_member(group, "address") != NULL;
}

/* Whether a text can be the name of a tag or metric. Such a name is in every line that is sent: no byte needs an
 * escape. */
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
                "no such role: \"%s\" (the roles are cursor, settled, time, made, key, "
                "enum, label, value, peak, increment, total, count, age, event and fact)",
                word);
}

static char *lower(const char *text)
{
        char *made = ob_copy(text);

        for (char *c = made; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        return made;
}

/* The name of a column that is not named: a tag has its column's name, a metric is called "source.column". */
static const char *default_name(const struct ob_source *source, const struct ob_column *c, struct ob_texts *texts)
{
        ob_cleanup(ob_free_at) char *column = lower(c->column ? c->column : "rows");

        if (ob_roles[c->role].is_tag)
                return ob_texts_keep(texts, ob_copy(column));
        if (ob_roles[c->role].is_metric)
                return ob_texts_keep(texts, ob_format("%s.%s", source->name, column));
        return NULL;
}

/* Reads ( "role", "COLUMN" ) or ( "role", "COLUMN", "name" ). define_cell() reads the rest of a page's column. */
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
                return ob_setting_fail(at, err, "the name of a column cannot contain \"`\"");
        c->name = words[2] ? words[2] : default_name(source, c, texts);
        if (c->name && ob_roles[c->role].is_tag && !strcmp(c->name, "manager"))
                return ob_setting_fail(at, err,
                        "the tag \"manager\" holds the manager's name; give this tag another name, as the third word");
        if (c->name && !is_name(c->name))
                return ob_setting_fail(at, err,
                        "\"%s\" cannot be the name of a tag or metric: a name begins with a-z and may contain a-z 0-9 _ and "
                        "single dots; give a name as the third word",
                        c->name);
        return 0;
}

/*
 * Reads "停止=0 挂起=1". NULL when the text is not such a list. The table is kept among the texts: as a text it may
 * end early, but never late, because a row of zeros ends the table.
 */
static const struct ob_word *read_words(const char *text, struct ob_texts *texts)
{
        size_t n = 0, room = strlen(text) / 2 + 2;
        struct ob_word *words = ob_alloc(room, sizeof(*words));

        ob_texts_keep(texts, (char *)words);
        while (*text) {
                size_t length = strcspn(text, "=");
                char *end = NULL;
                long number = text[length] ? strtol(text + length + 1, &end, 10) : -1;

                if (!length || !text[length] || end == text + length + 1 || number < 0 || number > 1000000 ||
                        (*end && *end != ' '))
                        return NULL;
                words[n++] = (struct ob_word) { ob_texts_keep(texts, ob_format("%.*s", (int)length, text)),
                        (int)number };
                text = end + strspn(end, " ");
        }
        return n ? words : NULL;
}

static int read_kind(const config_setting_t *at, const char *kind, struct ob_page_column *cell,
        struct ob_texts *texts, struct ob_err *err)
{
        for (enum ob_cell c = 0; c < OB_CELLS; c++)
                if (!strcmp(kind, ob_cells[c]) && c != OB_CELL_WORD) {
                        cell->cell = c;
                        return 0;
                }
        cell->cell = OB_CELL_WORD;
        cell->words = strchr(kind, '=') ? read_words(kind, texts) : NULL;
        if (cell->words)
                return 0;
        return ob_setting_fail(at, err,
                "no such kind of cell: \"%s\" (the kinds are text, whole, number, duration, date, age, lag, and "
                "words with their numbers like \"off=0 on=1\")",
                kind);
}

/* Reads what only a column of a page has: the kind of its cells, and the XPath of a cell. */
static int define_cell(const config_setting_t *at, const struct ob_column *c, struct ob_page_column *cell,
        struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *kind_at = config_setting_get_elem(at, 3), *path_at = config_setting_get_elem(at, 4);
        const char *kind = kind_at ? ob_setting_text(kind_at, texts, err) : "";
        const char *path = path_at ? ob_setting_text(path_at, texts, err) : "";
        bool is_metric = ob_roles[c->role].is_metric;

        if (!kind || !path)
                return -1;
        if (!ob_roles[c->role].is_tag && c->role != OB_VALUE && c->role != OB_PEAK && c->role != OB_TOTAL)
                return ob_setting_fail(
                        at, err, "a column of a page cannot have the role \"%s\"", ob_roles[c->role].word);
        if (!c->column && !*path)
                return ob_setting_fail(at, err, "a column needs a header, or an XPath from the row");
        *cell = (struct ob_page_column) {
                .name = c->name,
                .cell = is_metric ? OB_CELL_NUMBER : OB_CELL_TEXT,
                .header = c->column,
                .path = *path ? path : NULL,
        };
        if (*kind && read_kind(at, kind, cell, texts, err))
                return -1;
        if (is_metric && cell->cell == OB_CELL_TEXT)
                return ob_setting_fail(at, err, "a metric must be a number, and this cell is of the kind text");
        return 0;
}

static int read_columns(const config_setting_t *list, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        int n = config_setting_length(list);

        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( ( \"role\", \"COLUMN\" ), … )", err))
                return -1;
        if (n > OB_COLUMNS_MAX)
                return ob_setting_fail(list, err, "a source can have at most %d columns", OB_COLUMNS_MAX);
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
                if (define_cell(at, c, &page->columns[page->n_columns++], texts, err))
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
                return ob_setting_fail(table, err, "\"%s\" is not the name of a table", source->table);
        return 0;
}

/* A text of a group. NULL when the group does not set the text, or sets "". */
static int read_optional(const config_setting_t *group, const char *name, const char **text, struct ob_texts *texts,
        struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(group, name);

        *text = NULL;
        if (!at)
                return 0;
        *text = ob_setting_text(at, texts, err);
        if (!*text)
                return -1;
        *text = **text ? *text : NULL;
        return 0;
}

/*
 * Whether a GET of this address might change something in Otter, which asks for no login there, or might leave the
 * manager. Every address in Otter that changes something contains one of these words.
 */
static bool is_dangerous(const char *address)
{
        static const char *const signs[] = { "action", "eventSubmit", "api/", "monitor/", "login", "..", "//",
                "#" };

        for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
                if (strcasestr(address, signs[i]))
                        return true;
        return *address == '/';
}

static bool is_address(const char *address)
{
        for (const char *c = address; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("_-./?=&%,:+", *c))
                        return false;
        return *address != '\0';
}

/* The words that an address may contain, and the pages that each word stands for. */
static const struct {
        const char *word;
        bool is_long;
        struct ob_page_each each;
} places[] = {
        { "{page}", true, { NULL } },
        { "{channel}", false, { .page = "channels", .column = "channel_id" } },
        { "{pipeline}", false, { .page = "pipelines", .column = "pipeline_id" } },
};

/* Replaces the word by "{}". NULL when the rest is not an address. */
static char *place_word(struct ob_page *page, const char *address)
{
        for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
                const char *at = strstr(address, places[i].word);
                size_t before = at ? (size_t)(at - address) : 0;
                ob_cleanup(ob_free_at) char *rest = NULL;

                if (!at)
                        continue;
                rest = ob_format("%.*s%s", (int)before, address, at + strlen(places[i].word));
                page->is_long = places[i].is_long;
                page->each = places[i].each;
                return is_address(rest) ? ob_format("%.*s{}%s", (int)before, rest, rest + before) : NULL;
        }
        return is_address(address) ? ob_copy(address) : NULL;
}

/* Reads `address`, `heading` and `rows` of a group. */
static int define_page(
        const config_setting_t *group, struct ob_page *page, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(group, "address");
        const char *address = ob_setting_text(at, texts, err);
        char *made;

        if (!address || read_optional(group, "heading", &page->heading, texts, err) ||
                read_optional(group, "rows", &page->rows, texts, err))
                return -1;
        if (config_setting_get_member(group, "table"))
                return ob_setting_fail(at, err, "a source has a \"table\" or an \"address\", not both");
        if (is_dangerous(address))
                return ob_setting_fail(at, err,
                        "\"%s\" is refused: a page with such an address may change something in Otter, or is outside the manager",
                        address);
        made = place_word(page, address);
        if (!made)
                return ob_setting_fail(at, err,
                        "\"%s\" is not an address below the manager's url; the address may contain one of {page}, {channel} "
                        "and {pipeline}",
                        address);
        page->address = ob_texts_keep(texts, made);
        return 0;
}

/* The page gets the name of its source. */
static int read_page(const config_setting_t *group, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        *page = (struct ob_page) { .name = source->name };
        source->table = source->name;
        if (ob_page_find(ob_builtin_pages, ob_n_builtin_pages, source->name))
                return ob_setting_fail(group, err, "\"%s\" is the name of a built-in page", source->name);
        return define_page(group, page, texts, err);
}

/* Reads what defines a source of the user's own, which has its name and its settings already. */
static int define(const config_setting_t *group, struct ob_source *source, struct ob_page *page,
        struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *table = config_setting_get_member(group, "table");
        const config_setting_t *columns = config_setting_get_member(group, "columns");
        bool is_of_page = source->kind == OB_SOURCE_PAGE;
        struct ob_err why;

        if ((!table && !is_of_page) || !columns)
                return ob_setting_fail(group, err,
                        "\"%s\" is not a built-in source; to define a source of your own, give it \"columns\", and a "
                        "\"table\" or an \"address\"",
                        source->name);
        if (!is_name(source->name) || strchr(source->name, '.'))
                return ob_setting_fail(group, err, "a source's name begins with a-z and may contain a-z 0-9 _");
        if (is_of_page ? read_page(group, source, page, texts, err) : read_table(table, source, texts, err))
                return -1;
        if (read_columns(columns, source, page, texts, err))
                return -1;
        if (ob_source_check(source, &why))
                return ob_setting_fail(group, err, "%s", why.text);
        return 0;
}

/* Lays a group over every built-in source of the worker that the group names. Returns how many there are, or -1. */
static int read_worker(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        const char *name = config_setting_name(at);
        int n = 0;

        for (size_t i = 0; i < ob_n_builtin_sources; i++) {
                if (strcmp(c->sources[i].worker, name) != 0)
                        continue;
                if (config_setting_get_member(at, "table") || config_setting_get_member(at, "columns") ||
                        is_page(at))
                        return ob_setting_fail(at, err,
                                "\"%s\" is a built-in source, whose table and columns cannot be set; give your source "
                                "another name",
                                name);
                if (ob_settings_read(at, ob_source_settings, &c->sources[i], &c->texts, err))
                        return -1;
                n++;
        }
        return n;
}

/* A built-in source by its name, which no other source may have: the store identifies sources by their names. */
static const struct ob_source *find_builtin(const char *name)
{
        for (size_t i = 0; i < ob_n_builtin_sources; i++)
                if (!strcmp(ob_builtin_sources[i].name, name))
                        return &ob_builtin_sources[i];
        return NULL;
}

static int read_source(const config_setting_t *at, struct ob_config *c, struct ob_err *err)
{
        struct ob_source *s = &c->sources[c->n_sources];
        const struct ob_source *builtin;
        int known;

        if (ob_setting_expect(at, CONFIG_TYPE_GROUP, "a group: { … }", err))
                return -1;
        known = read_worker(at, c, err);
        if (known)
                return known < 0 ? -1 : 0;
        builtin = find_builtin(config_setting_name(at));
        if (builtin)
                return ob_setting_fail(at, err,
                        "\"%s\" is a built-in source that has the settings of \"%s\": set them there, or give your source "
                        "another name",
                        builtin->name, builtin->worker);
        *s = is_page(at) ? ob_empty_page_source : (struct ob_source) { .kind = OB_SOURCE_TABLE };
        if (s->kind == OB_SOURCE_TABLE)
                ob_settings_defaults(ob_source_settings, s);
        s->name = ob_texts_keep(&c->texts, ob_copy(config_setting_name(at)));
        s->worker = s->worker ? s->worker : s->name;
        if (ob_settings_read(at, ob_source_settings, s, &c->texts, err) ||
                define(at, s, &c->pages[c->n_pages], &c->texts, err))
                return -1;
        c->n_sources++;
        c->n_pages += s->kind == OB_SOURCE_PAGE;
        return 0;
}

int ob_config_read_sources(const config_setting_t *root, struct ob_config *c, struct ob_err *err)
{
        const config_setting_t *group = config_setting_get_member(root, "sources");
        size_t n = group ? (size_t)config_setting_length(group) : 0;

        c->sources = ob_alloc(ob_n_builtin_sources + n, sizeof(*c->sources));
        memcpy(c->sources, ob_builtin_sources, ob_n_builtin_sources * sizeof(*c->sources));
        c->n_sources = ob_n_builtin_sources;
        c->pages = ob_alloc(ob_n_builtin_pages + n, sizeof(*c->pages));
        memcpy(c->pages, ob_builtin_pages, ob_n_builtin_pages * sizeof(*c->pages));
        c->n_pages = ob_n_builtin_pages;
        if (group && ob_setting_expect(group, CONFIG_TYPE_GROUP, "a group: { … }", err))
                return -1;
        for (size_t i = 0; i < n; i++)
                if (read_source(config_setting_get_elem(group, (unsigned)i), c, err))
                        return -1;
        return 0;
}
