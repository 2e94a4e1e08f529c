#include <inttypes.h>
#include <string.h>

#include "agent/dashboards/board_series.h"
#include "agent/dashboards/grafana_file.h"
#include "proto/memory.h"

#define POINTS_MAX 43200      /* more than are asked for: none is a mean of several */
#define EXPRESSION "__expr__" /* Grafana's own data source: what is computed from other queries */

/* Points of the window become one number: B of A. */
static json_t *reduction(const struct ob_alert *a)
{
        return json_pack("{ss ss s{si si} s{ss s{ss ss} ss ss ss s{ss}}}", "refId", "B", "datasourceUid",
                EXPRESSION, "relativeTimeRange", "from", 0, "to", 0, "model", "refId", "B", "datasource", "type",
                EXPRESSION, "uid", EXPRESSION, "type", "reduce", "expression", "A", "reducer",
                a->reduce == OB_REDUCE_SUM ? "sum" : "last", "settings", "mode", "dropNN");
}

/* Grafana knows no "equal to" in all versions; the numbers of which it is asked are whole. */
static json_t *evaluator(const struct ob_alert *a, int64_t limit)
{
        if (a->compare == OB_EQUAL)
                return json_pack(
                        "{ss s[ff]}", "type", "within_range", "params", (double)limit - 0.5, (double)limit + 0.5);
        return json_pack("{ss s[I]}", "type", a->compare == OB_ABOVE ? "gt" : "lt", "params", (json_int_t)limit);
}

/* Whether that number is too large or too small: C of B. */
static json_t *comparison(const struct ob_alert *a, int64_t limit)
{
        return json_pack("{ss ss s{si si} s{ss s{ss ss} ss ss s[{so}]}}", "refId", "C", "datasourceUid", EXPRESSION,
                "relativeTimeRange", "from", 0, "to", 0, "model", "refId", "C", "datasource", "type", EXPRESSION,
                "uid", EXPRESSION, "type", "threshold", "expression", "B", "conditions", "evaluator",
                evaluator(a, limit));
}

static json_t *question(const struct ob_grafana *g, const struct ob_alert *a, const char *target)
{
        return json_pack("{ss ss s{si si} s{ss so ss sb si si}}", "refId", "A", "datasourceUid", g->datasource,
                "relativeTimeRange", "from", ob_target_window(&g->form, a->window), "to", 0, "model", "refId", "A",
                "datasource", ob_grafana_source(g), "target", target, "textEditor", 1, "intervalMs", 1000,
                "maxDataPoints", POINTS_MAX);
}

/*
 * Which one it is. A series' labels are its tags; of a dotted one there is only its name. `.Labels`, since
 * `$labels` would be taken for a variable of the environment by older versions.
 */
static char *summary(const struct ob_grafana *g, const struct ob_alert *a)
{
        struct ob_board_series s;
        const char *by[OB_BY_MAX];
        unsigned n;
        char *text = ob_format("%s:", a->title), *longer;

        if (!g->form.sink->tagged || !ob_board_series(g->form.config, a->query.series, &s)) {
                longer = ob_format("%s {{ .Labels.name }}", text);
                ob_free_at(&text);
                return longer;
        }
        n = ob_board_by(&s, &a->query, by);
        for (unsigned i = 0; i < n; i++) {
                longer = ob_format("%s %s {{ .Labels.%s }}", text, by[i], by[i]);
                ob_free_at(&text);
                text = longer;
        }
        return text;
}

static json_t *annotations(const struct ob_grafana *g, const struct ob_alert *a)
{
        ob_cleanup(ob_free_at) char *which = summary(g, a);
        ob_cleanup(ob_free_at) char *text = ob_format("%s\n\n%s", a->means, a->todo);

        return json_pack("{ss ss}", "summary", which, "description", text);
}

/* Where it is seen; both or neither are needed. */
static void add_panel(const struct ob_grafana *g, const struct ob_alert *a, json_t *rule)
{
        int number;
        const struct ob_panel *p = ob_panel_of(g->form.config, &a->query, &number);
        ob_cleanup(ob_free_at) char *uid = p ? ob_grafana_uid(g, ob_boards[p->board].name) : NULL;

        if (!p)
                return;
        json_object_set_new(rule, "dashboardUid", json_string(uid));
        json_object_set_new(rule, "panelId", json_integer(number));
}

/* "No data" is one alert's business; to the others it is no news. */
static json_t *rule_as_json(const struct ob_grafana *g, const struct ob_alert *a)
{
        int64_t limit = ob_alert_limit(a, g->form.config);
        ob_cleanup(ob_free_at) char *uid = ob_grafana_uid(g, a->name);
        ob_cleanup(ob_free_at) char *target = ob_target_alert(&g->form, a);
        ob_cleanup(ob_free_at) char *wait = ob_format("%ds", ob_alert_for(a, g->form.config));
        json_t *rule;

        if (!target)
                return NULL;
        rule = json_pack("{ss ss ss s[ooo] ss ss ss so s{ss ss}}", "uid", uid, "title", a->title, "condition", "C",
                "data", question(g, a, target), reduction(a), comparison(a, limit), "noDataState",
                a->reduce == OB_REDUCE_SILENT ? "Alerting" : "OK", "execErrState", "Error", "for", wait,
                "annotations", annotations(g, a), "labels", "severity", ob_severities[a->severity], "source",
                "otterbeat");
        add_panel(g, a, rule);
        return rule;
}

json_t *ob_grafana_rules(const struct ob_grafana *g)
{
        json_t *rules = json_array();

        for (unsigned i = 0; i < ob_n_alerts; i++) {
                json_t *rule = rule_as_json(g, &ob_alerts[i]);

                if (rule)
                        json_array_append_new(rules, rule);
        }
        return json_pack("{si s[{si ss ss ss so}]}", "apiVersion", 1, "groups", "orgId", 1, "name", g->id, "folder",
                g->id, "interval", "1m", "rules", rules);
}
