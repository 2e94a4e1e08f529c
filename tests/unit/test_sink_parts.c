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

static const struct ob_sink_settings append = {
        .type = OB_SINK_GRAPHITE, .name = "append", .step = STEP, .receiver = OB_RECEIVER_APPEND
};

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

/* A fold with a step of each of the series. */
static void add_steps(struct ob_bytes *saved, const char *const *paths, size_t n)
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
        ob_bytes_add(saved, fold.data, fold.length);
}

/* A saved state of a receiver that overwrites. */
static void save_steps(struct ob_bytes *saved, const char *const *paths, size_t n)
{
        saved->length = 0;
        ob_bytes_add_unsigned(saved, 0);
        ob_bytes_add_unsigned(saved, 0);
        add_steps(saved, paths, n);
}

/* A saved state of a receiver that appends: closed steps, each a part of its own, and open ones. */
static void save_parts(struct ob_bytes *saved, uint64_t sending, const char *const *lines, size_t n_lines,
        const char *const *paths, size_t n_paths)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes parts = { .length = 0 };

        ob_bytes_add_signed(&parts, STEP); /* the last step that got totals */
        ob_bytes_add_unsigned(&parts, sending);
        ob_bytes_add_unsigned(&parts, n_lines);
        for (size_t i = 0; i < n_lines; i++) {
                ob_bytes_add_signed(&parts, 0);   /* when it was sent */
                ob_bytes_add_unsigned(&parts, 1); /* steps */
                ob_bytes_add_unsigned(&parts, 1); /* points */
                ob_bytes_add_unsigned(&parts, strlen(lines[i]));
                ob_bytes_add(&parts, lines[i], strlen(lines[i]));
        }
        saved->length = 0;
        ob_bytes_add_unsigned(saved, 1);
        ob_bytes_add_unsigned(saved, parts.length);
        ob_bytes_add(saved, parts.data, parts.length);
        add_steps(saved, paths, n_paths);
}

static void assert_same(const struct ob_bytes *got, const struct ob_bytes *want)
{
        assert_int_equal(got->length, want->length);
        assert_memory_equal(got->data, want->data, want->length);
}

/* All closed steps go to one manager, which sends them. The way back keeps which one was on its way. */
static void closed_steps_are_sent_by_one_manager(void **state)
{
        static const char *const lines[] = { "a.1 5 0\n", "b.1 6 0\n", "b.2 7 0\n" }, *const paths[] = { "a.1",
                "b.1" };
        ob_cleanup(free_delivery) struct ob_delivery a = { .acked = 5, .sent_upto = 5 }, b = a;
        ob_cleanup(ob_bytes_free) struct ob_bytes all = { .length = 0 }, want = { .length = 0 };
        struct ob_err err;

        (void)state;
        save_parts(&a.saved_state, 2, lines, 3, paths, 2);
        save_parts(&b.saved_state, 2, lines, 3, paths, 2);
        assert_int_equal(ob_sink_divide(&append, &(struct ob_sink_part) { begins_with, "b", false }, &a, &err), 0);
        assert_int_equal(ob_sink_divide(&append, &(struct ob_sink_part) { begins_with, "a", true }, &b, &err), 0);
        save_parts(&want, 0, NULL, 0, paths, 1);
        assert_same(&a.saved_state, &want);
        assert_int_equal(ob_sink_unite(&append, &all, &a.saved_state, &err), 0);
        assert_int_equal(ob_sink_unite(&append, &all, &b.saved_state, &err), 0);
        save_parts(&want, 2, lines, 3, paths, 2);
        assert_int_equal(all.length, want.length); /* the folds may have another order */
        assert_int_equal(ob_sink_unite(&append, &all, &b.saved_state, &err), -1);
        assert_non_null(strstr(err.text, "the agents were killed"));

        save_parts(&want, 0, &lines[2], 1, paths, 0);
        save_parts(&all, 2, lines, 2, paths, 0);
        assert_int_equal(ob_sink_unite(&append, &want, &all, &err), 0);
        save_parts(&all, 3, (const char *const[]) { lines[2], lines[0], lines[1] }, 3, paths, 0);
        assert_same(&want, &all);
}

/* The two kinds of receivers have different states. */
static void a_receiver_that_was_changed_is_refused(void **state)
{
        static const char *const path[] = { "a.1" };
        const struct ob_sink_part part = { begins_with, "b", true };
        ob_cleanup(free_delivery) struct ob_delivery d = { .acked = 5 };
        struct ob_err err;

        (void)state;
        save_parts(&d.saved_state, 0, NULL, 0, path, 1);
        assert_int_equal(ob_sink_divide(&graphite, &part, &d, &err), -1);
        assert_non_null(strstr(err.text, "the receiver of sink graphite was changed"));
        save_steps(&d.saved_state, path, 1);
        assert_int_equal(ob_sink_divide(&append, &part, &d, &err), -1);
        assert_non_null(strstr(err.text, "the receiver of sink append was changed"));
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
                cmocka_unit_test(closed_steps_are_sent_by_one_manager),
                cmocka_unit_test(a_receiver_that_was_changed_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
