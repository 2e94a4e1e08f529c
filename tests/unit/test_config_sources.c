/* Sources of one's own. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "proto/memory.h"
#include "proto/metric.h"
#include "tests/unit/loading.h"

#define COLUMNS(columns) .sources = "s = { table = \"T\"; columns = ( " columns " ); };"

static const struct {
        struct parts parts;
        unsigned line;
        const char *says;
} mistakes[] = {
        { { .sources = "s = { };" }, 3, "'s' is not a built-in source" },
        { { .sources = "s = { table = \"T\"; };" }, 3, "'s' is not a built-in source" },
        { { .sources = "s = { columns = ( ( \"count\", \"\" ) ); };" }, 3, "not a built-in source" },
        { { .sources = "s = { table = 5; columns = ( ( \"count\", \"\" ) ); };" }, 3, "'table' must be a text" },
        { { .sources = "s = { table = \"\"; columns = ( ( \"count\", \"\" ) ); };" }, 3,
                "'' is not the name of a table" },
        { { .sources = "s = { table = \"a`b\"; columns = ( ( \"count\", \"\" ) ); };" }, 3,
                "'a`b' is not the name of a table" },
        { { .sources = "s = { table = \"T\"; columns = \"ID\"; };" }, 3, "'columns' must be a list" },
        { { .sources = "S = { table = \"T\"; columns = ( ( \"value\", \"V\", \"v\" ) ); };" }, 3,
                "a source's name begins with a-z" },
        { { .sources = "delay = { table = \"T\"; };" }, 3, "'delay' is a built-in source" },
        { { .sources = "table = { columns = ( ); };" }, 3, "'table' is a built-in source" },
        { { .sources = "agent = { table = \"T\"; };" }, 3, "'agent' is a built-in source" },
        { { .sources = "delay_age = { table = \"T\"; columns = ( ( \"value\", \"V\" ) ); };" }, 3,
                "'delay_age' is a built-in source that has the settings of 'delay'" },
        { { .sources = "page_nodes = { every = 5; };" }, 3, "has the settings of 'page'" },
        { { COLUMNS("") }, 3, "source 's' has no metric" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"key\", \"K\" )") }, 3, "source 's' has no metric" },
        { { COLUMNS("\"value\"") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\" )") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\", \"V\", \"v\", \"w\" )") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\", 5 )") }, 3, "'this' must be a text in quotes" },
        { { COLUMNS("( \"velue\", \"V\" )") }, 3, "no such role: 'velue'" },
        { { COLUMNS("( \"value\", \"\" )") }, 3, "role 'value' needs a column" },
        { { COLUMNS("( \"value\", \"a`b\" )") }, 3, "the name of a column cannot contain '`'" },
        { { COLUMNS("( \"value\", \"V\", \"Big\" )") }, 3, "'Big' cannot be the name of a tag or metric" },
        { { COLUMNS("( \"value\", \"V\" ), ( \"key\", \"MANAGER\" )") }, 3,
                "the tag 'manager' holds the manager's name" },
        { { COLUMNS("( \"value\", \"V\", \"a..b\" )") }, 3, "'a..b' cannot be the name" },
        { { COLUMNS("( \"value\", \"V\", \"a.\" )") }, 3, "'a.' cannot be the name" },
        { { COLUMNS("( \"value\", \"V\", \"a-b\" )") }, 3, "'a-b' cannot be the name" },
        { { COLUMNS("( \"value\", \"V\", \"\" )") }, 3, "'' cannot be the name" },
        { { COLUMNS("( \"key\", \"1ST\" ), ( \"value\", \"V\" )") }, 3, "'1st' cannot be the name" },
        { { COLUMNS("( \"value\", \"V\" ),\n( \"value\", \"v\" )") }, 4, "'s.v' names two columns" },
        { { COLUMNS("( \"key\", \"A\", \"x\" ), ( \"label\", \"B\", \"x\" ), ( \"value\", \"V\" )") }, 3,
                "'x' names two columns" },
        { { COLUMNS("( \"cursor\", \"A\" ), ( \"cursor\", \"B\" ), ( \"count\", \"\" )") }, 3,
                "several columns of role 'cursor'" },
        { { COLUMNS("( \"time\", \"A\" ), ( \"time\", \"B\" ), ( \"value\", \"V\" )") }, 3,
                "several columns of role 'time'" },
        { { COLUMNS("( \"settled\", \"A\" ), ( \"settled\", \"B\" ), ( \"value\", \"V\" )") }, 3,
                "several columns of role 'settled'" },
        { { COLUMNS("( \"made\", \"A\" ), ( \"made\", \"B\" ), ( \"total\", \"V\" )") }, 3,
                "several columns of role 'made'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"age\", \"B\" )") }, 3, "several columns of role 'age'" },

        /* roles that do not go together */
        { { COLUMNS("( \"age\", \"A\" ), ( \"value\", \"V\" )") }, 3, "cannot have a column of role 'value'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"peak\", \"V\" )") }, 3, "cannot have a column of role 'peak'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"total\", \"V\" )") }, 3, "cannot have a column of role 'total'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"increment\", \"V\" )") }, 3,
                "cannot have a column of role 'increment'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"count\", \"\" )") }, 3, "cannot have a column of role 'count'" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"age\", \"A\" )") }, 3, "cannot have a column of role 'cursor'" },
        { { COLUMNS("( \"time\", \"T\" ), ( \"age\", \"A\" )") }, 3, "cannot have a column of role 'time'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"label\", \"L\" )") }, 3, "cannot have a column of role 'label'" },
        { { COLUMNS("( \"key\", \"K\" ), ( \"increment\", \"V\" )") }, 3,
                "cannot have a column of role 'increment'" },
        { { COLUMNS("( \"key\", \"K\" ), ( \"count\", \"\" )") }, 3, "cannot have a column of role 'count'" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"total\", \"T\" ), ( \"increment\", \"V\" )") }, 3,
                "cannot have a column of role 'increment'" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"total\", \"T\" ), ( \"count\", \"\" )") }, 3,
                "cannot have a column of role 'count'" },
};

