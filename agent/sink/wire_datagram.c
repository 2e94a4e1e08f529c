/*
 * Datagrams to a statsd: UDP, or a unix socket; which may be a stream, see wire_frames.c. Facts (measured): on a
 * connected UDP socket a closed port comes back as ECONNREFUSED on a later call, and the datagram of that call is
 * not sent; a receiver with default buffers keeps about ninety full datagrams, so bursts are short and spaced.
 *
 * After each burst we wait a moment, and an error that comes in it is about the burst. As long as it is not
 * known that somebody listens, a burst is one datagram: then none is lost without our knowing, and what one address
 * of a name refuses goes to its next one (localhost is ::1 first, where few statsds listen).
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/sink/wire.h"

#define BURST       16
#define PACE_MS     10
#define SUSPECT_MS  50 /* how long an ICMP answer may take before its absence means "somebody listens" */
#define FULL_MS     30000
#define RESOLVE_MS  60000
#define SEND_BUFFER 1048576

static bool is_unix(const struct ob_wire *w)
{
        return *w->settings->socket != '\0';
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

static int where_unix(const struct ob_wire *w, struct ob_addresses *a, struct ob_err *err)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        if (strlen(w->settings->socket) >= sizeof(at.sun_path))
                return ob_fail(err, "socket %s: the path is too long", w->settings->socket);
        memcpy(at.sun_path, w->settings->socket, strlen(w->settings->socket) + 1);
        add_address(a, &at, sizeof(at));
        return 0;
}

static int where_udp(const struct ob_wire *w, struct ob_addresses *a, struct ob_err *err)
{
        struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
        char port[16];
        int code;

        snprintf(port, sizeof(port), "%d", w->settings->port);
        code = getaddrinfo(w->settings->host, port, &hints, &list);
        if (code)
                return ob_fail(err, "%s: %s", w->settings->host, gai_strerror(code));
        for (const struct addrinfo *one = list; one; one = one->ai_next)
                add_address(a, one->ai_addr, one->ai_addrlen);
        freeaddrinfo(list);
        return 0;
}

static int where(const struct ob_wire *w, struct ob_addresses *a, struct ob_err *err)
{
        a->n = 0;
        return is_unix(w) ? where_unix(w, a, err) : where_udp(w, a, err);
}

static int fail(const struct ob_wire *w, int code, struct ob_err *err)
{
        errno = code;
        if (is_unix(w))
                return ob_fail(err, "socket %s: %m", w->settings->socket);
        if (code == ECONNREFUSED)
                return ob_fail(err, "nobody listens on %s:%d", w->settings->host, w->settings->port);
        return ob_fail(err, "%s:%d: %m", w->settings->host, w->settings->port);
}

static void close_datagram(struct ob_wire *w)
{
        if (w->fd >= 0)
                close(w->fd);
        w->fd = -1;
        w->is_open = false;
}

