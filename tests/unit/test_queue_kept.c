/* The batches that the queue keeps in memory: a sink gets the same from memory as from the store. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/store/queue.h"
#include "proto/memory.h"
#include "tests/unit/world.h"

#define MADE      1587312000
#define MAX_BYTES (INT64_C(1) << 30)

struct kept {
        struct ob_queue q;
        struct ob_counters counters;
        void *world;
        struct ob_batch *writer;
        struct ob_stored_batch got;
        int64_t next; /* the number that the store will give */
};

static int set_up(void **state)
{
        struct kept *k = ob_alloc(1, sizeof(*k));
        struct world *w;

        *state = k;
        if (world_in_memory(&k->world))
                return -1;
        w = k->world;
        ob_counters_init(&k->counters, 0, 1);
        k->writer = ob_batch_new();
        k->next = 1;
        return ob_queue_open(&k->q, w->state_dir.anchor, MAX_BYTES, &k->counters, &w->err);
}

/* The queue is closed with batches in memory: the memory checker says whether the queue releases them. */
static int tear_down(void **state)
{
        struct kept *k = *state;

        ob_stored_batch_free(&k->got);
        ob_queue_close(&k->q);
        ob_batch_free(k->writer);
        ob_counters_fini(&k->counters);
        world_tear_down(&k->world);
        free(k);
        return 0;
}

/* A batch of `points` points, each with a series of its own. The first point has the value `value`. */
static struct ob_sealed_batch *seal(struct kept *k, int64_t value, int points)
{
        char id[16];
        const struct ob_series series = { .kind = OB_GAUGE, .name = "x", .n_tags = 1, .tags = { { "k", id } } };

        ob_batch_start(k->writer, MADE);
        for (int i = 0; i < points; i++) {
                snprintf(id, sizeof(id), "%d", i);
                ob_batch_add(k->writer, &(struct ob_metric) { &series, MADE, ob_whole(value + i) });
        }
        return ob_batch_seal(k->writer, true);
}

/* Puts a batch into the store; the caller owns the reference. Its value is its number. */
static struct ob_sealed_batch *put(struct kept *k, int points)
{
        struct world *w = k->world;
        struct ob_sealed_batch *s = seal(k, k->next, points);

        world_ok(w, ob_store_put_batch(w->st, ob_sealed_batch_points(s), ob_sealed_batch_blob(s), &w->err));
        assert_int_equal(ob_store_last_put(w->st), k->next);
        k->next++;
        return s;
}

static void keep(struct kept *k, int64_t seq, struct ob_sealed_batch *s)
{
        ob_queue_keep(&k->q, seq, &s, 1);
        ob_sealed_batch_release(s);
}

static void put_and_keep(struct kept *k, int points)
{
        int64_t seq = k->next;

        keep(k, seq, put(k, points));
}

static int64_t first_value(const struct ob_stored_batch *b)
{
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        struct ob_metric m;
        unsigned series;

        assert_true(ob_stored_batch_open(b, &r));
        assert_int_equal(ob_batch_next(&r, &m, &series), 1);
        return m.value.whole;
}

/* The next batch must be batch `seq` with its own content, from memory or from the store. */
static void assert_next(struct kept *k, int64_t seq, unsigned points, bool is_from_memory)
{
        struct world *w = k->world;
        struct ob_stored_batch stored = { .seq = 0 };

        assert_int_equal(ob_queue_next(&k->q, w->st, seq - 1, &k->got, &w->err), 1);
        assert_int_equal(k->got.seq, seq);
        assert_int_equal(k->got.points, points);
        assert_int_equal(first_value(&k->got), seq);
        if (!k->got.sealed == is_from_memory)
                fail_msg("batch %lld is%s from memory", (long long)seq, is_from_memory ? " not" : "");
        assert_int_equal(ob_store_next_batch(w->st, seq - 1, &stored, &w->err), 1);
        assert_int_equal(stored.seq, seq);
        assert_int_equal(stored.points, k->got.points);
        assert_int_equal(stored.bytes, k->got.bytes);
        ob_stored_batch_free(&stored);
}

