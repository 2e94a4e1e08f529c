#include "agent/dashboards/grafana.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dashboards/board.h"
#include "agent/dashboards/outfile.h"
#include "agent/dashboards/target.h"
#include "agent/ops/exit.h"
#include "proto/memory.h"
#include "proto/name.h"

#define UID_MAX 40 /* bytes */

/* A type of data source. */
struct datasource {
        const char *type; /* Grafana's name of the type, and the end of the uid of the data source */
        const struct ob_language *language;
        const char *port;            /* of the server on the sink's host */
        const char *setting, *value; /* of the data source */
};

static const struct datasource graphite = { "graphite", &ob_graphite, "", "graphiteVersion", "1.1" };
static const struct datasource prometheus = { "prometheus", &ob_promql, ":8428", "httpMethod", "POST" };

struct grafana {
        struct ob_form form;
        const struct datasource *from;
        const char *id;      /* how all uids begin: the prefix, since two configs may share a Grafana */
        const char *mark;    /* the tag of the agent's events */
        const char *uid;     /* of the data source */
        const char *runbook; /* the address that the alerts name */
};

static char *make_uid(const struct grafana *g, const char *name)
{
        return ob_format("%s-%s", g->id, name);
}

static json_t *name_source(const struct grafana *g)
{
        return json_pack("{ss ss}", "type", g->from->type, "uid", g->uid);
}

/* A query with its data source. */
static json_t *ask(const struct grafana *g, const char *id, const char *text)
{
        if (g->from == &prometheus)
                return json_pack("{ss so ss ss}", "refId", id, "datasource", name_source(g), "expr", text,
                        "editorMode", "code");
        return json_pack(
                "{ss so ss sb}", "refId", id, "datasource", name_source(g), "target", text, "textEditor", 1);
}

#define WIDTH  24 /* of a board, in Grafana's grid units */
#define HEIGHT 8  /* of a panel, in the same units */

/* How a panel of lines draws each look. */
static const struct {
        const char *style, *stacking;
        int fill; /* percent */
} drawing[] = {
        [OB_LOOK_LINES] = { "line", "none", 0 },
        [OB_LOOK_STACK] = { "line", "normal", 40 },
        [OB_LOOK_BARS] = { "bars", "normal", 80 },
};

static json_t *words_as_json(const struct ob_word_of *words)
{
        json_t *options = json_object();
        int at = 0;

        for (; words->word; words++, at++) {
                ob_cleanup(ob_free_at) char *number = ob_format("%d", words->number);

                json_object_set_new(options, number,
                        json_pack("{ss ss si}", "text", words->word, "color", words->color, "index", at));
        }
        return json_pack("[{ss so}]", "type", "value", "options", options);
}

/* A red line at the limit of the alert. */
static json_t *thresholds(const struct grafana *g, const struct ob_panel *p, bool *has)
{
        const struct ob_alert *a = ob_alert_above(&p->queries[0]);
        json_t *steps = json_pack("[{ss sn}]", "color", "green", "value");

        *has = a != NULL;
        if (a)
                json_array_append_new(steps, json_pack("{ss sI}", "color", "red", "value",
                                                     (json_int_t)ob_alert_limit(a, g->form.config)));
        return json_pack("{ss so}", "mode", "absolute", "steps", steps);
}

static json_t *lines_as_json(const struct grafana *g, const struct ob_panel *p)
{
        bool has_limit;
        json_t *limits = thresholds(g, p, &has_limit);
        json_t *custom = json_pack("{ss si s{ss ss} ss s{ss} ss}", "drawStyle", drawing[p->look].style,
                "fillOpacity", drawing[p->look].fill, "stacking", "mode", drawing[p->look].stacking, "group", "A",
                "showPoints", "auto", "thresholdsStyle", "mode", has_limit ? "line" : "off", "lineInterpolation",
                "linear");

        return json_pack("{ss si s{ss} so so}", "unit", p->unit, "min", 0, "color", "mode", "palette-classic",
                "custom", custom, "thresholds", limits);
}

