#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "agent/face/markup.h"

static void every_text_is_escaped(void **state)
{
        static const struct {
                const char *text, *want;
        } cases[] = {
                { "", "<b title=\"\">-7</b> 100%" },
                { "plain", "<b title=\"plain\">-7</b> 100%" },
                { "<script>", "<b title=\"&lt;script&gt;\">-7</b> 100%" },
                { "\" onclick='x'", "<b title=\"&quot; onclick=&#39;x&#39;\">-7</b> 100%" },
                { "&lt;", "<b title=\"&amp;lt;\">-7</b> 100%" },
                { "%s%lld", "<b title=\"%s%lld\">-7</b> 100%" },
                { "管理", "<b title=\"管理\">-7</b> 100%" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_bytes out = { .length = 0 };

                ob_markup(&out, "<b title=\"%s\">%lld</b> 100%%", cases[i].text, -7LL);
                assert_int_equal(out.length, strlen(cases[i].want));
                assert_memory_equal(out.data, cases[i].want, out.length);
                ob_bytes_free(&out);
        }
}

static void what_is_no_text_becomes_a_question_mark(void **state)
{
        static const struct {
                const char *text, *want;
        } cases[] = {
                { "", "" }, { "a\tb\x7f\x1b[0m", "a?b??[0m" },
                { "d\xc3\xa9j\xc3\xa0 管理 \xf0\x9f\xa6\xa6", "d\xc3\xa9j\xc3\xa0 管理 \xf0\x9f\xa6\xa6" },
                { "\xff\xfe", "??" }, { "\xc3", "?" }, /* cut short */
                { "\xe7\xae", "??" },                  /* … in three */
                { "\xc3(", "?(" },                     /* no continuation */
                { "\x80", "?" },                       /* nothing but one */
                { "\xc0\xaf\xe0\x80\xaf", "?????" },   /* overlong */
                { "\xed\xa0\x80", "???" },             /* a surrogate */
                { "\xf4\x90\x80\x80", "????" },        /* beyond the last */
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char text[64];

                snprintf(text, sizeof(text), "%s", cases[i].text);
                ob_markup_clean(text);
                assert_string_equal(text, cases[i].want);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_text_is_escaped),
                cmocka_unit_test(what_is_no_text_becomes_a_question_mark),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
