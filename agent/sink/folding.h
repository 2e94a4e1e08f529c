/* From a batch to a fold: which points Graphite can keep, and what becomes of the others. Of the sink's thread. */
#ifndef OB_SINK_FOLDING_H
#define OB_SINK_FOLDING_H

#include <stdint.h>

#include "agent/sink/fold.h"
#include "agent/sink/sink.h"

/*
 * Adds the points of one batch; what that closes goes out, and what is refused is lost. Both are counted when it is
 * the first time: the batch is behind what the sink has reached. Returns the clock of the batch.
 */
int64_t ob_folding_add(struct ob_sink *s, const struct ob_stored_batch *batch, struct ob_fold *fold);

#endif
