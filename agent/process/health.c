#include "agent/process/health.h"

#include <string.h>

#include "agent/process/clock.h"

#define MINUTE 60 /* seconds */

void ob_health_init(struct ob_health *h)
{
        memset(h, 0, sizeof(*h));
        pthread_mutex_init(&h->lock, NULL);
}

void ob_health_fini(struct ob_health *h)
{
        pthread_mutex_destroy(&h->lock);
}

void ob_health_begin(struct ob_health *h)
{
        h->failing_since = h->due = 0;
        h->is_waiting = false;
}

void ob_health_promise(struct ob_health *h, int64_t ms)
{
        h->due = ob_clock_ms() + ms;
}

/* The caller holds the lock. */
static struct ob_minute *minute_at(struct ob_health *h, int64_t now)
{
        struct ob_minute *m = &h->minutes[now / MINUTE % OB_HEALTH_MINUTES];

        if (m->number != now / MINUTE)
                *m = (struct ob_minute) { .number = now / MINUTE };
        return m;
}

void ob_health_fail(struct ob_health *h, const char *error)
{
        int64_t now = ob_clock_wall();

        if (!h->failing_since)
                h->failing_since = ob_clock_ms();
        pthread_mutex_lock(&h->lock);
        strncpy(h->error, error, sizeof(h->error) - 1);
        h->error_at = now;
        minute_at(h, now)->failures++;
        pthread_mutex_unlock(&h->lock);
}

void ob_health_recover(struct ob_health *h)
{
        h->failing_since = 0;
}

void ob_health_add(struct ob_health *h, int64_t done)
{
        int64_t now = ob_clock_wall();

        pthread_mutex_lock(&h->lock);
        minute_at(h, now)->done += done;
        pthread_mutex_unlock(&h->lock);
}

void ob_health_read(struct ob_health *h, int64_t now, struct ob_health_story *out)
{
        int64_t first = now / MINUTE - OB_HEALTH_MINUTES + 1;

        for (int64_t i = 0; i < OB_HEALTH_MINUTES; i++)
                out->minutes[i] = (struct ob_minute) { .number = first + i };
        pthread_mutex_lock(&h->lock);
        memcpy(out->error, h->error, sizeof(out->error));
        out->error_at = h->error_at;
        for (int64_t i = 0; i < OB_HEALTH_MINUTES; i++) {
                const struct ob_minute *m = &h->minutes[(first + i) % OB_HEALTH_MINUTES];

                if (m->number == first + i)
                        out->minutes[i] = *m;
        }
        pthread_mutex_unlock(&h->lock);
}
