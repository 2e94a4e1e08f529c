/*
 * What may be told to Graphite again, and how it is said. For `cursor rewind` and `replay`: carbon keeps the last
 * value of a step, so a step can be sent again if all its rows are still there, and StatsD can't be told anything
 * twice.
 */
#ifndef OB_OPS_HISTORY_H
#define OB_OPS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* The first time at `now` whose steps a running agent may still be sending. There must be a Graphite sink. */
int64_t ob_history_end(const struct ob_config *c, int64_t now);

/* A time from the command line, see ob_start_parse, down to a whole `step`. False, and said: it is none. */
bool ob_history_time(const char *text, int64_t now, int64_t step, int64_t *time);

#endif
