/*
 * What works over one store: its queue, its sinks and its workers. They start in this order and stop in reverse
 * order, so that points which were read can still go out. An agent with a state_dir has one unit. An agent that
 * shares its state has a unit for each manager, which works while the agent owns the manager, and one in memory for
 * its own counters.
 *
 * One thread at a time starts and stops a unit. Where nothing else is said, only this thread calls the functions.
 */
#ifndef OB_OPS_UNIT_H
#define OB_OPS_UNIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/sink/sink.h"
#include "agent/source/mysql/session_turns.h"
#include "agent/source/names/names.h"
#include "agent/source/own_counters.h"
#include "agent/source/worker.h"
#include "agent/store/lease.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/config.h"

/* How an agent runs; all false: without an end. */
struct ob_mode {
        bool is_once;               /* ends after it has read every source to its end */
        bool is_dry;                /* prints the lines, and moves no checkpoint */
        bool is_replay;             /* sends old rows again; another agent may be running */
        struct ob_collect *collect; /* borrowed: takes what the one Graphite sink would send; NULL: it is sent */
        const char *names_dir;      /* borrowed: the state directory that has the names; NULL: the config's */
};

/* What a unit works on. */
enum ob_unit_part {
        OB_UNIT_WHOLE,   /* all that the config has */
        OB_UNIT_MANAGER, /* one manager, in a shared state */
        OB_UNIT_OWN,     /* the agent's own counters, in memory */
};

struct ob_unit_plan {
        const struct ob_manager *manager; /* NULL: the worker reads the agent's own counters */
        const char *worker;
};

struct ob_unit {
        /* Set by ob_unit_init. */
        enum ob_unit_part part;
        const struct ob_mode *mode;     /* borrowed */
        struct ob_lease *lease;         /* borrowed; NULL: the state is not shared */
        atomic_size_t *reading;         /* borrowed: how many workers of the agent have not finished */
        const struct ob_own_parts *own; /* borrowed */
        const struct ob_config *whole;  /* borrowed: the config of the agent */
        struct ob_config config;        /* what of it concerns this unit; `sources` and `sinks` are ours */
        struct ob_counters counters;
        struct ob_unit_plan *plans; /* ours: the workers */
        size_t n_plans;

        /* While the unit works. */
        struct ob_state_dir state_dir;
        struct ob_queue queue;
        struct ob_stop stop_workers, stop_sinks;
        struct ob_session_turns *turns;     /* ours; one per manager, in the config's order */
        struct ob_names *names;             /* ours; one per manager; NULL: names are not read */
        struct ob_worker *workers;          /* ours */
        struct ob_sink *sinks;              /* ours */
        size_t n_names, n_workers, n_sinks; /* how many were started */
        bool is_disk_low, is_queue_full;    /* as logged */

        pthread_mutex_t lock;               /* guards `is_started`, and `states` against their end */
        bool is_started;                    /* all parts work */
        struct ob_pipeline_health **states; /* ours; one per manager; NULL: the unit does not work */
};

/*
 * Prepares a unit of a config, which is borrowed; the caller sets `mode`, `reading` and `own`, and clears the rest.
 * `lease` is that of the manager at index `manager`, for a unit of one manager; else NULL.
 */
void ob_unit_init(struct ob_unit *u, enum ob_unit_part part, const struct ob_config *config, size_t manager,
        struct ob_lease *lease);
void ob_unit_fini(struct ob_unit *u);

/* Starts all parts. On failure no part works. */
int ob_unit_start(struct ob_unit *u, struct ob_err *err);

/*
 * Stops all parts: the workers at once, then the sinks within `drain_ms`, or earlier when all is sent. True: all
 * points were sent, and every source was read without failure (--once).
 */
bool ob_unit_stop(struct ob_unit *u, int64_t drain_ms);

/* Measures the free space; logs when disk or queue become full and recover. */
void ob_unit_watch(struct ob_unit *u);

/* Whether the store was found corrupt: the unit has to be started again, which repairs the store. */
bool ob_unit_is_corrupt(const struct ob_unit *u);

/* Whether every worker has ended, and no sink has points left. Any thread. */
bool ob_unit_is_drained(struct ob_unit *u);

/* A copy of the pipelines of a manager, which the caller frees; NULL with `*n` 0 when the unit does not work. Any
 * thread. */
struct ob_pipeline *ob_unit_pipelines(struct ob_unit *u, size_t manager, size_t *n);

#endif
