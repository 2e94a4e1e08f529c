/*
 * Makes the queries that Grafana asks, from the queries in board.h: targets for Graphite (target.c), expressions in
 * PromQL for VictoriaMetrics (promql.c).
 */
#ifndef OB_DASHBOARDS_TARGET_H
#define OB_DASHBOARDS_TARGET_H

#include "agent/dashboards/board.h"

/* A Graphite sink, whose series the queries name. */
struct ob_form {
        const struct ob_config *config;
        const struct ob_sink_settings *sink;
};

/* How one kind of server is asked. The caller frees each text. */
struct ob_language {
        /* The query of a panel; NULL: the config makes no such series. On a board of one pipeline, $pipeline and
         * $manager stand for the pipeline that the reader picked. */
        char *(*panel)(const struct ob_form *f, const struct ob_query *q, enum ob_board board);

        /* The query of an alert; NULL: the config makes no such series. Graphite answers with the points of the
         * window, PromQL with the number that is compared. */
        char *(*alert)(const struct ob_form *f, const struct ob_alert *a);

        /* The query of a Grafana template variable for the values of a tag; with `of_manager` only for the manager
         * $manager. */
        char *(*values)(const struct ob_form *f, const char *tag, bool of_manager);
};

/* Paths with globs for a sink that sends dotted names, seriesByTag for a sink that sends tagged series. The
 * functions are those of graphite-web 1.1. */
extern const struct ob_language ob_graphite;

/*
 * PromQL over tagged series, whose sink sends each step once: a sample of a counter is the amount of one step, and
 * a step with two samples has the sum of both.
 */
extern const struct ob_language ob_promql;

/* The name of the lines of a query in PromQL, as {{manager}}.{{pipeline}}, which the caller frees. */
char *ob_promql_legend(const struct ob_form *f, const struct ob_query *q);

/* The value that a tag must have in a query; NULL: any value. `of` is the tag that the reader of the board picks.
 */
const char *ob_target_wanted(const struct ob_query *q, const char *of, const char *tag);

#define OB_SILENCE 300 /* after so many seconds without a point an agent is silent */

/* So many seconds after the end of a step the sink has sent the step if it stopped growing; 0: steps are sent at
 * once. */
int ob_target_hold(const struct ob_form *f);

/* The seconds of the past that an alert looks at: `seconds`, but at least some steps, and those that are held back.
 */
int ob_target_window(const struct ob_form *f, int seconds);

#endif
