/*
 * The points of one page of rows, as batches, until they are committed together with what they came from.
 * Owned by one thread.
 */
#ifndef OB_SOURCE_OUTBOX_H
#define OB_SOURCE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "proto/batch.h"

struct ob_outbox {
        struct ob_batch *batch; /* ours; being filled */
        int64_t made;
        struct ob_outbox_part {
                struct ob_bytes body; /* ours */
                unsigned points;
        } * parts; /* ours; full ones */
        size_t n, room;
        int64_t points, bytes; /* in the parts */
};

void ob_outbox_free(struct ob_outbox *o);

/* Empties it. `made`: the clock of the world that the points come from. */
void ob_outbox_start(struct ob_outbox *o, int64_t made);
void ob_outbox_add(struct ob_outbox *o, const struct ob_metric *m);
void ob_outbox_add_event(struct ob_outbox *o, const struct ob_event *e);

/* Puts the last points among the parts; `points` and `bytes` are right from here on. */
void ob_outbox_close(struct ob_outbox *o);

/* Appends all parts to the queue's table, inside the caller's transaction. */
int ob_outbox_put(const struct ob_outbox *o, struct ob_store *st, struct ob_err *err);

#endif
