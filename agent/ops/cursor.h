/* otterbeat cursor: shows the checkpoints of sources and sinks, and rewinds a source. */
#ifndef OB_OPS_CURSOR_H
#define OB_OPS_CURSOR_H

#include "agent/process/command.h"

extern const struct ob_command ob_cursor_command;

#endif