static json_t *field_config(const struct grafana *g, const struct ob_panel *p)
{
        json_t *defaults = p->look == OB_LOOK_WORDS
                                   ? json_pack("{so s{si si}}", "mappings", words_as_json(p->words), "custom",
                                             "fillOpacity", 80, "lineWidth", 0)
                                   : lines_as_json(g, p);

        return json_pack("{so s[]}", "defaults", defaults, "overrides");
}

static json_t *options(const struct ob_panel *p)
{
        bool is_words = p->look == OB_LOOK_WORDS;
        json_t *legend =
                json_pack("{ss ss sb s[]}", "displayMode", "list", "placement", "bottom", "showLegend", 1, "calcs");
        json_t *tooltip =
                json_pack("{ss ss}", "mode", is_words ? "single" : "multi", "sort", is_words ? "none" : "desc");

        if (is_words)
                return json_pack("{sb ss sf so so}", "mergeValues", 1, "showValue", "auto", "rowHeight", 0.9,
                        "legend", legend, "tooltip", tooltip);
        return json_pack("{so so}", "legend", legend, "tooltip", tooltip);
}

/* A query of a panel. A pixel of PromQL is at least one step wide, so that each pixel has a sample. */
static json_t *target(const struct grafana *g, const char *id, const char *text, const struct ob_query *q)
{
        json_t *query = ask(g, id, text);
        ob_cleanup(ob_free_at) char *legend = NULL, *step = NULL;

        if (g->from != &prometheus)
                return query;
        legend = ob_promql_legend(&g->form, q);
        step = ob_format("%ds", g->form.sink->step);
        json_object_update_new(
                query, json_pack("{ss ss sb}", "legendFormat", legend, "interval", step, "range", 1));
        return query;
}

/* The panel's queries for which the config makes series. */
static json_t *targets(const struct grafana *g, const struct ob_panel *p)
{
        json_t *list = json_array();
        char id[] = "A";

        for (int i = 0; i < OB_PANEL_QUERIES_MAX && p->queries[i].series; i++) {
                const struct ob_query *q = &p->queries[i];
                ob_cleanup(ob_free_at) char *text = g->from->language->panel(&g->form, q, p->board);

                if (!text)
                        continue;
                json_array_append_new(list, target(g, id, text, q));
                id[0]++;
        }
        return list;
}

/* Panels go from left to right, and into a new row where there is no room. */
struct place {
        int x, y, below;
};

static json_t *put(struct place *at, const struct ob_panel *p)
{
        int width = p->is_wide ? WIDTH : WIDTH / 2;
        json_t *where;

        if (at->x + width > WIDTH)
                *at = (struct place) { .y = at->below };
        where = json_pack("{si si si si}", "x", at->x, "y", at->y, "w", width, "h", HEIGHT);
        at->x += width;
        at->below = at->y + HEIGHT;
        return where;
}

static json_t *panels(const struct grafana *g, enum ob_board board)
{
        json_t *list = json_array();
        struct place at = { 0 };

        for (unsigned i = 0; i < ob_n_panels; i++) {
                const struct ob_panel *p = &ob_panels[i];

                if (p->board != board || !ob_board_has(g->form.config, &p->queries[0]))
                        continue;
                json_array_append_new(
                        list, json_pack("{si ss ss ss so so so so so}", "id", (int)json_array_size(list) + 1,
                                      "type", p->look == OB_LOOK_WORDS ? "state-timeline" : "timeseries", "title",
                                      p->title, "description", p->says, "datasource", name_source(g), "gridPos",
                                      put(&at, p), "fieldConfig", field_config(g, p), "options", options(p),
                                      "targets", targets(g, p)));
        }
        return list;
}

