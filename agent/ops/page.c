#include "agent/ops/page.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/exit.h"
#include "agent/process/clock.h"
#include "agent/source/web/cell.h"
#include "agent/source/web/fetch.h"
#include "agent/source/web/parse.h"
#include "config/all_settings.h"
#include "proto/memory.h"
#include "proto/utf8.h"

/* Prints one object a line. Characters that a terminal must not get stand only inside strings, where JSON has
 * escapes for them. */
static void print_line(json_t *object)
{
        ob_cleanup(ob_free_at) char *line = json_dumps(object, 0);

        for (size_t i = 0, n; line[i]; i += n) {
                n = ob_utf8_length(line + i);
                if (ob_utf8_shown(line + i))
                        fwrite(line + i, 1, n, stdout);
                else
                        printf("\\u%04x", ob_utf8_code(line + i, n));
        }
        putchar('\n');
        json_decref(object);
}

/* NULL, or bytes that are no UTF-8, which no reader of pages makes, become null. */
static json_t *text_or_null(const char *text)
{
        json_t *made = text ? json_string(text) : NULL;

        return made ? made : json_null();
}

static void print_rows(
        const struct ob_page *page, const struct ob_page_rows *rows, const struct ob_cell_world *world)
{
        for (size_t i = 0; i < rows->n; i++) {
                json_t *row = json_pack("{ss}", "page", page->name);

                for (unsigned c = 0; c < page->n_columns; c++) {
                        char room[OB_CELL_MAX];
                        const char *read =
                                ob_cell_read(&page->columns[c], world, rows->cells[i * rows->width + c], room);

                        json_object_set_new(row, page->columns[c].name, text_or_null(read));
                }
                print_line(row);
        }
}

static void print_summary(const struct ob_page *page, const struct ob_page_rows *rows)
{
        json_t *summary = json_pack("{ss sI}", "page", page->name, "rows", (json_int_t)rows->n);

        if (page->is_long)
                json_object_update_new(summary, json_pack("{si si si}", "items", rows->items, "number",
                                                        rows->number, "numbers", rows->numbers));
        print_line(summary);
}

static int show_page(
        const struct ob_page *page, struct ob_doc *doc, const struct ob_cell_world *world, struct ob_err *err)
{
        struct ob_page_rows rows = { .n = 0 };
        int got = ob_page_read(page, doc, world->settings, &rows, err);

        if (!got) {
                print_rows(page, &rows, world);
                print_summary(page, &rows);
        }
        if (!got && rows.missing)
                got = ob_fail(err, "page %s: the page has no column %s", page->name, rows.missing);
        ob_page_rows_free(&rows);
        return got;
}

/* Reads the document as every page with its heading: one document may hold several of our pages. */
static int show_all(
        const struct ob_config *config, struct ob_doc *doc, const struct ob_cell_world *world, struct ob_err *err)
{
        const struct ob_page *pages = config ? config->pages : ob_builtin_pages;
        size_t n = config ? config->n_pages : ob_n_builtin_pages;
        bool is_known = false;
        int got = 0;

        for (size_t i = 0; i < n; i++) {
                if (!pages[i].heading || !ob_page_is(&pages[i], doc, world->settings))
                        continue;
                is_known = true;
                got |= show_page(&pages[i], doc, world, err);
        }
        if (!is_known)
                return ob_fail(err, "it is no page that we know: its heading is \"%.60s\"", ob_doc_heading(doc));
        return got;
}

/* "pipeline_list.htm" and "pipelineList.htm" are one page. */
static bool is_same_page(const char *asked, const char *known)
{
        while (*known && *known != '?') {
                if (*asked == '_')
                        asked++;
                if (tolower((unsigned char)*asked++) != tolower((unsigned char)*known++))
                        return false;
        }
        return !*asked || *asked == '?';
}

/* In Otter a plain GET may change something. So only known addresses are fetched. */
static bool is_harmless(const char *address)
{
        if (strcasestr(address, "action") || strcasestr(address, "event"))
                return false;
        for (size_t i = 0; i < ob_n_builtin_pages; i++)
                if (is_same_page(address, ob_builtin_pages[i].address))
                        return true;
        return false;
}

