/*
 * The way out of a sink: a TCP connection, a datagram socket or its stream twin, HTTP, or standard output
 * (--dry-run). Owned by the sink's thread. Every call ends: none waits longer than its time-out, or than the
 * deadline of a wanted stop; but the resolver has time-outs of its own.
 */
#ifndef OB_SINK_WIRE_H
#define OB_SINK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

struct ob_wire;

struct ob_wire_ops {
        /* Gets ready to send; called on a closed wire only. */
        int (*open)(struct ob_wire *w, struct ob_err *err);

        /* Whether the other end is still there, as far as it can be known without sending. */
        int (*check)(struct ob_wire *w, struct ob_err *err);

        /*
         * Sends pieces of whole lines, on a datagram socket each as one datagram; by HTTP each as one request.
         * `*sent` counts those that the kernel took; on failure the one behind them was not sent, or, on a stream,
         * not wholly.
         */
        int (*send)(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent, struct ob_err *err);

        /* Ends it; a stream's unsent rest is thrown away, so that it can't arrive after newer lines. */
        void (*abort)(struct ob_wire *w);

        /* Ends it in peace: what was sent shall arrive, as far as there is time. */
        int (*finish)(struct ob_wire *w, struct ob_err *err);
};

#define OB_ADDRESSES_MAX 8 /* of a name */

struct ob_addresses {
        struct ob_address {
                struct sockaddr_storage at;
                socklen_t length;
        } all[OB_ADDRESSES_MAX];
        size_t n;
};

struct ob_wire {
        const struct ob_wire_ops *ops;
        const struct ob_sink_settings *settings; /* borrowed */
        struct ob_stop *stop;                    /* borrowed: the sinks' */
        int fd;                                  /* -1: closed */
        bool is_open;
        struct ob_addresses peers; /* of a datagram socket: all that its name has */
        size_t tried;              /* of those, since the socket was opened */
        struct ob_address peer;    /* the last of those: where datagrams go */
        int64_t resolved_at;       /* ob_clock_ms() */
        bool is_stream;            /* a unix socket that is no datagram socket: each piece is a frame */
        bool is_refused;           /* HTTP: the last piece that was not sent is one that the server won't have */
        bool is_answered;          /* HTTP: … or one at which it failed, but it said so */
        void *http;                /* ours, of HTTP */
        bool is_suspect;           /* datagrams: it is not known that somebody listens */
        size_t doubted;            /* of the pieces counted as sent last, how many nobody may have got */
        int64_t sent;              /* bytes of this connection, of a stream */
        int64_t arrived;           /* those of them that the other kernel has, as of the last check */
        int64_t moved_at;          /* when that last grew, or nothing was on its way */
};

extern const struct ob_wire_ops ob_wire_tcp;
extern const struct ob_wire_ops ob_wire_datagram;
extern const struct ob_wire_ops ob_wire_http;
extern const struct ob_wire_ops ob_wire_print;

void ob_wire_init(struct ob_wire *w, const struct ob_wire_ops *ops, const struct ob_sink_settings *settings,
        struct ob_stop *stop);

/*
 * Waits for `events` on the socket until `deadline`, or the stop's. 1: they are there; 0: it is time; a
 * socket's error counts as there.
 */
int ob_wire_poll(struct ob_wire *w, short events, int64_t deadline);

/*
 * For ob_wire_datagram, when the socket is a stream: sends pieces as frames, and waits until they are read; returns
 * 0 or an errno. And whether the other end is still there.
 */
int ob_frames_send(struct ob_wire *w, const struct iovec *pieces, size_t n, size_t *sent);
bool ob_frames_is_open(struct ob_wire *w);

#endif
