#include "agent/sink/datagrams.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define PAYLOAD 8

/* Lines that are added one behind the other, and what comes of them: "text points first|…". */
static const struct {
        struct {
                const char *lines;
                unsigned points, place;
        } added[4];
        const char *want;
} cases[] = {
        { { { NULL } }, "" },
        { { { "a\n", 1, 0 } }, "a\n 1 0|" },
        { { { "aaa\n", 1, 0 }, { "bbb\n", 1, 1 } }, "aaa\nbbb\n 2 0|" },
        { { { "aaa\n", 1, 0 }, { "bbbb\n", 1, 1 }, { "c\n", 1, 2 } }, "aaa\n 1 0|bbbb\nc\n 2 1|" },
        { { { "a\nb\nc\n", 1, 0 }, { "d\ne\n", 1, 1 } }, "a\nb\nc\n 1 0|d\ne\n 1 1|" },
        { { { "aaaaaaa\n", 1, 3 }, { "bbbbbbb\n", 0, 4 }, { "ccccccc\n", 1, 9 } },
                "aaaaaaa\n 1 3|bbbbbbb\n 0 4|ccccccc\n 1 9|" },
};

static void assert_is(const struct ob_datagrams *d, const char *want)
{
        char said[256] = "";
        size_t length = 0;

        for (size_t i = 0; i < d->n; i++)
                length += (size_t)snprintf(said + length, sizeof(said) - length, "%.*s %u %u|",
                        (int)d->pieces[i].iov_len, (const char *)d->pieces[i].iov_base, d->brought[i].points,
                        d->brought[i].first);
        assert_string_equal(said, want);
}

/* The same one is used again and again. */
static void lines_fill_datagrams(void **state)
{
        struct ob_datagrams d = { .n = 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_datagrams_start(&d);
                for (size_t j = 0; j < LENGTH(cases[i].added) && cases[i].added[j].lines; j++) {
                        const struct ob_text lines = { .data = (char *)cases[i].added[j].lines,
                                .length = strlen(cases[i].added[j].lines) };

                        ob_datagrams_add(&d, &lines, PAYLOAD, cases[i].added[j].points, cases[i].added[j].place);
                }
                ob_datagrams_finish(&d);
                assert_is(&d, cases[i].want);
        }
        ob_datagrams_free(&d);
        ob_datagrams_free(&d);
}

static void points_are_left_in_what_was_not_sent(void **state)
{
        static const unsigned want[] = { 6, 5, 3, 0 };
        const struct ob_text lines = { .data = (char *)"aaaaaaa\n", .length = PAYLOAD };
        struct ob_datagrams d = { .n = 0 };

        (void)state;
        for (unsigned i = 1; i <= 3; i++)
                ob_datagrams_add(&d, &lines, PAYLOAD, i, i);
        for (; d.next < LENGTH(want); d.next++)
                assert_int_equal(ob_datagrams_points_left(&d), want[d.next]);
        ob_datagrams_free(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_fill_datagrams),
                cmocka_unit_test(points_are_left_in_what_was_not_sent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
