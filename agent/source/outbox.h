/*
 * The points of one page of rows, as batches, until they are committed together with the checkpoint of the rows.
 * Owned by one thread.
 */
#ifndef OB_SOURCE_OUTBOX_H
#define OB_SOURCE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/store/queue.h"
#include "agent/store/store.h"
#include "proto/batch.h"

struct ob_outbox {
        /* The queue and the store that the points go to; borrowed. */
        struct ob_store *store;
        struct ob_queue *queue;
        struct ob_source_counters *counters;
        struct ob_stop *stop;

        struct ob_batch *batch; /* ours: the batch that is being filled */
        int64_t made;
        struct ob_sealed_batch **sealed; /* ours: full batches */
        size_t n, room;
        int64_t points, bytes; /* in the sealed batches */
        int64_t memory; /* of them, in bytes; the queue would keep no more than OB_QUEUE_KEPT_BYTES in memory */
};

void ob_outbox_free(struct ob_outbox *o);

/* Empties the outbox. `made`: the time of the points, in seconds, by the source's clock. */
void ob_outbox_start(struct ob_outbox *o, int64_t made);
void ob_outbox_add(struct ob_outbox *o, const struct ob_metric *m);

/* As ob_outbox_add(), for a series that ob_batch_find() has found in `batch`. */
void ob_outbox_add_to(struct ob_outbox *o, struct ob_batch_series *s, int64_t time, struct ob_metric_value value);
void ob_outbox_add_event(struct ob_outbox *o, const struct ob_event *e);

/* Ends the last batch; then `points` and `bytes` are exact. */
void ob_outbox_close(struct ob_outbox *o);

/*
 * In one transaction appends all points to the queue, and calls `stage` (NULL: nothing) to write more; then the
 * outbox is empty. Waits for room in the queue. 1: a stop is wanted, and nothing was written.
 */
typedef int ob_stage_fn(void *ctx, struct ob_err *err);
int ob_outbox_commit(struct ob_outbox *o, ob_stage_fn *stage, void *ctx, struct ob_err *err);

/* Appends all batches to the queue's table, inside the caller's transaction. `*first` becomes the number of the
 * first batch.
 */
int ob_outbox_put(const struct ob_outbox *o, struct ob_store *st, int64_t *first, struct ob_err *err);

#endif
