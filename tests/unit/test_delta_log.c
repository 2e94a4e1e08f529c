#include "tests/unit/unit.h"

#include "agent/store/store.h"
#include "tests/unit/story.h"

/* Columns: id, time, key, amount. */
static const struct ob_source log_source = {
        .name = "log",
        .table = "T",
        .overlap = 600,
        .settle = 2,
        .n_columns = 4,
        .columns = { { OB_CURSOR, "id" }, { OB_TIME, "t" }, { OB_KEY, "k", "k" }, { OB_INCREMENT, "n", "n" } },
};

static const struct story log_stories[] = {
        { "each row once", OLDEST, 0,
                { { 5000, "1 4000 a 5;2 4001 b 6", "k.a.n 5@4000; k.b.n 6@4001" },
                        { 5015, "1 4000 a 5;2 4001 b 6", "" },
                        { 5030, "1 4000 a 5;2 4001 b 6;3 5020 a 7", "k.a.n 7@5020" } } },
        { "page by page", OLDEST, 2,
                { { 5000, "1 4000 a 1;2 4000 a 2;3 4000 a 3;4 4000 a 4;5 4000 a 5",
                          "k.a.n 1@4000; k.a.n 2@4000; k.a.n 3@4000; k.a.n 4@4000; k.a.n 5@4000" },
                        { 5015, "5 4000 a 5;6 4000 a 6", "k.a.n 6@4000" } } },
        { "a lower id that becomes visible later", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3", "k.a.n 1@4990; k.a.n 3@4991" },
                        { 5015, "1 4990 a 1;2 4989 a 2;3 4991 a 3", "k.a.n 2@4989" },
                        { 5030, "1 4990 a 1;2 4989 a 2;3 4991 a 3", "" } } },
        { "a lower id behind far higher ones", OLDEST, 0,
                { { 5000, "10 4990 a 1;99000 4991 a 3", "k.a.n 1@4990; k.a.n 3@4991" },
                        { 5015, "10 4990 a 1;500 4992 a 2;99000 4991 a 3", "k.a.n 2@4992" } } },
        { "a young row waits until it is settled", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4999 a 2", "k.a.n 1@4990" },
                        { 5001, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 2@4999; k.a.n 3@4995" },
                        { 5015, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "" } } },
        { "… also when the next poll is long after", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 1@4990; k.a.n 3@4995" },
                        { 9000, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 2@4999" } } },
        { "a row of a wrong clock does not wait for its time", OLDEST, 0,
                { { 5000, "1 9999 a 1", "k.a.n 1@9999" }, { 5015, "1 9999 a 1;2 5001 a 2", "k.a.n 2@5001" } } },
        { "from now on", NOW, 0,
                { { 5000, "1 4000 a 1;2 4990 a 2;3 4999 a 3", "" },
                        { 5015, "1 4000 a 1;2 4990 a 2;3 4999 a 3;4 5010 a 4", "k.a.n 4@5010" } } },
        { "from a time on", { .kind = OB_START_AT, .seconds = 4500 }, 0,
                { { 5000, "1 100 a 1;2 4000 a 2;3 4499 a 3;4 4500 a 4;5 4600 a 5",
                        "k.a.n 4@4500; k.a.n 5@4600" } } },
        { "from a time ago on", { .kind = OB_START_AGO, .seconds = 100 }, 0,
                { { 5000, "1 4899 a 1;2 4900 a 2", "k.a.n 2@4900" } } },
        { "an empty table that fills", NOW, 0, { { 5000, "", "" }, { 5015, "1 5010 a 1", "k.a.n 1@5010" } } },
        { "a table that was emptied and began anew", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2;3 4002 a 3", "k.a.n 1@4000; k.a.n 2@4001; k.a.n 3@4002" },
                        { 5015, "", "" }, { 5030, "1 5020 a 7", "k.a.n 7@5020" },
                        { 5045, "1 5020 a 7;2 5031 a 8", "k.a.n 8@5031" } } },
        { "… and was restored: what is older than what was counted last is not counted again", OLDEST, 0,
                { { 5000, "10 4000 a 1;11 4002 a 2", "k.a.n 1@4000; k.a.n 2@4002" },
                        { 5015, "5 4000 a 1;6 4001 a 2;7 5010 a 3", "k.a.n 3@5010" } } },
        { "… and is as long as before already", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2", "k.a.n 1@4000; k.a.n 2@4001" },
                        { 5015, "1 5001 a 7;2 5002 a 8;3 5003 a 9", "k.a.n 7@5001; k.a.n 8@5002; k.a.n 9@5003" },
                        { 5030, "1 5001 a 7;2 5002 a 8;3 5003 a 9", "" } } },
        { "the newest rows deleted, which is nothing to count", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2;3 4002 a 3", "k.a.n 1@4000; k.a.n 2@4001; k.a.n 3@4002" },
                        { 5015, "1 4000 a 1", "" }, { 5030, "1 4000 a 1;4 5020 a 4", "k.a.n 4@5020" } } },
        { "cells that can not be read cost themselves only", OLDEST, 0,
                { { 5000, "1 4000 a -;2 4001 a x;3 4002 a 1.5;4 0 a 4;5 - a 5;6 4003 - 6;7 4004 -1 7",
                        "k.a.n 4@5000; k.a.n 5@5000; k.none.n 6@4003; k.none.n 7@4004" } } },
        { "a time that no clock has is none, and an id that is too large costs its row only", OLDEST, 2,
                { { 5000,
                        "1 9223372036854775807 a 1;2 -9223372036854775808 a 2;3 4990 a 3;9223372036854775808 4990 a 4",
                        "k.a.n 1@5000; k.a.n 2@5000; k.a.n 3@4990" } } },
        { "a clock that is set back: ids tell that rows are new", NOW, 0,
                { { 5000, "1 4000 a 1", "" }, { 5015, "1 4000 a 1;2 5010 a 2", "k.a.n 2@5010" },
                        { 1430, "1 4000 a 1;2 5010 a 2;3 1425 a 3", "k.a.n 3@1425" },
                        { 1445, "1 4000 a 1;2 5010 a 2;3 1425 a 3;4 1440 a 4", "k.a.n 4@1440" } } },
        { "a clock that is set forth, and back", NOW, 0,
                { { 5000, "1 4000 a 1", "" }, { 8615, "1 4000 a 1;2 8610 a 2", "k.a.n 2@8610" },
                        { 5030, "1 4000 a 1;2 8610 a 2;3 5025 a 3", "k.a.n 3@5025" } } },
        { "a replica that lags: nothing twice, and nothing that comes late is taken for old", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4991 a 2;4 4993 a 4", "k.a.n 1@4990; k.a.n 2@4991; k.a.n 4@4993" },
                        { 5015, "1 4990 a 1;2 4991 a 2", "", .db = "replica" },
                        { 5030, "1 4990 a 1;2 4991 a 2;3 4992 a 3;4 4993 a 4;5 5020 a 5",
                                "k.a.n 3@4992; k.a.n 5@5020" } } },
        { "another database: what is older than what was counted last is not counted", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2", "k.a.n 1@4000; k.a.n 2@4001" },
                        { 5015, "11 4000 a 1;12 4001 a 2;13 4002 a 3", "k.a.n 3@4002", .db = "other" },
                        { 5030, "11 4000 a 1;12 4001 a 2;13 4002 a 3;14 5020 a 4", "k.a.n 4@5020" } } },
        { "… two that take turns", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4991 a 2;4 4993 a 4", "k.a.n 1@4990; k.a.n 2@4991; k.a.n 4@4993" },
                        { 5015, "1 4990 a 1", "", .db = "behind" },
                        { 5030, "1 4990 a 1;2 4991 a 2;4 4993 a 4;5 5020 a 5", "k.a.n 5@5020", .db = "ahead" },
                        { 5045, "1 4990 a 1;2 4991 a 2;3 4992 a 3", "k.a.n 3@4992", .db = "behind" },
                        { 5060, "1 4990 a 1;2 4991 a 2;3 4992 a 3;4 4993 a 4;5 5020 a 5;6 5050 a 6", "k.a.n 6@5050",
                                .db = "ahead" },
                        { 5075, "", "", .db = "empty" },
                        { 5090, "1 4990 a 1;2 4991 a 2;3 4992 a 3;4 4993 a 4;5 5020 a 5;6 5050 a 6", "" } } },
        { "… one of which most of the few rows come late", OLDEST, 0,
                { { 5000, "1 4990 a 1;9 4991 a 9", "k.a.n 1@4990; k.a.n 9@4991" },
                        { 5015, "1 4990 a 1;5 4991 a 5;9 4991 a 9", "k.a.n 5@4991", .db = "ahead" } } },
        { "… one that is more than a day behind: what is not kept any more was counted", OLDEST, 0,
                { { 5000, "1 4990 a 1;700 4992 a 7", "k.a.n 1@4990; k.a.n 7@4992" },
                        { 95000, "1 4990 a 1;700 4992 a 7;1400 94990 a 9", "k.a.n 9@94990" },
                        { 95015, "1 4990 a 1", "", .db = "behind" },
                        { 95030, "1 4990 a 1;700 4992 a 7;1399 94980 a 8;1400 94990 a 9", "k.a.n 8@94980" },
                        { 95045, "1 4990 a 1;700 4992 a 7;1399 94980 a 8;1400 94990 a 9;1401 95040 a 10",
                                "k.a.n 10@95040" } } },
        { "… while old rows are still read, none is left out", OLDEST, 2,
                { { 90000, "1 1000 a 1;2 89995 a 2", "k.a.n 1@1000; k.a.n 2@89995" },
                        { 90015, "1 1000 a 1;2 89995 a 2;3 1001 a 3;4 1002 a 4;5 90005 a 5",
                                "k.a.n 3@1001; k.a.n 4@1002; k.a.n 5@90005", .db = "other" } } },
        { "what comes behind the overlap is found by its ids, also where as many rows were deleted", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3;700 4992 a 7", "k.a.n 1@4990; k.a.n 3@4991; k.a.n 7@4992" },
                        { 6000, "1 4990 a 1;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 8@5990" },
                        { 6700, "2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 2@4990" },
                        { 6820, "2 4990 a 2;4 4990 a 4;700 4992 a 7;701 5990 a 8", "k.a.n 4@4990" },
                        { 6930, "200 4990 a 5;257 4991 a 6;700 4992 a 7;701 5990 a 8",
                                "k.a.n 5@4990; k.a.n 6@4991" } } },
        { "what comes behind the overlap is found by counting", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3;700 4992 a 7", "k.a.n 1@4990; k.a.n 3@4991; k.a.n 7@4992" },
                        { 6000, "1 4990 a 1;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 8@5990" },
                        { 6700, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 2@4990" },
                        { 6800, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "" } } },
        { "where counting finds a row made anew, nothing of the page that it is on is told twice", OLDEST, 0,
                { { 5000, "1 4990 a 1;4 4991 a 4;700 4992 a 7", "k.a.n 1@4990; k.a.n 4@4991; k.a.n 7@4992" },
                        { 6700, "1 4990 a 1;2 4990 a 2;4 6690 a 5;699 4992 a 6;700 4992 a 7", "k.a.n 5@6690" },
                        { 6800, "1 4990 a 1;2 4990 a 2;4 6690 a 5;698 4992 a 6;699 4992 a 6;700 4992 a 7", "" },
                        { 6900, "1 4990 a 1;2 4990 a 2;4 6690 a 5;698 4992 a 6;699 4992 a 6;700 4992 a 7", "" } } },
        { "rewound: what was counted is only for who may be told again", OLDEST, 0,
                { { 5000, "1 3999 a 1;2 4000 a 2;3 4800 a 3", "k.a.n 1@3999; k.a.n 2@4000; k.a.n 3@4800" },
                        { 5015, "1 3999 a 1;2 4000 a 2;3 4800 a 3;4 4995 a 4",
                                "again k.a.n 2@4000; again k.a.n 3@4800; k.a.n 4@4995", .rewound = 4000,
                                .again = 4801 },
                        { 5030, "1 3999 a 1;2 4000 a 2;3 4800 a 3;4 4995 a 4;5 5010 a 5", "k.a.n 5@5010" } } },
        { "… and what there is by now", OLDEST, 0,
                { { 5000, "1 3000 a 9;2 4000 a 1;3 4800 a 2", "again k.a.n 1@4000; again k.a.n 2@4800",
                          .rewound = 4000, .again = OB_AGAIN_ALL },
                        { 5015, "1 3000 a 9;2 4000 a 1;3 4800 a 2;4 5001 a 3", "k.a.n 3@5001" } } },
        { "… but not the step that may be purged in part", OLDEST, 0,
                { { 9000, "11 4000 a 9;12 7199 a 1;13 7200 a 2", "again k.a.n 2@7200", .rewound = 4000,
                        .again = OB_AGAIN_ALL } } },
        { "… which is whole in a table that has its first rows", OLDEST, 0,
                { { 9000, "2 4000 a 9;12 7199 a 1", "again k.a.n 9@4000; again k.a.n 1@7199", .rewound = 3000,
                        .again = OB_AGAIN_ALL } } },
        { "… what was not seen then is new", OLDEST, 0,
                { { 5000, "1 3000 a 9;3 4800 a 3", "k.a.n 9@3000; k.a.n 3@4800" },
                        { 5015, "1 3000 a 9;2 4700 a 2;3 4800 a 3;900 4750 a 4",
                                "k.a.n 2@4700; again k.a.n 3@4800; k.a.n 4@4750", .rewound = 4000,
                                .again = 4801 } } },
        { "an amount of nothing is a point", OLDEST, 0, { { 5000, "1 4000 a 0", "k.a.n 0@4000" } } },
};

