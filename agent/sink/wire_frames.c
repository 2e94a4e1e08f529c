/*
 * A Datadog Agent's stream socket (dogstatsd_stream_socket): each payload behind its length in four bytes, the
 * lowest first. The Agent hangs up on a frame that is too long, and after half a frame there is no way back but a
 * new connection. Facts: datadog-go's statsd/uds.go, the Agent's uds_common.go; unix(7).
 *
 * The kernel counts what the other end has not read (SIOCOUTQ), so what we call sent has been read.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "agent/process/clock.h"
#include "agent/sink/wire.h"

#define BURST   16
#define FULL_MS 30000 /* how long nothing may be read */
#define POLL_MS 2     /* how often is looked whether all is read: nothing else tells */
#define HEAD    4

/* All of a frame, or an errno. */
static int send_frame(struct ob_wire *w, const struct iovec *piece, int64_t deadline)
{
        unsigned char head[HEAD];
        struct iovec parts[] = { { head, HEAD }, *piece };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

        for (size_t i = 0; i < HEAD; i++)
                head[i] = (unsigned char)(piece->iov_len >> (8 * i));
        while (parts[0].iov_len + parts[1].iov_len) {
                ssize_t took = sendmsg(w->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (took < 0 && errno != EAGAIN && errno != EINTR)
                        return errno;
                if (took < 0 && !ob_wire_poll(w, POLLOUT, deadline))
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

bool ob_frames_is_open(struct ob_wire *w)
{
        char byte;
        ssize_t got = recv(w->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

        return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool is_too_late(struct ob_wire *w)
{
        return ob_stop_deadline(w->stop) <= ob_clock_ms();
}

static int wait_until_read(struct ob_wire *w, int64_t deadline)
{
        int unread = 0;

        while (!ioctl(w->fd, SIOCOUTQ, &unread) && unread) {
                if (!ob_frames_is_open(w))
                        return EPIPE;
                if (ob_clock_ms() >= deadline || is_too_late(w))
                        return ETIMEDOUT;
                ob_wire_poll(w, POLLIN, ob_clock_ms() + POLL_MS);
        }
        return 0;
}

int ob_frames_send(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent)
{
        for (*sent = 0; *sent < n;) {
                int64_t deadline = ob_clock_ms() + FULL_MS;
                size_t most = n - *sent < BURST ? n - *sent : BURST, took = 0;
                int code = 0;

                while (took < most && !(code = send_frame(w, &pieces[*sent + took], deadline)))
                        took++;
                if (!code)
                        code = wait_until_read(w, deadline);
                *sent += took;
                /* What is unread when we have to end can still be read, by one who is there. */
                w->doubted = code && !(code == ETIMEDOUT && is_too_late(w)) ? took : 0;
                if (code)
                        return code;
        }
        return 0;
}
