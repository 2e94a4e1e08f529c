/*
 * Reading names off the views that deploy/grants.sql makes of a manager's tables, or, where there are none, off the
 * tables: columns by name, and none of those that hold passwords. Owned by the thread
 * that owns the session.
 */
#ifndef OB_SOURCE_NAMES_NAME_ROWS_H
#define OB_SOURCE_NAMES_NAME_ROWS_H

#include <stdint.h>

#include "agent/process/log_once.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/name_table.h"

typedef void ob_name_row_fn(void *ctx, const struct ob_name_row *row);

/* What is read, and who takes it. */
struct ob_name_reading {
        enum ob_named_kind kind;
        ob_name_row_fn *each;
        void *ctx;
        const char *name;        /* of the source, in the log */
        struct ob_log_once *bad; /* lets a row be logged whose id is none, or too large; NULL: none is */
};

/*
 * All of a kind, in order of ids; the texts of a row are only there while `each` looks at it. A row whose id is
 * none, or too large, is left out. 0: they may not be read, or there is no such table, as `err` says. 1: that was
 * all.
 */
int ob_name_rows_read(struct ob_session *s, const struct ob_name_reading *reading, struct ob_err *err);

/* The database's clock, seconds since 1970. */
int ob_name_rows_clock(struct ob_session *s, int64_t *now, struct ob_err *err);

/* The statements by which an administrator lets the session's user read a kind: a view and a GRANT a table; the
 * caller's to free, NULL on failure. */
char *ob_name_rows_grant(struct ob_session *s, enum ob_named_kind kind, struct ob_err *err);

#endif
