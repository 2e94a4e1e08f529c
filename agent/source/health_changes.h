/*
 * Sends the state of each pipeline as points: at once when the state changed, otherwise once in each step of
 * ob_steps_repeat(). Sends each change of a state once as an event, a service check and a line in the log. The
 * state that was sent is stored in one transaction with the event, so no restart sends a change again. The first
 * state of a pipeline makes no event, only a service check and a line. Owned by one thread.
 */
#ifndef OB_SOURCE_HEALTH_CHANGES_H
#define OB_SOURCE_HEALTH_CHANGES_H

#include <stdbool.h>

#include "agent/source/names/names.h"
#include "agent/source/outbox.h"
#include "agent/source/pipeline_health.h"
#include "config/config.h"

struct ob_told_state;

struct ob_health_changes {
        /* Set by the owner; borrowed. */
        const char *manager; /* its name; "" */
        const char *name;    /* in the store and the log */
        struct ob_pipeline_health *health;
        struct ob_names *names; /* NULL: there are none */
        int64_t repeat;         /* seconds: see ob_steps_repeat() */
        struct ob_outbox outbox;

        struct ob_told_state *told; /* ours, by pipeline */
        bool is_loaded;
};

void ob_health_changes_fini(struct ob_health_changes *h);

/* One poll. 1: a stop cut it short. */
int ob_health_changes_poll(struct ob_health_changes *h, struct ob_err *err);

#endif
