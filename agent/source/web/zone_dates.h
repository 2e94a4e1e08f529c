/* The newest dates on a cycle's pages, one for each pipeline, to find the pages' zone. A value; one thread's. */
#ifndef OB_SOURCE_WEB_ZONE_DATES_H
#define OB_SOURCE_WEB_ZONE_DATES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/source/web/cell.h"

#define OB_ZONE_DATES_MAX 5 /* pipelines that are looked up in the tables */

struct ob_zone_date {
        char pipeline[OB_CELL_MAX];
        int64_t local; /* seconds since 1970, as if the page's date were in UTC */
        int64_t now;   /* seconds since 1970, when the page was sent */
};

/* The newest first. All zero: empty, as a cycle begins. */
struct ob_zone_dates {
        struct ob_zone_date all[OB_ZONE_DATES_MAX];
        size_t n;
};

/*
 * Adds a date. When there are too many, the oldest date is removed: its row is the most likely to be gone from the
 * table.
 */
void ob_zone_dates_add(struct ob_zone_dates *dates, const struct ob_zone_date *date);

#endif
