#include "tests/unit/sending.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"

#define QUIET_US 200000 /* after that nothing more comes of what was sent */

void sending_listen_on(struct sending *u, int port)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        socklen_t length = sizeof(at);

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        u->fd = socket(AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(bind(u->fd, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(getsockname(u->fd, (struct sockaddr *)&at, &length), 0);
        u->settings.port = ntohs(at.sin_port);
}

void sending_listen_on_unix(struct sending *u, const char *path)
{
        const struct timeval quiet = { .tv_usec = QUIET_US };
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
        u->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        assert_int_equal(bind(u->fd, (struct sockaddr *)&at, sizeof(at)), 0);
        setsockopt(u->fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet));
        u->settings.socket = path;
}

void sending_hang_up(struct sending *u)
{
        close(u->fd);
        u->fd = -1;
}

int sending_set_up(void **state)
{
        struct sending *u = ob_alloc(1, sizeof(*u));
        void *w;

        *state = u;
        if (world_on_disk(&w))
                return -1;
        u->w = w;
        u->settings = (struct ob_sink_settings) { .type = OB_SINK_STATSD,
                .name = "statsd",
                .host = "127.0.0.1",
                .socket = "",
                .payload = 64,
                .counters = OB_COUNTERS_BOTH };
        ob_counters_init(&u->counters, 0, 2); /* one is not started; tests say what it has passed */
        sending_listen_on(u, 0);
        return ob_queue_open(&u->queue, u->w->state_dir.anchor, SENDING_BYTES, &u->counters, &u->w->err);
}

int sending_tear_down(void **state)
{
        struct sending *u = *state;
        void *w = u->w;

        if (u->fd >= 0)
                close(u->fd);
        ob_queue_close(&u->queue);
        ob_counters_fini(&u->counters);
        world_tear_down(&w);
        free(u);
        return 0;
}

void sending_start(struct sending *u)
{
        ob_stop_init(&u->stop);
        u->counters.sinks[0] = (struct ob_sink_counters) { .name = "statsd" };
        u->sink = (struct ob_sink) { .settings = &u->settings,
                .prefix = "o",
                .queue = &u->queue,
                .counters = &u->counters.sinks[0],
                .stop = &u->stop,
                .state_dir = &u->w->state_dir };
        world_ok(u->w, ob_sink_start(&u->sink, &u->w->err));
}

void sending_stop(struct sending *u, int64_t within_ms)
{
        ob_stop_want(&u->stop, ob_clock_ms() + within_ms);
        ob_queue_wake(&u->queue);
        ob_sink_join(&u->sink);
        ob_stop_fini(&u->stop);
}

const char *sending_hear(struct sending *u, int flags)
{
        size_t length = 0;
        ssize_t got;

        while ((got = recv(u->fd, u->heard + length, sizeof(u->heard) - length - 1, flags)) > 0)
                length += (size_t)got;
        u->heard[length] = '\0';
        return u->heard;
}

const char *sending_all(struct sending *u)
{
        sending_start(u);
        sending_stop(u, SENDING_DRAIN_MS);
        assert_true(u->sink.is_clean);
        return sending_hear(u, MSG_DONTWAIT);
}

void sending_put(struct sending *u, const char *points)
{
        struct ob_batch *b = ob_batch_new();
        const struct ob_bytes *blob;

        ob_batch_start(b, 1587312000);
        for (const char *at = points; *at; at += strcspn(at, ",") + (strchr(at, ',') ? 1 : 0)) {
                const char name[] = { at[0] == 'a' ? 'c' : at[0], '\0' };
                const struct ob_series s = { .kind = at[0] == 'g' ? OB_GAUGE : OB_COUNTER,
                        .deliver_to = at[0] == 'a' ? OB_TO_IDEMPOTENT : OB_TO_ALL,
                        .name = name };

                ob_batch_add(b, &(struct ob_metric) { &s, 1587312000, ob_whole(strtol(at + 2, NULL, 10)) });
        }
        blob = ob_batch_blob(b);
        world_ok(u->w, ob_store_put_batch(u->w->st, ob_batch_points(b), blob, &u->w->err));
        ob_batch_free(b);
}
