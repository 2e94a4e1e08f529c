#include "agent/ops/history.h"

#include <assert.h>
#include <stdio.h>

#include "agent/source/rewind.h"

/* A row may come late by the overlap, and each step is sent once more after the horizon. */
int64_t ob_history_end(const struct ob_config *c, int64_t now)
{
        int64_t step = ob_rewind_step(c), longest = 0;

        assert(step > 0);
        for (size_t i = 0; i < c->n_sources; i++)
                if (ob_rewind_has_history(&c->sources[i]) && c->sources[i].overlap > longest)
                        longest = c->sources[i].overlap;
        now -= longest;
        longest = 0;
        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE && c->sinks[i].horizon > longest)
                        longest = c->sinks[i].horizon;
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
