/*
 * The rows of a table whose rows change in place: for each key the row that is tracked, and its last totals. The
 * store has a copy, to which the changes of each page of rows are written. Owned by one thread.
 */
#ifndef OB_SOURCE_TRACKED_ROWS_H
#define OB_SOURCE_TRACKED_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "config/source.h"
#include "proto/bytes.h"
#include "proto/hash.h"

struct ob_tracked_row {
        UT_hash_handle hh;
        struct ob_tracked_row *behind; /* the row that was found after this one at the last poll; NULL */
        int64_t id, made;              /* of the row that is tracked */
        uint64_t met;                  /* the poll that met the row last */
        int64_t below_since;           /* since when a total has been below the one that was counted; 0: none is */
        const char **successor;        /* ours: the row to track when this one is gone; NULL */
        bool is_changed;               /* since the row was stored */
        bool is_row_changed;           /* also id, made or below_since */
        int64_t *totals; /* as many as the source has; in the allocation of the row, as are the next two members */
        int64_t *stored; /* the same, as the store has them */
        struct ob_bytes key;
};

struct ob_tracked_rows {
        struct ob_tracked_row *entries;  /* ours */
        struct ob_tracked_row *found;    /* the row that was found last; NULL: none yet */
        struct ob_tracked_row **changed; /* ours, the array */
        size_t n_changed, room_changed;
        unsigned n_totals;
        const char *columns[OB_COLUMNS_MAX]; /* borrowed: the column of each total */
};

/*
 * The total was NULL when its row was first seen, so its first value is unknown, and the store has no row for it.
 * (A real total of -2^63 is taken for unknown, too.)
 */
#define OB_TOTAL_UNKNOWN INT64_MIN

/* Adds the column of the next total, before any row is added or loaded. `column` is borrowed. */
void ob_tracked_rows_add_total(struct ob_tracked_rows *k, const char *column);

/* Reads the rows of a source from the store, outside of a transaction. Totals of columns that are gone are deleted.
 */
int ob_tracked_rows_load(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err);
void ob_tracked_rows_free(struct ob_tracked_rows *k);

/* NULL when the key is not known. */
struct ob_tracked_row *ob_tracked_rows_find(struct ob_tracked_rows *k, const struct ob_bytes *key);
struct ob_tracked_row *ob_tracked_rows_add(struct ob_tracked_rows *k, const void *key, size_t length);

/*
 * Notes that a total, or with `is_row` also id, made or below_since, has changed. The rows of a source without
 * totals are not stored: no amount depends on them.
 */
void ob_tracked_rows_mark_changed(struct ob_tracked_rows *k, struct ob_tracked_row *e, bool is_row);

/* Writes what has changed, inside the caller's transaction. */
int ob_tracked_rows_put(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err);

/* Forgets the rows that the poll `met` did not meet. Only for a source without totals, whose rows are not stored.
 */
void ob_tracked_rows_forget_others(struct ob_tracked_rows *k, uint64_t met);

/* Notes that the transaction was committed. */
void ob_tracked_rows_settle(struct ob_tracked_rows *k);

#endif
