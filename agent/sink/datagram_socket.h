/*
 * The socket of a StatsD sink: UDP, or a unix socket of either kind. A Datadog Agent may have a stream socket
 * (dogstatsd_stream_socket), on which each payload stands behind its length. Owned by the sink's thread. Every call
 * ends: none waits longer than its time-out, or than the deadline of a wanted stop; but the resolver has time-outs
 * of its own.
 */
#ifndef OB_SINK_DATAGRAM_SOCKET_H
#define OB_SINK_DATAGRAM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_ADDRESSES_MAX 8 /* of a name */

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
        int fd;                                  /* ours; -1: closed */
        struct ob_addresses peers;               /* all addresses that the name has */
        size_t tried;                            /* of those, since the socket was opened */
        struct ob_address peer;                  /* the last of those: where datagrams go */
        int64_t resolved_at;                     /* when the name was looked up: ob_clock_ms() */
        bool is_stream;                          /* a unix socket of the other kind: each payload is a frame */
        bool is_suspect;                         /* UDP: it is not known that somebody listens */
        size_t doubted; /* of the payloads that were counted as sent last: how many nobody may have got */
};

void ob_datagram_socket_init(
        struct ob_datagram_socket *d, const struct ob_sink_settings *settings, struct ob_stop *stop);

/* Opens the socket where it is closed; else looks whether it is still the right one. */
int ob_datagram_socket_connect(struct ob_datagram_socket *d, struct ob_err *err);

/*
 * Sends payloads of whole lines, each as one datagram or frame. `*sent` counts those that the kernel took; on
 * failure the one behind them was not sent, or, on a stream, not wholly.
 */
int ob_datagram_socket_send(
        struct ob_datagram_socket *d, const struct iovec *payloads, size_t n, size_t *sent, struct ob_err *err);

void ob_datagram_socket_close(struct ob_datagram_socket *d);

#endif
