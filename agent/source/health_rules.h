/*
 * The state of a pipeline, evaluated from facts. Pure functions over one table of rules. Source of the facts and of
 * the signs of a stuck pipeline: alibaba/otter (StatsRemoteServiceImpl, SelectTask, PipelineList; issues 911, 816,
 * 876).
 */
#ifndef OB_SOURCE_HEALTH_RULES_H
#define OB_SOURCE_HEALTH_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "proto/pipeline_state.h"

/* Ages are in seconds, negative when the date is in the future. */
enum ob_fact {
        OB_FACT_DELAY,          /* milliseconds, of the newest row of DELAY_STAT */
        OB_FACT_DELAY_AGE,      /* of the newest row of DELAY_STAT */
        OB_FACT_THROUGHPUT_AGE, /* of the newest row of THROUGHPUT_STAT */
        OB_FACT_ALARM_AGE,      /* of the newest row of LOG_RECORD that reports a timeout */
        OB_FACT_SYNC_AGE,       /* of the date of the last synchronisation on the pipeline's page */
        OB_FACT_POSITION_AGE,   /* of the date of the position on the pipeline's page */
        OB_FACT_MAINSTEM,       /* values as in mainstem_state */
        OB_FACT_CHANNEL,        /* values as in channel_state */
        OB_FACT_IN_FLIGHT,      /* processes */
        OB_FACT_BINLOG_LAG,     /* milliseconds */

        /* Derived from the facts above. */
        OB_FACT_MOVED_AGE, /* since rows arrived at the target, by table or page */
        OB_FACT_ALIVE_AGE, /* since rows or the position moved, or the delay was reported */
        OB_FACTS
};

struct ob_facts {
        bool has[OB_FACTS];
        int64_t value[OB_FACTS];
};

/* Adds the derived facts. */
void ob_facts_conclude(struct ob_facts *f);

#define OB_WHY_MAX 200

/*
 * The state, and the reason in words. `was` is the state until now: its thresholds are lower by a fifth, so that a
 * value near a threshold does not flap. OB_STATES: too few facts are known.
 */
enum ob_state ob_health_rules_evaluate(
        const struct ob_facts *f, const struct ob_health_settings *t, enum ob_state was, char why[OB_WHY_MAX]);

#endif
