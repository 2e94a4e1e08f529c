/*
 * A batch: up to OB_BATCH_POINTS points as one blob, the unit of the queue. A point is a metric or an event.
 *
 * Each series is in the blob once, and a point refers to its series by number. So a point is a few bytes, and a
 * sink looks a series up once per batch:
 *
 *     version made
 *     n_events { time alert status n_tags kind\0 title\0 text\0 signature\0 check\0 { key\0 value\0 }… }…
 *     n_series { kind deliver_to n_identity n_tags name\0 { key\0 value\0 }… { node\0 }… }…
 *     n_points { series time value }…
 *
 * Events come first, for a sink that wants only events. There is one node for each identity tag. Numbers are coded
 * as in bytes.h; a time is the difference from the time before. Version 5 has doubles; a reader also takes version
 * 4, which had numbers of 128 bits instead. A batch may be corrupt, so the reader checks everything and never reads
 * past the end. One thread owns a batch.
 */
#ifndef OB_PROTO_BATCH_H
#define OB_PROTO_BATCH_H

#include <stdbool.h>

#include "proto/bytes.h"
#include "proto/metric.h"

#define OB_BATCH_POINTS 1000

struct ob_batch; /* a batch that is being written */

struct ob_batch *ob_batch_new(void);
void ob_batch_free(struct ob_batch *b);

/* Empties the batch. `made`: the time by the clock of the server that the points come from, in seconds. */
void ob_batch_start(struct ob_batch *b, int64_t made);

/*
 * Adds a copy. The caller checks ob_batch_points(), and takes the blob before there are more than OB_BATCH_POINTS.
 */
void ob_batch_add(struct ob_batch *b, const struct ob_metric *m);
void ob_batch_add_event(struct ob_batch *b, const struct ob_event *e);
unsigned ob_batch_points(const struct ob_batch *b); /* metrics and events */

/* The blob of the points so far; valid until the next call for this batch. */
const struct ob_bytes *ob_batch_blob(struct ob_batch *b);

/* A batch that is being read. The reader borrows the blob; the texts of the metrics point into the blob. */
struct ob_batch_reader {
        int64_t made;
        struct ob_series *series;          /* ours */
        unsigned n_series, n_points, read; /* points: metrics */
        unsigned n_events, read_events;
        int64_t time;
        struct ob_bytes_reader at, events_at;
};

/* False when the bytes are no batch. The caller closes the reader in either case. */
bool ob_batch_open(struct ob_batch_reader *r, const void *blob, size_t length);

/* The same for the events alone: this is cheaper, and the reader need not be closed. */
bool ob_batch_open_events(struct ob_batch_reader *r, const void *blob, size_t length);
void ob_batch_close(struct ob_batch_reader *r);

/* The next metric and the number of its series. 1: there is one; 0: there are no more; -1: the blob is corrupt. */
int ob_batch_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series);

/* The next event, in the same way. Events can be read before, between and after the metrics. */
int ob_batch_next_event(struct ob_batch_reader *r, struct ob_event *e);

#endif