static void add_variable(const struct grafana *g, json_t *list, const char *tag, bool of_manager)
{
        ob_cleanup(ob_free_at) char *query = g->from->language->values(&g->form, tag, of_manager);

        json_array_append_new(
                list, json_pack("{ss ss ss so ss si si sb sb ss s[]}", "name", tag, "label", tag, "type", "query",
                              "datasource", name_source(g), "query", query, "refresh", 2, "sort", 3, "multi", 0,
                              "includeAll", 0, "regex", "/^(?!none$)/", "options"));
}

static json_t *variables(const struct grafana *g, enum ob_board board)
{
        bool has_managers = ob_board_has_managers(g->form.config);
        json_t *list = json_array();

        if (ob_boards[board].of && has_managers)
                add_variable(g, list, "manager", false);
        if (ob_boards[board].of)
                add_variable(g, list, ob_boards[board].of, has_managers);
        return json_pack("{so}", "list", list);
}

/* Otter's events, which Graphite keeps, are drawn over all panels. */
static json_t *annotations(const struct grafana *g)
{
        if (g->from != &graphite)
                return json_pack("{s[]}", "list");
        return json_pack("{s[{ss sb ss so s{ss sb s[s]}}]}", "list", "name", "Events", "enable", 1, "iconColor",
                "orange", "datasource", name_source(g), "target", "refId", "Events", "fromAnnotations", 1, "tags",
                g->mark);
}

/* Links lead from board to board. */
static json_t *links(void)
{
        return json_pack("[{ss ss ss ss s[s] sb sb sb sb}]", "type", "dashboards", "title", "Otter", "icon",
                "dashboard", "tooltip", "", "tags", "otterbeat", "asDropdown", 0, "keepTime", 1, "includeVars", 0,
                "targetBlank", 0);
}

#define SCHEMA_VERSION 42 /* the last one of this format of dashboards */

static json_t *make_board(const struct grafana *g, enum ob_board board)
{
        ob_cleanup(ob_free_at) char *uid = make_uid(g, ob_boards[board].name);
        /* The newest minute is never complete, nor is what the sink holds back. */
        ob_cleanup(ob_free_at) char *end = ob_format("now-%dm", 1 + (ob_target_hold(&g->form) + 59) / 60);

        return json_pack("{ss ss s[s] si si sb si ss s{ss ss} ss so so so so}", "uid", uid, "title",
                ob_boards[board].title, "tags", "otterbeat", "schemaVersion", SCHEMA_VERSION, "version", 1,
                "editable", 1, "graphTooltip", 1, "refresh", "1m", "time", "from", "now-6h", "to", end, "timezone",
                "", "annotations", annotations(g), "links", links(), "templating", variables(g, board), "panels",
                panels(g, board));
}

#define POINTS_MAX 43200      /* more points than a query can have, so that no point is a mean of several */
#define EXPRESSION "__expr__" /* Grafana's own data source, for expressions over other queries */

/* Expression B makes one number of the points of A; a number stays as it is. */
static json_t *reduction(const struct grafana *g, const struct ob_alert *a)
{
        bool is_sum = a->reduce == OB_REDUCE_SUM && g->from != &prometheus;

        return json_pack("{ss ss s{si si} s{ss s{ss ss} ss ss ss s{ss}}}", "refId", "B", "datasourceUid",
                EXPRESSION, "relativeTimeRange", "from", 0, "to", 0, "model", "refId", "B", "datasource", "type",
                EXPRESSION, "uid", EXPRESSION, "type", "reduce", "expression", "A", "reducer",
                is_sum ? "sum" : "last", "settings", "mode", "dropNN");
}

/* Not all versions of Grafana know "equal to". The numbers that are compared so are whole, so a range does the
 * same. */
static json_t *evaluator(const struct ob_alert *a, int64_t limit)
{
        if (a->compare == OB_EQUAL)
                return json_pack(
                        "{ss s[ff]}", "type", "within_range", "params", (double)limit - 0.5, (double)limit + 0.5);
        return json_pack("{ss s[I]}", "type", a->compare == OB_ABOVE ? "gt" : "lt", "params", (json_int_t)limit);
}

