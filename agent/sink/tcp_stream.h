/*
 * A TCP connection to carbon, which never answers. SIOCOUTQ tells how many sent bytes have reached the peer's
 * kernel: this shows a stall, but is no acknowledgement. The sink's thread owns the struct. No call waits longer
 * than its time-out, or than the deadline of a stop.
 */
#ifndef OB_SINK_TCP_STREAM_H
#define OB_SINK_TCP_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "agent/process/permit.h"
#include "agent/process/stop.h"
#include "proto/error.h"

struct ob_tcp_stream {
        const char *host; /* borrowed */
        int port;
        struct ob_stop *stop;           /* borrowed: the sinks' */
        const struct ob_permit *permit; /* borrowed, set after init; NULL: the sink may always send */
        int fd;                         /* ours; -1: closed */
        int64_t sent;                   /* bytes of this connection */
        int64_t arrived;                /* bytes that the peer's kernel had at the last check */
        int64_t moved_at;               /* ob_clock_ms() when `arrived` last grew, or no byte was on its way */
};

void ob_tcp_stream_init(struct ob_tcp_stream *t, const char *host, int port, struct ob_stop *stop);

/* Opens a closed connection; else checks that the peer is still there and takes bytes, and updates `arrived`. */
int ob_tcp_stream_connect(struct ob_tcp_stream *t, struct ob_err *err);

/* Sends whole lines. On failure a part of them may have arrived. */
int ob_tcp_stream_send(struct ob_tcp_stream *t, const char *lines, size_t length, struct ob_err *err);

/* Ends the connection and discards bytes on their way, so that none arrives after newer lines. */
void ob_tcp_stream_abort(struct ob_tcp_stream *t);

/* Ends the connection cleanly: sent bytes arrive, if time allows. */
int ob_tcp_stream_finish(struct ob_tcp_stream *t, struct ob_err *err);

#endif