static void assert_none(struct kept *k, int64_t after)
{
        struct world *w = k->world;

        assert_int_equal(ob_queue_next(&k->q, w->st, after, &k->got, &w->err), 0);
}

static void what_is_kept_comes_from_memory_and_the_rest_from_the_store(void **state)
{
        struct kept *k = *state;

        assert_none(k, 0);
        put_and_keep(k, 3);
        ob_sealed_batch_release(put(k, 4)); /* as if the worker had committed the batch, but not yet kept it */
        put_and_keep(k, 5);
        for (int round = 0; round < 2; round++) {
                assert_next(k, 1, 3, true);
                assert_next(k, 2, 4, false);
                assert_next(k, 3, 5, true);
                assert_none(k, 3);
        }
}

static void batches_of_one_commit_follow_one_another(void **state)
{
        struct kept *k = *state;
        struct ob_sealed_batch *sealed[5];

        put_and_keep(k, 1);
        for (int i = 0; i < 5; i++)
                sealed[i] = put(k, 2 + i);
        ob_queue_keep(&k->q, 2, sealed, 5);
        for (int i = 0; i < 5; i++)
                ob_sealed_batch_release(sealed[i]);
        for (unsigned i = 0; i < 6; i++)
                assert_next(k, 1 + i, 1 + i, true);
        assert_none(k, 6);
}

/* Two workers commit one after the other, and keep their batches the other way round. */
static void the_order_is_that_of_the_numbers(void **state)
{
        struct kept *k = *state;
        struct ob_sealed_batch *of_one[2], *of_other[2];

        for (int i = 0; i < 2; i++)
                of_one[i] = put(k, 1 + i);
        for (int i = 0; i < 2; i++)
                of_other[i] = put(k, 3 + i);
        ob_queue_keep(&k->q, 3, of_other, 2);
        assert_next(k, 1, 1, false); /* and not batch 3, which is the first batch in memory */
        ob_queue_keep(&k->q, 1, of_one, 2);
        for (int i = 0; i < 2; i++) {
                ob_sealed_batch_release(of_one[i]);
                ob_sealed_batch_release(of_other[i]);
        }
        for (unsigned i = 1; i <= 4; i++)
                assert_next(k, i, i, true);
        assert_none(k, 4);
}

/* A number that the store does not have yet, or no longer has, gets no other batch from memory. */
static void a_kept_batch_has_one_number_only(void **state)
{
        struct kept *k = *state;

        put_and_keep(k, 1);
        assert_none(k, 1);
        assert_none(k, OB_QUEUE_KEPT);
        assert_none(k, 2 * OB_QUEUE_KEPT);
}

static void an_old_batch_gives_way_to_new_ones(void **state)
{
        struct kept *k = *state;
        const int64_t n = OB_QUEUE_KEPT + 8;

        for (int64_t i = 0; i < n; i++)
                put_and_keep(k, 1);
        for (int64_t seq = 1; seq <= n; seq++)
                assert_next(k, seq, 1, seq > n - OB_QUEUE_KEPT);
        assert_none(k, n);
}

/* The size in memory of a batch with so many points; a larger value of its first point takes a byte or two more. */
static int64_t bytes_of(int points)
{
        struct kept k = { .writer = ob_batch_new() };
        struct ob_sealed_batch *s = seal(&k, 1, points);
        int64_t size = (int64_t)ob_sealed_batch_size(s);

        ob_sealed_batch_release(s);
        ob_batch_free(k.writer);
        return size;
}

