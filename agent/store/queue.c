#include "agent/store/queue.h"

#include <stdlib.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define LOOK_AGAIN_MS 1000 /* the longest that a worker waits without looking who is down */

int ob_queue_open(struct ob_queue *q, struct ob_store *st, int64_t max_bytes, struct ob_counters *counters,
        struct ob_err *err)
{
        *q = (struct ob_queue) { .max_bytes = max_bytes, .limit = max_bytes, .counters = counters };
        pthread_mutex_init(&q->lock, NULL);
        ob_cond_init(&q->told);
        ob_cond_init(&q->room);
        q->sinks = ob_alloc(counters->n_sinks, sizeof(*q->sinks));
        return ob_store_sum_batches(st, INT64_MIN, &q->points, &q->bytes, err);
}

void ob_queue_close(struct ob_queue *q)
{
        if (!q->sinks)
                return;
        free(q->sinks);
        pthread_cond_destroy(&q->told);
        pthread_cond_destroy(&q->room);
        pthread_mutex_destroy(&q->lock);
        *q = (struct ob_queue) { .max_bytes = 0 };
}

/* With the lock held. */
static void tell(struct ob_queue *q)
{
        q->news++;
        pthread_cond_broadcast(&q->told);
}

/* With the lock held: whoever is down makes room, as long as somebody is not. */
static void ask_to_yield(struct ob_queue *q)
{
        size_t n = q->counters->n_sinks, down = 0;

        for (size_t i = 0; i < n; i++)
                down += q->sinks[i].is_down;
        if (!down || down == n)
                return;
        for (size_t i = 0; i < n; i++)
                q->sinks[i].must_yield |= q->sinks[i].is_down;
        tell(q);
}

/* Takes room if there is some; if not, waits a little for it. One lock at a time. */
static bool reserve_or_wait(struct ob_queue *q, int64_t bytes)
{
        struct timespec until = ob_clock_deadline(ob_clock_ms() + LOOK_AGAIN_MS);
        bool is_room;

        pthread_mutex_lock(&q->lock);
        is_room = q->bytes == 0 || q->bytes + bytes <= q->limit;
        if (is_room) {
                q->bytes += bytes;
        } else {
                if (q->bytes + bytes > q->max_bytes)
                        ask_to_yield(q);
                else /* giving up would only lose points */
                        q->lacks_disk = true;
                pthread_cond_timedwait(&q->room, &q->lock, &until);
        }
        pthread_mutex_unlock(&q->lock);
        return is_room;
}

bool ob_queue_reserve(struct ob_queue *q, int64_t bytes, struct ob_stop *stop)
{
        while (!reserve_or_wait(q, bytes))
                if (ob_stop_is_wanted(stop))
                        return false;
        return true;
}

void ob_queue_publish(struct ob_queue *q, int64_t points)
{
        pthread_mutex_lock(&q->lock);
        q->points += points;
        for (size_t i = 0; i < q->counters->n_sinks; i++) {
                q->counters->sinks[i].points += points;
                q->counters->sinks[i].behind += points;
        }
        tell(q);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_release(struct ob_queue *q, int64_t bytes)
{
        ob_queue_freed(q, 0, bytes);
}

void ob_queue_freed(struct ob_queue *q, int64_t points, int64_t bytes)
{
        pthread_mutex_lock(&q->lock);
        q->points -= points;
        q->bytes -= bytes;
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
}

bool ob_queue_set_room(struct ob_queue *q, int64_t bytes)
{
        bool was_lacking;

        pthread_mutex_lock(&q->lock);
        was_lacking = q->lacks_disk;
        q->lacks_disk = false;
        q->limit = bytes < q->max_bytes - q->bytes ? q->bytes + bytes : q->max_bytes;
        q->limit = q->limit < 0 ? 0 : q->limit;
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
        return was_lacking;
}

int64_t ob_queue_limit(struct ob_queue *q)
{
        int64_t limit;

        pthread_mutex_lock(&q->lock);
        limit = q->limit;
        pthread_mutex_unlock(&q->lock);
        return limit;
}

void ob_queue_size(struct ob_queue *q, int64_t *points, int64_t *bytes)
{
        pthread_mutex_lock(&q->lock);
        *points = q->points;
        *bytes = q->bytes;
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_wait(struct ob_queue *q, uint64_t *seen, int64_t deadline)
{
        struct timespec until = ob_clock_deadline(deadline);

        pthread_mutex_lock(&q->lock);
        while (q->news == *seen && ob_clock_ms() < deadline)
                pthread_cond_timedwait(&q->told, &q->lock, &until);
        *seen = q->news;
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_wake(struct ob_queue *q)
{
        pthread_mutex_lock(&q->lock);
        tell(q);
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_set_down(struct ob_queue *q, size_t sink, bool is_down)
{
        pthread_mutex_lock(&q->lock);
        if (q->sinks[sink].is_down != is_down) {
                q->sinks[sink].is_down = is_down;
                q->sinks[sink].must_yield = false;
                pthread_cond_broadcast(&q->room); /* a worker that waits must ask anew */
        }
        pthread_mutex_unlock(&q->lock);
}

bool ob_queue_must_yield(struct ob_queue *q, size_t sink)
{
        bool must;

        pthread_mutex_lock(&q->lock);
        must = q->sinks[sink].must_yield;
        q->sinks[sink].must_yield = false;
        pthread_mutex_unlock(&q->lock);
        return must;
}
