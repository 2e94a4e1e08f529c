/* What every unit test begins with: cmocka behind the headers that it wants before it. */
#ifndef OB_TESTS_UNIT_UNIT_H
#define OB_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* The values of metrics, in tables. */
#define WHOLE(n)                                                                                                   \
        {                                                                                                          \
                .whole = (n)                                                                                       \
        }
#define REAL(n)                                                                                                    \
        {                                                                                                          \
                .real = (n), .is_real = true                                                                       \
        }

#endif
