/* Rows that change in place, as TABLE_STAT's: the whole table, compared with what was counted of each row. */
#ifndef OB_SOURCE_DIFF_H
#define OB_SOURCE_DIFF_H

#include "agent/source/task.h"

extern const struct ob_delta_ops ob_diff;

#endif
