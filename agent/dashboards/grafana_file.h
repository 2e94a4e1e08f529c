/* What each kind of Grafana's files is made of. Each returns a value that is the caller's. */
#ifndef OB_DASHBOARDS_GRAFANA_FILE_H
#define OB_DASHBOARDS_GRAFANA_FILE_H

#include <jansson.h>

#include "agent/dashboards/target.h"

#define OB_GRAFANA_UID_MAX 40 /* bytes */

struct ob_grafana {
        struct ob_form form;
        const char *id;         /* the prefix, as uids begin: two configs may share a Grafana */
        const char *mark;       /* tag of the agent's events */
        const char *datasource; /* its uid */
};

/* The uid of a board or alert; the caller's to free. */
char *ob_grafana_uid(const struct ob_grafana *g, const char *name);

json_t *ob_grafana_source(const struct ob_grafana *g); /* {type, uid}, as panels name the data source */
json_t *ob_grafana_board(const struct ob_grafana *g, enum ob_board board);
json_t *ob_grafana_rules(const struct ob_grafana *g);

#endif
