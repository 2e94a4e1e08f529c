/* Of a round's pages the newest dates, one a pipeline: by them the pages' zone is found. A value; one thread's. */
#ifndef OB_SOURCE_WEB_ZONE_DATES_H
#define OB_SOURCE_WEB_ZONE_DATES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/source/web/cell.h"

#define OB_ZONE_DATES_MAX 5 /* pipelines that are asked for in the tables, until one tells */

struct ob_zone_date {
        char pipeline[OB_CELL_MAX];
        int64_t local; /* seconds since 1970, as if the page's date were said in Greenwich */
        int64_t now;   /* seconds since 1970, when the page was sent */
};

/* The newest first. All zero: there is none yet, as a round begins. */
struct ob_zone_dates {
        struct ob_zone_date all[OB_ZONE_DATES_MAX];
        size_t n;
};

/* Of an old row it is more likely that it is gone from the table: where there are too many the oldest date goes. */
void ob_zone_dates_add(struct ob_zone_dates *dates, const struct ob_zone_date *date);

#endif
