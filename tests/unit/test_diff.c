#include "tests/unit/unit.h"

#include "agent/store/store.h"
#include "tests/unit/story.h"

/* Columns: id, made, time, key, total. */
static const struct ob_source state_source = {
        .name = "state",
        .table = "T",
        .overlap = 600,
        .n_columns = 5,
        .columns = { { OB_CURSOR, "id" }, { OB_MADE, "m" }, { OB_TIME, "t" }, { OB_KEY, "k", "k" },
                { OB_TOTAL, "n", "n" } },
};

static const struct story state_stories[] = {
        { "differences", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 10 4000 b 0", "k.a.n 100@4000; k.b.n 0@4000" },
                        { 5015, "1 10 4000 a 100;2 10 4000 b 0", "" },
                        { 5030, "1 10 5020 a 107;2 10 4000 b 0", "k.a.n 7@5020" } } },
        { "the first sight of an old row is the baseline", NOW, 0,
                { { 5000, "1 10 4000 a 100", "" }, { 5015, "1 10 5010 a 101", "k.a.n 1@5010" } } },
        { "a total that is not there at first sight has no baseline yet", NOW, 0,
                { { 5000, "1 10 4000 a -", "" }, { 5015, "1 10 5010 a 100", "" },
                        { 5030, "1 10 5020 a 107", "k.a.n 7@5020" } } },
        { "but of a new row all of it came to pass", NOW, 0,
                { { 5000, "1 10 4000 a 1", "" }, { 5015, "1 10 4000 a 1;2 5005 5010 b -", "" },
                        { 5030, "1 10 4000 a 1;2 5005 5020 b 7", "k.b.n 7@5020" } } },
        { "a row made after the start counts whole", NOW, 0,
                { { 5000, "1 10 4000 a 100", "" }, { 5015, "1 10 4000 a 100;2 5005 5010 b 9", "k.b.n 9@5010" } } },
        { "of a lost store nothing that was there is counted, nor what was made in this very second", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 5000 5000 b 9", "", .rewound = 4000,
                          .counted_before = OB_COUNTED_ALL },
                        { 5015, "1 10 4990 a 101;2 5000 5010 b 11;3 5000 5010 c 5",
                                "k.a.n 1@4990; k.b.n 2@5010; k.c.n 5@5010" } } },
        { "a smaller total is a reset", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 5010 a 3", "" },
                        { 5030, "1 10 5020 a 5", "k.a.n 2@5020" } } },
        { "a total beyond 64 bits is counted up to their end, and goes on from there", OLDEST, 0,
                { { 5000, "1 10 4000 a 18446744073709551615", "k.a.n 9223372036854775807@4000" },
                        { 5015, "1 10 4000 a 18446744073709551614", "" },
                        { 5030, "1 10 5020 a 9223372036854775810", "" },
                        { 5045, "1 10 5040 a 9223372036854775806", "" },
                        { 5060, "1 10 5050 a 9223372036854775808", "k.a.n 1@5050" } } },
        { "a row made anew counts whole", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" },
                        { 5015, "1 5001 5010 a 200", "k.a.n 200@5010" } } },
        { "of two rows of a key the lowest is followed", OLDEST, 1,
                { { 5000, "1 10 4000 a 100;2 10 4000 a 100", "k.a.n 100@4000" },
                        { 5015, "1 10 5010 a 110;2 10 5010 a 110", "k.a.n 10@5010" },
                        { 5030, "0 10 5010 a 50;1 10 5020 a 115;2 10 5020 a 115", "k.a.n 5@5020" } } },
        { "its successor is a new baseline", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 10 4000 a 90", "k.a.n 100@4000" }, { 5015, "2 10 4000 a 95", "" },
                        { 5030, "2 10 5020 a 99", "k.a.n 4@5020" } } },
        { "a key that went and came back as a new row", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "2 10 4000 b 1", "k.b.n 1@4000" },
                        { 5030, "2 10 4000 b 1;7 5020 5021 a 30", "k.a.n 30@5021" } } },
        { "another server that is behind: counted is what is above the highest total", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 4000 a 90", "", .db = "replica" },
                        { 5030, "1 10 4000 a 100", "" }, { 5045, "1 10 5040 a 110", "k.a.n 10@5040" },
                        { 5060, "1 10 5050 a 3", "" }, { 5700, "1 10 5690 a 4", "" },
                        { 5715, "1 10 5710 a 6", "k.a.n 2@5710" } } },
        { "… two that take turns", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 5010 a 95", "", .db = "behind" },
                        { 5030, "1 10 5020 a 105", "k.a.n 5@5020", .db = "ahead" },
                        { 5045, "1 10 5020 a 101", "", .db = "behind" },
                        { 5060, "1 10 5020 a 108", "k.a.n 3@5020", .db = "ahead" },
                        { 5075, "1 10 5020 a 108", "", .db = "behind" } } },
        { "… one that stays below for longer than the overlap was reset", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 5010 a 50", "", .db = "restored" },
                        { 5300, "1 10 5290 a 55", "", .db = "a copy of it" }, { 5615, "1 10 5600 a 60", "" },
                        { 5630, "1 10 5620 a 61", "" }, { 5645, "1 10 5640 a 70", "k.a.n 9@5640" } } },
        { "… long after the change a smaller total is a reset again", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 5010 a 100", "", .db = "other" },
                        { 5700, "1 10 5690 a 3", "" }, { 5715, "1 10 5710 a 5", "k.a.n 2@5710" } } },
        { "… a row that was made anew is known by when", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 10 4000 b 50", "k.a.n 100@4000; k.b.n 50@4000" },
                        { 5015, "1 5001 5010 a 7;9 5002 5010 b 8", "k.a.n 7@5010; k.b.n 8@5010", .db = "other" },
                        { 5030, "1 10 4000 a 100;2 10 4000 b 50", "", .db = "behind" },
                        { 5045, "1 5001 5010 a 7;9 5002 5040 b 10", "k.b.n 2@5040", .db = "other" } } },
        { "… and by its id, where it has a new one", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" },
                        { 5015, "7 10 5010 a 103", "k.a.n 3@5010", .db = "a copy with ids of its own" },
                        { 5030, "7 10 5020 a 104", "k.a.n 1@5020" } } },
        { "… a key that it does not have yet is not new when it comes", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 4990 4990 b 5", "k.a.n 100@4000; k.b.n 5@4990" },
                        { 5015, "1 10 4000 a 100", "", .db = "behind" },
                        { 5030, "1 10 4000 a 100;2 4990 4990 b 4", "" },
                        { 5045, "1 10 4000 a 100;2 4990 5040 b 6", "k.b.n 1@5040" } } },
        { "a total that 64 bits cannot hold is the largest that they can hold", OLDEST, 0,
                { { 5000, "1 10 4000 a 18446744073709551615", "k.a.n 9223372036854775807@4000" },
                        { 5015, "1 10 5010 a 18446744073709551615", "" }, { 5030, "1 10 5020 a 7", "" },
                        { 5045, "1 10 5040 a 10", "k.a.n 3@5040" } } },
        { "… and so is a difference", OLDEST, 0,
                { { 5000, "1 10 4000 a -9223372036854775800", "k.a.n -9223372036854775800@4000" },
                        { 5015, "1 10 5010 a 8", "k.a.n 9223372036854775807@5010" },
                        { 5030, "1 10 5020 a 9", "k.a.n 1@5020" } } },
        { "page by page", OLDEST, 1,
                { { 5000, "1 10 4000 a 1;2 10 4000 b 2", "k.a.n 1@4000; k.b.n 2@4000" },
                        { 5015, "1 10 4000 a 2;2 10 4000 b 4", "k.a.n 1@4000; k.b.n 2@4000" } } },
};

