/*
 * The running agent: store, queue, sinks and workers of one config. They start in this order and stop in reverse
 * order, so that points which were read can still go out. The main thread owns the agent.
 */
#ifndef OB_OPS_AGENT_H
#define OB_OPS_AGENT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/ops/progress.h"
#include "agent/ops/status.h"
#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/sink/sink.h"
#include "agent/source/mysql/session_turns.h"
#include "agent/source/names/names.h"
#include "agent/source/worker.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/config.h"

struct ob_agent {
        const struct ob_config *config; /* borrowed */
        bool is_once;                   /* ends after it has read every source to its end */
        bool is_dry;                    /* prints the lines, and moves no checkpoint */
        bool is_replay;                 /* sends old rows again; another agent may be running */
        int terminal;                   /* descriptor for the progress line; 0: none is shown */
        const char *names_dir;          /* borrowed: the state directory that has the names; NULL: the config's */

        struct ob_state_dir state_dir;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop_workers, stop_sinks;
        struct ob_session_turns *turns; /* ours; one per manager, in the config's order */
        struct ob_names *names;         /* ours; one per manager, in the config's order; NULL: names are not read */
        struct ob_pipeline_health **states; /* ours; one per manager */
        struct ob_worker *workers;          /* ours */
        struct ob_sink *sinks;              /* ours */
        struct ob_status *status;           /* ours; NULL: the status page is off */
        struct ob_progress *progress;       /* ours; NULL: no progress is shown */
        size_t n_names, n_workers, n_sinks; /* how many were started */
        bool is_disk_low, is_queue_full;    /* as logged */
};

/* Starts the agent. On failure no part of the agent runs. */
int ob_agent_start(struct ob_agent *a, const struct ob_config *config, struct ob_err *err);

/* Whether --once is done: every worker has ended, and no sink has points left. */
bool ob_agent_is_drained(struct ob_agent *a);

/* Measures the free space; logs when disk or queue become full and recover. Called about every second. */
void ob_agent_watch(struct ob_agent *a);

/* The inputs of the status page; valid until the agent stops. */
struct ob_status_of ob_agent_status_of(struct ob_agent *a);

/* Whether the store was found corrupt: the agent has to be started again, which repairs the store. */
bool ob_agent_is_corrupt(const struct ob_agent *a);

/* A number that grows with every piece of work: rows, points, workers that end. */
int64_t ob_agent_progress(const struct ob_agent *a);

/* Stops the agent within the config's `drain` seconds. True: all points were sent, and every source was read
 * without failure (--once). */
bool ob_agent_stop(struct ob_agent *a);

#endif
