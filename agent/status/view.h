/*
 * A snapshot of counters, queue and pipeline states. The HTML page, the metrics and the JSON are drawn from one
 * view. One thread takes and frees a view; the locks that it takes meanwhile cover nothing but copying.
 */
#ifndef OB_STATUS_VIEW_H
#define OB_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/source/pipeline_health.h"
#include "agent/store/membership.h"
#include "config/config.h"
#include "proto/bytes.h"

/* The inputs of a view: parts of the running agent, borrowed. */
struct ob_status_of {
        const struct ob_config *config;
        struct ob_counters *const
                *counters; /* one set for each queue; all sets have the same sinks in the same order */
        size_t n_counters;
        struct ob_membership *membership; /* of the shared state; it may not be open; NULL */
        struct ob_stop *stop;             /* says whether the agent stops */

        /* A copy of the pipelines of a manager, which the caller frees. NULL: nothing is known of pipelines. */
        struct ob_pipeline *(*pipelines)(void *ctx, size_t manager, size_t *n);
        void *ctx;
};

/* The health of a source or sink, the worst last. */
enum ob_wellness {
        OB_WELL,
        OB_TROUBLED, /* it fails, but is within its deadline */
        OB_ILL,      /* past its deadline: a fault outside, or ours */
        OB_STUCK,    /* its thread did not show life in time: our fault */
        OB_WELLNESSES
};

/* "well", "troubled", "ill", "stuck" */
const char *ob_wellness_word(enum ob_wellness w);

enum ob_number {
        OB_NUMBER_AGE_MS, /* numbers of a source, from here on; the time since its last whole poll */
        OB_NUMBER_LIMIT_MS,
        OB_NUMBER_POLL_MS,
        OB_NUMBER_ROWS,
        OB_NUMBER_LATE_ROWS,
        OB_NUMBER_ERRORS,
        OB_NUMBER_FAILING_MS, /* numbers of a sink, from here on; how long it has been failing; 0: it does not */
        OB_NUMBER_BEHIND,
        OB_NUMBER_POINTS,
        OB_NUMBER_SENT,
        OB_NUMBER_FOLDED,
        OB_NUMBER_LATE,
        OB_NUMBER_LOST,
        OB_NUMBER_UNCERTAIN,
        OB_NUMBER_RECONNECTS,
        OB_NUMBERS
};

/* A source or a sink. */
struct ob_view_one {
        const char *name; /* borrowed */
        enum ob_wellness well;
        char why[2 * OB_ERR_MAX]; /* why the source or sink is not well; "" when it is */
        int64_t numbers[OB_NUMBERS];
        struct ob_health_story story;
};

struct ob_view_manager {
        const char *name;              /* borrowed; "" */
        struct ob_pipeline *pipelines; /* ours; the worst state first */
        size_t n;
        size_t by_state[OB_STATES];
};

struct ob_view {
        const struct ob_status_of *of; /* borrowed */
        int64_t now;                   /* seconds since 1970 */
        int64_t clock;                 /* ob_clock_ms() */
        bool is_stopping;
        struct ob_membership_story membership;
        struct ob_lease_story *leases; /* ours; one per manager of a shared state */
        size_t n_leases;
        enum ob_wellness lease_well;
        char lease_why[2 * OB_ERR_MAX];      /* why the leases are not well; "" when they are */
        struct ob_view_one *sources, *sinks; /* ours; those that work at the moment */
        size_t n_sources, n_sinks;
        int64_t queue_points, queue_bytes;
        struct ob_view_manager *managers; /* ours */
        size_t n_managers;
};

/* Whether the state is shared, and this agent owns no manager. */
bool ob_view_is_standby(const struct ob_view *v);

void ob_view_take(struct ob_view *v, const struct ob_status_of *of);
void ob_view_free(struct ob_view *v);

/* How many sources and sinks, and the leases together, are at `at_least` or worse. */
size_t ob_view_count(const struct ob_view *v, enum ob_wellness at_least);

/* Adds a line for each source and sink, and for the leases, when they are not well. */
void ob_view_add_problems(const struct ob_view *v, struct ob_bytes *out);

/* Two headlines, one for the agent and one for Otter, since either may be in trouble while the other is well. */
enum ob_headline_of { OB_HEADLINE_AGENT, OB_HEADLINE_OTTER, OB_HEADLINES };

struct ob_headline {
        enum ob_headline_of of;
        bool is_known; /* false: no pipeline has a state yet, so nothing is known about Otter */
        enum ob_wellness well;
        char text[160];
};

/* Makes both headlines, the worse one first. */
void ob_headlines(const struct ob_view *v, struct ob_headline lines[OB_HEADLINES]);

/* How well a pipeline in this state is. */
enum ob_wellness ob_headline_wellness(enum ob_state state);

/* How many pipelines are at `at_least` or worse. */
size_t ob_headline_pipelines(const struct ob_view *v, enum ob_wellness at_least);

#endif