#define PAGE(address, columns) .sources = "p = { address = \"" address "\"; columns = ( " columns " ); };"
#define VALUE                  "( \"value\", \"V\", \"v\" )"

/* … and of sources that are read off a page. */
static const struct {
        struct parts parts;
        unsigned line;
        const char *says;
} page_mistakes[] = {
        { { .sources = "p = { address = \"a.htm\"; };" }, 3, "'p' is not a built-in source" },
        { { .sources = "p = { address = 5; columns = ( " VALUE " ); };" }, 3, "'address' must be a text" },
        { { .sources = "p = { address = \"a.htm\"; table = \"T\"; columns = ( " VALUE " ); };" }, 3,
                "a 'table' or an 'address', not both" },
        { { .sources = "page = { address = \"a.htm\"; };" }, 3, "'page' is a built-in source" },
        { { .sources = "pipelines = { address = \"a.htm\"; columns = ( " VALUE " ); };" }, 3,
                "'pipelines' is the name of a built-in page" },
        { { PAGE("", VALUE) }, 3, "'' is not an address" },
        { { PAGE("a b.htm", VALUE) }, 3, "is not an address below the manager's url" },
        { { PAGE("a.htm?x={thing}", VALUE) }, 3, "is not an address below the manager's url" },
        { { PAGE("a.htm?x={channel}&y={pipeline}", VALUE) }, 3, "is not an address below the manager's url" },
        { { PAGE("/a.htm", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("../a.htm", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("http://x/a.htm", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("channelList.htm?action=channelAction&channelId=1", VALUE) }, 3,
                "is refused: a page with such an address" },
        { { PAGE("?eventsubmitDoStatus=true", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("api/channelOp.do", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("monitor/monitorTrigger.htm", VALUE) }, 3, "is refused: a page with such an address" },
        { { PAGE("a.htm", "( \"cursor\", \"V\" ), " VALUE) }, 3,
                "a column of a page cannot have the role 'cursor'" },
        { { PAGE("a.htm", "( \"age\", \"V\", \"v\" )") }, 3, "a column of a page cannot have the role 'age'" },
        { { PAGE("a.htm", "( \"value\", \"\", \"v\" )") }, 3, "a column needs a header, or an XPath" },
        { { PAGE("a.htm", "( \"value\", \"V\", \"v\", \"nunber\" )") }, 3, "no such kind of cell: 'nunber'" },
        { { PAGE("a.htm", "( \"value\", \"V\", \"v\", \"a=1 b\" )") }, 3, "no such kind of cell: 'a=1 b'" },
        { { PAGE("a.htm", "( \"value\", \"V\", \"v\", \"a=-1\" )") }, 3, "no such kind of cell: 'a=-1'" },
        { { PAGE("a.htm", "( \"value\", \"V\", \"v\", \"text\" )") }, 3, "a metric must be a number" },
        { { PAGE("a.htm", "( \"value\", \"延迟时间\" )") }, 3, "cannot be the name of a tag or metric" },
        { { PAGE("a.htm", "( \"key\", \"K\" )") }, 3, "source 'p' has no metric" },
        { { .managers = "{ page = { url = \"127.0.0.1:8080\"; }; }" }, 2,
                "is not an address like http://HOST:PORT" },
        { { .managers = "{ page = { url = \"http://\"; }; }" }, 2, "is not an address like http://HOST:PORT" },
        { { .managers = "{ page = { url = \"http://u:p@h\"; }; }" }, 2, "'url' cannot contain '?'" },
        { { .managers = "{ page = { zone = \"Asia/Nowhere\"; }; }" }, 2, "there is no time zone 'Asia/Nowhere'" },
        { { .managers = "{ page = { words = ( \"a\" ); }; }" }, 2, "must be two texts" },
        { { .managers = "{ page = { words = ( ( \"a\", \"b\", \"c\" ) ); }; }" }, 2, "must be two texts" },
        { { .managers = "{ page = { words = \"a\"; }; }" }, 2, "'words' must be a list" },
        { { .managers = "{ page = { budget = 0; }; }" }, 2, "'budget' must be from 1 to 3600" },
};

static void every_mistake_of_a_page_is_told_with_file_and_line(void **state)
{
        for (size_t i = 0; i < LENGTH(page_mistakes); i++)
                loading_must_fail(*state, &page_mistakes[i].parts, page_mistakes[i].line, page_mistakes[i].says);
}

static void a_page_of_ones_own_is_an_address_and_headers(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state,
                &(struct parts) {
                        .sources =
                                "p = { address = \"a.htm?x={pipeline}&y=1\"; heading = \"H\"; rows = \"//table\"; "
                                "columns = ( ( \"key\", \"K\", \"k\" ), ( \"value\", \"\", \"v\", \"off=0 on=2\", "
                                "\".//b\" ), ( \"peak\", \"P\", \"p.q\", \"duration\" ) ); };" });
        const struct ob_source *s = loading_source(c, "p");
        const struct ob_page *page = ob_page_find(c->pages, c->n_pages, s->table);

        assert_string_equal(s->worker, "page");
        assert_int_equal(s->kind, OB_SOURCE_PAGE);
        assert_int_equal(s->every, 30);
        assert_non_null(page);
        assert_string_equal(page->address, "a.htm?x={}&y=1");
        assert_string_equal(page->each.page, "pipelines");
        assert_string_equal(page->heading, "H");
        assert_string_equal(page->rows, "//table");
        assert_string_equal(page->columns[0].header, "K");
        assert_int_equal(page->columns[0].cell, OB_CELL_TEXT);
        assert_null(page->columns[1].header);
        assert_string_equal(page->columns[1].path, ".//b");
        assert_string_equal(page->columns[1].words[1].word, "on");
        assert_int_equal(page->columns[1].words[1].number, 2);
        assert_null(page->columns[1].words[2].word);
        assert_int_equal(page->columns[2].cell, OB_CELL_DURATION);
        assert_int_equal(ob_page_column(page, s->columns[2].column), 2);
}

static void every_mistake_is_told_with_file_and_line(void **state)
{
        for (size_t i = 0; i < LENGTH(mistakes); i++)
                loading_must_fail(*state, &mistakes[i].parts, mistakes[i].line, mistakes[i].says);
}

static const struct {
        const char *columns;
        enum ob_shape shape;
        struct ob_column want[4];
} sources[] = {
        { "( \"cursor\", \"ID\" ), ( \"time\", \"AT\" ), ( \"key\", \"Shop\" ), ( \"increment\", \"Amount\" )",
                OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_TIME, "AT" }, { OB_KEY, "Shop", "shop" },
                        { OB_INCREMENT, "Amount", "s.amount" } } },
        { "( \"cursor\", \"ID\" ), ( \"count\", \"\" )", OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_COUNT, NULL, "s.rows" } } },
        { "( \"cursor\", \"ID\" ), ( \"count\", \"\", \"orders.made\" ), ( \"value\", \"V\" )", OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_COUNT, NULL, "orders.made" }, { OB_VALUE, "V", "s.v" } } },
        { "[ \"enum\", \"E\", \"kind\" ], [ \"label\", \"L\" ], [ \"peak\", \"P\", \"p\" ]", OB_SHAPE_STATE,
                { { OB_ENUM, "E", "kind" }, { OB_LABEL, "L", "l" }, { OB_PEAK, "P", "p" } } },
        { "( \"cursor\", \"ID\" ), ( \"made\", \"M\" ), ( \"total\", \"T\" )", OB_SHAPE_STATE,
                { { OB_CURSOR, "ID" }, { OB_MADE, "M" }, { OB_TOTAL, "T", "s.t" } } },
        { "( \"key\", \"K\" ), ( \"age\", \"A\", \"age_s\" )", OB_SHAPE_NEWEST,
                { { OB_KEY, "K", "k" }, { OB_AGE, "A", "age_s" } } },
};

