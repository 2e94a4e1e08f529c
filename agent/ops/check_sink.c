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

#define AGGREGATOR_PORT 2023 /* LINE_RECEIVER_PORT of carbon-aggregator in carbon.conf */

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

/*
 * The Graphite protocol has no answers, so the agent cannot ask what listens. Only the default port of a
 * carbon-aggregator tells something.
 */
static void report_receiver(struct ob_report *r, const struct ob_sink_settings *s)
{
        static const char fix[] =
                "VictoriaMetrics, Mimir, Grafana Cloud and carbon-aggregator need receiver = \"append\"";
        bool is_aggregator = s->port == AGGREGATOR_PORT && s->receiver == OB_RECEIVER_OVERWRITE;

        if (is_aggregator)
                ob_report_add(r, OB_GRADE_WARN, "receiver", s->name, fix,
                        "port %d is usually a carbon-aggregator, which adds up what is sent again; receiver = \"overwrite\" is set",
                        s->port);
        else if (s->receiver == OB_RECEIVER_OVERWRITE)
                ob_report_add(r, OB_GRADE_OK, "receiver", s->name, "",
                        "assumed, since no receiver answers: the last value of a step wins, as in carbon, go-carbon, InfluxDB and "
                        "graphite-clickhouse, and no relay has aggregation rules");
        else
                ob_report_add(r, OB_GRADE_OK, "receiver", s->name, "",
                        "assumed, since no receiver answers: each value that arrives is kept, as in VictoriaMetrics; %s",
                        s->after_crash == OB_AFTER_CRASH_REPEAT
                                ? "of equal values of one step it keeps one (-dedup.minScrapeInterval)"
                                : "a step that a crash leaves in doubt is lost");
}

/* A row is read up to so many seconds after its time, while the database answers at once. */
static int slowest_read(const struct ob_config *c, const char **name)
{
        int slowest = 0;

        for (size_t i = 0; i < c->n_sources; i++) {
                const struct ob_source *source = &c->sources[i];

                if (!source->enabled || source->kind != OB_SOURCE_TABLE ||
                        source->every + source->settle <= slowest)
                        continue;
                slowest = source->every + source->settle;
                *name = source->name;
        }
        return slowest;
}

static void check_hold(struct ob_report *r, const struct ob_config *c, const struct ob_sink_settings *s)
{
        const char *name = "";
        int slowest = slowest_read(c, &name);

        if (s->receiver == OB_RECEIVER_APPEND && s->hold <= slowest)
                ob_report_add(r, OB_GRADE_WARN, "hold", s->name,
                        "make hold longer than `every` plus `settle` of each source",
                        "a step is closed %d s after its end, but rows of source %s are read up to %d s after their time; they "
                        "will count in a later step",
                        s->hold, name, slowest);
}

void ob_check_sink(struct ob_report *r, const struct ob_config *c, const struct ob_sink_settings *s)
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
        if (s->type == OB_SINK_GRAPHITE) {
                report_receiver(r, s);
                check_hold(r, c, s);
        }
        ob_stop_fini(&never);
}
