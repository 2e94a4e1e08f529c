#include "agent/process/stop.h"

#include <errno.h>

#include "agent/process/clock.h"

void ob_cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t attr;

        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &attr);
        pthread_condattr_destroy(&attr);
}

void ob_stop_init(struct ob_stop *s)
{
        *s = (struct ob_stop) { .wanted = false };
        pthread_mutex_init(&s->lock, NULL);
        ob_cond_init(&s->changed);
}

void ob_stop_fini(struct ob_stop *s)
{
        pthread_cond_destroy(&s->changed);
        pthread_mutex_destroy(&s->lock);
}

void ob_stop_want(struct ob_stop *s, int64_t deadline)
{
        pthread_mutex_lock(&s->lock);
        if (!s->wanted || deadline < s->deadline)
                s->deadline = deadline;
        s->wanted = true;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
}

bool ob_stop_is_wanted(struct ob_stop *s)
{
        return ob_stop_wait(s, 0);
}

int64_t ob_stop_deadline(struct ob_stop *s)
{
        int64_t deadline;

        pthread_mutex_lock(&s->lock);
        deadline = s->wanted ? s->deadline : INT64_MAX;
        pthread_mutex_unlock(&s->lock);
        return deadline;
}

bool ob_stop_wait(struct ob_stop *s, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);
        bool wanted;

        pthread_mutex_lock(&s->lock);
        while (!s->wanted && deadline > ob_clock_ms())
                if (pthread_cond_timedwait(&s->changed, &s->lock, &until) == ETIMEDOUT)
                        break;
        wanted = s->wanted;
        pthread_mutex_unlock(&s->lock);
        return wanted;
}
