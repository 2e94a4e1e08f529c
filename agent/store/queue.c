#include "agent/store/queue.h"

#include <stdlib.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define LOOK_AGAIN_MS 1000 /* a waiting worker checks this often which sinks are down */

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

/* The caller holds the lock. */
static void tell(struct ob_queue *q)
{
        q->news++;
        pthread_cond_broadcast(&q->told);
}

/* The caller holds the lock. Asks the sinks that are down to drop batches that no delivering sink needs. */
static bool ask_to_drop(struct ob_queue *q)
{
        size_t n = q->counters->n_sinks;
        int64_t needed = INT64_MIN; /* batch: no delivering sink needs a batch up to this one */
        bool is_asked = false;

        for (size_t i = 0; i < n; i++)
                if (!q->sinks[i].is_down && (needed == INT64_MIN || q->sinks[i].acked < needed))
                        needed = q->sinks[i].acked;
        for (size_t i = 0; i < n; i++)
                if (q->sinks[i].is_down && q->sinks[i].acked < needed) {
                        q->sinks[i].drop_upto = needed;
                        is_asked = true;
                }
        if (is_asked)
                tell(q);
        return is_asked;
}

/* The caller holds the lock. Asks sinks to drop batches, or notes what the worker waits for. */
static void want_room(struct ob_queue *q, int64_t bytes)
{
        if (q->bytes + bytes <= q->max_bytes) /* dropping batches would only lose points */
                q->waits.disk = true;
        else if (!ask_to_drop(q))
                q->waits.sinks = true;
}

/* Takes the room, or waits a little for it. One lock at a time. */
static bool reserve_or_wait(struct ob_queue *q, int64_t bytes)
{
        struct timespec until = ob_clock_deadline(ob_clock_ms() + LOOK_AGAIN_MS);
        bool is_room;

        pthread_mutex_lock(&q->lock);
        is_room = q->bytes == 0 || q->bytes + bytes <= q->limit;
        if (is_room) {
                q->bytes += bytes;
        } else {
                want_room(q, bytes);
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
        pthread_mutex_lock(&q->lock);
        q->bytes -= bytes;
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_ack(struct ob_queue *q, size_t sink, int64_t acked, int64_t points, int64_t bytes)
{
        pthread_mutex_lock(&q->lock);
        q->sinks[sink].acked = acked;
        q->points -= points;
        q->bytes -= bytes;
        pthread_cond_broadcast(&q->room); /* if no room was freed, another sink may be asked now */
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_set_room(struct ob_queue *q, int64_t bytes)
{
        pthread_mutex_lock(&q->lock);
        q->limit = bytes < q->max_bytes - q->bytes ? q->bytes + bytes : q->max_bytes;
        q->limit = q->limit < 0 ? 0 : q->limit;
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
}

struct ob_queue_waits ob_queue_take_waits(struct ob_queue *q)
{
        struct ob_queue_waits waits;

        pthread_mutex_lock(&q->lock);
        waits = q->waits;
        q->waits = (struct ob_queue_waits) { .disk = false };
        pthread_mutex_unlock(&q->lock);
        return waits;
}

size_t ob_queue_keeper(struct ob_queue *q)
{
        size_t keeper = 0;

        pthread_mutex_lock(&q->lock);
        for (size_t i = 1; i < q->counters->n_sinks; i++)
                if (q->sinks[i].acked < q->sinks[keeper].acked)
                        keeper = i;
        pthread_mutex_unlock(&q->lock);
        return keeper;
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
                q->sinks[sink].drop_upto = 0;
                pthread_cond_broadcast(&q->room); /* a waiting worker must ask again */
        }
        pthread_mutex_unlock(&q->lock);
}

int64_t ob_queue_drop_upto(struct ob_queue *q, size_t sink)
{
        int64_t last;

        pthread_mutex_lock(&q->lock);
        last = q->sinks[sink].drop_upto;
        q->sinks[sink].drop_upto = 0;
        pthread_mutex_unlock(&q->lock);
        return last;
}
