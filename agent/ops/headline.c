#include "agent/ops/headline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum ob_wellness ob_headline_wellness(enum ob_state state)
{
        if (!ob_state_is_bad(state))
                return OB_WELL;
        return state >= OB_STATE_STALLED ? OB_ILL : OB_TROUBLED;
}

static size_t count_state(const struct ob_view *v, enum ob_state state)
{
        size_t n = 0;

        for (size_t i = 0; i < v->n_managers; i++)
                n += v->managers[i].by_state[state];
        return n;
}

size_t ob_headline_pipelines(const struct ob_view *v, enum ob_wellness at_least)
{
        size_t n = 0;

        for (int state = 0; state < OB_STATES; state++)
                if (ob_headline_wellness((enum ob_state)state) >= at_least)
                        n += count_state(v, (enum ob_state)state);
        return n;
}

/* There is room for the longest: each state once, with a number. */
static void __attribute__((format(printf, 2, 3))) add(struct ob_headline *h, const char *format, ...)
{
        size_t length = strlen(h->text);
        va_list args;

        va_start(args, format);
        vsnprintf(h->text + length, sizeof(h->text) - length, format, args);
        va_end(args);
}

static const char *plural(size_t n)
{
        return n == 1 ? "" : "s";
}

static void say_agent(const struct ob_view *v, struct ob_headline *h)
{
        size_t ill = ob_view_count(v, OB_ILL), troubled = ob_view_count(v, OB_TROUBLED);

        h->well = ill ? OB_ILL : troubled ? OB_TROUBLED : OB_WELL;
        if (v->is_stopping)
                add(h, "otterbeat is stopping");
        else if (ill)
                add(h, "otterbeat is ill: %zu past the deadline", ill);
        else if (troubled)
                add(h, "otterbeat is in trouble: %zu fail%s, none past the deadline", troubled,
                        troubled == 1 ? "s" : "");
        else
                add(h, "otterbeat is well: %zu source%s, %zu sink%s", v->n_sources, plural(v->n_sources),
                        v->n_sinks, plural(v->n_sinks));
}

/* What was read last stands while a source can't be read, and that is said. */
static bool is_old(const struct ob_view *v)
{
        for (size_t i = 0; i < v->n_sources; i++)
                if (v->sources[i].well >= OB_ILL)
                        return true;
        return false;
}

static void say_otter(const struct ob_view *v, struct ob_headline *h)
{
        size_t all = ob_headline_pipelines(v, OB_WELL), bad = ob_headline_pipelines(v, OB_TROUBLED);
        const char *between = "";

        h->is_known = all != 0;
        if (!all) {
                add(h, "How Otter does is not known: no pipeline was looked at");
                return;
        }
        if (!bad) {
                add(h, "Otter is well: %zu pipeline%s", all, plural(all));
        } else {
                h->well = ob_headline_pipelines(v, OB_ILL) ? OB_ILL : OB_TROUBLED;
                add(h, "Otter needs a look: ");
                for (int state = OB_STATES - 1; state >= 0; state--) {
                        size_t n = ob_state_is_bad((enum ob_state)state) ? count_state(v, (enum ob_state)state) : 0;

                        if (!n)
                                continue;
                        add(h, "%s%zu %s", between, n, ob_state_word((enum ob_state)state));
                        between = ", ";
                }
                add(h, " of %zu pipeline%s", all, plural(all));
        }
        if (is_old(v))
                add(h, ", when it was last read");
}

void ob_headlines(const struct ob_view *v, struct ob_headline lines[OB_HEADLINES])
{
        struct ob_headline agent = { .of = OB_HEADLINE_AGENT, .is_known = true },
                           otter = { .of = OB_HEADLINE_OTTER };
        bool is_otter_worse;

        say_agent(v, &agent);
        say_otter(v, &otter);
        is_otter_worse = otter.well > agent.well; /* else the agent, which all that is said of Otter hangs on */
        lines[is_otter_worse] = agent;
        lines[!is_otter_worse] = otter;
}
