#include "agent/sink/step_totals.h"

#include "agent/process/clock.h"
#include "agent/sink/folding.h"
#include "proto/graphite.h"

#define PATH_ROOM 4096

int ob_step_totals_open(struct ob_step_totals *t, struct ob_sink *s, struct ob_err *err)
{
        const struct ob_sink_settings *settings = s->settings;

        return ob_totals_open_for(&t->totals, s,
                settings->tagged                  ? OB_BY_TAGS
                : settings->path == OB_PATH_NAMES ? OB_BY_NODES
                                                  : OB_BY_IDENTITY,
                err);
}

void ob_step_totals_free(struct ob_step_totals *t)
{
        ob_totals_free(t->totals);
}

static int64_t this_step(const struct ob_sink *s)
{
        int64_t now = ob_clock_wall();

        return now - now % s->settings->step;
}

bool ob_step_totals_is_due(const struct ob_step_totals *t, const struct ob_sink *s, int64_t *wake)
{
        int64_t step = this_step(s), next;

        if (!t->totals || (s->is_once && !ob_stop_is_wanted(s->stop)))
                return false;
        if (step > t->stamp || step < t->stamp - OB_CLOCK_STEP) /* the clock may be set back */
                return true;
        next = ob_clock_ms() + (t->stamp + s->settings->step - ob_clock_wall()) * 1000;
        *wake = next < *wake ? next : *wake;
        return false;
}

void ob_step_totals_emit(struct ob_step_totals *t, struct ob_sink *s, ob_fold_fn *emit)
{
        t->stamp = this_step(s);
        for (const struct ob_total *at = NULL; (at = ob_totals_next(t->totals, at));) {
                struct ob_series series;
                struct ob_metric m = ob_total_gauge(at, &series);
                char path[PATH_ROOM];
                struct ob_text text = ob_text_over(path, sizeof(path) - 1);

                ob_folding_name(s, &text, &series);
                if (text.too_long || !ob_graphite_path_is_storable(path, text.length))
                        continue;
                path[text.length] = '\0';
                emit(s, &(struct ob_fold_value) { path, text.length, t->stamp, m.value, 0 });
        }
}
