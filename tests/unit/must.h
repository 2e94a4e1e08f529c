/* A call that a test needs to succeed. */
#ifndef OB_TESTS_UNIT_MUST_H
#define OB_TESTS_UNIT_MUST_H

#include "proto/error.h"
#include "tests/unit/unit.h"

/* Fails the test with the text of the error when the result is below 0. */
static inline void must(int result, const struct ob_err *err)
{
        if (result < 0)
                fail_msg("%s", err->text);
}

#endif
