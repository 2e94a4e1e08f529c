/*
 * The queue between workers and sinks: bounded, durable, with a position for each sink. The batches are in the
 * store; the queue has what threads must know of them without a query: how many there are, and that one was added.
 * The newest batches are in memory, too: see ob_queue_keep().
 *
 * Any thread may call these functions. Under the lock there is only counting.
 *
 * When the queue is full, a sink that does not deliver must drop its oldest batches, up to the last one that all
 * delivering sinks have acknowledged. If that makes no room, workers wait: Otter's tables keep the rows.
 */
#ifndef OB_STORE_QUEUE_H
#define OB_STORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/store/store.h"
#include "proto/batch.h"

#define OB_QUEUE_KEPT       32                 /* batches */
#define OB_QUEUE_KEPT_BYTES (INT64_C(2) << 20) /* of memory */

/* What workers waited for since the last ob_queue_take_waits(). */
struct ob_queue_waits {
        bool disk;  /* for room on the disk */
        bool sinks; /* for a sink that keeps batches and cannot be asked to drop them */
};

struct ob_queue {
        pthread_mutex_t lock;
        pthread_cond_t told, room; /* `told` wakes sinks: there is news; `room` wakes workers: there is room */
        int64_t max_bytes;
        int64_t limit; /* bytes that there may be now: the disk may have no room for max_bytes */
        struct ob_queue_waits waits;
        uint64_t news; /* grows with everything that a waiting thread must look at */
        struct ob_queue_sink {
                int64_t acked;     /* batch: the sink needs no batch up to this one */
                int64_t drop_upto; /* batch: the sink is asked to drop its batches up to this one; 0: it is not
                                      asked */
                bool is_down;      /* the sink does not deliver at the moment */
        } * sinks;                 /* ours; as many as counters->n_sinks, in the same order */
        struct ob_queue_kept {
                int64_t seq;
                struct ob_sealed_batch *sealed; /* our reference; NULL: none */
        } kept[OB_QUEUE_KEPT]; /* the newest batches; a batch is at the index `seq` modulo OB_QUEUE_KEPT */
        int64_t kept_bytes;
        struct ob_counters *counters;
};

/*
 * Counts the batches in the store. `counters` is borrowed; the queue counts there how much it has, and how far each
 * sink is behind.
 */
int ob_queue_open(struct ob_queue *q, struct ob_store *st, int64_t max_bytes, struct ob_counters *counters,
        struct ob_err *err);
void ob_queue_close(struct ob_queue *q);

/* Waits for room for `bytes` and reserves the room. False, with nothing reserved, when a stop is wanted. */
bool ob_queue_reserve(struct ob_queue *q, int64_t bytes, struct ob_stop *stop);

/*
 * Keeps batches in memory that were just committed, with consecutive numbers from `first` on, so that a sink that
 * keeps up neither reads nor decodes them. Releases old batches when there are too many.
 */
void ob_queue_keep(struct ob_queue *q, int64_t first, struct ob_sealed_batch *const *sealed, size_t n);

/* Gets the first batch after number `after`, from memory or from the store. Returns 1, 0 when there is none, -1. */
int ob_queue_next(
        struct ob_queue *q, struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err);

/*
 * The points of a reserved batch. _expect comes before the commit, because a sink may find the batch before the
 * committing thread goes on. _publish notes that the batch was committed, or that it may have been; _release
 * returns the bytes and the expected points of one that was not.
 */
void ob_queue_expect(struct ob_queue *q, int64_t points);
void ob_queue_publish(struct ob_queue *q, int64_t points);
void ob_queue_release(struct ob_queue *q, int64_t bytes, int64_t points);

/* Sets how many bytes more the disk has room for; negative: there are too many already. */
void ob_queue_set_room(struct ob_queue *q, int64_t bytes);

/* Returns what workers waited for since the last call. */
struct ob_queue_waits ob_queue_take_waits(struct ob_queue *q);

/* Returns the sink that has acknowledged the least, so that the queue cannot be shorter. */
size_t ob_queue_keeper(struct ob_queue *q);

/* Returns how many bytes there may be now. */
int64_t ob_queue_limit(struct ob_queue *q);

/* Reads how many points and bytes there are. */
void ob_queue_size(struct ob_queue *q, int64_t *points, int64_t *bytes);

/* Waits until there is news after `*seen`, or until `deadline`; sets `*seen` to the latest news. */
void ob_queue_wait(struct ob_queue *q, uint64_t *seen, int64_t deadline);

/* Wakes every waiting thread, because a stop is wanted. */
void ob_queue_wake(struct ob_queue *q);

/*
 * Notes that a sink acknowledged the batches up to `acked`, and that the caller deleted `points` and `bytes` from
 * the store.
 */
void ob_queue_ack(struct ob_queue *q, size_t sink, int64_t acked, int64_t points, int64_t bytes);

/* Sets whether a sink does not deliver. */
void ob_queue_set_down(struct ob_queue *q, size_t sink, bool is_down);

/* Returns the batch up to which the sink is asked to drop its batches, and ends the request; 0: it is not asked. */
int64_t ob_queue_drop_upto(struct ob_queue *q, size_t sink);

#endif
