/* Prints what `otterbeat verify` found on standard output: a line for each series and a summary. */
#ifndef OB_VERIFY_REPORT_H
#define OB_VERIFY_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/sink/sink.h"
#include "agent/verify/compare.h"
#include "config/config.h"

/* All borrowed. */
struct ob_verify_report {
        const struct ob_config *config; /* the whole config, to name the sources that can't be compared */
        const struct ob_compare *compare;
        const struct ob_collect *collect;
        bool is_json; /* one object a line */
};

/* Returns whether all that was compared is equal, and no row was left out. */
bool ob_verify_report(const struct ob_verify_report *r);

#endif
