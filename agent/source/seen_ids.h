/*
 * The ids that were counted, as bits in chunks of ids. Holds the chunks of the current page of rows, which are
 * stored together with the page, and the last chunk of the page before, so that a poll without new rows reads no
 * chunk. The caller asks for ids in rising order. Owned by one thread.
 */
#ifndef OB_SOURCE_SEEN_IDS_H
#define OB_SOURCE_SEEN_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"

struct ob_seen_chunk {
        struct ob_chunk chunk;
        int64_t stored_newest; /* the latest time of its rows that were counted before this page */
        bool is_known;         /* the chunk is in the store */
        bool is_changed;
};

struct ob_seen_ids {
        struct ob_seen_chunk *chunks; /* ours */
        size_t n, room;
        bool is_bounded; /* `highest` was read */
        int64_t highest; /* the store has no chunk above this one, so it is not asked for one */
};

void ob_seen_ids_free(struct ob_seen_ids *s);

/* _start begins a page; the last chunk is kept when it did not change. _clear also forgets that chunk. */
void ob_seen_ids_start(struct ob_seen_ids *s);
void ob_seen_ids_clear(struct ob_seen_ids *s);

/* The chunk of an id, from the store when this page has not used it yet; NULL on failure. */
struct ob_seen_chunk *ob_seen_ids_find(
        struct ob_seen_ids *s, struct ob_store *st, const char *source, int64_t id, struct ob_err *err);

bool ob_seen_ids_has(const struct ob_seen_chunk *c, int64_t id);
void ob_seen_ids_add(struct ob_seen_chunk *c, int64_t id, int64_t time);

/* The number of an id's chunk, and a chunk's first id. */
int64_t ob_seen_chunk_of(int64_t id);
int64_t ob_seen_ids_first_id(int64_t chunk);

/* Inside the caller's transaction. */
int ob_seen_ids_put(struct ob_seen_ids *s, struct ob_store *st, const char *source, struct ob_err *err);

/* Deletes an id and all above it, inside the caller's transaction. */
int ob_seen_ids_forget_from(struct ob_store *st, const char *source, int64_t id, struct ob_err *err);

#endif
