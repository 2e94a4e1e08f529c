#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/utf8.h"

static const struct {
        const char *text;
        size_t most;
        const char *want;
        size_t took;
} cases[] = {
        { "plain", 100, "plain", 5 },
        { "plain", 3, "pla", 3 },
        { "", 100, "", 0 },
        { "通", 2, "", 0 }, /* no character by halves */
        { "通", 3, "通", 3 },
        { "a通道", 6, "a通", 4 },
        { "é\U0001F600", 5, "é", 2 },
        { "é\U0001F600", 6, "é\U0001F600", 6 },
        { "a\xff\x80"
          "b",
                100, "a??b", 4 },
        { "\xe9\x80", 100, "??", 2 }, /* ends too early */
        { "\xc0\xaf", 100, "??", 2 }, /* overlong */
        { "\xe0\x80\xaf", 100, "???", 3 },
        { "\xf0\x80\x80\xaf", 100, "????", 4 },
        { "\xed\xa0\x80", 100, "???", 3 },      /* a surrogate */
        { "\xf4\x90\x80\x80", 100, "????", 4 }, /* behind the last one */
        { "\xf4\x8f\xbf\xbf", 100, "\xf4\x8f\xbf\xbf", 4 },
        { "a\n\tb\r\x01\x7f", 100, "a\n\tb???", 7 },
        { "a\u202eb\u2028c\xc2\x85", 100, "a?b?c?", 11 },
};

static void what_is_added_is_utf8(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char room[64];
                struct ob_text t = ob_text_over(room, sizeof(room));
                size_t took = ob_utf8_add(&t, cases[i].text, cases[i].most);

                if (took != cases[i].took || t.length != strlen(cases[i].want) ||
                        memcmp(room, cases[i].want, t.length) != 0)
                        fail_msg("case %zu: \"%.*s\", %zu bytes", i, (int)t.length, room, took);
        }
}

static const struct {
        const char *text, *want;
} shows[] = {
        { "", "" },
        { "plain \"quoted\" \\", "plain \"quoted\" \\" },
        { "通道 d\u00e9j\u00e0 \U0001F9A6", "通道 d\u00e9j\u00e0 \U0001F9A6" },
        { "a\nb\tc\r", "a<U+000A>b<U+0009>c<U+000D>" },
        { "\x1b[1m\x7f", "<U+001B>[1m<U+007F>" },
        { "\xc2\x80 \xc2\x9f \xc2\xa0", "<U+0080> <U+009F> \xc2\xa0" }, /* C1; a blank is none */
        { "\u061c\u200e\u200f", "<U+061C><U+200E><U+200F>" },
        { "\u202a\u202e\u202f", "<U+202A><U+202E>\u202f" },
        { "\u2027\u2028\u2029", "\u2027<U+2028><U+2029>" },
        { "\u2065\u2066\u2069\u206a", "\u2065<U+2066><U+2069>\u206a" },
        { "\xef\xbb\xbf", "<U+FEFF>" },
        { "a\xff\x80", "a<FF><80>" },
        { "\x9b"
          "31m",
                "<9B>31m" },                /* C1 without UTF-8 */
        { "\xe9\x80", "<E9><80>" },         /* ends too early */
        { "\xc0\x8a", "<C0><8A>" },         /* a newline, overlong */
        { "\xed\xa0\x80", "<ED><A0><80>" }, /* a surrogate */
        { "\xf4\x90\x80\x80", "<F4><90><80><80>" },
};

static void what_is_shown_has_nothing_that_a_terminal_obeys(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(shows); i++) {
                char once[128], twice[128];

                snprintf(once, sizeof(once), "%s", shows[i].text);
                ob_utf8_show_in(once, sizeof(once));
                assert_string_equal(once, shows[i].want);
                snprintf(twice, sizeof(twice), "%s", once);
                ob_utf8_show_in(twice, sizeof(twice));
                assert_string_equal(twice, once);
        }
}

static void an_escape_that_does_not_fit_is_left_out_whole(void **state)
{
        (void)state;
        for (size_t room = 1; room < 20; room++) {
                char text[20] = "ab\n通c";

                ob_utf8_show_in(text, room);
                assert_string_equal(text, room > 14   ? "ab<U+000A>通c"
                                          : room > 13 ? "ab<U+000A>通"
                                          : room > 10 ? "ab<U+000A>"
                                          : room > 2  ? "ab"
                                          : room > 1  ? "a"
                                                      : "");
        }
}

static void no_more_than_was_asked_for_is_shown(void **state)
{
        char room[64];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_utf8_show(&t, "通道\n", 4);
        assert_int_equal(t.length, 3);
        assert_false(t.too_long);
}

static void the_first_bad_byte_is_found(void **state)
{
        static const struct {
                const char *bytes;
                size_t length, want;
        } bad[] = {
                { "", 0, 0 }, { "plain", 5, 5 }, { "a\0b", 3, 1 }, { "é通\U0001F600", 9, 9 },
                { "é通\U0001F600", 8, 5 },                                         /* the end cuts a character */
                { "ab\xff", 3, 2 }, { "ab\xe9\x80<", 5, 2 }, { "\xc0\xaf", 2, 0 }, /* overlong */
                { "\xed\xa0\x80", 3, 0 },                                          /* a surrogate */
                { "\xf4\x90\x80\x80", 4, 0 },                                      /* behind U+10FFFF */
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(bad); i++)
                if (ob_utf8_find_bad(bad[i].bytes, bad[i].length) != bad[i].want)
                        fail_msg("case %zu: %zu", i, ob_utf8_find_bad(bad[i].bytes, bad[i].length));
}

static void a_copy_is_shown_and_says_that_it_was_cut(void **state)
{
        static const struct {
                const char *text;
                size_t most;
                const char *want;
        } copies[] = {
                { "", 9, "" },
                { "a\x1b[1m", 9, "a<U+001B>[1m" },
                { "\x1b\x1b\xff", 3, "<U+001B><U+001B><FF>" },
                { "plain", 5, "plain" },
                { "plain", 4, "plai…" },
                { "通道", 4, "通…" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(copies); i++) {
                char *made = ob_utf8_show_copy(copies[i].text, copies[i].most);

                if (strcmp(made, copies[i].want) != 0)
                        fail_msg("case %zu: \"%s\"", i, made);
                free(made);
        }
}

static void characters_have_one_column_or_two(void **state)
{
        static const struct {
                const char *text;
                size_t want;
        } columns[] = { { "a", 1 }, { "é", 1 }, { "…", 1 }, { "通", 2 }, { "，", 2 }, { "ﾊ", 1 }, { "한", 2 },
                { "\U0001F9A6", 2 }, { "\U0002000B", 2 } };

        (void)state;
        for (size_t i = 0; i < LENGTH(columns); i++) {
                unsigned code = ob_utf8_code(columns[i].text, strlen(columns[i].text));

                if (ob_utf8_columns(code) != columns[i].want)
                        fail_msg("case %zu: %zu", i, ob_utf8_columns(code));
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_added_is_utf8),
                cmocka_unit_test(what_is_shown_has_nothing_that_a_terminal_obeys),
                cmocka_unit_test(an_escape_that_does_not_fit_is_left_out_whole),
                cmocka_unit_test(no_more_than_was_asked_for_is_shown),
                cmocka_unit_test(the_first_bad_byte_is_found),
                cmocka_unit_test(a_copy_is_shown_and_says_that_it_was_cut),
                cmocka_unit_test(characters_have_one_column_or_two),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
