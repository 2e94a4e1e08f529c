/* otterbeat replay: sends a part of the tables' history to Graphite again. */
#ifndef OB_OPS_REPLAY_H
#define OB_OPS_REPLAY_H

#include <signal.h>

#include "config/config.h"

/* Runs the command with the words from `replay` on. Returns the exit code. `signals` are blocked, and one of them
 * ends the replay. */
int ob_replay(const struct ob_config *config, int argc, char **argv, const sigset_t *signals);

#endif
