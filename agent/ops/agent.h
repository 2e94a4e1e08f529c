/*
 * The running agent: the units of one config (unit.h), and what shows them. An agent that shares its state works on
 * the managers that it owns. The main thread owns the agent.
 */
#ifndef OB_OPS_AGENT_H
#define OB_OPS_AGENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ops/keeper.h"
#include "agent/ops/progress.h"
#include "agent/ops/unit.h"
#include "agent/process/stop.h"
#include "agent/source/own_counters.h"
#include "agent/status/status.h"
#include "agent/store/membership.h"
#include "config/config.h"

struct ob_agent {
        struct ob_mode mode;
        int terminal; /* descriptor for the progress line; 0: none is shown */

        const struct ob_config *config;  /* borrowed */
        struct ob_membership membership; /* of a shared state; open until ob_agent_release */
        struct ob_stop ending;           /* the agent stops, and by when */
        struct ob_unit *units;           /* ours; of a shared state: one per manager, then the agent's own */
        struct ob_counters **counters;   /* ours; those of the units */
        struct ob_own_parts own;         /* what the agent's own counters are read from */
        size_t n_units;                  /* how many were prepared */
        atomic_size_t reading;           /* how many workers have not finished */
        struct ob_status *status;        /* ours; NULL: the status page is off */
        struct ob_progress *progress;    /* ours; NULL: no progress is shown */
        struct ob_unit *single;          /* the unit that the main thread has started; NULL: none */

        pthread_mutex_t lock;      /* guards the keepers; the membership's thread begins their work */
        struct ob_keeper *keepers; /* ours; one per manager of a shared state; NULL: the agent does not run */
        bool has_lock;
};

/* Starts the agent. On failure no part of the agent runs, but for the membership. */
int ob_agent_start(struct ob_agent *a, const struct ob_config *config, struct ob_err *err);

/* Whether --once is done: every worker has ended, and no sink has points left. */
bool ob_agent_is_drained(struct ob_agent *a);

/* Measures the free space; logs when disk or queue become full and recover. Called about every second. */
void ob_agent_watch(struct ob_agent *a);

/* The inputs of the status page; valid until the agent stops. */
struct ob_status_of ob_agent_status_of(struct ob_agent *a);

/* Whether the store was found corrupt: the agent has to be started again, which repairs the store. */
bool ob_agent_is_corrupt(const struct ob_agent *a);

/*
 * Whether the agent has lost a lease, or was asked to release one. It has held all leases before.
 */
bool ob_agent_has_lost(struct ob_agent *a);

/* Releases the shared state, so that other agents take over. The agent is stopped, and is not started again. */
void ob_agent_release(struct ob_agent *a);

/* A number that grows with every piece of work: rows, points, workers that end. */
int64_t ob_agent_progress(const struct ob_agent *a);

/* How many rows were counted, and how many points the queue has. */
int64_t ob_agent_rows(const struct ob_agent *a);
int64_t ob_agent_queued(const struct ob_agent *a);

/* Stops the agent within the config's `drain` seconds. True: all points were sent, and every source was read
 * without failure (--once). */
bool ob_agent_stop(struct ob_agent *a);

#endif
