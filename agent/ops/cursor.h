/* otterbeat cursor: shows the checkpoints of sources and sinks, and rewinds a source. */
#ifndef OB_OPS_CURSOR_H
#define OB_OPS_CURSOR_H

#include "config/config.h"

/* Runs the command with the words from `cursor` on. Returns the exit code. */
int ob_cursor(const struct ob_config *config, int argc, char **argv);

#endif
