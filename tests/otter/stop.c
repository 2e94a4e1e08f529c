#include "tests/otter/stop.h"

#include <errno.h>
#include <time.h>

void fo_stop_init(struct fo_stop *stop)
{
        pthread_condattr_t monotonic;

        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&stop->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
        pthread_mutex_init(&stop->lock, NULL);
        stop->stopped = false;
}

void fo_stop_fini(struct fo_stop *stop)
{
        pthread_cond_destroy(&stop->changed);
        pthread_mutex_destroy(&stop->lock);
}

void fo_stop_set(struct fo_stop *stop)
{
        pthread_mutex_lock(&stop->lock);
        stop->stopped = true;
        pthread_cond_broadcast(&stop->changed);
        pthread_mutex_unlock(&stop->lock);
}

bool fo_stop_wait(struct fo_stop *stop, int64_t deadline)
{
        struct timespec until = {
                .tv_sec = (time_t)(deadline / FO_SECOND),
                .tv_nsec = (long)(deadline % FO_SECOND),
        };
        bool stopped;

        pthread_mutex_lock(&stop->lock);
        while (!stop->stopped) {
                if (pthread_cond_timedwait(&stop->changed, &stop->lock, &until) == ETIMEDOUT)
                        break;
        }
        stopped = stop->stopped;
        pthread_mutex_unlock(&stop->lock);
        return stopped;
}

int64_t fo_clock_now(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * FO_SECOND + now.tv_nsec;
}

int64_t fo_clock_after(double seconds)
{
        return fo_clock_now() + (int64_t)(seconds * (double)FO_SECOND);
}
