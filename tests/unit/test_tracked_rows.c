#include "tests/unit/unit.h"

#include <string.h>

#include "agent/source/tracked_rows.h"
#include "tests/unit/world.h"

static struct ob_bytes key_of(const char *text)
{
        return (struct ob_bytes) { (unsigned char *)text, strlen(text), strlen(text) };
}

/* Each string is a poll: the keys, one a letter, in the order in which its rows come. */
static const char *const polls[] = { "abcdef", "abcdef", "fedcba", "abdef", "aabbcf", "cx", "xabcdef", "f", "f" };

/* A key is looked for where it was the last time; that may only make it quicker. */
static void a_key_is_found_in_whatever_order(void **state)
{
        struct ob_tracked_rows known = { .n_totals = 1 };
        struct ob_tracked_row *entries[128] = { NULL };

        (void)state;
        for (size_t i = 0; i < LENGTH(polls); i++)
                for (const char *at = polls[i]; *at; at++) {
                        char text[] = { *at, '\0' };
                        struct ob_bytes key = key_of(text);

                        assert_ptr_equal(ob_tracked_rows_find(&known, &key), entries[(int)*at]);
                        if (!entries[(int)*at])
                                entries[(int)*at] = ob_tracked_rows_add(&known, text, 1);
                }
        ob_tracked_rows_free(&known);
}

/* The key behind is longer, shorter, or another one of the same length. */
static void a_key_is_not_taken_for_the_one_that_comes_next(void **state)
{
        static const char *const others[] = { "b", "bbb", "bc", "" };
        struct ob_tracked_rows known = { .n_totals = 1 };
        struct ob_bytes first = key_of("a"), second = key_of("bb");

        (void)state;
        ob_tracked_rows_add(&known, "a", 1);
        ob_tracked_rows_add(&known, "bb", 2);
        for (size_t i = 0; i < LENGTH(others); i++) {
                struct ob_bytes other = key_of(others[i]);

                ob_tracked_rows_find(&known, &first);
                ob_tracked_rows_find(&known, &second);
                ob_tracked_rows_find(&known, &first);
                assert_null(ob_tracked_rows_find(&known, &other));
        }
        ob_tracked_rows_free(&known);
}

static const char *const columns[][3] = { { "A", "B" }, { "B", "A" }, { "A", "B", "C" }, { "A" }, { "AB", "" } };

/* What stands in the store of totals whose columns are others now is no number to compare with. */
static void totals_are_those_of_their_columns(void **state)
{
        struct world *w = *state;

        for (size_t i = 0; i < LENGTH(columns); i++) {
                struct ob_tracked_rows put = { .n_totals = 0 }, got = { .n_totals = 0 };
                struct ob_bytes key = key_of("k");
                struct ob_tracked_row *e;

                ob_tracked_rows_add_total(&put, "A");
                ob_tracked_rows_add_total(&put, "B");
                e = ob_tracked_rows_add(&put, "k", 1);
                e->totals[0] = 5;
                e->totals[1] = OB_TOTAL_UNKNOWN;
                ob_tracked_rows_mark_changed(&put, e);
                world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
                for (size_t c = 0; c < LENGTH(columns[i]) && columns[i][c]; c++)
                        ob_tracked_rows_add_total(&got, columns[i][c]);
                world_ok(w, ob_tracked_rows_load(&got, w->st, "source", &w->err));
                e = ob_tracked_rows_find(&got, &key);
                assert_non_null(e);
                assert_true(e->totals[0] == (i ? OB_TOTAL_UNKNOWN : 5));
                assert_true(got.n_totals < 2 || e->totals[1] == OB_TOTAL_UNKNOWN);
                ob_tracked_rows_free(&put);
                ob_tracked_rows_free(&got);
        }
}

/* A row that is not below is stored as it was before there was such a thing. */
static void since_when_a_row_is_below_is_kept(void **state)
{
        struct world *w = *state;
        size_t lengths[2];

        for (size_t i = 0; i < 2; i++) {
                struct ob_tracked_rows put = { .n_totals = 0 }, got = { .n_totals = 0 };
                struct ob_bytes key = key_of("k");
                struct ob_tracked_row *e;

                ob_tracked_rows_add_total(&put, "A");
                ob_tracked_rows_add_total(&got, "A");
                e = ob_tracked_rows_add(&put, "k", 1);
                e->totals[0] = 5;
                e->below = i ? 1587312000 : 0;
                ob_tracked_rows_mark_changed(&put, e);
                world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
                lengths[i] = e->coded.length;
                world_ok(w, ob_tracked_rows_load(&got, w->st, "source", &w->err));
                e = ob_tracked_rows_find(&got, &key);
                assert_non_null(e);
                assert_int_equal(e->below, i ? 1587312000 : 0);
                assert_true(e->totals[0] == 5);
                ob_tracked_rows_free(&put);
                ob_tracked_rows_free(&got);
        }
        assert_true(lengths[0] < lengths[1]);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_is_found_in_whatever_order),
                cmocka_unit_test(a_key_is_not_taken_for_the_one_that_comes_next),
                EVERYWHERE(totals_are_those_of_their_columns),
                EVERYWHERE(since_when_a_row_is_below_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
