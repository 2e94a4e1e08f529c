/* The positions that a sink has for several managers, divided and put together again. */
#include "tests/unit/unit.h"

#include <string.h>

#include "agent/sink/fold.h"
#include "agent/sink/sink.h"
#include "proto/bytes.h"
#include "proto/memory.h"

#define STEP 60

static const struct ob_sink_settings statsd = { .type = OB_SINK_STATSD, .name = "statsd" };
static const struct ob_sink_settings events = { .type = OB_SINK_EVENTS, .name = "events" };
static const struct ob_sink_settings graphite = { .type = OB_SINK_GRAPHITE, .name = "graphite", .step = STEP };

static void ignore(void *ctx, const struct ob_fold_value *v)
{
        (void)ctx;
        (void)v;
}

static bool begins_with(void *ctx, const char *path)
{
        return *path == *(const char *)ctx;
}

static void free_delivery(struct ob_delivery *d)
{
        ob_bytes_free(&d->saved_state);
}

static void assert_saved(const struct ob_bytes *saved, size_t n, const char *want)
{
        assert_int_equal(saved->length, n);
        assert_memory_equal(n ? (const char *)saved->data : "", want, n);
}

/* The batch in doubt, or the one that was sent in part, is of one manager. */
static void only_one_manager_has_the_next_batch(void **state)
{
        static const struct {
                const struct ob_sink_settings *sink;
                const char *saved;
                size_t n;
                const char *of_others;
                size_t n_of_others;
        } cases[] = {
                { &statsd, "", 0, "", 0 },
                { &statsd, "\x07", 1, "", 0 },
                { &statsd, "\x07\x02\x64", 3, "\x00\x02\x64", 3 }, /* the number of runs, and a time: 50 */
                { &events, "\x07", 1, "", 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                for (int has_next = 0; has_next < 2; has_next++) {
                        const struct ob_sink_part part = { .has_next = has_next };
                        bool is_in_doubt = cases[i].sink == &statsd;
                        ob_cleanup(
                                free_delivery) struct ob_delivery d = { .acked = 5, .sent_upto = 5 + is_in_doubt };
                        struct ob_err err;

                        ob_bytes_add(&d.saved_state, cases[i].saved, cases[i].n);
                        assert_int_equal(ob_sink_divide(cases[i].sink, &part, &d, &err), 0);
                        assert_int_equal(d.acked, 5);
                        assert_int_equal(d.sent_upto, has_next ? 5 + is_in_doubt : 5);
                        assert_saved(&d.saved_state, has_next ? cases[i].n : cases[i].n_of_others,
                                has_next ? cases[i].saved : cases[i].of_others);
                        assert_int_equal(ob_sink_has_begun(cases[i].sink, &d.saved_state), has_next && cases[i].n);
                }
}

static void a_batch_that_was_sent_in_part_stays_so(void **state)
{
        static const struct {
                const struct ob_sink_settings *sink;
                const char *one, *other;
                size_t n_one, n_other;
                const char *want;
                size_t n_want;
        } cases[] = {
                { &statsd, "", "", 0, 0, "", 0 },
                { &statsd, "\x07", "", 1, 0, "\x07", 1 },
                { &statsd, "", "\x07", 0, 1, "\x07", 1 },
                { &statsd, "\x00\x09\x64", "\x07\x02\x66", 3, 3, "\x07\x09\x66", 3 },
                { &statsd, "\x07\x02\x66", "\x00\x09\x64", 3, 3, "\x07\x09\x66", 3 },
                { &events, "", "\x07", 0, 1, "\x07", 1 },
                { &events, "\x07", "", 1, 0, "\x07", 1 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_cleanup(ob_bytes_free) struct ob_bytes all = { .length = 0 }, one = { .length = 0 },
                                                          other = { .length = 0 };
                struct ob_err err;

                ob_bytes_add(&one, cases[i].one, cases[i].n_one);
                ob_bytes_add(&other, cases[i].other, cases[i].n_other);
                assert_int_equal(ob_sink_unite(cases[i].sink, &all, &one, &err), 0);
                assert_int_equal(ob_sink_unite(cases[i].sink, &all, &other, &err), 0);
                assert_saved(&all, cases[i].n_want, cases[i].want);
        }
}

/* A saved state of Graphite's with a step of each of the series. */
static void save_steps(struct ob_bytes *saved, const char *const *paths, size_t n)
{
        struct ob_fold *f = ob_fold_new(STEP, STEP, ignore, NULL);
        ob_cleanup(ob_bytes_free) struct ob_bytes fold = { .length = 0 };

        for (size_t i = 0; i < n; i++) {
                const struct ob_series series = { .kind = OB_COUNTER };
                const struct ob_metric m = { &series, STEP, ob_whole((int64_t)i + 1) };

                ob_fold_add(f, ob_fold_find(f, paths[i], strlen(paths[i])), &m, true);
        }
        ob_fold_write(f, &fold);
        ob_fold_free(f);
        saved->length = 0;
        ob_bytes_add_unsigned(saved, 0);
        ob_bytes_add_unsigned(saved, 0);
        ob_bytes_add(saved, fold.data, fold.length);
}

static void steps_go_to_the_manager_of_their_series(void **state)
{
        static const char *const paths[] = { "a.1", "b.1", "a.2" }, *const of_a[] = { "a.1", "a.2" };
        ob_cleanup(free_delivery) struct ob_delivery a = { .acked = 5, .sent_upto = 9 }, b = a;
        ob_cleanup(ob_bytes_free) struct ob_bytes all = { .length = 0 }, want = { .length = 0 };
        struct ob_err err;

        (void)state;
        save_steps(&a.saved_state, paths, 3);
        save_steps(&b.saved_state, paths, 3);
        assert_int_equal(ob_sink_divide(&graphite, &(struct ob_sink_part) { begins_with, "b", true }, &a, &err), 0);
        assert_int_equal(
                ob_sink_divide(&graphite, &(struct ob_sink_part) { begins_with, "a", false }, &b, &err), 0);
        assert_int_equal(a.acked, 5);
        save_steps(&want, of_a, 2);
        assert_int_equal(a.saved_state.length, want.length);
        assert_int_equal(ob_sink_unite(&graphite, &all, &a.saved_state, &err), 0);
        assert_int_equal(ob_sink_unite(&graphite, &all, &b.saved_state, &err), 0);
        save_steps(&want, paths, 3);
        assert_int_equal(all.length, want.length);
        assert_true(ob_sink_may_repeat(&graphite) && !ob_sink_may_repeat(&statsd) && !ob_sink_may_repeat(&events));
}

static void another_step_is_refused(void **state)
{
        static const char *const path[] = { "a.1" };
        struct ob_sink_settings other = graphite;
        ob_cleanup(free_delivery) struct ob_delivery d = { .acked = 5 };
        struct ob_err err;

        (void)state;
        other.step = 2 * STEP;
        save_steps(&d.saved_state, path, 1);
        assert_int_equal(ob_sink_divide(&other, &(struct ob_sink_part) { begins_with, "b", true }, &d, &err), -1);
        assert_non_null(strstr(err.text, "set the former step again"));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_one_manager_has_the_next_batch),
                cmocka_unit_test(a_batch_that_was_sent_in_part_stays_so),
                cmocka_unit_test(steps_go_to_the_manager_of_their_series),
                cmocka_unit_test(another_step_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
