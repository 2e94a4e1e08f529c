/* A fold as bytes, which may be damaged. */
#include "tests/unit/unit.h"

#include <string.h>

#include "agent/sink/fold.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP 60
#define KEEP 120

static void count(void *ctx, const struct ob_fold_value *v)
{
        unsigned *given = ctx;

        (void)v;
        (*given)++;
}

static void free_fold(struct ob_fold **f)
{
        ob_fold_free(*f);
}

static void add(struct ob_fold *f, enum ob_kind kind, const char *path, int64_t time, int64_t value)
{
        const struct ob_series series = { .kind = kind };
        const struct ob_metric m = { &series, time, ob_whole(value) };

        ob_fold_add(f, ob_fold_find(f, path, strlen(path)), &m, true);
}

static void points_wait_until_they_are_given_out(void **state)
{
        unsigned given = 0;
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, count, &given);
        ob_cleanup(free_fold) struct ob_fold *read = ob_fold_new(STEP, KEEP, count, &given);
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        (void)state;
        add(f, OB_COUNTER, "a", 60, 1);
        add(f, OB_COUNTER, "a", 120, 2);
        add(f, OB_GAUGE, "b", 90, 5);
        assert_int_equal(ob_fold_points(f), 3);
        ob_fold_write(f, &bytes);
        assert_true(ob_fold_read(read, bytes.data, bytes.length));
        assert_int_equal(ob_fold_points(read), 3);
        ob_fold_flush(f, NULL);
        assert_int_equal(ob_fold_points(f), 0);
        add(f, OB_COUNTER, "a", 60, 1);
        assert_int_equal(ob_fold_points(f), 1);
        ob_fold_settle(read);
        assert_int_equal(ob_fold_points(read), 0);
        ob_fold_flush(read, NULL);
        assert_int_equal(given, 6);
}

static void note_last(void *ctx, const struct ob_fold_value *v)
{
        int64_t *last = ctx;

        *last = v->value.whole;
}

/* The clocks of the two began at different times. */
static void two_folds_become_one(void **state)
{
        for (int i = 0; i < 2; i++) {
                int64_t last = 0;
                ob_cleanup(free_fold) struct ob_fold *young = ob_fold_new(STEP, KEEP, note_last, &last);
                ob_cleanup(free_fold) struct ob_fold *old = ob_fold_new(STEP, KEEP, note_last, &last);
                struct ob_fold *all = i ? old : young;

                (void)state;
                add(young, OB_COUNTER, "a", 60, 1);
                ob_fold_forget_idle(young, 100, 1000, 1000);
                add(young, OB_COUNTER, "b", 60, 2);
                add(old, OB_COUNTER, "c", 60, 3);
                add(old, OB_COUNTER, "d", 60, 4);
                ob_fold_flush(old, NULL);
                ob_fold_forget_idle(old, 300, 1000, 1000);
                ob_fold_unite(all, i ? young : old);
                assert_int_equal(ob_fold_count(all), 4);
                assert_int_equal(ob_fold_points(all), 2); /* those of "a" and "b" */
                ob_fold_flush(all, NULL);
                ob_fold_forget_idle(all, 0, 250, 250); /* "c" and "d" are 300 seconds old, "a" 100 */
                assert_int_equal(ob_fold_count(all), 2);
                add(all, OB_COUNTER, "a", 60, 10);
                ob_fold_flush(all, NULL);
                assert_int_equal(last, 11);
        }
}

static void damage_anywhere_is_survived(void **state)
{
        unsigned given = 0;
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, count, &given);
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 }, again = { .length = 0 };
        ob_cleanup(ob_free_at) unsigned char *copy = NULL;

        (void)state;
        add(f, OB_COUNTER, "a", 60, 1);
        add(f, OB_COUNTER, "a", 120, 2);
        add(f, OB_GAUGE, "b", 90, -5);
        ob_fold_write(f, &bytes);
        copy = ob_alloc(bytes.length, 1);
        for (size_t at = 0; at < bytes.length; at++)
                for (unsigned byte = 0; byte <= 0xff; byte++) {
                        memcpy(copy, bytes.data, bytes.length);
                        copy[at] = (unsigned char)byte;
                        if (ob_fold_read(f, copy, bytes.length)) {
                                add(f, OB_COUNTER, "a", 180, 1);
                                ob_fold_flush(f, NULL);
                        }
                        ob_fold_write(f, &again);
                }
}

static void what_is_cut_short_is_damaged(void **state)
{
        unsigned given = 0;
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, count, &given);
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        (void)state;
        add(f, OB_COUNTER, "a", 60, 1);
        add(f, OB_GAUGE, "b", 90, 5);
        ob_fold_write(f, &bytes);
        for (size_t length = 1; length < bytes.length; length++) {
                ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(length, 1);

                memcpy(exact, bytes.data, length);
                if (ob_fold_read(f, exact, length))
                        fail_msg("%zu of %zu bytes are taken for a fold", length, bytes.length);
                ob_fold_flush(f, NULL);
                assert_int_equal(given, 0);
        }
        assert_true(ob_fold_read(f, "", 0));
}

static void a_fold_of_another_step_is_refused(void **state)
{
        unsigned given = 0;
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, count, &given);
        ob_cleanup(free_fold) struct ob_fold *other = ob_fold_new(10, KEEP, count, &given);
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        (void)state;
        add(f, OB_COUNTER, "a", 60, 1);
        ob_fold_write(f, &bytes);
        assert_false(ob_fold_read(other, bytes.data, bytes.length));
        ob_fold_flush(other, NULL);
        assert_int_equal(given, 0);
}

static void keep_value(void *ctx, const struct ob_fold_value *v)
{
        *(int64_t *)ctx = v->value.whole;
}

/* As it was before the last step of silent series was kept. */
static void a_fold_of_the_version_before_goes_on(void **state)
{
        int64_t value = 0;
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, keep_value, &value);
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        (void)state;
        ob_bytes_add_unsigned(&bytes, 2); /* version */
        ob_bytes_add_unsigned(&bytes, STEP);
        ob_bytes_add_unsigned(&bytes, 1); /* series */
        ob_bytes_add(&bytes, "a", 2);
        ob_bytes_add_signed(&bytes, 60);  /* made */
        ob_bytes_add_unsigned(&bytes, 1); /* steps */
        ob_bytes_add_signed(&bytes, 60);
        ob_bytes_add_signed(&bytes, -1);
        ob_bytes_add_value(&bytes, ob_whole(100)); /* has the same bytes */
        ob_bytes_add_unsigned(&bytes, 0);
        ob_bytes_add_unsigned(&bytes, 0);
        assert_true(ob_fold_read(f, bytes.data, bytes.length));
        add(f, OB_COUNTER, "a", 61, 1);
        ob_fold_flush(f, NULL);
        assert_int_equal(value, 101);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(points_wait_until_they_are_given_out),
                cmocka_unit_test(two_folds_become_one),
                cmocka_unit_test(damage_anywhere_is_survived),
                cmocka_unit_test(what_is_cut_short_is_damaged),
                cmocka_unit_test(a_fold_of_another_step_is_refused),
                cmocka_unit_test(a_fold_of_the_version_before_goes_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
