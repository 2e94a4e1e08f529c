/*
 * A manager's pages, in rounds: what was fetched in a round is there for all sources that are read off it. One
 * worker's thread.
 *
 * A page that can't be read is counted with each round, and told of once when it goes wrong and once when it is
 * right again; the others go on.
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

/* What a round is made of. Borrowed. */
struct ob_pages_setting {
        const struct ob_config *config;
        const struct ob_manager *manager;
        const char *name;                    /* of the worker, in the log */
        struct ob_source_counters *counters; /* NULL: nothing is counted, nor told */
        struct ob_stop *stop;                /* NULL: nothing stops it */
        bool is_patient;                     /* a round lasts as long as it takes */
};

struct ob_pages *ob_pages_new(const struct ob_pages_setting *setting);
void ob_pages_free(struct ob_pages *p);

/*
 * Begins a round, whatever time the sources take that are read in it: their worker knows when it begins with them.
 * What was fetched in the last round is forgotten.
 */
void ob_pages_begin(struct ob_pages *p);

/* The longest that one source may be busy with its pages, in milliseconds. */
int64_t ob_pages_longest(const struct ob_pages *p);

/* One table of a fetched page. */
struct ob_fetched_page {
        UT_hash_handle hh;
        char *key;                /* ours: the page's name and what was asked for */
        char *address;            /* ours: below the manager's url */
        struct ob_page_rows rows; /* ours */
        char *why;                /* ours: why there are none; NULL: there are */
        int64_t now;              /* the manager's clock */
};

/* As it is in this round; `asked` stands for the {} of its address. NULL: the manager is silent, and left alone. */
struct ob_fetched_page *ob_pages_get(struct ob_pages *p, const struct ob_page *page, const char *asked);

/*
 * What all who go through the pages of a kind begin with in this round, so that what one has fetched is there for
 * the next: where the last round ended. NULL: the first. And where this one ended; NULL: it went through.
 */
const char *ob_pages_start(struct ob_pages *p, const struct ob_page *page);
void ob_pages_leave(struct ob_pages *p, const struct ob_page *page, const char *next);

/* What went wrong with a page, and that it is right again. Its address is that below the manager's url. */
void ob_pages_tell_bad(
        struct ob_pages *p, const char *key, const char *event, const char *address, const char *why);
void ob_pages_tell_good(struct ob_pages *p, const char *key);

const struct ob_pages_setting *ob_pages_setting(const struct ob_pages *p);

/* What cells mean on a page that was sent at `now`. */
struct ob_cell_world ob_pages_world(const struct ob_pages *p, int64_t now);

/* The zone as the setting has it, before any skew; of "auto", the one that Otter comes from. */
const struct ob_zone *ob_pages_zone(const struct ob_pages *p);
bool ob_pages_is_auto(const struct ob_pages *p);

/* By how much dates are off in that zone. With "auto" they are read so from here on. */
void ob_pages_set_skew(struct ob_pages *p, int64_t seconds);

#endif
