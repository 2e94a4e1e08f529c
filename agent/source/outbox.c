#include "agent/source/outbox.h"

#include <stdlib.h>

#include "proto/memory.h"

void ob_outbox_free(struct ob_outbox *o)
{
        for (size_t i = 0; i < o->room; i++)
                ob_bytes_free(&o->parts[i].body);
        free(o->parts);
        ob_batch_free(o->batch);
        o->parts = NULL;
        o->batch = NULL;
        o->n = o->room = 0;
}

void ob_outbox_start(struct ob_outbox *o, int64_t made)
{
        if (!o->batch)
                o->batch = ob_batch_new();
        o->made = made;
        o->n = 0;
        o->points = o->bytes = 0;
        ob_batch_start(o->batch, made);
}

void ob_outbox_add(struct ob_outbox *o, const struct ob_metric *m)
{
        ob_batch_add(o->batch, m);
        if (ob_batch_points(o->batch) == OB_BATCH_POINTS)
                ob_outbox_close(o);
}

void ob_outbox_add_event(struct ob_outbox *o, const struct ob_event *e)
{
        ob_batch_add_event(o->batch, e);
        if (ob_batch_points(o->batch) == OB_BATCH_POINTS)
                ob_outbox_close(o);
}

void ob_outbox_close(struct ob_outbox *o)
{
        unsigned points = ob_batch_points(o->batch);
        size_t had = o->room;
        const struct ob_bytes *blob;
        struct ob_outbox_part *part;

        if (!points)
                return;
        o->parts = ob_grow(o->parts, &o->room, o->n, sizeof(*o->parts));
        for (size_t i = had; i < o->room; i++)
                o->parts[i] = (struct ob_outbox_part) { .points = 0 };
        blob = ob_batch_blob(o->batch);
        part = &o->parts[o->n++];
        part->points = points;
        part->body.length = 0;
        ob_bytes_add(&part->body, blob->data, blob->length);
        o->points += points;
        o->bytes += (int64_t)blob->length;
        ob_batch_start(o->batch, o->made);
}

int ob_outbox_put(const struct ob_outbox *o, struct ob_store *st, struct ob_err *err)
{
        for (size_t i = 0; i < o->n; i++)
                if (ob_store_put_batch(st, o->parts[i].points, &o->parts[i].body, err))
                        return -1;
        return 0;
}

static int write_all(struct ob_outbox *o, ob_stage_fn *stage, void *ctx, struct ob_err *err)
{
        if (ob_store_begin(o->store, err))
                return -1;
        if (ob_outbox_put(o, o->store, err) || (stage && stage(ctx, err))) {
                ob_store_rollback(o->store);
                return -1;
        }
        return ob_store_commit(o->store, err);
}

int ob_outbox_commit(struct ob_outbox *o, ob_stage_fn *stage, void *ctx, struct ob_err *err)
{
        bool got_room;

        ob_outbox_close(o);
        o->counters->health.is_waiting = true;
        got_room = !o->bytes || ob_queue_reserve(o->queue, o->bytes, o->stop);
        o->counters->health.is_waiting = false;
        ob_health_promise(&o->counters->health, o->counters->busy_ms);
        if (!got_room)
                return 1;
        if (write_all(o, stage, ctx, err)) {
                ob_queue_release(o->queue, o->bytes);
                return -1;
        }
        if (o->points)
                ob_queue_publish(o->queue, o->points);
        ob_outbox_start(o, o->made);
        return 0;
}
