/*
 * The health of one source or sink: since when it fails, by when its thread must show life again, its last error,
 * and the work of each minute of the last hour. The thread that owns the source or sink writes the health, any
 * thread reads it. Nothing but copying is done under the lock.
 */
#ifndef OB_PROCESS_HEALTH_H
#define OB_PROCESS_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

#define OB_HEALTH_MINUTES 60

/*
 * Milliseconds. SPARE is added to each promised wait, for a busy machine; BUSY is the longest time between two
 * signs of life of a working thread.
 */
#define OB_HEALTH_SPARE 60000
#define OB_HEALTH_BUSY  600000

struct ob_minute {
        int64_t number; /* minutes since 1970 */
        int64_t done;   /* rows read, or points sent */
        int64_t failures;
};

struct ob_health {
        _Atomic int64_t failing_since; /* ob_clock_ms(); 0: the source or sink does not fail */
        _Atomic int64_t due;    /* ob_clock_ms(): a thread that shows no life by then is stuck; 0: no promise yet */
        atomic_bool is_waiting; /* waits for room in the queue or on the disk */

        pthread_mutex_t lock; /* guards all members below */
        char error[OB_ERR_MAX];
        int64_t error_at;                            /* seconds since 1970; 0: nothing went wrong yet */
        struct ob_minute minutes[OB_HEALTH_MINUTES]; /* at index number % OB_HEALTH_MINUTES */
};

void ob_health_init(struct ob_health *h);
void ob_health_fini(struct ob_health *h);

/* The thread begins: it does not fail, and has promised nothing yet. */
void ob_health_begin(struct ob_health *h);

/* The thread promises its next sign of life within `ms` milliseconds. */
void ob_health_promise(struct ob_health *h, int64_t ms);

void ob_health_fail(struct ob_health *h, const char *error);
void ob_health_recover(struct ob_health *h);

/* So many rows were read, or points sent. */
void ob_health_add(struct ob_health *h, int64_t done);

/* A copy of the members that the lock guards, with the minutes in order; `now` is in seconds since 1970. */
struct ob_health_story {
        char error[OB_ERR_MAX];
        int64_t error_at;
        struct ob_minute minutes[OB_HEALTH_MINUTES]; /* the last minute is that of `now` */
};
void ob_health_read(struct ob_health *h, int64_t now, struct ob_health_story *out);

#endif
