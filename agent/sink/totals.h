/*
 * The ever-growing totals of a sink's counters, which can be sent as gauges any number of times.
 *
 * The totals are stored with the number of the last batch that they contain, in one transaction with the position
 * of the sink, and a batch that they contain is not added again. So each point is in the totals exactly once,
 * whatever a crash cuts off, and whether or not the point was sent. There is one total for each series that ever
 * came. A total that would leave the range of int64_t stays at the end of that range, which is logged. Owned by one
 * thread.
 */
#ifndef OB_SINK_TOTALS_H
#define OB_SINK_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sink/sink.h"
#include "agent/store/store.h"
#include "proto/metric.h"

struct ob_totals;
struct ob_total;

/* What tells series apart on a sink's wire. */
enum ob_totals_by {
        OB_BY_IDENTITY,
        OB_BY_TAGS,  /* identity and labels */
        OB_BY_NODES, /* the names that stand for the identity in a path */
};

/*
 * Reads the totals of a sink; the caller frees `*t` with ob_totals_free. Returns 1 when the totals continue; 0 when
 * they begin at 0, after batch `acked`, because there are none for the same kind of series, or they are corrupt;
 * -1.
 */
int ob_totals_open(struct ob_totals **t, struct ob_store *st, const char *sink, enum ob_totals_by by, int64_t acked,
        struct ob_err *err);
void ob_totals_free(struct ob_totals *t);

/*
 * As ob_totals_open(), by the setting `counters` of a sink. A sink that sends no totals gets NULL, and the store
 * forgets its totals. Returns 0: totals begin, which was logged, and the caller commits; 1: totals go on, or none
 * are sent; -1: an error.
 */
int ob_totals_open_for(struct ob_totals **t, const struct ob_sink *s, enum ob_totals_by by, struct ob_err *err);

/* Returns whether a series has a total: a counter that is delivered to all sinks. */
bool ob_totals_has(const struct ob_series *s);

/* Adds the points of a batch, unless the totals contain the batch; of a corrupt batch, the points that can be read.
 */
void ob_totals_add(struct ob_totals *t, const struct ob_stored_batch *b);

/* _stage writes what has changed, inside the caller's transaction; _staged notes that it was committed. */
int ob_totals_stage(struct ob_totals *t, struct ob_store *st, struct ob_err *err);
void ob_totals_staged(struct ob_totals *t);

/* Deletes the totals of a sink that keeps none any more: they would lack the batches from now on. */
int ob_totals_forget(struct ob_store *st, const char *sink, struct ob_err *err);

/* Returns the total of a counter; NULL when no point of the counter was added. */
const struct ob_total *ob_totals_find(struct ob_totals *t, const struct ob_series *s);

/* Returns the total after `behind`, in a fixed order; after NULL the first, after the last NULL. No total is ever
 * removed. */
const struct ob_total *ob_totals_next(const struct ob_totals *t, const struct ob_total *behind);
size_t ob_totals_count(const struct ob_totals *t);

/* Returns a total as a gauge, `<name>.total`. `*s` becomes the series; the texts are the total's. */
struct ob_metric ob_total_gauge(const struct ob_total *total, struct ob_series *s);

#endif
