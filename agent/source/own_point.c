#include "agent/source/own_point.h"

void ob_own_series_of(enum ob_own which, const struct ob_owner *owner, int64_t time, struct ob_series *series)
{
        const struct ob_own_series *own = &ob_own_series[which];

        *series = (struct ob_series) { .n_tags = 0 };
        if (own->is_of_manager && *owner->manager)
                series->tags[series->n_tags++] = (struct ob_tag) { "manager", owner->manager };
        for (unsigned i = 0; i < OB_OWN_TAGS_MAX && own->tags[i]; i++)
                series->tags[series->n_tags++] = (struct ob_tag) { own->tags[i], owner->values[i] };
        series->n_identity = series->n_tags;
        ob_names_add(owner->names, series, time);
}

void ob_own_point_add(
        struct ob_outbox *out, enum ob_own which, const struct ob_owner *owner, int64_t time, int64_t value)
{
        struct ob_series series;

        ob_own_series_of(which, owner, time, &series);
        series.name = ob_own_series[which].name;
        series.kind = ob_own_series[which].kind;
        ob_outbox_add(out, &(struct ob_metric) { &series, time, ob_whole(value) });
}
