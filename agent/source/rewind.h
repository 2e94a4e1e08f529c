/* Rewinding a source: its points may go to Graphite again, but not to StatsD. */
#ifndef OB_SOURCE_REWIND_H
#define OB_SOURCE_REWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "config/config.h"
#include "proto/metric.h"

/* Whether a source's table is a history: its rows have times and do not change. */
bool ob_rewind_has_history(const struct ob_source *s);

/*
 * Makes a pattern of all series of one column, for ob_name_is_dotted_of() and ob_name_is_tagged_of(). The texts are
 * borrowed from the config. False: the column makes no series.
 */
bool ob_rewind_series(const struct ob_manager *manager, const struct ob_source *source, unsigned column,
        struct ob_series *series);

/*
 * Rewinds a source, as ob_store_rewind_source does. For a history, also queues a command, after the points that are
 * queued now: Graphite's sinks begin its series from nothing. Inside the caller's transaction.
 */
int ob_rewind_source(struct ob_store *st, const struct ob_manager *manager, const struct ob_source *source,
        const char *name, int64_t since, int64_t counted_before, struct ob_err *err);

#endif
