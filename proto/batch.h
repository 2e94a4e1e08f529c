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

/* A metric of a sealed batch: 24 bytes, since many of them are in memory. */
struct ob_batch_point {
        int64_t time;
        union {
                int64_t whole;
                double real;
        };
        unsigned series; /* the number of its series */
        bool is_real;
};

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

/*
 * A writer whose series come again and again finds each series once. A found series stays valid for later batches,
 * until ob_batch_forgets() returns another number: the beginning of a batch forgets all series when there are many.
 */
struct ob_batch_series *ob_batch_find(struct ob_batch *b, const struct ob_series *series);
uint64_t ob_batch_forgets(const struct ob_batch *b);
void ob_batch_add_to(struct ob_batch *b, struct ob_batch_series *s, int64_t time, struct ob_metric_value value);

/* The blob of the points so far; valid until the next call for this batch. */
const struct ob_bytes *ob_batch_blob(struct ob_batch *b);

/*
 * A batch that is complete: its blob, and its metrics as plain values, so that a reader in this process decodes no
 * metric. Its series have ids. It never changes; any thread may use it, each with a reference of its own.
 */
struct ob_sealed_batch;

/*
 * Seals what is in the batch. The caller owns the first reference. Without `is_typed` it has the blob alone, which
 * takes less memory, and a reader decodes the blob.
 */
struct ob_sealed_batch *ob_batch_seal(struct ob_batch *b, bool is_typed);
struct ob_sealed_batch *ob_sealed_batch_share(struct ob_sealed_batch *s); /* returns one more reference */
void ob_sealed_batch_release(struct ob_sealed_batch *s);                  /* NULL: does nothing */
const struct ob_bytes *ob_sealed_batch_blob(const struct ob_sealed_batch *s);
unsigned ob_sealed_batch_points(const struct ob_sealed_batch *s); /* metrics and events */
size_t ob_sealed_batch_size(const struct ob_sealed_batch *s);     /* bytes of memory */

/* A batch that is being read. The reader borrows the blob; the texts of the metrics point into the blob. */
struct ob_batch_reader {
        int64_t made;
        const struct ob_series *series;    /* ours, or the sealed batch's */
        unsigned n_series, n_points, read; /* points: metrics */
        unsigned n_events, read_events;
        int64_t time;
        struct ob_bytes_reader at, events_at;
        const struct ob_batch_point *sealed; /* the metrics of a sealed batch; NULL: they are decoded */
};

/* False when the bytes are no batch. The caller closes the reader in either case. */
bool ob_batch_open(struct ob_batch_reader *r, const void *blob, size_t length);

/* The same for a sealed batch, which the reader borrows. */
void ob_batch_open_sealed(struct ob_batch_reader *r, const struct ob_sealed_batch *s);

/* The same for the events alone: this is cheaper, and the reader need not be closed. */
bool ob_batch_open_events(struct ob_batch_reader *r, const void *blob, size_t length);
void ob_batch_close(struct ob_batch_reader *r);

/* The next metric and the number of its series. 1: there is one; 0: there are no more; -1: the blob is corrupt. */
static inline int ob_batch_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series);
int ob_batch_decode_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series); /* private */

static inline struct ob_metric_value ob_batch_point_value(const struct ob_batch_point *p)
{
        return (struct ob_metric_value) { .whole = p->whole, .is_real = p->is_real };
}

static inline int ob_batch_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series)
{
        const struct ob_batch_point *p;

        if (r->read == r->n_points)
                return 0;
        if (!r->sealed)
                return ob_batch_decode_next(r, m, series);
        p = &r->sealed[r->read++];
        *m = (struct ob_metric) { &r->series[p->series], p->time, ob_batch_point_value(p) };
        *series = p->series;
        return 1;
}

/* The next event, in the same way. Events can be read before, between and after the metrics. */
int ob_batch_next_event(struct ob_batch_reader *r, struct ob_event *e);

#endif
