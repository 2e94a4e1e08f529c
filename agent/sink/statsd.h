/*
 * Shared by statsd.c, which sends and keeps the state, and statsd_batch.c, which encodes a batch. The sink's thread
 * owns all of it.
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
 * Points of the past, for a server that stores them at their own time and does not add them up: a value replaces
 * earlier values of its series and second. So the points of a step are folded to one total, and a step that grows
 * is sent again at the same second. The fold ends with the process, so consecutive runs of the agent use different
 * seconds of a step, never the first second, where the server puts its own sums.
 */
struct ob_statsd_past {
        struct ob_fold *fold; /* NULL: points are sent without their time */
        uint64_t run;         /* the number of runs before this one */
        int64_t now;    /* wall clock of the loaded batch: points more than `backlog` seconds older are past */
        int64_t forgot; /* when idle series were last closed, on ob_clock_ms() */
};

struct ob_statsd {
        struct ob_datagram_socket socket;
        struct ob_stored_batch batch;
        bool is_loaded;
        unsigned kept;   /* batches that were sent since the last deletion of acknowledged batches */
        int64_t brought; /* points of the batch that count for this run: an earlier run may have sent the others */
        uint64_t skip;   /* how many places of the next batch an earlier run has sent */
        struct ob_datagrams out;  /* the loaded batch */
        struct ob_totals *totals; /* NULL: no totals are sent */
        struct ob_log_once too_long;
        struct ob_dog dog; /* with flavor dogstatsd */
        char origin[OB_ORIGIN_MAX];
        void (*encode)(struct ob_text *out, const struct ob_sink *s, const struct ob_metric *m);
        struct ob_statsd_past past;
        struct ob_statsd_encoding *encoding; /* ours */

        /* The cycle that sends all totals, a slice at a time. */
        struct {
                struct ob_datagrams out;
                const struct ob_total *told; /* the last total that was sent; NULL: the cycle begins */
                int64_t due;                 /* of the next slice, on ob_clock_ms() */
                bool is_hurried;             /* all slices at once: the server may have no totals yet */
        } round;
};

/* Sets the encoding up by the sink's settings; `s->state` must exist. ob_statsd_end_encoding() frees it. */
void ob_statsd_begin_encoding(struct ob_sink *s);
void ob_statsd_end_encoding(struct ob_statsd *st);

/*
 * Makes datagrams of the loaded batch, without the places that were sent before. With the same `past.now` the
 * places are always the same: first the points by number, then the steps of the past, then the events.
 */
void ob_statsd_encode(struct ob_sink *s);

/* Adds a total to `out`. False when a line of it is too long to be sent. */
bool ob_statsd_add_total(struct ob_sink *s, struct ob_datagrams *out, const struct ob_total *total, unsigned place);

/* Whether only totals are sent: they may be sent twice, so nothing is in doubt. */
bool ob_statsd_is_idempotent(const struct ob_sink *s);

#endif
