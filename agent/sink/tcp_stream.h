/*
 * A TCP connection to carbon, which never answers. The kernel tells how much of what was sent has arrived at the
 * other kernel (SIOCOUTQ); that is a gauge for a stall, and no acknowledgement. Owned by the sink's thread. Every
 * call ends: none waits longer than its time-out, or than the deadline of a wanted stop.
 */
#ifndef OB_SINK_TCP_STREAM_H
#define OB_SINK_TCP_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "proto/error.h"

struct ob_tcp_stream {
        const char *host; /* borrowed */
        int port;
        struct ob_stop *stop; /* borrowed: the sinks' */
        int fd;               /* ours; -1: closed */
        int64_t sent;         /* bytes of this connection */
        int64_t arrived;      /* those of them that the other kernel has, as of the last look */
        int64_t moved_at;     /* when `arrived` last grew, or nothing was on its way: ob_clock_ms() */
};

void ob_tcp_stream_init(struct ob_tcp_stream *t, const char *host, int port, struct ob_stop *stop);

/* Connects where it is closed; else looks whether the other end is still there, and takes what is sent. */
int ob_tcp_stream_connect(struct ob_tcp_stream *t, struct ob_err *err);

/* Sends whole lines. On failure a part of them may have arrived. */
int ob_tcp_stream_send(struct ob_tcp_stream *t, const char *lines, size_t length, struct ob_err *err);

/* Ends the connection and throws away what of it is on its way, so that nothing arrives after newer lines. */
void ob_tcp_stream_abort(struct ob_tcp_stream *t);

/* Ends the connection in peace: what was sent arrives, as far as there is time. */
int ob_tcp_stream_finish(struct ob_tcp_stream *t, struct ob_err *err);

#endif
