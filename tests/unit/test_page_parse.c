/* Pages that are not as they should be. Those that are: tests/pages. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/web/page_tree.h"
#include "agent/source/web/parse.h"
#include "proto/bytes.h"
#include "proto/memory.h"

static const struct ob_page list = {
        .name = "list",
        .address = "list.htm",
        .heading = "List",
        .n_columns = 3,
        .columns = { { "id", OB_CELL_WHOLE, "Id" }, { "name", OB_CELL_TEXT, "Name", ".//a" },
                { "size", OB_CELL_TEXT, "Size" } },
};

static const struct ob_terms patient = { .deadline = INT64_MAX };

#define HEADS "<tr><th>Id</th><th>Name</th><th>Size(1 min)</th></tr>"

static const struct {
        const char *what, *body; /* below the heading */
        const char *cells;       /* "id|name|size;…", "-" for none; NULL: refused */
        const char *says;        /* why, or which headers are missing */
} cases[] = {
        { "as it should be", "<table>" HEADS "<tr><td>1</td><td><a>a</a> x</td><td>5</td></tr></table>", "1|a|5;" },
        { "rows without a beginning",
                "<table>" HEADS "<tr><td>1<td><a>a</a><td>5</tr><td>2</td><td>b</td><td>6</td></tr></table>",
                "1|a|5;2|-|6;" },
        { "no rows", "<table>" HEADS "<tr></table>", "" },
        { "columns that changed places",
                "<table><tr><th>Size</th><th>x</th><th>Name</th><th>Id</th></tr>"
                "<tr><td>5</td><td>x</td><td><a>a</a></td><td>1</td></tr></table>",
                "1|a|5;" },
        { "a header that is gone",
                "<table><tr><th>Id</th><th>Name</th></tr><tr><td>1</td><td><a>a</a></td></tr></table>", "1|a|-;",
                "\"Size\"" },
        { "headers that are like it",
                "<table><tr><th>Ids</th><th> Name&nbsp;</th></tr><tr><td>1</td><td><a>a</a></td></tr></table>",
                "-|a|-;", "\"Id\", \"Size\"" },
        { "another table before it",
                "<table><tr><th>Id</th></tr><tr><td>9</td></tr></table><table>" HEADS
                "<tr><td>1</td><td><a>a</a></td><td>5</td></tr></table>",
                "1|a|5;" },
        { "a table inside a cell",
                "<table>" HEADS
                "<tr><td>1</td><td><a>a</a><table><tr><td>7</td></tr></table></td><td>5</td></tr></table>",
                "1|a|5;" },
        { "entities, blanks and tags",
                "<table>" HEADS
                "<tr><td>\r\n 1&#10; </td><td><a>&rarr;&amp;<b>&eacute;</b></a></td><td>&nbsp;</td></tr></table>",
                "1|→&é|;" },
        { "a row that is cut", "<table>" HEADS "<tr><td>1</td><td>a</td></tr></table>", NULL,
                "2 cells below 3 headers are no whole rows" },
        { "no table", "<p>Id Name</p>", NULL, "none of the headers of page 'list' is on it" },
        { "other headers", "<table><tr><th>A</th></tr><tr><td>1</td></tr></table>", NULL, "none of the headers" },
};

static char *join(const struct ob_page_rows *rows)
{
        char *all = ob_copy("");

        for (size_t i = 0; i < rows->n * rows->width; i++) {
                char *longer = ob_format(
                        "%s%s%s", all, rows->cells[i] ? rows->cells[i] : "-", (i + 1) % rows->width ? "|" : ";");

                free(all);
                all = longer;
        }
        return all;
}

