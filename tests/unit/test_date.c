#include "tests/unit/unit.h"

#include "proto/date.h"

static void a_date_is_written_in_utc(void **state)
{
        static const struct {
                int64_t seconds;
                char between;
                const char *want;
        } cases[] = {
                { 1600000000, ' ', "2020-09-13 12:26:40" },
                { 1600000000, 'T', "2020-09-13T12:26:40" },
                { -1, ' ', "1969-12-31 23:59:59" },
                { INT64_MIN, ' ', "-" },
                { INT64_MAX, ' ', "-" },
        };
        char date[OB_DATE_MAX];

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(ob_date_format(date, cases[i].seconds, cases[i].between), cases[i].want);
}

static void only_a_date_that_exists_is_read(void **state)
{
        static const struct {
                const char *text;
                bool is_date;
                int64_t want;
        } cases[] = {
                { "2020-09-13 12:26:40", true, 1600000000 },
                { "2020-02-29 00:00:00", true, 1582934400 },
                { "2019-02-29 00:00:00", false, 0 },
                { "2020-04-31 00:00:00", false, 0 },
                { "2020-04-20 24:00:00", false, 0 },
                { "2020-04-20 00:00:00 ", false, 0 },
                { "2020-04-20", false, 0 },
                { "", false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t seconds = 0;

                if (ob_date_parse(cases[i].text, &seconds) != cases[i].is_date || seconds != cases[i].want)
                        fail_msg("'%s': %lld", cases[i].text, (long long)seconds);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_date_is_written_in_utc),
                cmocka_unit_test(only_a_date_that_exists_is_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
