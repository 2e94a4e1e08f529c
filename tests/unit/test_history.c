#include "tests/unit/unit.h"

#include <string.h>

#include "agent/ops/history.h"
#include "agent/source/rewind.h"
#include "config/config.h"

#define NOW 1600000000 /* 2020-09-13 12:26:40 */
#define LOG .columns = { { .role = OB_CURSOR }, { .role = OB_TIME } }

static void spans_of_the_steps_of_all_graphite_sinks(void **state)
{
        static const struct {
                int types[3], steps[3];
                size_t n;
                int64_t all, each; /* a span of whole steps; a span of which each step has one */
        } cases[] = {
                { { OB_SINK_STATSD }, { 7 }, 1, 0, 10 },
                { { OB_SINK_GRAPHITE }, { 60 }, 1, 60, 10 },
                { { OB_SINK_GRAPHITE }, { 15 }, 1, 15, 5 },
                { { OB_SINK_GRAPHITE, OB_SINK_STATSD, OB_SINK_GRAPHITE }, { 10, 7, 60 }, 3, 60, 10 },
                { { OB_SINK_GRAPHITE, OB_SINK_GRAPHITE, OB_SINK_GRAPHITE }, { 4, 6, 10 }, 3, 60, 2 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_sink_settings sinks[3] = { 0 };
                const struct ob_config c = { .sinks = sinks, .n_sinks = cases[i].n };

                for (size_t k = 0; k < cases[i].n; k++) {
                        sinks[k].type = cases[i].types[k];
                        sinks[k].step = cases[i].steps[k];
                }
                assert_int_equal(ob_steps_multiple(&c), cases[i].all);
                assert_int_equal(ob_steps_repeat(&c), cases[i].each);
        }
}

static void only_tables_whose_rows_stay_are_histories(void **state)
{
        const struct ob_source cases[] = {
                { .enabled = true, .kind = OB_SOURCE_TABLE, LOG, .n_columns = 2 },
                { .enabled = false, .kind = OB_SOURCE_TABLE, LOG, .n_columns = 2 },
                { .enabled = true, .kind = OB_SOURCE_PAGE, LOG, .n_columns = 2 },
                { .enabled = true, .kind = OB_SOURCE_TABLE, LOG, .n_columns = 1 },
        };

        (void)state;
        assert_true(ob_rewind_has_history(&cases[0]));
        for (size_t i = 1; i < LENGTH(cases); i++)
                assert_false(ob_rewind_has_history(&cases[i]));
}

/* What a running agent may still send: a row that is an overlap late, and its step once more after the horizon. */
static void the_end_is_behind_overlap_and_horizon(void **state)
{
        struct ob_source sources[] = {
                { .enabled = true, .kind = OB_SOURCE_TABLE, LOG, .n_columns = 2, .overlap = 600 },
                { .enabled = true, .kind = OB_SOURCE_PAGE, LOG, .n_columns = 2, .overlap = 9000 },
        };
        struct ob_sink_settings sinks[] = { { .type = OB_SINK_GRAPHITE, .step = 60, .horizon = 300 } };
        const struct ob_config c = { .sources = sources, .n_sources = 2, .sinks = sinks, .n_sinks = 1 };

        (void)state;
        assert_int_equal(ob_history_end(&c, NOW), (NOW - 900) / 60 * 60 - 60);
        sinks[0].horizon = 360;
        assert_int_equal(ob_history_end(&c, NOW), (NOW - 960) / 60 * 60 - 60);
}

static void a_time_is_taken_down_to_a_step(void **state)
{
        static const struct {
                const char *text;
                bool is_time;
                int64_t want;
        } cases[] = {
                { "2020-09-13 12:26:40", true, NOW - 40 },
                { "2020-09-13 12:26:00", true, NOW - 40 },
                { "-2h", true, NOW - 7200 - 40 },
                { "oldest", true, INT64_MIN },
                { "1969-12-31 23:59:30", true, -60 },
                { "yesterday", false, 0 },
                { "2020-13-13 12:26:40", false, 0 },
                { "", false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t time = 0;

                if (ob_history_time(cases[i].text, NOW, 60, &time) != cases[i].is_time || time != cases[i].want)
                        fail_msg("'%s': %lld", cases[i].text, (long long)time);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(spans_of_the_steps_of_all_graphite_sinks),
                cmocka_unit_test(only_tables_whose_rows_stay_are_histories),
                cmocka_unit_test(the_end_is_behind_overlap_and_horizon),
                cmocka_unit_test(a_time_is_taken_down_to_a_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
