/*
 * What is shown and what is warned of: panels and alerts as tables of series, out of which the files for Grafana
 * and for Datadog are made. Another panel or alert is a row in board.c.
 */
#ifndef OB_DASHBOARDS_BOARD_H
#define OB_DASHBOARDS_BOARD_H

#include <stdbool.h>

#include "config/config.h"
#include "proto/metric.h"

enum ob_board { OB_BOARD_OVERVIEW, OB_BOARD_PIPELINE, OB_BOARD_AGENT, OB_BOARDS };
enum ob_look { OB_LOOK_LINES, OB_LOOK_STACK, OB_LOOK_BARS, OB_LOOK_WORDS };

#define OB_PANEL_QUERIES_MAX 4
#define OB_BY_MAX            3

/* Of all series of a name: one line for each value of the tags `by`. Counters are added up, of gauges the largest
 * stands. */
struct ob_query {
        const char *series; /* as a column of a source is called */
        const char *by;     /* a line for each value of this tag (and of the agent or manager); NULL: one line */
        const char *legend; /* of a query without `by` */
        struct ob_tag only; /* only series with this value; key NULL: all */
        int top;            /* only so many, those with the largest values; 0: all */
        int per;            /* counters: amount in so many seconds */
};

struct ob_word_of {
        int number;
        const char *word, *color;
};

struct ob_panel {
        enum ob_board board;
        enum ob_look look;
        const char *title, *says;
        const char *unit;               /* as Grafana calls it */
        const struct ob_word_of *words; /* of OB_LOOK_WORDS: what the numbers mean; a NULL word ends them */
        struct ob_query queries[OB_PANEL_QUERIES_MAX]; /* series NULL: the end */
        bool is_wide;
};

/* How the points of the window become the number that is compared. */
enum ob_reduce {
        OB_REDUCE_LAST,   /* the newest */
        OB_REDUCE_SUM,    /* of a counter: all of them */
        OB_REDUCE_SILENT, /* how many there were at all, from one who told something some hours ago */
};

enum ob_compare { OB_ABOVE, OB_BELOW, OB_EQUAL };

/* What the thresholds come from. */
enum ob_limit {
        OB_LIMIT_NUMBER,   /* `number` itself */
        OB_LIMIT_LAG_MS,   /* the config's lag, in ms */
        OB_LIMIT_UNREAD_S, /* the config's stall, but not less than some polls of the slowest source */
};

enum ob_severity { OB_CRITICAL, OB_WARNING, OB_INFO, OB_SEVERITIES };

struct ob_alert {
        const char *name; /* [a-z-]: part of its uid */
        const char *title;
        struct ob_query query;
        enum ob_severity severity;
        enum ob_reduce reduce;
        enum ob_compare compare;
        enum ob_limit limit;
        int number;
        bool for_stall;  /* it must last as long as the config's stall; else: */
        int for_seconds; /* so long */
        int window;      /* seconds of the past that are looked at */
        const char *means, *todo;
};

struct ob_board_facts {
        const char *name, *title;
        const char *of; /* the tag that a reader of it picks one value of; NULL */
};

extern const struct ob_board_facts ob_boards[OB_BOARDS];
extern const char *const ob_severities[OB_SEVERITIES];
extern const struct ob_panel ob_panels[];
extern const unsigned ob_n_panels;
extern const struct ob_alert ob_alerts[];
extern const unsigned ob_n_alerts;

/* What an alert's number is compared with. */
int64_t ob_alert_limit(const struct ob_alert *a, const struct ob_config *c);
int ob_alert_for(const struct ob_alert *a, const struct ob_config *c);

/* The alert that warns when this query's values are too large; NULL. */
const struct ob_alert *ob_alert_above(const struct ob_query *q);

/* The first panel that shows a series: its number among those of its board, from 1. */
const struct ob_panel *ob_panel_of(const struct ob_config *c, const struct ob_query *q, int *number);

/* Which series this very config makes, and what tells those of one name apart. */
struct ob_board_series {
        bool is_counter;
        unsigned n_tags;
        const char *tags[OB_TAGS_MAX]; /* identity, in their order */
};

/* False: no source that is enabled makes any of this name. */
bool ob_board_series(const struct ob_config *c, const char *name, struct ob_board_series *out);

/* The position of a tag, or -1. */
int ob_board_series_tag(const struct ob_board_series *s, const char *tag);

/* What a query's lines are told apart by: its `by`, and the agent or manager where there is such a tag. */
unsigned ob_board_by(const struct ob_board_series *s, const struct ob_query *q, const char *by[OB_BY_MAX]);

/* Whether the config makes a panel's first query; and whether managers have names. */
bool ob_board_has(const struct ob_config *c, const struct ob_query *q);
bool ob_board_has_managers(const struct ob_config *c);

#endif
