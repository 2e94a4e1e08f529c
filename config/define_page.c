#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/zone.h"
#include "proto/memory.h"

bool ob_config_is_page(const config_setting_t *group)
{
        return config_setting_get_member(group, "address") != NULL;
}

/* A text of a group; NULL where it is left out. */
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
 * What a GET changes in Otter has one of these in its address; it asks for no login there, so we never shall.
 * And what leads out of the manager.
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

/* What may stand in an address, and which pages that makes. */
static const struct {
        const char *word;
        bool is_long;
        struct ob_page_each each;
} places[] = {
        { "{page}", true, { NULL } },
        { "{channel}", false, { .page = "channels", .column = "channel_id" } },
        { "{pipeline}", false, { .page = "pipelines", .column = "pipeline_id" } },
};

/* Puts "{}" in the place of the word; the rest must be an address. */
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

int ob_config_define_page(
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
                        "\"%s\" is no page that only shows something; it is refused for safety's sake", address);
        made = place_word(page, address);
        if (!made)
                return ob_setting_fail(at, err,
                        "\"%s\" is no address below the manager's url, in which one {page}, {channel} or {pipeline} "
                        "may stand",
                        address);
        page->address = ob_texts_keep(texts, made);
        return 0;
}

/* "停止=0 挂起=1". The table is kept among the texts, as which it may end early but never late. */
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
                "no such kind of cell: \"%s\" (there are text, whole, number, duration, date, age, lag, and the "
                "numbers of words as \"off=0 on=1\")",
                kind);
}

int ob_config_define_cell(const config_setting_t *at, const struct ob_column *c, struct ob_page_column *cell,
        struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *kind_at = config_setting_get_elem(at, 3), *path_at = config_setting_get_elem(at, 4);
        const char *kind = kind_at ? ob_setting_text(kind_at, texts, err) : "";
        const char *path = path_at ? ob_setting_text(path_at, texts, err) : "";
        bool is_metric = ob_roles[c->role].is_metric;

        if (!kind || !path)
                return -1;
        if (!ob_roles[c->role].is_tag && c->role != OB_VALUE && c->role != OB_PEAK && c->role != OB_TOTAL)
                return ob_setting_fail(at, err, "a page has no use for role \"%s\"", ob_roles[c->role].word);
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
                return ob_setting_fail(at, err, "a metric is no text");
        return 0;
}

/* ( ( "延迟时间", "Delay" ), … ) */
static int read_translations(
        const config_setting_t *list, struct ob_page_settings *page, struct ob_texts *texts, struct ob_err *err)
{
        if (ob_setting_expect(list, CONFIG_TYPE_LIST, "a list: ( ( \"延迟时间\", \"Delay\" ), … )", err))
                return -1;
        if (config_setting_length(list) > OB_PAGE_WORDS_MAX)
                return ob_setting_fail(list, err, "more than %d words", OB_PAGE_WORDS_MAX);
        for (int i = 0; i < config_setting_length(list); i++) {
                const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
                struct ob_page_word *w = &page->words[page->n_words];

                if (!config_setting_is_aggregate(at) || config_setting_length(at) != 2)
                        return ob_setting_fail(at, err, "two words: Otter's, and the one on this manager's pages");
                w->ours = ob_setting_text(config_setting_get_elem(at, 0), texts, err);
                w->theirs = w->ours ? ob_setting_text(config_setting_get_elem(at, 1), texts, err) : NULL;
                if (!w->theirs)
                        return -1;
                page->n_words++;
        }
        return 0;
}

static int check_url(const config_setting_t *at, const char *url, struct ob_err *err)
{
        const char *host = strstr(url, "://");

        if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) || !host[3] ||
                host[3] == '/')
                return ob_setting_fail(at, err, "\"%s\" is no address: http://HOST:PORT or https://HOST:PORT", url);
        if (strpbrk(url, "?#@ "))
                return ob_setting_fail(at, err, "\"url\" has no \"?\", \"#\", \"@\" or blank in it");
        return 0;
}

int ob_config_check_page(
        const config_setting_t *manager, struct ob_page_settings *page, struct ob_texts *texts, struct ob_err *err)
{
        const config_setting_t *at = config_setting_get_member(manager, "page");
        const config_setting_t *words = at ? config_setting_get_member(at, "words") : NULL;
        struct ob_zone *zone;
        struct ob_err why;

        if (!at)
                return 0;
        if (check_url(at, page->url, err) || (words && read_translations(words, page, texts, err)))
                return -1;
        if (!strcmp(page->zone, "auto"))
                return 0;
        zone = ob_zone_load(page->zone, &why);
        if (!zone)
                return ob_setting_fail(at, err, "%s", why.text);
        ob_zone_free(zone);
        return 0;
}
