/*
 * Which part of the past can be sent to Graphite once more, or compared with Graphite, for `cursor rewind`,
 * `replay` and `verify`. carbon keeps the last value of a step, so a step can be sent again as long as all its rows
 * are in the table. StatsD would count a row twice.
 */
#ifndef OB_OPS_HISTORY_H
#define OB_OPS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* The time from which a running agent may still send steps. The config must have a Graphite sink. */
int64_t ob_history_end(const struct ob_config *c, int64_t now);

/* How a time is written: the notes of a command that takes one. */
extern const char ob_history_notes[];

struct ob_history_range {
        const char *since_text, *until_text; /* from the command line; until_text may be NULL: ob_history_end() */
        int64_t step;                        /* of all Graphite sinks: see ob_steps_multiple() */
        int64_t since, until;                /* whole steps; since: INT64_MIN is the oldest row */
};

/* Reads the range's texts. The config must have a Graphite sink. False: wrong usage, and the error was printed. */
bool ob_history_read_range(const struct ob_config *c, int64_t now, struct ob_history_range *r);

/* Whether steps may be sent once more to this sink: a Graphite sink whose receiver overwrites. */
bool ob_history_is_replayable(const struct ob_sink_settings *s);

/*
 * A config in memory with only the sources that keep a history, limited to the range, and with one sink (NULL: all
 * that are replayable). The caller frees its arrays of sources and sinks.
 */
struct ob_config ob_history_narrow(
        const struct ob_config *from, const struct ob_history_range *r, const struct ob_sink_settings *sink);

/* Reads a time from the command line (see ob_start_parse) and rounds it down to a whole `step`. False: the text is
 * no time, and the error was printed. */
bool ob_history_time(const char *text, int64_t now, int64_t step, int64_t *time);

#endif
