/*
 * The running agent: store, queue, sinks and workers of one config. Started from right to left, stopped from
 * left to right, so that what was read can still go out. Owned by the main thread.
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
#include "agent/source/names.h"
#include "agent/source/session_turns.h"
#include "agent/source/worker.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/config.h"

struct ob_agent {
        const struct ob_config *config; /* borrowed */
        bool is_once;                   /* reads every source until it is drained */
        bool is_dry;                    /* prints, and moves no cursor */
        bool is_replay;                 /* tells the past again, beside an agent that may be running */
        int terminal;                   /* where it shows its progress; 0: nowhere */
        const char *names_dir;          /* borrowed: a state_dir whose names hold; NULL: the config's */

        struct ob_state_dir state_dir;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop_workers, stop_sinks;
        struct ob_session_turns *turns; /* ours; one a manager, in the config's order */
        struct ob_names *names; /* ours: one a manager, in the config's order; NULL: they are not looked up */
        struct ob_pipeline_health **states; /* ours; one a manager */
        struct ob_worker *workers;          /* ours */
        struct ob_sink *sinks;              /* ours */
        struct ob_status *status;           /* ours; NULL: it is off */
        struct ob_progress *progress;       /* ours; NULL: it is not shown */
        size_t n_names, n_workers, n_sinks; /* that were started */
        bool is_disk_low, is_queue_full;    /* and told so */
};

/* On failure nothing of it runs any more. */
int ob_agent_start(struct ob_agent *a, const struct ob_config *config, struct ob_err *err);

/* Whether everything that --once wants is done: all read and sent, or no way on. */
bool ob_agent_is_drained(struct ob_agent *a);

/* Looks how much room the queue has, and tells who keeps it full; to be called each second or so. */
void ob_agent_watch(struct ob_agent *a);

/* What its status is drawn from; valid until it stops. */
struct ob_status_of ob_agent_status_of(struct ob_agent *a);

/* Whether the store has turned out to be damaged: to be started again. */
bool ob_agent_is_corrupt(const struct ob_agent *a);

/* A number that grows with whatever the agent gets done. */
int64_t ob_agent_progress(const struct ob_agent *a);

/* Stops, within the config's `drain` seconds. True: every source was read soundly (--once), and all went out. */
bool ob_agent_stop(struct ob_agent *a);

#endif