static void rows_that_are_added(void **unused)
{
        (void)unused;
        story_tell_all(log_stories, LENGTH(log_stories), &log_source);
}

/* Columns: id, key, amount: nothing but the ids tells new rows from old. */
static const struct ob_source timeless_source = {
        .name = "timeless",
        .table = "T",
        .overlap = 600,
        .n_columns = 3,
        .columns = { { OB_CURSOR, "id" }, { OB_KEY, "k", "k" }, { OB_INCREMENT, "n", "n" } },
};

static const struct story timeless_stories[] = {
        { "ids that went back are those of a table that began anew", OLDEST, 0,
                { { 5000, "1 a 1;2 a 2;3 a 3", "k.a.n 1@5000; k.a.n 2@5000; k.a.n 3@5000" },
                        { 5015, "1 a 4", "k.a.n 4@5015" } } },
        { "… but on another server that may be behind", OLDEST, 0,
                { { 5000, "1 a 1;2 a 2;4 a 4", "k.a.n 1@5000; k.a.n 2@5000; k.a.n 4@5000" },
                        { 5015, "1 a 1", "", .db = "behind" }, { 5030, "1 a 1;2 a 2;3 a 3", "k.a.n 3@5030" },
                        { 5045, "1 a 1;2 a 2;3 a 3;4 a 4;5 a 5", "k.a.n 5@5045" } } },
        { "… which is another table when it stays so", OLDEST, 0,
                { { 5000, "1 a 1;2 a 2;4 a 4", "k.a.n 1@5000; k.a.n 2@5000; k.a.n 4@5000" },
                        { 5015, "1 a 7", "", .db = "other" }, { 5700, "1 a 7;2 a 8", "k.a.n 7@5700; k.a.n 8@5700" },
                        { 5715, "1 a 7;2 a 8;3 a 9", "k.a.n 9@5715" } } },
};

static void rows_without_a_time(void **unused)
{
        (void)unused;
        story_tell_all(timeless_stories, LENGTH(timeless_stories), &timeless_source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_that_are_added),
                cmocka_unit_test(rows_without_a_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
