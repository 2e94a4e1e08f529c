#include "agent/source/rewind.h"

#include "agent/process/clock.h"
#include "agent/source/outbox.h"
#include "proto/metric.h"

static int64_t greatest_divisor(int64_t a, int64_t b)
{
        while (b) {
                int64_t rest = a % b;

                a = b;
                b = rest;
        }
        return a;
}

int64_t ob_rewind_step(const struct ob_config *c)
{
        int64_t step = 0;

        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE)
                        step = step ? step / greatest_divisor(step, c->sinks[i].step) * c->sinks[i].step
                                    : c->sinks[i].step;
        return step;
}

bool ob_rewind_has_history(const struct ob_source *s)
{
        return s->enabled && s->kind == OB_SOURCE_TABLE && ob_source_shape(s) == OB_SHAPE_LOG &&
               ob_source_find(s, OB_TIME) >= 0;
}

/* For each metric of the source: Graphite's sinks begin its series from nothing. */
static void add_forgetting(const struct ob_manager *manager, const struct ob_source *source, struct ob_outbox *out)
{
        struct ob_series series = { .deliver_to = OB_TO_FORGET };

        if (*manager->name)
                series.tags[series.n_tags++] = (struct ob_tag) { "manager", manager->name };
        for (unsigned i = 0; i < source->n_columns; i++)
                if (source->columns[i].role == OB_KEY || source->columns[i].role == OB_ENUM)
                        series.tags[series.n_tags++] = (struct ob_tag) { source->columns[i].name, "" };
        series.n_identity = series.n_tags;
        for (unsigned i = 0; i < source->n_columns; i++) {
                if (!ob_roles[source->columns[i].role].is_metric)
                        continue;
                series.name = source->columns[i].name;
                ob_outbox_add(out, &(struct ob_metric) { .series = &series, .time = out->made });
        }
        ob_outbox_close(out);
}

int ob_rewind_source(struct ob_store *st, const struct ob_manager *manager, const struct ob_source *source,
        const char *name, int64_t since, int64_t counted_before, struct ob_err *err)
{
        struct ob_outbox out = { .n = 0 };
        int got;

        ob_outbox_start(&out, ob_clock_wall());
        if (ob_rewind_has_history(source))
                add_forgetting(manager, source, &out);
        got = ob_outbox_put(&out, st, err) || ob_store_rewind_source(st, name, since, counted_before, err) ? -1 : 0;
        ob_outbox_free(&out);
        return got;
}
