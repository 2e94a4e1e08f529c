/*
 * What the agent remembers, in one SQLite file: where each source stands, what each sink has passed,
 * and the batches between them.
 *
 * A `struct ob_store` is one connection and belongs to one thread; connections see each other's commits.
 * The file survives a kill of the process at any instant (WAL); a power cut may cost the last commits,
 * all of them together, so that what is left still agrees with itself.
 * Everything that changes more than one thing goes between ob_store_begin and ob_store_commit.
 */
#ifndef OB_STORE_STORE_H
#define OB_STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/row.h"
#include "proto/bytes.h"
#include "proto/error.h"

struct ob_store;

/*
 * The place of the file: makes the folder, takes its lock, so that no second agent uses it, and looks
 * the file over. One that is damaged, no store, or of a later version is set aside under another name,
 * said in `aside` and `why` (else ""), and a new one takes its place. `dir` "" keeps everything in memory.
 */
struct ob_state_dir {
        char path[4096 + 32];
        int lock_fd; /* ours; -1 in memory */
        char aside[4096 + 96];
        char why[OB_ERR_MAX];
        struct ob_store *anchor; /* ours; a memory store lives as long as a connection to it */
        atomic_bool is_corrupt;  /* a connection has met what is not as it was written: open it anew */
};

/* 0; -1 with `err` when the folder can't be used or another agent has it. */
int ob_state_dir_open(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err);
void ob_state_dir_close(struct ob_state_dir *state_dir);

/* Replaces a place in memory by a copy of the store in `dir`, where there is one. For --dry-run. */
int ob_state_dir_copy(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err);

/*
 * Bytes of the disk that are not for batches: also to delete takes room, first in SQLite's log, which is copied to
 * the file when it has 4 MB, so twice that; and as much for a large commit. What the log has already is of them.
 */
#define OB_STORE_MARGIN (INT64_C(16) << 20)

/*
 * How many bytes more may be stored; negative when there are too many. False: there is no telling, as in memory.
 * The anchor's thread.
 */
bool ob_state_dir_room(struct ob_state_dir *state_dir, int64_t *bytes);

struct ob_store *ob_store_open(struct ob_state_dir *state_dir, struct ob_err *err);
void ob_store_close(struct ob_store *st);

/*
 * Looks at every row, for what is not as it was written. A batch that is damaged is emptied, so that sinks count
 * its points as lost; a sink whose place is damaged goes on behind the last batch; if it is not sure any more which
 * rows were counted, that is forgotten of all. The caller rewinds the sources.
 */
struct ob_corruption {
        int64_t batches, points, sinks, chunks, totals, checkpoints;
        char first[128]; /* which was the first: "batch 17"; "" when all is well */
};

int ob_store_repair(struct ob_store *st, struct ob_corruption *d, struct ob_err *err);

/* The bytes of the file that nothing is in. */
int ob_store_unused(struct ob_store *st, int64_t *bytes, struct ob_err *err);

int ob_store_begin(struct ob_store *st, struct ob_err *err);
int ob_store_commit(struct ob_store *st, struct ob_err *err); /* on failure all is rolled back */
void ob_store_rollback(struct ob_store *st);

/* Where a source stands. */
struct ob_checkpoint {
        bool known;             /* false: the source was never read */
        int64_t cursor;         /* the highest id that was read */
        int64_t since;          /* rows from before this time are not counted; INT64_MIN: all are */
        int64_t floor;          /* … but those behind this id are new, whatever their time says: clocks are set */
        int64_t counted_before; /* rows from before this time were counted before; INT64_MIN: none were */
        int64_t newest;         /* the latest time of any counted row, seconds */
        char identity[256];     /* of the database that the source was read from */
        int64_t changed;        /* when that became another database, by the clock of the new one; 0: never */
};

int ob_store_get_checkpoint(struct ob_store *st, const char *source, struct ob_checkpoint *s, struct ob_err *err);
int ob_store_put_checkpoint(
        struct ob_store *st, const char *source, const struct ob_checkpoint *s, struct ob_err *err);

