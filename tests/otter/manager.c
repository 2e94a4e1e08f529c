#include <stdlib.h>
#include <time.h>

#include "proto/memory.h"
#include "tests/otter/bulk.h"
#include "tests/otter/logs.h"
#include "tests/otter/run.h"

/* What came in since the last flush. Otter has it in maps; here every key has its place. */
struct of_pipeline {
        int64_t delay_sum;
        int64_t delays;
        struct fo_throughput rows;
        struct fo_throughput files;
};

struct manager {
        struct fo_worker *worker;
        struct of_pipeline *pipelines; /* ours; pipeline 1 is [0] */
        struct fo_history *pairs;      /* ours; pair 1 is [0]; end 0: nothing came in */
        struct fo_bulk bulk;
        struct fo_log_texts texts;
        size_t next_kind; /* of log record: all of them come in turn */
        int64_t begun;
        int64_t minute; /* how long this manager's minute is */
};

/* Something done again and again; the next time is set before it is tried. */
struct duty {
        int64_t next;
        int64_t every;
        int (*act)(struct manager *m);
};

static int64_t minutes_passed(const struct manager *m)
{
        return (fo_clock_now() - m->begun) / m->minute;
}

static bool is_mine(const struct manager *m, int64_t pipeline)
{
        const struct fo_run *run = m->worker->run;
        int64_t minute = minutes_passed(m);

        if (fo_world_is_idle(run->world, pipeline, minute))
                return false;
        if (fo_world_is_split(pipeline))
                return fo_random_is(&m->worker->random, 1.0 / (double)run->options->managers);
        return fo_world_manager_of(run->world, pipeline, minute, run->options->managers) == m->worker->number;
}

static int write_log(struct manager *m, size_t kind, int64_t pipeline)
{
        struct fo_log row = fo_logs_make(&m->texts, m->worker->run->world, kind, pipeline, &m->worker->random);

        fo_rows_begin(&m->bulk, &m->worker->link.db, FO_LOG);
        if (fo_rows_log(&m->bulk, (struct fo_stamp) { 0 }, &row) || fo_bulk_end(&m->bulk))
                return -1;
        m->worker->rows++;
        return 0;
}

static void widen(int64_t *start, int64_t *end, const struct fo_history *row)
{
        if (!*end || row->start < *start)
                *start = row->start;
        if (row->end > *end)
                *end = row->end;
}

static void add_throughput(struct fo_throughput *sum, int64_t number, int64_t size, const struct fo_history *row)
{
        if (!number)
                return;
        sum->number += number;
        sum->size += size;
        widen(&sum->start, &sum->end, row);
}

static void remember(struct manager *m, const struct fo_batch *batch)
{
        const struct fo_counts *c = &batch->row.counts;
        struct of_pipeline *pipeline = &m->pipelines[batch->row.pipeline - 1];
        struct fo_history *pair = &m->pairs[batch->row.pair - 1];

        pipeline->delay_sum += batch->delay_ms;
        pipeline->delays++;
        add_throughput(&pipeline->rows, c->inserts + c->updates + c->deletes, batch->bytes, &batch->row);
        add_throughput(&pipeline->files, c->files, c->file_bytes, &batch->row);
        pair->counts.inserts += c->inserts;
        pair->counts.updates += c->updates;
        pair->counts.deletes += c->deletes;
        pair->counts.files += c->files;
        pair->counts.file_bytes += c->file_bytes;
        widen(&pair->start, &pair->end, &batch->row);
}

/* A node reports a loaded batch: the counters at once, the rest with the next flush. */
static int take_batch(struct manager *m, int64_t pair)
{
        struct fo_batch batch = fo_world_batch(m->worker->run->world, &m->worker->random, pair, time(NULL));

        if (fo_rows_count_up(&m->worker->link.db, &batch.row))
                return -1;
        m->worker->rows++;
        remember(m, &batch);
        return 0;
}

static int act_batch(struct manager *m)
{
        const struct fo_world *world = m->worker->run->world;
        int64_t pair = fo_random_between(&m->worker->random, 1, fo_world_pairs(world));
        int64_t pipeline = fo_world_pipeline_of(world, pair);

        if (!is_mine(m, pipeline))
                return 0;
        if (fo_random_is(&m->worker->random, 0.005) && write_log(m, m->next_kind++ % fo_logs_kinds(), pipeline))
                return -1;
        return take_batch(m, pair);
}

/* Sends the one row that was begun, by itself: Otter knows no transactions. */
static int send(struct manager *m, int failed)
{
        if (failed || fo_bulk_end(&m->bulk))
                return -1;
        m->worker->rows++;
        return 0;
}

static int flush_throughput(struct manager *m, const struct fo_throughput *row)
{
        if (!row->number)
                return 0;
        fo_rows_begin(&m->bulk, &m->worker->link.db, FO_THROUGHPUT);
        return send(m, fo_rows_throughput(&m->bulk, (struct fo_stamp) { 0 }, row));
}

