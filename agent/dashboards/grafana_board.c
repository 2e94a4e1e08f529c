#include <string.h>

#include "agent/dashboards/board_series.h"
#include "agent/dashboards/grafana_file.h"
#include "proto/memory.h"

#define WIDTH  24 /* of a board, in Grafana's units */
#define HEIGHT 8  /* of a panel */

/* How a look is drawn by a panel of lines. */
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

/* A red line where an alert begins. */
static json_t *thresholds(const struct ob_grafana *g, const struct ob_panel *p, bool *has)
{
        const struct ob_alert *a = ob_alert_above(&p->queries[0]);
        json_t *steps = json_pack("[{ss sn}]", "color", "green", "value");

        *has = a != NULL;
        if (a)
                json_array_append_new(steps, json_pack("{ss sI}", "color", "red", "value",
                                                     (json_int_t)ob_alert_limit(a, g->form.config)));
        return json_pack("{ss so}", "mode", "absolute", "steps", steps);
}

static json_t *lines_as_json(const struct ob_grafana *g, const struct ob_panel *p)
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

static json_t *field_config(const struct ob_grafana *g, const struct ob_panel *p)
{
        json_t *defaults = p->look == OB_LOOK_WORDS
                                   ? json_pack("{so s{si si}}", "mappings", words_as_json(p->words), "custom",
                                             "fillOpacity", 80, "lineWidth", 0)
                                   : lines_as_json(g, p);

        return json_pack("{so s[]}", "defaults", defaults, "overrides");
}

static json_t *options(const struct ob_panel *p)
{
        json_t *legend = json_pack("{ss ss sb}", "displayMode", "list", "placement", "bottom", "showLegend", 1);

        if (p->look == OB_LOOK_WORDS)
                return json_pack(
                        "{sb ss sf so}", "mergeValues", 1, "showValue", "auto", "rowHeight", 0.9, "legend", legend);
        return json_pack("{so s{ss ss}}", "legend", legend, "tooltip", "mode", "multi", "sort", "desc");
}

/* Those of the panel's queries that the config makes series for. */
static json_t *targets(const struct ob_grafana *g, const struct ob_panel *p)
{
        json_t *list = json_array();
        char id[] = "A";

        for (int i = 0; i < OB_PANEL_QUERIES_MAX && p->queries[i].series; i++) {
                ob_cleanup(ob_free_at) char *target = ob_target_panel(&g->form, &p->queries[i], p->board);

                if (!target)
                        continue;
                json_array_append_new(list, json_pack("{ss so ss sb}", "refId", id, "datasource",
                                                    ob_grafana_source(g), "target", target, "textEditor", 1));
                id[0]++;
        }
        return list;
}

/* From left to right, and down where there is no room. */
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

static json_t *panels(const struct ob_grafana *g, enum ob_board board)
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
                                      p->title, "description", p->says, "datasource", ob_grafana_source(g),
                                      "gridPos", put(&at, p), "fieldConfig", field_config(g, p), "options",
                                      options(p), "targets", targets(g, p)));
        }
        return list;
}

static void add_variable(const struct ob_grafana *g, json_t *list, const char *tag, bool of_manager)
{
        ob_cleanup(ob_free_at) char *query = ob_target_values(&g->form, tag, of_manager);

        json_array_append_new(
                list, json_pack("{ss ss ss so ss si si sb sb ss s[] s{}}", "name", tag, "label", tag, "type",
                              "query", "datasource", ob_grafana_source(g), "query", query, "refresh", 2, "sort", 3,
                              "multi", 0, "includeAll", 0, "regex", "/^(?!none$)/", "options", "current"));
}

static json_t *variables(const struct ob_grafana *g, enum ob_board board)
{
        bool has_managers = ob_board_has_managers(g->form.config);
        json_t *list = json_array();

        if (ob_boards[board].of && has_managers)
                add_variable(g, list, "manager", false);
        if (ob_boards[board].of)
                add_variable(g, list, ob_boards[board].of, has_managers);
        return json_pack("{so}", "list", list);
}

/* Otter's events over all panels, and the links between the boards. */
static json_t *annotations(const struct ob_grafana *g)
{
        return json_pack("{s[{ss sb ss so s{ss sb s[s]}}]}", "list", "name", "Events", "enable", 1, "iconColor",
                "orange", "datasource", ob_grafana_source(g), "target", "refId", "Events", "fromAnnotations", 1,
                "tags", g->mark);
}

static json_t *links(void)
{
        return json_pack("[{ss ss s[s] sb sb}]", "type", "dashboards", "title", "Otter", "tags", "otterbeat",
                "asDropdown", 0, "keepTime", 1);
}

json_t *ob_grafana_board(const struct ob_grafana *g, enum ob_board board)
{
        ob_cleanup(ob_free_at) char *uid = ob_grafana_uid(g, ob_boards[board].name);

        /* Until a minute ago: the newest minute is never whole. */
        return json_pack("{ss ss s[s] si si sb si ss s{ss ss} ss so so so so}", "uid", uid, "title",
                ob_boards[board].title, "tags", "otterbeat", "schemaVersion", 36, "version", 1, "editable", 1,
                "graphTooltip", 1, "refresh", "1m", "time", "from", "now-6h", "to", "now-1m", "timezone", "",
                "annotations", annotations(g), "links", links(), "templating", variables(g, board), "panels",
                panels(g, board));
}
