/*
 * How a source or sink gets on: since when it fails, by when it will be heard of again, what went wrong last, and
 * what it did in each minute of the last hour. Written by the thread that owns it, read by any; under its lock
 * there is only copying.
 */
#ifndef OB_PROCESS_HEALTH_H
#define OB_PROCESS_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

#define OB_HEALTH_MINUTES 60

/* Milliseconds: what a promise leaves to a busy machine, and the longest from one sign of life of a thread that is
 * at work to the next: many time-outs. */
#define OB_HEALTH_SPARE 60000
#define OB_HEALTH_BUSY  600000

struct ob_minute {
        int64_t number; /* since 1970 */
        int64_t done;   /* rows read, or points sent */
        int64_t failures;
};

struct ob_health {
        _Atomic int64_t failing_since; /* ob_clock_ms(); 0: it does not fail */
        _Atomic int64_t due;           /* ob_clock_ms(): heard of by then, or it is stuck; 0: it was not begun */
        atomic_bool is_waiting;        /* for room in the queue */

        pthread_mutex_t lock; /* of what follows */
        char error[OB_ERR_MAX];
        int64_t error_at;                            /* seconds since 1970; 0: nothing went wrong yet */
        struct ob_minute minutes[OB_HEALTH_MINUTES]; /* by number, modulo */
};

void ob_health_init(struct ob_health *h);
void ob_health_fini(struct ob_health *h);

/* The thread will be heard of again within so many milliseconds. */
void ob_health_promise(struct ob_health *h, int64_t ms);

void ob_health_fail(struct ob_health *h, const char *error);
void ob_health_recover(struct ob_health *h);

/* Rows were read, or points sent. */
void ob_health_add(struct ob_health *h, int64_t done);

/* What is behind the lock, the last hour in order; `now` in seconds since 1970. */
struct ob_health_story {
        char error[OB_ERR_MAX];
        int64_t error_at;
        struct ob_minute minutes[OB_HEALTH_MINUTES]; /* the last one is that of `now` */
};
void ob_health_read(struct ob_health *h, int64_t now, struct ob_health_story *out);

#endif
