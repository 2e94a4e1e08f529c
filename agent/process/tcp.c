#include "agent/process/tcp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define SLICE_MS 250 /* how soon a wanted stop is noticed */

void ob_addresses_free(struct addrinfo **list)
{
        if (*list)
                freeaddrinfo(*list);
}

int ob_socket_poll(int fd, short events, int64_t deadline, struct ob_stop *stop)
{
        struct pollfd p = { .fd = fd, .events = events };

        for (;;) {
                int64_t stopping = stop ? ob_stop_deadline(stop) : INT64_MAX;
                int64_t left = (stopping < deadline ? stopping : deadline) - ob_clock_ms();

                if (left <= 0)
                        return 0;
                if (poll(&p, 1, left < SLICE_MS ? (int)left : SLICE_MS) > 0)
                        return 1;
        }
}

/* A socket that is connected to one address, or -1 and the port's error. */
static int connect_to(struct ob_tcp_port *port, const struct addrinfo *a)
{
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        socklen_t length = sizeof(port->error);

        port->error = 0;
        if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen))
                port->error = errno;
        if (fd >= 0 && port->error == EINPROGRESS) {
                if (!ob_socket_poll(fd, POLLOUT, ob_clock_ms() + port->timeout_ms, port->stop))
                        port->error = ETIMEDOUT;
                else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &port->error, &length))
                        port->error = errno;
        }
        if (fd >= 0 && port->error) {
                close(fd);
                fd = -1;
        }
        return fd;
}

int ob_tcp_connect(struct ob_tcp_port *port, struct ob_err *err)
{
        ob_cleanup(ob_addresses_free) struct addrinfo *list = NULL;
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        char service[16];
        int fd = -1;

        port->error = 0;
        port->address[0] = '\0';
        snprintf(service, sizeof(service), "%d", port->port);
        port->resolver_error = getaddrinfo(port->host, service, &hints, &list);
        if (port->resolver_error)
                return ob_fail(err, "%s: %s", port->host, gai_strerror(port->resolver_error));
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
                getnameinfo(
                        a->ai_addr, a->ai_addrlen, port->address, sizeof(port->address), NULL, 0, NI_NUMERICHOST);
                fd = connect_to(port, a);
        }
        if (fd >= 0)
                return fd;
        errno = port->error;
        return ob_fail(err, "connect to %s:%d: %m", port->host, port->port);
}