/* Expression C compares the number of B with the limit. */
static json_t *comparison(const struct ob_alert *a, int64_t limit)
{
        return json_pack("{ss ss s{si si} s{ss s{ss ss} ss ss s[{so}]}}", "refId", "C", "datasourceUid", EXPRESSION,
                "relativeTimeRange", "from", 0, "to", 0, "model", "refId", "C", "datasource", "type", EXPRESSION,
                "uid", EXPRESSION, "type", "threshold", "expression", "B", "conditions", "evaluator",
                evaluator(a, limit));
}

static json_t *question(const struct grafana *g, const struct ob_alert *a, const char *text)
{
        json_t *model = ask(g, "A", text);

        json_object_update_new(model, json_pack("{si si}", "intervalMs", 1000, "maxDataPoints", POINTS_MAX));
        if (g->from == &prometheus)
                json_object_set_new(model, "instant", json_true());
        return json_pack("{ss ss s{si si} so}", "refId", "A", "datasourceUid", g->uid, "relativeTimeRange", "from",
                ob_target_window(&g->form, a->window), "to", 0, "model", model);
}

/*
 * The summary names the series. The labels of a tagged series are its tags; a dotted series has only its name. The
 * text says `.Labels`, since older versions take `$labels` for an environment variable.
 */
static char *summary(const struct grafana *g, const struct ob_alert *a)
{
        struct ob_board_series s;
        const char *by[OB_BY_MAX];
        unsigned n;
        char *text = ob_format("%s:", a->title);

        if (!g->form.sink->tagged || !ob_board_series(g->form.config, a->query.series, &s)) {
                ob_append(&text, "", " {{ .Labels.name }}");
                return text;
        }
        n = ob_board_by(&s, &a->query, by);
        for (unsigned i = 0; i < n; i++)
                ob_append(&text, "", " %s {{ .Labels.%s }}", by[i], by[i]);
        return text;
}

static json_t *alert_annotations(const struct grafana *g, const struct ob_alert *a)
{
        ob_cleanup(ob_free_at) char *which = summary(g, a);
        ob_cleanup(ob_free_at) char *text = ob_format("%s\n\n%s", a->means, a->todo);

        return json_pack("{ss ss ss}", "summary", which, "description", text, "runbook_url", g->runbook);
}

static json_t *alert_labels(const struct ob_alert *a)
{
        return json_pack("{ss ss}", "severity", ob_severities[a->severity], "source", "otterbeat");
}

/* Links the alert to its panel. Grafana wants both keys or neither. */
static void add_panel(const struct grafana *g, const struct ob_alert *a, json_t *rule)
{
        int number;
        const struct ob_panel *p = ob_panel_of(g->form.config, &a->query, &number);
        ob_cleanup(ob_free_at) char *uid = p ? make_uid(g, ob_boards[p->board].name) : NULL;

        if (!p)
                return;
        json_object_set_new(rule, "dashboardUid", json_string(uid));
        json_object_set_new(rule, "panelId", json_integer(number));
}

/* One alert watches for missing data; for the other alerts missing data is no problem. */
static json_t *rule_as_json(const struct grafana *g, const struct ob_alert *a)
{
        int64_t limit = ob_alert_limit(a, g->form.config);
        ob_cleanup(ob_free_at) char *uid = make_uid(g, a->name);
        ob_cleanup(ob_free_at) char *text = g->from->language->alert(&g->form, a);
        ob_cleanup(ob_free_at) char *wait = ob_format("%ds", ob_alert_for(a, g->form.config));
        json_t *rule;

        if (!text)
                return NULL;
        rule = json_pack("{ss ss ss s[ooo] ss ss sb ss so so}", "uid", uid, "title", a->title, "condition", "C",
                "data", question(g, a, text), reduction(g, a), comparison(a, limit), "noDataState",
                a->reduce == OB_REDUCE_SILENT ? "Alerting" : "OK", "execErrState", "Error", "isPaused", 0, "for",
                wait, "annotations", alert_annotations(g, a), "labels", alert_labels(a));
        add_panel(g, a, rule);
        return rule;
}

