#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "agent/process/mysql/result.h"
#include "proto/memory.h"

static bool add(struct ob_result *r, char *a, unsigned long a_length, char *b, unsigned long b_length)
{
        char *const cells[] = { a, b };
        const unsigned long lengths[] = { a_length, b_length };

        return ob_result_add(r, cells, lengths);
}

static void a_cell_is_a_text_or_null_wherever_one_looks(void **state)
{
        struct ob_result r = { .n = 0 };
        struct ob_err err;

        (void)state;
        ob_result_begin(&r, "table T", 2, 1000);
        assert_true(add(&r, "12", 2, NULL, 0));
        assert_true(add(&r, "", 0, "a\0b\0", 4));
        assert_string_equal(ob_result_cell(&r, 0, 0), "12");
        assert_null(ob_result_cell(&r, 0, 1));
        assert_string_equal(ob_result_cell(&r, 1, 0), "");
        assert_string_equal(ob_result_cell(&r, 1, 1), "a?b?");
        assert_null(ob_result_cell(&r, 2, 0));
        assert_null(ob_result_cell(&r, 0, 2));
        assert_string_equal(ob_result_text(&r, 0, 0, &err), "12");
        assert_null(ob_result_text(&r, 0, 1, &err));
        assert_string_equal(err.text, "mysql: the answer about table T has no text in row 1, column 2");
        assert_null(ob_result_text(&r, 7, 0, &err));
        ob_result_free(&r);
        assert_null(ob_result_cell(&r, 0, 0));
        ob_result_free(&r);
}

static void names_find_what_is_there_and_an_empty_text_otherwise(void **state)
{
        static const char *const names[] = { "rows", "key" };
        struct ob_result r = { .n = 0 };

        (void)state;
        ob_result_begin(&r, "x", 2, 1000);
        assert_string_equal(ob_result_named(&r, 0, "rows"), "");
        ob_result_name_columns(&r, names);
        assert_string_equal(ob_result_named(&r, 0, "rows"), "");
        add(&r, "5", 1, NULL, 0);
        assert_string_equal(ob_result_named(&r, 0, "rows"), "5");
        assert_string_equal(ob_result_named(&r, 0, "key"), "");
        assert_string_equal(ob_result_named(&r, 0, "type"), "");
        ob_result_free(&r);
}

static void a_time_is_what_a_clock_can_say(void **state)
{
        static const struct {
                char *cell;
                int64_t wanted; /* 0: none */
        } cases[] = { { "1587312000", 1587312000 }, { "1587312000.5", 1587312000 },
                { "253402300799", 253402300799 }, { "253402300800", 0 }, { "9223372036854775807", 0 },
                { "-9223372036854775808", 0 }, { "0", 0 }, { "-1", 0 }, { "", 0 }, { "abc", 0 }, { NULL, 0 } };
        struct ob_result r = { .n = 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t time = 0;

                ob_result_begin(&r, "x", 2, 1000);
                add(&r, cases[i].cell, cases[i].cell ? strlen(cases[i].cell) : 0, NULL, 0);
                assert_int_equal(ob_result_time(&r, 0, 0, &time), cases[i].wanted != 0);
                assert_int_equal(time, cases[i].wanted);
        }
        ob_result_free(&r);
}

/* Pointers count, too: rows of nothing but NULL fill a result as well. */
static void there_is_never_more_than_may_be(void **state)
{
        struct ob_result r = { .n = 0 };
        char large[1000];

        (void)state;
        memset(large, 'x', sizeof(large));
        for (int round = 0; round < 3; round++) {
                ob_result_begin(&r, "x", 2, 100000);
                while (add(&r, large, sizeof(large), NULL, 0))
                        ;
                assert_int_equal(r.n, 100000 / (1001 + 2 * sizeof(char *)));
                assert_true(add(&r, "fits", 4, NULL, 0));
                assert_string_equal(ob_result_cell(&r, r.n - 1, 0), "fits");
        }
        ob_result_begin(&r, "x", 2, 1600);
        while (add(&r, NULL, 0, NULL, 0))
                ;
        assert_int_equal(r.n, 100);
        ob_result_begin(&r, "x", 2, 0);
        assert_false(add(&r, "", 0, "", 0));
        ob_result_free(&r);
}

/* Blocks of memory are taken one after the other; texts stay where they are. */
static void many_rows_stay_as_they_were(void **state)
{
        struct ob_result r = { .n = 0 };

        (void)state;
        ob_result_begin(&r, "x", 2, 8 << 20);
        for (int i = 0; i < 50000; i++) {
                char a[24], b[200];
                int n = snprintf(a, sizeof(a), "%d", i), m = snprintf(b, sizeof(b), "%*d", i % 150, i);

                assert_true(add(&r, a, (unsigned long)n, b, (unsigned long)m));
        }
        for (int i = 0; i < 50000; i += 37) {
                ob_cleanup(ob_free_at) char *a = ob_format("%d", i), *b = ob_format("%*d", i % 150, i);

                assert_string_equal(ob_result_cell(&r, (size_t)i, 0), a);
                assert_string_equal(ob_result_cell(&r, (size_t)i, 1), b);
        }
        ob_result_free(&r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_cell_is_a_text_or_null_wherever_one_looks),
                cmocka_unit_test(names_find_what_is_there_and_an_empty_text_otherwise),
                cmocka_unit_test(a_time_is_what_a_clock_can_say),
                cmocka_unit_test(there_is_never_more_than_may_be),
                cmocka_unit_test(many_rows_stay_as_they_were),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
