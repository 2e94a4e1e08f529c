/*
 * The states of an Otter pipeline: the values of the gauge `state`, their words, and how bad each one is. Pure
 * functions.
 */
#ifndef OB_PROTO_PIPELINE_STATE_H
#define OB_PROTO_PIPELINE_STATE_H

#include <stdbool.h>

#include "proto/metric.h"

/* In rising order of trouble; the numbers are the values of the gauge `state`. */
enum ob_state {
        OB_STATE_OK,
        OB_STATE_IDLE,     /* its source has nothing to copy */
        OB_STATE_PAUSED,   /* its channel is (挂起) */
        OB_STATE_STOPPED,  /* its channel is (停止) */
        OB_STATE_LOCATING, /* it looks for its position (定位中) */
        OB_STATE_LAGGING,
        OB_STATE_SKEWED,  /* its dates can't be true: clocks or zones differ */
        OB_STATE_STALLED, /* there is work, and nothing arrives */
        OB_STATE_HUNG,    /* claims to work but has not moved: a silent hang, or a source without heartbeat */
        OB_STATES
};

/* "ok", "idle", … */
const char *ob_state_word(enum ob_state state);

/* The state as the status of a service check. */
enum ob_check ob_state_check(enum ob_state state);

/* Whether a person should look: lagging and worse states, and locating. */
bool ob_state_is_bad(enum ob_state state);

#endif
