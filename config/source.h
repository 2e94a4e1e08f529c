/*
 * A source describes a table as a list of columns with roles, and how often the table is read. The code that reads,
 * compares and sends rows looks at the roles only, and never asks which table it has: a new table is a new literal
 * in builtin.c, or some lines in the user's config. Values; const once the config is loaded.
 */
#ifndef OB_CONFIG_SOURCE_H
#define OB_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/start.h"
#include "proto/error.h"
#include "proto/metric.h"
#include "proto/text.h"

#define OB_COLUMNS_MAX 24

enum ob_role {
        OB_CURSOR,    /* the row's id: a whole number that no two rows share */
        OB_SETTLED,   /* when the row was last written */
        OB_TIME,      /* the time of the event that the row reports */
        OB_MADE,      /* when the row was created; for rows that change in place */
        OB_KEY,       /* tag that tells series apart; NULL and -1 become "none" */
        OB_ENUM,      /* like a key, with few different values; sent in lower case */
        OB_LABEL,     /* tag that does not tell series apart; NULL and -1 are not sent */
        OB_VALUE,     /* gauge; of several values in one step the newest is sent */
        OB_PEAK,      /* gauge; of several values in one step the largest is sent */
        OB_INCREMENT, /* counter; the row's number is added to it */
        OB_TOTAL,     /* counter; the row's number only grows, and its growth is added */
        OB_COUNT,     /* counter; each row adds one */
        OB_AGE,       /* gauge; seconds since the newest such time of each key */
        OB_EVENT,     /* a text, for sinks that send events; not every row's text is sent: agent/source/events.h */
        OB_FACT,      /* a number that is not sent, but from which the state of a pipeline follows */
        OB_ROLES
};

/* Finds one part of a text, and adds the part to `out`. False, and nothing is added: the text has no such part. */
typedef bool ob_part_fn(const char *text, struct ob_text *out);

struct ob_column {
        enum ob_role role;
        const char *column;     /* in the table or page; NULL: the role needs none (count) */
        const char *name;       /* of the tag or the metric; NULL for other roles */
        const char *expression; /* SQL that is selected in the place of the column; NULL: the column itself */
        ob_part_fn *part; /* the cell is a part of the column's text; in an event's column: the event's severity */
        bool is_open;     /* a tag with any number of values: those beyond `limit` become "other" */
        bool is_sole;     /* a row with a value here was written by one manager only, see `merge` */
};

/* How a source is read. The shape follows from the roles of the columns. */
enum ob_shape {
        OB_SHAPE_LOG,    /* rows are added and never change: each id is counted once */
        OB_SHAPE_STATE,  /* rows change in place: the whole table is read and compared with the last poll */
        OB_SHAPE_NEWEST, /* only the newest time of each key is read */
        OB_SHAPES
};

/* Where the points of a source come from. Tables and pages have columns; the other kinds have none: their series
 * are in config/own_series.h. */
enum ob_source_kind {
        OB_SOURCE_TABLE,
        OB_SOURCE_PAGE,     /* `table` is the name of a page */
        OB_SOURCE_COUNTERS, /* our own counters */
        OB_SOURCE_ZONE,     /* the difference between the dates on the pages and those in the tables */
        OB_SOURCE_HEALTH,   /* the state of each pipeline, evaluated from what the other sources read */
        OB_SOURCE_KINDS
};

struct ob_source {
        const char *name;
        const char *worker; /* sources of one worker share a thread, and the settings that the config gives the
                               worker */
        const char *table;
        enum ob_source_kind kind;
        unsigned n_columns;
        struct ob_column columns[OB_COLUMNS_MAX];

        bool is_roster; /* the keys are pipelines: each that exists has a gauge, even without a row */
        bool has_gaps;  /* an empty cell is no error: no point is made of the cell */

        bool enabled;
        int every;   /* seconds from one poll to the next */
        int overlap; /* seconds: how late a row may become visible and still be found by a poll */
        int settle;  /* seconds: younger rows wait for the next poll */
        int batch;   /* rows that one query reads */

        struct ob_start start;
        int limit; /* the number of values of each open tag that have series of their own */
        int merge; /* seconds within which equal rows of several managers count as one; 0: each row counts */

        int64_t until; /* not a setting: a replay leaves out rows from this time on, in seconds since 1970; 0: no
                          end */
};

/* What a role requires of its column, and what is made of the column. */
struct ob_role_facts {
        const char *word; /* in the config */
        bool is_tag;
        bool is_metric;
        enum ob_kind kind; /* of the metric */
        bool is_number;    /* each cell must be a number */
        bool is_time;
        bool at_most_one;
};
extern const struct ob_role_facts ob_roles[OB_ROLES];

enum ob_shape ob_source_shape(const struct ob_source *s);

/* The position of the (first) column of a role, or -1. */
int ob_source_find(const struct ob_source *s, enum ob_role role);

/* Checks that the roles of the columns fit together. -1, and `err` says which role does not fit and why. */
int ob_source_check(const struct ob_source *s, struct ob_err *err);

/* The sources that every config begins with. */
extern const struct ob_source ob_builtin_sources[];
extern const unsigned ob_n_builtin_sources;

/*
 * The settings of a built-in page source, without a name, a page or columns. The source of a user's page begins as
 * a copy.
 */
extern const struct ob_source ob_empty_page_source;

#endif
