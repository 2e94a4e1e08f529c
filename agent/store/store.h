/*
 * The store: all that the agent remembers, in one SQLite file, or in a database that several agents share. It has
 * the checkpoint of each source, the position of each sink, the batches between sources and sinks, and the typed
 * rows of agent/store/row.h.
 *
 * A `struct ob_store` is one connection and belongs to one thread; connections see each other's commits. The file
 * survives a kill of the process at any time (write-ahead log). A power cut may cost the last commits, but never a
 * part of a commit. A caller that changes more than one thing puts the changes between ob_store_begin and
 * ob_store_commit. Functions return -1 and set `err` on an error, unless they say otherwise.
 */
#ifndef OB_STORE_STORE_H
#define OB_STORE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "agent/store/row.h"
#include "config/config.h"
#include "proto/batch.h"
#include "proto/bytes.h"
#include "proto/error.h"

struct ob_store;
struct ob_lease;

#define OB_STORE_FILE "otterbeat.db" /* in the state directory */

/*
 * The state directory, which holds the file. Opening makes the folder, locks the folder, so that no second agent
 * uses it, and checks the file. A store of version 3 is upgraded. A file that is corrupt, no store, or of another
 * version is renamed (to `aside`, for the reason `why`; else both are ""), and a new file is made. With `dir` ""
 * the store is in memory.
 */
struct ob_state_dir {
        char path[4096 + 32];   /* also for messages */
        struct ob_lease *lease; /* borrowed; not NULL: the state is in the database that the lease is of */
        int lock_fd;            /* ours; -1: no folder is locked */
        char aside[4096 + 96];
        char why[OB_ERR_MAX];
        struct ob_store *anchor; /* ours; a store in memory lives as long as a connection to it is open */
        atomic_bool is_corrupt;  /* a connection has found a corrupt row: the store must be repaired, which a start
                                    does */
};

/* Returns -1 with `err` when the folder cannot be used or another agent uses it. */
int ob_state_dir_open(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err);
void ob_state_dir_close(struct ob_state_dir *state_dir);

/*
 * As ob_state_dir_open, for a command that moves the state: a file that is missing, is corrupt or is no store is an
 * error, and stays as it is.
 */
int ob_state_dir_open_whole(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err);

/* Opens the state of the manager whose lease this agent holds. */
int ob_state_dir_share(struct ob_state_dir *state_dir, struct ob_lease *lease, struct ob_err *err);

/*
 * Replaces a store in memory by a copy of the store in `dir`, if there is one, and upgrades the copy. The store in
 * `dir` stays as it is, and may be in use.
 */
int ob_state_dir_copy(struct ob_state_dir *state_dir, const char *dir, struct ob_err *err);

/*
 * Fills an empty store in memory with a copy of the state that a database has of some managers; it may be in use.
 * Each manager has a queue and positions of sinks of its own there, so these are only copied when there is one
 * manager.
 */
int ob_state_dir_copy_shared(struct ob_state_dir *state_dir, const struct ob_state_settings *settings,
        const struct ob_manager *managers, size_t n_managers, struct ob_err *err);

/* Calls ob_state_dir_copy_shared() when the config has `state`, else ob_state_dir_copy(). */
int ob_state_dir_copy_of(
        struct ob_state_dir *state_dir, const char *dir, const struct ob_config *config, struct ob_err *err);

/*
 * Bytes of the disk that batches may not take. Deleting needs room too: first in SQLite's write-ahead log, which is
 * copied to the file when the log has 4 MB, so twice that; and as much again for a large commit. The bytes that the
 * log has already are part of the margin.
 */
#define OB_STORE_MARGIN (INT64_C(16) << 20)

/*
 * Reads how many bytes more may be stored; negative when there are too many already. False: that is not known, as
 * in memory or in a database. Called by the thread that owns the anchor.
 */
bool ob_state_dir_room(struct ob_state_dir *state_dir, int64_t *bytes);

struct ob_store *ob_store_open(struct ob_state_dir *state_dir, struct ob_err *err);
void ob_store_close(struct ob_store *st);

/*
 * Opens a unit of the state in a database only for reading; between ob_store_begin and ob_store_rollback as at one
 * moment.
 */
struct ob_store *ob_store_open_unit(const struct ob_state_settings *settings, int64_t unit, struct ob_stop *stop,
        atomic_bool *is_corrupt, struct ob_err *err);

/*
 * Copies all sound rows into an empty store, inside a transaction of `to`, and adds to `done`. The numbers of
 * batches stay the same, and go on behind the same one.
 */
