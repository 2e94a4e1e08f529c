#include "tests/unit/unit.h"

#include <string.h>

#include "agent/source/web/cell.h"

static const struct ob_word words[] = { { "停止", 0 }, { "运行", 2 }, { NULL } };
static const struct ob_page_settings translated = { .words = { { "运行", "running" } }, .n_words = 1 };

/* In Shanghai, at 2020-04-20 10:51:00 there. */
static const struct {
        enum ob_cell cell;
        const char *raw, *want;
} cases[] = {
        { OB_CELL_TEXT, "a text", "a text" },
        { OB_CELL_TEXT, NULL, NULL },
        { OB_CELL_TEXT, "", NULL },
        { OB_CELL_TEXT, "$node.description", NULL },
        { OB_CELL_TEXT, "$!{node.description}", NULL },
        { OB_CELL_TEXT, "$5 a day", "$5 a day" },

        { OB_CELL_WHOLE, "0", "0" },
        { OB_CELL_WHOLE, "-28788", "-28788" },
        { OB_CELL_WHOLE, "1,234,567", "1234567" },
        { OB_CELL_WHOLE, "1.234.567", "1234567" },
        { OB_CELL_WHOLE, "1 234", "1234" },
        { OB_CELL_WHOLE,
                "1\xe2\x80\xaf"
                "234",
                "1234" },
        { OB_CELL_WHOLE,
                "1\xe2\x80\x99"
                "234",
                "1234" },
        { OB_CELL_WHOLE, "1234", "1234" },
        { OB_CELL_WHOLE, "1234,567", "?" },
        { OB_CELL_WHOLE, "1,23", "?" },
        { OB_CELL_WHOLE, "1,2345", "?" },
        { OB_CELL_WHOLE, "1,", "?" },
        { OB_CELL_WHOLE, ",123", "?" },
        { OB_CELL_WHOLE, "12 s", "?" },
        { OB_CELL_WHOLE, "-", "?" },
        { OB_CELL_WHOLE, "--1", "?" },
        { OB_CELL_WHOLE, "999999999999999999", "999999999999999999" },
        { OB_CELL_WHOLE, "1000000000000000000", "?" },
        { OB_CELL_WHOLE, "999,999,999,999,999,999,999", "?" },
        { OB_CELL_WHOLE, "$pipeline.parameters.parallelism", NULL },

        { OB_CELL_NUMBER, "1.5", "1.5" },
        { OB_CELL_NUMBER, "1.234", "1.234" },
        { OB_CELL_NUMBER, "-0,5", "-0.5" },
        { OB_CELL_NUMBER, "1,234", "1234" },
        { OB_CELL_NUMBER, "1,234.5", "1234.5" },
        { OB_CELL_NUMBER, "1.234.567,25", "1234567.25" },
        { OB_CELL_NUMBER, "0.123456789", "0.123456" },
        { OB_CELL_NUMBER, "1.2.3", "?" },
        { OB_CELL_NUMBER, "1e5", "?" },
        { OB_CELL_NUMBER, "4.875 MB", "?" },
        { OB_CELL_NUMBER, "5.", "?" },

        { OB_CELL_DURATION, "0", "0" },
        { OB_CELL_DURATION, "0.001 s", "1" },
        { OB_CELL_DURATION, "0.01 s", "10" },
        { OB_CELL_DURATION, "1.5 s", "1500" },
        { OB_CELL_DURATION, "3,456 s", "3456" },
        { OB_CELL_DURATION,
                "3\xd9\xab"
                "456 s",
                "3456" },
        { OB_CELL_DURATION, "59 s", "59000" },
        { OB_CELL_DURATION, "2 m", "120000" },
        { OB_CELL_DURATION, "1 h 1 m 1.456 s", "3661456" },
        { OB_CELL_DURATION, "1 h 0.001 s", "3600001" },
        { OB_CELL_DURATION, "440930 h 49 m 57 s", "1587350997000" },
        { OB_CELL_DURATION, "-5", "-5" },
        { OB_CELL_DURATION, "1 s 1 m", "?" },
        { OB_CELL_DURATION, "1 m 1 m", "?" },
        { OB_CELL_DURATION, "1.5 h", "?" },
        { OB_CELL_DURATION, "1.2345 s", "?" },
        { OB_CELL_DURATION, "1 d", "?" },
        { OB_CELL_DURATION, "1 s ", "?" },
        { OB_CELL_DURATION, "1 s.", "?" },
        { OB_CELL_DURATION, "1 h1 m", "?" },
        { OB_CELL_DURATION, "9999999999999 h", "?" },
        { OB_CELL_DURATION, " ", "?" },
        { OB_CELL_DURATION, "soon", "?" },

        { OB_CELL_WORD, "运行", "2" },
        { OB_CELL_WORD, "停止", "0" },
        { OB_CELL_WORD, "2", "?" },
        { OB_CELL_WORD, "运行 ", "?" },

        { OB_CELL_DATE, "2020-04-20 10:50:57", "1587351057" },
        { OB_CELL_DATE, "2020-04-31 10:50:57", "?" },
        { OB_CELL_DATE, "2020-02-31 10:50:57", "?" },
        { OB_CELL_DATE, "2020-04-20 24:00:00", "?" },
        { OB_CELL_DATE, "2020-04-20 23:59:60", "?" },
        { OB_CELL_DATE, "2020-04-20", "?" },
        { OB_CELL_DATE, "2020-04-20 10:50:57.0", "?" },
        { OB_CELL_DATE, "1969-04-20 10:50:57", "?" },
        { OB_CELL_AGE, "2020-04-20 10:50:57", "3" },
        { OB_CELL_AGE, "2020-04-20 10:52:00", "0" },
        { OB_CELL_AGE, "", NULL },

        { OB_CELL_LAG, "1587351055000", "5000" },
        { OB_CELL_LAG, "1587351065000", "0" },
        { OB_CELL_LAG, "0", NULL },
        { OB_CELL_LAG, "NaN", NULL },
};

