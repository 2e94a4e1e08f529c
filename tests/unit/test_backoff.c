#include "tests/unit/unit.h"

#include "agent/process/backoff.h"

/* Each wait is of this, more or less a fifth. */
static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };

static void assert_about(int64_t got, int64_t want)
{
        if (got < want * 4 / 5 || got > want * 6 / 5)
                fail_msg("%lld ms where about %lld were wanted", (long long)got, (long long)want);
}

static void each_wait_is_twice_the_last_up_to_a_minute(void **state)
{
        (void)state;
        for (int round = 0; round < 100; round++) {
                struct ob_backoff b = { .wait_ms = 0 };

                for (size_t i = 0; i < LENGTH(waits); i++)
                        assert_about(ob_backoff_next(&b), waits[i]);
        }
}

static void what_went_well_begins_anew(void **state)
{
        struct ob_backoff b = { .wait_ms = 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(waits); i++)
                ob_backoff_next(&b);
        ob_backoff_reset(&b);
        assert_about(ob_backoff_next(&b), waits[0]);
}

/* Agents that lost the same server at once must not come back at once. */
static void no_two_wait_alike(void **state)
{
        int64_t least = INT64_MAX, most = 0;

        (void)state;
        for (int i = 0; i < 1000; i++) {
                struct ob_backoff b = { .wait_ms = 0 };
                int64_t got = ob_backoff_next(&b);

                least = got < least ? got : least;
                most = got > most ? got : most;
        }
        assert_true(least < 900 && most > 1100);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_wait_is_twice_the_last_up_to_a_minute),
                cmocka_unit_test(what_went_well_begins_anew),
                cmocka_unit_test(no_two_wait_alike),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
