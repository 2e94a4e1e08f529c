/*
 * The agent's own counters as points, agent.*: gauges as they are, counters by what came to pass since they were
 * last committed to the queue. One thread's; the counters are written by others meanwhile.
 */
#ifndef OB_SOURCE_OWN_COUNTERS_H
#define OB_SOURCE_OWN_COUNTERS_H

#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/source/outbox.h"
#include "agent/store/queue.h"
#include "config/own_series.h"

struct ob_own_counters {
        struct ob_counters *counters; /* borrowed */
        struct ob_queue *queue;       /* borrowed */
        struct ob_outbox outbox;
        struct ob_own_row {
                int64_t committed[OB_OWN_SERIES]; /* of each counter: what of it is in the queue */
                int64_t read[OB_OWN_SERIES];      /* … and what will be once this poll is committed */
        } * rows;                                 /* ours: of each source, then of each sink, then of the agent */
        bool is_begun; /* a poll was committed: counters that stand still need no more points */
};

/* `own` is all zero but for what is borrowed, and the outbox's. */
void ob_own_counters_init(struct ob_own_counters *own);
void ob_own_counters_fini(struct ob_own_counters *own);

/* One poll. 1: a stop cut it short. */
int ob_own_counters_poll(struct ob_own_counters *own, struct ob_err *err);

#endif