static void rows_are_found_by_their_headers(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_cleanup(ob_free_at) char *html = ob_format("<html><h2>List</h2>%s</html>\n", cases[i].body);
                ob_cleanup(ob_free_at) char *got = NULL;
                struct ob_page_rows rows = { .n = 0 };
                struct ob_err err = { .text = "" };
                struct ob_doc *doc = ob_doc_parse(html, strlen(html), &patient, &err);
                int failed;

                if (!doc)
                        fail_msg("%s: %s", cases[i].what, err.text);
                failed = ob_page_read(&list, doc, NULL, &rows, &err);
                got = join(&rows);
                if (failed != (cases[i].cells ? 0 : -1) || (!failed && strcmp(got, cases[i].cells) != 0))
                        fail_msg("%s: \"%s\" %s", cases[i].what, got, err.text);
                if (failed && !strstr(err.text, cases[i].says))
                        fail_msg("%s: %s", cases[i].what, err.text);
                if (!failed && (!rows.missing != !cases[i].says ||
                                       (rows.missing && strcmp(rows.missing, cases[i].says) != 0)))
                        fail_msg("%s: missing %s", cases[i].what, rows.missing ? rows.missing : "nothing");
                ob_page_rows_free(&rows);
                ob_doc_free(doc);
        }
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
        const char *bytes;
        size_t length;
        const char *says;
} refused[] = {
        { BYTES(""), "cut short" },
        { BYTES("<html><h2>List</h2>"), "cut short: there is no </html> at its end (19 bytes)" },
        { BYTES("<html></html><!-- -->"), "cut short" },
        { BYTES("<html>\xd6\xd0</html>"), "no UTF-8: byte 7 of 15" },
        { BYTES("<html>\xe4\xb8</html>"), "no UTF-8: byte 7" },
        { BYTES("<html>\xed\xa0\x80</html>"), "no UTF-8: byte 7" },
        { BYTES("<html>\xc0\x80</html>"), "no UTF-8: byte 7" },
        { BYTES("<html>\xf4\x90\x80\x80</html>"), "no UTF-8: byte 7" },
        { BYTES("<html>\0</html>"), "no UTF-8: byte 7" },
        { BYTES("</html>\xe4"), "no UTF-8: byte 8" },
        { BYTES("<html><input name='_fm.l._0.n'/></html>"), "login page" },
        { BYTES("<html><div class='error_forbidden'></div></html>"), "forbidden" },
        { BYTES("<html><div class='title'>对不起，你</div></html>"), "error page" },
};

static void what_is_no_page_is_named(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(refused); i++) {
                struct ob_err err = { .text = "" };
                struct ob_doc *doc = ob_doc_parse(refused[i].bytes, refused[i].length, &patient, &err);

                if (doc || !strstr(err.text, refused[i].says))
                        fail_msg("case %zu: %s", i, err.text);
        }
}

static void a_page_has_an_end(void **state)
{
        ob_cleanup(ob_free_at) char *bytes = ob_alloc(OB_PAGE_BYTES_MAX + 1, 1);
        struct ob_err err = { .text = "" };

        (void)state;
        memset(bytes, ' ', OB_PAGE_BYTES_MAX + 1);
        assert_null(ob_doc_parse(bytes, OB_PAGE_BYTES_MAX + 1, &patient, &err));
        assert_non_null(strstr(err.text, "larger than 4194304 bytes"));
}

/* What a page may cost. `head`, then `unit` so many times, then `tail`. */
static const struct {
        const char *what, *head, *unit;
        size_t n;
        const char *tail, *says; /* NULL: it is read */
} costs[] = {
        { "a long tag", "<p ", "a ", 16000, ">", NULL },
        { "a longer one", "<p ", "a ", 20000, ">",
                "a tag or comment is longer than 32768 bytes; no page of Otter's" },
        { "one whose attributes hold its end", "<p ", "a=\"><p>\" ", 20000, ">", "longer than 32768 bytes" },
        { "a long comment", "<!-- ", "xx", 20000, " -->", "longer than 32768 bytes" },
        { "a deep page", "", "<div>", 90, "", NULL },
        { "a deeper one", "", "<div>", 110, "", "nested deeper than 100; no page" },
        { "a long text", "", "long ", 500000, "", NULL },
        { "many tags", "", "<p>", 200000, "", NULL },
        { "more of them", "", "<p>", 250000, "", "its tags and texts take more than 36 MiB; no page" },
        { "many texts", "", "<br>a", 130000, "", "take more than 36 MiB" },
        { "attributes that are asked for", "", "<p class=a title=b style=c id=d>", 60000, "",
                "take more than 36 MiB" },
        { "attributes that nobody asks for", "", "<p width=1 height=2 border=3 d=4>", 60000, "", NULL },
};

