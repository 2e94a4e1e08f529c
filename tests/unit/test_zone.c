#include "tests/unit/unit.h"

#include <string.h>

#include "config/zone.h"
#include "config/zone_rule.h"

#define NEVER INT64_MAX /* no time is later than now */

/* `local` and `epoch` in seconds since 1970; by date(1). */
static const struct {
        const char *zone;
        int64_t local, now, epoch;
} cases[] = {
        { "UTC", 1587351057, NEVER, 1587351057 }, { "Asia/Shanghai", 1587379857, NEVER, 1587351057 },
        { "Asia/Shanghai", 4102444800, NEVER, 4102416000 }, /* 2100: past all changes that are listed */
        { "Asia/Kolkata", 1587370857, NEVER, 1587351057 }, { "America/New_York", 1587336657, NEVER, 1587351057 },
        { "Europe/Berlin", 1603591200, NEVER, 1603587600 },      /* 2020-10-25 02:00, the second of two */
        { "Europe/Berlin", 1603593000, NEVER, 1603589400 },      /* 02:30 */
        { "Europe/Berlin", 1603593000, 1603588000, 1603585800 }, /* … when the second was still to come */
        { "Europe/Berlin", 1603594800, NEVER, 1603591200 },      /* 03:00 */
        { "Europe/Berlin", 1585449000, NEVER, 1585445400 },      /* 2020-03-29 02:30, which there was not */
        { "Europe/Berlin", 1585447200, NEVER, 1585443600 },      /* 02:00 */
        { "Europe/Berlin", 1585450800, NEVER, 1585443600 },      /* 03:00 */
        { "Europe/Berlin", 4087195200, NEVER, 4087188000 },      /* in the summer of 2099 */
        { "Australia/Sydney", 4102488000, NEVER, 4102448400 },   /* new year's day of 2100 is in summer there */
};

static void a_clock_on_the_wall_tells_the_time(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_err err;
                struct ob_zone *z = ob_zone_load(cases[i].zone, &err);
                int64_t got;

                if (!z)
                        fail_msg("%s", err.text);
                got = ob_zone_epoch(z, cases[i].local, cases[i].now);
                if (got != cases[i].epoch)
                        fail_msg("%s %lld: %lld, not %lld", cases[i].zone, (long long)cases[i].local,
                                (long long)got, (long long)cases[i].epoch);
                ob_zone_free(z);
        }
}

static void there_are_no_other_zones(void **state)
{
        static const char *const names[] = { "", "Asia", "Asia/Nowhere", "/etc/passwd", "../zoneinfo/UTC", "a b",
                "zone.tab", "tzdata.zi" };

        (void)state;
        for (size_t i = 0; i < LENGTH(names); i++) {
                struct ob_err err;

                if (ob_zone_load(names[i], &err))
                        fail_msg("\"%s\"", names[i]);
                assert_non_null(strstr(err.text, "there is no time zone"));
        }
}

static const struct {
        const char *text;
        bool is_good;
        int standard, summer;
} rules[] = {
        { "CST-8", true, 28800, 0 },
        { "<+0330>-3:30", true, 12600, 0 },
        { "EST5EDT,M3.2.0,M11.1.0", true, -18000, -14400 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", true, 3600, 0 },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", true, -7200, -3600 },
        { "EET-2EEST,M3.4.4/50,M10.4.4/50", true, 7200, 10800 },
        { "", false },
        { "CST", false },
        { "-8", false },
        { "<+08-8", false },
        { "CET-25", false },
        { "UJif97", false },
        { "CET-1CEST", false },
        { "CET-1CEST,J60,J300", false },
        { "CET-1CEST,M0.5.0,M10.5.0", false },
        { "CET-1CEST,M3.6.0,M10.5.0", false },
        { "CET-1CEST,M3.5.7,M10.5.0", false },
        { "CET-1CEST,M3.5.0,M10.5.0x", false },
        { "CET-999", false },
};

static void a_rule_is_read_or_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(rules); i++) {
                struct ob_zone_rule rule;

                if (ob_zone_rule_read(&rule, rules[i].text) != rules[i].is_good)
                        fail_msg("\"%s\"", rules[i].text);
                if (rules[i].is_good && (rule.standard != rules[i].standard || rule.summer != rules[i].summer))
                        fail_msg("\"%s\": %d, %d", rules[i].text, rule.standard, rule.summer);
        }
}

/* Cut anywhere, a file is refused; nothing is read behind its end. */
static void damaged_zoneinfo_is_refused(void **state)
{
        static const char head[] =
                "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                "\0\0\0\0\0\0UTC";
        struct ob_err err;

        (void)state;
        for (size_t n = 0; n < sizeof(head); n++)
                assert_null(ob_zone_read(head, n, &err));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_clock_on_the_wall_tells_the_time),
                cmocka_unit_test(there_are_no_other_zones),
                cmocka_unit_test(a_rule_is_read_or_refused),
                cmocka_unit_test(damaged_zoneinfo_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
