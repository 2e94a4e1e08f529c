/*
 * The socket of a StatsD sink: UDP, or a unix socket (datagram or stream). On a stream socket of a Datadog Agent
 * (dogstatsd_stream_socket) each payload follows its length. The sink's thread owns the struct. No call waits
 * longer than its time-out or the deadline of a stop, except in the resolver, which has time-outs of its own.
 */
#ifndef OB_SINK_DATAGRAM_SOCKET_H
#define OB_SINK_DATAGRAM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/process/permit.h"
#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_ADDRESSES_MAX 8 /* for one name */

struct ob_addresses {
        struct ob_address {
                struct sockaddr_storage at;
                socklen_t length;
        } all[OB_ADDRESSES_MAX];
        size_t n;
};

struct ob_datagram_socket {
        const struct ob_sink_settings *settings; /* borrowed */
        struct ob_stop *stop;                    /* borrowed: the sinks' */
        const struct ob_permit *permit;          /* borrowed, set after init; NULL: the sink may always send */
        int fd;                                  /* ours; -1: closed */
        struct ob_addresses peers;               /* all addresses of the name */
        size_t tried;                            /* how many peers were tried since the socket was opened */
        struct ob_address peer;                  /* the last peer tried: datagrams go there */
        int64_t resolved_at;                     /* when the name was looked up: ob_clock_ms() */
        bool is_stream;                          /* a unix stream socket: each payload is a frame */
        bool is_suspect;                         /* UDP: no listener is proved yet */
        size_t doubted;                          /* how many of the last payloads in `*sent` may be lost */
};

void ob_datagram_socket_init(
        struct ob_datagram_socket *d, const struct ob_sink_settings *settings, struct ob_stop *stop);

/* Opens a closed socket; else checks that the peer is still the right one. */
int ob_datagram_socket_connect(struct ob_datagram_socket *d, struct ob_err *err);

/*
 * Sends payloads of whole lines, each as one datagram or frame. `*sent` counts the payloads that the kernel took.
 * On failure the next payload was not sent, or on a stream only a part of it.
 */
int ob_datagram_socket_send(
        struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent, struct ob_err *err);

void ob_datagram_socket_close(struct ob_datagram_socket *d);

#endif
