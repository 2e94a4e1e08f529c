/*
 * A TCP connection to carbon. Facts (reference: tcp(7), measured): a peer that closed takes one more
 * write, which is lost, so its end of file is looked for before each; SIOCOUTQ at zero means "in the
 * peer's kernel" and no more, but not moving means a stall; TCP_USER_TIMEOUT would also kill a peer that
 * only pauses, so the time-out is our own.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/sink/wire.h"
#include "proto/memory.h"

#define CONNECT_MS      5000
#define STALL_MS        30000
#define SEND_BUFFER     262144 /* so that a back-log waits in our queue, not in the kernel */
#define KEEPALIVE_IDLE  60
#define KEEPALIVE_EVERY 10
#define KEEPALIVE_TRIES 3

static void free_addresses(struct addrinfo **list)
{
        if (*list)
                freeaddrinfo(*list);
}

static void set_number(int fd, int level, int option, int value)
{
        setsockopt(fd, level, option, &value, sizeof(value)); /* all of them are refinements */
}

static void set_options(int fd)
{
        set_number(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
        set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
        set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY);
        set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_TRIES);
        set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* Drops the connection with whatever of it is still on its way. */
static void abort_tcp(struct ob_wire *w)
{
        struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

        if (w->fd >= 0) {
                setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
                close(w->fd);
        }
        w->fd = -1;
        w->is_open = false;
}

/* Connects to one address; 0 or an errno. */
static int connect_to(struct ob_wire *w, const struct addrinfo *a)
{
        socklen_t length = sizeof(int);
        int code = 0;

        w->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (w->fd < 0)
                return errno;
        set_options(w->fd);
        if (!connect(w->fd, a->ai_addr, a->ai_addrlen))
                return 0;
        if (errno != EINPROGRESS)
                return errno;
        if (!ob_wire_poll(w, POLLOUT, ob_clock_ms() + CONNECT_MS))
                return ETIMEDOUT;
        getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &length);
        return code;
}

static int open_tcp(struct ob_wire *w, struct ob_err *err)
{
        ob_cleanup(free_addresses) struct addrinfo *list = NULL;
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        char port[16];
        int code;

        snprintf(port, sizeof(port), "%d", w->settings->port);
        code = getaddrinfo(w->settings->host, port, &hints, &list);
        if (code)
                return ob_fail(err, "%s: %s", w->settings->host, gai_strerror(code));
        for (const struct addrinfo *a = list; a; a = a->ai_next) {
                code = connect_to(w, a);
                if (!code) {
                        w->is_open = true;
                        w->sent = w->arrived = 0;
                        w->moved_at = ob_clock_ms();
                        return 0;
                }
                abort_tcp(w);
        }
        errno = code;
        return ob_fail(err, "connect to %s:%d: %m", w->settings->host, w->settings->port);
}

/* Notes how much the peer's kernel has. -1 when it has taken nothing for too long. */
static int watch_progress(struct ob_wire *w, struct ob_err *err)
{
        int64_t now = ob_clock_ms();
        int unsent = 0;

        if (ioctl(w->fd, SIOCOUTQ, &unsent))
                return 0;
        if (!unsent || w->sent - unsent > w->arrived)
                w->moved_at = now;
        w->arrived = w->sent - unsent;
        if (now - w->moved_at < STALL_MS)
                return 0;
        return ob_fail(err, "%s:%d has taken nothing for %d s, %d bytes are on their way", w->settings->host,
                w->settings->port, STALL_MS / 1000, unsent);
}

static int check_tcp(struct ob_wire *w, struct ob_err *err)
{
        char byte;
        ssize_t got = recv(w->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

        if (!got)
                return ob_fail(err, "%s:%d closed the connection", w->settings->host, w->settings->port);
        if (got > 0)
                return ob_fail(err, "%s:%d answers, which no carbon does: is it the plaintext port?",
                        w->settings->host, w->settings->port);
        if (errno != EAGAIN && errno != EINTR)
                return ob_fail(err, "%s:%d: %m", w->settings->host, w->settings->port);
        return watch_progress(w, err);
}

static int send_piece(struct ob_wire *w, const struct iovec *piece, struct ob_err *err)
{
        const char *at = piece->iov_base, *end = at + piece->iov_len;

        while (at < end) {
                ssize_t took = send(w->fd, at, (size_t)(end - at), MSG_NOSIGNAL);

                if (took >= 0) {
                        at += took;
                        w->sent += took;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return ob_fail(err, "%s:%d: %m", w->settings->host, w->settings->port);
                if (watch_progress(w, err))
                        return -1;
                if (!ob_wire_poll(w, POLLOUT, ob_clock_ms() + 1000) && ob_stop_deadline(w->stop) <= ob_clock_ms())
                        return ob_fail(
                                err, "stopped while %s:%d took nothing", w->settings->host, w->settings->port);
        }
        return 0;
}

static int send_tcp(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        for (*sent = 0; *sent < n; (*sent)++)
                if (check_tcp(w, err) || send_piece(w, &pieces[*sent], err))
                        return -1;
        return 0;
}

/* Says "that was all" and waits until the peer's kernel has it and, if it will, closes too. */
static int finish_tcp(struct ob_wire *w, struct ob_err *err)
{
        int64_t deadline = ob_clock_ms() + CONNECT_MS;
        int unsent = 0;
        char byte;

        shutdown(w->fd, SHUT_WR);
        if (ob_wire_poll(w, POLLIN, deadline))
                (void)!recv(w->fd, &byte, 1, MSG_DONTWAIT);
        ioctl(w->fd, SIOCOUTQ, &unsent);
        if (unsent) {
                abort_tcp(w);
                return ob_fail(
                        err, "%s:%d did not take the last %d bytes", w->settings->host, w->settings->port, unsent);
        }
        close(w->fd);
        w->fd = -1;
        w->is_open = false;
        return 0;
}

const struct ob_wire_ops ob_wire_tcp = {
        .open = open_tcp,
        .check = check_tcp,
        .send = send_tcp,
        .abort = abort_tcp,
        .finish = finish_tcp,
};
