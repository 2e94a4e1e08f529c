/*
 * Facts (measured): on a connected UDP socket a later call reports a closed port as ECONNREFUSED, and that call
 * does not send its datagram. When that happens inside a sendmmsg(), the call takes fewer datagrams and the error
 * is gone. So after such a call no listener is proved any more. Until a listener is proved, a burst is one
 * datagram, so that every lost datagram is noticed.
 *
 * The default buffer of a receiver holds about ninety full datagrams, which are three bursts. Bursts are spaced so
 * that the receiver may pause for 70 ms. After each burst the sink waits; an error in that time belongs to the
 * burst. A wait costs as much CPU time as about twenty datagrams, so bursts are as large as the buffer allows.
 *
 * UDP_SEGMENT would cost about half as much as sendmmsg(), but all datagrams of a call need one size. Only empty
 * lines could fill them up, and Vector and gostatsd count each empty line as an error.
 *
 * Facts of frames (datadog-go's statsd/uds.go, the Agent's uds_common.go, unix(7)): the length of a payload stands
 * before it in four bytes, the lowest first. The Agent closes the connection on a frame that is too long, and after
 * half a frame only a new connection helps. SIOCOUTQ counts the bytes that the peer has not read, so a payload that
 * counts as sent has been read.
 */
#include "agent/sink/datagram_socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/tcp.h"

#define BURST       30  /* datagrams */
#define PACE_US     900 /* microseconds for each datagram of a burst */
#define LATE_MS     10  /* the least time in which an ICMP error may come */
#define SUSPECT_MS  50  /* if no ICMP error comes in this time, somebody listens */
#define FULL_MS     30000
#define RESOLVE_MS  60000
#define SEND_BUFFER 1048576 /* bytes */
#define FRAMES      16      /* sent before the sink waits until the peer has read all */
#define FRAME_HEAD  4       /* bytes */
#define POLL_MS     2       /* how often SIOCOUTQ is read: the kernel has no event for it */

void ob_datagram_socket_init(
        struct ob_datagram_socket *d, const struct ob_sink_settings *settings, struct ob_stop *stop)
{
        *d = (struct ob_datagram_socket) { .settings = settings, .stop = stop, .fd = -1 };
}

static bool is_unix(const struct ob_datagram_socket *d)
{
        return *d->settings->socket != '\0';
}

static void add_address(struct ob_addresses *a, const void *at, socklen_t length)
{
        struct ob_address *added = &a->all[a->n];

        if (a->n == OB_ADDRESSES_MAX)
                return;
        *added = (struct ob_address) { .length = length };
        memcpy(&added->at, at, length);
        a->n++;
}

static int where_unix(const struct ob_datagram_socket *d, struct ob_addresses *a, struct ob_err *err)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        if (strlen(d->settings->socket) >= sizeof(at.sun_path))
                return ob_fail(err, "socket %s: the path is too long", d->settings->socket);
        memcpy(at.sun_path, d->settings->socket, strlen(d->settings->socket) + 1);
        add_address(a, &at, sizeof(at));
        return 0;
}

static int where_udp(const struct ob_datagram_socket *d, struct ob_addresses *a, struct ob_err *err)
{
        struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
        char port[16];
        int code;

        snprintf(port, sizeof(port), "%d", d->settings->port);
        code = getaddrinfo(d->settings->host, port, &hints, &list);
        if (code)
                return ob_fail(err, "%s: %s", d->settings->host, gai_strerror(code));
        for (const struct addrinfo *one = list; one; one = one->ai_next)
                add_address(a, one->ai_addr, one->ai_addrlen);
        freeaddrinfo(list);
        return 0;
}

static int where(const struct ob_datagram_socket *d, struct ob_addresses *a, struct ob_err *err)
{
        a->n = 0;
        return is_unix(d) ? where_unix(d, a, err) : where_udp(d, a, err);
}

static int fail(const struct ob_datagram_socket *d, int code, struct ob_err *err)
{
        errno = code;
        if (is_unix(d))
                return ob_fail(err, "socket %s: %m", d->settings->socket);
        if (code == ECONNREFUSED)
                return ob_fail(err, "nobody listens on %s:%d", d->settings->host, d->settings->port);
        return ob_fail(err, "%s:%d: %m", d->settings->host, d->settings->port);
}

void ob_datagram_socket_close(struct ob_datagram_socket *d)
{
        if (d->fd >= 0)
                close(d->fd);
        d->fd = -1;
}

