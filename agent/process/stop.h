/*
 * The wish to stop, and waiting that such a wish cuts short. Any thread.
 *
 * There are two, since the agent stops from left to right: one for all workers, then one for all sinks.
 */
#ifndef OB_PROCESS_STOP_H
#define OB_PROCESS_STOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ob_stop {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool wanted;
        int64_t deadline; /* on ob_clock_ms(), when wanted: be done by then */
};

void ob_stop_init(struct ob_stop *s);
void ob_stop_fini(struct ob_stop *s);

void ob_stop_want(struct ob_stop *s, int64_t deadline);
bool ob_stop_is_wanted(struct ob_stop *s);

/* When to be done by; INT64_MAX while no stop is wanted. */
int64_t ob_stop_deadline(struct ob_stop *s);

/* Waits until `deadline` on ob_clock_ms(). True at once when a stop is wanted. */
bool ob_stop_wait(struct ob_stop *s, int64_t deadline);

/* A condition that ob_clock_deadline() fits. */
void ob_cond_init(pthread_cond_t *cond);

#endif
