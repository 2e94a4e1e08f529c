/*
 * What state a pipeline is in, by what is known of it. Pure functions over one table of rules. Facts: which tables
 * and pages say what, and what a stuck pipeline leaves behind, in alibaba/otter (StatsRemoteServiceImpl,
 * SelectTask, PipelineList, and its users' issues 911, 816, 876).
 */
#ifndef OB_SOURCE_HEALTH_RULES_H
#define OB_SOURCE_HEALTH_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
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
        OB_STATE_HUNG,    /* says that it works, and has not moved: a silent hang, or a source without heartbeat */
        OB_STATES
};

/* Ages are seconds, negative when the date is in the future. */
enum ob_fact {
        OB_FACT_DELAY,          /* milliseconds, of the newest row of DELAY_STAT */
        OB_FACT_DELAY_AGE,      /* of that row */
        OB_FACT_THROUGHPUT_AGE, /* of the newest row of THROUGHPUT_STAT */
        OB_FACT_ALARM_AGE,      /* of the newest row of LOG_RECORD that says that something takes too long */
        OB_FACT_SYNC_AGE,       /* of the date on its page */
        OB_FACT_POSITION_AGE,   /* … */
        OB_FACT_MAINSTEM,       /* as in mainstem_state */
        OB_FACT_CHANNEL,        /* as in channel_state */
        OB_FACT_IN_FLIGHT,      /* processes */
        OB_FACT_BINLOG_LAG,     /* milliseconds */

        /* What follows from those. */
        OB_FACT_MOVED_AGE, /* since rows arrived at the target, as table or page say */
        OB_FACT_ALIVE_AGE, /* since anything moved: rows, the position, a report of the delay */
        OB_FACTS
};

struct ob_facts {
        bool has[OB_FACTS];
        int64_t value[OB_FACTS];
};

/* Adds what follows. */
void ob_facts_conclude(struct ob_facts *f);

#define OB_WHY_MAX 200

/*
 * The state, and why in words. `was`: the one that stood until now; its thresholds are lower by a fifth, so that a
 * value that plays around one does not flap. OB_STATES: too little is known to say.
 */
enum ob_state ob_health_rules_evaluate(
        const struct ob_facts *f, const struct ob_state_settings *t, enum ob_state was, char why[OB_WHY_MAX]);

/* "ok", "idle", … */
const char *ob_state_word(enum ob_state state);

/* The state as the status of a service check. */
enum ob_check ob_state_check(enum ob_state state);

/* Whether somebody should look: lagging and beyond, and locating. */
bool ob_state_is_bad(enum ob_state state);

#endif
