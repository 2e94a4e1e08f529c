/*
 * A sink: one thread that takes batches from the queue at its own mark and delivers them. What all
 * sinks do alike (waiting, back-off, telling, giving up batches) is here; what each does in its own way
 * is behind ob_sink_ops.
 */
#ifndef OB_SINK_SINK_H
#define OB_SINK_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/backoff.h"
#include "agent/process/counters.h"
#include "agent/process/log_once.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/metric.h"

struct ob_sink;

enum ob_step { OB_STEP_FAILED = -1, OB_STEP_IDLE, OB_STEP_BUSY };

struct ob_sink_ops {
        /*
         * Makes the sink's state from what it had passed; it may log what a crash has cost. What is behind what was
         * reached is counted afterwards; what differs from that, here.
         */
        int (*start)(struct ob_sink *s, struct ob_err *err);

        /* Does a little. IDLE: there is nothing to do before `*wake`; BUSY: there may be more. */
        enum ob_step (*step)(struct ob_sink *s, int64_t *wake, struct ob_err *err);

        /* Writes what must be stored together with what was passed, inside that transaction. NULL: there is
         * nothing. */
        int (*stage)(struct ob_sink *s, struct ob_err *err);

        /* Opens the transport where it is closed, and looks whether the other end is still there. */
        int (*connect)(struct ob_sink *s, struct ob_err *err);

        /* Closes the transport with what is on its way. Returns whether it was open. */
        bool (*disconnect)(struct ob_sink *s);

        /* Closes the transport in peace: what was sent arrives, as far as there is time. NULL: it has nothing on
         * its way. */
        int (*finish)(struct ob_sink *s, struct ob_err *err);

        /* The connection is gone; begins again where that is safe. NULL: there is nothing to go back to. */
        void (*rewind)(struct ob_sink *s);

        /*
         * Gives up the oldest batches, so many bytes of them and none after `last`, and counts what that loses.
         * Does not commit.
         */
        int (*drop_oldest)(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err);

        /* Notes for the next start what a clean stop knows and a crash would not, and what else is behind. */
        int (*stop)(struct ob_sink *s, struct ob_err *err);

        void (*free)(struct ob_sink *s);
};

/* Why points do not go out. */
enum ob_loss {
        OB_LOSS_LATE,
        OB_LOSS_TIME,
        OB_LOSS_NAME,
        OB_LOSS_CORRUPT,
        OB_LOSS_QUEUE,
        OB_LOSS_WIRE,
        OB_LOSS_REFUSED,
        OB_LOSSES
};

struct ob_sink {
        /* Set before the start; all borrowed and const from then on. */
        const struct ob_sink_settings *settings;
        const char *prefix;
        int keep;     /* seconds that a row may be behind the newest one, at most */
        size_t index; /* in counters and queue */
        struct ob_queue *queue;
        struct ob_sink_counters *counters;
        struct ob_stop *stop;
        struct ob_state_dir *state_dir;
        bool is_dry;

        /* The thread's own. */
        const struct ob_sink_ops *ops;
        struct ob_store *store;
        struct ob_delivery delivery;
        struct ob_backoff backoff;
        struct ob_log_once logged[OB_LOSSES], clamped;
        bool is_failing;
        void *state; /* ours, by ops->free */
        pthread_t thread;

        bool is_clean; /* after the end: all was delivered */
};

extern const struct ob_sink_ops ob_sink_statsd;
extern const struct ob_sink_ops ob_sink_graphite;
extern const struct ob_sink_ops ob_sink_events;

/* Opens the store, reads what was passed, starts the thread. */
int ob_sink_start(struct ob_sink *s, struct ob_err *err);

/* Waits for the thread, which ends by its stop's deadline at the latest; frees what it had. */
void ob_sink_join(struct ob_sink *s);

/* For ops: counts and tells of points that won't go out. */
void ob_sink_lose(struct ob_sink *s, enum ob_loss why, int64_t points, const char *what);

/*
 * For ops: logs, at most once a minute, that a sum of a series' points would need more than 64 bits, and became the
 * end of their range. `once` belongs to the caller, `sink` is the name of the sink.
 */
void ob_sink_log_clamped(
        struct ob_log_once *once, const char *sink, const char *prefix, const struct ob_series *series);

/* For ops: counts points that went out: so many by themselves, so many as parts of these. */
void ob_sink_sent(struct ob_sink *s, int64_t points, int64_t folded);

/* For ops: stores what was passed, in one transaction, and deletes what every sink has passed, as far as that goes.
 */
int ob_sink_commit(struct ob_sink *s, struct ob_err *err);

/* For ops: connects, but with --dry-run. */
int ob_sink_connect(struct ob_sink *s, struct ob_err *err);

#endif
