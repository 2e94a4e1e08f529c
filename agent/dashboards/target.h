/*
 * Makes Graphite targets of the queries in board.h: paths with globs for a sink that sends dotted names,
 * seriesByTag for a sink that sends tagged series. The functions in the targets are those of graphite-web 1.1.
 */
#ifndef OB_DASHBOARDS_TARGET_H
#define OB_DASHBOARDS_TARGET_H

#include "agent/dashboards/board.h"

/* A Graphite sink, whose series the targets name. */
struct ob_form {
        const struct ob_config *config;
        const struct ob_sink_settings *sink;
};

/*
 * The target of a query, which the caller frees. NULL: the config makes no such series. On a board of one pipeline,
 * $pipeline and $manager stand for the pipeline that the reader picked.
 */
char *ob_target_panel(const struct ob_form *f, const struct ob_query *q, enum ob_board board);
char *ob_target_alert(const struct ob_form *f, const struct ob_alert *a);

/* The query of a Grafana template variable for the values of a tag, which the caller frees; with `of_manager` only
 * for the manager $manager. */
char *ob_target_values(const struct ob_form *f, const char *tag, bool of_manager);

/* The seconds of the past that an alert looks at: `seconds`, but at least some steps. */
int ob_target_window(const struct ob_form *f, int seconds);

#endif