struct ob_copied {
        int64_t rows, batches; /* rows: of all tables but that of the batches */
        int64_t points;        /* in the batches */
        int64_t corrupt;       /* rows and batches that were left out */
        char first[128];       /* the first of these; "" when there is none */
};

int ob_store_copy(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err);

/* The same without the batches and the rows of the sinks, which are only checked. */
int ob_store_copy_sources(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err);

/*
 * As ob_store_copy, for a store whose rows go to several managers of a shared state. Before each row and each batch
 * is written, one of the two functions is called, and turns `to` to the manager that gets the row: see
 * ob_store_turn. The rows of the sinks are only checked: the caller writes them, and the last number. The values
 * are valid during the call.
 */
struct ob_copy_turns {
        int (*row)(void *ctx, enum ob_store_table table, const struct ob_value *row, struct ob_err *err);
        int (*batch)(void *ctx, int64_t seq, const void *body, size_t length, struct ob_err *err);
        void *ctx;
};
int ob_store_copy_divided(struct ob_store *from, struct ob_store *to, const struct ob_copy_turns *turns,
        struct ob_copied *done, struct ob_err *err);

/* Inside a transaction of `to`: its next batch gets a number above those of `from`. */
int ob_store_copy_last_number(struct ob_store *from, struct ob_store *to, struct ob_err *err);

/*
 * Copies the sound batches after number `after`, up to `upto`, inside a transaction of `to`. There they get the
 * numbers after `*last`, which becomes the last one that was given.
 */
int ob_store_copy_batches(struct ob_store *from, struct ob_store *to, int64_t after, int64_t upto, int64_t *last,
        struct ob_copied *done, struct ob_err *err);

/*
 * Inside a transaction of a store of a shared state: goes on with the rows of the manager of another lease, which
 * this agent holds, too. One commit, or one rollback, ends the work on all of these managers.
 */
int ob_store_turn(struct ob_store *st, struct ob_lease *lease, struct ob_err *err);

/* Whether no table has a row; and deletes all rows, inside a transaction. */
int ob_store_is_empty(struct ob_store *st, bool *is_empty, struct ob_err *err);
int ob_store_clear(struct ob_store *st, struct ob_err *err);

/*
 * Checks every row. A corrupt batch is emptied, so that sinks count its points as lost. A sink whose position is
 * corrupt continues after the last batch. If one chunk of seen ids is corrupt, the chunks of all sources are
 * deleted. Every other corrupt row is deleted. The counters say how many rows of each kind there were; `totals`
 * counts all kinds that have no counter of their own. The caller rewinds the sources.
 */
struct ob_corruption {
        int64_t batches, points, sinks, chunks, totals, checkpoints;
        char first[128]; /* the first corrupt row, as "batch 17"; "" when there is none */
};

int ob_store_repair(struct ob_store *st, struct ob_corruption *d, struct ob_err *err);

/* Reads how many bytes of the file are free for new rows. */
int ob_store_unused(struct ob_store *st, int64_t *bytes, struct ob_err *err);

int ob_store_begin(struct ob_store *st, struct ob_err *err);
int ob_store_commit(struct ob_store *st, struct ob_err *err); /* an error: all is rolled back, or in doubt */

/*
 * True: the last commit returned an error, but the database may have committed. Then another connection may see
 * the rows, and this store's lease is lost.
 */
bool ob_store_is_in_doubt(const struct ob_store *st);
void ob_store_rollback(struct ob_store *st);

/* The checkpoint of a source. */
struct ob_checkpoint {
        bool known;             /* false: the source was never read */
        int64_t cursor;         /* the highest id that was read */
        int64_t since;          /* rows from before this time are not counted; INT64_MIN: all are */
        int64_t floor;          /* but rows above this id are new, whatever their time is: clocks get set */
        int64_t counted_before; /* rows from before this time were counted before; INT64_MIN: none were */
        int64_t newest;         /* the latest time of any counted row, seconds */
        char identity[256];     /* of the database that the source was read from */
        int64_t changed;        /* when `identity` changed, by the clock of the new database; 0: never */
};

int ob_store_get_checkpoint(struct ob_store *st, const char *source, struct ob_checkpoint *s, struct ob_err *err);
int ob_store_put_checkpoint(
        struct ob_store *st, const char *source, const struct ob_checkpoint *s, struct ob_err *err);

