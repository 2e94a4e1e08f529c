/*
 * Facts (tcp(7), measured): after the peer closed its end, one more write succeeds and is lost, so the sink looks
 * for the end of file before each write. SIOCOUTQ == 0 only means that the peer's kernel has all bytes; a SIOCOUTQ
 * that does not fall means a stall. TCP_USER_TIMEOUT would also end a connection to a peer that only pauses, so the
 * sink has a time-out of its own.
 */
#include "agent/sink/tcp_stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/tcp.h"

#define CONNECT_MS      5000
#define STALL_MS        30000
#define SEND_BUFFER     262144 /* bytes; small, so that a backlog waits in our queue and not in the kernel */
#define KEEPALIVE_IDLE  60
#define KEEPALIVE_EVERY 10
#define KEEPALIVE_TRIES 3

void ob_tcp_stream_init(struct ob_tcp_stream *t, const char *host, int port, struct ob_stop *stop)
{
        *t = (struct ob_tcp_stream) { .host = host, .port = port, .stop = stop, .fd = -1 };
}

static void set_number(int fd, int level, int option, int value)
{
        setsockopt(fd, level, option, &value, sizeof(value)); /* a failure is harmless */
}

/*
 * Bytes in the kernel must not arrive after the permission has ended, even when the machine is cut off and this
 * process is frozen.
 */
static void limit_kernel(const struct ob_tcp_stream *t)
{
        if (t->permit)
                set_number(t->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)t->permit->lasts);
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

void ob_tcp_stream_abort(struct ob_tcp_stream *t)
{
        struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

        if (t->fd >= 0) {
                setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
                close(t->fd);
        }
        t->fd = -1;
}

static int open_stream(struct ob_tcp_stream *t, struct ob_err *err)
{
        struct ob_tcp_port port = { .host = t->host, .port = t->port, .timeout_ms = CONNECT_MS, .stop = t->stop };

        t->fd = ob_tcp_connect(&port, err);
        if (t->fd < 0)
                return -1;
        set_options(t->fd);
        limit_kernel(t);
        t->sent = t->arrived = 0;
        t->moved_at = ob_clock_ms();
        return 0;
}

/* Notes how many bytes the peer's kernel has. -1 when the peer took nothing for STALL_MS. */
static int watch_progress(struct ob_tcp_stream *t, struct ob_err *err)
{
        int64_t now = ob_clock_ms();
        int unsent = 0;

        if (ioctl(t->fd, SIOCOUTQ, &unsent))
                return 0;
        if (!unsent || t->sent - unsent > t->arrived)
                t->moved_at = now;
        t->arrived = t->sent - unsent;
        if (now - t->moved_at < STALL_MS)
                return 0;
        return ob_fail(err, "%s:%d has taken nothing for %d s, %d bytes are on their way", t->host, t->port,
                STALL_MS / 1000, unsent);
}

static int check_stream(struct ob_tcp_stream *t, struct ob_err *err)
{
        char byte;
        ssize_t got = recv(t->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

        if (!got)
                return ob_fail(err, "%s:%d closed the connection", t->host, t->port);
        if (got > 0)
                return ob_fail(
                        err, "%s:%d answers, which no carbon does: is it the plaintext port?", t->host, t->port);
        if (errno != EAGAIN && errno != EINTR)
                return ob_fail(err, "%s:%d: %m", t->host, t->port);
        return watch_progress(t, err);
}

int ob_tcp_stream_connect(struct ob_tcp_stream *t, struct ob_err *err)
{
        return t->fd < 0 ? open_stream(t, err) : check_stream(t, err);
}

int ob_tcp_stream_send(struct ob_tcp_stream *t, const char *lines, size_t length, struct ob_err *err)
{
        const char *at = lines, *end = lines + length;

        if (check_stream(t, err))
                return -1;
        while (at < end) {
                ssize_t took;

                if (ob_permit_check(t->permit, err))
                        return -1;
                took = send(t->fd, at, (size_t)(end - at), MSG_NOSIGNAL);
                if (took >= 0) {
                        at += took;
                        t->sent += took;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return ob_fail(err, "%s:%d: %m", t->host, t->port);
                if (watch_progress(t, err))
                        return -1;
                if (!ob_socket_poll(t->fd, POLLOUT, ob_clock_ms() + 1000, t->stop) &&
                        ob_stop_deadline(t->stop) <= ob_clock_ms())
                        return ob_fail(err, "stopped while %s:%d took nothing", t->host, t->port);
        }
        return 0;
}

/* Closes our end, and waits until the peer's kernel has all bytes and, if time allows, the peer closes its end. */
int ob_tcp_stream_finish(struct ob_tcp_stream *t, struct ob_err *err)
{
        int unsent = 0;
        char byte;

        if (t->fd < 0)
                return 0;
        shutdown(t->fd, SHUT_WR);
        if (ob_socket_poll(t->fd, POLLIN, ob_clock_ms() + CONNECT_MS, t->stop))
                (void)!recv(t->fd, &byte, 1, MSG_DONTWAIT);
        ioctl(t->fd, SIOCOUTQ, &unsent);
        if (unsent) {
                ob_tcp_stream_abort(t);
                return ob_fail(err, "%s:%d did not take the last %d bytes", t->host, t->port, unsent);
        }
        close(t->fd);
        t->fd = -1;
        return 0;
}
