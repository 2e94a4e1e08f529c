/* The states of a manager's pipelines, as rows. Judging them is reading them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/pipeline_health.h"
#include "agent/source/reader.h"
#include "proto/memory.h"

struct reader_state {
        struct ob_reader reader; /* first */
        struct ob_pipeline_health *states;
        struct row {
                const char *pipeline, *state, *why;
        } * rows; /* ours */
        size_t room;
        char numbers[OB_STATES][4];
};

static struct reader_state *self(struct ob_reader *r)
{
        return (struct reader_state *)r;
}

static int open_state(struct ob_reader *r, struct ob_err *err)
{
        (void)r;
        (void)err;
        return 0;
}

static int read_clock_state(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        (void)r;
        (void)err;
        *at = (struct ob_reading) { .now = ob_clock_wall(), .has_rows = true };
        return 0;
}

static int read_state(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_state *s = self(r);
        const struct ob_evaluation *evaluations;
        size_t n;

        (void)from;
        (void)limit;
        (void)err;
        evaluations = ob_pipeline_health_evaluate(s->states, ob_clock_ms(), &n);
        s->rows = ob_grow(s->rows, &s->room, n, sizeof(*s->rows));
        for (size_t i = 0; i < n; i++) {
                snprintf(s->numbers[evaluations[i].state], sizeof(*s->numbers), "%d", (int)evaluations[i].state);
                s->rows[i].pipeline = evaluations[i].pipeline;
                s->rows[i].state = s->numbers[evaluations[i].state];
                s->rows[i].why = evaluations[i].why;
        }
        *rows = (struct ob_rows) { .cells = &s->rows->pipeline, .n = n, .width = 3 };
        return 0;
}

static void free_state(struct ob_reader *r)
{
        free(self(r)->rows);
        free(self(r));
}

static const struct ob_reader_ops ops = {
        .open = open_state,
        .read_clock = read_clock_state,
        .read = read_state,
        .free = free_state,
};

struct ob_reader *ob_reader_health_new(const struct ob_source *source, struct ob_pipeline_health *states)
{
        struct reader_state *s = ob_alloc(1, sizeof(*s));

        s->reader = (struct ob_reader) { .ops = &ops, .source = source, .identity = "", .missing = "" };
        s->reader.plan = "what the other sources saw of each pipeline";
        memset(s->reader.has, true, sizeof(s->reader.has));
        s->states = states;
        return &s->reader;
}
