/*
 * A feed: one source of one manager on its way to the queue. Reading, comparing and committing a page of
 * rows; each shape of source compares in its own way, behind ob_delta_ops. Owned by its worker's thread.
 */
#ifndef OB_SOURCE_TASK_H
#define OB_SOURCE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/log_once.h"
#include "agent/process/stop.h"
#include "agent/source/names/names.h"
#include "agent/source/outbox.h"
#include "agent/source/pipeline_health.h"
#include "agent/source/reader.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "config/source.h"

struct ob_events;
struct ob_task;

/* From the rows of a table to what came to pass since the last poll. */
struct ob_delta_ops {
        /* The source is new, or its database another one: finds where to begin, and commits `next` so. */
        int (*begin)(struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err);

        /* Reads what is new and commits it, page by page. 1: a stop cut it short, what was committed stands. */
        int (*poll)(struct ob_task *f, const struct ob_reading *at, struct ob_err *err);

        /* Forgets what it knew by heart; the store may say otherwise. */
        void (*reset)(struct ob_task *f);
};

/* What is told of a feed at most once a minute. */
enum ob_row_fault {
        OB_FAULT_CELL,      /* can't be read */
        OB_FAULT_RESET,     /* a total became smaller, or its row was replaced */
        OB_FAULT_BEHIND,    /* a total is lower than on the server that it was read from before */
        OB_FAULT_DUPLICATE, /* several rows have one key */
        OB_FAULT_CHANGED,   /* a row that was counted has changed */
        OB_FAULT_CLAMPED,   /* a number is beyond 64 bits: the nearest one that is not is counted */
        OB_ROW_FAULTS
};

struct ob_task {
        /* Set by the worker; borrowed. */
        const struct ob_source *source;
        const char *manager; /* its name: the first tag; "" */
        const char *name;    /* in the store and the log */
        struct ob_source_counters *counters;
        struct ob_names *names;            /* of the manager's things; NULL: there are none */
        struct ob_reader *reader;          /* ours */
        struct ob_pipeline_health *states; /* of the manager's pipelines; NULL */
        int64_t step; /* seconds in which Graphite's steps end together; 0: there is no Graphite */

        /* Our own. */
        const struct ob_delta_ops *delta;
        void *state; /* ours, by delta->reset */
        bool is_loaded;
        struct ob_checkpoint checkpoint; /* as committed */
        int64_t now;                     /* of the poll: the clock of the rows' world */
        int64_t page_at;                 /* our own, when the page of rows was begun: ob_clock_ms() */
        const struct ob_names_snapshot
                *snapshot;             /* the names for the rows that were read last; NULL: there are none */
        bool has_unsettled;            /* the last poll left rows that are too young */
        enum ob_deliver_to deliver_to; /* of the points that are made now */
        struct ob_outbox outbox;       /* its store, queue, counters and stop are set by the worker */
        struct ob_events *events;      /* ours; NULL: the source has no text */
        struct ob_log_once logged[OB_ROW_FAULTS];
        char *logged_plan, *logged_missing; /* ours: what was last said of them */
        const struct ob_fact_source
                *fact_sources[OB_COLUMNS_MAX]; /* by column: what it tells of a pipeline; NULL */
};

/* For deltas: reads rows as the reader's `read` does, and takes the names for them. */
int ob_task_read(struct ob_task *f, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err);

/*
 * For deltas: whether the database became another one not longer than the source's overlap ago. Then what it lacks,
 * or has less of than was counted, may only be late: it is perhaps a copy of the other one, some seconds behind.
 */
bool ob_task_is_doubtful(const struct ob_task *f);

/* For deltas: tells of something odd; counts it as an error where it is one. */
void ob_task_log_once(
        struct ob_task *f, enum ob_row_fault what, const char *column, const char *id, const char *why);

#endif
