/*
 * Connects to a TCP port, for sinks and --check. The addresses of a name are tried one after the other. Every wait
 * has a deadline, and ends at the deadline of a wanted stop; only the resolver has time-outs of its own. One thread
 * owns a port.
 */
#ifndef OB_PROCESS_TCP_H
#define OB_PROCESS_TCP_H

#include <netdb.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "proto/error.h"

struct ob_tcp_port {
        const char *host; /* borrowed: a name, or an address */
        int port;
        int64_t timeout_ms;   /* for each address */
        struct ob_stop *stop; /* borrowed; NULL: nothing ends a wait early */

        /* Results of the last try to connect: */
        int error;                /* errno for the last address that was tried; 0: none */
        int resolver_error;       /* of getaddrinfo; 0: the name has addresses */
        char address[NI_MAXHOST]; /* the last address that was tried, in numbers; "" */
};

/* Returns a connected, non-blocking socket, which the caller closes; on failure -1 and `err`. */
int ob_tcp_connect(struct ob_tcp_port *port, struct ob_err *err);

/*
 * Waits for `events` on a socket until `deadline` on ob_clock_ms(), or until the deadline of a wanted stop (`stop`
 * may be NULL). 1: an event or an error of the socket is there; 0: the deadline has come.
 */
int ob_socket_poll(int fd, short events, int64_t deadline, struct ob_stop *stop);

/* For ob_cleanup. */
void ob_addresses_free(struct addrinfo **list);

#endif
