/* A sink, StatsD's unless a test sets another, on a store of its own, and its server's socket. The test's state. */
#ifndef OB_TESTS_UNIT_SENDING_H
#define OB_TESTS_UNIT_SENDING_H

#include <stdint.h>

#include "agent/sink/sink.h"
#include "tests/unit/world.h"

#define SENDING_ROOM     8192
#define SENDING_BYTES    (1 << 20) /* of the queue */
#define SENDING_DRAIN_MS 10000

struct sending {
        struct world *w;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop;
        struct ob_sink_settings settings;
        struct ob_sink sink;
        int fd; /* the server's; -1: nobody listens */
        char heard[SENDING_ROOM];
};

/* With a server on a free port. */
int sending_set_up(void **state);
int sending_tear_down(void **state);

/* The sink's server from its next start on. In a unix socket only some ten datagrams have room. */
void sending_listen_on(struct sending *u, int port);
void sending_listen_on_unix(struct sending *u, const char *path);
void sending_hang_up(struct sending *u);

void sending_start(struct sending *u);
void sending_stop(struct sending *u, int64_t within_ms);

/* Every line that came, in order, each with its newline; ours. Flags of recv: whether more may be coming. */
const char *sending_hear(struct sending *u, int flags);

/* A start, a clean stop, and what came of it. */
const char *sending_all(struct sending *u);

/* A batch of points of the series named so: "c 5" a counter's, "a 5" one that was counted before, "g 5" a reading.
 */
void sending_put(struct sending *u, const char *points);

#endif
