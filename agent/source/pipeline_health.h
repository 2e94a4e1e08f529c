/*
 * The pipelines of one manager: what its workers have seen of each, and the state that follows. Workers note what
 * they send, one of them judges; own lock, held for no I/O.
 */
#ifndef OB_SOURCE_PIPELINE_HEALTH_H
#define OB_SOURCE_PIPELINE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source/health_rules.h"
#include "proto/metric.h"

struct ob_pipeline_health;

/* `settings` are borrowed. */
struct ob_pipeline_health *ob_pipeline_health_new(const struct ob_health_settings *settings);
void ob_pipeline_health_free(struct ob_pipeline_health *s);

/* What a series of this name tells of a pipeline; NULL: nothing. */
struct ob_fact_source;
const struct ob_fact_source *ob_fact_source_find(const char *name);

/*
 * Notes a number of the series that has this clue: seen at `now` on ob_clock_ms(), valid for `valid` ms. `time`: of
 * the row, and `clock`: of the world it comes from, both seconds since 1970.
 */
struct ob_sighting {
        int64_t time, clock, now, valid;
        int64_t value;
};
void ob_pipeline_health_note(struct ob_pipeline_health *s, const struct ob_fact_source *fact_source,
        const struct ob_series *series, const struct ob_sighting *at);

/* Whether it is the series by which the manager's pages name the pipelines. */
bool ob_fact_source_lists(const struct ob_fact_source *fact_source);

/* Notes that all of them were named by what was noted for this `now`; one that was not is there no more. */
void ob_pipeline_health_list_is_whole(struct ob_pipeline_health *s, int64_t now);

/* One pipeline as it was told last, for those who only look. */
struct ob_pipeline {
        char id[64];
        enum ob_state state;
        char why[OB_WHY_MAX];
        int64_t since; /* on ob_clock_ms(): told so */
};

/* Those whose state is known, in no order; the caller's to free. Any thread. */
struct ob_pipeline *ob_pipeline_health_list(struct ob_pipeline_health *s, size_t *n);

/* One pipeline, as judged. */
struct ob_evaluation {
        const char *pipeline;
        enum ob_state state;
        char why[OB_WHY_MAX];
};

/*
 * Judges all at `now` on ob_clock_ms(). Returns those whose state is known, `n` of them, in no order; they are
 * valid until the next time. For one thread.
 */
const struct ob_evaluation *ob_pipeline_health_evaluate(struct ob_pipeline_health *s, int64_t now, size_t *n);

#endif
