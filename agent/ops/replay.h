/* otterbeat replay: sends Graphite a part of the tables' history again. */
#ifndef OB_OPS_REPLAY_H
#define OB_OPS_REPLAY_H

#include <signal.h>

#include "config/config.h"

/* The words behind `replay`. Reads them, does it, and returns the exit code. `signals` are blocked, and end it. */
int ob_replay(const struct ob_config *config, int argc, char **argv, const sigset_t *signals);

#endif
