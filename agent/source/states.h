/*
 * The pipelines of one manager: what its workers have seen of each, and the state that follows. Workers note what
 * they send, one of them judges; own lock, held for no I/O.
 */
#ifndef OB_SOURCE_STATES_H
#define OB_SOURCE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source/state_rule.h"
#include "proto/metric.h"

struct ob_states;

/* `settings` are borrowed. */
struct ob_states *ob_states_new(const struct ob_state_settings *settings);
void ob_states_free(struct ob_states *s);

/* What a series of this name tells of a pipeline; NULL: nothing. */
struct ob_clue;
const struct ob_clue *ob_states_clue(const char *name);

/*
 * Notes a number of the series that has this clue: seen at `now` on ob_clock_ms(), valid for `valid` ms. `time`: of
 * the row, and `clock`: of the world it comes from, both seconds since 1970.
 */
struct ob_sighting {
        int64_t time, clock, now, valid;
        int64_t value;
};
void ob_states_note(struct ob_states *s, const struct ob_clue *clue, const struct ob_series *series,
        const struct ob_sighting *at);

/* Whether it is the series by which the manager's pages name the pipelines. */
bool ob_states_clue_lists(const struct ob_clue *clue);

/* Notes that all of them were named by what was noted for this `now`; one that was not is there no more. */
void ob_states_list_is_whole(struct ob_states *s, int64_t now);

/* One pipeline as it was told last, for those who only look. */
struct ob_pipeline {
        char id[64];
        enum ob_state state;
        char why[OB_WHY_MAX];
        int64_t since; /* on ob_clock_ms(): told so */
};

/* Those whose state is known, in no order; the caller's to free. Any thread. */
struct ob_pipeline *ob_states_list(struct ob_states *s, size_t *n);

/* One pipeline, as judged. */
struct ob_verdict {
        const char *pipeline;
        enum ob_state state;
        char why[OB_WHY_MAX];
};

/*
 * Judges all at `now` on ob_clock_ms(). Returns those whose state is known, `n` of them, in no order; they are
 * valid until the next time. For one thread.
 */
const struct ob_verdict *ob_states_judge(struct ob_states *s, int64_t now, size_t *n);

#endif
