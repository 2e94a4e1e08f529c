#include "agent/dashboards/target.h"

#include <stdlib.h>
#include <string.h>

#include "agent/dashboards/board.h"
#include "proto/memory.h"

#define STEPS_MIN 3 /* in a window, since the newest step may not be written yet */

const char *ob_target_wanted(const struct ob_query *q, const char *of, const char *tag)
{
        if (q->only.key && !strcmp(q->only.key, tag))
                return q->only.value;
        if (of && !strcmp(of, tag))
                return "$pipeline";
        return of && !strcmp(tag, "manager") ? "$manager" : NULL;
}

static char *dotted_path(
        const struct ob_form *f, const struct ob_board_series *s, const struct ob_query *q, const char *of)
{
        char *text = ob_board_name(f->config, "");

        for (unsigned i = 0; i < s->n_tags; i++) {
                const char *value = ob_target_wanted(q, of, s->tags[i]);

                ob_append(&text, "", "%s.%s.", s->tags[i], value ? value : "*");
        }
        ob_append(&text, "", "%s", q->series);
        return text;
}

static char *tagged_path(
        const struct ob_form *f, const struct ob_board_series *s, const struct ob_query *q, const char *of)
{
        ob_cleanup(ob_free_at) char *name = ob_board_name(f->config, q->series);
        char *text = ob_format("seriesByTag('name=%s'", name);

        for (unsigned i = 0; i < s->n_tags; i++) {
                const char *value = ob_target_wanted(q, of, s->tags[i]);

                if (value)
                        ob_append(&text, "", ",'%s=%s'", s->tags[i], value);
        }
        ob_append(&text, "", ")");
        return text;
}

static char *path(
        const struct ob_form *f, const struct ob_board_series *s, const struct ob_query *q, const char *of)
{
        return f->sink->tagged ? tagged_path(f, s, q, of) : dotted_path(f, s, q, of);
}

static int count_nodes(const char *prefix)
{
        int n = *prefix ? 1 : 0;

        for (; *prefix; prefix++)
                n += *prefix == '.';
        return n;
}

/* ",2,4" or ",'manager','pipeline'": the nodes or tags that tell the lines apart. */
static char *list_by(const struct ob_form *f, const struct ob_board_series *s, const struct ob_query *q)
{
        const char *by[OB_BY_MAX];
        unsigned n = ob_board_by(s, q, by);
        char *text = ob_copy("");

        for (unsigned i = 0; i < n; i++) {
                int node = count_nodes(f->config->prefix) + 2 * ob_board_series_tag(s, by[i]) + 1;

                if (f->sink->tagged)
                        ob_append(&text, "", ",'%s'", by[i]);
                else
                        ob_append(&text, "", ",%d", node);
        }
        return text;
}

/* A step without a row counts as 0, not as unknown: else the mean over a pixel would be too large. */
static char *draw_counter(const struct ob_form *f, const struct ob_query *q, const char *from, const char *by)
{
        ob_cleanup(ob_free_at) char *rate =
                ob_format("scaleToSeconds(transformNull(%s,0),%d)", from, q->per ? q->per : 1);

        if (!*by)
                return ob_format("alias(sumSeries(%s),'%s')", rate, q->legend);
        if (f->sink->tagged)
                return ob_format("aliasByTags(groupByTags(%s,'sum'%s)%s)", rate, by, by);
        return ob_format("groupByNodes(%s,'sum'%s)", rate, by);
}

static char *draw_gauge(const struct ob_form *f, const struct ob_query *q, const char *from, const char *by)
{
        if (!*by)
                return ob_format("alias(consolidateBy(%s,'max'),'%s')", from, q->legend);
        return ob_format(
                "%s(consolidateBy(%s,'max')%s)", f->sink->tagged ? "aliasByTags" : "aliasByNode", from, by);
}

static char *panel(const struct ob_form *f, const struct ob_query *q, enum ob_board board)
{
        struct ob_board_series s;
        ob_cleanup(ob_free_at) char *from = NULL, *by = NULL, *drawn = NULL;

        if (!ob_board_series(f->config, q->series, &s))
                return NULL;
        from = path(f, &s, q, ob_boards[board].of);
        by = list_by(f, &s, q);
        drawn = s.is_counter ? draw_counter(f, q, from, by) : draw_gauge(f, q, from, by);
        return q->top ? ob_format("highestMax(%s,%d)", drawn, q->top) : ob_take(drawn);
}

/* Where no such series exists, a constant below the limit takes its place. */
static char *alert(const struct ob_form *f, const struct ob_alert *a)
{
        struct ob_board_series s;
        ob_cleanup(ob_free_at) char *from = NULL;

        if (!ob_board_series(f->config, a->query.series, &s))
                return NULL;
        from = path(f, &s, &a->query, NULL);
        if (a->reduce == OB_REDUCE_SILENT)
                return ob_format(
                        "fallbackSeries(movingSum(isNonNull(removeEmptySeries(%s)),'%ds'),constantLine(0))", from,
                        ob_target_window(f, OB_SILENCE));
        return ob_format("fallbackSeries(%s,constantLine(%lld))", from,
                a->compare == OB_BELOW ? (long long)ob_alert_limit(a, f->config) : 0);
}

static char *values(const struct ob_form *f, const char *tag, bool of_manager)
{
        const char *prefix = f->config->prefix;
        ob_cleanup(ob_free_at) char *before = ob_board_name(f->config, "");

        if (!f->sink->tagged)
                return ob_format("%s%s%s.*", before, of_manager ? "manager.$manager." : "", tag);
        return ob_format("tag_values(%s, name=~^%s%s%s)", tag, prefix, *prefix ? "[.]" : "",
                of_manager ? ", manager=$manager" : "");
}

/* An appending sink compares twice, a quarter of `hold` apart, whether the step has grown. */
int ob_target_hold(const struct ob_form *f)
{
        return f->sink->receiver == OB_RECEIVER_APPEND ? f->sink->hold + f->sink->hold / 2 : 0;
}

int ob_target_window(const struct ob_form *f, int seconds)
{
        int least = f->sink->step * STEPS_MIN;

        return (seconds > least ? seconds : least) + ob_target_hold(f);
}

const struct ob_language ob_graphite = { panel, alert, values };
