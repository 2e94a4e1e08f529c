/*
 * What the tables have of each series and step, compared with what Graphite has. The steps of the tables come one
 * by one, and wait in memory until enough of them can be asked for at once. One thread at a time, but any thread
 * reads `has_failed`, `compared` and `to_compare`.
 */
#ifndef OB_VERIFY_COMPARE_H
#define OB_VERIFY_COMPARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sink/fold.h"
#include "agent/verify/render.h"
#include "config/config.h"
#include "proto/hash.h"
#include "proto/metric.h"

/* How a step differs. */
enum ob_cause {
        OB_CAUSE_BEFORE,  /* Graphite keeps nothing of this time, and has later steps */
        OB_CAUSE_LEADING, /* Graphite has no value in this step or before: the series begins later */
        OB_CAUSE_MISSING, /* Graphite has no value in this step, but has one in an earlier step */
        OB_CAUSE_PURGED,  /* Graphite has a value from before the first row */
        OB_CAUSE_NO_ROWS, /* Graphite has a value, and there is no row */
        OB_CAUSE_TWICE,   /* Graphite has at least twice the amount */
        OB_CAUSE_MORE,
        OB_CAUSE_LESS,
        OB_CAUSES
};

struct ob_amount {
        bool is_there;
        struct ob_metric_value value;
};

#define OB_EXAMPLES 100 /* steps that differ, which are kept for the report */

struct ob_compared_step {
        int64_t time;
        struct ob_amount tables, graphite;
};

/* The steps of the tables that wait for their comparison. */
struct ob_waiting_step {
        int64_t step;
        struct ob_metric_value value;
};

/* All series of one column of a source. */
struct ob_column_series {
        const struct ob_source *source; /* borrowed */
        struct ob_series pattern;       /* see ob_rewind_series() */
        size_t group;                   /* columns of one table of one manager share `first_step` */
};

struct ob_compared {
        UT_hash_handle hh;
        const struct ob_column_series *column; /* borrowed */

        struct ob_waiting_step *waiting; /* ours, in the order of the steps */
        size_t n_waiting, room, next;    /* next: the first one that was not compared yet */
        bool has_begun;
        int64_t from, upto; /* compared up to `from`; can be compared up to `upto` */

        /* The result: */
        bool is_found;           /* Graphite has the series */
        bool was_asked;          /* false: the series can't be asked for */
        bool has_value;          /* Graphite has had a value in some step */
        int64_t steps;           /* that were compared: those with a value on one side */
        int64_t equal_positive;  /* steps that are equal and not 0 */
        int64_t differ;          /* steps */
        int64_t by[OB_CAUSES];   /* of these */
        int64_t first, last;     /* of the steps that differ */
        int64_t width;           /* seconds: the longest step that Graphite answered with; 0: none */
        struct ob_amount tables; /* of all steps: the sum, the largest or the newest value */
        struct ob_amount graphite;
        struct ob_compared_step *examples; /* ours */
        size_t n_examples, examples_room;

        size_t length;
        char path[];
};

struct ob_compare {
        /* Set by the owner; borrowed. */
        const struct ob_config *config;      /* with the sources that are compared */
        const struct ob_sink_settings *sink; /* the Graphite sink */
        struct ob_render *render;
        int64_t since, until; /* whole steps; since: INT64_MIN is the oldest row */

        struct ob_column_series *columns; /* ours */
        size_t n_columns;
        int64_t *first_step;                  /* ours: by group, the first step with a row; INT64_MAX: no row yet */
        struct ob_compared *series;           /* ours */
        size_t n_waiting;                     /* steps of all series */
        struct ob_err err;                    /* valid when has_failed */
        atomic_bool has_failed;               /* Graphite could not be asked */
        _Atomic int64_t compared, to_compare; /* requests */
};

void ob_compare_init(struct ob_compare *c);
void ob_compare_free(struct ob_compare *c);

/* Takes a step of the tables: see struct ob_collect. */
void ob_compare_take(void *compare, const struct ob_fold_value *v);

/* Compares what is left, up to `until`, and sorts the series. -1: Graphite could not be asked. */
int ob_compare_finish(struct ob_compare *c, struct ob_err *err);

bool ob_compared_is_equal(const struct ob_compared *s);

#endif
