/*
 * Messages to the service manager: that the agent is ready, reloads or stops, and its status in one line. The
 * watchdog message is sent as long as every thread shows life in time; a stuck thread is always logged. A database
 * or sink that is down does not stop the message, since a restart would not help. The main thread owns this.
 */
#ifndef OB_OPS_SUPERVISE_H
#define OB_OPS_SUPERVISE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/process/stop.h"
#include "agent/status/view.h"
#include "proto/error.h"

struct ob_supervise {
        int64_t beat_at;    /* ob_clock_ms() */
        struct ob_err sent; /* the last status line that was sent */
        bool is_stuck_logged;
        pthread_t feeder; /* sends watchdog messages while the main thread is busy; 0: not running */
        struct ob_stop over;
        int64_t fed_until; /* read by the feeder; on ob_clock_ms() */
};

void ob_supervise_ready(struct ob_supervise *s);
void ob_supervise_reloading(struct ob_supervise *s);
void ob_supervise_stopping(struct ob_supervise *s);

/*
 * From here to ob_supervise_idle the main thread is busy, as in a stop or a start, and a thread feeds the watchdog
 * in its place. It always does for `ms` milliseconds, in which all time-outs pass; later only while this process
 * uses processor time, which a hanging process does not.
 */
void ob_supervise_busy(struct ob_supervise *s, int64_t ms);
void ob_supervise_idle(struct ob_supervise *s);

/* The longest time until the next call of ob_supervise_tick, in milliseconds. */
int64_t ob_supervise_wait_ms(void);

void ob_supervise_tick(struct ob_supervise *s, const struct ob_status_of *of);

#endif
