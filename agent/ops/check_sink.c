#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/ops/check_parts.h"
#include "agent/process/stop.h"
#include "agent/sink/wire.h"

#define ANSWER_MS 250 /* that "nobody listens" may take to come back */
#define UDP_HEAD  8

static const struct {
        const struct ob_wire_ops *wire;
        const char *fix;
} types[OB_SINK_TYPES] = {
        [OB_SINK_STATSD] = { &ob_wire_datagram,
                "is the statsd or Datadog Agent running, at this host and port, or socket?" },
        [OB_SINK_GRAPHITE] = { &ob_wire_tcp, "is carbon running, and its line receiver at this host and port?" },
        [OB_SINK_EVENTS] = { &ob_wire_http, "is graphite-web running, at this url?" },
};

/* Bytes around a datagram's payload. */
static int heads(int family)
{
        return UDP_HEAD + (family == AF_INET6 ? 40 : 20);
}

/* As far as this machine knows the way: a datagram that is cut into pieces is lost as soon as one of them is. */
static void check_mtu(struct ob_report *r, const struct ob_sink_settings *s, const struct ob_wire *w)
{
        bool is_six = w->peer.at.ss_family == AF_INET6;
        int mtu = 0, most;
        socklen_t length = sizeof(mtu);

        if (getsockopt(w->fd, is_six ? IPPROTO_IPV6 : IPPROTO_IP, is_six ? IPV6_MTU : IP_MTU, &mtu, &length))
                return;
        most = mtu - heads(w->peer.at.ss_family);
        if (s->payload > most)
                ob_report_add(r, OB_GRADE_WARN, "mtu", s->name,
                        "make payload smaller: what is sent in pieces is lost by one",
                        "datagrams of %d bytes do not fit into an MTU of %d, which takes %d", s->payload, mtu,
                        most);
        else
                ob_report_add(r, OB_GRADE_OK, "mtu", s->name, "", "%d, and payload %d", mtu, s->payload);
}

/* An empty datagram counts nothing anywhere; a closed port refuses it, and then the name's next address is asked.
 */
static int knock(struct ob_wire *w, struct ob_err *err)
{
        struct iovec nothing = { .iov_base = (char *)"" };
        struct pollfd p = { .events = 0 };
        socklen_t length = sizeof(int);
        int code = 0;
        size_t sent;

        if (w->ops->send(w, &nothing, 1, &sent, err))
                return -1;
        p.fd = w->fd;
        if (poll(&p, 1, ANSWER_MS) == 1)
                getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &length);
        errno = code;
        return code ? ob_fail(err, "%s:%d: %m", w->settings->host, w->settings->port) : 0;
}

static void check_datagrams(struct ob_report *r, const struct ob_sink_settings *s, struct ob_wire *w)
{
        struct ob_err err;

        if (*s->socket) {
                ob_report_add(
                        r, OB_GRADE_OK, "sink", s->name, "", "there is somebody who listens on %s", s->socket);
                return;
        }
        if (knock(w, &err))
                ob_report_add(r, OB_GRADE_BAD, "sink", s->name, types[s->type].fix, "%s", err.text);
        else
                ob_report_add(r, OB_GRADE_OK, "sink", s->name, "",
                        "%s:%d did not refuse a datagram; UDP tells no more", s->host, s->port);
        check_mtu(r, s, w);
}

void ob_check_sink(struct ob_report *r, const struct ob_sink_settings *s)
{
        struct ob_stop never;
        struct ob_wire wire;
        struct ob_err err;

        ob_stop_init(&never);
        ob_wire_init(&wire, types[s->type].wire, s, &never);
        if (wire.ops->open(&wire, &err)) {
                ob_report_add(r, OB_GRADE_BAD, "sink", s->name, types[s->type].fix, "%s", err.text);
        } else {
                if (s->type == OB_SINK_STATSD)
                        check_datagrams(r, s, &wire);
                else
                        ob_report_add(r, OB_GRADE_OK, "sink", s->name, "", "there is somebody who listens");
                wire.ops->abort(&wire);
        }
        ob_stop_fini(&never);
}