static void assert_cell(
        const struct ob_page_column *c, const struct ob_cell_world *world, const char *raw, const char *want)
{
        char room[OB_CELL_MAX];
        const char *got = ob_cell_read(c, world, raw, room);

        if (!got != !want || (got && strcmp(got, want) != 0))
                fail_msg("%s \"%s\": %s, not %s", ob_cells[c->cell], raw ? raw : "(none)", got ? got : "(none)",
                        want ? want : "(none)");
}

static void a_cell_is_read_as_its_kind(void **state)
{
        struct ob_err err;
        struct ob_zone *zone = ob_zone_load("Asia/Shanghai", &err);
        struct ob_cell_world world = { .zone = zone, .now = 1587351060 };

        (void)state;
        assert_non_null(zone);
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_cell(&(struct ob_page_column) { "c", cases[i].cell, .words = words }, &world, cases[i].raw,
                        cases[i].want);
        ob_zone_free(zone);
}

static void a_word_may_be_another_one_here(void **state)
{
        const struct ob_page_column c = { "c", OB_CELL_WORD, .words = words };
        const struct ob_cell_world world = { .settings = &translated };

        (void)state;
        assert_cell(&c, &world, "running", "2");
        assert_cell(&c, &world, "运行", "?");
        assert_cell(&c, &world, "停止", "0");
}

/* The zone is an hour behind the manager's. */
static void a_skew_is_taken_off_a_date(void **state)
{
        const struct ob_page_column c = { "c", OB_CELL_DATE };
        struct ob_err err;
        struct ob_zone *zone = ob_zone_load("Asia/Shanghai", &err);
        struct ob_cell_world world = { .zone = zone, .skew = 3600, .now = 1587351060 };

        (void)state;
        assert_cell(&c, &world, "2020-04-20 11:50:57", "1587351057");
        world.zone = NULL;
        assert_cell(&c, &world, "2020-04-20 11:50:57", NULL);
        ob_zone_free(zone);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_cell_is_read_as_its_kind),
                cmocka_unit_test(a_word_may_be_another_one_here),
                cmocka_unit_test(a_skew_is_taken_off_a_date),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
