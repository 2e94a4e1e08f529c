#include "tests/unit/unit.h"

#include "agent/process/log_once.h"

/* What comes to pass, one after the other, and how long after the last one. */
static const struct {
        int64_t seconds_later, n, want;
} moments[] = {
        { 0, 0, 0 },                                         /* nothing is nothing to tell */
        { 0, 3, 3 },                                         /* the first time at once */
        { 0, 1, 0 }, { 1, 5, 0 }, { 58, 1, 0 }, { 1, 1, 8 }, /* a minute after it was told: all of it */
        { 30, 0, 0 }, { 60, 0, 0 },                          /* nothing new */
        { 0, 2, 2 }, { 30, 4, 0 }, { 30, 0, 4 },             /* what is left is told when one asks */
};

static void it_is_told_at_once_then_once_a_minute(void **state)
{
        struct ob_log_once t = { .unlogged = 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(moments); i++) {
                int64_t got;

                if (t.logged_at)
                        t.logged_at -= moments[i].seconds_later * 1000;
                got = ob_log_once(&t, moments[i].n);
                if (got != moments[i].want)
                        fail_msg("moment %zu: %lld", i, (long long)got);
        }
}

static void a_state_is_logged_when_it_begins_and_when_it_ends(void **state)
{
        bool was = false;

        (void)state;
        assert_false(ob_log_change(&was, false));
        assert_true(ob_log_change(&was, true));
        assert_false(ob_log_change(&was, true));
        assert_true(ob_log_change(&was, false));
        assert_false(was);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_told_at_once_then_once_a_minute),
                cmocka_unit_test(a_state_is_logged_when_it_begins_and_when_it_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
