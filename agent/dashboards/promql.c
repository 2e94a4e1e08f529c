#include <stdlib.h>

#include "agent/dashboards/board.h"
#include "agent/dashboards/target.h"
#include "proto/memory.h"

#define TO_MS 1000

/* The series of a query, as {__name__="otter.throughput.count",type="row"}: in PromQL a name with dots stands in
 * braces. */
static char *selector(
        const struct ob_form *f, const struct ob_board_series *s, const struct ob_query *q, const char *of)
{
        ob_cleanup(ob_free_at) char *name = ob_board_name(f->config, q->series);
        char *text = ob_format("{__name__=\"%s\"", name);

        for (unsigned i = 0; i < s->n_tags; i++) {
                const char *value = ob_target_wanted(q, of, s->tags[i]);

                if (value)
                        ob_append(&text, "", ",%s=\"%s\"", s->tags[i], value);
        }
        ob_append(&text, "", "}");
        return text;
}

/* An aggregation, as "sum by (manager, pipeline)". */
static char *aggregation(const char *how, const struct ob_board_series *s, const struct ob_query *q)
{
        const char *by[OB_BY_MAX];
        unsigned n = ob_board_by(s, q, by);
        ob_cleanup(ob_free_at) char *list = ob_copy("");

        for (unsigned i = 0; i < n; i++)
                ob_append(&list, ", ", "%s", by[i]);
        return n ? ob_format("%s by (%s)", how, list) : ob_copy(how);
}

/*
 * `now` is a value for each pixel, and `whole` one for the whole range: a line without an amount in a pixel is 0
 * there, and the largest lines are found once, not anew in each pixel.
 */
static char *panel(const struct ob_form *f, const struct ob_query *q, enum ob_board board)
{
        struct ob_board_series s;
        ob_cleanup(ob_free_at) char *from = NULL, *by = NULL, *now = NULL, *whole = NULL, *drawn = NULL;
        const char *how;

        if (!ob_board_series(f->config, q->series, &s))
                return NULL;
        how = s.is_counter ? "sum" : "max";
        from = selector(f, &s, q, ob_boards[board].of);
        by = aggregation(how, &s, q);
        now = ob_format("%s (%s_over_time(%s[$__interval]))", by, how, from);
        whole = ob_format("%s (%s_over_time(%s[$__range] @ end()))", by, how, from);
        drawn = s.is_counter
                        ? ob_format("%s * %d / $__interval_ms or 0 * %s", now, (q->per ? q->per : 1) * TO_MS, whole)
                        : ob_take(now);
        return q->top ? ob_format("(%s) and topk(%d, %s)", drawn, q->top, whole) : ob_take(drawn);
}

/* An agent that had points in the window and has none now counts 0; so does the absence of all agents. */
static char *silence(const struct ob_form *f, const struct ob_alert *a, const char *by, const char *from)
{
        return ob_format("(%s (count_over_time(%s[%ds])) or 0 * %s (count_over_time(%s[%ds])) or on() vector(0))",
                by, from, ob_target_window(f, OB_SILENCE), by, from, ob_target_window(f, a->window));
}

static char *alert(const struct ob_form *f, const struct ob_alert *a)
{
        struct ob_board_series s;
        ob_cleanup(ob_free_at) char *from = NULL, *by = NULL;

        if (!ob_board_series(f->config, a->query.series, &s))
                return NULL;
        from = selector(f, &s, &a->query, NULL);
        by = aggregation("sum", &s, &a->query);
        if (a->reduce == OB_REDUCE_SILENT)
                return silence(f, a, by, from);
        return ob_format("%s_over_time(%s[%ds])", a->reduce == OB_REDUCE_SUM ? "sum" : "last", from,
                ob_target_window(f, a->window));
}

static char *values(const struct ob_form *f, const char *tag, bool of_manager)
{
        const char *prefix = f->config->prefix;

        return ob_format("label_values({__name__=~\"%s%s.+\"%s}, %s)", prefix, *prefix ? "[.]" : "",
                of_manager ? ",manager=\"$manager\"" : "", tag);
}

char *ob_promql_legend(const struct ob_form *f, const struct ob_query *q)
{
        struct ob_board_series s;
        const char *by[OB_BY_MAX];
        unsigned n = ob_board_series(f->config, q->series, &s) ? ob_board_by(&s, q, by) : 0;
        char *text = NULL;

        for (unsigned i = 0; i < n; i++)
                ob_append(&text, ".", "{{%s}}", by[i]);
        return text ? text : ob_copy(q->legend);
}

const struct ob_language ob_promql = { panel, alert, values };
