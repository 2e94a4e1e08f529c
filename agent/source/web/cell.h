/* From the text in a page's cell to the value that a source reads. Pure functions over untrusted texts. */
#ifndef OB_SOURCE_WEB_CELL_H
#define OB_SOURCE_WEB_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/page.h"
#include "config/zone.h"

#define OB_CELL_MAX 48 /* bytes of a number as text */

/* The context in which a cell was read. */
struct ob_cell_world {
        const struct ob_page_settings *settings; /* the words on the page; NULL: Otter's own */
        const struct ob_zone *zone;              /* NULL: dates can't be read, and are missing */
        int64_t skew;                            /* seconds that the zone is wrong by */
        int64_t now;                             /* seconds since 1970, by the manager's clock */
};

/* The manager's word for one of Otter's words. */
const char *ob_cell_word(const struct ob_page_settings *settings, const char *ours);

/*
 * The value of a cell for a source: `raw`, or a number in `room`. NULL for no value: an empty cell, or
 * "$pipeline.name", which Velocity prints for a null. "?" for any other text.
 */
const char *ob_cell_read(const struct ob_page_column *column, const struct ob_cell_world *world, const char *raw,
        char room[OB_CELL_MAX]);

/* "2020-04-20 10:50:57" in seconds since 1970, as if the date were in UTC. */
bool ob_cell_date(const char *text, int64_t *local);

#endif
