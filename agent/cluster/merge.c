#include "agent/cluster/merge.h"

#include <stdlib.h>
#include <string.h>

#include "agent/sink/sink.h"
#include "agent/store/row.h"
#include "proto/bytes.h"
#include "proto/memory.h"

/* The batches up to which a sink has done something; `TOTALS`: has added them to its totals. */
enum mark { ACKED, SENT, TOTALS, MARKS };

/* The position of a sink in the queue of one manager. */
struct position {
        bool is_known, has_totals;
        int64_t marks[MARKS];
        int64_t totals_by;
        struct ob_bytes saved; /* ours */
};

/* Batches of one manager, of which each sink has done all or none. */
struct run {
        size_t manager;
        int64_t after, upto; /* their numbers there */
        bool *is_beyond;     /* ours: by sink and mark */
        size_t n_beyond;
        bool has_begun; /* a sink has sent a part of a batch of this manager */
        int64_t n;      /* batches */
};

struct merge {
        const struct ob_config *config;
        struct ob_lease *leases;
        struct ob_store *from, *to;
        struct ob_copied *done;
        struct position *positions; /* ours: those of each sink, for each manager */
        struct run *runs;           /* ours */
        size_t n_runs, room;
        struct position *reading;
};

static struct position *position_of(const struct merge *m, size_t manager, size_t sink)
{
        return &m->positions[manager * m->config->n_sinks + sink];
}

static int turn(const struct merge *m, size_t manager, struct ob_err *err)
{
        return ob_store_turn(m->from, &m->leases[manager], err);
}

static int read_position(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct position *p = ((const struct merge *)ctx)->reading;

        (void)err;
        p->is_known = true;
        p->marks[ACKED] = p->marks[TOTALS] = row[1].number;
        p->marks[SENT] = row[2].number;
        ob_bytes_add(&p->saved, row[3].data, row[3].length);
        return 0;
}

static int read_upto(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct position *p = ((const struct merge *)ctx)->reading;

        (void)err;
        p->has_totals = true;
        p->marks[TOTALS] = row[1].number;
        p->totals_by = row[2].number;
        return 0;
}

/* A sink without a position for a manager has no batch of this manager to send: its marks lie after the last batch.
 */
static int read_positions(struct merge *m, size_t manager, struct ob_err *err)
{
        for (size_t i = 0; i < m->config->n_sinks; i++) {
                const struct ob_sink_settings *sink = &m->config->sinks[i];

                m->reading = position_of(m, manager, i);
                for (size_t k = 0; k < MARKS; k++)
                        m->reading->marks[k] = INT64_MAX;
                if (ob_store_each_row(m->from, OB_TABLE_SINKS, sink->name, read_position, m, err) ||
                        ob_store_each_row(m->from, OB_TABLE_SINK_TOTALS_UPTO, sink->name, read_upto, m, err))
                        return -1;
                if (ob_sink_may_repeat(sink))
                        m->reading->marks[SENT] = m->reading->marks[ACKED];
        }
        return 0;
}

static void add_run(struct merge *m, size_t manager, int64_t after, int64_t upto)
{
        struct run *r;

        m->runs = ob_grow(m->runs, &m->room, m->n_runs, sizeof(*m->runs));
        r = &m->runs[m->n_runs++];
        *r = (struct run) { .manager = manager, .after = after, .upto = upto };
        r->is_beyond = ob_alloc(m->config->n_sinks * MARKS, sizeof(bool));
        for (size_t i = 0; i < m->config->n_sinks; i++) {
                const struct position *p = position_of(m, manager, i);

                for (size_t k = 0; k < MARKS; k++)
                        r->n_beyond += r->is_beyond[i * MARKS + k] = p->marks[k] <= after;
                r->has_begun |= ob_sink_has_begun(&m->config->sinks[i], &p->saved);
        }
}

/* The lowest mark above a number; INT64_MAX: there is none. */
static int64_t next_mark(const struct merge *m, size_t manager, int64_t after)
{
        int64_t next = INT64_MAX;

        for (size_t i = 0; i < m->config->n_sinks; i++)
                for (size_t k = 0; k < MARKS; k++) {
                        int64_t mark = position_of(m, manager, i)->marks[k];

                        if (mark > after && mark < next)
                                next = mark;
                }
        return next;
}

/* Between two neighboring marks is a run, if there are batches. */
static int find_runs(struct merge *m, size_t manager, struct ob_err *err)
{
        int64_t after = INT64_MIN;
        int got;

        do {
                struct ob_stored_batch batch = { .seq = 0 };
                int64_t upto = next_mark(m, manager, after);

                got = ob_store_next_batch(m->from, after, &batch, err);
                if (got == 1 && batch.seq <= upto)
                        add_run(m, manager, after, upto);
                ob_stored_batch_free(&batch);
                after = upto;
        } while (got == 1 && after < INT64_MAX);
        return got < 0 ? -1 : 0;
}

static int compare_numbers(int64_t a, int64_t b)
{
        return (a > b) - (a < b);
}

/* What is done by more sinks comes first; and then the manager of which a sink has sent a part of the next batch.
 */
static int compare(const void *a, const void *b)
{
        const struct run *one = a, *other = b;
        int got = compare_numbers((int64_t)one->n_beyond, (int64_t)other->n_beyond);

        if (!got)
                got = compare_numbers(other->has_begun, one->has_begun);
        return got ? got : compare_numbers((int64_t)one->manager, (int64_t)other->manager);
}

/* The first run that is not acknowledged by a sink; NULL: all are. */
static const struct run *first_unacked(const struct merge *m, size_t sink)
{
        for (size_t r = 0; r < m->n_runs; r++)
                if (m->runs[r].is_beyond[sink * MARKS + ACKED])
                        return &m->runs[r];
        return NULL;
}

