#include "tests/unit/unit.h"

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

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_added_is_utf8) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
