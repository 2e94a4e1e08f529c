#include "tests/unit/unit.h"

#include <string.h>

#include "agent/source/health_rules.h"

static const struct ob_health_settings settings = {
        .lag = 60, .idle = 180, .stall = 300, .skew = 60, .hold = 30, .heartbeat = true
};

#define MAX_FACTS 8

/* Of a pipeline that works. */
#define DELAY(n)                                                                                                   \
        {                                                                                                          \
                OB_FACT_DELAY, n                                                                                   \
        }
#define DELAY_AGE(n)                                                                                               \
        {                                                                                                          \
                OB_FACT_DELAY_AGE, n                                                                               \
        }
#define ROWS_AGE(n)                                                                                                \
        {                                                                                                          \
                OB_FACT_THROUGHPUT_AGE, n                                                                          \
        }
#define ALARM_AGE(n)                                                                                               \
        {                                                                                                          \
                OB_FACT_ALARM_AGE, n                                                                               \
        }
#define SYNC_AGE(n)                                                                                                \
        {                                                                                                          \
                OB_FACT_SYNC_AGE, n                                                                                \
        }
#define POSITION(n)                                                                                                \
        {                                                                                                          \
                OB_FACT_POSITION_AGE, n                                                                            \
        }
#define MAINSTEM(n)                                                                                                \
        {                                                                                                          \
                OB_FACT_MAINSTEM, n                                                                                \
        }
#define CHANNEL(n)                                                                                                 \
        {                                                                                                          \
                OB_FACT_CHANNEL, n                                                                                 \
        }
#define IN_FLIGHT(n)                                                                                               \
        {                                                                                                          \
                OB_FACT_IN_FLIGHT, n                                                                               \
        }
#define BINLOG_LAG(n)                                                                                              \
        {                                                                                                          \
                OB_FACT_BINLOG_LAG, n                                                                              \
        }
#define WORKS CHANNEL(2), MAINSTEM(2)

static const struct {
        const char *name;
        struct {
                enum ob_fact fact;
                int64_t value;
        } facts[MAX_FACTS];
        unsigned n;
        enum ob_state was, want;
        const char *why; /* a part of it; NULL */
} cases[] = {
        { "nothing is known", { { 0 } }, 0, OB_STATE_OK, OB_STATES, "nothing is known" },
        { "rows come", { WORKS, DELAY(900), DELAY_AGE(30), ROWS_AGE(40), POSITION(5) }, 6, OB_STATES, OB_STATE_OK,
                "rows 40 s ago" },
        { "without pages, too", { DELAY(900), DELAY_AGE(30), ROWS_AGE(40) }, 3, OB_STATES, OB_STATE_OK, NULL },
        { "a quiet night", { WORKS, DELAY(0), DELAY_AGE(50), ROWS_AGE(20000), POSITION(10) }, 6, OB_STATE_OK,
                OB_STATE_IDLE, "no rows for 20000 s" },
        { "of two dates of rows the newer one stands", { WORKS, ROWS_AGE(20000), SYNC_AGE(20) }, 4, OB_STATE_OK,
                OB_STATE_OK, "rows 20 s ago" },
        { "not idle yet", { WORKS, ROWS_AGE(179) }, 3, OB_STATE_OK, OB_STATE_OK, NULL },
        { "idle", { WORKS, ROWS_AGE(180) }, 3, OB_STATE_OK, OB_STATE_IDLE, NULL },
        { "still idle", { WORKS, ROWS_AGE(144) }, 3, OB_STATE_IDLE, OB_STATE_IDLE, NULL },
        { "not idle any more", { WORKS, ROWS_AGE(143) }, 3, OB_STATE_IDLE, OB_STATE_OK, NULL },
        { "never a row, but it lives", { WORKS, POSITION(10) }, 3, OB_STATES, OB_STATE_IDLE, "no rows ever" },
        { "stopped, whatever else", { CHANNEL(0), MAINSTEM(0), DELAY(1 << 30), DELAY_AGE(9999), ROWS_AGE(9999) }, 5,
                OB_STATE_OK, OB_STATE_STOPPED, NULL },
        { "paused", { CHANNEL(1), MAINSTEM(2), ROWS_AGE(9999) }, 3, OB_STATE_OK, OB_STATE_PAUSED, NULL },
        { "locating", { CHANNEL(2), MAINSTEM(1), ROWS_AGE(9999) }, 3, OB_STATE_OK, OB_STATE_LOCATING, NULL },
        { "its node is gone", { CHANNEL(2), MAINSTEM(0), ROWS_AGE(10) }, 3, OB_STATE_OK, OB_STATE_STALLED,
                "no node works on it" },
        { "a little late", { WORKS, DELAY(59999), DELAY_AGE(30), ROWS_AGE(40) }, 5, OB_STATE_OK, OB_STATE_OK,
                NULL },
        { "lagging", { WORKS, DELAY(60000), DELAY_AGE(30), ROWS_AGE(40) }, 5, OB_STATE_OK, OB_STATE_LAGGING,
                "a delay of 60000 ms" },
        { "still lagging", { WORKS, DELAY(48000), DELAY_AGE(30), ROWS_AGE(40) }, 5, OB_STATE_LAGGING,
                OB_STATE_LAGGING, NULL },
        { "not lagging any more", { WORKS, DELAY(47999), DELAY_AGE(30), ROWS_AGE(40) }, 5, OB_STATE_LAGGING,
                OB_STATE_OK, NULL },
        { "an old delay says nothing", { WORKS, DELAY(90000), DELAY_AGE(300), ROWS_AGE(40) }, 5, OB_STATE_OK,
                OB_STATE_OK, NULL },
        { "behind in the binlog", { WORKS, ROWS_AGE(40), IN_FLIGHT(2), BINLOG_LAG(60000) }, 5, OB_STATE_OK,
                OB_STATE_LAGGING, "in the binlog" },
        { "an idle source's position is old, too", { WORKS, ROWS_AGE(40), IN_FLIGHT(0), BINLOG_LAG(60000) }, 5,
                OB_STATE_OK, OB_STATE_OK, NULL },
        { "stuck with work in flight", { WORKS, DELAY_AGE(400), ROWS_AGE(380), POSITION(390), IN_FLIGHT(3) }, 6,
                OB_STATE_OK, OB_STATE_STALLED, "nothing has moved for 380 s" },
        { "silent hang", { WORKS, DELAY_AGE(400), ROWS_AGE(380), POSITION(390), IN_FLIGHT(0) }, 6, OB_STATE_OK,
                OB_STATE_HUNG, "says that it works" },
        { "the hang is over when something moves", { WORKS, DELAY_AGE(400), ROWS_AGE(380), POSITION(239) }, 5,
                OB_STATE_HUNG, OB_STATE_IDLE, NULL },
        { "not before", { WORKS, DELAY_AGE(400), ROWS_AGE(380), POSITION(240) }, 5, OB_STATE_HUNG, OB_STATE_HUNG,
                NULL },
        { "without pages a hang is a stall", { DELAY_AGE(400), ROWS_AGE(380) }, 2, OB_STATE_OK, OB_STATE_STALLED,
                "is not read" },
        { "Otter's own alarm makes it sooner", { WORKS, DELAY_AGE(80), ROWS_AGE(70), ALARM_AGE(20) }, 5,
                OB_STATE_OK, OB_STATE_STALLED, "Otter's own alarm" },
        { "an old alarm does not", { WORKS, DELAY_AGE(80), ROWS_AGE(70), ALARM_AGE(300) }, 5, OB_STATE_OK,
                OB_STATE_OK, NULL },
        { "nor one of what moves again", { WORKS, DELAY_AGE(8), ROWS_AGE(70), ALARM_AGE(20) }, 5, OB_STATE_OK,
                OB_STATE_OK, NULL },
        { "a source without times", { WORKS, DELAY(1600000000000), DELAY_AGE(30), ROWS_AGE(40) }, 5, OB_STATE_OK,
                OB_STATE_SKEWED, "have no time" },
        { "a position of the future", { WORKS, ROWS_AGE(40), POSITION(-60) }, 4, OB_STATE_OK, OB_STATE_SKEWED,
                "by 60 s" },
        { "a little ahead is nothing", { WORKS, ROWS_AGE(40), POSITION(-59) }, 4, OB_STATE_OK, OB_STATE_OK, NULL },
        { "a synchronisation of the future", { WORKS, ROWS_AGE(40), SYNC_AGE(-28800) }, 4, OB_STATE_OK,
                OB_STATE_SKEWED, "28800" },
};

