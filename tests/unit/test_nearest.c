/* "A name is near when it begins with the word, or when at most a third (rounded) of the letters are wrong." */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/nearest.h"

static const char *const names[] = { "--check", "--config", "--once", "--json", "--version", "cursor", "datadog",
        "grafana", "replay" };

static const struct {
        const char *word, *want;
} cases[] = {
        { "--chekc", "--check" }, /* swapped */
        { "--chck", "--check" },  /* missing */
        { "--cheeck", "--check" },
        { "--chuck", "--check" },
        { "check", "--check" },
        { "CHECK", "--check" },
        { "-v", "--version" },
        { "graf", "grafana" },
        { "--grafana", "grafana" },
        { "grfaana", "grafana" },
        { "repaly", "replay" },
        { "c", "--check" }, /* the first of several */
        { "cursors", "cursor" },
        { "jsno", "--json" },
        { "nonsense", NULL },
        { "x", NULL },
        { "--", NULL },
        { "", NULL },
        { "jxxn", NULL },
        { "a-word-that-is-longer-than-any-name-of-ours", NULL },
};

static void the_nearest_name_is_found(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_nearest n = { .word = cases[i].word };

                for (size_t j = 0; j < LENGTH(names); j++)
                        ob_nearest_try(&n, names[j]);
                if (!n.name != !cases[i].want || (n.name && strcmp(n.name, cases[i].want) != 0))
                        fail_msg("%s: %s", cases[i].word, n.name ? n.name : "none");
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(the_nearest_name_is_found) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
