#include "agent/dashboards/datadog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dashboards/board.h"
#include "agent/dashboards/outfile.h"
#include "agent/ops/exit.h"
#include "proto/memory.h"

#define WINDOW_MIN 300 /* seconds, since a gauge may come only once a minute */
#define SILENCE    600 /* seconds without data */

static const char *const display[] = {
        [OB_LOOK_LINES] = "line",
        [OB_LOOK_STACK] = "area",
        [OB_LOOK_BARS] = "bars",
        [OB_LOOK_WORDS] = "line",
};

/* The scope of a query, as {$pipeline,type:row}. */
static char *scope(const struct ob_board_series *s, const struct ob_query *q, const char *of)
{
        char *text = ob_copy("");

        if (of && ob_board_series_tag(s, "manager") >= 0)
                ob_append(&text, ",", "$manager");
        if (of)
                ob_append(&text, ",", "$%s", of);
        if (q->only.key)
                ob_append(&text, ",", "%s:%s", q->only.key, q->only.value);
        if (!*text)
                ob_append(&text, ",", "*");
        return text;
}

/* A query like max:otter.delay_ms{*} by {pipeline}, which the caller frees. */
static char *ask(const struct ob_config *c, const struct ob_board_series *s, const struct ob_query *q,
        const char *of, const char *space)
{
        const char *by[OB_BY_MAX];
        unsigned n = ob_board_by(s, q, by);
        ob_cleanup(ob_free_at) char *which = scope(s, q, of);
        ob_cleanup(ob_free_at) char *name = ob_board_name(c, q->series);
        ob_cleanup(ob_free_at) char *list = ob_copy("");

        for (unsigned i = 0; i < n; i++)
                ob_append(&list, ",", "%s", by[i]);
        return ob_format("%s:%s{%s}%s%s%s", space, name, which, n ? " by {" : "", list, n ? "}" : "");
}

/* A counter is shown per second; where few events are expected, as their number. */
static char *panel_query(const struct ob_config *c, const struct ob_query *q, const char *of)
{
        struct ob_board_series s;
        ob_cleanup(ob_free_at) char *asked = NULL;

        if (!ob_board_series(c, q->series, &s))
                return NULL;
        asked = ask(c, &s, q, of, s.is_counter ? "sum" : "max");
        return ob_format("%s%s", asked, !s.is_counter ? "" : q->per > 1 ? ".as_count()" : ".as_rate()");
}

/* A query with its name, and a formula that draws the query; NULL: the config makes no such series. */
static json_t *request(const struct ob_config *c, const struct ob_panel *p, const struct ob_query *q)
{
        ob_cleanup(ob_free_at) char *query = panel_query(c, q, ob_boards[p->board].of);
        ob_cleanup(ob_free_at) char *formula =
                q->top ? ob_format("top(query1, %d, 'max', 'desc')", q->top) : ob_copy("query1");

        if (!query)
                return NULL;
        return json_pack("{ss ss s[{ss ss*}] s[{ss ss ss}]}", "response_format", "timeseries", "display_type",
                display[p->look], "formulas", "formula", formula, "alias", q->legend, "queries", "data_source",
                "metrics", "name", "query1", "query", query);
}

/* A title like "State (0 ok, 1 idle, …)": Datadog can't show words for numbers. */
static char *title(const struct ob_panel *p)
{
        ob_cleanup(ob_free_at) char *words = ob_copy("");

        for (const struct ob_word_of *w = p->words; w && w->word; w++)
                ob_append(&words, ", ", "%d %s", w->number, w->word);
        return *words ? ob_format("%s (%s)", p->title, words) : ob_copy(p->title);
}

static json_t *widget(const struct ob_config *c, const struct ob_panel *p)
{
        ob_cleanup(ob_free_at) char *called = title(p);
        json_t *requests = json_array();

        for (int i = 0; i < OB_PANEL_QUERIES_MAX && p->queries[i].series; i++) {
                json_t *one = request(c, p, &p->queries[i]);

                if (one)
                        json_array_append_new(requests, one);
        }
        return json_pack("{s{ss ss sb so}}", "definition", "type", "timeseries", "title", called, "show_legend", 1,
                "requests", requests);
}

static json_t *group(const struct ob_config *c, enum ob_board board)
{
        json_t *widgets = json_array();

        for (unsigned i = 0; i < ob_n_panels; i++)
                if (ob_panels[i].board == board && ob_board_has(c, &ob_panels[i].queries[0]))
                        json_array_append_new(widgets, widget(c, &ob_panels[i]));
        return json_pack("{s{ss ss ss so}}", "definition", "type", "group", "layout_type", "ordered", "title",
                ob_boards[board].title, "widgets", widgets);
}

static void add_variable(json_t *list, const char *tag)
{
        json_array_append_new(list,
                json_pack("{ss ss s[] s[s]}", "name", tag, "prefix", tag, "available_values", "defaults", "*"));
}

static json_t *dashboard(const struct ob_config *c)
{
        json_t *groups = json_array(), *variables = json_array();

        if (ob_board_has_managers(c))
                add_variable(variables, "manager");
        for (enum ob_board b = 0; b < OB_BOARDS; b++) {
                json_array_append_new(groups, group(c, b));
                if (ob_boards[b].of)
                        add_variable(variables, ob_boards[b].of);
        }
        return json_pack("{ss ss ss so so}", "title", "Otter", "description", "Made by otterbeat datadog.",
                "layout_type", "ordered", "template_variables", variables, "widgets", groups);
}

