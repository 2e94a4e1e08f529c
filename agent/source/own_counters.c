#include "agent/source/own_counters.h"

#include <stddef.h>
#include <stdlib.h>

#include "agent/process/clock.h"
#include "agent/source/own_point.h"
#include "proto/memory.h"

/* The offset of a series' number in the counters of its source or sink. */
struct place {
        enum ob_own which;
        size_t offset;
};

#define OF_SOURCE(which, member)                                                                                   \
        {                                                                                                          \
                which, offsetof(struct ob_source_counters, member)                                                 \
        }
#define OF_SINK(which, member)                                                                                     \
        {                                                                                                          \
                which, offsetof(struct ob_sink_counters, member)                                                   \
        }

static const struct place of_sources[] = {
        OF_SOURCE(OB_OWN_POLL_MS, poll_ms),
        OF_SOURCE(OB_OWN_ROWS, rows),
        OF_SOURCE(OB_OWN_LATE_ROWS, late_rows),
        OF_SOURCE(OB_OWN_ERRORS, errors),
};

static const struct place of_sinks[] = {
        OF_SINK(OB_OWN_POINTS, points),
        OF_SINK(OB_OWN_SENT, sent),
        OF_SINK(OB_OWN_FOLDED, folded),
        OF_SINK(OB_OWN_LATE, late),
        OF_SINK(OB_OWN_LOST, lost),
        OF_SINK(OB_OWN_UNCERTAIN, uncertain),
        OF_SINK(OB_OWN_RECONNECTS, reconnects),
        OF_SINK(OB_OWN_BEHIND, behind),
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

void ob_own_counters_init(struct ob_own_counters *own)
{
        own->rows = ob_alloc(own->counters->n_sources + own->counters->n_sinks, sizeof(*own->rows));
}

void ob_own_counters_fini(struct ob_own_counters *own)
{
        ob_outbox_free(&own->outbox);
        free(own->rows);
        own->rows = NULL;
}

/* A counter's point is its increase; a counter that does not change has only its first point. */
static void add(struct ob_own_counters *own, struct ob_own_row *row, enum ob_own which, const char *name,
        int64_t now, int64_t value)
{
        const struct ob_owner owner = { .manager = "", .values = { own->counters->host, name } };

        row->read[which] = value;
        if (ob_own_series[which].kind == OB_COUNTER) {
                value -= row->committed[which];
                if (!value && own->is_begun)
                        return;
        }
        ob_own_point_add(&own->outbox, which, &owner, now, value);
}

static void add_all(struct ob_own_counters *own, struct ob_own_row *row, const struct place *places, size_t n,
        const void *counters, const char *name, int64_t now)
{
        for (size_t i = 0; i < n; i++)
                add(own, row, places[i].which, name, now,
                        *(const _Atomic int64_t *)(const void *)((const char *)counters + places[i].offset));
}

static void read_all(struct ob_own_counters *own, int64_t now)
{
        struct ob_counters *c = own->counters;
        const struct ob_owner agent = { .manager = "", .values = { c->host } };
        struct ob_own_row *row = own->rows;
        int64_t points, bytes;

        for (size_t i = 0; i < c->n_sources; i++, row++) {
                add_all(own, row, of_sources, LENGTH(of_sources), &c->sources[i], c->sources[i].name, now);
                add(own, row, OB_OWN_SOURCE_AGE, c->sources[i].name, now,
                        (ob_clock_ms() - c->sources[i].polled_at) / 1000);
        }
        for (size_t i = 0; i < c->n_sinks; i++, row++)
                add_all(own, row, of_sinks, LENGTH(of_sinks), &c->sinks[i], c->sinks[i].name, now);
        ob_queue_size(own->queue, &points, &bytes);
        ob_own_point_add(&own->outbox, OB_OWN_QUEUE_POINTS, &agent, now, points);
        ob_own_point_add(&own->outbox, OB_OWN_QUEUE_BYTES, &agent, now, bytes);
}

int ob_own_counters_poll(struct ob_own_counters *own, struct ob_err *err)
{
        size_t n = own->counters->n_sources + own->counters->n_sinks;
        int64_t now = ob_clock_wall();
        int got;

        ob_outbox_start(&own->outbox, now);
        read_all(own, now);
        got = ob_outbox_commit(&own->outbox, NULL, NULL, err);
        if (got)
                return got;
        for (size_t i = 0; i < n; i++)
                for (int which = 0; which < OB_OWN_SERIES; which++)
                        own->rows[i].committed[which] = own->rows[i].read[which];
        own->is_begun = true;
        return 0;
}
