/*
 * Folding: carbon keeps one value per series and step, the last one written, so the sender must add up.
 *
 * A fold holds the steps that may still grow: for each series those not older than its newest one less
 * `keep` seconds. A step that falls behind is closed; what comes for it later is late and refused, since
 * a total begun anew would overwrite the good one. A series that is forgotten on purpose begins from nothing. What
 * is closed or late depends on the sequence of points alone, never on when they are folded: two folds of the same
 * batches are the same. Owned by one thread.
 */
#ifndef OB_SINK_FOLD_H
#define OB_SINK_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"
#include "proto/metric.h"

struct ob_fold;
struct ob_fold_series;

/* A step's value, given out. */
struct ob_fold_value {
        const char *path;
        size_t length;
        int64_t step;                 /* its first second */
        struct ob_metric_value value; /* the total, or the reading */
        unsigned points;              /* how many of those counted when they were added it brings out */
};
typedef void ob_fold_fn(void *ctx, const struct ob_fold_value *v);

/* Closing a step whose value was not given out since it last grew gives it out by `emit`. */
struct ob_fold *ob_fold_new(int step, int keep, ob_fold_fn *emit, void *ctx);
void ob_fold_free(struct ob_fold *f);

/* Makes `f` hold what `from` holds; who it emits to stays. */
void ob_fold_assign(struct ob_fold *f, const struct ob_fold *from);

/* How many series it holds. */
unsigned ob_fold_count(const struct ob_fold *f);

/* The series of a path; made when it is new. Valid until the fold is assigned, read or freed. */
struct ob_fold_series *ob_fold_find(struct ob_fold *f, const char *path, size_t length);

enum ob_fold_got {
        OB_FOLD_LATE, /* the step of the metric is closed: nothing was added */
        OB_FOLD_ADDED,
        OB_FOLD_CLAMPED, /* the total of the step would need more than 64 bits, and became the end of their range */
};

/*
 * Folds one metric in. `made`: the clock of its batch; `is_counted`: whether the metric is one of the points that
 * `ob_fold_value` counts.
 */
enum ob_fold_got ob_fold_add(
        struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m, int64_t made, bool is_counted);

/*
 * Gives out every step that grew since it was last given out. With `newer`, a fold of the same batches that
 * is further on, its values are given; a step that `newer` has closed waits until it closes here as well.
 */
void ob_fold_flush(struct ob_fold *f, const struct ob_fold *newer);

/* Gives out what grew of the series that `is_meant` is true for, and forgets them. */
void ob_fold_forget(struct ob_fold *f, bool (*is_meant)(void *ctx, const char *path), void *ctx);

/*
 * Of the series that had no point for so many seconds before `now` (a batch's clock) all that is kept is which step
 * was the last: what comes for that step, or an earlier one, is late. A series goes as a whole when that step is
 * older than `max_age` seconds, since then no point of its steps is folded any more; 0: no point is too old, so
 * none goes.
 */
void ob_fold_forget_idle(struct ob_fold *f, int64_t now, int64_t seconds, int64_t max_age);

/* How many counted points it holds that were not given out; and that they are not told of any more. */
int64_t ob_fold_points(const struct ob_fold *f);
void ob_fold_settle(struct ob_fold *f);

/* The fold as bytes, and back. False when the bytes are no fold of this step; it is empty then. */
void ob_fold_write(const struct ob_fold *f, struct ob_bytes *out);
bool ob_fold_read(struct ob_fold *f, const void *bytes, size_t length);

#endif
