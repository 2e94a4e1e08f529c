/*
 * How far it is, for whoever sits at the terminal: one line that is written over twice a second, and wiped at the
 * end. Drawn by a thread of its own from counters, as long as those live.
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
        struct ob_counters *counters;
        struct ob_stop *stop; /* of the sinks: whether what is left is being sent, and until when */
        int terminal;         /* see ob_terminal_keep */
};

/* NULL: there is nobody to see it. */
struct ob_progress *ob_progress_start(const struct ob_progress_of *of);
void ob_progress_stop(struct ob_progress *p);

#endif