/* The same alert as a rule of vmalert and of Prometheus, which need no Grafana. */
static json_t *vmalert_rule(const struct grafana *g, const struct ob_alert *a)
{
        static const char *const compare[] = { [OB_ABOVE] = ">", [OB_BELOW] = "<", [OB_EQUAL] = "==" };
        long long limit = ob_alert_limit(a, g->form.config);
        ob_cleanup(ob_free_at) char *uid = make_uid(g, a->name);
        ob_cleanup(ob_free_at) char *text = g->from->language->alert(&g->form, a);
        ob_cleanup(ob_free_at) char *condition =
                text ? ob_format("%s %s %lld", text, compare[a->compare], limit) : NULL;
        ob_cleanup(ob_free_at) char *wait = ob_format("%ds", ob_alert_for(a, g->form.config));

        if (!text)
                return NULL;
        return json_pack("{ss ss ss so so}", "alert", uid, "expr", condition, "for", wait, "labels",
                alert_labels(a), "annotations", alert_annotations(g, a));
}

/* The rules of all alerts whose series the config makes. */
static json_t *rules(const struct grafana *g, json_t *(*make)(const struct grafana *g, const struct ob_alert *a))
{
        json_t *list = json_array();

        for (unsigned i = 0; i < ob_n_alerts; i++) {
                json_t *rule = make(g, &ob_alerts[i]);

                if (rule)
                        json_array_append_new(list, rule);
        }
        return list;
}

static json_t *make_rules(const struct grafana *g)
{
        return json_pack("{si s[{si ss ss ss so}]}", "apiVersion", 1, "groups", "orgId", 1, "name", g->id, "folder",
                g->id, "interval", "1m", "rules", rules(g, rule_as_json));
}

static json_t *make_vmalert_rules(const struct grafana *g)
{
        return json_pack(
                "{s[{ss ss so}]}", "groups", "name", g->id, "interval", "1m", "rules", rules(g, vmalert_rule));
}

/* The folder from which Grafana's packages read. The provider names the boards by their whole path. */
#define PROVISIONING "/etc/grafana/provisioning"

static json_t *data_source(const struct grafana *g, const char *url)
{
        return json_pack("{si s[{ss ss si ss ss ss sb s{ss}}]}", "apiVersion", 1, "datasources", "name", g->uid,
                "uid", g->uid, "orgId", 1, "type", g->from->type, "access", "proxy", "url", url, "editable", 1,
                "jsonData", g->from->setting, g->from->value);
}

static json_t *provider(const struct grafana *g)
{
        ob_cleanup(ob_free_at) char *path = ob_format(PROVISIONING "/dashboards/%s", g->id);

        return json_pack("{si s[{ss si ss ss sb s{ss}}]}", "apiVersion", 1, "providers", "name", g->id, "orgId", 1,
                "folder", g->id, "type", "file", "allowUiUpdates", 1, "options", "path", path);
}

/*
 * kubectl apply -k makes a ConfigMap of the boards, with the label that the sidecars of Grafana's charts and
 * operators look for. The provisioner reads only files whose names end in .json. A sidecar puts the boards of all
 * ConfigMaps into one folder, so the names of the files begin with the prefix.
 */
static json_t *kustomization(const struct grafana *g)
{
        ob_cleanup(ob_free_at) char *name = ob_format("otterbeat-%s-dashboards", g->id);
        json_t *files = json_array();

        for (char *at = name; *at; at++) {
                *at = (char)tolower((unsigned char)*at);
                if (*at == '_')
                        *at = '-';
        }
        for (enum ob_board b = 0; b < OB_BOARDS; b++) {
                ob_cleanup(ob_free_at) char *file =
                        ob_format("%s-%s.json=%s.json", g->id, ob_boards[b].name, ob_boards[b].name);

                json_array_append_new(files, json_string(file));
        }
        return json_pack("{ss ss s[{ss so}] s{sb s{ss}}}", "apiVersion", "kustomize.config.k8s.io/v1beta1", "kind",
                "Kustomization", "configMapGenerator", "name", name, "files", files, "generatorOptions",
                "disableNameSuffixHash", 1, "labels", "grafana_dashboard", "1");
}

