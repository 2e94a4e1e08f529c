/* How many managers an agent takes or hands over, and that agents which follow that end with fair shares. */
#include <string.h>

#include "agent/store/shares.h"
#include "tests/unit/unit.h"

#define AGENTS_MAX 12

static const struct {
        const char *name;
        struct ob_share shares[AGENTS_MAX]; /* up to the first one without `managers` and `rests` behind `n` */
        size_t n, me, managers, n_free;
        long change;
} cases[] = {
        { "alone", { { 0 } }, 1, 0, 5, 5, 5 },
        { "alone, not all are free", { { 1 } }, 1, 0, 5, 2, 2 },
        { "one manager, and the other agent owns it", { { 0 }, { 1 } }, 2, 0, 1, 0, 0 },
        { "one manager, and this agent owns it", { { 0 }, { 1 } }, 2, 1, 1, 0, 0 },
        { "one manager that is free", { { 0 }, { 0 } }, 2, 1, 1, 1, 1 },
        { "too many", { { 5 }, { 0 } }, 2, 0, 5, 0, -2 },
        { "the new agent waits for them", { { 5 }, { 0 } }, 2, 1, 5, 0, 0 },
        { "a fair share, and one more that the other needs", { { 3 }, { 1 } }, 2, 1, 5, 1, 1 },
        { "one is free, and it belongs to the agent below its share", { { 3 }, { 1 }, { 2 } }, 3, 2, 7, 1, 0 },
        { "the first of the largest gives", { { 3 }, { 3 }, { 1 } }, 3, 0, 7, 0, -1 },
        { "… and not the second", { { 3 }, { 3 }, { 1 } }, 3, 1, 7, 0, 0 },
        { "who rests hands over all", { { 3, true }, { 2 } }, 2, 0, 5, 0, -3 },
        { "who does not rest takes all", { { 0, true }, { 2 } }, 2, 1, 5, 3, 3 },
        { "when all rest, none does", { { 3, true }, { 2, true } }, 2, 0, 5, 0, 0 },
        { "no manager at all", { { 0 }, { 0 } }, 2, 0, 0, 0, 0 },
};

static void each_case(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                long change = ob_shares_change(
                        cases[i].shares, cases[i].n, cases[i].me, cases[i].managers, cases[i].n_free);

                if (change != cases[i].change)
                        fail_msg("%s: %ld, not %ld", cases[i].name, change, cases[i].change);
        }
}

/* Lets each agent in turn do what it should, until none changes anything. Returns how many managers moved. */
static size_t settle(struct ob_share *shares, size_t n, size_t managers)
{
        size_t moved = 0;

        for (int round = 0; round < 1000; round++) {
                bool is_still = true;

                for (size_t me = 0; me < n; me++) {
                        size_t owned = 0;
                        long change;

                        for (size_t i = 0; i < n; i++)
                                owned += shares[i].managers;
                        change = ob_shares_change(shares, n, me, managers, managers - owned);
                        shares[me].managers = (size_t)((long)shares[me].managers + change);
                        moved += change > 0 ? (size_t)change : 0;
                        is_still &= !change;
                }
                if (is_still)
                        return moved;
        }
        fail_msg("the shares of %zu agents do not settle", n);
        return 0;
}

static void shares_differ_by_one_at_most(void **state)
{
        (void)state;
        for (size_t n = 1; n <= AGENTS_MAX; n++)
                for (size_t managers = 0; managers < 40; managers++)
                        for (size_t first = 0; first <= managers; first += 3) {
                                struct ob_share shares[AGENTS_MAX] = { { first } };
                                size_t low = managers, high = 0, sum = 0;

                                settle(shares, n, managers);
                                for (size_t i = 0; i < n; i++) {
                                        low = shares[i].managers < low ? shares[i].managers : low;
                                        high = shares[i].managers > high ? shares[i].managers : high;
                                        sum += shares[i].managers;
                                }
                                assert_int_equal(sum, managers);
                                assert_true(high - low <= 1);
                        }
}

/* 200 managers on ten agents: one dies, and comes back. Only what has to move does. */
static void no_manager_moves_without_need(void **state)
{
        struct ob_share shares[10] = { { 0 } };

        (void)state;
        assert_int_equal(settle(shares, 10, 200), 200);
        shares[9].managers = 0;
        assert_int_equal(settle(shares, 9, 200), 20);
        for (size_t i = 0; i < 9; i++)
                assert_in_range(shares[i].managers, 22, 23);
        assert_int_equal(settle(shares, 10, 200), 20);
        assert_int_equal(shares[9].managers, 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_case),
                cmocka_unit_test(shares_differ_by_one_at_most),
                cmocka_unit_test(no_manager_moves_without_need),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
