/*
 * A sink: one thread that takes batches from the queue after its own `acked` and delivers them. This module has
 * what all sinks share (waiting, back-off, logging, dropping batches); ob_sink_ops has what differs.
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
#include "agent/process/permit.h"
#include "agent/sink/fold.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/metric.h"

struct ob_sink;

enum ob_step { OB_STEP_FAILED = -1, OB_STEP_IDLE, OB_STEP_BUSY };

/* What one manager gets of the position that a sink had for several managers. */
struct ob_sink_part {
        bool (*is_other)(void *ctx, const char *path); /* whether a path in a fold is of another manager */
        void *ctx;
        bool has_next; /* the first batch after `acked` is of this manager */
};

struct ob_sink_ops {
        /*
         * Makes the sink's state from `delivery`, and may log what a crash has lost. The caller counts the batches
         * after `sent_upto` as behind; `start` only corrects the counts.
         */
        int (*start)(struct ob_sink *s, struct ob_err *err);

        /* Does a little work. IDLE: there is nothing to do before `*wake`; BUSY: there may be more. */
        enum ob_step (*step)(struct ob_sink *s, int64_t *wake, struct ob_err *err);

        /* Writes what must be committed in one transaction with `delivery`. NULL: nothing. */
        int (*stage)(struct ob_sink *s, struct ob_err *err);

        /* Opens a closed transport; else checks that the peer is still there. */
        int (*connect)(struct ob_sink *s, struct ob_err *err);

        /* Closes the transport and discards bytes on their way. Returns whether the transport was open. */
        bool (*disconnect)(struct ob_sink *s);

        /* Closes the transport cleanly: sent bytes arrive, if time allows. NULL: no bytes are on their way. */
        int (*finish)(struct ob_sink *s, struct ob_err *err);

        /* The connection is lost: rewinds where that is safe. NULL: the sink never rewinds. */
        void (*rewind)(struct ob_sink *s);

        /*
         * Drops the oldest batches, at least `bytes` bytes but none after `last`, and counts the losses. Does not
         * commit.
         */
        int (*drop_oldest)(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err);

        /* Saves what only a clean stop knows, for the next start, and adds the unsent rest to `behind`. */
        int (*stop)(struct ob_sink *s, struct ob_err *err);

        void (*free)(struct ob_sink *s);

        /* Do the work of ob_sink_divide(), ob_sink_unite() and ob_sink_has_begun(). has_begun NULL: the sink may
         * repeat. */
        int (*divide)(const struct ob_sink_settings *s, const struct ob_sink_part *part,
                struct ob_delivery *delivery, struct ob_err *err);
        int (*unite)(const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more,
                struct ob_err *err);
        bool (*has_begun)(const struct ob_bytes *saved);
};

/* Why points are lost. */
enum ob_loss {
        OB_LOSS_LATE,
        OB_LOSS_MOVED, /* no loss: the points count in a later step */
        OB_LOSS_TIME,
        OB_LOSS_NAME,
        OB_LOSS_CORRUPT,
        OB_LOSS_QUEUE,
        OB_LOSS_WIRE,
        OB_LOSS_REFUSED,
        OB_LOSSES
};

/* Takes the values of a sink that sends nothing: see collect.c. */
struct ob_collect {
        /* Called once for each step of each series, in the order of the steps. */
        void (*take)(void *ctx, const struct ob_fold_value *v);
        void *ctx;
        int64_t left_out[OB_LOSSES]; /* points that got into no step */
        char *first[OB_LOSSES];      /* ours: the name of the first of these points; NULL */
};

struct ob_sink {
        /* Set before the start; all borrowed and const from then on. */
        const struct ob_sink_settings *settings;
        const char *prefix;
        int keep;     /* seconds: the most that a row may be older than the newest row */
        size_t index; /* in counters and queue */
        struct ob_queue *queue;
        struct ob_sink_counters *counters;
        struct ob_stop *stop;
        struct ob_state_dir *state_dir;
        const struct ob_permit *permit; /* NULL: the sink may always send */
        bool is_dry;
        bool is_once;               /* before the stop, every source was read to its end */
        bool is_forgotten;          /* the store ends with the process, or is a copy */
        struct ob_collect *collect; /* NULL: the sink sends its points */

        /* The sink's thread owns these. */
        const struct ob_sink_ops *ops;
        struct ob_store *store;
        struct ob_delivery delivery;
        struct ob_backoff backoff;
        struct ob_log_once logged[OB_LOSSES], clamped;
        bool is_failing;
        bool is_store_failing; /* the last commit failed, and no wait has followed yet */
        void *state;           /* ours, by ops->free */
        pthread_t thread;

        bool is_clean; /* after the end: all was delivered */
};

extern const struct ob_sink_ops ob_sink_statsd;
extern const struct ob_sink_ops ob_sink_graphite;
extern const struct ob_sink_ops ob_sink_graphite_append;
extern const struct ob_sink_ops ob_sink_events;
extern const struct ob_sink_ops ob_sink_collect;

/* Opens the store, reads `delivery`, starts the thread. */
int ob_sink_start(struct ob_sink *s, struct ob_err *err);

/*
 * Turns a copy of a sink's position into that of a queue which has only the batches of one manager, with the same
 * numbers. -1: the saved state does not fit the settings. Any thread; the sink does not work meanwhile.
 */
int ob_sink_divide(const struct ob_sink_settings *s, const struct ob_sink_part *part, struct ob_delivery *delivery,
        struct ob_err *err);

/*
 * The way back: adds the saved state that the sink has for one more manager. The caller decides about `acked` and
 * `sent_upto`. `saved` has nothing, or what earlier calls made of it.
 */
int ob_sink_unite(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err);

/* Whether the sink has sent a part of the first batch after `acked`, by its saved state. */
bool ob_sink_has_begun(const struct ob_sink_settings *s, const struct ob_bytes *saved);

/* Whether the sink may send the batches after `acked` once more, so that `sent_upto` only counts. */
bool ob_sink_may_repeat(const struct ob_sink_settings *s);

/* Waits for the thread, which ends by the stop's deadline, and frees its memory. */
void ob_sink_join(struct ob_sink *s);

/* For ops: counts and logs lost points. */
void ob_sink_lose(struct ob_sink *s, enum ob_loss why, int64_t points, const char *what);

/*
 * For ops: logs, at most once a minute, that a series' sum was clamped to 64 bits. The caller owns `once`; `sink`
 * is the sink's name.
 */
void ob_sink_log_clamped(
        struct ob_log_once *once, const char *sink, const char *prefix, const struct ob_series *series);

/* For ops: counts delivered points: `points` on their own, `folded` as parts of others. */
void ob_sink_sent(struct ob_sink *s, int64_t points, int64_t folded);

/* For ops: commits `delivery`, and deletes the batches that every sink has acked, as far as that works. */
int ob_sink_commit(struct ob_sink *s, struct ob_err *err);

/*
 * For ops: commits `delivery` and deletes nothing, which costs less. Acknowledged batches take room in the queue
 * until the next ob_sink_commit(), so a sink must call ob_sink_commit() before it waits.
 */
int ob_sink_note(struct ob_sink *s, struct ob_err *err);

/* For ops: connects; does nothing with --dry-run. */
int ob_sink_connect(struct ob_sink *s, struct ob_err *err);

#endif
