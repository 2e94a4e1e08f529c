/* Numbers as people read them. */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/quantity.h"

static const struct {
        const char *(*write)(char text[OB_QUANTITY_MAX], int64_t number);
        int64_t number;
        const char *want;
} cases[] = {
        { ob_quantity_time, 0, "0 s" },
        { ob_quantity_time, 1999, "1 s" },
        { ob_quantity_time, 119999, "119 s" },
        { ob_quantity_time, 120000, "2 min" },
        { ob_quantity_time, 7200000, "2 h" },
        { ob_quantity_time, 172800000, "2 d" },
        { ob_quantity_time, INT64_MAX, "106751991167 d" },
        { ob_quantity_time, -1000, "-1 s" },
        { ob_quantity_count, 0, "0" },
        { ob_quantity_count, 999, "999" },
        { ob_quantity_count, 1000, "1,000" },
        { ob_quantity_count, -999, "-999" },
        { ob_quantity_count, INT64_MIN, "-9,223,372,036,854,775,808" },
        { ob_quantity_bytes, 9999, "9999 B" },
        { ob_quantity_bytes, 10000, "10.0 kB" },
        { ob_quantity_bytes, 67108864, "67.1 MB" },
};

static void numbers_are_written_for_people(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char text[OB_QUANTITY_MAX];

                if (strcmp(cases[i].write(text, cases[i].number), cases[i].want) != 0)
                        fail_msg("case %zu: \"%s\"", i, text);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(numbers_are_written_for_people) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
