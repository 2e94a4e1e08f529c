/*
 * How long carbon needs to create the files of new series. Carbon creates a limited number a minute
 * (MAX_CREATES_PER_MINUTE, by default 50) and silently drops the points of the others. So while the budget is busy,
 * the sink acknowledges nothing and resends all points now and then. A plain value; one thread owns it. Fact:
 * carbon's writer.py drops a metric for which its create bucket has no token.
 */
#ifndef OB_SINK_CREATE_BUDGET_H
#define OB_SINK_CREATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct ob_create_budget {
        int per_minute;    /* 0: there is no limit */
        int64_t until;     /* on ob_clock_ms(): carbon has created all files by then */
        int64_t resend_at; /* when the next resend is due; INT64_MAX: never */
};

void ob_create_budget_init(struct ob_create_budget *c, int per_minute);

/* Adds the number of new series that were just sent. */
void ob_create_budget_add(struct ob_create_budget *c, unsigned series);

/* Whether carbon may still have files to create. */
bool ob_create_budget_is_busy(const struct ob_create_budget *c);

/* Whether a resend is due; if so, schedules the next one. The last resend is due after `until`. */
bool ob_create_budget_is_due(struct ob_create_budget *c);

/* A clean stop saves this for the next start: seconds since 1970; 0: the budget is not busy. */
int64_t ob_create_budget_save(const struct ob_create_budget *c);
void ob_create_budget_restore(struct ob_create_budget *c, int64_t saved);

#endif
