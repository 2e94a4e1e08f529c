/*
 * How the tables' queries are asked of Graphite: paths with globs for a sink that sends dotted names, seriesByTag
 * for one that sends tagged ones. Functions as in graphite-web 1.1.
 */
#ifndef OB_DASHBOARDS_TARGET_H
#define OB_DASHBOARDS_TARGET_H

#include "agent/dashboards/board.h"

/* Of the series that a Graphite sink sends. */
struct ob_form {
        const struct ob_config *config;
        const struct ob_sink_settings *sink;
};

/*
 * The targets of a query; the caller's to free. NULL: the config makes no such series. On a board of one
 * pipeline $pipeline (and $manager) stand for the one that was picked.
 */
char *ob_target_panel(const struct ob_form *f, const struct ob_query *q, enum ob_board board);
char *ob_target_alert(const struct ob_form *f, const struct ob_alert *a);

/* Asks for the values of a tag, in the words of Grafana's template variables; of the manager $manager, if wanted.
 */
char *ob_target_values(const struct ob_form *f, const char *tag, bool of_manager);

/* Seconds of the past that an alert looks at: some steps, at the least. */
int ob_target_window(const struct ob_form *f, int seconds);

#endif
