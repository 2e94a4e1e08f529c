/* Tables whose rows are added and stay as they are, such as DELAY_STAT: each id is counted once. */
#ifndef OB_SOURCE_APPEND_LOG_H
#define OB_SOURCE_APPEND_LOG_H

#include "agent/source/task.h"

extern const struct ob_delta_ops ob_append_log;

#endif
