/*
 * A source: a table as a list of columns with roles, and how often to read it. Nothing that reads,
 * compares or sends asks which table it is; a new table is a new literal in builtin.c, or some lines
 * in the user's config. Values; const once the config is loaded.
 */
#ifndef OB_CONFIG_SOURCE_H
#define OB_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"
#include "proto/text.h"

#define OB_COLUMNS_MAX 24

enum ob_role {
        OB_CURSOR,    /* the row's id: a whole number that no two rows share */
        OB_SETTLED,   /* when the row was last written */
        OB_TIME,      /* when what the row says came to pass */
        OB_MADE,      /* when the row was made, for rows that change in place */
        OB_KEY,       /* identity tag; NULL and -1 are "none" */
        OB_ENUM,      /* identity tag from a short list of words: lower case */
        OB_LABEL,     /* tag that does not tell series apart; NULL and -1 are left out */
        OB_VALUE,     /* gauge; several in one step: the newest */
        OB_PEAK,      /* gauge; several in one step: the largest */
        OB_INCREMENT, /* counter; the row's number is what came to pass */
        OB_TOTAL,     /* counter; the row's number only grows, its difference is what came to pass */
        OB_COUNT,     /* counter; one a row */
        OB_AGE,       /* gauge; seconds from the newest such time of each key to now */
        OB_EVENT, /* a text that is told in words, for sinks that can; not each row's, see agent/source/events.h */
        OB_FACT,  /* a number that is not sent: it tells what state a pipeline is in */
        OB_ROLES
};

/* Writes what of a text is meant. False: it is not in it. */
typedef bool ob_part_fn(const char *text, struct ob_text *out);

struct ob_column {
        enum ob_role role;
        const char *column;     /* in the table or page; NULL: none is needed (count) */
        const char *name;       /* of the tag or the metric; NULL for roles that are neither */
        const char *expression; /* SQL over `column`, when it is not the column itself */
        ob_part_fn *part; /* it is a part of the event's text; of the event itself: how bad it is, in a word */
        bool is_open;     /* a tag whose values have no end of their own: so many, then "other" */
        bool is_sole;     /* a row with a value here was written by one manager alone, see `merge` */
};

/* How a source is read, which follows from its roles. */
enum ob_shape {
        OB_SHAPE_LOG,    /* rows are added and stay as they are: each id is counted once */
        OB_SHAPE_STATE,  /* rows change in place: the whole table, compared with what it was */
        OB_SHAPE_NEWEST, /* the newest time of each key */
        OB_SHAPES
};

/* What a source is: rows of a table or a page, or what we make ourselves (config/own_series.h), which has no
 * columns. */
enum ob_source_kind {
        OB_SOURCE_TABLE,
        OB_SOURCE_PAGE,     /* the source's table is the name of a page */
        OB_SOURCE_COUNTERS, /* our own counters */
        OB_SOURCE_ZONE,     /* how far the dates on the pages are from the tables' */
        OB_SOURCE_HEALTH,   /* the state of each pipeline, by what the other sources read */
        OB_SOURCE_KINDS
};

enum ob_start_kind {
        OB_START_NOW,
        OB_START_OLDEST,
        OB_START_AT,  /* `seconds` since 1970 */
        OB_START_AGO, /* `seconds` before the first start */
};

struct ob_start {
        enum ob_start_kind kind;
        int64_t seconds;
};

struct ob_source {
        const char *name;
        const char *worker; /* sources of one worker share a thread and their settings */
        const char *table;
        enum ob_source_kind kind;
        unsigned n_columns;
        struct ob_column columns[OB_COLUMNS_MAX];

        bool is_roster; /* the keys are pipelines: those without a row count, too, and deleted ones do not */
        bool has_gaps;  /* an empty cell is nothing to tell: there is just no metric of it */

        bool enabled;
        int every;   /* seconds from poll to poll */
        int overlap; /* seconds: how late a row may become visible and still be found by a poll */
        int settle;  /* seconds: younger rows wait for the next poll */
        int batch;   /* rows a query */

        struct ob_start start;
        int limit; /* of distinct values of each open tag */
        int merge; /* seconds in which rows that say the same are one, written by several managers; 0: none are */

        int64_t until; /* not a setting: rows from then on are left out, when the past is told again; 0 */
};

/* "now", "oldest", a date in UTC as "2020-04-20 00:00:00", or how far back, as "-2h" (s, m, h, d). */
bool ob_start_parse(const char *text, struct ob_start *start);

/* The time that it means when it is `now`; INT64_MIN: before all. */
int64_t ob_start_time(const struct ob_start *start, int64_t now);

/* What sources that are read off pages begin with. */
#define OB_PAGE_DEFAULTS .has_gaps = true, .batch = 1000

/* What a role asks of its column and makes of it. */
struct ob_role_facts {
        const char *word; /* in the config */
        bool is_tag;
        bool is_metric;
        bool is_number; /* the cell must be a number */
        bool is_time;
        bool at_most_one;
};
extern const struct ob_role_facts ob_roles[OB_ROLES];

enum ob_shape ob_source_shape(const struct ob_source *s);

/* The position of the (first) column of a role, or -1. */
int ob_source_find(const struct ob_source *s, enum ob_role role);

/* Whether the roles make sense together; if not, says which do not and why. */
int ob_source_check(const struct ob_source *s, struct ob_err *err);

/* The sources that every config begins with. */
extern const struct ob_source ob_builtin_sources[];
extern const unsigned ob_n_builtin_sources;

#endif
