/*
 * A worker: one thread, one session, and the sources that are read by them, each at its own interval. Only the
 * worker's loop logs, counts and retries the failures of a source.
 */
#ifndef OB_SOURCE_WORKER_H
#define OB_SOURCE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/process/backoff.h"
#include "agent/process/permit.h"
#include "agent/source/health_changes.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/names.h"
#include "agent/source/own_counters.h"
#include "agent/source/poll.h"
#include "agent/source/web/pages.h"
#include "agent/source/web/zone.h"
#include "config/config.h"

struct ob_worker_task {
        const struct ob_source *source; /* borrowed */
        char *name;                     /* ours: [manager/]source */
        union {
                struct ob_task rows; /* of a table or a page */
                struct ob_own_counters counters;
                struct ob_zone_check zone;
                struct ob_health_changes health;
        };
        int64_t due, took_ms;
        struct ob_backoff backoff;
        bool is_failing;
        bool is_logged; /* the failure was logged */

        /* Valid after a poll: */
        bool has_unsettled; /* rows were left that are too young */
        bool is_partial;    /* some rows could not be read, which was logged */
        bool is_shared;     /* the poll failed, which was logged, perhaps for several sources at once */
};

struct ob_worker {
        /* Set before the start; borrowed. */
        const struct ob_config *config;
        const struct ob_manager *manager; /* NULL: the worker reads the agent's own counters */
        const char *name;                 /* as in ob_source.worker */
        struct ob_counters *counters;
        size_t index; /* of the worker in counters->sources */
        struct ob_queue *queue;
        struct ob_names *names; /* of the manager; NULL: names are not read */
        bool refreshes_names;   /* this worker reads the names, in its session */
        struct ob_state_dir *state_dir;
        struct ob_pipeline_health *states; /* of the manager's pipelines; NULL */
        struct ob_session_turns *turns;    /* of the manager's sessions; NULL */
        struct ob_stop *stop;
        const struct ob_permit *permit; /* while it is not valid, the worker reads nothing; NULL: it always is */
        atomic_size_t *reading;         /* how many workers of the agent have not finished */
        const struct ob_own_parts *own; /* what the agent's own counters are read from */
        bool is_once;                   /* the worker reads until no rows are left, then ends */

        /* The thread's own. */
        struct ob_store *store;
        struct ob_session session;
        struct ob_pages *pages;       /* ours; NULL until a source needs pages */
        struct ob_worker_task *tasks; /* ours */
        size_t n_tasks;
        int64_t began; /* when the first interval began, ob_clock_ms() */
        pthread_t thread;

        atomic_bool is_done;
        bool is_clean; /* with is_once: every source was read completely and without errors */
};

/* [manager/]name: a source or worker in the store, the log and agent.*; the caller frees it. */
char *ob_worker_name(const struct ob_worker *w, const char *name);

int ob_worker_start(struct ob_worker *w, struct ob_err *err);

/* Waits for the thread, which ends soon after a stop is wanted, and frees the worker's parts. */
void ob_worker_join(struct ob_worker *w);

#endif