/* 0 or an errno. */
static int connect_as(struct ob_wire *w, int type)
{
        int code;

        w->is_stream = type == SOCK_STREAM;
        w->fd = socket(w->peer.at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (w->fd >= 0 && !connect(w->fd, (const struct sockaddr *)&w->peer.at, w->peer.length))
                return 0;
        code = errno;
        close_datagram(w);
        return code;
}

/* A unix socket says itself when it is of the other kind; frames are known to DogStatsD alone. */
static int connect_peer(struct ob_wire *w, struct ob_err *err)
{
        int room = SEND_BUFFER, code = connect_as(w, SOCK_DGRAM);

        if (code == EPROTOTYPE && w->settings->flavor == OB_FLAVOR_DOGSTATSD)
                code = connect_as(w, SOCK_STREAM);
        if (code)
                return fail(w, code, err);
        if (!w->is_stream)
                setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        w->is_open = true;
        w->is_suspect = !is_unix(w);
        return 0;
}

/* The first of those that were not tried yet and can be connected to. */
static int connect_next(struct ob_wire *w, struct ob_err *err)
{
        while (w->tried < w->peers.n) {
                w->peer = w->peers.all[w->tried++];
                if (!connect_peer(w, err))
                        return 0;
        }
        return -1;
}

static int open_datagram(struct ob_wire *w, struct ob_err *err)
{
        w->tried = 0;
        if (where(w, &w->peers, err))
                return -1;
        w->resolved_at = ob_clock_ms();
        return connect_next(w, err);
}

static bool is_among(const struct ob_addresses *all, const struct ob_address *a)
{
        for (size_t i = 0; i < all->n; i++)
                if (a->length == all->all[i].length &&
                        !memcmp((const char *)&a->at, (const char *)&all->all[i].at, a->length))
                        return true;
        return false;
}

/* The name is looked up again now and then; while that fails, or the address is still one of the name's, it stands.
 */
static int check_datagram(struct ob_wire *w, struct ob_err *err)
{
        struct ob_addresses now;
        struct ob_err ignored;

        if (w->is_stream && !ob_frames_is_open(w))
                return ob_fail(err, "socket %s: the other end has hung up", w->settings->socket);
        if (is_unix(w) || ob_clock_ms() - w->resolved_at < RESOLVE_MS)
                return 0;
        w->resolved_at = ob_clock_ms();
        if (where(w, &now, &ignored) || is_among(&now, &w->peer))
                return 0;
        close_datagram(w);
        w->peers = now;
        w->tried = 0;
        return connect_next(w, err);
}

/* When it is not known that anybody listens where we are, and there is another address to try. */
static bool go_on(struct ob_wire *w)
{
        struct ob_err ignored;

        if (!w->is_suspect || w->tried == w->peers.n)
                return false;
        close_datagram(w);
        return !connect_next(w, &ignored);
}

/* What went wrong with what we sent, waiting for it until `ms` from now; 0: nothing. */
static int late_error(struct ob_wire *w, int ms)
{
        socklen_t length = sizeof(int);
        int code = 0;

        ob_wire_poll(w, 0, ob_clock_ms() + ms); /* does not wait when it is time to stop, but what came is known */
        getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &length);
        return code;
}

/* Hands a burst to the kernel: how many it took, or -1 with errno. */
static int send_burst(struct ob_wire *w, const struct iovec *pieces, size_t n)
{
        struct mmsghdr messages[BURST];
        size_t most = w->is_suspect ? 1 : BURST;

        n = n < most ? n : most;
        memset(messages, 0, sizeof(messages));
        for (size_t i = 0; i < n; i++) {
                messages[i].msg_hdr.msg_iov = (struct iovec *)&pieces[i];
                messages[i].msg_hdr.msg_iovlen = 1;
        }
        return sendmmsg(w->fd, messages, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* As send_burst, waiting while buffers are full, and once more when the refusal was about an earlier one. */
static int send_burst_surely(struct ob_wire *w, const struct iovec *pieces, size_t n)
{
        int64_t deadline = ob_clock_ms() + FULL_MS;
        bool was_refused = false;

        for (;;) {
                int took = send_burst(w, pieces, n);

                if (took >= 0)
                        return took;
                if (errno == ECONNREFUSED && !was_refused && !is_unix(w)) {
                        was_refused = true;
                        continue;
                }
                if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
                        return -1;
                if (!ob_wire_poll(w, POLLOUT, deadline)) {
                        errno = ETIMEDOUT;
                        return -1;
                }
        }
}

static int send_datagrams(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err)
{
        int failed;

        w->doubted = 0;
        if (w->is_stream) {
                failed = ob_frames_send(w, pieces, n, sent);
                return failed ? fail(w, failed, err) : 0;
        }
        for (*sent = 0; *sent < n;) {
                int took = send_burst_surely(w, pieces + *sent, n - *sent), code = errno;

                if (took < 0 && go_on(w))
                        continue;
                if (took < 0)
                        return fail(w, code, err);
                *sent += (size_t)took;
                if (is_unix(w))
                        continue;
                code = late_error(w, w->is_suspect ? SUSPECT_MS : PACE_MS);
                if (!code) {
                        w->is_suspect = false;
                        continue;
                }
                if (w->is_suspect)
                        (*sent)--; /* it was this one that was refused */
                else
                        w->doubted = (size_t)took;
                if (!go_on(w))
                        return fail(w, code, err);
        }
        return 0;
}

static int finish_datagram(struct ob_wire *w, struct ob_err *err)
{
        (void)err;
        close_datagram(w);
        return 0;
}

const struct ob_wire_ops ob_wire_datagram = {
        .open = open_datagram,
        .check = check_datagram,
        .send = send_datagrams,
        .abort = close_datagram,
        .finish = finish_datagram,
};
