#include "tests/unit/unit.h"

#include <string.h>

#include "proto/error.h"

static const struct {
        const char *said, *want;
} cases[] = {
        { "plain", "plain" },
        { "", "" },
        { "two\nlines\r\n", "two<U+000A>lines<U+000D><U+000A>" },
        { "a \"quoted\" word", "a 'quoted' word" },
        { "a tab\tand an escape\x1b[1m", "a tab<U+0009>and an escape<U+001B>[1m" },
        { "\u202eevil\u2028\xff", "<U+202E>evil<U+2028><FF>" },
        { "通道", "通道" },
};

static void an_error_is_one_line_without_quotes(void **state)
{
        struct ob_err err;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                assert_int_equal(ob_fail(&err, "%s", cases[i].said), -1);
                assert_string_equal(err.text, cases[i].want);
        }
}

static void what_is_too_long_says_so(void **state)
{
        char said[OB_ERR_MAX + 1] = { 0 };
        struct ob_err err;

        (void)state;
        memset(said, 'x', OB_ERR_MAX - 1);
        ob_fail(&err, "%s", said);
        assert_string_equal(err.text, said);

        said[OB_ERR_MAX - 1] = 'x';
        ob_fail(&err, "%s", said);
        assert_int_equal(strlen(err.text), OB_ERR_MAX - 1);
        assert_string_equal(err.text + OB_ERR_MAX - 1 - strlen("x…"), "x…");

        said[OB_ERR_MAX - 6] = '\n'; /* an escape is not cut */
        ob_fail(&err, "%s", said);
        assert_string_equal(err.text + OB_ERR_MAX - 7, "x…");
}

static void an_error_may_be_made_of_itself(void **state)
{
        struct ob_err err;

        (void)state;
        ob_fail(&err, "gone\n");
        ob_fail(&err, "%s: %s", err.text, err.text);
        assert_string_equal(err.text, "gone<U+000A>: gone<U+000A>");
}

static void where_it_was_comes_first(void **state)
{
        struct ob_err err;

        (void)state;
        ob_fail(&err, "gone");
        assert_int_equal(ob_fail_in(&err, "source delay"), -1);
        assert_string_equal(err.text, "source delay: gone");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_error_is_one_line_without_quotes),
                cmocka_unit_test(what_is_too_long_says_so),
                cmocka_unit_test(an_error_may_be_made_of_itself),
                cmocka_unit_test(where_it_was_comes_first),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
