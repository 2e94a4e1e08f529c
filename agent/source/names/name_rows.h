/*
 * Reads names from the views that deploy/grants.sql makes of a manager's tables, or from the tables where there are
 * no views. The columns are selected by name; none of them holds passwords. Owned by the thread that owns the
 * session.
 */
#ifndef OB_SOURCE_NAMES_NAME_ROWS_H
#define OB_SOURCE_NAMES_NAME_ROWS_H

#include <stdint.h>

#include "agent/process/log_once.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/name_table.h"

typedef void ob_name_row_fn(void *ctx, const struct ob_name_row *row);

/* One reading of a kind. */
struct ob_name_reading {
        enum ob_named_kind kind;
        ob_name_row_fn *each; /* takes the rows */
        void *ctx;
        const char *name; /* of the source, in the log */
        struct ob_log_once
                *bad; /* for logging rows without an id, or with one that is too large; NULL: no logging */
};

/*
 * Reads all rows of a kind, in the order of their ids. The texts of a row are valid only while `each` runs. A row
 * without an id, or with one that is too large, is left out. 0: the tables may not be read, or do not exist, as
 * `err` says. 1: all rows were read.
 */
int ob_name_rows_read(struct ob_session *s, const struct ob_name_reading *reading, struct ob_err *err);

/* The database's clock, seconds since 1970. */
int ob_name_rows_clock(struct ob_session *s, int64_t *now, struct ob_err *err);

/*
 * The statements by which an administrator lets the session's user read a kind: a view and a GRANT for each table;
 * the caller's to free, NULL on failure.
 */
char *ob_name_rows_grant(struct ob_session *s, enum ob_named_kind kind, struct ob_err *err);

#endif
