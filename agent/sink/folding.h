/* Puts a batch into a fold, and counts the points that Graphite cannot keep. The sink's thread owns the structs. */
#ifndef OB_SINK_FOLDING_H
#define OB_SINK_FOLDING_H

#include <stdint.h>

#include "agent/sink/fold.h"
#include "agent/sink/sink.h"
#include "proto/text.h"

/* The points of a batch that did not get into the fold; all 0 when the batch was counted before. */
struct ob_folding {
        int64_t lost[OB_LOSSES];
        const char *first[OB_LOSSES]; /* the name of one lost point, borrowed from the batch */
        int64_t obeyed; /* executed commands; and events, repeated points and amounts that this sink leaves out */
};

/*
 * Adds the points of one batch to the fold, which emits the steps that they close. Points are counted, in the fold
 * and in `*f`, if the batch is after `sent_upto`.
 */
void ob_folding_add(
        struct ob_sink *s, const struct ob_stored_batch *batch, struct ob_fold *fold, struct ob_folding *f);

/*
 * How many seconds to tell ob_fold_forget_idle(): those since `*told`, a time of ob_clock_ms(), which moves
 * forward. 0 if less than a minute has passed. At most ten minutes, because after a long pause the queue still has
 * points from the pause.
 */
int64_t ob_folding_passed(int64_t *told);

/*
 * Reads a fold of saved bytes for a sink that does not work. The caller frees the fold. NULL when it does not fit
 * the settings.
 */
struct ob_fold *ob_folding_read(
        const struct ob_sink_settings *s, const struct ob_bytes_reader *saved, struct ob_err *err);

/* Adds the path of a series, as the sink writes it. */
void ob_folding_name(const struct ob_sink *s, struct ob_text *path, const struct ob_series *series);

/* Adds the counts to the sink's counters, after the batch was sent or dropped. */
void ob_folding_count(struct ob_sink *s, const struct ob_folding *f);

#endif
