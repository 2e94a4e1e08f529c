/* Points of the agent's own series (config/own_series.h). One thread owns the outbox. */
#ifndef OB_SOURCE_OWN_POINT_H
#define OB_SOURCE_OWN_POINT_H

#include <stdint.h>

#include "agent/source/names/names.h"
#include "agent/source/outbox.h"
#include "config/own_series.h"

/* The owner of a series. Borrowed. */
struct ob_owner {
        const char *manager;                   /* the manager's name; "": none */
        const char *values[OB_OWN_TAGS_MAX];   /* of the series' tags, in the order of the tags */
        const struct ob_names_snapshot *names; /* names of the manager's objects; NULL: there are none */
};

/* The owner's series without kind and name, also for an event about the same object. */
void ob_own_series_of(enum ob_own which, const struct ob_owner *owner, int64_t time, struct ob_series *series);

/* Adds a point. `time`: seconds since 1970. */
void ob_own_point_add(
        struct ob_outbox *out, enum ob_own which, const struct ob_owner *owner, int64_t time, int64_t value);

#endif