static void there_is_an_end_to_the_memory_of_batches(void **state)
{
        struct kept *k = *state;
        const int64_t size = bytes_of(OB_BATCH_POINTS), fit = OB_QUEUE_KEPT_BYTES / size, n = 3 * fit;

        assert_in_range(fit, 2, OB_QUEUE_KEPT / 3);
        for (int64_t i = 0; i < n; i++) {
                put_and_keep(k, OB_BATCH_POINTS);
                assert_true(k->q.kept_bytes <= OB_QUEUE_KEPT_BYTES);
        }
        for (int64_t seq = 1; seq <= n; seq++)
                assert_next(k, seq, OB_BATCH_POINTS, seq > n - fit);
        assert_true(k->q.kept_bytes > (fit - 1) * size);
        for (int64_t i = 0; i < OB_QUEUE_KEPT; i++) /* small batches push out the large ones, by number */
                put_and_keep(k, 1);
        assert_in_range(k->q.kept_bytes, OB_QUEUE_KEPT * bytes_of(1), OB_QUEUE_KEPT * (bytes_of(1) + 2));
}

/* The batch with the lowest number is released first, also when it comes last. */
static void by_bytes_too_the_lowest_number_gives_way_first(void **state)
{
        struct kept *k = *state;
        const int64_t fit = OB_QUEUE_KEPT_BYTES / bytes_of(OB_BATCH_POINTS);
        struct ob_sealed_batch *late = put(k, OB_BATCH_POINTS);

        for (int64_t i = 0; i < fit; i++)
                put_and_keep(k, OB_BATCH_POINTS);
        keep(k, 1, late);
        assert_next(k, 1, OB_BATCH_POINTS, false);
        for (int64_t seq = 2; seq < 2 + fit; seq++)
                assert_next(k, seq, OB_BATCH_POINTS, true);
}

/* A sink keeps its batch while the queue gives the place of this batch to other batches. */
static void a_batch_stays_while_a_sink_has_it(void **state)
{
        struct kept *k = *state;

        put_and_keep(k, 2);
        assert_next(k, 1, 2, true);
        for (int64_t i = 0; i < 2 * OB_QUEUE_KEPT; i++)
                put_and_keep(k, 1);
        assert_int_equal(first_value(&k->got), 1);
        assert_int_equal(k->got.seq, 1);
        assert_next(k, 2, 1, false);
        assert_null(k->got.sealed);
}

#define HANDED 2000

struct sink {
        struct kept *k;
        int64_t wrong; /* batches */
};

static void *take_all(void *arg)
{
        struct sink *s = arg;
        struct ob_stored_batch b = { .seq = 0 };
        struct world *w = s->k->world;
        struct ob_store *own = ob_store_open(&w->state_dir, &w->err);
        struct ob_err err;

        while (own && b.seq < HANDED) {
                int64_t after = b.seq;
                int got = ob_queue_next(&s->k->q, own, after, &b, &err);

                if (got == 1)
                        s->wrong += b.seq != after + 1 || first_value(&b) != b.seq;
                else if (got < 0)
                        break;
        }
        s->wrong += HANDED - b.seq;
        ob_stored_batch_free(&b);
        ob_store_close(own);
        return NULL;
}

static void a_sink_gets_each_batch_while_a_worker_goes_on(void **state)
{
        struct kept *k = *state;
        struct sink sinks[2] = { { .k = k }, { .k = k } };
        pthread_t threads[2];

        for (int i = 0; i < 2; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, take_all, &sinks[i]), 0);
        for (int i = 0; i < HANDED; i++)
                put_and_keep(k, 1 + i % 50);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(sinks[i].wrong, 0);
        }
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                WITH_QUEUE(what_is_kept_comes_from_memory_and_the_rest_from_the_store),
                WITH_QUEUE(batches_of_one_commit_follow_one_another),
                WITH_QUEUE(the_order_is_that_of_the_numbers),
                WITH_QUEUE(a_kept_batch_has_one_number_only),
                WITH_QUEUE(an_old_batch_gives_way_to_new_ones),
                WITH_QUEUE(there_is_an_end_to_the_memory_of_batches),
                WITH_QUEUE(by_bytes_too_the_lowest_number_gives_way_first),
                WITH_QUEUE(a_batch_stays_while_a_sink_has_it),
                WITH_QUEUE(a_sink_gets_each_batch_while_a_worker_goes_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
