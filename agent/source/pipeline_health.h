/*
 * The pipelines of one manager: the facts that the workers noted of each, and its state. Workers note the points
 * that they send, and one worker evaluates. Their lock is not held during I/O.
 */
#ifndef OB_SOURCE_PIPELINE_HEALTH_H
#define OB_SOURCE_PIPELINE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source/health_rules.h"
#include "proto/metric.h"

struct ob_pipeline_health;
struct ob_health_subject; /* a pipeline, or a channel */

/* `settings` are borrowed. */
struct ob_pipeline_health *ob_pipeline_health_new(const struct ob_health_settings *settings);
void ob_pipeline_health_free(struct ob_pipeline_health *s);

/* The fact that comes from a series of this name; NULL: none does. */
struct ob_fact_source;
const struct ob_fact_source *ob_fact_source_find(const char *name);

/*
 * Notes a number of a series: read at `now` on ob_clock_ms(), valid for `valid` ms. `time` is the row's time and
 * `clock` the source's clock, both in seconds since 1970.
 */
struct ob_sighting {
        int64_t time, clock, now, valid;
        int64_t value;
};
void ob_pipeline_health_note(struct ob_pipeline_health *s, struct ob_health_subject *subject,
        const struct ob_fact_source *fact_source, const struct ob_sighting *at);

/* Whether a row of the time `newest` decides in place of this row. A row of the present is never old. */
static inline bool ob_sighting_is_old(const struct ob_sighting *at, int64_t newest)
{
        return at->time < newest && at->time < at->clock;
}

/*
 * The pipeline or channel that a fact from this series is about; valid as long as `s`. NULL: the fact is about
 * none, or the limit of pipelines is reached, which is logged once; then ob_pipeline_health_note() does nothing.
 */
struct ob_health_subject *ob_pipeline_health_subject(
        struct ob_pipeline_health *s, const struct ob_fact_source *fact_source, const struct ob_series *series);

/* Whether this is the series by which the manager's pages list the pipelines. */
bool ob_fact_source_lists(const struct ob_fact_source *fact_source);

/* The numbers noted with this `now` list all pipelines: a pipeline without one was deleted. */
void ob_pipeline_health_list_is_whole(struct ob_pipeline_health *s, int64_t now);

/* The state of a pipeline as it was last reported. */
struct ob_pipeline {
        char id[64];
        enum ob_state state;
        char why[OB_WHY_MAX];
        int64_t since; /* on ob_clock_ms(): when this state was reported */
};

/* The pipelines whose state is known, in no order; the caller frees them. Any thread. */
struct ob_pipeline *ob_pipeline_health_list(struct ob_pipeline_health *s, size_t *n);

/* One pipeline, as evaluated. */
struct ob_evaluation {
        const char *pipeline;
        enum ob_state state;
        char why[OB_WHY_MAX];
};

/*
 * Evaluates all pipelines at `now` on ob_clock_ms(). Returns the `n` pipelines whose state is known, in no order;
 * valid until the next call. For one thread.
 */
const struct ob_evaluation *ob_pipeline_health_evaluate(struct ob_pipeline_health *s, int64_t now, size_t *n);

#endif
