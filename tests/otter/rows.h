/*
 * The five statistics tables: how one row of each is written. Who makes the numbers up is
 * elsewhere.
 */
#ifndef FO_ROWS_H
#define FO_ROWS_H

#include <stdint.h>

#include "tests/otter/bulk.h"
#include "tests/otter/db.h"

enum fo_table { FO_DELAY, FO_THROUGHPUT, FO_HISTORY, FO_LOG, FO_TABLE, FO_TABLES };

/* Which id, and when (epoch). 0: the server's AUTO_INCREMENT, the server's now(). */
struct fo_stamp {
        int64_t id;
        int64_t at;
};

struct fo_delay {
        int64_t pipeline;
        int64_t ms;
};

struct fo_throughput {
        int64_t pipeline;
        const char *type;
        int64_t number;
        int64_t size;
        int64_t start; /* epoch, by the clock of a node */
        int64_t end;
};

struct fo_counts {
        int64_t inserts;
        int64_t updates;
        int64_t deletes;
        int64_t files;
        int64_t file_bytes;
};

struct fo_history {
        int64_t pipeline;
        int64_t pair;
        struct fo_counts counts;
        int64_t start;
        int64_t end;
};

/* Texts as the columns have them: ids are varchar in LOG_RECORD. `nid` may be NULL. */
struct fo_log {
        const char *nid;
        const char *channel;
        const char *pipeline;
        const char *title;
        const char *message;
};

const char *fo_rows_table_name(enum fo_table table);

/* The table of that name, or FO_TABLES when there is none. */
enum fo_table fo_rows_table(const char *name);

void fo_rows_begin(struct fo_bulk *bulk, struct fo_db *db, enum fo_table table);

/* -1: the statement was full, was sent, and failed. */
int fo_rows_delay(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_delay *row);
int fo_rows_throughput(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_throughput *row);
int fo_rows_history(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_history *row);
int fo_rows_log(struct fo_bulk *bulk, struct fo_stamp stamp, const struct fo_log *row);

/* A TABLE_STAT row, made at `made` and last changed at stamp.at. Only for prepared tables. */
int fo_rows_table_stat(struct fo_bulk *bulk, struct fo_stamp stamp, int64_t made, const struct fo_history *row);

/*
 * Adds to the pair's TABLE_STAT as a manager does: an update, then an insert if no row was
 * found, and nothing that would keep another manager from doing the same in between.
 */
int fo_rows_count_up(struct fo_db *db, const struct fo_history *row);

#endif
