/* Pages that are not as they should be. Those that are: tests/pages. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source/page_parse.h"
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
                cmocka_unit_test(another_heading_is_another_page),
                cmocka_unit_test(the_built_in_pages_make_sense),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
