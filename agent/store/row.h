/*
 * Typed rows of the store's tables: one value for each column, in the order of the columns in sql.c. Every row ends
 * in a checksum of its values, which is written and checked here and which callers do not see. The first column of
 * each table names the owner of the row: a source, a sink or a manager.
 *
 * A caller that changes more than one row puts the calls between ob_store_begin and ob_store_commit. All functions
 * belong to the thread that owns the store's connection. They return -1 and set `err` on an error.
 */
#ifndef OB_STORE_ROW_H
#define OB_STORE_ROW_H

#include <stdint.h>

#include "agent/store/table.h"
#include "proto/error.h"

struct ob_store;

/*
 * The name of the column of a total that comes from a store of version 3: the hash of the names of all columns
 * (FNV-1a from 0, with the NUL of each name), and the number of the column among them. The number after the last
 * column stands for `below_since`, in zigzag order. A total that was not known is INT64_MIN.
 */
#define OB_STORE_COLUMN_3 "%" PRIx64 "/%u"

/* Writes a row, in place of the one that has the same key. */
int ob_store_put_row(
        struct ob_store *st, enum ob_store_table table, const struct ob_value *row, struct ob_err *err);
#define OB_PUT_ROW(st, table, err, ...) ob_store_put_row(st, table, (const struct ob_value[]) { __VA_ARGS__ }, err)

/* Calls `each` for every row of an owner. The values are valid during the call; -1 from `each` ends the reading. */
typedef int ob_store_row_fn(void *ctx, const struct ob_value *row, struct ob_err *err);
int ob_store_each_row(struct ob_store *st, enum ob_store_table table, const char *owner, ob_store_row_fn *each,
        void *ctx, struct ob_err *err);

/* Deletes the row whose key is the first values of `row`; or all rows of an owner. */
int ob_store_forget_row(
        struct ob_store *st, enum ob_store_table table, const struct ob_value *row, struct ob_err *err);
int ob_store_forget_rows(struct ob_store *st, enum ob_store_table table, const char *owner, struct ob_err *err);

/* Deletes the event signatures of a source that had no row since `time` and have no counted rows left to report. */
int ob_store_forget_signatures(struct ob_store *st, const char *source, int64_t time, struct ob_err *err);

#endif