static void assert_same_text(const char *got, const char *want)
{
        if (!want)
                assert_null(got);
        else
                assert_string_equal(got, want);
}

static void a_source_of_ones_own_is_roles_and_columns(void **state)
{
        for (size_t i = 0; i < LENGTH(sources); i++) {
                ob_cleanup(ob_free_at) char *text = ob_format("s = { table = \"${OB_TEST_SET}\"; "
                                                              "every = 60; columns = ( %s ); };",
                        sources[i].columns);
                ob_cleanup(loading_free) struct ob_config *c =
                        loading_must(*state, &(struct parts) { .sources = text });
                const struct ob_source *s = loading_source(c, "s");

                assert_string_equal(s->worker, "s");
                assert_string_equal(s->table, "value");
                assert_int_equal(s->kind, OB_SOURCE_TABLE);
                assert_true(s->enabled);
                assert_int_equal(s->every, 60);
                assert_int_equal(s->overlap, 600);
                assert_int_equal(s->settle, 2);
                assert_int_equal(s->batch, 1000);
                assert_int_equal(s->start.kind, OB_START_NOW);
                assert_int_equal(ob_source_shape(s), sources[i].shape);
                for (unsigned n = 0; n < s->n_columns; n++) {
                        assert_int_equal(s->columns[n].role, sources[i].want[n].role);
                        assert_same_text(s->columns[n].column, sources[i].want[n].column);
                        assert_same_text(s->columns[n].name, sources[i].want[n].name);
                        assert_null(s->columns[n].expression);
                }
                assert_true(s->n_columns == LENGTH(sources[i].want) || !sources[i].want[s->n_columns].column);
        }
}

