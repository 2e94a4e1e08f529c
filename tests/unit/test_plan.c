#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/mysql/plan.h"
#include "proto/memory.h"

/* A table in words: "ID* PIPELINE_ID TIME" (* a whole number), indexes as "PRIMARY:ID newest:PIPELINE_ID,TIME". */
struct given {
        const char *source, *columns, *indexes;
        int64_t rows;
};

static void add_index(struct ob_table *t, char *words)
{
        char *name = strsep(&words, ":"), *column;
        struct ob_table_index *x;

        t->indexes = ob_grow(t->indexes, &t->room_indexes, t->n_indexes, sizeof(*t->indexes));
        x = &t->indexes[t->n_indexes++];
        *x = (struct ob_table_index) { .n = 0 };
        snprintf(x->name, sizeof(x->name), "%s", name);
        while ((column = strsep(&words, ",")))
                snprintf(x->columns[x->n++], OB_IDENTIFIER_MAX, "%s", column);
}

static void add_column(struct ob_table *t, char *word)
{
        char *star = strchr(word, '*');
        struct ob_table_column *c;

        t->columns = ob_grow(t->columns, &t->room_columns, t->n_columns, sizeof(*t->columns));
        c = &t->columns[t->n_columns++];
        c->is_integer = star != NULL;
        if (star)
                *star = '\0';
        snprintf(c->name, sizeof(c->name), "%s", word);
}

static void each_word(struct ob_table *t, const char *text, void (*add)(struct ob_table *t, char *word))
{
        ob_cleanup(ob_free_at) char *copy = ob_copy(text);
        char *rest = copy, *word;

        while ((word = strsep(&rest, " ")))
                if (*word)
                        add(t, word);
}

static const struct ob_source *source_of(const char *name)
{
        for (unsigned i = 0; i < ob_n_builtin_sources; i++)
                if (!strcmp(ob_builtin_sources[i].name, name))
                        return &ob_builtin_sources[i];
        fail_msg("no source %s", name);
        return NULL;
}

#define DELAY   "ID* PIPELINE_ID* DELAY_TIME* GMT_CREATE GMT_MODIFIED"
#define PRIMARY "PRIMARY:ID "
#define MANY    10000000

static const struct {
        struct given given;
        const char *read;  /* ends the query for rows from 7 on, 100 at most; NULL: it is refused */
        const char *words; /* are in the plan, or in the refusal */
} cases[] = {
        { { "delay", DELAY, PRIMARY, MANY }, "FROM `DELAY_STAT` WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100",
                "PRIMARY" },
        { { "delay", "id* pipeline_id* delay_time* gmt_create gmt_modified", "PRIMARY:id ", MANY },
                "WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100", "PRIMARY" },
        { { "delay", DELAY, "", 100 }, "WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100", "small" },
        { { "delay", DELAY, "", -1 }, "WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100", "small" },
        { { "delay", DELAY, "second:GMT_CREATE,ID ", MANY }, NULL, "ALTER TABLE `DELAY_STAT` ADD INDEX (`ID`)" },
        { { "delay", "ID PIPELINE_ID* DELAY_TIME* GMT_CREATE GMT_MODIFIED", PRIMARY, 1 }, NULL, "no whole number" },
        { { "delay", "ID* DELAY_TIME* GMT_CREATE GMT_MODIFIED", PRIMARY, 1 }, NULL, "no column PIPELINE_ID" },
        { { "delay", "ID* PIPELINE_ID* GMT_CREATE GMT_MODIFIED", PRIMARY, 1 }, NULL, "DELAY_TIME" },
        { { "delay_age", DELAY, "newest:PIPELINE_ID,GMT_CREATE ", MANY }, "GROUP BY `PIPELINE_ID`", "newest" },
        { { "delay_age", DELAY, "far:PIPELINE_ID,DELAY_TIME,GMT_CREATE near:PIPELINE_ID,GMT_CREATE ", MANY },
                "GROUP BY `PIPELINE_ID`", "near" },
        { { "delay_age", DELAY, "far:PIPELINE_ID,DELAY_TIME,GMT_CREATE ", MANY },
                "GROUP BY `PIPELINE_ID`, `DELAY_TIME`", "far" },
        { { "delay_age", DELAY, PRIMARY "wrong:GMT_CREATE,PIPELINE_ID ", MANY }, NULL,
                "no index leads with the keys" },
        { { "delay_age", DELAY, PRIMARY, 10 }, "GROUP BY `PIPELINE_ID`", "small" },
        { { "table", "ID* PIPELINE_ID* DATA_MEDIA_PAIR_ID* INSERT_COUNT* GMT_CREATE GMT_MODIFIED", PRIMARY, 5 },
                "FROM `TABLE_STAT` WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100", "the whole table" },
        { { "table", "ID* PIPELINE_ID* DATA_MEDIA_PAIR_ID* INSERT_COUNT* GMT_CREATE GMT_MODIFIED", PRIMARY, MANY },
                NULL, "change in place" },
};

static void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("\"%s\" does not have \"%s\"", text, part);
}

static void a_poll_costs_the_new_rows_or_is_refused(void **unused)
{
        (void)unused;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_cleanup(ob_table_free) struct ob_table table = { .rows = cases[i].given.rows };
                ob_cleanup(ob_plan_free) struct ob_plan plan;
                ob_cleanup(ob_free_at) char *query = NULL;
                struct ob_err err;

                each_word(&table, cases[i].given.columns, add_column);
                each_word(&table, cases[i].given.indexes, add_index);
                if (ob_plan_make(&plan, source_of(cases[i].given.source), &table, &err)) {
                        assert_null(cases[i].read);
                        assert_has(err.text, cases[i].words);
                        continue;
                }
                assert_non_null(cases[i].read);
                query = ob_plan_query(&plan, "", 7, 100);
                assert_has(query, cases[i].read);
                assert_has(plan.why, cases[i].words);
        }
}

static void a_missing_column_is_named_and_reads_as_null(void **unused)
{
        ob_cleanup(ob_table_free) struct ob_table table = { .rows = 1 };
        ob_cleanup(ob_plan_free) struct ob_plan plan;
        ob_cleanup(ob_free_at) char *query = NULL;
        struct ob_err err;

        (void)unused;
        each_word(&table, "ID* PIPELINE_ID* TYPE NUMBER* GMT_CREATE", add_column);
        each_word(&table, PRIMARY, add_index);
        assert_int_equal(ob_plan_make(&plan, source_of("throughput"), &table, &err), 0);
        assert_string_equal(plan.missing, "GMT_MODIFIED, SIZE");
        query = ob_plan_query(&plan, ", X", 7, 100);
        assert_string_equal(query,
                "SELECT `ID`, NULL, UNIX_TIMESTAMP(`GMT_CREATE`), `PIPELINE_ID`, `TYPE`, `NUMBER`, NULL, X"
                " FROM `THROUGHPUT_STAT` WHERE `ID` >= 7 ORDER BY `ID` LIMIT 100");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_poll_costs_the_new_rows_or_is_refused),
                cmocka_unit_test(a_missing_column_is_named_and_reads_as_null),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
