/*
 * Fetches the manager's pages over one connection that is kept, one request at a time; every wait has a deadline.
 * All requests but the login are GETs. No redirect is followed, since in Otter a plain GET may change something.
 * One thread owns a fetch.
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

/* Initialise and clean up libcurl and libxml2. Begin must come before the first thread starts. */
void ob_fetch_begin(void);
void ob_fetch_end(void);

/* Does not connect yet. A wanted `stop` ends every wait; NULL: only deadlines do. */
struct ob_fetch *ob_fetch_new(const struct ob_page_settings *settings, struct ob_stop *stop);
void ob_fetch_free(struct ob_fetch *f);

/* The outcome of a request. */
enum ob_fetched {
        OB_FETCHED,
        OB_FETCH_REFUSED,  /* an answer came, but not the page */
        OB_FETCH_SILENT,   /* no answer came in time */
        OB_FETCH_UNREACHED /* no request could be sent: no connection, no trusted certificate, no login */
};

/*
 * Fetches the page at an address below the manager's url. The page replaces what `body` held; `now` is the
 * manager's clock at its answer, or our clock when the answer has no date. Logs in first when there is a user, and
 * once more when the session has ended.
 */
enum ob_fetched ob_fetch_get(
        struct ob_fetch *f, const char *address, struct ob_bytes *body, int64_t *now, struct ob_err *err);

#endif
