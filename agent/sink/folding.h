/* From a batch to a fold: which points Graphite can keep, and what becomes of the others. Of the sink's thread. */
#ifndef OB_SINK_FOLDING_H
#define OB_SINK_FOLDING_H

#include <stdint.h>

#include "agent/sink/fold.h"
#include "agent/sink/sink.h"

/* What became of the points of a batch that did not get into the fold; none when they were counted before. */
struct ob_folding {
        int64_t lost[OB_LOSSES];
        const char *first[OB_LOSSES]; /* the name of one of them; of the batch's body */
        int64_t obeyed;               /* no values: what they say is done, or is not for this sink */
};

/*
 * Adds the points of one batch; what that closes goes out. Those of a batch behind what the sink has reached are
 * counted, in the fold and in `*f`. Returns the clock of the batch.
 */
int64_t ob_folding_add(
        struct ob_sink *s, const struct ob_stored_batch *batch, struct ob_fold *fold, struct ob_folding *f);

/* Counts them for the sink, once the rest of the batch has gone its way. */
void ob_folding_count(struct ob_sink *s, const struct ob_folding *f);

#endif
