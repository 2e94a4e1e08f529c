/*
 * The progress line on an operator's terminal: it is drawn anew twice a second, and wiped at the end. A thread of
 * its own draws the line from the counters, which must live as long.
 */
#ifndef OB_OPS_PROGRESS_H
#define OB_OPS_PROGRESS_H

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "config/config.h"

struct ob_progress;

/* All borrowed. */
struct ob_progress_of {
        const struct ob_config *config;
        struct ob_counters *const *counters;
        size_t n_counters;
        const atomic_size_t *reading; /* how many workers have not finished */
        struct ob_stop *stop;         /* says whether the agent stops, and until when */
        int terminal;                 /* see ob_terminal_keep */
};

/* NULL: there is no terminal. */
struct ob_progress *ob_progress_start(const struct ob_progress_of *of);
void ob_progress_stop(struct ob_progress *p);

/* Draws a line of progress; "" wipes it. Does not wait for a terminal that was stopped with Ctrl-S. */
void ob_progress_put(int terminal, const char *text);

#endif
