/*
 * The tables of panels and alerts, from which the files for Grafana and for Datadog are made. To add a panel or an
 * alert, add a row in board.c.
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

/* A query over all series of one name, with one line for each value of the tags `by`. Counters are added up; of
 * gauges the largest value is shown. */
struct ob_query {
        const char *series; /* the name of a source's column */
        const char *by;     /* one line for each value of this tag, and of the agent or manager; NULL: one line */
        const char *legend; /* the name of the line, in a query without `by` */
        struct ob_tag only; /* only series with this tag; key NULL: all series */
        int top;            /* only so many lines, those with the largest values; 0: all */
        int per;            /* of counters: the amount in so many seconds */
};

struct ob_word_of {
        int number;
        const char *word, *color;
};

struct ob_panel {
        enum ob_board board;
        enum ob_look look;
        const char *title, *says;
        const char *unit;               /* the unit's name in Grafana */
        const struct ob_word_of *words; /* for OB_LOOK_WORDS: a word for each number; a NULL word ends the list */
        struct ob_query queries[OB_PANEL_QUERIES_MAX]; /* a NULL series ends the list */
        bool is_wide;
};

/* How the points of the window become the one number that is compared. */
enum ob_reduce {
        OB_REDUCE_LAST,   /* the newest point */
        OB_REDUCE_SUM,    /* the sum of all points, for a counter */
        OB_REDUCE_SILENT, /* the number of points, of a series that had points in the last hours */
};

enum ob_compare { OB_ABOVE, OB_BELOW, OB_EQUAL };

/* Where an alert's limit comes from. */
enum ob_limit {
        OB_LIMIT_NUMBER,   /* the alert's `number` */
        OB_LIMIT_LAG_MS,   /* the config's lag, in milliseconds */
        OB_LIMIT_UNREAD_S, /* the config's stall, but at least some polls of the slowest source */
};

enum ob_severity { OB_CRITICAL, OB_WARNING, OB_INFO, OB_SEVERITIES };

struct ob_alert {
        const char *name; /* of the characters [a-z-]: a part of the alert's uid */
        const char *title;
        struct ob_query query;
        enum ob_severity severity;
        enum ob_reduce reduce;
        enum ob_compare compare;
        enum ob_limit limit;
        int number;
        bool for_stall;  /* the condition must last as long as the config's stall; else for_seconds */
        int for_seconds; /* how long the condition must last */
        int window;      /* how many seconds of the past are looked at */
        const char *means, *todo;
};

struct ob_board_facts {
        const char *name, *title;
        const char *of; /* the tag of which the reader of the board picks one value; NULL: none */
};

extern const struct ob_board_facts ob_boards[OB_BOARDS];
extern const char *const ob_severities[OB_SEVERITIES];
extern const struct ob_panel ob_panels[];
extern const unsigned ob_n_panels;
extern const struct ob_alert ob_alerts[];
extern const unsigned ob_n_alerts;

/* The limit that an alert's number is compared with, and the seconds that the condition must last. */
int64_t ob_alert_limit(const struct ob_alert *a, const struct ob_config *c);
int ob_alert_for(const struct ob_alert *a, const struct ob_config *c);

/* The alert that warns when the values of this query are too large; NULL: there is none. */
const struct ob_alert *ob_alert_above(const struct ob_query *q);

/* The first panel that shows the query's series, and the panel's number on its board, from 1. NULL: there is none.
 */
const struct ob_panel *ob_panel_of(const struct ob_config *c, const struct ob_query *q, int *number);

/* A series that a config makes: its kind, and the tags that tell the series of one name apart. */
struct ob_board_series {
        bool is_counter;
        unsigned n_tags;
        const char *tags[OB_TAGS_MAX]; /* the identity, in the order of the series */
};

/* False: no enabled source makes a series of this name. */
bool ob_board_series(const struct ob_config *c, const char *name, struct ob_board_series *out);

/* The position of a tag, or -1. */
int ob_board_series_tag(const struct ob_board_series *s, const char *tag);

/* The tags that tell the lines of a query apart: its `by`, and the agent or manager where the series has such a
 * tag. Returns their number. */
unsigned ob_board_by(const struct ob_board_series *s, const struct ob_query *q, const char *by[OB_BY_MAX]);

/* The series' name on the wires with tags: the prefix, a dot and `series`. The caller frees it. */
char *ob_board_name(const struct ob_config *c, const char *series);

/* Whether the config makes the series of this query; and whether its managers have names. */
bool ob_board_has(const struct ob_config *c, const struct ob_query *q);
bool ob_board_has_managers(const struct ob_config *c);

#endif
