/*
 * Which part of the past can be sent to Graphite once more, for `cursor rewind` and `replay`. carbon keeps the last
 * value of a step, so a step can be sent again as long as all its rows are in the table. StatsD would count a row
 * twice.
 */
#ifndef OB_OPS_HISTORY_H
#define OB_OPS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* The time from which a running agent may still send steps. The config must have a Graphite sink. */
int64_t ob_history_end(const struct ob_config *c, int64_t now);

/* Reads a time from the command line (see ob_start_parse) and rounds it down to a whole `step`. False: the text is
 * no time, and the error was printed. */
bool ob_history_time(const char *text, int64_t now, int64_t step, int64_t *time);

#endif
