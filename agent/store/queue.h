/*
 * The queue between workers and sinks: bounded, durable, with a mark per sink. The batches are in the
 * store; this is what threads must know of them at once: how much there is, and that there is more.
 *
 * Any thread. Under its lock there is only counting.
 *
 * When it is full: a sink that does not deliver must give up its oldest batches, of those that all who deliver have
 * passed. If there are none, that would make no room: workers wait, and the tables, which are logs themselves, keep
 * the rows.
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
        bool disk;  /* for room on it */
        bool sinks; /* for any that keeps batches, and can't be asked to give them up */
};

struct ob_queue {
        pthread_mutex_t lock;
        pthread_cond_t told, room; /* news, for sinks; bytes given back, for workers: none wakes its own kind */
        int64_t max_bytes;
        int64_t limit;         /* of bytes, for now: the disk may have no room for max_bytes */
        int64_t bytes, points; /* in the store; bytes also those about to be written */
        struct ob_queue_waits waits;
        uint64_t news; /* grows with whatever a waiting thread should look at */
        struct ob_queue_sink {
                int64_t acked;     /* batch: the last one that it does not need any more */
                int64_t drop_upto; /* batch: it is asked to give up its oldest ones, up to this; 0: it is not */
                bool is_down;      /* does not deliver at the moment */
        } * sinks;                 /* ours; as many as counters->n_sinks, in the same order */
        struct ob_counters *counters;
};

/* Counts what the store holds. `counters` is borrowed and told how far each sink is behind. */
int ob_queue_open(struct ob_queue *q, struct ob_store *st, int64_t max_bytes, struct ob_counters *counters,
        struct ob_err *err);
void ob_queue_close(struct ob_queue *q);

/* Waits for room for so many bytes and takes it. False, and nothing taken, when a stop is wanted. */
bool ob_queue_reserve(struct ob_queue *q, int64_t bytes, struct ob_stop *stop);

/* What was reserved is committed now, `points` of them; or is given back, when it could not be. */
void ob_queue_publish(struct ob_queue *q, int64_t points);
void ob_queue_release(struct ob_queue *q, int64_t bytes);

/* The disk has room for so many bytes more; negative: there are too many. */
void ob_queue_set_room(struct ob_queue *q, int64_t bytes);

/* What was waited for since this was last asked. */
struct ob_queue_waits ob_queue_take_waits(struct ob_queue *q);

/* Which sink has passed the least: the queue is as long as that one makes it. */
size_t ob_queue_keeper(struct ob_queue *q);

/* How many bytes there may be now. */
int64_t ob_queue_limit(struct ob_queue *q);

/* How much there is. */
void ob_queue_size(struct ob_queue *q, int64_t *points, int64_t *bytes);

/* Waits until there is news behind `*seen` or `deadline` has come; moves `*seen` on. */
void ob_queue_wait(struct ob_queue *q, uint64_t *seen, int64_t deadline);

/* Makes every waiting thread look again: a stop is wanted. */
void ob_queue_wake(struct ob_queue *q);

/* A sink has passed the batches up to this one; so many points and bytes, passed by all, are deleted. */
void ob_queue_ack(struct ob_queue *q, size_t sink, int64_t acked, int64_t points, int64_t bytes);

/* Says whether a sink delivers. */
void ob_queue_set_down(struct ob_queue *q, size_t sink, bool is_down);

/* The batch up to which the sink may give up its oldest ones, as it was asked to; 0: it was not. Takes it back. */
int64_t ob_queue_drop_upto(struct ob_queue *q, size_t sink);

#endif
