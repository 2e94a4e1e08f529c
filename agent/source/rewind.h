/* A source is told again: what Graphite may draw anew, and what StatsD must not hear twice. */
#ifndef OB_SOURCE_REWIND_H
#define OB_SOURCE_REWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/store.h"
#include "config/config.h"

/* Seconds in which every Graphite sink's steps end together; 0: there is no such sink. */
int64_t ob_rewind_step(const struct ob_config *c);

/* Whether the table of a source is a history: rows with times that stay as they are. */
bool ob_rewind_has_history(const struct ob_source *s);

/*
 * Takes a source back, as ob_store_rewind_source does; of a history the queue is told, behind all that was counted
 * before, that Graphite's sinks begin its series from nothing. Inside the caller's transaction.
 */
int ob_rewind_source(struct ob_store *st, const struct ob_manager *manager, const struct ob_source *source,
        const char *name, int64_t since, int64_t counted_before, struct ob_err *err);

#endif
