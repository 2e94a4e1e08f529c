/*
 * The end of a run, and the clock that deadlines are told in (monotonic, nanoseconds).
 */
#ifndef FO_STOP_H
#define FO_STOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FO_SECOND INT64_C(1000000000)

struct fo_stop {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool stopped;
};

void fo_stop_init(struct fo_stop *stop);
void fo_stop_fini(struct fo_stop *stop);

/* Wakes everyone who waits, now and later. */
void fo_stop_set(struct fo_stop *stop);

/* Waits until `deadline`; true when the run is over, at once if it already is. */
bool fo_stop_wait(struct fo_stop *stop, int64_t deadline);

int64_t fo_clock_now(void);
int64_t fo_clock_after(double seconds);

#endif
