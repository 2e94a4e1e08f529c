#include "agent/source/rewind.h"

#include "agent/process/clock.h"
#include "agent/source/outbox.h"
#include "proto/metric.h"

bool ob_rewind_has_history(const struct ob_source *s)
{
        return s->enabled && s->kind == OB_SOURCE_TABLE && ob_source_shape(s) == OB_SHAPE_LOG &&
               ob_source_find(s, OB_TIME) >= 0;
}

bool ob_rewind_series(
        const struct ob_manager *manager, const struct ob_source *source, unsigned column, struct ob_series *series)
{
        const struct ob_column *c = &source->columns[column];

        *series = (struct ob_series) { .name = c->name, .kind = ob_roles[c->role].kind };
        if (*manager->name)
                series->tags[series->n_tags++] = (struct ob_tag) { "manager", manager->name };
        for (unsigned i = 0; i < source->n_columns; i++)
                if (source->columns[i].role == OB_KEY || source->columns[i].role == OB_ENUM)
                        series->tags[series->n_tags++] = (struct ob_tag) { source->columns[i].name, "" };
        series->n_identity = series->n_tags;
        return ob_roles[c->role].is_metric;
}

/* For each metric of the source: Graphite's sinks begin its series from nothing. */
static void add_forgetting(const struct ob_manager *manager, const struct ob_source *source, struct ob_outbox *out)
{
        struct ob_series series;

        for (unsigned i = 0; i < source->n_columns; i++) {
                if (!ob_rewind_series(manager, source, i, &series))
                        continue;
                series.deliver_to = OB_TO_FORGET;
                ob_outbox_add(out, &(struct ob_metric) { .series = &series, .time = out->made });
        }
        ob_outbox_close(out);
}

int ob_rewind_source(struct ob_store *st, const struct ob_manager *manager, const struct ob_source *source,
        const char *name, int64_t since, int64_t counted_before, struct ob_err *err)
{
        struct ob_outbox out = { .n = 0 };
        int64_t first;
        int got;

        ob_outbox_start(&out, ob_clock_wall());
        if (ob_rewind_has_history(source))
                add_forgetting(manager, source, &out);
        got = ob_outbox_put(&out, st, &first, err) || ob_store_rewind_source(st, name, since, counted_before, err)
                      ? -1
                      : 0;
        ob_outbox_free(&out);
        return got;
}
