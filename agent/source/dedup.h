/*
 * What a source remembers of its events: which signatures there were lately, how many rows of each were only
 * counted, and which values its open tags have had. The store has a row for each signature and each value. Owned by
 * one thread.
 */
#ifndef OB_SOURCE_DEDUP_H
#define OB_SOURCE_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "proto/bytes.h"
#include "proto/metric.h"

#define OB_DEDUP_MAX 2000 /* signatures; all further ones share one item */

struct ob_dedup_entry;
struct ob_dedup_value;

struct ob_dedup_item {
        const char *key;      /* the signature */
        int64_t since;        /* when the minute began in which one row was sent as an event */
        int64_t last;         /* the time of the latest row */
        int64_t count;        /* of rows that were only counted */
        bool is_told;         /* a row was sent as an event */
        bool is_changed;      /* since the item was stored; the caller sets it */
        struct ob_bytes kept; /* ours: the event that was sent, as a batch */
};

/* All zero: there are none. */
struct ob_dedup {
        struct ob_dedup_entry *all;    /* ours, by key */
        struct ob_dedup_value *values; /* ours, by tag and value */
        int64_t clock;                 /* the latest time of any row */
        int64_t forget_before;         /* signatures that were silent since then are to be deleted; 0: none */
};

#define OB_DEDUP_KEEP 3600 /* seconds that an item is kept after its last row, by the clock of the rows */

void ob_dedup_free(struct ob_dedup *a);

/* Returns the item of a key, and makes it when it is new; `time` is the time of its row. */
struct ob_dedup_item *ob_dedup_find(struct ob_dedup *a, const char *key, int64_t time);

/* Returns the item after `behind`, in a fixed order; after NULL the first, after the last NULL. */
struct ob_dedup_item *ob_dedup_next(const struct ob_dedup *a, const struct ob_dedup_item *behind);

/* Forgets the items that had no row for OB_DEDUP_KEEP seconds and have no counted rows left to report. */
void ob_dedup_forget(struct ob_dedup *a);

/* Returns whether a tag may have a value: it has had this value, or fewer values than `limit`. */
bool ob_dedup_admit(struct ob_dedup *a, const char *tag, const char *value, size_t limit);

/* A number that stands for its key. */
uint64_t ob_dedup_item_hash(const struct ob_dedup_item *one);

/* Stores the sent event, with the first line of its text, in the item; and reads it, valid until the next store. */
void ob_dedup_item_keep(struct ob_dedup_item *one, const struct ob_event *e);
bool ob_dedup_item_kept(const struct ob_dedup_item *one, struct ob_event *e);

/* Replaces the content with what the store has of a source. */
int ob_dedup_load(struct ob_dedup *a, struct ob_store *st, const char *source, struct ob_err *err);

/* _put writes what has changed, inside the caller's transaction; _settle notes that it was committed. */
int ob_dedup_put(const struct ob_dedup *a, struct ob_store *st, const char *source, struct ob_err *err);
void ob_dedup_settle(struct ob_dedup *a);

#endif