static void a_source_has_an_end(void **state)
{
        static const struct {
                int tags, times; /* times: further columns that are no tags */
                const char *says;
        } ends[] = {
                { OB_TAGS_MAX - 1, 0, NULL },
                { OB_TAGS_MAX, 0, "source 's' has more than 11 tags" },
                { 0, OB_COLUMNS_MAX - 1, NULL },
                { 0, OB_COLUMNS_MAX, "at most 24 columns" },
        };

        for (size_t i = 0; i < LENGTH(ends); i++) {
                ob_cleanup(ob_free_at) char *text = ob_copy("s = { table = \"T\"; columns = ( ( \"peak\", \"P\" )");
                ob_cleanup(ob_free_at) char *closed = NULL;

                for (int n = 0; n < ends[i].tags + ends[i].times; n++) {
                        char *longer =
                                ob_format("%s, ( \"%s\", \"C%d\" )", text, n < ends[i].tags ? "key" : "value", n);

                        free(text);
                        text = longer;
                }
                closed = ob_format("%s ); };", text);
                if (ends[i].says)
                        loading_must_fail(*state, &(struct parts) { .sources = closed }, 3, ends[i].says);
                else
                        ob_config_free(loading_must(*state, &(struct parts) { .sources = closed }));
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_mistake_is_told_with_file_and_line),
                cmocka_unit_test(every_mistake_of_a_page_is_told_with_file_and_line),
                cmocka_unit_test(a_page_of_ones_own_is_an_address_and_headers),
                cmocka_unit_test(a_source_of_ones_own_is_roles_and_columns),
                cmocka_unit_test(a_source_has_an_end),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