/* Returns 0 or an errno. */
static int connect_as(struct ob_datagram_socket *d, int type)
{
        int code;

        d->is_stream = type == SOCK_STREAM;
        d->fd = socket(d->peer.at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (d->fd >= 0 && !connect(d->fd, (const struct sockaddr *)&d->peer.at, d->peer.length))
                return 0;
        code = errno;
        ob_datagram_socket_close(d);
        return code;
}

/* connect() returns EPROTOTYPE when the unix socket is a stream socket. Only DogStatsD has frames. */
static int connect_peer(struct ob_datagram_socket *d, struct ob_err *err)
{
        int room = SEND_BUFFER, code = connect_as(d, SOCK_DGRAM);

        if (code == EPROTOTYPE && d->settings->flavor == OB_FLAVOR_DOGSTATSD)
                code = connect_as(d, SOCK_STREAM);
        if (code)
                return fail(d, code, err);
        if (!d->is_stream)
                setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        d->is_suspect = !is_unix(d);
        return 0;
}

/* Connects to the first untried address that accepts a connection. */
static int connect_next(struct ob_datagram_socket *d, struct ob_err *err)
{
        while (d->tried < d->peers.n) {
                d->peer = d->peers.all[d->tried++];
                if (!connect_peer(d, err))
                        return 0;
        }
        return -1;
}

static int open_socket(struct ob_datagram_socket *d, struct ob_err *err)
{
        d->tried = 0;
        if (where(d, &d->peers, err))
                return -1;
        d->resolved_at = ob_clock_ms();
        return connect_next(d, err);
}

/* Whether the peer of a stream still has its end open. */
static bool is_open(struct ob_datagram_socket *d)
{
        char byte;
        ssize_t got = recv(d->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

        return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool is_among(const struct ob_addresses *all, const struct ob_address *a)
{
        for (size_t i = 0; i < all->n; i++)
                if (a->length == all->all[i].length &&
                        !memcmp((const char *)&a->at, (const char *)&all->all[i].at, a->length))
                        return true;
        return false;
}

/* Resolves the name every RESOLVE_MS. The peer stays if that fails, or if the result still has its address. */
static int check_socket(struct ob_datagram_socket *d, struct ob_err *err)
{
        struct ob_addresses now;
        struct ob_err ignored;

        if (d->is_stream && !is_open(d))
                return ob_fail(err, "socket %s: the other end has hung up", d->settings->socket);
        if (is_unix(d) || ob_clock_ms() - d->resolved_at < RESOLVE_MS)
                return 0;
        d->resolved_at = ob_clock_ms();
        if (where(d, &now, &ignored) || is_among(&now, &d->peer))
                return 0;
        ob_datagram_socket_close(d);
        d->peers = now;
        d->tried = 0;
        return connect_next(d, err);
}

/* Tries the next addresses when no listener is proved on this one. True: the socket has a new peer. */
static bool go_on(struct ob_datagram_socket *d)
{
        struct ob_err ignored;

        if (!d->is_suspect || d->tried == d->peers.n)
                return false;
        ob_datagram_socket_close(d);
        return !connect_next(d, &ignored);
}

/* Waits up to `ms` for an error about the datagrams that were sent. Returns its errno, or 0. */
static int late_error(struct ob_datagram_socket *d, int ms)
{
        socklen_t length = sizeof(int);
        int code = 0;

        ob_socket_poll(d->fd, 0, ob_clock_ms() + ms,
                d->stop); /* no wait after the stop's deadline, but an earlier error is found */
        getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &code, &length);
        return code;
}

/* Milliseconds. */
static int pause_after(const struct ob_datagram_socket *d, size_t burst)
{
        int pace = (int)(burst * PACE_US / 1000);

        if (d->is_suspect)
                return SUSPECT_MS;
        return pace > LATE_MS ? pace : LATE_MS;
}

static size_t burst_of(const struct ob_datagram_socket *d, size_t n)
{
        size_t most = d->is_suspect ? 1 : BURST;

        return n < most ? n : most;
}

/* Gives a burst to the kernel. Returns how many datagrams the kernel took, or -1 with errno. */
static int send_burst(struct ob_datagram_socket *d, const struct iovec *payloads, size_t n)
{
        struct mmsghdr messages[BURST];

        if (!ob_permit_is_valid(d->permit)) {
                errno = ECANCELED;
                return -1;
        }
        memset(messages, 0, sizeof(messages));
        for (size_t i = 0; i < n; i++) {
                messages[i].msg_hdr.msg_iov = (struct iovec *)&payloads[i];
                messages[i].msg_hdr.msg_iovlen = 1;
        }
        return sendmmsg(d->fd, messages, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The same, but waits while buffers are full, and retries once if an earlier datagram was refused. */
static int send_burst_surely(struct ob_datagram_socket *d, const struct iovec *payloads, size_t n)
{
        int64_t deadline = ob_clock_ms() + FULL_MS;
        bool was_refused = false;

        for (;;) {
                int took = send_burst(d, payloads, n);

                if (took >= 0)
                        return took;
                if (errno == ECONNREFUSED && !was_refused && !is_unix(d)) {
                        was_refused = true;
                        continue;
                }
                if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
                        return -1;
                if (!ob_socket_poll(d->fd, POLLOUT, deadline, d->stop)) {
                        errno = ETIMEDOUT;
                        return -1;
                }
        }
}

/* Sends a whole frame. Returns 0 or an errno. */
static int send_frame(struct ob_datagram_socket *d, const struct iovec *payload, int64_t deadline)
{
        unsigned char head[FRAME_HEAD];
        struct iovec parts[] = { { head, FRAME_HEAD }, *payload };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

        for (size_t i = 0; i < FRAME_HEAD; i++)
                head[i] = (unsigned char)(payload->iov_len >> (8 * i));
        while (parts[0].iov_len + parts[1].iov_len) {
                ssize_t took;

                if (!ob_permit_is_valid(d->permit))
                        return ECANCELED;
                took = sendmsg(d->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (took < 0 && errno != EAGAIN && errno != EINTR)
                        return errno;
                if (took < 0 && !ob_socket_poll(d->fd, POLLOUT, deadline, d->stop))
                        return ETIMEDOUT;
                for (size_t i = 0; i < 2 && took > 0; i++) {
                        size_t n = (size_t)took < parts[i].iov_len ? (size_t)took : parts[i].iov_len;

                        parts[i].iov_base = (char *)parts[i].iov_base + n;
                        parts[i].iov_len -= n;
                        took -= (ssize_t)n;
                }
        }
        return 0;
}

static bool is_too_late(struct ob_datagram_socket *d)
{
        return ob_stop_deadline(d->stop) <= ob_clock_ms();
}

static int wait_until_read(struct ob_datagram_socket *d, int64_t deadline)
{
        int unread = 0;

        while (!ioctl(d->fd, SIOCOUTQ, &unread) && unread) {
                if (!is_open(d))
                        return EPIPE;
                if (ob_clock_ms() >= deadline || is_too_late(d))
                        return ETIMEDOUT;
                ob_socket_poll(d->fd, POLLIN, ob_clock_ms() + POLL_MS, d->stop);
        }
        return 0;
}

static int send_frames(struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent)
{
        for (*sent = 0; *sent < n;) {
                int64_t deadline = ob_clock_ms() + FULL_MS;
                size_t most = n - *sent < FRAMES ? n - *sent : FRAMES, took = 0;
                int code = 0;

                while (took < most && !(code = send_frame(d, &payloads[*sent + took], deadline)))
                        took++;
                if (!code)
                        code = wait_until_read(d, deadline);
                *sent += took;
                /* At the stop's deadline the peer is connected and can still read the rest. */
                d->doubted = code && !(code == ETIMEDOUT && is_too_late(d)) ? took : 0;
                if (code)
                        return code;
        }
        return 0;
}

/* Sends datagrams over UDP. Returns 0 or an errno. */
static int send_udp(struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent)
{
        size_t unsure = 0; /* datagrams of the last burst, if the kernel did not take all of it */

        for (*sent = 0; *sent < n;) {
                size_t asked = burst_of(d, n - *sent);
                int took = send_burst_surely(d, payloads + *sent, asked), code = errno;

                d->doubted = unsure;
                if (took >= 0) {
                        *sent += (size_t)took;
                        code = late_error(d, pause_after(d, (size_t)took));
                        if (!code) {
                                d->is_suspect = (size_t)took < asked;
                                unsure = d->is_suspect ? (size_t)took : 0;
                                d->doubted = 0;
                                continue;
                        }
                        if (d->is_suspect)
                                (*sent)--; /* the last datagram was refused */
                        else
                                d->doubted = (size_t)took;
                }
                if (unsure || !go_on(d))
                        return code;
        }
        return 0;
}

static int send_unix(struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent)
{
        for (*sent = 0; *sent < n;) {
                int took = send_burst_surely(d, payloads + *sent, burst_of(d, n - *sent));

                if (took < 0)
                        return errno;
                *sent += (size_t)took;
        }
        return 0;
}

int ob_datagram_socket_send(
        struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent, struct ob_err *err)
{
        int failed;

        d->doubted = 0;
        failed = d->is_stream ? send_frames(d, payloads, n, sent)
                 : is_unix(d) ? send_unix(d, payloads, n, sent)
                              : send_udp(d, payloads, n, sent);
        if (failed == ECANCELED && ob_permit_check(d->permit, err))
                return -1;
        return failed ? fail(d, failed, err) : 0;
}

int ob_datagram_socket_connect(struct ob_datagram_socket *d, struct ob_err *err)
{
        return d->fd < 0 ? open_socket(d, err) : check_socket(d, err);
}
