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
        { "what comes behind the overlap is found by counting", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3;700 4992 a 7", "k.a.n 1@4990; k.a.n 3@4991; k.a.n 7@4992" },
                        { 6000, "1 4990 a 1;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 8@5990" },
                        { 6700, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 2@4990" },
                        { 6800, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "" } } },
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_that_are_added),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
