/*
 * The agent's own counters as points, agent.*: gauges with their value, counters with their increase since the
 * last commit. Owned by one thread; other threads write the counters meanwhile.
 */
#ifndef OB_SOURCE_OWN_COUNTERS_H
#define OB_SOURCE_OWN_COUNTERS_H

#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/source/outbox.h"
#include "agent/store/membership.h"
#include "config/own_series.h"

/* What is counted in this process: borrowed, and set before any thread starts. */
struct ob_own_parts {
        struct ob_counters *const *counters; /* of each queue; their sinks are the same */
        size_t n_counters;
        struct ob_membership *membership; /* of a shared state; it may not be open; NULL */
};

struct ob_own_counters {
        const struct ob_own_parts *parts; /* borrowed */
        struct ob_outbox outbox;
        struct ob_own_row {
                int64_t committed[OB_OWN_SERIES]; /* of each counter: the value that is in the queue */
                int64_t read[OB_OWN_SERIES];      /* of each counter: the value of this poll, not committed yet */
        } * rows;                                 /* ours: first of all sources, then of the sinks */
        bool is_begun;                            /* a poll was committed: unchanged counters need no more points */
};

/* The caller sets the borrowed members and the outbox's, and clears the rest. */
void ob_own_counters_init(struct ob_own_counters *own);
void ob_own_counters_fini(struct ob_own_counters *own);

/* One poll. 1: a stop cut it short. */
int ob_own_counters_poll(struct ob_own_counters *own, struct ob_err *err);

#endif
