/* The age of the newest row of each key. */
#ifndef OB_SOURCE_NEWEST_H
#define OB_SOURCE_NEWEST_H

#include "agent/source/task.h"

extern const struct ob_delta_ops ob_newest;

#endif