/*
 * Makes a source begin anew at the next poll, at rows of `since`. Those of before `again` were counted: they go
 * only to sinks that may draw all again. OB_COUNTED_ALL: so do all that are there by then. The chunks of seen ids
 * are kept as those of `<source>OB_BEFORE_REWIND`: they know better than the time; with those of an earlier
 * rewinding, as long as not all that it wanted has been read again.
 */
#define OB_COUNTED_ALL   INT64_MAX
#define OB_BEFORE_REWIND ":before"
int ob_store_rewind_source(
        struct ob_store *st, const char *source, int64_t since, int64_t counted_before, struct ob_err *err);

/*
 * How the column of a tracked row's total is called that comes from a store of version 3: the hash of the names of
 * all columns (FNV-1a from 0, with the NUL of each name), and the number of the column among them. The number
 * behind the last column is `below_since`, in zigzag order. A total that was not known was stored as
 * OB_TOTAL_UNKNOWN_3.
 */
#define OB_STORE_COLUMN_3      "%" PRIx64 "/%d"
#define OB_STORE_SCAN_COLUMN_3 "%" SCNx64 "/%d"
#define OB_TOTAL_UNKNOWN_3     (-((__int128)1 << 90))

/* Which ids of a run of OB_CHUNK_IDS were counted. */
#define OB_CHUNK_IDS 256

struct ob_chunk {
        int64_t number; /* id / OB_CHUNK_IDS, rounded down */
        int64_t newest; /* the latest time of a row seen in it, seconds */
        unsigned char bits[OB_CHUNK_IDS / 8];
};

/* 1; 0, and all zero but its number, when nothing of it was seen; -1. */
int ob_store_get_chunk(
        struct ob_store *st, const char *source, int64_t number, struct ob_chunk *c, struct ob_err *err);
int ob_store_put_chunk(struct ob_store *st, const char *source, const struct ob_chunk *c, struct ob_err *err);

/* The lowest chunk that has a row as new as `time`; 0 when there is none, 1 when `*number` is set. */
int ob_store_first_chunk_since(
        struct ob_store *st, const char *source, int64_t time, int64_t *number, struct ob_err *err);
int ob_store_forget_chunks_from(struct ob_store *st, const char *source, int64_t number, struct ob_err *err);
int ob_store_forget_chunks_below(struct ob_store *st, const char *source, int64_t number, struct ob_err *err);

/* Batches, in the order of their numbers, which are never used twice. */
struct ob_stored_batch {
        int64_t seq;
        unsigned points;
        struct ob_bytes body; /* ours */
};

int ob_store_put_batch(struct ob_store *st, unsigned points, const struct ob_bytes *body, struct ob_err *err);

/* The first batch behind `after`. 1: there is one; 0: none; -1. */
int ob_store_next_batch(struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err);

/* How much lies behind `after`. */
int ob_store_sum_batches(struct ob_store *st, int64_t after, int64_t *points, int64_t *bytes, struct ob_err *err);

/* What a sink has passed: it needs no batch up to `mark`. */
struct ob_delivery {
        int64_t acked;
        int64_t sent_upto;           /* up to here all was delivered once; at least `mark` */
        struct ob_bytes saved_state; /* ours: what the sink must still know of the batches it has passed */
};

/* A sink that is not known begins where the oldest batch is, or behind all when others are known. */
int ob_store_get_delivery(struct ob_store *st, const char *sink, struct ob_delivery *p, struct ob_err *err);
int ob_store_put_delivery(struct ob_store *st, const char *sink, const struct ob_delivery *p, struct ob_err *err);

/* Forgets all sinks but these, and their totals, so that they do not hold batches for ever. Returns how many, or
 * -1. */
int ob_store_keep_sinks(struct ob_store *st, const char *const *names, size_t n, struct ob_err *err);

/* Deletes the oldest batches that every sink has passed, and says how much that was. 1: there may be more; 0: that
 * was all; -1. */
int ob_store_drop_acked(struct ob_store *st, int64_t *points, int64_t *bytes, struct ob_err *err);

#endif
