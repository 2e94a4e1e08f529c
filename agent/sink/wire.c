#include "agent/sink/wire.h"

#include <poll.h>

#include "agent/process/clock.h"

#define SLICE_MS 250 /* how soon a wanted stop is noticed */

void ob_wire_init(struct ob_wire *w, const struct ob_wire_ops *ops, const struct ob_sink_settings *settings,
        struct ob_stop *stop)
{
        *w = (struct ob_wire) { .ops = ops, .settings = settings, .stop = stop, .fd = -1 };
}

int ob_wire_poll(struct ob_wire *w, short events, int64_t deadline)
{
        struct pollfd p = { .fd = w->fd, .events = events };

        for (;;) {
                int64_t stop = ob_stop_deadline(w->stop), now = ob_clock_ms();
                int64_t left = (stop < deadline ? stop : deadline) - now;

                if (left <= 0)
                        return 0;
                if (poll(&p, 1, left < SLICE_MS ? (int)left : SLICE_MS) > 0)
                        return 1;
        }
}
