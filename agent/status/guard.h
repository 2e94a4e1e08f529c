/*
 * Limits what one peer of the status page may cost the others. A connection whose request does not end in time is
 * shut down, each peer has a share of the connections, and the answer to a wrong password is delayed. So a scrape
 * or a probe gets in, even while another peer holds connections or guesses passwords. A peer is an address; with
 * IPv6 it is the network of the address (/64). All who come by a unix socket are one peer. The thread of the web
 * server owns the guard.
 */
#ifndef OB_STATUS_GUARD_H
#define OB_STATUS_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/* How many connections the web server must hold: those that are let in, and those that are just being ended. */
#define OB_GUARD_CONNECTIONS 96

struct ob_guard;

struct ob_guard *ob_guard_new(void);
void ob_guard_free(struct ob_guard *g);

/* Callbacks for MHD_OPTION_NOTIFY_CONNECTION and MHD_OPTION_NOTIFY_COMPLETED; `g` is the guard. */
void ob_guard_connection(
        void *g, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code);
void ob_guard_completed(
        void *g, struct MHD_Connection *c, void **request_context, enum MHD_RequestTerminationCode code);

/*
 * A request came with a wrong password: logs the first, the tenth, the hundredth … of a peer, and suspends the
 * connection. When the delay is over the web server handles the request again, and ob_guard_is_wrong() is true.
 */
void ob_guard_wrong(struct ob_guard *g, struct MHD_Connection *c);
bool ob_guard_is_wrong(struct MHD_Connection *c);

/* Ends connections that are over their time, and resumes those that have waited. Returns when to look again, on
 * ob_clock_ms(); INT64_MAX: never. */
int64_t ob_guard_look(struct ob_guard *g);

/* Resumes all connections that wait. To be called before the web server is stopped. */
void ob_guard_resume(struct ob_guard *g);

#endif
