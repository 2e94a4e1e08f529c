/* Initializers of the cells of a row of the store (struct ob_value). */
#ifndef OB_TESTS_UNIT_CELLS_H
#define OB_TESTS_UNIT_CELLS_H

#include "agent/store/table.h"

#define N(n)                                                                                                       \
        {                                                                                                          \
                .type = OB_VALUE_NUMBER, .number = (n)                                                             \
        }
#define T(t)                                                                                                       \
        {                                                                                                          \
                .type = OB_VALUE_TEXT, .data = (t), .length = sizeof(t) - 1                                        \
        }
#define B(b)                                                                                                       \
        {                                                                                                          \
                .type = OB_VALUE_BLOB, .data = (b), .length = sizeof(b) - 1                                        \
        }

#endif
