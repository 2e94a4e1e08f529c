/*
 * What the status page tells, taken at one moment from counters, queue and states; the page, its metrics and its
 * JSON are drawn from the same. Taken and freed by one thread, with short locks that cover copying only.
 */
#ifndef OB_OPS_STATUS_VIEW_H
#define OB_OPS_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/source/pipeline_health.h"
#include "agent/store/queue.h"
#include "config/config.h"

/* Where it is taken from: the running agent's, borrowed. */
struct ob_status_of {
        const struct ob_config *config;
        struct ob_counters *counters;
        struct ob_queue *queue;
        struct ob_pipeline_health **states; /* one a manager */
        struct ob_stop *stop;               /* of the workers: whether we are stopping */
};

/* In rising order of trouble. */
enum ob_wellness {
        OB_WELL,
        OB_TROUBLED, /* something goes wrong, but it is not late yet */
        OB_ILL,      /* past its deadline: the world's fault, or ours */
        OB_STUCK,    /* its thread was not heard of when it should: ours */
        OB_WELLNESSES
};

/* "well", "troubled", "ill", "stuck" */
const char *ob_wellness_word(enum ob_wellness w);

enum ob_number {
        OB_NUMBER_AGE_MS, /* of a source: since its last whole poll */
        OB_NUMBER_LIMIT_MS,
        OB_NUMBER_POLL_MS,
        OB_NUMBER_ROWS,
        OB_NUMBER_LATE_ROWS,
        OB_NUMBER_ERRORS,
        OB_NUMBER_FAILING_MS, /* of a sink: since it fails; 0 */
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
        char why[2 * OB_ERR_MAX]; /* "" when it is well */
        int64_t numbers[OB_NUMBERS];
        struct ob_health_story story;
};

struct ob_view_manager {
        const char *name;              /* borrowed; "" */
        struct ob_pipeline *pipelines; /* ours; those in most trouble first */
        size_t n;
        size_t by_state[OB_STATES];
};

struct ob_view {
        const struct ob_status_of *of; /* borrowed */
        int64_t now;                   /* seconds since 1970 */
        int64_t clock;                 /* ob_clock_ms() */
        bool is_stopping;
        struct ob_view_one *sources, *sinks; /* ours */
        size_t n_sources, n_sinks;
        int64_t queue_points, queue_bytes;
        struct ob_view_manager *managers; /* ours */
        size_t n_managers;
};

void ob_view_take(struct ob_view *v, const struct ob_status_of *of);
void ob_view_free(struct ob_view *v);

/* How many are at least so badly off. */
size_t ob_view_count(const struct ob_view *v, enum ob_wellness at_least);

/* The trouble of everything that is not well, a line each. */
void ob_view_tell(const struct ob_view *v, struct ob_bytes *out);

/*
 * The headlines: one says how the agent gets on, the other how Otter does. They are two, since either may be in
 * trouble while the other one is well.
 */
enum ob_headline_of { OB_HEADLINE_AGENT, OB_HEADLINE_OTTER, OB_HEADLINES };

struct ob_headline {
        enum ob_headline_of of;
        bool is_known; /* false: no pipeline was looked at, so that nothing can be said of Otter */
        enum ob_wellness well;
        char text[160];
};

/* The worse one first. */
void ob_headlines(const struct ob_view *v, struct ob_headline lines[OB_HEADLINES]);

/* Of a pipeline in that state. */
enum ob_wellness ob_headline_wellness(enum ob_state state);

/* How many pipelines are at least so badly off. */
size_t ob_headline_pipelines(const struct ob_view *v, enum ob_wellness at_least);

#endif