static struct ob_facts facts_of(size_t i)
{
        struct ob_facts f = { .has = { false } };

        for (unsigned k = 0; k < cases[i].n; k++) {
                f.has[cases[i].facts[k].fact] = true;
                f.value[cases[i].facts[k].fact] = cases[i].facts[k].value;
        }
        ob_facts_conclude(&f);
        return f;
}

static void what_is_known_decides(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct ob_facts f = facts_of(i);
                char why[OB_WHY_MAX];
                enum ob_state got = ob_health_rules_evaluate(&f, &settings, cases[i].was, why);

                if (got != cases[i].want)
                        fail_msg("%s: %s (%s)", cases[i].name, ob_state_word(got), why);
                if (cases[i].why && !strstr(why, cases[i].why))
                        fail_msg("%s: %s", cases[i].name, why);
        }
}

/* Where sources without rows have no heartbeat, silence is no news; a stall with work in flight still is. */
static void silence_is_idle_without_heartbeats(void **state)
{
        struct ob_health_settings silent = settings;
        char why[OB_WHY_MAX];

        (void)state;
        silent.heartbeat = false;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct ob_facts f = facts_of(i);
                enum ob_state want = cases[i].want == OB_STATE_HUNG ? OB_STATE_IDLE : cases[i].want;

                if (ob_health_rules_evaluate(&f, &silent, cases[i].was, why) != want)
                        fail_msg("%s: %s", cases[i].name, why);
        }
}

static void each_state_has_a_case_and_a_word(void **state)
{
        (void)state;
        for (enum ob_state s = 0; s <= OB_STATES; s++) {
                bool met = false;

                for (size_t i = 0; i < LENGTH(cases); i++)
                        met |= cases[i].want == s;
                assert_true(met);
                assert_true(*ob_state_word(s));
        }
        assert_string_equal(ob_state_word(OB_STATES), "unknown");
        assert_false(ob_state_is_bad(OB_STATE_STOPPED));
        assert_true(ob_state_is_bad(OB_STATE_HUNG));
        assert_false(ob_state_is_bad(OB_STATES));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_known_decides),
                cmocka_unit_test(silence_is_idle_without_heartbeats),
                cmocka_unit_test(each_state_has_a_case_and_a_word),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
