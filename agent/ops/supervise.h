/*
 * What the service manager is told: that we are ready, reload, stop, and in a line how we get on. It hears from our
 * watchdog as long as every thread was heard of when it should; if one was not, the log says so in any case. A
 * database or a sink that is down is no reason to start us again, which would not mend it. The main thread's.
 */
#ifndef OB_OPS_SUPERVISE_H
#define OB_OPS_SUPERVISE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/ops/status_view.h"
#include "agent/process/stop.h"
#include "proto/error.h"

struct ob_supervise {
        int64_t beat_at;    /* ob_clock_ms() */
        struct ob_err told; /* the last status */
        bool is_stuck_logged;
        pthread_t feeder; /* 0: there is none; it owns nothing, and reads … */
        struct ob_stop over;
        int64_t fed_until; /* ob_clock_ms() */
};

void ob_supervise_ready(struct ob_supervise *s);
void ob_supervise_reloading(struct ob_supervise *s);
void ob_supervise_stopping(struct ob_supervise *s);

/*
 * From here to ob_supervise_idle the main thread is at work, as at a stop and a start, and a thread feeds the
 * watchdog in its place: for `ms` milliseconds, in which every time-out has passed, in any case; behind them as
 * long as this process uses the processor, which one that hangs does not.
 */
void ob_supervise_busy(struct ob_supervise *s, int64_t ms);
void ob_supervise_idle(struct ob_supervise *s);

/* How long the next call of ob_supervise_tick may be waited for, in milliseconds. */
int64_t ob_supervise_wait_ms(void);

void ob_supervise_tick(struct ob_supervise *s, const struct ob_status_of *of);

#endif
