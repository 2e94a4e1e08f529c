#include "tests/unit/unit.h"

#include <stdlib.h>

#include "proto/date.h"

static const struct {
        const char *text;
        int64_t seconds;
} dates[] = {
        { "1970-01-01 00:00:00", 0 },
        { "1969-12-31 23:59:59", -1 },
        { "2020-02-29 12:00:00", 1582977600 },
        { "2020-09-13 12:26:40", 1600000000 },
        { "2100-01-01 00:00:00", 4102444800 },
};

/* In UTC, in whatever time zone the process is. */
static void a_date_is_read_and_written(void **state)
{
        (void)state;
        setenv("TZ", "Asia/Shanghai", 1);
        for (size_t i = 0; i < LENGTH(dates); i++) {
                char text[OB_DATE_SIZE];
                int64_t seconds = 0;

                assert_true(ob_date_parse(dates[i].text, &seconds));
                assert_int_equal(seconds, dates[i].seconds);
                assert_string_equal(ob_date_format(seconds, text), dates[i].text);
        }
        unsetenv("TZ");
}

static void a_date_that_does_not_exist_is_refused(void **state)
{
        static const char *const texts[] = { "", "2020-04-20", "2020-04-20 00:00:00 ", "2020-02-30 00:00:00",
                "2019-02-29 00:00:00", "2020-04-31 00:00:00", "2020-04-20 24:00:00", "2020-04-20 23:59:60" };

        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++) {
                int64_t seconds = 7;

                if (ob_date_parse(texts[i], &seconds) || seconds != 7)
                        fail_msg("\"%s\"", texts[i]);
        }
}

static void a_time_without_a_year_has_no_date(void **state)
{
        char text[OB_DATE_SIZE];

        (void)state;
        assert_string_equal(ob_date_format(INT64_MIN, text), "-");
        assert_string_equal(ob_date_format(INT64_MAX, text), "-");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_date_is_read_and_written),
                cmocka_unit_test(a_date_that_does_not_exist_is_refused),
                cmocka_unit_test(a_time_without_a_year_has_no_date),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
