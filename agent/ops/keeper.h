/*
 * A keeper works on a manager of a shared state: when this agent has got the manager's lease, a thread starts the
 * manager's unit, watches it, stops it when the lease ends, and returns the lease to the membership.
 */
#ifndef OB_OPS_KEEPER_H
#define OB_OPS_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/ops/unit.h"
#include "agent/store/lease.h"

struct ob_keeper {
        struct ob_unit *unit; /* borrowed */
        struct ob_lease *lease;
        pthread_t thread;    /* 0: none was started */
        int64_t generation;  /* of the lease that the thread was started for */
        atomic_bool is_done; /* the agent stops: the thread ends, and the lease stays */
        int64_t drain_ms;    /* then its sinks may send for so long; set before `is_done` */
        bool is_clean;       /* of the last unit that was stopped; valid when the thread has ended */
};

/* The lease is held: the work begins, unless it has begun. One thread at a time calls this and ob_keeper_join. */
void ob_keeper_begin(struct ob_keeper *k);

/* The work ends, with `drain_ms` for its sinks; the lease stays with this agent. ob_keeper_join waits for the end.
 */
void ob_keeper_end(struct ob_keeper *k, int64_t drain_ms);
void ob_keeper_join(struct ob_keeper *k);

#endif
