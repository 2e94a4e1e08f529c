#include "agent/source/outbox.h"

#include <stdlib.h>

#include "proto/memory.h"

void ob_outbox_free(struct ob_outbox *o)
{
        for (size_t i = 0; i < o->room; i++)
                ob_bytes_free(&o->parts[i].body);
        free(o->parts);
        ob_batch_free(o->batch);
        *o = (struct ob_outbox) { .n = 0 };
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
