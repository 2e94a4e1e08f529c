/*
 * The manager's web site: what all requests share, and what one request is.
 */
#ifndef FO_SITE_H
#define FO_SITE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/otter/db.h"
#include "tests/otter/options.h"
#include "tests/otter/sessions.h"
#include "tests/otter/state.h"
#include "tests/otter/stop.h"
#include "tests/otter/text.h"

/* Const but for the sessions and the stop, which have locks of their own. */
struct fo_site {
        const struct fo_options *options;
        struct fo_where where;
        char address[64]; /* "http://127.0.0.1:8080", without a slash */
        struct fo_sessions sessions;
        struct fo_stop stop;
};

/* One request, on a thread of its own. */
struct fo_visit {
        struct fo_site *site;
        struct MHD_Connection *connection;
        const char *method;
        char *uri; /* ours: as the client has written it, with the query */
        bool begun;
        struct fo_text form; /* what was posted */
        struct fo_state state;
        struct fo_db db;
        char viewer[64]; /* empty: nobody has logged in */
        int64_t begin;   /* by fo_clock_now() */
};

struct fo_answer {
        unsigned status;
        bool plain;                    /* not HTML */
        char session[FO_SESSION_SIZE]; /* to be kept by the client; empty: none */
        struct fo_text location;       /* of a redirect */
        struct fo_text body;
};

void fo_answer_fini(struct fo_answer *answer);

/* A value of the query, NULL when it is not there. */
const char *fo_visit_query(const struct fo_visit *visit, const char *name);

/* The same as a number, or `otherwise`. */
int64_t fo_visit_number(const struct fo_visit *visit, const char *name, int64_t otherwise);

/* An answer that sends the client to `page`, which brings it back to where it was. */
void fo_visit_send_to(const struct fo_visit *visit, struct fo_answer *answer, const char *page);

#endif