/* Datadog cannot count the points of a gauge, so the monitor for missing data adds up a counter of every agent. */
static const struct ob_query deliveries = { "agent.sent", .by = "agent" };

static const struct ob_query *find_query(const struct ob_alert *a)
{
        return a->reduce == OB_REDUCE_SILENT ? &deliveries : &a->query;
}

/* How the points become the number that is compared: of the worst series, the least bad point of the window. */
struct ways {
        const char *over_time, *over_series, *as;
};

static struct ways find_ways(const struct ob_alert *a)
{
        if (a->reduce != OB_REDUCE_LAST)
                return (struct ways) { "sum", "sum", ".as_count()" };
        if (a->compare == OB_BELOW)
                return (struct ways) { "max", "min", "" };
        return (struct ways) { "min", "max", "" };
}

/* The condition must hold as long as Grafana's rule would wait. Data that did not come for the same time are
 * missing. Seconds. */
static int find_window(const struct ob_config *c, const struct ob_alert *a)
{
        int seconds = a->reduce == OB_REDUCE_SILENT ? SILENCE
                      : a->reduce == OB_REDUCE_SUM  ? a->window
                                                    : ob_alert_for(a, c);

        return seconds > WINDOW_MIN ? seconds : WINDOW_MIN;
}

static char *condition(
        const struct ob_config *c, const struct ob_alert *a, const struct ob_board_series *s, int64_t limit)
{
        static const char *const compare[] = { [OB_ABOVE] = ">", [OB_BELOW] = "<", [OB_EQUAL] = "==" };
        struct ways by = find_ways(a);
        int seconds = find_window(c, a);
        ob_cleanup(ob_free_at) char *asked = ask(c, s, find_query(a), NULL, by.over_series);

        return ob_format("%s(last_%dm):%s%s %s %lld", by.over_time, seconds / 60, asked, by.as, compare[a->compare],
                (long long)limit);
}

/* One monitor notifies about missing data; every other monitor is OK without data. */
static json_t *monitor(const struct ob_config *c, const struct ob_alert *a)
{
        struct ob_board_series s;
        int64_t limit = ob_alert_limit(a, c);
        ob_cleanup(ob_free_at) char *query = NULL, *message = NULL;
        json_t *options;

        if (!ob_board_series(c, find_query(a)->series, &s))
                return NULL;
        query = condition(c, a, &s, limit);
        message = ob_format("%s\n\n%s", a->means, a->todo);
        options = json_pack("{s{sI} sb sb ss}", "thresholds", "critical", (json_int_t)limit, "include_tags", 1,
                "require_full_window", 0, "on_missing_data",
                a->reduce == OB_REDUCE_SILENT ? "show_and_notify_no_data" : "resolve");
        return json_pack("{ss ss ss ss s[s] si so}", "name", a->title, "type", "query alert", "query", query,
                "message", message, "tags", "source:otterbeat", "priority", (int)a->severity + 1, "options",
                options);
}

static int write_all(const struct ob_config *c, const struct ob_out *out, struct ob_err *err)
{
        for (unsigned i = 0; i < ob_n_alerts; i++) {
                ob_cleanup(ob_free_at) char *name = ob_format("monitors/%s.json", ob_alerts[i].name);
                json_t *one = monitor(c, &ob_alerts[i]);

                if (one && ob_out_json(out, name, one, err))
                        return -1;
        }
        return ob_out_json(out, "dashboard.json", dashboard(c), err);
}

static const struct ob_sink_settings *find_sink(const struct ob_config *c)
{
        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_STATSD && c->sinks[i].flavor == OB_FLAVOR_DOGSTATSD)
                        return &c->sinks[i];
        return NULL;
}

/* Errors that would leave the files without their series. */
static void list_missing(const struct ob_config *c)
{
        const struct ob_sink_settings *sink = find_sink(c);

        if (!sink)
                fputs("otterbeat: no sink of this config has flavor = \"dogstatsd\", so Datadog has none of these series "
                      "yet\n",
                        stderr);
        else if (sink->counters == OB_COUNTERS_GAUGE)
                fputs("otterbeat: the sink sends counters = \"gauge\", but the files speak of counters: it should be "
                      "\"both\"\n",
                        stderr);
}

static int run(const struct ob_config *config, const struct ob_arguments *a)
{
        struct ob_out out = ob_out_from(a);
        struct ob_err err;

        if (write_all(config, &out, &err)) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_OUR_FAULT;
        }
        printf("\nPOST the monitors to /api/v1/monitor and the dashboard to /api/v1/dashboard. Add whom "
               "the monitors notify; each monitor has the tag source:otterbeat.\n");
        list_missing(config);
        return EXIT_FINE;
}

static const struct ob_option option_table[] = {
        [OB_OUT_DIR] = { "out", .argument = "DIR", .help = "write DIR/monitors and DIR/dashboard.json",
                .is_needed = true },
        [OB_OUT_REPLACE] = { "replace", .help = OB_OUT_REPLACE_HELP },
        { NULL },
};

const struct ob_command ob_datadog_command = {
        .name = "datadog",
        .usage = "--out DIR [--replace]",
        .help = "write monitors and a dashboard for the series of this config, in the format of Datadog's API",
        .options = option_table,
        .run = run,
};
