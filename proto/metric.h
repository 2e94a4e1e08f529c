/*
 * What crosses from sources to sinks: one value of one series at one time.
 * Plain values; the texts they point to belong to whoever made them (a row, a batch).
 */
#ifndef OB_PROTO_METRIC_H
#define OB_PROTO_METRIC_H

#include <stddef.h>
#include <stdint.h>

#define OB_TAGS_MAX 12

/* What a value means, which is also how several of one step become one. */
enum ob_kind {
        OB_COUNTER,   /* an amount that came to pass: added up */
        OB_GAUGE,     /* a reading: the newest stands */
        OB_GAUGE_MAX, /* a reading of which the largest stands */
        OB_KINDS
};

/* Whom a point is for: what was counted before must not be counted twice. */
enum ob_telling {
        OB_TELL_ALL,
        OB_TELL_AGAIN,  /* it was counted before: only for a sink that may draw everything again */
        OB_TELL_FORGET, /* no point: such a sink begins all series of this name and manager from nothing */
        OB_TELLINGS
};

struct ob_tag {
        const char *key, *value; /* value: any bytes but NUL, from outside; "" is "no such tag" */
        const char *node; /* of an identity tag: what stands for the value in a path of names; NULL: itself */
};

struct ob_series {
        enum ob_kind kind;
        enum ob_telling telling;
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

#endif
