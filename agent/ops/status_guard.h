/*
 * What one who asks the status page may cost the others: a connection that does not come to the end of a request in
 * time is ended, each peer has a share of the connections, and the answer to a wrong password waits. So a scrape or
 * a probe gets in, whoever holds connections or guesses. A peer is an address, of IPv6 its network (/64); all who
 * come by a unix socket are one peer. One thread's, which also runs the web server.
 */
#ifndef OB_OPS_STATUS_GUARD_H
#define OB_OPS_STATUS_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/* What the web server must be able to hold: as many as are let in, and those that are just being ended. */
#define OB_GUARD_CONNECTIONS 96

struct ob_guard;

struct ob_guard *ob_guard_new(void);
void ob_guard_free(struct ob_guard *g);

/* For MHD_OPTION_NOTIFY_CONNECTION and MHD_OPTION_NOTIFY_COMPLETED; `g` is the guard. */
void ob_guard_connection(
        void *g, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code);
void ob_guard_completed(
        void *g, struct MHD_Connection *c, void **request_context, enum MHD_RequestTerminationCode code);

/*
 * A request came with a wrong password: logs that now and then, and suspends the connection; the request comes
 * again when it is time to refuse it, and ob_guard_is_wrong() is true then.
 */
void ob_guard_wrong(struct ob_guard *g, struct MHD_Connection *c);
bool ob_guard_is_wrong(struct MHD_Connection *c);

/* Ends what is over its time and resumes what has waited. When to look again, on ob_clock_ms(); INT64_MAX: never.
 */
int64_t ob_guard_look(struct ob_guard *g);

/* Resumes all that waits: before the web server is stopped. */
void ob_guard_resume(struct ob_guard *g);

#endif
