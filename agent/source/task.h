/*
 * A task: reads one source of one manager into the queue. A task reads, compares and commits a page of rows; each
 * shape of source compares in its own way, behind ob_delta_ops. Owned by its worker's thread.
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
#include "config/config.h"
#include "config/source.h"
#include "proto/bytes.h"

struct ob_events;
struct ob_series_cache;
struct ob_task;

/* Makes points of the rows that are new since the last poll. */
struct ob_delta_ops {
        /* The source is new, or its database changed: finds where to begin, and commits `next` with that. */
        int (*begin)(struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err);

        /* Reads and commits what is new, page by page. 1: a stop ended the poll; what was committed stays. */
        int (*poll)(struct ob_task *f, const struct ob_reading *at, struct ob_err *err);

        /* Clears the state in memory; the store's may differ. */
        void (*reset)(struct ob_task *f);

        /* The id from which a poll at `now` reads its first page. NULL: a poll has no pages. */
        int (*find_first)(struct ob_task *f, int64_t now, int64_t *from, struct ob_err *err);
};

/* The first page of a poll, when it is read in one query with the clock. */
struct ob_page_ahead {
        bool is_useful; /* the first page of the last poll was whole, so the next first page may be whole, too */
        bool is_first;  /* this poll has not read a page yet */
        bool is_read;   /* `rows` are the page from the id `from` on */
        int64_t from;
        struct ob_reading at; /* of this poll */
        struct ob_rows rows;
};

/* Faults of a task that are logged at most once a minute. */
enum ob_row_fault {
        OB_FAULT_CELL,      /* a cell can't be read */
        OB_FAULT_RESET,     /* a total became smaller, or its row was replaced */
        OB_FAULT_BEHIND,    /* a total is lower than on the server that was read before */
        OB_FAULT_DUPLICATE, /* several rows have one key */
        OB_FAULT_CHANGED,   /* a row that was counted has changed */
        OB_FAULT_CLAMPED,   /* a number does not fit 64 bits: the nearest number that fits is counted */
        OB_ROW_FAULTS
};

struct ob_task {
        /* Set by the worker; borrowed. */
        const struct ob_source *source;
        const char *manager; /* the manager's name, the first tag; "" */
        const char *name;    /* of the source in the store and the log */
        struct ob_source_counters *counters;
        struct ob_names *names;            /* of the manager's objects; NULL: there are none */
        struct ob_reader *reader;          /* ours */
        struct ob_pipeline_health *states; /* of the manager's pipelines; NULL */
        int64_t step;                      /* seconds: see ob_steps_multiple() */
        int64_t repeat;                    /* seconds: see ob_steps_repeat() */

        /* The task's own. */
        const struct ob_delta_ops *delta;
        void *state; /* ours, freed by delta->reset */
        bool is_loaded;
        struct ob_checkpoint checkpoint; /* as committed */
        struct ob_page_ahead ahead;
        int64_t now;                              /* of the poll: seconds, the source's clock */
        int64_t page_at;                          /* when reading the page of rows began: ob_clock_ms() */
        const struct ob_names_snapshot *snapshot; /* names for the rows that were read last; NULL: there are none */
        bool has_unsettled;                       /* the last poll left rows that are too young */
        enum ob_deliver_to deliver_to;            /* of the points that are being made */
        struct ob_outbox outbox;                  /* the worker sets its store, queue, counters and stop */
        struct ob_events *events;                 /* ours; NULL: the source has no events */
        struct ob_log_once logged[OB_ROW_FAULTS];
        char *logged_plan, *logged_missing; /* ours: the texts that were logged last */
        const struct ob_fact_source
                *fact_sources[OB_COLUMNS_MAX];       /* by column: the fact that comes from its series; NULL */
        int first[OB_ROLES];                         /* the first column of each role; -1: there is none */
        unsigned amounts[OB_COLUMNS_MAX], n_amounts; /* the columns that become metrics or facts */
        struct ob_series_cache *series;              /* ours */
        struct {
                char text[24];
                int64_t time;
        } time_read; /* the time cell that was read last, since many rows have the same; time is 0: none yet */
};

/* Whether the source has a checkpoint in the database that the reader has opened. */
bool ob_task_has_begun(const struct ob_task *f);

/*
 * Reads the clock, and the highest id when the source has a cursor. Where possible, one query reads the clock and
 * the poll's first page of rows. If these rows end before the cursor, rows may be missing, and the clock and the
 * highest id are asked for.
 */
int ob_task_read_clock(struct ob_task *f, struct ob_reading *at, struct ob_err *err);

/* For deltas: reads rows as the reader's `read` does, and takes a snapshot of the names for them. */
int ob_task_read(struct ob_task *f, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err);

/*
 * For deltas: appends the identity tags of a row as one key, which is never empty. A NULL differs from an empty
 * tag.
 */
void ob_task_key(const struct ob_task *f, const char *const *row, struct ob_bytes *key);

/*
 * For deltas: whether the database changed less than the source's overlap ago. Then its missing rows and lower
 * totals may only be late: the new database may be a copy that is some seconds behind.
 */
bool ob_task_is_doubtful(const struct ob_task *f);

/* For deltas: logs a fault at most once a minute, and counts the faults that are errors. */
void ob_task_log_once(
        struct ob_task *f, enum ob_row_fault what, const char *column, const char *id, const char *why);

#endif
