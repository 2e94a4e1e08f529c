/*
 * Getting the manager's pages: one connection that is kept, one request at a time, every wait with an end. Only
 * GET, but for the login; no redirect is followed, since what changes something in Otter is a plain GET, too.
 * One thread's.
 */
#ifndef OB_SOURCE_WEB_FETCH_H
#define OB_SOURCE_WEB_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/bytes.h"
#include "proto/error.h"

struct ob_fetch;

/* Before there are threads: what the libraries below want to be called once. */
void ob_fetch_begin(void);
void ob_fetch_end(void);

/* Connects to nothing yet. `stop` cuts every wait short; NULL: nothing does. */
struct ob_fetch *ob_fetch_new(const struct ob_page_settings *settings, struct ob_stop *stop);
void ob_fetch_free(struct ob_fetch *f);

/* What became of a request. */
enum ob_fetched {
        OB_FETCHED,
        OB_FETCH_REFUSED,  /* there is an answer, but not the page */
        OB_FETCH_SILENT,   /* there is none in time */
        OB_FETCH_UNREACHED /* nobody could be asked: no connection, no trust in who is there, no login */
};

/*
 * The page at an address below the manager's url, in place of what `body` held, and the manager's clock as it
 * was sent (ours where it does not tell). Logs in first where there is a user, and again when that has ended.
 */
enum ob_fetched ob_fetch_get(
        struct ob_fetch *f, const char *address, struct ob_bytes *body, int64_t *now, struct ob_err *err);

#endif
