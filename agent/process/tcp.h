/*
 * One way to a TCP port, for all who need one: a sink, --check. The addresses of a name are tried in turn. Every
 * wait has a deadline, and ends when a stop's deadline has come; but the resolver has time-outs of its own.
 * One thread's.
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
        struct ob_stop *stop; /* borrowed; NULL: nothing cuts the waiting short */

        /* Of the last try to connect: */
        int error;                /* errno of the last address that was tried; 0 */
        int resolver_error;       /* of getaddrinfo; 0: the name has addresses */
        char address[NI_MAXHOST]; /* the last one that was tried, in numbers; "" */
};

/* A connected socket that does not block, the caller's to close; -1 and `err`. */
int ob_tcp_connect(struct ob_tcp_port *port, struct ob_err *err);

/*
 * Waits for `events` on a socket until `deadline` on ob_clock_ms(), or the deadline of a wanted stop (NULL: there
 * is none). 1: the events are there, or an error of the socket; 0: the deadline has come.
 */
int ob_socket_poll(int fd, short events, int64_t deadline, struct ob_stop *stop);

/* For ob_cleanup. */
void ob_addresses_free(struct addrinfo **list);

#endif
