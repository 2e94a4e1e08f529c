/* otterbeat replay: sends a part of the tables' history to Graphite again. A signal ends the replay. */
#ifndef OB_OPS_REPLAY_H
#define OB_OPS_REPLAY_H

#include "agent/process/command.h"

extern const struct ob_command ob_replay_command;

#endif
