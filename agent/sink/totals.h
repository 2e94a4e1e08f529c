/*
 * The ever-growing totals of a sink's counters: what a gauge can tell again and again.
 *
 * They are stored with the number of the last batch that is in them, in one transaction with what the sink has
 * passed; a batch that is in them is not added again. So each point is in them once, whatever a crash cuts off,
 * and whether or not it went out. There is one for each series that ever came. Owned by one thread.
 */
#ifndef OB_SINK_TOTALS_H
#define OB_SINK_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * Reads those of a sink; `*t` is the caller's, by ob_totals_free. 1: they go on; 0: they begin at 0, behind batch
 * `mark`, since there are none that go by the same series, or they are damaged; -1.
 */
int ob_totals_open(struct ob_totals **t, struct ob_store *st, const char *sink, enum ob_totals_by by, int64_t acked,
        struct ob_err *err);
void ob_totals_free(struct ob_totals *t);

/* Whether a series has a total: counters, but what is only told again. */
bool ob_totals_has(const struct ob_series *s);

/* Adds the points of a batch, unless it is in them; of a damaged one what can be read. */
void ob_totals_add(struct ob_totals *t, const struct ob_stored_batch *b);

/* Writes what has changed, inside the caller's transaction; and notes that this is committed. */
int ob_totals_stage(struct ob_totals *t, struct ob_store *st, struct ob_err *err);
void ob_totals_staged(struct ob_totals *t);

/* A sink that keeps no totals: those it had would miss what comes now. */
int ob_totals_forget(struct ob_store *st, const char *sink, struct ob_err *err);

/* The total of a counter; NULL when nothing was added. */
const struct ob_total *ob_totals_find(struct ob_totals *t, const struct ob_series *s);

/* One after the other, in a fixed order; behind NULL the first, behind the last NULL. None ever goes. */
const struct ob_total *ob_totals_next(const struct ob_totals *t, const struct ob_total *behind);
size_t ob_totals_count(const struct ob_totals *t);

/* A total as a gauge, `<name>.total`; `*s` becomes its series, with texts of the total's. */
struct ob_metric ob_total_gauge(const struct ob_total *total, struct ob_series *s);

#endif
