/*
 * What the two files of the StatsD sink share: statsd.c sends and remembers, statsd_batch.c makes datagrams of
 * a batch. The sink's thread's own.
 */
#ifndef OB_SINK_STATSD_H
#define OB_SINK_STATSD_H

#include "agent/sink/datagram_socket.h"
#include "agent/sink/datagrams.h"
#include "agent/sink/fold.h"
#include "agent/sink/origin.h"
#include "agent/sink/sink.h"
#include "agent/sink/totals.h"
#include "proto/dogstatsd.h"

struct ob_statsd_encoding;

/*
 * Points of the past, for a server that is told their time and does not add them up: what has one series and second
 * stands for all that came before. So they are folded to one total a step, and a step that grows is told again at
 * the same second. The fold does not outlive the process: each run has a second of its own in every step, and none
 * has the first, where the server puts what it adds up itself.
 */
struct ob_statsd_past {
        struct ob_fold *fold; /* NULL: there is no past */
        uint64_t run;         /* how many began before this one */
        int64_t now;          /* of the loaded batch: what was `backlog` seconds older is past */
        int64_t forgot_at;    /* a batch's clock */
};

struct ob_statsd {
        struct ob_datagram_socket socket;
        struct ob_stored_batch batch;
        bool is_loaded;
        int64_t brought;          /* points of the batch that came in: an earlier run may have sent the others */
        uint64_t skip;            /* places of the next batch that an earlier run has sent */
        struct ob_datagrams out;  /* the batch */
        struct ob_totals *totals; /* NULL: counters alone */
        struct ob_log_once too_long;
        struct ob_dog dog; /* with flavor dogstatsd */
        char origin[OB_ORIGIN_MAX];
        void (*encode)(struct ob_text *out, const struct ob_sink *s, const struct ob_metric *m);
        struct ob_statsd_past past;
        struct ob_statsd_encoding *encoding; /* while a batch is made into datagrams */

        /* The totals, told again, a slice at a time. */
        struct {
                struct ob_datagrams out;
                const struct ob_total *told; /* the last one; NULL: it begins */
                int64_t due;                 /* the next slice, ob_clock_ms() */
                bool is_hurried;             /* one slice after the other: they may know nothing yet */
        } round;
};

/* Sets up how points are written, by the sink's settings; `s->state` is there. Ended by ob_statsd_end_encoding. */
void ob_statsd_begin_encoding(struct ob_sink *s);
void ob_statsd_end_encoding(struct ob_statsd *st);

/*
 * Makes datagrams of the loaded batch, but for what was sent before. What stands where in it is the same whenever
 * it is done with the same `past.now`: first the points by their numbers, then the steps of the past, then the
 * events.
 */
void ob_statsd_encode(struct ob_sink *s);

/* Adds a total to `out`. False when a line of it is too long to be sent. */
bool ob_statsd_add_total(struct ob_sink *s, struct ob_datagrams *out, const struct ob_total *total, unsigned place);

/* Whether only totals are sent, which may be sent twice: nothing of them can be in doubt. */
bool ob_statsd_is_idempotent(const struct ob_sink *s);

#endif
