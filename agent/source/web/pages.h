/*
 * A manager's pages, in cycles: all sources share the pages that were fetched in a cycle. One worker's thread.
 *
 * A page that can't be read is counted in each cycle, and logged once when it fails and once when it recovers; the
 * other pages are read.
 */
#ifndef OB_SOURCE_WEB_PAGES_H
#define OB_SOURCE_WEB_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/process/counters.h"
#include "agent/process/stop.h"
#include "agent/source/web/cell.h"
#include "agent/source/web/parse.h"
#include "config/config.h"
#include "proto/hash.h"

struct ob_pages;

/* The inputs of cycles. Borrowed. */
struct ob_pages_setting {
        const struct ob_config *config;
        const struct ob_manager *manager;
        const char *name;                    /* of the worker, in the log */
        struct ob_source_counters *counters; /* NULL: nothing is counted or logged */
        struct ob_stop *stop;                /* NULL: only deadlines end a wait */
        bool is_patient;                     /* a cycle has no time limit */

        /* Called when a page begins to fail, in place of a line in the log. NULL: the failure is logged. */
        void (*tell)(void *ctx, const char *page, const char *why);
        void *ctx;
};

struct ob_pages *ob_pages_new(const struct ob_pages_setting *setting);
void ob_pages_free(struct ob_pages *p);

/*
 * Begins a cycle. The worker calls this when it begins to poll its sources. A page that is the same as in the last
 * cycle, byte for byte, gets its rows of that cycle.
 */
void ob_pages_begin(struct ob_pages *p);

/* The longest time of one source's crawl, in milliseconds. */
int64_t ob_pages_longest(const struct ob_pages *p);

/* One table of a fetched page. */
struct ob_fetched_page {
        UT_hash_handle hh;
        char *key;                /* ours: the page's name and the value of {} */
        char *address;            /* ours: below the manager's url */
        struct ob_page_rows rows; /* ours */
        char *why;                /* ours: why there are no rows; NULL: there are rows */
        int64_t now;              /* the manager's clock, seconds since 1970 */
        uint64_t body;            /* the fingerprint of the page's bytes; valid when there are rows */
};

/* The page of this cycle; `asked` replaces the {} in its address. NULL: the manager is silent and is not asked. */
struct ob_fetched_page *ob_pages_get(struct ob_pages *p, const struct ob_page *page, const char *asked);

/*
 * _start returns the page at which all crawls of a kind begin in this cycle, so that they share pages: where the
 * last cycle ended; NULL: the first page. _leave notes where this crawl ended; NULL: at the end of the list.
 */
const char *ob_pages_start(struct ob_pages *p, const struct ob_page *page);
void ob_pages_leave(struct ob_pages *p, const struct ob_page *page, const char *next);

/* Log that a page failed, and that it recovered. The address is below the manager's url. */
void ob_pages_tell_bad(
        struct ob_pages *p, const char *key, const char *event, const char *address, const char *why);
void ob_pages_tell_good(struct ob_pages *p, const char *key);

const struct ob_pages_setting *ob_pages_setting(const struct ob_pages *p);

/* The context of cells on a page that was sent at `now`. */
struct ob_cell_world ob_pages_world(const struct ob_pages *p, int64_t now);

/* The zone of the setting, without skew; for "auto" the zone of Otter's origin, Asia/Shanghai. */
const struct ob_zone *ob_pages_zone(const struct ob_pages *p);
bool ob_pages_is_auto(const struct ob_pages *p);

/* Sets the seconds by which dates differ from ob_pages_zone(). With "auto" dates are corrected from here on. */
void ob_pages_set_skew(struct ob_pages *p, int64_t seconds);

#endif
