/*
 * The queue between workers and sinks: bounded, durable, with an acked batch for each sink. The batches are in the
 * store; this struct has only what threads must know at once: the size, and that there is news.
 *
 * Any thread. Under the lock there is only counting.
 *
 * When the queue is full, a sink that is down must drop its oldest batches, as far as all sinks that deliver have
 * acked them. If there are none, dropping would make no room: workers wait, and the rows stay in Otter's tables.
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

/* What workers had to wait for. */
struct ob_queue_waits {
        bool disk;  /* for room on the disk */
        bool sinks; /* for a sink that keeps batches and cannot be asked to drop them */
};

struct ob_queue {
        pthread_mutex_t lock;
        pthread_cond_t told, room; /* news for sinks; freed bytes for workers */
        int64_t max_bytes;
        int64_t limit;         /* bytes, for now: the disk may have no room for max_bytes */
        int64_t bytes, points; /* in the store; `bytes` includes reserved bytes */
        struct ob_queue_waits waits;
        uint64_t news; /* grows with everything that a waiting thread should check */
        struct ob_queue_sink {
                int64_t acked;     /* batch: the sink needs only later ones */
                int64_t drop_upto; /* batch: the sink is asked to drop its oldest ones, up to this; 0: it is not */
                bool is_down;      /* does not deliver at the moment */
        } * sinks;                 /* ours; in the order of counters->sinks */
        struct ob_counters *counters;
};

/* Counts what the store holds. `counters` is borrowed; ob_queue_publish() adds to all sinks' counters. */
int ob_queue_open(struct ob_queue *q, struct ob_store *st, int64_t max_bytes, struct ob_counters *counters,
        struct ob_err *err);
void ob_queue_close(struct ob_queue *q);

/* Waits for room for `bytes` and reserves it. False, and nothing reserved, when a stop is wanted. */
bool ob_queue_reserve(struct ob_queue *q, int64_t bytes, struct ob_stop *stop);

/* The reserved bytes, with `points` points, were committed; or could not be, and are given back. */
void ob_queue_publish(struct ob_queue *q, int64_t points);
void ob_queue_release(struct ob_queue *q, int64_t bytes);

/* Sets how many more bytes the disk has room for; negative: there are too many already. */
void ob_queue_set_room(struct ob_queue *q, int64_t bytes);

/* What workers waited for since the last call. */
struct ob_queue_waits ob_queue_take_waits(struct ob_queue *q);

/* The sink with the lowest `acked`, which decides the length of the queue. */
size_t ob_queue_keeper(struct ob_queue *q);

/* The bytes that the queue may have now. */
int64_t ob_queue_limit(struct ob_queue *q);

void ob_queue_size(struct ob_queue *q, int64_t *points, int64_t *bytes);

/* Waits until there is news after `*seen` or `deadline` has come; updates `*seen`. */
void ob_queue_wait(struct ob_queue *q, uint64_t *seen, int64_t deadline);

/* Wakes every waiting thread, since a stop is wanted. */
void ob_queue_wake(struct ob_queue *q);

/* The sink has acked the batches up to `acked`; `points` and `bytes`, acked by all sinks, were deleted. */
void ob_queue_ack(struct ob_queue *q, size_t sink, int64_t acked, int64_t points, int64_t bytes);

void ob_queue_set_down(struct ob_queue *q, size_t sink, bool is_down);

/* The batch up to which the sink is asked to drop its oldest ones; 0: it is not asked. Clears the request. */
int64_t ob_queue_drop_upto(struct ob_queue *q, size_t sink);

#endif
