/*
 * Values that go from sources to sinks: a metric is one value of one series at one time, an event is something that
 * happened, described in words. Both are plain values; their texts belong to the maker: a row, or a batch.
 */
#ifndef OB_PROTO_METRIC_H
#define OB_PROTO_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/number.h"

#define OB_TAGS_MAX      12
#define OB_TAGS_MORE_MAX 24 /* tags that a sink adds to everything that it sends */

/* What a value means. The meaning also says how several values of one step become one value. */
enum ob_kind {
        OB_COUNTER,   /* an amount of what happened, always a whole number: the amounts are added up */
        OB_GAUGE,     /* a reading: the newest reading is kept */
        OB_GAUGE_MAX, /* a reading: the largest reading is kept */
        OB_KINDS
};

/* Which sinks a point is for. A point that was counted before must not be counted twice. */
enum ob_deliver_to {
        OB_TO_ALL,
        OB_TO_IDEMPOTENT, /* the point was counted before: only sinks that may repeat a point get the point */
        OB_TO_FORGET,     /* not a point: idempotent sinks start all series of this name and manager from nothing */
        OB_DELIVER_TO_END
};

struct ob_tag {
        const char *key, *value; /* value: from outside, any bytes but NUL; "": there is no such tag */
        const char *node; /* of an identity tag: replaces the value in a path of names; NULL: nothing replaces it */
};

struct ob_series {
        enum ob_kind kind;
        enum ob_deliver_to deliver_to;
        const char *name;    /* ours: [a-z0-9_.] */
        unsigned n_identity; /* how many tags, from the first on, identify this series */
        unsigned n_tags;     /* identity and labels */
        struct ob_tag tags[OB_TAGS_MAX];
        uint64_t id; /* two series of one process with the same id are the same; 0: the id is not known */
};

struct ob_metric {
        const struct ob_series *series;
        int64_t time; /* seconds since 1970, UTC */
        struct ob_metric_value value;
};

/*
 * How bad an event is, and the state of its subject after the event. The numbers of ob_check are those of
 * DogStatsD.
 */
enum ob_event_alert { OB_ALERT_INFO, OB_ALERT_SUCCESS, OB_ALERT_WARNING, OB_ALERT_ERROR, OB_ALERTS };
enum ob_check { OB_CHECK_OK, OB_CHECK_WARNING, OB_CHECK_CRITICAL, OB_CHECK_UNKNOWN, OB_CHECKS };

#define OB_EVENT_TITLE_MAX 100   /* bytes: a longer title is cut */
#define OB_EVENT_TEXT_MAX  24000 /* bytes */

/*
 * Something that happened, once. A sink whose wire carries only numbers leaves events out. An event with a `check`
 * also gives the state of its subject: a service check of this name and these tags, and the text is the check's
 * message.
 */
struct ob_event {
        int64_t time;             /* seconds since 1970, UTC */
        const char *kind;         /* ours: [a-z0-9_.]; the subject of the event, such as "log" */
        const char *title, *text; /* from outside, any bytes but NUL; without a title there is only the check */
        const char *signature;    /* ours: [A-Za-z0-9_.-]; similar events have the same signature; or "" */
        enum ob_event_alert alert;
        const char *check; /* ours: [a-z0-9_.]; "": there is no check */
        enum ob_check status;
        unsigned n_tags;
        struct ob_tag tags[OB_TAGS_MAX]; /* as in a series; their nodes are not used */
};

#endif