/*
 * Rewinds a source: the next poll begins at rows of the time `since`. Rows from before `counted_before` were
 * counted, so they are delivered to idempotent sinks only; with OB_COUNTED_ALL this holds for all rows that exist
 * at that poll. The chunks of seen ids become those of the source "<source>OB_BEFORE_REWIND", because seen ids are
 * more exact than the time. They are added to the chunks of an earlier rewind that is not done yet.
 */
#define OB_COUNTED_ALL   INT64_MAX
#define OB_BEFORE_REWIND ":before"
int ob_store_rewind_source(
        struct ob_store *st, const char *source, int64_t since, int64_t counted_before, struct ob_err *err);

/* A chunk of seen ids: which of OB_CHUNK_IDS consecutive ids were counted. */
#define OB_CHUNK_IDS 256

struct ob_chunk {
        int64_t number; /* id / OB_CHUNK_IDS, rounded down */
        int64_t newest; /* the latest time of a row seen in it, seconds */
        unsigned char bits[OB_CHUNK_IDS / 8];
};

/* Returns 1; 0, with a chunk that is zero but for its number, when no id of the chunk was seen; -1. */
int ob_store_get_chunk(
        struct ob_store *st, const char *source, int64_t number, struct ob_chunk *c, struct ob_err *err);
int ob_store_put_chunk(struct ob_store *st, const char *source, const struct ob_chunk *c, struct ob_err *err);

/*
 * Finds the lowest chunk with a row of the time `time` or later. Returns 1 with `*number` set, 0 when there is
 * none, -1.
 */
int ob_store_first_chunk_since(
        struct ob_store *st, const char *source, int64_t time, int64_t *number, struct ob_err *err);

/* Finds the highest chunk of a source. Returns 1 with `*number` set, 0 when there is none, -1. */
int ob_store_last_chunk(struct ob_store *st, const char *source, int64_t *number, struct ob_err *err);
int ob_store_forget_chunks_from(struct ob_store *st, const char *source, int64_t number, struct ob_err *err);
int ob_store_forget_chunks_below(struct ob_store *st, const char *source, int64_t number, struct ob_err *err);

/* Batches, in the order of their numbers, which are never used twice. */
struct ob_stored_batch {
        int64_t seq;
        unsigned points;
        int64_t bytes;                  /* of the body in the store */
        struct ob_bytes body;           /* ours: the blob, unless the batch is sealed */
        struct ob_sealed_batch *sealed; /* our reference: the batch from memory; NULL: it was read from the store */
};

void ob_stored_batch_free(struct ob_stored_batch *b);

/* As ob_batch_open() and ob_batch_open_events(). The reader borrows the batch. */
bool ob_stored_batch_open(const struct ob_stored_batch *b, struct ob_batch_reader *r);
bool ob_stored_batch_open_events(const struct ob_stored_batch *b, struct ob_batch_reader *r);

int ob_store_put_batch(struct ob_store *st, unsigned points, const struct ob_bytes *body, struct ob_err *err);

/* The number of the last batch that this connection has put into the queue. */
int64_t ob_store_last_put(const struct ob_store *st);

/* Reads the first batch after number `after`. Returns 1, 0 when there is none, -1. */
int ob_store_next_batch(struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err);

/* Sums the batches after number `after`. */
int ob_store_sum_batches(struct ob_store *st, int64_t after, int64_t *points, int64_t *bytes, struct ob_err *err);

/* The position of a sink. */
struct ob_delivery {
        int64_t acked;               /* batch: the sink needs no batch up to this one */
        int64_t sent_upto;           /* batch: all up to this one were sent at least once; not below `acked` */
        struct ob_bytes saved_state; /* ours: what the sink must still know of the acknowledged batches */
};

/* A sink that is not known begins at the oldest batch; or after the last one, when other sinks are known. */
int ob_store_get_delivery(struct ob_store *st, const char *sink, struct ob_delivery *p, struct ob_err *err);
int ob_store_put_delivery(struct ob_store *st, const char *sink, const struct ob_delivery *p, struct ob_err *err);

/*
 * Deletes all other sinks, with their totals, so that no removed sink holds batches for ever. Returns how many, or
 * -1.
 */
int ob_store_keep_sinks(struct ob_store *st, const char *const *names, size_t n, struct ob_err *err);

/*
 * Deletes the oldest batches that every sink has acknowledged, and writes how many points and bytes they had.
 * Returns 1 when there may be more, 0 when these were all, -1.
 */
int ob_store_drop_acked(struct ob_store *st, int64_t *points, int64_t *bytes, struct ob_err *err);

#endif