/* Whether the order of the runs is right for a sink. */
static bool is_in_order(const struct merge *m, size_t sink)
{
        const struct run *next = first_unacked(m, sink);

        for (size_t r = 1; r < m->n_runs; r++)
                for (size_t k = 0; k < MARKS; k++)
                        if (m->runs[r - 1].is_beyond[sink * MARKS + k] && !m->runs[r].is_beyond[sink * MARKS + k])
                                return false;
        for (size_t i = 0; i < m->config->n_managers; i++)
                if (ob_sink_has_begun(&m->config->sinks[sink], &position_of(m, i, sink)->saved) && next &&
                        next->manager != i)
                        return false;
        return true;
}

static int order_runs(struct merge *m, struct ob_err *err)
{
        if (m->n_runs)
                qsort(m->runs, m->n_runs, sizeof(*m->runs), compare);
        for (size_t i = 0; i < m->config->n_sinks; i++)
                if (!is_in_order(m, i))
                        return ob_fail(err,
                                "the queues of the managers can't be put together, since the sinks have sent a different "
                                "part of each: sink %s is behind. Start the agents again until this sink has sent all",
                                m->config->sinks[i].name);
        return 0;
}

static int copy_runs(struct merge *m, struct ob_err *err)
{
        int64_t last = 0;

        for (size_t i = 0; i < m->n_runs; i++) {
                struct run *r = &m->runs[i];
                int64_t before = last;

                if (turn(m, r->manager, err) ||
                        ob_store_copy_batches(m->from, m->to, r->after, r->upto, &last, m->done, err))
                        return -1;
                r->n = last - before;
        }
        return 0;
}

/* The new number of the batch at a mark of a sink. */
static int64_t number_at(const struct merge *m, size_t sink, enum mark mark)
{
        int64_t number = 0;

        for (size_t i = 0; i < m->n_runs; i++)
                number += m->runs[i].is_beyond[sink * MARKS + mark] ? 0 : m->runs[i].n;
        return number;
}

static int copy_total(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct merge *m = ctx;

        m->done->rows++;
        return ob_store_put_row(m->to, OB_TABLE_SINK_TOTALS, row, err);
}

static int put_upto(const struct merge *m, size_t sink, int64_t by, struct ob_err *err)
{
        m->done->rows++;
        return OB_PUT_ROW(m->to, OB_TABLE_SINK_TOTALS_UPTO, err, ob_value_text(m->config->sinks[sink].name),
                ob_value_number(number_at(m, sink, TOTALS)), ob_value_number(by));
}

static int unite_totals(struct merge *m, size_t sink, struct ob_err *err)
{
        const struct position *first = NULL;
        const char *name = m->config->sinks[sink].name;

        for (size_t i = 0; i < m->config->n_managers; i++) {
                const struct position *p = position_of(m, i, sink);

                if (!p->has_totals)
                        continue;
                if (first && first->totals_by != p->totals_by)
                        return ob_fail(err,
                                "the totals of sink %s are not all kept by the same tags: start the agents, stop them, and try again",
                                name);
                first = first ? first : p;
                if (turn(m, i, err) || ob_store_each_row(m->from, OB_TABLE_SINK_TOTALS, name, copy_total, m, err))
                        return -1;
        }
        return first ? put_upto(m, sink, first->totals_by, err) : 0;
}

static int unite_position(struct merge *m, size_t sink, struct ob_err *err)
{
        const struct ob_sink_settings *settings = &m->config->sinks[sink];
        struct ob_delivery d = { .acked = number_at(m, sink, ACKED), .sent_upto = number_at(m, sink, SENT) };
        bool is_known = false;
        int got = 0;

        for (size_t i = 0; i < m->config->n_managers && !got; i++) {
                const struct position *p = position_of(m, i, sink);

                if (!p->is_known)
                        continue;
                is_known = true;
                got = ob_sink_unite(settings, &d.saved_state, &p->saved, err);
        }
        if (!got && is_known) {
                got = ob_store_put_delivery(m->to, settings->name, &d, err);
                m->done->rows++;
        }
        ob_bytes_free(&d.saved_state);
        return got;
}

static int copy_all(struct merge *m, struct ob_err *err)
{
        for (size_t i = 0; i < m->config->n_managers; i++)
                if (turn(m, i, err) || ob_store_copy_sources(m->from, m->to, m->done, err) ||
                        (!m->done->corrupt && (read_positions(m, i, err) || find_runs(m, i, err))))
                        return -1;
        if (m->done->corrupt)
                return 0;
        if (order_runs(m, err) || copy_runs(m, err))
                return -1;
        for (size_t i = 0; i < m->config->n_sinks; i++)
                if (unite_position(m, i, err) || unite_totals(m, i, err))
                        return -1;
        return 0;
}

int ob_merge(const struct ob_config *config, struct ob_lease *leases, struct ob_store *from, struct ob_store *to,
        struct ob_copied *done, struct ob_err *err)
{
        size_t n = config->n_managers * config->n_sinks;
        struct merge m = { .config = config,
                .leases = leases,
                .from = from,
                .to = to,
                .done = done,
                .positions = ob_alloc(n, sizeof(*m.positions)) };
        int got = copy_all(&m, err);

        for (size_t i = 0; i < n; i++)
                ob_bytes_free(&m.positions[i].saved);
        for (size_t i = 0; i < m.n_runs; i++)
                free(m.runs[i].is_beyond);
        free(m.positions);
        free(m.runs);
        return got;
}
