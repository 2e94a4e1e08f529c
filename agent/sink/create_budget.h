/*
 * How long carbon takes to make the files of new series. It makes only so many a minute
 * (MAX_CREATES_PER_MINUTE, by default 50) and throws away the points of the others, without a word to us. So until
 * it has had the time, nothing is passed, and all is sent again now and then. A value; one thread's.
 * Fact: carbon's writer.py drops what its create bucket has no token for.
 */
#ifndef OB_SINK_CREATE_BUDGET_H
#define OB_SINK_CREATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct ob_create_budget {
        int per_minute;    /* 0: there is no limit */
        int64_t until;     /* on ob_clock_ms(): by then all have been made */
        int64_t resend_at; /* when to send again */
};

void ob_create_budget_init(struct ob_create_budget *c, int per_minute);

/* So many new series were sent. */
void ob_create_budget_add(struct ob_create_budget *c, unsigned series);

/* Whether some may not be made yet. */
bool ob_create_budget_is_busy(const struct ob_create_budget *c);

/* Whether it is time to send all again; now and then, and once behind the end. */
bool ob_create_budget_is_due(struct ob_create_budget *c);

/* What a clean stop hands to the next start: seconds since 1970; 0: nothing. */
int64_t ob_create_budget_save(const struct ob_create_budget *c);
void ob_create_budget_restore(struct ob_create_budget *c, int64_t saved);

#endif
