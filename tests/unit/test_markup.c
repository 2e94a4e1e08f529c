#include "tests/unit/unit.h"

#include <string.h>

#include "agent/status/draw.h"

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

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(every_text_is_escaped) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
