#include "tests/unit/unit.h"

#include "tests/unit/story.h"

/* Columns: key, newest time. */
static const struct ob_source newest_source = {
        .name = "newest",
        .table = "T",
        .n_columns = 2,
        .columns = { { OB_KEY, "k", "k" }, { OB_AGE, "t", "age_s" } },
};

static const struct story newest_stories[] = {
        { "ages", NOW, 0,
                { { 5000, "a 4990;b 4000", "k.a.age_s 10@5000; k.b.age_s 1000@5000" },
                        { 5015, "a 4990", "k.a.age_s 25@5015" }, { 5030, "", "" } } },
        { "the youngest of a key, whatever else the index groups by", NOW, 0,
                { { 5000, "a 4000;a 4990;a 4500;b 4999", "k.a.age_s 10@5000; k.b.age_s 1@5000" } } },
        { "never negative, and nothing of a zero date", NOW, 0,
                { { 5000, "a 5003;b 0;c -", "k.a.age_s 0@5000" } } },
        { "a time that no clock has is none", NOW, 0,
                { { 5000,
                        "a 9223372036854775807;a 4990;b -9223372036854775808;c 18446744073709551617;d 253402300800",
                        "k.a.age_s 10@5000" } } },
        { "an age that only grew with the clock: once in a step; a newer row, a new key and a start at once", NOW,
                0,
                { { 5000, "a 4990;b 4000", "k.a.age_s 10@5000; k.b.age_s 1000@5000" },
                        { 5001, "a 4990;b 4000", "" },
                        { 5002, "a 5001;b 4000;c 4999", "k.a.age_s 1@5002; k.c.age_s 3@5002" },
                        { 5009, "a 5001;b 4000;c 4999", "" },
                        { 5010, "a 5001;b 4000", "k.a.age_s 9@5010; k.b.age_s 1010@5010" },
                        { 5011, "a 5001;b 4000;c 4999", "k.c.age_s 12@5011" },
                        { 5012, "a 5001;c 4999", "k.a.age_s 11@5012; k.c.age_s 13@5012", .restarts = true },
                        { 5013, "a 5001;c 4999", "" } },
                .repeat = 10 },
        { "an age whose commit failed is sent again", NOW, 0,
                { { 5000, "a 4990", "k.a.age_s 10@5000" }, { 5001, "a 5001", "k.a.age_s 0@5001", .fails = true },
                        { 5002, "a 5001", "" } },
                .repeat = 10 },
};

static void ages_of_the_newest_rows(void **unused)
{
        (void)unused;
        story_tell_all(newest_stories, LENGTH(newest_stories), &newest_source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ages_of_the_newest_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
