#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "config/expand.h"
#include "proto/memory.h"

static const struct {
        const char *given;
        const char *want; /* NULL: refused */
} texts[] = {
        { "", "" },
        { "plain", "plain" },
        { "${OB_TEST_SET}", "value" },
        { "a${OB_TEST_SET}b${OB_TEST_SET}c", "avaluebvaluec" },
        { "${OB_TEST_SET:-other}", "value" },
        { "${OB_TEST_NOT_SET:-other}", "other" },
        { "${OB_TEST_NOT_SET:-}", "" },
        { "${OB_TEST_NOT_SET:-a:-b}", "a:-b" },
        { "${OB_TEST_NOT_SET:-${x}", "${x" },
        { "${OB_TEST_EMPTY}", "" },
        { "${OB_TEST_EMPTY:-other}", "other" },
        { "${OB_TEST_LOOKS_LIKE_ONE}", "${OB_TEST_SET}" }, /* what is put in is not looked at again */
        { "$", "$" },
        { "$OB_TEST_SET", "$OB_TEST_SET" },
        { "{}$}", "{}$}" },
        { "${OB_TEST_NOT_SET}", NULL },
        { "${OB_TEST_SET", NULL },
        { "${OB_TEST_NOT_SET:-other", NULL },
        { "${}", NULL },
        { "a ${", NULL },
};

static void variables_are_put_in(void **state)
{
        (void)state;
        setenv("OB_TEST_SET", "value", 1);
        setenv("OB_TEST_EMPTY", "", 1);
        setenv("OB_TEST_LOOKS_LIKE_ONE", "${OB_TEST_SET}", 1);
        unsetenv("OB_TEST_NOT_SET");
        for (size_t i = 0; i < LENGTH(texts); i++) {
                struct ob_err err = { .text = "" };
                ob_cleanup(ob_free_at) char *got = ob_expand(texts[i].given, &err);

                if (!texts[i].want != !got || (got && strcmp(got, texts[i].want) != 0))
                        fail_msg("\"%s\": \"%s\" %s", texts[i].given, got ? got : "refused", err.text);
                assert_true(got || *err.text);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(variables_are_put_in),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
