#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source/tracked_rows.h"
#include "proto/memory.h"
#include "proto/number.h"
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

/* What is in the store of a source as lines; the caller's to free. */
static int note_total(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        char **said = ctx, *longer = ob_format("%s%.*s %s %lld;", *said, (int)row[1].length,
                                   (const char *)row[1].data, (const char *)row[2].data, (long long)row[3].number);

        (void)err;
        free(*said);
        *said = longer;
        return 0;
}

static void assert_stored(struct world *w, const char *want)
{
        ob_cleanup(ob_free_at) char *said = ob_copy("");

        world_ok(w, ob_store_each_row(w->st, OB_TABLE_TRACKED_TOTALS, "source", note_total, &said, &w->err));
        assert_string_equal(said, want);
}

/* The names of columns, and what is read of the totals A 5 and B unknown; 0: unknown. */
static const struct {
        const char *columns[3];
        int64_t want[3];
        const char *stored; /* what is left in the store */
} columns[] = {
        { { "A", "B" }, { 5 }, "k A 5;" },
        { { "B", "A" }, { 0, 5 }, "k A 5;" },
        { { "A", "B", "C" }, { 5 }, "k A 5;" },
        { { "A" }, { 5 }, "k A 5;" },
        { { "B" }, { 0 }, "" },
        { { "AB", "" }, { 0 }, "" },
};

/* A total is that of its column, wherever the column is now; the total of a column that is gone goes too. */
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
                ob_tracked_rows_mark_changed(&put, e, true);
                world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
                for (size_t c = 0; c < LENGTH(columns[i].columns) && columns[i].columns[c]; c++)
                        ob_tracked_rows_add_total(&got, columns[i].columns[c]);
                world_ok(w, ob_tracked_rows_load(&got, w->st, "source", &w->err));
                e = ob_tracked_rows_find(&got, &key);
                assert_non_null(e);
                for (unsigned c = 0; c < got.n_totals; c++)
                        assert_true(e->totals[c] == (columns[i].want[c] ? columns[i].want[c] : OB_TOTAL_UNKNOWN));
                assert_stored(w, columns[i].stored);
                ob_tracked_rows_free(&put);
                ob_tracked_rows_free(&got);
        }
}

/* Only what has changed is written, and a total that is not known any more is deleted. */
static void only_what_changed_is_written(void **state)
{
        struct world *w = *state;
        struct ob_tracked_rows put = { .n_totals = 0 };
        struct ob_tracked_row *e, *other;

        ob_tracked_rows_add_total(&put, "A");
        ob_tracked_rows_add_total(&put, "B");
        e = ob_tracked_rows_add(&put, "k", 1);
        other = ob_tracked_rows_add(&put, "l", 1);
        e->totals[0] = e->totals[1] = other->totals[0] = other->totals[1] = 1;
        ob_tracked_rows_mark_changed(&put, e, true);
        ob_tracked_rows_mark_changed(&put, other, true);
        world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
        ob_tracked_rows_settle(&put);
        assert_stored(w, "k A 1;k B 1;l A 1;l B 1;");

        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_TRACKED_TOTALS, "source", &w->err));
        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_TRACKED_ROWS, "source", &w->err));
        e->totals[1] = 2;
        ob_tracked_rows_mark_changed(&put, e, false);
        world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
        ob_tracked_rows_settle(&put);
        assert_stored(w, "k B 2;");
        e->totals[1] = OB_TOTAL_UNKNOWN;
        ob_tracked_rows_mark_changed(&put, e, false);
        world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
        assert_stored(w, "");
        ob_tracked_rows_free(&put);
}

/* A total that has lost its row is no number to compare with when a row of that key comes back. */
static void a_total_without_its_row_goes(void **state)
{
        struct world *w = *state;
        struct ob_tracked_rows got = { .n_totals = 0 };

        ob_tracked_rows_add_total(&got, "A");
        world_ok(w, OB_PUT_ROW(w->st, OB_TABLE_TRACKED_TOTALS, &w->err, ob_value_text("source"),
                            ob_value_blob("k", 1), ob_value_text("A"), ob_value_number(5)));
        world_ok(w, ob_tracked_rows_load(&got, w->st, "source", &w->err));
        assert_null(got.entries);
        assert_stored(w, "");
        ob_tracked_rows_free(&got);
}

static void since_when_a_row_is_below_is_kept(void **state)
{
        struct world *w = *state;

        for (size_t i = 0; i < 2; i++) {
                struct ob_tracked_rows put = { .n_totals = 0 }, got = { .n_totals = 0 };
                struct ob_bytes key = key_of("k");
                struct ob_tracked_row *e;

                ob_tracked_rows_add_total(&put, "A");
                ob_tracked_rows_add_total(&got, "A");
                e = ob_tracked_rows_add(&put, "k", 1);
                e->totals[0] = 5;
                e->below_since = i ? 1587312000 : 0;
                ob_tracked_rows_mark_changed(&put, e, true);
                world_ok(w, ob_tracked_rows_put(&put, w->st, "source", &w->err));
                world_ok(w, ob_tracked_rows_load(&got, w->st, "source", &w->err));
                e = ob_tracked_rows_find(&got, &key);
                assert_non_null(e);
                assert_int_equal(e->below_since, i ? 1587312000 : 0);
                assert_true(e->totals[0] == 5);
                ob_tracked_rows_free(&put);
                ob_tracked_rows_free(&got);
        }
}

/* Adds the rows of a poll. */
static void meet(struct ob_tracked_rows *known, const char *keys, uint64_t poll)
{
        for (; *keys; keys++) {
                struct ob_bytes key = { (unsigned char *)keys, 1, 1 };
                struct ob_tracked_row *e = ob_tracked_rows_find(known, &key);

                if (!e)
                        e = ob_tracked_rows_add(known, keys, 1);
                e->met = poll;
                ob_tracked_rows_mark_changed(known, e, true);
        }
}

/* Rows without totals take no memory after they are gone, and no room in the store. */
static void rows_without_totals_are_of_the_last_poll(void **state)
{
        struct ob_tracked_rows known = { .n_totals = 0 }, stored = { .n_totals = 0 };
        struct world *w = *state;

        for (size_t i = 0; i < LENGTH(polls); i++) {
                meet(&known, polls[i], i);
                world_ok(w, ob_tracked_rows_put(&known, w->st, "source", &w->err));
                ob_tracked_rows_forget_others(&known, i);
                for (char c = 'a'; c <= 'z'; c++) {
                        struct ob_bytes key = { (unsigned char *)&c, 1, 1 };

                        assert_true(!ob_tracked_rows_find(&known, &key) == !strchr(polls[i], c));
                }
        }
        world_ok(w, ob_tracked_rows_load(&stored, w->st, "source", &w->err));
        assert_null(stored.entries);
        ob_tracked_rows_free(&known);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_is_found_in_whatever_order),
                cmocka_unit_test(a_key_is_not_taken_for_the_one_that_comes_next),
                EVERYWHERE(totals_are_those_of_their_columns),
                EVERYWHERE(only_what_changed_is_written),
                EVERYWHERE(a_total_without_its_row_goes),
                EVERYWHERE(since_when_a_row_is_below_is_kept),
                EVERYWHERE(rows_without_totals_are_of_the_last_poll),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