static void rows_that_change_in_place(void **unused)
{
        (void)unused;
        story_tell_all(state_stories, LENGTH(state_stories), &state_source);
}

/* A page's rows. Columns: key, gauge, total. */
static const struct ob_source page_source = {
        .name = "page",
        .table = "T",
        .n_columns = 3,
        .columns = { { OB_KEY, "k", "k" }, { OB_VALUE, "v", "v" }, { OB_TOTAL, "n", "n" } },
};

static const struct story page_stories[] = {
        { "gauges of rows that say nothing new: once in a step, and at once after a start or a failure", OLDEST, 0,
                { { 5000, "a 7 1;b 8 0", "k.a.v 7@5000; k.a.n 1@5000; k.b.v 8@5000; k.b.n 0@5000" },
                        { 5001, "a 7 1;b 8 0", "" }, { 5002, "a 7 1;b 9 5", "k.b.v 9@5002; k.b.n 5@5002" },
                        { 5009, "a 7 1;b 9 5", "" }, { 5010, "a 7 1;b 9 5", "k.a.v 7@5010; k.b.v 9@5010" },
                        { 5011, "a 7 3", "k.a.v 7@5011; k.a.n 2@5011", .fails = true },
                        { 5012, "a 7 3;b 9 5", "k.b.v 9@5012" },
                        { 5013, "a 7 3;b 9 5", "k.a.v 7@5013; k.b.v 9@5013", .restarts = true } },
                .repeat = 10 },
};

/* The same, without totals. */
static const struct ob_source gauge_source = {
        .name = "gauge",
        .table = "T",
        .n_columns = 2,
        .columns = { { OB_KEY, "k", "k" }, { OB_VALUE, "v", "v" } },
};

static const struct story gauge_stories[] = {
        { "a row without totals that is gone, and comes back; of two rows with one key the first is sent", OLDEST,
                0,
                { { 5000, "a 7;b 8", "k.a.v 7@5000; k.b.v 8@5000" }, { 5015, "b 9;b 1", "k.b.v 9@5015" },
                        { 5030, "a 6;b 9", "k.a.v 6@5030; k.b.v 9@5030" },
                        { 5045, "b 5", "k.b.v 5@5045", .restarts = true } } },
};

static void rows_of_a_page(void **unused)
{
        (void)unused;
        story_tell_all(page_stories, LENGTH(page_stories), &page_source);
        story_tell_all(gauge_stories, LENGTH(gauge_stories), &gauge_source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_that_change_in_place),
                cmocka_unit_test(rows_of_a_page),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
