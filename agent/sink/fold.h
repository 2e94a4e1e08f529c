/*
 * Folding: carbon keeps only the last value written for a series and step, so the sender must add up.
 *
 * A fold holds the steps that may still grow: in each series those at most `keep` seconds older than the newest
 * step. An older step is closed. A point for a closed step is late and refused, since a new total would overwrite
 * the good one. A series that is forgotten on purpose starts from nothing. Which steps are closed depends on the
 * sequence of points alone, so two folds of the same batches are equal. One thread owns a fold.
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

/* The value of a step, as emitted. */
struct ob_fold_value {
        const char *path;
        size_t length;
        int64_t step;                 /* its first second */
        struct ob_metric_value value; /* the total, or the reading */
        unsigned points;              /* counted points that were added since the last emit */
};
typedef void ob_fold_fn(void *ctx, const struct ob_fold_value *v);

/* `emit` is called for each step that closes and has grown since its last emit. */
struct ob_fold *ob_fold_new(int step, int keep, ob_fold_fn *emit, void *ctx);
void ob_fold_free(struct ob_fold *f);

/* Copies the content of `from` into `f`, which keeps its own `emit`. */
void ob_fold_assign(struct ob_fold *f, const struct ob_fold *from);

/* Adds the series of `from`, of which `f` has none. */
void ob_fold_unite(struct ob_fold *f, const struct ob_fold *from);

unsigned ob_fold_count(const struct ob_fold *f);

/* The series of a path, which is added if new. Valid until the fold is assigned, read or freed. */
struct ob_fold_series *ob_fold_find(struct ob_fold *f, const char *path, size_t length);

/*
 * Finds a series by the id of its ob_series, so that the caller need not make its path again. _note stores the id
 * for _find_noted, which returns NULL for an id that is not stored. The fold may forget an id at any time.
 */
void ob_fold_note(struct ob_fold *f, uint64_t id, struct ob_fold_series *s);
struct ob_fold_series *ob_fold_find_noted(const struct ob_fold *f, uint64_t id);

enum ob_fold_got {
        OB_FOLD_LATE, /* the step of the metric is closed: nothing was added */
        OB_FOLD_ADDED,
        OB_FOLD_CLAMPED, /* the total needs more than 64 bits, and became the end of their range */
};

/* Folds one metric in. `is_counted`: whether the metric is counted as a point. */
enum ob_fold_got ob_fold_add(
        struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m, bool is_counted);

/* Folds a late metric into the oldest open step of its series, as the first reading there, and does not count it.
 */
enum ob_fold_got ob_fold_add_late(struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m);

/*
 * Closes the steps that ended by `upto`, in each series the oldest step first, and emits the steps that have grown
 * since their last emit. A step that has grown since the last call stays open, with all later ones of its series,
 * unless `also_fresh`. For a fold that emits no step before it is closed.
 */
void ob_fold_close_ended(struct ob_fold *f, int64_t upto, bool also_fresh);

/*
 * Emits every step that has grown since its last emit. `newer` (or NULL): a fold that has read further in the same
 * batches, and whose values are emitted; a step that it has closed waits until the step closes in `f`, too.
 */
void ob_fold_flush(struct ob_fold *f, const struct ob_fold *newer);

/* Emits the steps that grew in the series that `is_meant` accepts, and removes these series. */
void ob_fold_forget(struct ob_fold *f, bool (*is_meant)(void *ctx, const char *path), void *ctx);

/*
 * Tells the fold that `passed` more seconds have passed. The fold compares no clocks: those of the servers that the
 * points come from may differ by years. Then closes all steps of each series that got no point for
 * `closes` seconds, and keeps only the time of its last step, to refuse late points. Removes each series that got
 * no point for `removes` seconds, after which the caller folds no point as old as the last step; 0: removes none.
 */
void ob_fold_forget_idle(struct ob_fold *f, int64_t passed, int64_t closes, int64_t removes);

/* The counted points that were not emitted yet; ob_fold_settle() sets this number to 0. */
int64_t ob_fold_points(const struct ob_fold *f);
void ob_fold_settle(struct ob_fold *f);

/* The fold as bytes, and back. False, and an empty fold, when the bytes are no fold with this step length. */
void ob_fold_write(const struct ob_fold *f, struct ob_bytes *out);
bool ob_fold_read(struct ob_fold *f, const void *bytes, size_t length);

#endif
