#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/ops/check_parts.h"
#include "agent/process/stop.h"
#include "agent/sink/datagram_socket.h"
#include "agent/sink/event_post.h"
#include "agent/sink/tcp_stream.h"

#define ANSWER_MS 250 /* the wait for the answer that nobody listens */
#define UDP_HEAD  8

static const char statsd_fix[] = "is the statsd or Datadog Agent running, at this host and port, or socket?";

/* The bytes of the headers around a datagram's payload. */
static int heads(int family)
{
        return UDP_HEAD + (family == AF_INET6 ? 40 : 20);
}

/* As far as this machine knows the MTU of the route. A datagram that is cut into pieces is lost when one piece is.
 */
static void check_mtu(struct ob_report *r, const struct ob_sink_settings *s, const struct ob_datagram_socket *d)
{
        bool is_six = d->peer.at.ss_family == AF_INET6;
        int mtu = 0, most;
        socklen_t length = sizeof(mtu);

        if (getsockopt(d->fd, is_six ? IPPROTO_IPV6 : IPPROTO_IP, is_six ? IPV6_MTU : IP_MTU, &mtu, &length))
                return;
        most = mtu - heads(d->peer.at.ss_family);
        if (s->payload > most)
                ob_report_add(r, OB_GRADE_WARN, "mtu", s->name,
                        "make payload smaller: a datagram that is sent in pieces is lost when one piece is lost",
                        "datagrams of %d bytes do not fit into an MTU of %d, which takes %d", s->payload, mtu,
                        most);
        else
                ob_report_add(r, OB_GRADE_OK, "mtu", s->name, "", "%d, and payload %d", mtu, s->payload);
}

/* Sends an empty datagram, which no server counts. A closed port refuses the datagram; the next address of the name
 * is tried then. */
static int knock(struct ob_datagram_socket *d, struct ob_err *err)
{
        struct iovec nothing = { .iov_base = (char *)"" };
        struct pollfd p = { .events = 0 };
        socklen_t length = sizeof(int);
        int code = 0;
        size_t sent;

        if (ob_datagram_socket_send(d, &nothing, 1, &sent, err))
                return -1;
        p.fd = d->fd;
        if (poll(&p, 1, ANSWER_MS) == 1)
                getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &code, &length);
        errno = code;
        return code ? ob_fail(err, "%s:%d: %m", d->settings->host, d->settings->port) : 0;
}

static void check_datagrams(struct ob_report *r, const struct ob_sink_settings *s, struct ob_datagram_socket *d)
{
        struct ob_err err;

        if (*s->socket) {
                ob_report_add(r, OB_GRADE_OK, "sink", s->name, "", "a server listens on %s", s->socket);
                return;
        }
        if (knock(d, &err))
                ob_report_add(r, OB_GRADE_BAD, "sink", s->name, statsd_fix, "%s", err.text);
        else
                ob_report_add(r, OB_GRADE_OK, "sink", s->name, "",
                        "%s:%d did not refuse a datagram; UDP shows no more than this", s->host, s->port);
        check_mtu(r, s, d);
}

static void check_statsd(struct ob_report *r, const struct ob_sink_settings *s, struct ob_stop *never)
{
        struct ob_datagram_socket d;
        struct ob_err err;

        ob_datagram_socket_init(&d, s, never);
        if (ob_datagram_socket_connect(&d, &err))
                ob_report_add(r, OB_GRADE_BAD, "sink", s->name, statsd_fix, "%s", err.text);
        else
                check_datagrams(r, s, &d);
        ob_datagram_socket_close(&d);
}

static int connect_graphite(const struct ob_sink_settings *s, struct ob_stop *never, struct ob_err *err)
{
        struct ob_tcp_stream stream;
        int got;

        ob_tcp_stream_init(&stream, s->host, s->port, never);
        got = ob_tcp_stream_connect(&stream, err);
        ob_tcp_stream_abort(&stream);
        return got;
}

static int connect_events(const struct ob_sink_settings *s, struct ob_stop *never, struct ob_err *err)
{
        struct ob_event_post post = { .base = s->url, .stop = never };
        int got = ob_event_post_connect(&post, err);

        ob_event_post_close(&post);
        return got;
}

void ob_check_sink(struct ob_report *r, const struct ob_sink_settings *s)
{
        bool is_events = s->type == OB_SINK_EVENTS;
        struct ob_stop never;
        struct ob_err err;

        ob_stop_init(&never);
        if (s->type == OB_SINK_STATSD)
                check_statsd(r, s, &never);
        else if (is_events ? connect_events(s, &never, &err) : connect_graphite(s, &never, &err))
                ob_report_add(r, OB_GRADE_BAD, "sink", s->name,
                        is_events ? "is graphite-web running, at this url?"
                                  : "is carbon running, with its line receiver at this host and port?",
                        "%s", err.text);
        else
                ob_report_add(r, OB_GRADE_OK, "sink", s->name, "", "a server listens");
        ob_stop_fini(&never);
}
