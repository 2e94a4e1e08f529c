/*
 * What crosses from sources to sinks: one value of one series at one time, or something that came to pass, in
 * words. Plain values; the texts they point to belong to whoever made them (a row, a batch).
 */
#ifndef OB_PROTO_METRIC_H
#define OB_PROTO_METRIC_H

#include <stddef.h>
#include <stdint.h>

#define OB_TAGS_MAX      12
#define OB_TAGS_MORE_MAX 24 /* that a sink tells with everything */

/* What a value means, which is also how several of one step become one. */
enum ob_kind {
        OB_COUNTER,   /* an amount that came to pass: added up */
        OB_GAUGE,     /* a reading: the newest stands */
        OB_GAUGE_MAX, /* a reading of which the largest stands */
        OB_KINDS
};

/* Whom a point is for: what was counted before must not be counted twice. */
enum ob_deliver_to {
        OB_TO_ALL,
        OB_TO_IDEMPOTENT, /* it was counted before: only for a sink that may draw everything again */
        OB_TO_FORGET,     /* no point: such a sink begins all series of this name and manager from nothing */
        OB_DELIVER_TO_END
};

struct ob_tag {
        const char *key, *value; /* value: any bytes but NUL, from outside; "" is "no such tag" */
        const char *node; /* of an identity tag: what stands for the value in a path of names; NULL: itself */
};

struct ob_series {
        enum ob_kind kind;
        enum ob_deliver_to deliver_to;
        const char *name;    /* ours: [a-z0-9_.] */
        unsigned n_identity; /* how many of the tags, from the first, tell this series from others */
        unsigned n_tags;     /* identity and labels */
        struct ob_tag tags[OB_TAGS_MAX];
};

struct ob_metric {
        const struct ob_series *series;
        int64_t time;   /* seconds since 1970, UTC */
        __int128 value; /* millionths, see number.h */
};

/* How bad an event is, and what state something is in after it: the numbers are those of StatsD and monitors. */
enum ob_event_alert { OB_ALERT_INFO, OB_ALERT_SUCCESS, OB_ALERT_WARNING, OB_ALERT_ERROR, OB_ALERTS };
enum ob_check { OB_CHECK_OK, OB_CHECK_WARNING, OB_CHECK_CRITICAL, OB_CHECK_UNKNOWN, OB_CHECKS };

#define OB_EVENT_TITLE_MAX 100   /* bytes: what is longer is cut */
#define OB_EVENT_TEXT_MAX  24000 /* bytes */

/*
 * Something that came to pass, once. Sinks that can't tell it in words leave it out. With a `check` it also says
 * the state that something is in: a service check of this name and these tags, whose message is the text.
 */
struct ob_event {
        int64_t time;             /* seconds since 1970, UTC */
        const char *kind;         /* ours: [a-z0-9_.]; what it is about, as "log" */
        const char *title, *text; /* any bytes but NUL, from outside; without a title there is just the check */
        const char *signature;    /* ours: [A-Za-z0-9_.-]; those that are alike have the same; "" */
        enum ob_event_alert alert;
        const char *check; /* ours: [a-z0-9_.]; "": there is none */
        enum ob_check status;
        unsigned n_tags;
        struct ob_tag tags[OB_TAGS_MAX]; /* as a series has them; nodes are not told */
};

#endif
