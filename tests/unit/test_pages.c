/* What a worker promises of its pages is what their deadlines allow. A page that did not change is not parsed
 * again.
 */
#include "tests/unit/unit.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "agent/source/web/fetch.h"
#include "agent/source/web/pages.h"

static const struct {
        int timeout, budget; /* seconds */
        int64_t want;        /* milliseconds */
} cases[] = {
        { 5, 20, 80000 }, /* a page of each of three kinds: three requests, and it is read */
        { 1, 1, 13000 },
        { 3600, 3600, 46800000 },
};

static void the_longest_is_the_sum_of_all_deadlines(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct ob_manager manager = { .page = { .url = "http://127.0.0.1:1",
                                                            .user = "",
                                                            .password = "",
                                                            .zone = "UTC",
                                                            .proxy = "",
                                                            .ca = "",
                                                            .cert = "",
                                                            .key = "",
                                                            .timeout = cases[i].timeout,
                                                            .budget = cases[i].budget } };
                const struct ob_config config = { .n_sources = 0 };
                struct ob_pages *pages = ob_pages_new(
                        &(struct ob_pages_setting) { .config = &config, .manager = &manager, .name = "page" });

                assert_int_equal(ob_pages_longest(pages), cases[i].want);
                ob_pages_free(pages);
        }
}

/* A manager with one page, which has two tables. */
struct manager {
        struct MHD_Daemon *server;
        const char *body;
        unsigned status;
};

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
        const char *version, const char *data, size_t *length, void **state)
{
        const struct manager *m = ctx;
        struct MHD_Response *r = MHD_create_response_from_buffer(
                strlen(m->body), (void *)(uintptr_t)m->body, MHD_RESPMEM_PERSISTENT);
        enum MHD_Result got = MHD_queue_response(c, m->status, r);

        (void)url;
        (void)method;
        (void)version;
        (void)data;
        (void)length;
        (void)state;
        MHD_destroy_response(r);
        return got;
}

static const struct ob_page tables[] = {
        { .name = "a", .address = "page.htm", .n_columns = 1, .columns = { { "a", OB_CELL_TEXT, "A" } } },
        { .name = "b", .address = "page.htm", .n_columns = 1, .columns = { { "b", OB_CELL_TEXT, "B" } } },
};

#define TABLE(header, cell) "<table><tr><th>" header "</th></tr><tr><td>" cell "</td></tr></table>"
#define PAGE(a, b)          "<html><body>" TABLE("A", a) TABLE("B", b) "</body></html>"

/* After each cycle the test writes a '!' over the first letter of each text, so rows that are used again show a
 * '!'. */
static const struct {
        unsigned status;
        const char *body, *a, *b; /* what is read; NULL: nothing */
} cycles[] = {
        { 200, PAGE("one", "two"), "one", "two" },
        { 200, PAGE("one", "two"), "!ne", "!wo" },
        { 200, PAGE("one", "two"), "!ne", "!wo" },
        { 200, PAGE("one", "six"), "one", "six" },
        { 200, PAGE("one", "six"), "!ne", "!ix" },
        { 500, PAGE("one", "six"), NULL, NULL },
        { 200, PAGE("one", "six"), "one", "six" },
        { 200, "<html><body></body></html>", NULL, NULL },
        { 200, PAGE("one", "six"), "one", "six" },
        { 200, PAGE("one", "six"), "!ne", "!ix" },
};

static void must_read(struct ob_pages *pages, size_t table, const char *want, size_t cycle)
{
        struct ob_fetched_page *page = ob_pages_get(pages, &tables[table], "");
        const char *got;

        assert_non_null(page);
        got = page->why ? NULL : page->rows.cells[0];
        if (!got != !want || (got && strcmp(got, want) != 0))
                fail_msg("cycle %zu: wanted %s, got %s", cycle + 1, want ? want : "nothing", got ? got : page->why);
        if (got)
                page->rows.cells[0][0] = '!';
}

static void the_same_bytes_are_not_parsed_again(void **state)
{
        struct manager m = { .body = "" };
        char url[64];
        const struct ob_source sources[] = { { .enabled = true, .table = "a" }, { .enabled = true, .table = "b" } };
        const struct ob_config config = { .sources = (struct ob_source *)(uintptr_t)sources,
                .n_sources = 2,
                .pages = (struct ob_page *)(uintptr_t)tables,
                .n_pages = 2 };
        struct ob_manager manager = { .page = {
                                              .url = url, .user = "", .zone = "UTC", .timeout = 5, .budget = 20 } };
        struct ob_pages *pages;

        (void)state;
        m.server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, &m, MHD_OPTION_END);
        assert_non_null(m.server);
        snprintf(url, sizeof(url), "http://127.0.0.1:%u",
                (unsigned)MHD_get_daemon_info(m.server, MHD_DAEMON_INFO_BIND_PORT)->port);
        pages = ob_pages_new(&(struct ob_pages_setting) { .config = &config, .manager = &manager, .name = "page" });
        for (size_t i = 0; i < LENGTH(cycles); i++) {
                m.status = cycles[i].status;
                m.body = cycles[i].body;
                ob_pages_begin(pages);
                must_read(pages, 0, cycles[i].a, i);
                must_read(pages, 1, cycles[i].b, i);
        }
        ob_pages_free(pages);
        MHD_stop_daemon(m.server);
}

static int begin(void **state)
{
        (void)state;
        ob_fetch_begin();
        return 0;
}

static int end(void **state)
{
        (void)state;
        ob_fetch_end();
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_longest_is_the_sum_of_all_deadlines),
                cmocka_unit_test(the_same_bytes_are_not_parsed_again),
        };

        return cmocka_run_group_tests(tests, begin, end);
}
