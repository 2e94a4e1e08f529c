/*
 * Datagrams to a statsd: UDP, or a unix socket; which may be a stream, see wire_frames.c. Facts (measured): on a
 * connected UDP socket a closed port comes back as ECONNREFUSED on a later call, and the datagram of that call is
 * not sent; a receiver with default buffers keeps about ninety full datagrams, so bursts are short and spaced.
 *
 * After each burst we wait a moment, and an error that comes in it is about the burst. As long as it is not
 * known that somebody listens, a burst is one datagram: then none is lost without our knowing.
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

static int where_unix(const struct ob_wire *w, struct ob_address *a, struct ob_err *err)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        if (strlen(w->settings->socket) >= sizeof(at.sun_path))
                return ob_fail(err, "socket %s: the path is too long", w->settings->socket);
        memcpy(at.sun_path, w->settings->socket, strlen(w->settings->socket) + 1);
        memcpy(&a->at, &at, sizeof(at));
        a->length = sizeof(at);
        return 0;
}

static int where_udp(const struct ob_wire *w, struct ob_address *a, struct ob_err *err)
{
        struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
        char port[16];
        int code;

        snprintf(port, sizeof(port), "%d", w->settings->port);
        code = getaddrinfo(w->settings->host, port, &hints, &list);
        if (code)
                return ob_fail(err, "%s: %s", w->settings->host, gai_strerror(code));
        memcpy(&a->at, list->ai_addr, list->ai_addrlen);
        a->length = list->ai_addrlen;
        freeaddrinfo(list);
        return 0;
}

static int where(const struct ob_wire *w, struct ob_address *a, struct ob_err *err)
{
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

static int open_datagram(struct ob_wire *w, struct ob_err *err)
{
        w->peer = (struct ob_address) { .length = 0 };
        if (where(w, &w->peer, err))
                return -1;
        w->resolved_at = ob_clock_ms();
        return connect_peer(w, err);
}

static bool is_same(const struct ob_address *a, const struct ob_address *b)
{
        return a->length == b->length && !memcmp((const char *)&a->at, (const char *)&b->at, a->length);
}

/* The name is looked up again now and then; while that fails, the old address stands. */
static int check_datagram(struct ob_wire *w, struct ob_err *err)
{
        struct ob_address now = { .length = 0 };
        struct ob_err ignored;

        if (w->is_stream && !ob_frames_is_open(w))
                return ob_fail(err, "socket %s: the other end has hung up", w->settings->socket);
        if (is_unix(w) || ob_clock_ms() - w->resolved_at < RESOLVE_MS)
                return 0;
        w->resolved_at = ob_clock_ms();
        if (where(w, &now, &ignored) || is_same(&now, &w->peer))
                return 0;
        close_datagram(w);
        w->peer = now;
        return connect_peer(w, err);
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
                int took = send_burst_surely(w, pieces + *sent, n - *sent), code;

                if (took < 0)
                        return fail(w, errno, err);
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
