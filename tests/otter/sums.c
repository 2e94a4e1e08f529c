#include "tests/otter/sums.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/otter/text.h"

enum { MOST_TAGS = 2, MOST_VALUES = 5 };

/* A query's columns are first the tags, then the values. */
struct query {
        const char *sql;
        struct {
                const char *name;
                bool is_word; /* of an enumeration: in lower case */
        } tags[MOST_TAGS];
        const char *values[MOST_VALUES];
};

static const struct query queries[] = {
        {
                .sql = "select PIPELINE_ID, count(*) from DELAY_STAT"
                       " group by PIPELINE_ID order by 1",
                .tags = { { .name = "pipeline" } },
                .values = { "delay.rows" },
        },
        {
                .sql = "select PIPELINE_ID, TYPE, sum(NUMBER), sum(SIZE)"
                       " from THROUGHPUT_STAT group by PIPELINE_ID, TYPE order by 1, 2",
                .tags = { { .name = "pipeline" }, { .name = "type", .is_word = true } },
                .values = { "throughput.count", "throughput.bytes" },
        },
        {
                /* -1 and NULL are the same "none", and have to be one group. */
                .sql = "select coalesce(PIPELINE_ID, -1), coalesce(DATA_MEDIA_PAIR_ID, -1),"
                       " sum(coalesce(INSERT_COUNT, 0)), sum(coalesce(UPDATE_COUNT, 0)),"
                       " sum(coalesce(DELETE_COUNT, 0)), sum(coalesce(FILE_COUNT, 0)),"
                       " sum(coalesce(FILE_SIZE, 0))"
                       " from TABLE_HISTORY_STAT group by 1, 2 order by 1, 2",
                .tags = { { .name = "pipeline" }, { .name = "pair" } },
                .values = { "history.inserts", "history.updates", "history.deletes", "history.files",
                        "history.bytes" },
        },
        {
                /* Of two rows of one pair, both get every later update: the first is right. */
                .sql = "select t.PIPELINE_ID, t.DATA_MEDIA_PAIR_ID, t.INSERT_COUNT,"
                       " t.UPDATE_COUNT, t.DELETE_COUNT, t.FILE_COUNT, t.FILE_SIZE"
                       " from TABLE_STAT t join (select min(ID) as ID from TABLE_STAT"
                       " group by PIPELINE_ID, DATA_MEDIA_PAIR_ID) f on f.ID = t.ID"
                       " order by 1, 2",
                .tags = { { .name = "pipeline" }, { .name = "pair" } },
                .values = { "table.inserts", "table.updates", "table.deletes", "table.files", "table.bytes" },
        },
        {
                .sql = "select PIPELINE_ID, coalesce(TITLE, '-1'), count(*) from LOG_RECORD"
                       " group by 1, 2 order by 1, 2",
                .tags = { { .name = "pipeline" }, { .name = "title", .is_word = true } },
                .values = { "log.records" },
        },
};

static bool is_plain(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void add_node(struct fo_text *path, const char *value, bool is_word)
{
        char *to;

        if (!value || strcmp(value, "-1") == 0)
                value = "none";
        to = fo_text_reserve(path, strlen(value));
        for (; *value; value++, to++, path->length++) {
                *to = '_';
                if (is_plain(*value))
                        *to = *value;
                if (is_word)
                        *to = (char)tolower((unsigned char)*to);
        }
        *to = '\0';
}

static void add_prefix(struct fo_text *path, const char *prefix)
{
        for (; *prefix; prefix++)
                fo_text_addf(path, "%c", *prefix == '.' || is_plain(*prefix) ? *prefix : '_');
}

static size_t add_tags(struct fo_text *path, const struct query *query, MYSQL_ROW row)
{
        size_t n = 0;

        for (; n < MOST_TAGS && query->tags[n].name; n++) {
                fo_text_addf(path, ".%s.", query->tags[n].name);
                add_node(path, row[n], query->tags[n].is_word);
        }
        return n;
}

/* `comma` stands before every pair but the first. */
static void print_row(const struct query *query, MYSQL_ROW row, const char *prefix, const char **comma)
{
        ob_cleanup(fo_text_fini) struct fo_text path = { 0 };
        size_t tags;

        add_prefix(&path, prefix);
        tags = add_tags(&path, query, row);
        for (size_t i = 0; i < MOST_VALUES && query->values[i]; i++) {
                printf("%s\n  \"%s.%s\": %s", *comma, path.bytes, query->values[i], row[tags + i]);
                *comma = ",";
        }
}

static int print_query(struct fo_db *db, const struct query *query, const char *prefix, const char **comma)
{
        MYSQL_RES *rows = fo_db_select(db, query->sql);
        MYSQL_ROW row;

        if (!rows)
                return -1;
        while ((row = mysql_fetch_row(rows)))
                print_row(query, row, prefix, comma);
        mysql_free_result(rows);
        return 0;
}

int fo_sums_print(struct fo_db *db, const char *prefix)
{
        const char *comma = "";

        if (fo_db_runf(db, "start transaction with consistent snapshot"))
                return -1;
        printf("{");
        for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
                if (print_query(db, &queries[i], prefix, &comma))
                        return -1;
        }
        printf("\n}\n");
        return fo_db_runf(db, "commit");
}
