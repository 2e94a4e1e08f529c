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

static size_t count_rows(const struct ob_own_parts *parts)
{
        size_t n = parts->counters[0]->n_sinks;

        for (size_t i = 0; i < parts->n_counters; i++)
                n += parts->counters[i]->n_sources;
        return n;
}

void ob_own_counters_init(struct ob_own_counters *own)
{
        own->rows = ob_alloc(count_rows(own->parts), sizeof(*own->rows));
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
        const struct ob_owner owner = { .manager = "", .values = { own->parts->counters[0]->host, name } };

        row->read[which] = value;
        if (ob_own_series[which].kind == OB_COUNTER) {
                value -= row->committed[which];
                if (!value && own->is_begun)
                        return;
        }
        ob_own_point_add(&own->outbox, which, &owner, now, value);
}

static int64_t number_at(const void *counters, size_t offset)
{
        return *(const _Atomic int64_t *)(const void *)((const char *)counters + offset);
}

/* A source that is not read at the moment has no gauges. */
static void add_source(
        struct ob_own_counters *own, struct ob_own_row *row, const struct ob_counters *c, size_t i, int64_t now)
{
        const struct ob_source_counters *source = &c->sources[i];

        for (size_t k = 0; k < LENGTH(of_sources); k++)
                if (c->is_running || ob_own_series[of_sources[k].which].kind == OB_COUNTER)
                        add(own, row, of_sources[k].which, source->name, now,
                                number_at(source, of_sources[k].offset));
        if (c->is_running)
                add(own, row, OB_OWN_SOURCE_AGE, source->name, now, (ob_clock_ms() - source->polled_at) / 1000);
}

/* A sink that has several queues is counted as one. */
static void add_sink(struct ob_own_counters *own, struct ob_own_row *row, size_t i, int64_t now)
{
        const struct ob_own_parts *parts = own->parts;

        for (size_t k = 0; k < LENGTH(of_sinks); k++) {
                bool is_counter = ob_own_series[of_sinks[k].which].kind == OB_COUNTER;
                int64_t sum = 0;

                for (size_t p = 0; p < parts->n_counters; p++)
                        if (is_counter || parts->counters[p]->is_running)
                                sum += number_at(&parts->counters[p]->sinks[i], of_sinks[k].offset);
                add(own, row, of_sinks[k].which, parts->counters[0]->sinks[i].name, now, sum);
        }
}

static void add_membership(struct ob_own_counters *own, const struct ob_owner *agent, int64_t now)
{
        struct ob_membership_story story;

        ob_membership_read(own->parts->membership, &story);
        if (!story.is_open)
                return;
        ob_own_point_add(&own->outbox, OB_OWN_LEASE, agent, now, story.is_reached && story.may_work);
        ob_own_point_add(&own->outbox, OB_OWN_LEASE_AGE, agent, now, story.oldest_ms / 1000);
        ob_own_point_add(&own->outbox, OB_OWN_MANAGERS, agent, now, (int64_t)story.managers);
        ob_own_point_add(&own->outbox, OB_OWN_UNOWNED, agent, now, (int64_t)story.unowned);
}

static void read_all(struct ob_own_counters *own, int64_t now)
{
        const struct ob_own_parts *parts = own->parts;
        const struct ob_owner agent = { .manager = "", .values = { parts->counters[0]->host } };
        struct ob_own_row *row = own->rows;
        int64_t points = 0, bytes = 0;

        for (size_t p = 0; p < parts->n_counters; p++) {
                const struct ob_counters *c = parts->counters[p];

                for (size_t i = 0; i < c->n_sources; i++)
                        add_source(own, row++, c, i, now);
                if (!c->is_running)
                        continue;
                points += c->queue_points;
                bytes += c->queue_bytes;
        }
        for (size_t i = 0; i < parts->counters[0]->n_sinks; i++)
                add_sink(own, row++, i, now);
        ob_own_point_add(&own->outbox, OB_OWN_QUEUE_POINTS, &agent, now, points);
        ob_own_point_add(&own->outbox, OB_OWN_QUEUE_BYTES, &agent, now, bytes);
        if (parts->membership)
                add_membership(own, &agent, now);
}

int ob_own_counters_poll(struct ob_own_counters *own, struct ob_err *err)
{
        size_t n = count_rows(own->parts);
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