static int read_url(
        const char *url, struct ob_page_settings *settings, struct ob_bytes *body, int64_t *now, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *base = ob_copy(url);
        char *end = base + strcspn(base, "?");
        struct ob_fetch *f;
        enum ob_fetched got;

        while (*end != '/')
                end--; /* stops at the latest at "http://" */
        *end = '\0';
        if (!is_harmless(url + (end - base) + 1))
                return ob_fail(err, "%s is none of the pages that are read", url);
        settings->url = base;
        f = ob_fetch_new(settings, NULL);
        got = ob_fetch_get(f, url + (end - base) + 1, body, now, err);
        ob_fetch_free(f);
        return got == OB_FETCHED ? 0 : -1;
}

static int read_file(const char *path, struct ob_bytes *body, struct ob_err *err)
{
        FILE *f = fopen(path, "re");
        char piece[16384];
        size_t n;
        int bad;

        if (!f)
                return ob_fail(err, "%s: %m", path);
        while (body->length <= 2 * OB_PAGE_BYTES_MAX && (n = fread(piece, 1, sizeof(piece), f)))
                ob_bytes_add(body, piece, n);
        bad = ferror(f);
        fclose(f);
        return bad ? ob_fail(err, "%s: it can't be read", path) : 0;
}

/* Skips the header of an HTTP answer, where there is one. */
static const char *skip_header(const struct ob_bytes *body, size_t *length, struct ob_err *err)
{
        const char *data = body->length ? (const char *)body->data : "", *end;

        *length = body->length;
        if (body->length < 12 || memcmp(data, "HTTP/", 5) != 0)
                return data;
        if (memcmp(data + 9, "200", 3) != 0) {
                ob_fail(err, "it is an answer with status %.3s", data + 9);
                return NULL;
        }
        end = memmem(data, body->length, "\r\n\r\n", 4);
        end = end ? end + 4 : data;
        *length -= (size_t)(end - data);
        return end;
}

/* Without a config the defaults hold. */
static struct ob_page_settings page_settings(const struct ob_config *config)
{
        struct ob_page_settings settings = { .n_words = 0 };

        ob_settings_defaults(ob_page_settings, &settings);
        return config ? config->managers[0].page : settings;
}

static int show_what(const struct ob_config *config, const char *what, struct ob_err *err)
{
        struct ob_page_settings settings = page_settings(config);
        struct ob_cell_world world = { .settings = &settings, .now = ob_clock_wall() };
        bool is_url = !strncasecmp(what, "http://", 7) || !strncasecmp(what, "https://", 8);
        ob_cleanup(ob_bytes_free) struct ob_bytes body = { .length = 0 };
        ob_cleanup(ob_zone_free_at) struct ob_zone *zone = ob_zone_load(settings.zone, err);
        ob_cleanup(ob_doc_free_at) struct ob_doc *doc = NULL;
        struct ob_terms terms = { .pages = config ? config->pages : ob_builtin_pages,
                .n_pages = config ? config->n_pages : ob_n_builtin_pages };
        const char *page;
        size_t length;

        world.zone = zone; /* without a zone, as with "auto", dates are left out */
        if (is_url ? read_url(what, &settings, &body, &world.now, err) : read_file(what, &body, err))
                return -1;
        page = skip_header(&body, &length, err);
        terms.deadline = ob_clock_ms() + settings.timeout * INT64_C(1000);
        doc = page ? ob_doc_parse(page, length, &terms, err) : NULL;
        return doc ? show_all(config, doc, &world, err) : -1;
}

static int run(const struct ob_config *config, const struct ob_arguments *a)
{
        struct ob_err err;

        if (!show_what(config, a->words[0], &err))
                return EXIT_FINE;
        fflush(stdout);
        fprintf(stderr, "otterbeat: %s\n", err.text);
        return EXIT_UNREACHED;
}

const struct ob_command ob_page_command = {
        .name = "page",
        .usage = "PAGE",
        .help = "print what is read from one of a manager's pages; PAGE is a saved file or an address",
        .missing = "PAGE",
        .options = ob_no_options,
        .min_words = 1,
        .max_words = 1,
        .is_config_optional = true,
        .run = run,
};
