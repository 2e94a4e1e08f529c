/*
 * What a source has told in words: which signatures there were lately, how many rows of each were only counted, and
 * which values its open tags have had. All of it as bytes and back. Owned by one thread.
 */
#ifndef OB_SOURCE_DEDUP_H
#define OB_SOURCE_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/metric.h"

#define OB_DEDUP_MAX 2000 /* signatures; what comes beyond that is taken for one */

struct ob_dedup_entry;
struct ob_dedup_value;

struct ob_dedup_item {
        const char *key;
        int64_t since; /* when the minute began of which one row was told */
        int64_t last;  /* the latest row */
        int64_t count; /* … of those that were only counted */
        bool is_told;
        struct ob_bytes kept; /* ours: the event that was told, as a batch */
};

/* All zero: there are none. */
struct ob_dedup {
        struct ob_dedup_entry *all;    /* ours, by key */
        struct ob_dedup_value *values; /* ours, by tag and value */
        int64_t clock;                 /* the latest time of any row */
        bool is_changed;               /* since the owner said that it is not */
};

#define OB_DEDUP_KEEP 3600 /* seconds that one is kept after its last row, by the clock of the rows */

void ob_dedup_free(struct ob_dedup *a);

/* The one of a key, made when it is new; `time` is its row's. */
struct ob_dedup_item *ob_dedup_find(struct ob_dedup *a, const char *key, int64_t time);

/* One after the other, in a fixed order; behind NULL the first, behind the last NULL. */
struct ob_dedup_item *ob_dedup_next(const struct ob_dedup *a, const struct ob_dedup_item *behind);

/* Forgets those that had no row for OB_DEDUP_KEEP seconds, and have nothing left to tell. */
void ob_dedup_forget(struct ob_dedup *a);

/* Whether a tag may have a value: it has had it, or it has had less than `limit`. */
bool ob_dedup_admit(struct ob_dedup *a, const char *tag, const char *value, size_t limit);

/* A number that stands for its key. */
uint64_t ob_dedup_item_hash(const struct ob_dedup_item *one);

/* Keeps the event that was told, with the first line of its text; and gives it back, valid until the next is kept.
 */
void ob_dedup_item_keep(struct ob_dedup_item *one, const struct ob_event *e);
bool ob_dedup_item_kept(const struct ob_dedup_item *one, struct ob_event *e);

/* False when the bytes are none of these; what was read is to be freed. */
void ob_dedup_write(const struct ob_dedup *a, struct ob_bytes *out);
bool ob_dedup_read(struct ob_dedup *a, const void *bytes, size_t length);

#endif
