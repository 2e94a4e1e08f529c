/* Rewinding a source: Graphite may write its points again, StatsD must not get them twice. */
#ifndef OB_SOURCE_REWIND_H
#define OB_SOURCE_REWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "config/config.h"

/* The period in seconds after which the steps of all Graphite sinks end together; 0: there is no Graphite sink. */
int64_t ob_rewind_step(const struct ob_config *c);

/* Whether a source's table is a history: its rows have times and do not change. */
bool ob_rewind_has_history(const struct ob_source *s);

/*
 * Rewinds a source, as ob_store_rewind_source does. For a history, also appends to the queue that Graphite's sinks
 * begin its series from nothing after the points that are queued now. Inside the caller's transaction.
 */
int ob_rewind_source(struct ob_store *st, const struct ob_manager *manager, const struct ob_source *source,
        const char *name, int64_t since, int64_t counted_before, struct ob_err *err);

#endif
