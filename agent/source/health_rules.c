#include "agent/source/health_rules.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define NO_EVENT_TIME 1000000000 /* milliseconds, 11 days: the events have no time, or a clock is wrong */

/* A rule compares a fact with a number, or with a setting in this unit. */
#define SETTING(member) offsetof(struct ob_health_settings, member)

struct condition {
        enum ob_fact fact;
        enum { END, IS, AT_LEAST, BEYOND, WITHIN, PAST, UNKNOWN } test; /* BEYOND, WITHIN, PAST: with a setting */
        int64_t number;                                                 /* or the factor of the setting */
        size_t setting;
};

/*
 * The first rule that fits decides. `why` is formatted with the fact of the rule's first condition.
 * BEYOND: at least the setting; WITHIN: below the setting; PAST: further in the future than the setting.
 */
static const struct rule {
        enum ob_state state;
        struct condition all[4];
        const char *why;
} rules[] = {
        { OB_STATE_STOPPED, { { OB_FACT_CHANNEL, IS, 0 } }, "its channel is stopped" },
        { OB_STATE_PAUSED, { { OB_FACT_CHANNEL, IS, 1 } }, "its channel is paused" },
        { OB_STATE_LOCATING, { { OB_FACT_MAINSTEM, IS, 1 } }, "it looks for its position" },
        { OB_STATE_SKEWED,
                { { OB_FACT_DELAY, AT_LEAST, NO_EVENT_TIME }, { OB_FACT_DELAY_AGE, WITHIN, 1, SETTING(stall) } },
                "a delay of %" PRId64 " ms: its source's events have no time, or its clock is far off" },
        { OB_STATE_SKEWED, { { OB_FACT_POSITION_AGE, PAST, 1, SETTING(skew) } },
                "its last position is of a time to come, by %" PRId64 " s: the clocks or the page's zone differ" },
        { OB_STATE_SKEWED, { { OB_FACT_SYNC_AGE, PAST, 1, SETTING(skew) } },
                "its last synchronisation is of a time to come, by %" PRId64
                " s: the clocks or the page's zone differ" },
        { OB_STATE_STALLED, { { OB_FACT_MAINSTEM, IS, 0 } }, "its channel runs, and no node works on it" },
        { OB_STATE_STALLED,
                { { OB_FACT_ALIVE_AGE, BEYOND, 1, SETTING(stall) }, { OB_FACT_IN_FLIGHT, AT_LEAST, 1 } },
                "work is in flight, and nothing has moved for %" PRId64 " s" },
        { OB_STATE_STALLED,
                { { OB_FACT_ALIVE_AGE, BEYOND, 1, SETTING(lag) },
                        { OB_FACT_ALARM_AGE, WITHIN, 1, SETTING(stall) } },
                "nothing has moved for %" PRId64 " s, and Otter's own alarm says so" },
        { OB_STATE_STALLED, { { OB_FACT_ALIVE_AGE, BEYOND, 1, SETTING(stall) }, { OB_FACT_MAINSTEM, UNKNOWN } },
                "nothing has moved for %" PRId64 " s; its page, which would say more, is not read" },
        { OB_STATE_HUNG, { { OB_FACT_ALIVE_AGE, BEYOND, 1, SETTING(stall) }, { OB_FACT_MAINSTEM, IS, 2 } },
                "it says that it works, and nothing has moved for %" PRId64
                " s: it hangs, or its source is silent and has no heartbeat" },
        { OB_STATE_LAGGING,
                { { OB_FACT_DELAY, BEYOND, 1000, SETTING(lag) }, { OB_FACT_DELAY_AGE, WITHIN, 1, SETTING(stall) } },
                "a delay of %" PRId64 " ms" },
        { OB_STATE_LAGGING,
                { { OB_FACT_BINLOG_LAG, BEYOND, 1000, SETTING(lag) }, { OB_FACT_IN_FLIGHT, AT_LEAST, 1 } },
                "its position in the binlog is %" PRId64 " ms behind, with work in flight" },
        { OB_STATE_IDLE, { { OB_FACT_MOVED_AGE, BEYOND, 1, SETTING(idle) } },
                "no rows for %" PRId64 " s, and it lives" },
        { OB_STATE_OK, { { OB_FACT_MOVED_AGE, WITHIN, 1, SETTING(idle) } }, "rows %" PRId64 " s ago" },
        { OB_STATE_IDLE, { { OB_FACT_ALIVE_AGE, WITHIN, 1, SETTING(stall) } },
                "no rows ever, and it lived %" PRId64 " s ago" },
};

static void take_least(struct ob_facts *f, enum ob_fact of, enum ob_fact from)
{
        if (!f->has[from] || (f->has[of] && f->value[of] <= f->value[from]))
                return;
        f->has[of] = true;
        f->value[of] = f->value[from];
}

void ob_facts_conclude(struct ob_facts *f)
{
        take_least(f, OB_FACT_MOVED_AGE, OB_FACT_THROUGHPUT_AGE);
        take_least(f, OB_FACT_MOVED_AGE, OB_FACT_SYNC_AGE);
        take_least(f, OB_FACT_ALIVE_AGE, OB_FACT_MOVED_AGE);
        take_least(f, OB_FACT_ALIVE_AGE, OB_FACT_POSITION_AGE);
        take_least(f, OB_FACT_ALIVE_AGE, OB_FACT_DELAY_AGE);
}

/* The current state ends at four fifths of the threshold at which it began. */
static bool fits(
        const struct condition *c, const struct ob_facts *f, const struct ob_health_settings *t, bool stands)
{
        int64_t value = f->value[c->fact], setting = *(const int *)(const void *)((const char *)t + c->setting);
        int64_t bar = c->number * setting;

        if (c->test == UNKNOWN || !f->has[c->fact])
                return c->test == UNKNOWN && !f->has[c->fact];
        switch (c->test) {
        case IS:
                return value == c->number;
        case AT_LEAST:
                return value >= c->number;
        case BEYOND:
                return value >= (stands ? bar / 5 * 4 : bar);
        case WITHIN:
                return value < bar;
        case PAST:
                return value <= -(stands ? bar / 5 * 4 : bar);
        default:
                return false;
        }
}

enum ob_state ob_health_rules_evaluate(
        const struct ob_facts *f, const struct ob_health_settings *t, enum ob_state was, char why[OB_WHY_MAX])
{
        for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
                const struct rule *r = &rules[i];
                int64_t number = f->value[r->all[0].fact];
                bool all = true;

                for (size_t k = 0; k < 4 && r->all[k].test != END; k++)
                        all &= fits(&r->all[k], f, t, r->state == was);
                if (!all || (r->state == OB_STATE_HUNG && !t->heartbeat))
                        continue;
                snprintf(why, OB_WHY_MAX, r->why, number < 0 ? -number : number);
                return r->state;
        }
        snprintf(why, OB_WHY_MAX, "nothing is known of it");
        return OB_STATES;
}
