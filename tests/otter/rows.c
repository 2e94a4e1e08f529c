#include "tests/otter/rows.h"

#include <inttypes.h>
#include <string.h>

#define COUNTS      "FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT"
#define PAIR        "DATA_MEDIA_PAIR_ID, PIPELINE_ID"
#define WINDOW      "START_TIME, END_TIME"
#define STAMP       "ID, GMT_CREATE, GMT_MODIFIED"
#define COUNTS_WORD "%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64

static const struct {
        const char *name;
        const char *head;
} tables[FO_TABLES] = {
        [FO_DELAY] = {
                .name = "DELAY_STAT",
                .head = "insert into DELAY_STAT"
                        " (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, " STAMP ") values ",
        },
        [FO_THROUGHPUT] = {
                .name = "THROUGHPUT_STAT",
                .head = "insert into THROUGHPUT_STAT"
                        " (TYPE, NUMBER, SIZE, PIPELINE_ID, " WINDOW ", " STAMP ") values ",
        },
        [FO_HISTORY] = {
                .name = "TABLE_HISTORY_STAT",
                .head = "insert into TABLE_HISTORY_STAT"
                        " (" COUNTS ", " PAIR ", " WINDOW ", " STAMP ") values ",
        },
        [FO_LOG] = {
                .name = "LOG_RECORD",
                .head = "insert into LOG_RECORD"
                        " (NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, " STAMP ") values ",
        },
        [FO_TABLE] = {
                .name = "TABLE_STAT",
                .head = "insert into TABLE_STAT (" COUNTS ", " PAIR ", " STAMP ") values ",
        },
};

const char *fo_rows_table_name(enum fo_table table)
{
        return tables[table].name;
}

enum fo_table fo_rows_table(const char *name)
{
        enum fo_table i = 0;

        while (i < FO_TABLES && strcmp(tables[i].name, name) != 0)
                i++;
        return i;
}

void fo_rows_begin(struct fo_bulk *bulk, struct fo_db *db, enum fo_table table)
{
        fo_bulk_begin(bulk, db, tables[table].head);
}

static void add_time(struct fo_text *sql, int64_t at)
{
        if (at)
                fo_text_addf(sql, ", from_unixtime(%" PRId64 ")", at);
        else
                fo_text_add(sql, ", now()");
}

static int end_row(struct fo_bulk *bulk, struct fo_stamp stamp, int64_t made)
{
        struct fo_text *sql = &bulk->sql;

        if (stamp.id)
                fo_text_addf(sql, ", %" PRId64, stamp.id);
        else
                fo_text_add(sql, ", NULL");
        add_time(sql, made);
        add_time(sql, stamp.at);
        fo_text_add(sql, ")");
        return fo_bulk_row_end(bulk);
}

int fo_rows_delay(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_delay *row)
{
        struct fo_text *sql = fo_bulk_row_begin(bulk);

        /* DELAY_NUMBER is always 0: Otter stopped counting it. */
        fo_text_addf(sql, "(%" PRId64 ", 0, %" PRId64, row->ms, row->pipeline);
        return end_row(bulk, stamp, stamp.at);
}

int fo_rows_throughput(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_throughput *row)
{
        struct fo_text *sql = fo_bulk_row_begin(bulk);

        fo_text_addf(
                sql, "('%s', %" PRId64 ", %" PRId64 ", %" PRId64, row->type, row->number, row->size, row->pipeline);
        add_time(sql, row->start);
        add_time(sql, row->end);
        return end_row(bulk, stamp, stamp.at);
}

static void add_counts(struct fo_text *sql, const struct fo_history *row)
{
        const struct fo_counts *c = &row->counts;

        fo_text_addf(sql, "(" COUNTS_WORD ", %" PRId64 ", %" PRId64, c->file_bytes, c->files, c->inserts,
                c->updates, c->deletes, row->pair, row->pipeline);
}

int fo_rows_history(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_history *row)
{
        struct fo_text *sql = fo_bulk_row_begin(bulk);

        add_counts(sql, row);
        add_time(sql, row->start);
        add_time(sql, row->end);
        return end_row(bulk, stamp, stamp.at);
}

int fo_rows_log(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_log *row)
{
        struct fo_text *sql = fo_bulk_row_begin(bulk);
        const char *const texts[] = { row->nid, row->channel, row->pipeline, row->title, row->message };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                fo_text_add(sql, i ? ", " : "(");
                fo_db_quote(bulk->db, sql, texts[i]);
        }
        return end_row(bulk, stamp, stamp.at);
}

int fo_rows_table_stat(struct fo_bulk *bulk, struct fo_stamp stamp, int64_t made, const struct fo_history *row)
{
        add_counts(fo_bulk_row_begin(bulk), row);
        return end_row(bulk, stamp, made);
}

int fo_rows_count_up(struct fo_db *db, const struct fo_history *row)
{
        const struct fo_counts *c = &row->counts;

        if (fo_db_runf(db,
                    "update TABLE_STAT set FILE_SIZE = FILE_SIZE + %" PRId64 ", FILE_COUNT = FILE_COUNT + %" PRId64
                    ", INSERT_COUNT = INSERT_COUNT + %" PRId64 ", UPDATE_COUNT = UPDATE_COUNT + %" PRId64
                    ", DELETE_COUNT = DELETE_COUNT + %" PRId64 ", GMT_MODIFIED = now()"
                    " where PIPELINE_ID = %" PRId64 " and DATA_MEDIA_PAIR_ID = %" PRId64,
                    c->file_bytes, c->files, c->inserts, c->updates, c->deletes, row->pipeline, row->pair))
                return -1;
        if (mysql_affected_rows(db->mysql))
                return 0;
        return fo_db_runf(db, "%s(" COUNTS_WORD ", %" PRId64 ", %" PRId64 ", NULL, now(), now())",
                tables[FO_TABLE].head, c->file_bytes, c->files, c->inserts, c->updates, c->deletes, row->pair,
                row->pipeline);
}
