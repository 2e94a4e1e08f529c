/*
 * A batch: up to OB_BATCH_POINTS points as one blob, the unit of the queue. A point is a metric, or an event.
 *
 * Each series stands in it once and points refer to it by number, so that a point is a few bytes
 * and a sink looks a series up once a batch:
 *
 *     version made
 *     n_events { time alert status n_tags kind\0 title\0 text\0 signature\0 check\0 { key\0 value\0 }… }…
 *     n_series { kind telling n_identity n_tags name\0 { key\0 value\0 }… { node\0 }… }…
 *     n_points { series time value }…
 *
 * Events stand first, for a sink that wants nothing else. There is a node for each identity tag. Numbers as in
 * bytes.h, times as differences. A batch may come off a damaged disk, so reading checks everything and never runs
 * past the end. Owned by one thread.
 */
#ifndef OB_PROTO_BATCH_H
#define OB_PROTO_BATCH_H

#include <stdbool.h>

#include "proto/bytes.h"
#include "proto/metric.h"

#define OB_BATCH_POINTS 1000

struct ob_batch; /* being written */

struct ob_batch *ob_batch_new(void);
void ob_batch_free(struct ob_batch *b);

/* Empties it. `made`: the clock of the world that the points come from, in seconds. */
void ob_batch_start(struct ob_batch *b, int64_t made);

/* Adds a copy; the caller looks at ob_batch_points() and takes the blob before there are too many. */
void ob_batch_add(struct ob_batch *b, const struct ob_metric *m);
void ob_batch_add_event(struct ob_batch *b, const struct ob_event *e);
unsigned ob_batch_points(const struct ob_batch *b); /* metrics and events */

/* The blob so far; valid until the batch is touched again. */
const struct ob_bytes *ob_batch_blob(struct ob_batch *b);

/* Being read. Borrows the blob; the texts of its metrics point into it. */
struct ob_batch_reader {
        int64_t made;
        struct ob_series *series;          /* ours */
        unsigned n_series, n_points, read; /* points: metrics */
        unsigned n_events, read_events;
        int64_t time;
        struct ob_bytes_reader at, events_at;
};

/* False when the bytes are no batch. Close it either way. */
bool ob_batch_open(struct ob_batch_reader *r, const void *blob, size_t length);

/* The same, but only its events can be read: cheaper, and it need not be closed. */
bool ob_batch_open_events(struct ob_batch_reader *r, const void *blob, size_t length);
void ob_batch_close(struct ob_batch_reader *r);

/* The next metric and the number of its series. 1: there is one; 0: that was all; -1: damaged. */
int ob_batch_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series);

/* The next event, in the same way. They can be read before, between and behind the metrics. */
int ob_batch_next_event(struct ob_batch_reader *r, struct ob_event *e);

#endif
