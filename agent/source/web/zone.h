/* How far the dates on the pages differ from the times in the tables: see zone.c. One worker's thread. */
#ifndef OB_SOURCE_WEB_ZONE_H
#define OB_SOURCE_WEB_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source/mysql/session.h"
#include "agent/source/outbox.h"
#include "agent/source/web/pages.h"
#include "agent/source/web/zone_dates.h"
#include "config/config.h"

struct ob_zone_check {
        /* Set by the owner; borrowed. */
        const char *manager; /* its name; "" */
        struct ob_pages *pages;
        struct ob_session *session;
        int64_t repeat; /* seconds: see ob_steps_repeat() */
        struct ob_outbox outbox;

        const struct ob_page *page;
        int id, last_sync;          /* columns of the page */
        struct ob_zone_dates dates; /* on the pages of this cycle */
        int64_t sent; /* when a difference was sent last: seconds since 1970; 0: not by the last measurement */

        /* After a poll: */
        bool is_logged;  /* the failure was logged, perhaps for several sources at once */
        bool is_partial; /* some pages could not be read, which was logged */
};

void ob_zone_check_init(struct ob_zone_check *z);
void ob_zone_check_fini(struct ob_zone_check *z);

/* Reads the pages and compares them with the tables: `*skew` is in seconds. 1: no pipeline can be compared. */
int ob_zone_check_measure(struct ob_zone_check *z, int64_t *skew, struct ob_err *err);

/* One poll, which measures once in each step of ob_steps_repeat(). 1: a stop cut it short. */
int ob_zone_check_poll(struct ob_zone_check *z, struct ob_err *err);

#endif
