/*
 * What the service manager is told: that we are ready, reload, stop, and in a line how we get on. It hears from our
 * watchdog as long as every thread was heard of when it should; a database or a sink that is down is no reason to
 * start us again, which would not mend it. The main thread's.
 */
#ifndef OB_FACE_SUPERVISE_H
#define OB_FACE_SUPERVISE_H

#include <stdint.h>

#include "agent/face/status_view.h"
#include "proto/error.h"

struct ob_supervise {
        int64_t beat_at;    /* ob_clock_ms() */
        struct ob_err told; /* the last status */
        bool is_stuck_told; /* in the log */
};

void ob_supervise_ready(struct ob_supervise *s);
void ob_supervise_reloading(struct ob_supervise *s);
void ob_supervise_stopping(struct ob_supervise *s);

/* How long the next call of ob_supervise_tick may be waited for, in milliseconds. */
int64_t ob_supervise_wait_ms(void);

void ob_supervise_tick(struct ob_supervise *s, const struct ob_status_of *of);

#endif
