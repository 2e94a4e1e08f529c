/*
 * Reading the names of a manager: one of its workers does so between its polls, in its own session. The functions
 * are that worker's.
 */
#ifndef OB_SOURCE_NAMES_REFRESH_H
#define OB_SOURCE_NAMES_REFRESH_H

#include <stdint.h>

#include "agent/source/mysql/session.h"
#include "agent/source/names/names.h"
#include "agent/store/store.h"

/* When the names are to be read again, on ob_clock_ms(): earlier when a new id was met, but not within a minute. */
int64_t ob_names_refresh_due(const struct ob_names *n);

/*
 * Reads all names, stores what has changed and publishes a new snapshot. On failure the old snapshot stays, the log
 * says why, and the next try is soon.
 */
void ob_names_refresh(struct ob_names *n, struct ob_session *session, struct ob_store *store);

#endif
