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
#include "proto/pipeline_state.h"

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
        const struct ob_facts *f, const struct ob_health_settings *t, enum ob_state was, char why[OB_WHY_MAX]);

#endif
