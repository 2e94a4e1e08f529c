#include "tests/unit/unit.h"

#include "agent/process/clock.h"
#include "agent/process/health.h"

static void it_tells_since_when_and_what_last(void **state)
{
        struct ob_health h;
        struct ob_health_story story;
        int64_t since;

        (void)state;
        ob_health_init(&h);
        assert_int_equal(h.failing_since, 0);
        ob_health_fail(&h, "first");
        since = h.failing_since;
        assert_true(since > 0);
        ob_health_fail(&h, "second");
        assert_int_equal(h.failing_since, since);
        ob_health_recover(&h);
        assert_int_equal(h.failing_since, 0);
        ob_health_read(&h, ob_clock_wall(), &story);
        assert_string_equal(story.error, "second");
        assert_in_range(ob_clock_wall() - story.error_at, 0, 5);
        ob_health_fini(&h);
}

/* What was noted now, seen from later: it moves to the left and out. */
static void minutes_go_by(void **state)
{
        static const struct {
                int64_t minutes;
                int at; /* its place; -1: it is gone */
        } cases[] = { { 0, 59 }, { 1, 58 }, { 30, 29 }, { 59, 0 }, { 60, -1 }, { 61, -1 }, { 10000, -1 },
                { -1, -1 } };
        struct ob_health h;
        int64_t now = ob_clock_wall();

        (void)state;
        ob_health_init(&h);
        ob_health_add(&h, 7);
        ob_health_add(&h, 5);
        ob_health_fail(&h, "x");
        now = h.error_at; /* the minute may have turned */
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t done = 0, failures = 0;
                struct ob_health_story story;

                ob_health_read(&h, now + cases[i].minutes * 60, &story);
                for (int m = 0; m < OB_HEALTH_MINUTES; m++) {
                        assert_int_equal(story.minutes[m].number,
                                (now + cases[i].minutes * 60) / 60 - OB_HEALTH_MINUTES + 1 + m);
                        done += story.minutes[m].done;
                        failures += story.minutes[m].failures;
                        assert_true(!story.minutes[m].failures || m == cases[i].at);
                }
                assert_int_equal(failures, cases[i].at >= 0);
                if (cases[i].at > 0)
                        assert_int_equal(done, 12);
        }
        ob_health_fini(&h);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_tells_since_when_and_what_last),
                cmocka_unit_test(minutes_go_by),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
