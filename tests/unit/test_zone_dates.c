/* The newest dates of a round, and nothing of the round before. */
#include "tests/unit/unit.h"

#include <string.h>

#include "agent/source/web/zone_dates.h"

static const struct {
        const char *what;
        int before[8], added[8]; /* dates of the last round, and of this one; 0 ends */
        int want[OB_ZONE_DATES_MAX];
        size_t n;
} cases[] = {
        { "none", { 0 }, { 0 }, { 0 }, 0 },
        { "in any order", { 0 }, { 3, 9, 5 }, { 9, 5, 3 }, 3 },
        { "as many as there is room for", { 0 }, { 1, 2, 3, 4, 5 }, { 5, 4, 3, 2, 1 }, 5 },
        { "the oldest go", { 0 }, { 4, 1, 9, 2, 7, 8, 3 }, { 9, 8, 7, 4, 3 }, 5 },
        { "an old one comes last", { 0 }, { 9, 8, 7, 6, 5, 1 }, { 9, 8, 7, 6, 5 }, 5 },
        { "newer ones of the last round are none of this", { 99, 98, 97, 96, 95 }, { 5, 4, 3, 2, 1 },
                { 5, 4, 3, 2, 1 }, 5 },
        { "nor is a fifth one", { 99, 98, 97, 96, 95 }, { 5, 4, 3, 2 }, { 5, 4, 3, 2 }, 4 },
};

static void add(struct ob_zone_dates *dates, const int *all)
{
        for (; *all; all++)
                ob_zone_dates_add(dates, &(struct ob_zone_date) { .local = *all });
}

static void the_newest_dates_of_a_round_are_kept(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_zone_dates dates = { .n = 0 };

                add(&dates, cases[i].before);
                dates.n = 0; /* what is behind the end does not count, whatever it is */
                add(&dates, cases[i].added);
                if (dates.n != cases[i].n)
                        fail_msg("%s: %zu", cases[i].what, dates.n);
                for (size_t n = 0; n < dates.n; n++)
                        if (dates.all[n].local != cases[i].want[n])
                                fail_msg("%s: %zu is %d", cases[i].what, n, (int)dates.all[n].local);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_newest_dates_of_a_round_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
