/*
 * The series that come from no table and no page: the agent's own counters, the state of each pipeline, and the
 * skew of the dates on the pages. Constants. Any thread.
 */
#ifndef OB_CONFIG_OWN_SERIES_H
#define OB_CONFIG_OWN_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/metric.h"

enum ob_own {
        /* Of each source. */
        OB_OWN_POLL_MS,
        OB_OWN_SOURCE_AGE,
        OB_OWN_ROWS,
        OB_OWN_LATE_ROWS,
        OB_OWN_ERRORS,

        /* Of each sink. */
        OB_OWN_POINTS,
        OB_OWN_SENT,
        OB_OWN_FOLDED,
        OB_OWN_LATE,
        OB_OWN_LOST,
        OB_OWN_UNCERTAIN,
        OB_OWN_RECONNECTS,
        OB_OWN_BEHIND,

        /* Of the agent. */
        OB_OWN_QUEUE_POINTS,
        OB_OWN_QUEUE_BYTES,
        OB_OWN_LEASE,
        OB_OWN_LEASE_AGE,
        OB_OWN_MANAGERS,
        OB_OWN_UNOWNED,

        /* Of each pipeline, then of each manager. */
        OB_OWN_STATE,
        OB_OWN_ZONE_SKEW,
        OB_OWN_SERIES
};

#define OB_OWN_TAGS_MAX 2

struct ob_own_series {
        const char *name;
        enum ob_kind kind;
        bool is_of_manager;                /* the manager's name is the first tag, if the manager has a name */
        bool is_of_cluster;                /* only agents that share a state send it */
        const char *tags[OB_OWN_TAGS_MAX]; /* the tags that tell series apart, in order; NULL after the last tag */
};
extern const struct ob_own_series ob_own_series[OB_OWN_SERIES];

#endif