static int flush_delay(struct manager *m, int64_t pipeline, const struct of_pipeline *p)
{
        struct fo_delay row = { .pipeline = pipeline };

        if (!p->delays)
                return 0;
        row.ms = p->delay_sum / p->delays;
        fo_rows_begin(&m->bulk, &m->worker->link.db, FO_DELAY);
        return send(m, fo_rows_delay(&m->bulk, (struct fo_stamp) { 0 }, &row));
}

static int flush_pair(struct manager *m, const struct fo_history *row)
{
        if (!row->end)
                return 0;
        fo_rows_begin(&m->bulk, &m->worker->link.db, FO_HISTORY);
        return send(m, fo_rows_history(&m->bulk, (struct fo_stamp) { 0 }, row));
}

static void forget(struct manager *m)
{
        const struct fo_world *world = m->worker->run->world;

        for (int64_t i = 0; i < world->pipelines; i++)
                m->pipelines[i] = (struct of_pipeline) {
                        .rows = { .pipeline = i + 1, .type = "ROW" },
                        .files = { .pipeline = i + 1, .type = "FILE" },
                };
        for (int64_t i = 0; i < fo_world_pairs(world); i++)
                m->pairs[i] = (struct fo_history) {
                        .pair = i + 1,
                        .pipeline = fo_world_pipeline_of(world, i + 1),
                };
}

/*
 * As in Otter, a flush that fails forgets nothing: what it has written already is written again
 * with the next one, and has grown until then.
 */
static int act_flush(struct manager *m)
{
        const struct fo_world *world = m->worker->run->world;

        for (int64_t i = 0; i < world->pipelines; i++) {
                const struct of_pipeline *p = &m->pipelines[i];

                if (flush_delay(m, i + 1, p) || flush_throughput(m, &p->rows) || flush_throughput(m, &p->files))
                        return -1;
        }
        for (int64_t i = 0; i < fo_world_pairs(world); i++) {
                if (flush_pair(m, &m->pairs[i]))
                        return -1;
        }
        forget(m);
        return 0;
}

/* The rule monitors' round: one to three things are found to be wrong. */
static int act_watch(struct manager *m)
{
        struct fo_random *random = &m->worker->random;
        int64_t wrong = fo_random_between(random, 1, 3);

        for (int64_t i = 0; i < wrong; i++) {
                if (write_log(m, m->next_kind++ % fo_logs_kinds(),
                            fo_world_any_pipeline(m->worker->run->world, random)))
                        return -1;
        }
        return 0;
}

/*
 * When managers start, all nodes that waited report at once, and those of a split pipeline to
 * all managers: this is where TABLE_STAT gets two rows of one pair.
 */
static int take_first_batches(struct manager *m)
{
        const struct fo_world *world = m->worker->run->world;

        for (int64_t pair = 1; pair <= fo_world_pairs(world); pair++) {
                if (fo_world_is_split(fo_world_pipeline_of(world, pair)) && take_batch(m, pair))
                        return -1;
        }
        return 0;
}

static struct duty *next_of(struct duty *duties, size_t count)
{
        struct duty *next = duties;

        for (size_t i = 1; i < count; i++) {
                if (duties[i].next < next->next)
                        next = &duties[i];
        }
        return next;
}

static int act(struct manager *m, struct duty *duty)
{
        int64_t late = fo_clock_now() - duty->next;

        /* Keeps its phase; rounds that were missed are not made up for. */
        duty->next += duty->every * (1 + (late > 0 ? late / duty->every : 0));
        return duty->act(m);
}

static void work(struct manager *m)
{
        struct fo_worker *w = m->worker;
        int64_t batches = fo_world_batches(w->run->world);
        int64_t phase = (int64_t)((0.2 + 0.8 * fo_random_unit(&w->random)) * (double)m->minute);
        struct duty duties[] = {
                { m->begun, m->minute / batches, act_batch },
                { m->begun + phase, m->minute, act_flush },
                { m->begun + phase / 2, 2 * m->minute, act_watch },
        };
        struct duty *duty = duties;
        bool first = true;

        while (!fo_stop_wait(w->run->stop, duty->next)) {
                if (!fo_link_is_ready(&w->link))
                        continue;
                if (first ? take_first_batches(m) : act(m, duty))
                        fo_link_drop(&w->link);
                first = false;
                duty = next_of(duties, sizeof(duties) / sizeof(duties[0]));
        }
}

void fo_manager_run(struct fo_worker *worker)
{
        const struct fo_world *world = worker->run->world;
        struct manager m = {
                .worker = worker,
                .pipelines = ob_alloc((size_t)world->pipelines, sizeof(*m.pipelines)),
                .pairs = ob_alloc((size_t)fo_world_pairs(world), sizeof(*m.pairs)),
                .begun = fo_clock_now(),
                .minute = (int64_t)(60 * (double)FO_SECOND / worker->run->options->speed),
                /* So that two managers do not tell the same story. */
                .next_kind = (size_t)worker->number * fo_logs_kinds() / 2,
        };

        mysql_thread_init();
        forget(&m);
        work(&m);
        fo_link_close(&worker->link);
        fo_logs_fini(&m.texts);
        fo_bulk_fini(&m.bulk);
        free(m.pairs);
        free(m.pipelines);
        mysql_thread_end();
}