static int write_board(const struct grafana *g, const struct ob_out *out, enum ob_board board, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_format("dashboards/%s/%s.json", g->id, ob_boards[board].name);

        return ob_out_json(out, name, make_board(g, board), err);
}

static int write_all(const struct grafana *g, const struct ob_out *out, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *source = ob_format("datasources/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *boards = ob_format("dashboards/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *map = ob_format("dashboards/%s/kustomization.yaml", g->id);
        ob_cleanup(ob_free_at) char *alerts = ob_format("alerting/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *vmalert = ob_format("vmalert/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *url =
                out->url ? ob_copy(out->url) : ob_format("http://%s%s", g->form.sink->host, g->from->port);

        if (ob_out_json(out, source, data_source(g, url), err) || ob_out_json(out, boards, provider(g), err) ||
                ob_out_json(out, map, kustomization(g), err) || ob_out_json(out, alerts, make_rules(g), err))
                return -1;
        for (enum ob_board b = 0; b < OB_BOARDS; b++)
                if (write_board(g, out, b, err))
                        return -1;
        return g->from == &prometheus ? ob_out_json(out, vmalert, make_vmalert_rules(g), err) : 0;
}

/* The first Graphite sink; for PromQL the first one that sends tags, and sends each step once if there is such a
 * sink. */
static const struct ob_sink_settings *find_sink(const struct ob_config *c, const struct datasource *from)
{
        const struct ob_sink_settings *found = NULL;

        for (size_t i = 0; i < c->n_sinks; i++) {
                const struct ob_sink_settings *s = &c->sinks[i];

                if (s->type != OB_SINK_GRAPHITE || (from == &prometheus && !s->tagged))
                        continue;
                if (!found || (from == &prometheus && found->receiver != OB_RECEIVER_APPEND &&
                                      s->receiver == OB_RECEIVER_APPEND))
                        found = s;
        }
        return found;
}

/* Makes a word of the prefix. A prefix that would make uids too long is refused, not cut. */
static char *make_id(const char *prefix, struct ob_err *err)
{
        size_t longest = 0;
        char *id = ob_copy(ob_name_mark(prefix));

        for (char *at = id; *at; at++)
                if (!ob_name_is_node_char(*at))
                        *at = '-';
        for (unsigned i = 0; i < ob_n_alerts; i++)
                if (strlen(ob_alerts[i].name) > longest)
                        longest = strlen(ob_alerts[i].name);
        if (strlen(id) + 1 + longest <= UID_MAX)
                return id;
        ob_fail(err, "the prefix is too long for Grafana: its uids have %d bytes, and %zu are ours", UID_MAX,
                longest + 1);
        free(id);
        return NULL;
}

/* The options of this command alone. */
enum { RUNBOOK = OB_OUT_URL + 1, DATASOURCE };

#define MANUAL "man:otterbeat(1)#ALERTS"

/* The type that --datasource names; NULL: there is no such type. */
static const struct datasource *find_type(const char *word)
{
        if (!word || !strcmp(word, graphite.type))
                return &graphite;
        return !strcmp(word, prometheus.type) ? &prometheus : NULL;
}

static void say_next(const struct grafana *g, const struct ob_out *out)
{
        printf("\nAdd a contact point, and a notification policy for the label source=otterbeat.\n"
               "Grafana reads the dashboards from " PROVISIONING
               "/dashboards/%s. For a Grafana in Kubernetes with a\n"
               "sidecar for dashboards: kubectl apply -k %s/dashboards/%s\n",
                g->id, out->dir, g->id);
        if (g->from == &prometheus)
                printf("%s/vmalert has the same alerts for vmalert: give them to Grafana or to vmalert, not to both.\n",
                        out->dir);
}

/* Settings of the sink with which the series would not be as the files ask for them. */
static void list_missing(const struct grafana *g)
{
        const struct ob_sink_settings *s = g->form.sink;

        if (g->from == &prometheus && s->receiver != OB_RECEIVER_APPEND)
                fprintf(stderr,
                        "otterbeat: the sink %s has no receiver = \"append\", so VictoriaMetrics would count each step several times\n",
                        s->name);
        if (s->counters == OB_COUNTERS_GAUGE)
                fprintf(stderr,
                        "otterbeat: the sink %s has counters = \"gauge\", so it sends no amounts, but the files ask for amounts: set counters = \"both\"\n",
                        s->name);
}

/* Makes all names of the prefix, and writes the files. Returns the exit code. */
static int make_all(struct grafana *g, const struct ob_out *out)
{
        struct ob_err err;
        ob_cleanup(ob_free_at) char *id = make_id(g->form.config->prefix, &err);
        ob_cleanup(ob_free_at) char *uid = id ? ob_format("%s-%s", id, g->from->type) : NULL;
        int code = EXIT_FINE;

        g->id = id;
        g->uid = uid;
        g->mark = ob_name_mark(g->form.config->prefix);
        if (!id)
                code = EXIT_CONFIG;
        else if (write_all(g, out, &err))
                code = EXIT_OUR_FAULT;
        if (code != EXIT_FINE) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return code;
        }
        say_next(g, out);
        list_missing(g);
        return code;
}

static int run(const struct ob_config *config, const struct ob_arguments *a)
{
        const struct datasource *from = find_type(a->options[DATASOURCE]);
        struct ob_out out = ob_out_from(a);
        struct grafana g = { .from = from };

        if (!from) {
                fprintf(stderr, "otterbeat: --datasource must be graphite or prometheus, not \"%s\"\n",
                        a->options[DATASOURCE]);
                return EXIT_USAGE;
        }
        g.form = (struct ob_form) { config, find_sink(config, from) };
        g.runbook = a->options[RUNBOOK] ? a->options[RUNBOOK] : MANUAL;
        if (g.form.sink)
                return make_all(&g, &out);
        fputs(from == &prometheus
                        ? "otterbeat: no graphite sink of the config has tagged = true, so no series have the labels that PromQL asks for\n"
                        : "otterbeat: the config has no graphite sink, so there is no Graphite that Grafana could ask\n",
                stderr);
        return EXIT_CONFIG;
}

static const struct ob_option option_table[] = {
        [OB_OUT_DIR] = { "out", .argument = "DIR", .is_needed = true,
                .help = "write DIR/datasources, DIR/dashboards and DIR/alerting; Grafana reads " PROVISIONING },
        [OB_OUT_REPLACE] = { "replace", .help = OB_OUT_REPLACE_HELP },
        [OB_OUT_URL] = { "url", .argument = "URL",
                .help = "the address of graphite-web or of VictoriaMetrics (default: http:// and the host of the graphite sink, and port 8428 of VictoriaMetrics)" },
        [RUNBOOK] = { "runbook", .argument = "URL",
                .help = "the address that each alert names as its runbook (default: " MANUAL ")" },
        [DATASOURCE] = { "datasource", .argument = "TYPE",
                .help = "graphite, or prometheus: PromQL for VictoriaMetrics, and DIR/vmalert with the same alerts for vmalert (default: graphite)" },
        { NULL },
};

const struct ob_command ob_grafana_command = {
        .name = "grafana",
        .usage = "--out DIR [--datasource graphite|prometheus] [--url URL] [--runbook URL] [--replace]",
        .help = "write files for Grafana's provisioning: dashboards and alerts for the series of this config",
        .options = option_table,
        .run = run,
};
