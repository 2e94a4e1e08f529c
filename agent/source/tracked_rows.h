/*
 * What is known of rows that change in place: by key, which row is followed and what its totals were. Kept in
 * the store, where what changed is put page by page. Owned by one thread.
 */
#ifndef OB_SOURCE_TRACKED_ROWS_H
#define OB_SOURCE_TRACKED_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "proto/bytes.h"
#include "proto/hash.h"

struct ob_tracked_row {
        UT_hash_handle hh;
        struct ob_tracked_row *behind; /* the one that was found behind it the last time; NULL */
        int64_t id, made;              /* of the row that is followed */
        uint64_t met;                  /* the poll that met it last */
        int64_t below;                 /* since when a total has been below the one that was counted; 0: none is */
        const char **successor;        /* ours: a row to follow when it is gone; NULL */
        bool is_changed;               /* since it was stored */
        int64_t *totals;               /* ours; as many as the source has */
        struct ob_bytes key;           /* ours */
        struct ob_bytes coded;         /* ours: how it is stored */
};

struct ob_tracked_rows {
        struct ob_tracked_row *entries;  /* ours */
        struct ob_tracked_row *found;    /* the last one; NULL: none yet */
        struct ob_tracked_row **changed; /* ours, the array */
        size_t n_changed, room_changed;
        unsigned n_totals;
        uint64_t columns; /* a hash of what the totals' columns are called, in their order */
};

/* A total that was not there when its row was seen first: nobody knows what the total was then.
 * (A total of just this value, -2^63, is taken for unknown as well.) */
#define OB_TOTAL_UNKNOWN INT64_MIN

/* For a new one: the column of its next total. What was stored of other columns is unknown totals. */
void ob_tracked_rows_add_total(struct ob_tracked_rows *k, const char *column);

int ob_tracked_rows_load(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err);
void ob_tracked_rows_free(struct ob_tracked_rows *k);

/* NULL when the key is not known. */
struct ob_tracked_row *ob_tracked_rows_find(struct ob_tracked_rows *k, const struct ob_bytes *key);
struct ob_tracked_row *ob_tracked_rows_add(struct ob_tracked_rows *k, const void *key, size_t length);

void ob_tracked_rows_mark_changed(struct ob_tracked_rows *k, struct ob_tracked_row *e);

/* What changed, inside the caller's transaction; and, once that is committed, that nothing did since. */
int ob_tracked_rows_put(struct ob_tracked_rows *k, struct ob_store *st, const char *source, struct ob_err *err);
void ob_tracked_rows_settle(struct ob_tracked_rows *k);

#endif
