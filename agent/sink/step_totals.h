/*
 * The ever-growing totals of a Graphite sink's counters: once in each step, all totals are sent as gauges that are
 * stamped with this step. A total has all points that came before it was sent, whatever their times are. The sink's
 * thread owns the struct.
 */
#ifndef OB_SINK_STEP_TOTALS_H
#define OB_SINK_STEP_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/sink/fold.h"
#include "agent/sink/sink.h"
#include "agent/sink/totals.h"

struct ob_step_totals {
        struct ob_totals *totals; /* ours; NULL: no totals are sent */
        int64_t stamp;            /* the last step that got the totals; 0: none did */
};

/* As ob_totals_open_for(); _free frees what it made. */
int ob_step_totals_open(struct ob_step_totals *t, struct ob_sink *s, struct ob_err *err);
void ob_step_totals_free(struct ob_step_totals *t);

/*
 * Whether a step has begun that has no totals. Else sets `*wake` (see ob_sink_ops) to an earlier time where the
 * next step begins earlier. To be asked only when all batches in the queue were added: after a crash a total would
 * else be smaller than before. A sink that runs once sends its totals at the end.
 */
bool ob_step_totals_is_due(const struct ob_step_totals *t, const struct ob_sink *s, int64_t *wake);

/* Calls emit(s, …) for each total, and notes the step. */
void ob_step_totals_emit(struct ob_step_totals *t, struct ob_sink *s, ob_fold_fn *emit);

#endif
