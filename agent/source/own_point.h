/* A point of one of our own series (config/own_series.h) on its way to the queue. One thread's. */
#ifndef OB_SOURCE_OWN_POINT_H
#define OB_SOURCE_OWN_POINT_H

#include <stdint.h>

#include "agent/source/names/names.h"
#include "agent/source/outbox.h"
#include "config/own_series.h"

/* Whose the series is. Borrowed. */
struct ob_owner {
        const char *manager;                   /* the manager's name; "" */
        const char *values[OB_OWN_TAGS_MAX];   /* of the series' tags, in their order */
        const struct ob_names_snapshot *names; /* of the manager's things; NULL: there are none */
};

/* The series as the owner's, without kind and name: what an event about the same thing carries, too. */
void ob_own_series_of(enum ob_own which, const struct ob_owner *owner, int64_t time, struct ob_series *series);

/* Adds a point. `time`: seconds since 1970. */
void ob_own_point_add(
        struct ob_outbox *out, enum ob_own which, const struct ob_owner *owner, int64_t time, int64_t value);

#endif
