#include "agent/store/queue.h"

#include <stdlib.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define LOOK_AGAIN_MS 1000 /* the longest time that a worker waits before it asks again which sinks are down */

int ob_queue_open(struct ob_queue *q, struct ob_store *st, int64_t max_bytes, struct ob_counters *counters,
        struct ob_err *err)
{
        int64_t points, bytes;

        *q = (struct ob_queue) { .max_bytes = max_bytes, .limit = max_bytes, .counters = counters };
        pthread_mutex_init(&q->lock, NULL);
        ob_cond_init(&q->told);
        ob_cond_init(&q->room);
        q->sinks = ob_alloc(counters->n_sinks, sizeof(*q->sinks));
        if (ob_store_sum_batches(st, INT64_MIN, &points, &bytes, err))
                return -1;
        counters->queue_points = points;
        counters->queue_bytes = bytes;
        return 0;
}

void ob_queue_close(struct ob_queue *q)
{
        if (!q->sinks)
                return;
        for (size_t i = 0; i < OB_QUEUE_KEPT; i++)
                ob_sealed_batch_release(q->kept[i].sealed);
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

/* With the lock held: asks the sinks that are down to drop what no delivering sink needs. */
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

/* With the lock held: asks sinks for room, or notes what workers wait for. */
static void want_room(struct ob_queue *q, int64_t bytes)
{
        if (q->counters->queue_bytes + bytes <= q->max_bytes) /* dropping batches would only lose points */
                q->waits.disk = true;
        else if (!ask_to_drop(q))
                q->waits.sinks = true;
}

/* Reserves room if there is room; else waits a little for room. */
static bool reserve_or_wait(struct ob_queue *q, int64_t bytes)
{
        struct timespec until = ob_clock_deadline(ob_clock_ms() + LOOK_AGAIN_MS);
        bool is_room;

        pthread_mutex_lock(&q->lock);
        is_room = q->counters->queue_bytes == 0 || q->counters->queue_bytes + bytes <= q->limit;
        if (is_room) {
                q->counters->queue_bytes += bytes;
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

/* With the lock held: forgets a batch. */
static void forget(struct ob_queue *q, struct ob_queue_kept *k)
{
        if (!k->sealed)
                return;
        q->kept_bytes -= (int64_t)ob_sealed_batch_size(k->sealed);
        ob_sealed_batch_release(k->sealed);
        k->sealed = NULL;
}

/* With the lock held: the oldest batch in memory, where at least one must be. */
static struct ob_queue_kept *oldest(struct ob_queue *q)
{
        struct ob_queue_kept *found = NULL;

        for (size_t i = 0; i < OB_QUEUE_KEPT; i++)
                if (q->kept[i].sealed && (!found || q->kept[i].seq < found->seq))
                        found = &q->kept[i];
        return found;
}

static struct ob_queue_kept *place_of(struct ob_queue *q, int64_t seq)
{
        return &q->kept[(uint64_t)seq % OB_QUEUE_KEPT];
}

void ob_queue_keep(struct ob_queue *q, int64_t first, struct ob_sealed_batch *const *sealed, size_t n)
{
        pthread_mutex_lock(&q->lock);
        for (size_t i = 0; i < n; i++) {
                struct ob_queue_kept *k = place_of(q, first + (int64_t)i);

                forget(q, k);
                *k = (struct ob_queue_kept) { first + (int64_t)i, ob_sealed_batch_share(sealed[i]) };
                q->kept_bytes += (int64_t)ob_sealed_batch_size(sealed[i]);
                while (q->kept_bytes > OB_QUEUE_KEPT_BYTES)
                        forget(q, oldest(q));
        }
        pthread_mutex_unlock(&q->lock);
}

int ob_queue_next(
        struct ob_queue *q, struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err)
{
        const struct ob_queue_kept *k = place_of(q, after + 1);
        struct ob_sealed_batch *found = NULL;

        pthread_mutex_lock(&q->lock);
        if (k->sealed && k->seq == after + 1)
                found = ob_sealed_batch_share(k->sealed);
        pthread_mutex_unlock(&q->lock);
        if (!found)
                return ob_store_next_batch(st, after, b, err);
        ob_sealed_batch_release(b->sealed);
        b->sealed = found;
        b->seq = after + 1;
        b->points = ob_sealed_batch_points(found);
        b->bytes = (int64_t)ob_sealed_batch_blob(found)->length;
        return 1;
}

/* With the lock held: adds `points` to the queue and to each sink's `behind`; a negative number takes them back. */
static void expect(struct ob_queue *q, int64_t points)
{
        q->counters->queue_points += points;
        for (size_t i = 0; i < q->counters->n_sinks; i++)
                q->counters->sinks[i].behind += points;
}

void ob_queue_expect(struct ob_queue *q, int64_t points)
{
        pthread_mutex_lock(&q->lock);
        expect(q, points);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_publish(struct ob_queue *q, int64_t points)
{
        pthread_mutex_lock(&q->lock);
        for (size_t i = 0; i < q->counters->n_sinks; i++)
                q->counters->sinks[i].points += points;
        tell(q);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_release(struct ob_queue *q, int64_t bytes, int64_t points)
{
        pthread_mutex_lock(&q->lock);
        q->counters->queue_bytes -= bytes;
        expect(q, -points);
        pthread_cond_broadcast(&q->room);
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_ack(struct ob_queue *q, size_t sink, int64_t acked, int64_t points, int64_t bytes)
{
        pthread_mutex_lock(&q->lock);
        q->sinks[sink].acked = acked;
        q->counters->queue_points -= points;
        q->counters->queue_bytes -= bytes;
        pthread_cond_broadcast(&q->room); /* also when no byte was freed: another sink may now be asked for room */
        pthread_mutex_unlock(&q->lock);
}

void ob_queue_set_room(struct ob_queue *q, int64_t bytes)
{
        pthread_mutex_lock(&q->lock);
        q->limit =
                bytes < q->max_bytes - q->counters->queue_bytes ? q->counters->queue_bytes + bytes : q->max_bytes;
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
        *points = q->counters->queue_points;
        *bytes = q->counters->queue_bytes;
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
                pthread_cond_broadcast(&q->room); /* a waiting worker must ask the sinks again */
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
