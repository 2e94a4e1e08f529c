#include "agent/ops/history.h"

#include <assert.h>
#include <stdio.h>

#include "agent/source/rewind.h"
#include "config/config.h"
#include "proto/date.h"
#include "proto/memory.h"

const char ob_history_notes[] =
        "TIME is a date in UTC such as '2020-04-20 00:00:00', a time before now such as '-2h' (s, m, h, d), or 'oldest'.";

#define CLOSE_SECONDS 60 /* more than a Graphite sink takes to close a step after its `hold` */

/* How long after its end a step may still be sent, when no row comes late. */
static int64_t sends_for(const struct ob_sink_settings *s)
{
        return s->receiver == OB_RECEIVER_APPEND ? s->hold + CLOSE_SECONDS : s->horizon;
}

/* A row may come late by the overlap, and each step is sent, or sent once more, some time after that. */
int64_t ob_history_end(const struct ob_config *c, int64_t now)
{
        int64_t step = ob_steps_multiple(c), longest = 0;

        assert(step > 0);
        for (size_t i = 0; i < c->n_sources; i++)
                if (ob_rewind_has_history(&c->sources[i]) && c->sources[i].overlap > longest)
                        longest = c->sources[i].overlap;
        now -= longest;
        longest = 0;
        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE && sends_for(&c->sinks[i]) > longest)
                        longest = sends_for(&c->sinks[i]);
        return (now - longest) / step * step - step;
}

bool ob_history_time(const char *text, int64_t now, int64_t step, int64_t *time)
{
        struct ob_start start;
        struct ob_err err;

        if (!ob_start_parse(text, &start)) {
                ob_fail(&err,
                        "'%s' is no time: write a date in UTC as '2020-04-20 00:00:00', how far back as '-2h' "
                        "(s, m, h, d), or 'oldest'",
                        text);
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return false;
        }
        *time = ob_start_time(&start, now);
        if (*time != INT64_MIN)
                *time -= (*time % step + step) % step;
        return true;
}

bool ob_history_read_range(const struct ob_config *c, int64_t now, struct ob_history_range *r)
{
        int64_t end = ob_history_end(c, now);
        char until[OB_DATE_MAX], last[OB_DATE_MAX];

        r->step = ob_steps_multiple(c);
        r->until = end;
        if (!ob_history_time(r->since_text, now, r->step, &r->since) ||
                (r->until_text && !ob_history_time(r->until_text, now, r->step, &r->until)))
                return false;
        if (r->until > end) {
                fprintf(stderr,
                        "otterbeat: --until %s is too late: a running agent may still be sending steps from %s (UTC) "
                        "on; leave it out, or wait\n",
                        ob_date_format(until, r->until, ' '), ob_date_format(last, end, ' '));
                return false;
        }
        if (r->since >= r->until) {
                fprintf(stderr, "otterbeat: there is nothing between --since and %s (UTC)\n",
                        ob_date_format(until, r->until, ' '));
                return false;
        }
        return true;
}

bool ob_history_is_replayable(const struct ob_sink_settings *s)
{
        return s->type == OB_SINK_GRAPHITE && s->receiver == OB_RECEIVER_OVERWRITE;
}

/* The totals of a part of the history are not those of the agent. */
static int without_totals(int counters)
{
        return counters == OB_COUNTERS_GAUGE || counters == OB_COUNTERS_NONE ? OB_COUNTERS_NONE
                                                                             : OB_COUNTERS_COUNTER;
}

struct ob_config ob_history_narrow(
        const struct ob_config *from, const struct ob_history_range *r, const struct ob_sink_settings *sink)
{
        struct ob_config c = *from;

        c.state_dir = "";
        c.sources = ob_alloc(from->n_sources, sizeof(*c.sources));
        c.sinks = ob_alloc(from->n_sinks, sizeof(*c.sinks));
        c.n_sources = c.n_sinks = 0;
        for (size_t i = 0; i < from->n_sources; i++) {
                struct ob_source *s = &c.sources[c.n_sources];

                if (!ob_rewind_has_history(&from->sources[i]))
                        continue;
                *s = from->sources[i];
                s->start = (struct ob_start) { r->since == INT64_MIN ? OB_START_OLDEST : OB_START_AT, r->since };
                s->until = r->until;
                c.n_sources++;
        }
        for (size_t i = 0; i < from->n_sinks; i++)
                if (sink ? sink == &from->sinks[i] : ob_history_is_replayable(&from->sinks[i])) {
                        c.sinks[c.n_sinks] = from->sinks[i];
                        c.sinks[c.n_sinks++].counters = without_totals(from->sinks[i].counters);
                }
        return c;
}