static struct ob_terms for_pages(void)
{
        return (struct ob_terms) {
                .deadline = INT64_MAX, .pages = ob_builtin_pages, .n_pages = ob_n_builtin_pages
        };
}

static struct ob_bytes make(const char *head, const char *unit, size_t n, const char *tail)
{
        struct ob_bytes page = { .length = 0 };

        ob_bytes_add(&page, "<html><h2>List</h2>", strlen("<html><h2>List</h2>"));
        ob_bytes_add(&page, head, strlen(head));
        for (size_t i = 0; i < n; i++)
                ob_bytes_add(&page, unit, strlen(unit));
        ob_bytes_add(&page, tail, strlen(tail));
        ob_bytes_add(&page, "</html>", strlen("</html>"));
        return page;
}

static void a_page_costs_no_more_than_it_may(void **state)
{
        const struct ob_terms terms = for_pages();

        (void)state;
        for (size_t i = 0; i < LENGTH(costs); i++) {
                ob_cleanup(ob_bytes_free) struct ob_bytes page =
                        make(costs[i].head, costs[i].unit, costs[i].n, costs[i].tail);
                struct ob_err err = { .text = "" };
                struct ob_doc *doc = ob_doc_parse(page.data, page.length, &terms, &err);

                if (!doc != (costs[i].says != NULL) || (!doc && !strstr(err.text, costs[i].says)))
                        fail_msg("%s: %s", costs[i].what, err.text);
                ob_doc_free(doc);
        }
}

static void a_tag_has_few_attributes(void **state)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes page = { .length = 0 };
        struct ob_err err = { .text = "" };

        (void)state;
        for (int n = 64; n <= 65; n++) {
                ob_bytes_add(&page, "<p", 2);
                for (int i = 0; i < n; i++) {
                        ob_cleanup(ob_free_at) char *name = ob_format(" a%d", i);

                        ob_bytes_add(&page, name, strlen(name));
                }
                ob_bytes_add(&page, "></html>", 8);
                xmlFreeDoc(ob_tree_parse(page.data, page.length, &patient, &err));
                assert_true((n == 64) == !*err.text);
        }
        assert_non_null(strstr(err.text, "a tag has more than 64 attributes; no page"));
}

/* What is asked of a page whose cells can be found, and yet … */
static const struct {
        const char *what, *head, *unit;
        size_t n;
        const char *rows, *path;
        bool is_of_page;
        const char *says;
} questions[] = {
        { "a way through the page for each row", "", "<p>1</p>", 10000, "//p", "count(//p)", false,
                "takes more than 10000000 steps: make the XPaths" },
        { "a way through the page for all rows", "", "<p>1</p>", 10000, "//p", "count(//p)", true, NULL },
        { "a long text for each row", "<i title='0123456789012345678901234567890123456789'></i>", "<p></p>", 19999,
                "//p", "concat(//i/@title, //i/@title, //i/@title, //i/@title, //i/@title)", true,
                "takes more than 4 MiB: see what" },
        { "too many rows", "", "<p></p>", 20001, "//p", ".", false, "more than 20000 rows" },
};

static void what_is_asked_of_a_page_costs_no_more_than_it_may(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(questions); i++) {
                const struct ob_page asked = { .name = "asked",
                        .rows = questions[i].rows,
                        .n_columns = 1,
                        .columns = {
                                { "c", OB_CELL_TEXT, NULL, questions[i].path, NULL, questions[i].is_of_page } } };
                ob_cleanup(ob_bytes_free) struct ob_bytes page =
                        make(questions[i].head, questions[i].unit, questions[i].n, "");
                struct ob_page_rows rows = { .n = 0 };
                struct ob_err err = { .text = "" };
                struct ob_doc *doc = ob_doc_parse(page.data, page.length, &patient, &err);
                int failed;

                assert_non_null(doc);
                failed = ob_page_read(&asked, doc, NULL, &rows, &err);
                if (failed != (questions[i].says ? -1 : 0) || (failed && !strstr(err.text, questions[i].says)))
                        fail_msg("%s: %s", questions[i].what, err.text);
                assert_int_equal(rows.n, failed ? 0 : questions[i].n);
                ob_page_rows_free(&rows);
                ob_doc_free(doc);
        }
}

