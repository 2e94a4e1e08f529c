/* otterbeat verify: compares what Graphite has with what the tables have. */
#ifndef OB_VERIFY_VERIFY_H
#define OB_VERIFY_VERIFY_H

#include "agent/process/command.h"

extern const struct ob_command ob_verify_command;

#endif
