#include "agent/source/outbox.h"

#include <stdlib.h>

#include "proto/memory.h"

static void release_sealed(struct ob_outbox *o)
{
        for (size_t i = 0; i < o->n; i++)
                ob_sealed_batch_release(o->sealed[i]);
        o->n = 0;
        o->points = o->bytes = o->memory = 0;
}

void ob_outbox_free(struct ob_outbox *o)
{
        release_sealed(o);
        free(o->sealed);
        ob_batch_free(o->batch);
        o->sealed = NULL;
        o->batch = NULL;
        o->room = 0;
}

void ob_outbox_start(struct ob_outbox *o, int64_t made)
{
        if (!o->batch)
                o->batch = ob_batch_new();
        o->made = made;
        release_sealed(o);
        ob_batch_start(o->batch, made);
}

static void close_if_full(struct ob_outbox *o)
{
        if (ob_batch_points(o->batch) == OB_BATCH_POINTS)
                ob_outbox_close(o);
}

void ob_outbox_add(struct ob_outbox *o, const struct ob_metric *m)
{
        ob_batch_add(o->batch, m);
        close_if_full(o);
}

void ob_outbox_add_to(struct ob_outbox *o, struct ob_batch_series *s, int64_t time, struct ob_metric_value value)
{
        ob_batch_add_to(o->batch, s, time, value);
        close_if_full(o);
}

void ob_outbox_add_event(struct ob_outbox *o, const struct ob_event *e)
{
        ob_batch_add_event(o->batch, e);
        close_if_full(o);
}

void ob_outbox_close(struct ob_outbox *o)
{
        unsigned points = ob_batch_points(o->batch);
        struct ob_sealed_batch *sealed;

        if (!points)
                return;
        o->sealed = ob_grow(o->sealed, &o->room, o->n, sizeof(struct ob_sealed_batch *));
        o->sealed[o->n++] = sealed = ob_batch_seal(o->batch, o->memory < OB_QUEUE_KEPT_BYTES);
        o->memory += (int64_t)ob_sealed_batch_size(sealed);
        o->points += points;
        o->bytes += (int64_t)ob_sealed_batch_blob(sealed)->length;
        ob_batch_start(o->batch, o->made);
}

/* The batches of one transaction have consecutive numbers: see OB_SQL_PUT_BATCH. */
int ob_outbox_put(const struct ob_outbox *o, struct ob_store *st, int64_t *first, struct ob_err *err)
{
        for (size_t i = 0; i < o->n; i++)
                if (ob_store_put_batch(
                            st, ob_sealed_batch_points(o->sealed[i]), ob_sealed_batch_blob(o->sealed[i]), err))
                        return -1;
        *first = ob_store_last_put(st) - (int64_t)o->n + 1;
        return 0;
}

static int write_all(struct ob_outbox *o, int64_t *first, ob_stage_fn *stage, void *ctx, struct ob_err *err)
{
        if (ob_store_begin(o->store, err))
                return -1;
        if (ob_outbox_put(o, o->store, first, err) || (stage && stage(ctx, err))) {
                ob_store_rollback(o->store);
                return -1;
        }
        return ob_store_commit(o->store, err);
}

int ob_outbox_commit(struct ob_outbox *o, ob_stage_fn *stage, void *ctx, struct ob_err *err)
{
        bool got_room;
        int64_t first;

        ob_outbox_close(o);
        o->counters->health.is_waiting = true;
        got_room = !o->bytes || ob_queue_reserve(o->queue, o->bytes, o->stop);
        o->counters->health.is_waiting = false;
        ob_health_promise(&o->counters->health, o->counters->busy_ms);
        if (!got_room)
                return 1;
        ob_queue_expect(o->queue, o->points);
        if (write_all(o, &first, stage, ctx, err)) {
                if (ob_store_is_in_doubt(o->store)) /* a sink may still send the batches */
                        ob_queue_publish(o->queue, o->points);
                else
                        ob_queue_release(o->queue, o->bytes, o->points);
                return -1;
        }
        if (o->n) {
                ob_queue_keep(o->queue, first, o->sealed, o->n);
                ob_queue_publish(o->queue, o->points);
        }
        ob_outbox_start(o, o->made);
        return 0;
}
