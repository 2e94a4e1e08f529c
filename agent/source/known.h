/*
 * What is known of rows that change in place: by key, which row is followed and what its totals were. Kept in
 * the store, where what changed is put page by page. Owned by one thread.
 */
#ifndef OB_SOURCE_KNOWN_H
#define OB_SOURCE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "proto/bytes.h"
#include "proto/hash.h"

struct ob_known {
        UT_hash_handle hh;
        struct ob_known *behind; /* the one that was found behind it the last time; NULL */
        int64_t id, made;        /* of the row that is followed */
        uint64_t met;            /* the poll that met it last */
        int64_t below;           /* since when a total has been below the one that was counted; 0: none is */
        const char **heir;       /* ours: a row to follow when it is gone; NULL */
        bool is_changed;         /* since it was stored */
        __int128 *totals;        /* ours; as many as the source has */
        struct ob_bytes key;     /* ours */
        struct ob_bytes coded;   /* ours: how it is stored */
};

struct ob_knowns {
        struct ob_known *entries;  /* ours */
        struct ob_known *found;    /* the last one; NULL: none yet */
        struct ob_known **changed; /* ours, the array */
        size_t n_changed, room_changed;
        unsigned n_totals;
        uint64_t columns; /* a hash of what the totals' columns are called, in their order */
};

/* A total that was not there when its row was seen first: what it was then is not known. */
#define OB_TOTAL_UNKNOWN (-((__int128)1 << 90))

/* For a new one: the column of its next total. What was stored of other columns is unknown totals. */
void ob_knowns_add_total(struct ob_knowns *k, const char *column);

int ob_knowns_load(struct ob_knowns *k, struct ob_store *st, const char *source, struct ob_err *err);
void ob_knowns_free(struct ob_knowns *k);

/* NULL when the key is not known. */
struct ob_known *ob_knowns_find(struct ob_knowns *k, const struct ob_bytes *key);
struct ob_known *ob_knowns_add(struct ob_knowns *k, const void *key, size_t length);

void ob_knowns_mark_changed(struct ob_knowns *k, struct ob_known *e);

/* What changed, inside the caller's transaction; and, once that is committed, that nothing did since. */
int ob_knowns_put(struct ob_knowns *k, struct ob_store *st, const char *source, struct ob_err *err);
void ob_knowns_settle(struct ob_knowns *k);

#endif
