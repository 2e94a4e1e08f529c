#include "agent/dashboards/grafana.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dashboards/grafana_file.h"
#include "agent/ops/exit.h"
#include "agent/ops/outfile.h"
#include "proto/memory.h"
#include "proto/name.h"

/* Where Grafana's packages read from; boards are named by their whole path. */
#define PROVISIONING "/etc/grafana/provisioning"

static const char usage[] =
        "usage: otterbeat [-c FILE] grafana --out DIR [--url URL] [--replace]\n"
        "  writes the files that Grafana provisions itself with, for the series of this config\n"
        "  --out DIR   into DIR/datasources, DIR/dashboards, DIR/alerting; Grafana's own is " PROVISIONING "\n"
        "  --url URL   of graphite-web (default: http:// and the host of the graphite sink)\n"
        "  --replace   write over files of these names; else a file that is there is left as it is\n";

char *ob_grafana_uid(const struct ob_grafana *g, const char *name)
{
        return ob_format("%s-%s", g->id, name);
}

json_t *ob_grafana_source(const struct ob_grafana *g)
{
        return json_pack("{ss ss}", "type", "graphite", "uid", g->datasource);
}

static json_t *data_source(const struct ob_grafana *g, const char *url)
{
        return json_pack("{si s[{ss ss si ss ss ss sb s{ss}}]}", "apiVersion", 1, "datasources", "name",
                g->datasource, "uid", g->datasource, "orgId", 1, "type", "graphite", "access", "proxy", "url", url,
                "editable", 1, "jsonData", "graphiteVersion", "1.1");
}

static json_t *provider(const struct ob_grafana *g)
{
        ob_cleanup(ob_free_at) char *path = ob_format(PROVISIONING "/dashboards/%s", g->id);

        return json_pack("{si s[{ss si ss ss sb s{ss}}]}", "apiVersion", 1, "providers", "name", g->id, "orgId", 1,
                "folder", g->id, "type", "file", "allowUiUpdates", 1, "options", "path", path);
}

static int write_board(
        const struct ob_grafana *g, const struct ob_out *out, enum ob_board board, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_format("dashboards/%s/%s.json", g->id, ob_boards[board].name);

        return ob_out_json(out, name, ob_grafana_board(g, board), err);
}

static int write_all(const struct ob_grafana *g, const struct ob_out *out, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *source = ob_format("datasources/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *boards = ob_format("dashboards/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *alerts = ob_format("alerting/%s.yaml", g->id);
        ob_cleanup(ob_free_at) char *url =
                out->url ? ob_copy(out->url) : ob_format("http://%s", g->form.sink->host);

        if (ob_out_json(out, source, data_source(g, url), err) || ob_out_json(out, boards, provider(g), err) ||
                ob_out_json(out, alerts, ob_grafana_rules(g), err))
                return -1;
        for (enum ob_board b = 0; b < OB_BOARDS; b++)
                if (write_board(g, out, b, err))
                        return -1;
        return 0;
}

/* The first sink that Graphite is behind. */
static const struct ob_sink_settings *find_sink(const struct ob_config *c)
{
        for (size_t i = 0; i < c->n_sinks; i++)
                if (c->sinks[i].type == OB_SINK_GRAPHITE)
                        return &c->sinks[i];
        return NULL;
}

/* The prefix as a word; refused rather than cut where uids would be too long. */
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
        if (strlen(id) + 1 + longest <= OB_GRAFANA_UID_MAX)
                return id;
        ob_fail(err, "the prefix is too long for Grafana: its uids have %d bytes, and %zu are ours",
                OB_GRAFANA_UID_MAX, longest + 1);
        free(id);
        return NULL;
}

int ob_grafana(const struct ob_config *config, int argc, char **argv)
{
        struct ob_grafana g = { .form = { config, find_sink(config) } };
        struct ob_out out;
        struct ob_err err;
        ob_cleanup(ob_free_at) char *id = NULL;
        ob_cleanup(ob_free_at) char *datasource = NULL;

        if (ob_out_options(argc, argv, true, &out)) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        if (!g.form.sink) {
                fputs("otterbeat: the config has no graphite sink, which Grafana could ask\n", stderr);
                return EXIT_CONFIG;
        }
        id = make_id(config->prefix, &err);
        if (!id) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_CONFIG;
        }
        g.id = id;
        g.mark = ob_name_mark(config->prefix);
        datasource = ob_format("%s-graphite", id);
        g.datasource = datasource;
        if (write_all(&g, &out, &err)) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_OUR_FAULT;
        }
        printf("\nWhom to tell is yours to say: a contact point, and a policy for the label source=otterbeat.\n"
               "The boards are read from " PROVISIONING "/dashboards/%s.\n",
                id);
        return EXIT_FINE;
}