static void there_is_an_end_to_reading(void **state)
{
        static const char html[] = "<html><h2>List</h2><table>" HEADS "</table></html>";
        struct ob_page_rows rows = { .n = 0 };
        struct ob_terms terms = { .deadline = ob_clock_ms() - 1 };
        struct ob_err err = { .text = "" };
        struct ob_doc *doc;
        struct ob_stop stop;

        (void)state;
        assert_null(ob_tree_parse(html, sizeof(html) - 1, &terms, &err));
        assert_null(ob_doc_parse(html, sizeof(html) - 1, &terms, &err));
        assert_non_null(strstr(err.text, "could not be read in page.timeout seconds"));
        ob_stop_init(&stop);
        terms = (struct ob_terms) { .stop = &stop, .deadline = INT64_MAX };
        doc = ob_doc_parse(html, sizeof(html) - 1, &terms, &err);
        assert_non_null(doc);
        terms.deadline = ob_clock_ms() - 1;
        assert_int_equal(ob_page_read(&list, doc, NULL, &rows, &err), -1);
        assert_non_null(strstr(err.text, "could not be read in page.timeout seconds"));
        ob_doc_free(doc);
        terms.deadline = INT64_MAX;
        doc = ob_doc_parse(html, sizeof(html) - 1, &terms, &err);
        ob_stop_want(&stop, 0);
        assert_int_equal(ob_page_read(&list, doc, NULL, &rows, &err), -1);
        assert_non_null(strstr(err.text, "the agent stops"));
        ob_doc_free(doc);
        assert_null(ob_doc_parse(html, sizeof(html) - 1, &terms, &err));
        assert_non_null(strstr(err.text, "the agent stops"));
        ob_stop_fini(&stop);
}

static void another_heading_is_another_page(void **state)
{
        static const char html[] = "<html><h2>Other</h2><table>" HEADS "</table></html>";
        static const struct ob_page_settings translated = { .words = { { "List", "Other" } }, .n_words = 1 };
        struct ob_page_rows rows = { .n = 0 };
        struct ob_err err;
        struct ob_doc *doc = ob_doc_parse(html, sizeof(html) - 1, &patient, &err);

        (void)state;
        assert_non_null(doc);
        assert_int_equal(ob_page_read(&list, doc, NULL, &rows, &err), -1);
        assert_string_equal(err.text, "its heading is 'Other', not 'List'");
        assert_int_equal(ob_page_read(&list, doc, &translated, &rows, &err), 0);
        ob_page_rows_free(&rows);
        ob_doc_free(doc);
}

/* Every XPath that is built in can be asked. */
static void the_built_in_pages_make_sense(void **state)
{
        (void)state;
        for (unsigned i = 0; i < ob_n_builtin_pages; i++) {
                const struct ob_page *p = &ob_builtin_pages[i];

                assert_true(!p->rows || ob_doc_is_path(p->rows));
                for (unsigned c = 0; c < p->n_columns; c++) {
                        assert_non_null(p->columns[c].name);
                        assert_int_equal(ob_page_column(p, p->columns[c].name), c);
                        assert_true(!p->columns[c].path || ob_doc_is_path(p->columns[c].path));
                        assert_true(p->columns[c].header || p->columns[c].path);
                        assert_true((p->columns[c].cell == OB_CELL_WORD) == (p->columns[c].words != NULL));
                }
                assert_true(p->n_columns == OB_COLUMNS_MAX || !p->columns[p->n_columns].name);
                assert_true(!p->each.page || ob_page_find(ob_builtin_pages, ob_n_builtin_pages, p->each.page));
        }
        assert_false(ob_doc_is_path("//td["));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_are_found_by_their_headers),
                cmocka_unit_test(what_is_no_page_is_named),
                cmocka_unit_test(a_page_has_an_end),
                cmocka_unit_test(a_page_costs_no_more_than_it_may),
                cmocka_unit_test(a_tag_has_few_attributes),
                cmocka_unit_test(what_is_asked_of_a_page_costs_no_more_than_it_may),
                cmocka_unit_test(there_is_an_end_to_reading),
                cmocka_unit_test(another_heading_is_another_page),
                cmocka_unit_test(the_built_in_pages_make_sense),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
