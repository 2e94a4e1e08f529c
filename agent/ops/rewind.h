/* otterbeat cursor rewind: a source of a stopped agent is read again from a time or an id on, for Graphite only. */
#ifndef OB_OPS_REWIND_H
#define OB_OPS_REWIND_H

#include "config/config.h"

/* `to`: a time as on the command line, or an id. Says what was done or why not; returns the exit code. */
int ob_rewind(const struct ob_config *config, const char *source, const char *to);

#endif
