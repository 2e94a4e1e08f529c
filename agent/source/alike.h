/*
 * What a source has told in words: which signatures there were lately, how many rows of each were only counted, and
 * which values its open tags have had. All of it as bytes and back. Owned by one thread.
 */
#ifndef OB_SOURCE_ALIKE_H
#define OB_SOURCE_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/metric.h"

#define OB_ALIKES_MAX 2000 /* signatures; what comes beyond that is taken for one */

struct ob_alike_entry;
struct ob_alike_value;

struct ob_alike {
        const char *key;
        int64_t since; /* when the minute began of which one row was told */
        int64_t last;  /* the latest row */
        int64_t count; /* … of those that were only counted */
        bool is_told;
        struct ob_bytes kept; /* ours: the event that was told, as a batch */
};

/* All zero: there are none. */
struct ob_alikes {
        struct ob_alike_entry *all;    /* ours, by key */
        struct ob_alike_value *values; /* ours, by tag and value */
        int64_t clock;                 /* the latest time of any row */
        bool is_changed;               /* since the owner said that it is not */
};

#define OB_ALIKE_KEEP 3600 /* seconds that one is kept after its last row, by the clock of the rows */

void ob_alikes_free(struct ob_alikes *a);

/* The one of a key, made when it is new; `time` is its row's. */
struct ob_alike *ob_alikes_find(struct ob_alikes *a, const char *key, int64_t time);

/* One after the other, in a fixed order; behind NULL the first, behind the last NULL. */
struct ob_alike *ob_alikes_next(const struct ob_alikes *a, const struct ob_alike *behind);

/* Forgets those that had no row for OB_ALIKE_KEEP seconds, and have nothing left to tell. */
void ob_alikes_forget(struct ob_alikes *a);

/* Whether a tag may have a value: it has had it, or it has had less than `limit`. */
bool ob_alikes_admit(struct ob_alikes *a, const char *tag, const char *value, size_t limit);

/* A number that stands for its key. */
uint64_t ob_alike_hash(const struct ob_alike *one);

/* Keeps the event that was told, with the first line of its text; and gives it back, valid until the next is kept.
 */
void ob_alike_keep(struct ob_alike *one, const struct ob_event *e);
bool ob_alike_kept(const struct ob_alike *one, struct ob_event *e);

/* False when the bytes are none of these; what was read is to be freed. */
void ob_alikes_write(const struct ob_alikes *a, struct ob_bytes *out);
bool ob_alikes_read(struct ob_alikes *a, const void *bytes, size_t length);

#endif
