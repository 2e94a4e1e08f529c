/* The batches in the store, and what each sink has passed of them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/unit/world.h"

static void free_batch(struct ob_stored_batch *b)
{
        ob_bytes_free(&b->body);
}

static void free_delivery(struct ob_delivery *p)
{
        ob_bytes_free(&p->saved_state);
}

/* `n` batches of 10 points and 5 bytes. */
static void put_batches(struct world *w, int n)
{
        const struct ob_bytes body = world_bytes("12345");

        for (int i = 0; i < n; i++)
                world_ok(w, ob_store_put_batch(w->st, 10, &body, &w->err));
}

/* The number of the next batch; 0: there is none. */
static int64_t next(struct world *w, int64_t after)
{
        ob_cleanup(free_batch) struct ob_stored_batch b = { .seq = 0 };

        world_ok(w, ob_store_next_batch(w->st, after, &b, &w->err));
        return b.seq;
}

static void put_delivery(struct world *w, const char *sink, int64_t acked)
{
        const struct ob_delivery p = { .acked = acked, .sent_upto = acked };

        world_ok(w, ob_store_put_delivery(w->st, sink, &p, &w->err));
}

static int64_t mark_of(struct world *w, const char *sink)
{
        ob_cleanup(free_delivery) struct ob_delivery p = { .acked = 0 };

        world_ok(w, ob_store_get_delivery(w->st, sink, &p, &w->err));
        assert_int_equal(p.sent_upto, p.acked);
        assert_int_equal(p.saved_state.length, 0);
        return p.acked;
}

static void drop(struct world *w)
{
        int64_t points, bytes;

        world_ok(w, ob_store_drop_acked(w->st, &points, &bytes, &w->err));
}

static void batches_come_in_the_order_they_went(void **state)
{
        static const char *const bodies[] = { "first", "", "the third\x01\xff" };
        struct world *w = *state;
        ob_cleanup(free_batch) struct ob_stored_batch b = { .seq = 0 };
        int64_t after = 0;

        assert_int_equal(ob_store_next_batch(w->st, 0, &b, &w->err), 0);
        for (unsigned i = 0; i < LENGTH(bodies); i++) {
                const struct ob_bytes body = world_bytes(bodies[i]);

                world_ok(w, ob_store_put_batch(w->st, i + 1, &body, &w->err));
        }
        for (unsigned i = 0; i < LENGTH(bodies); i++) {
                assert_int_equal(ob_store_next_batch(w->st, after, &b, &w->err), 1);
                assert_true(b.seq > after);
                assert_int_equal(b.points, i + 1);
                assert_int_equal(b.body.length, strlen(bodies[i]));
                if (b.body.length)
                        assert_memory_equal(b.body.data, bodies[i], b.body.length);
                after = b.seq;
        }
        assert_int_equal(ob_store_next_batch(w->st, after, &b, &w->err), 0);
}

static void a_body_may_hold_any_bytes(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_batch) struct ob_stored_batch b = { .seq = 0 };
        unsigned char all[256];

        for (unsigned i = 0; i < sizeof(all); i++)
                all[i] = (unsigned char)i;
        world_ok(w,
                ob_store_put_batch(w->st, 1, &(struct ob_bytes) { .data = all, .length = sizeof(all) }, &w->err));
        assert_int_equal(ob_store_next_batch(w->st, 0, &b, &w->err), 1);
        assert_int_equal(b.body.length, sizeof(all));
        assert_memory_equal(b.body.data, all, sizeof(all));
}

static const struct {
        int64_t after, points, bytes;
} sums[] = {
        { INT64_MIN, 40, 20 },
        { 0, 40, 20 },
        { 1, 30, 15 },
        { 3, 10, 5 },
        { 4, 0, 0 },
        { INT64_MAX, 0, 0 },
};

static void what_lies_behind_is_summed_up(void **state)
{
        struct world *w = *state;
        int64_t points = 1, bytes = 1;

        world_ok(w, ob_store_sum_batches(w->st, 0, &points, &bytes, &w->err));
        assert_true(points == 0 && bytes == 0);
        put_batches(w, 4);
        for (size_t i = 0; i < LENGTH(sums); i++) {
                world_ok(w, ob_store_sum_batches(w->st, sums[i].after, &points, &bytes, &w->err));
                assert_int_equal(points, sums[i].points);
                assert_int_equal(bytes, sums[i].bytes);
        }
}

/* A mark that was passed must never lie before a batch that is new. */
static void no_number_is_used_twice(void **state)
{
        struct world *w = *state;

        put_batches(w, 3);
        put_delivery(w, "statsd", 3);
        drop(w);
        assert_int_equal(next(w, 0), 0);
        put_batches(w, 1);
        assert_int_equal(next(w, 0), 4);

        put_delivery(w, "statsd", 4);
        drop(w);
        ob_store_close(w->st);
        if (w->folder) {
                ob_state_dir_close(&w->state_dir);
                world_ok(w, ob_state_dir_open(&w->state_dir, w->folder, &w->err));
                assert_string_equal(w->state_dir.aside, "");
        }
        w->st = ob_store_open(&w->state_dir, &w->err);
        put_batches(w, 1);
        assert_int_equal(next(w, 0), 5);
}

static void a_rolled_back_batch_never_was(void **state)
{
        struct world *w = *state;

        world_ok(w, ob_store_begin(w->st, &w->err));
        put_batches(w, 2);
        ob_store_rollback(w->st);
        assert_int_equal(next(w, 0), 0);
}

#define WRITERS 3
#define CYCLES  50

/* A worker with a connection of its own. */
static void *write_batches(void *arg)
{
        struct world *w = arg;
        struct ob_err err;
        struct ob_store *st = ob_store_open(&w->state_dir, &err);
        const struct ob_bytes body = world_bytes("12345");
        bool good = st;

        for (int i = 0; i < CYCLES && good; i++)
                good = !ob_store_begin(st, &err) && !ob_store_put_batch(st, 10, &body, &err) &&
                       !ob_store_commit(st, &err);
        ob_store_close(st);
        return good ? w : NULL;
}

static void writers_take_turns(void **state)
{
        struct world *w = *state;
        pthread_t threads[WRITERS];
        int64_t points, bytes;
        void *good;

        for (size_t i = 0; i < WRITERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, write_batches, w), 0);
        for (size_t i = 0; i < WRITERS; i++) {
                assert_int_equal(pthread_join(threads[i], &good), 0);
                assert_non_null(good);
        }
        world_ok(w, ob_store_sum_batches(w->st, 0, &points, &bytes, &w->err));
        assert_int_equal(points, WRITERS * CYCLES * 10);
}

static void what_a_sink_has_acked_is_kept(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_delivery) struct ob_delivery got = { .acked = 0 };
        const struct ob_delivery put = {
                .acked = 7, .sent_upto = 9, .saved_state = { (unsigned char *)"a\0b", 3, 3 }
        };

        world_ok(w, ob_store_put_delivery(w->st, "graphite", &put, &w->err));
        world_ok(w, ob_store_get_delivery(w->st, "graphite", &got, &w->err));
        assert_true(got.acked == 7 && got.sent_upto == 9 && got.saved_state.length == 3);
        assert_memory_equal(got.saved_state.data, "a\0b", 3);

        put_delivery(w, "graphite", 12);
        assert_int_equal(mark_of(w, "graphite"), 12);
}

static const struct {
        const char *name;
        int batches, dropped; /* the oldest of them */
        bool has_other;
        int64_t want;
} newcomers[] = {
        { "the first sink of an empty store", 0, 0, false, 0 },
        { "the first sink begins with the oldest batch", 3, 0, false, 0 },
        { "also when some are gone", 5, 3, false, 3 },
        { "a further one begins behind all", 3, 0, true, 3 },
        { "also when there are none", 3, 3, true, 0 },
};

static void a_sink_that_is_not_known_begins_somewhere(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(newcomers); i++) {
                void *at;
                struct world *w;
                int64_t got;

                assert_int_equal(world_in_memory(&at), 0);
                w = at;
                put_batches(w, newcomers[i].batches);
                if (newcomers[i].dropped || newcomers[i].has_other)
                        put_delivery(w, "other", newcomers[i].dropped);
                drop(w);
                if (!newcomers[i].has_other)
                        world_ok(w, ob_store_keep_sinks(w->st, NULL, 0, &w->err));
                got = mark_of(w, "new");
                if (got != newcomers[i].want)
                        fail_msg("%s: %lld", newcomers[i].name, (long long)got);
                put_batches(w, 1); /* wherever that was: what is new lies behind it */
                assert_true(next(w, got) > got && mark_of(w, "new") == got);
                world_tear_down(&at);
        }
}

static const struct {
        int64_t marks[3]; /* of as many sinks; -1: no more */
        int64_t first;    /* that is left; 0: none */
} drops[] = {
        { { -1 }, 1 },
        { { 0, -1 }, 1 },
        { { 2, -1 }, 3 },
        { { 4, -1 }, 0 },
        { { 9, -1 }, 0 },
        { { 3, 1, -1 }, 2 },
        { { 4, 4, 0 }, 1 },
        { { 4, 4, 4 }, 0 },
};

static void what_every_sink_has_acked_is_deleted(void **state)
{
        static const char *const names[] = { "a", "b", "c" };

        (void)state;
        for (size_t i = 0; i < LENGTH(drops); i++) {
                const int64_t dropped = drops[i].first ? drops[i].first - 1 : 4;
                int64_t points, bytes;
                void *at;
                struct world *w;

                assert_int_equal(world_in_memory(&at), 0);
                w = at;
                put_batches(w, 4);
                for (size_t n = 0; n < LENGTH(names) && drops[i].marks[n] >= 0; n++)
                        put_delivery(w, names[n], drops[i].marks[n]);
                world_ok(w, ob_store_drop_acked(w->st, &points, &bytes, &w->err));
                assert_int_equal(points, dropped * 10);
                assert_int_equal(bytes, dropped * 5);
                assert_int_equal(next(w, 0), drops[i].first);
                world_ok(w, ob_store_drop_acked(w->st, &points, &bytes, &w->err));
                assert_true(points == 0 && bytes == 0);
                world_tear_down(&at);
        }
}

static void a_sink_that_is_gone_holds_nothing(void **state)
{
        static const char *const kept[] = { "statsd", "not yet known" };
        struct world *w = *state;

        put_batches(w, 4);
        put_delivery(w, "statsd", 4);
        put_delivery(w, "gone", 1);
        put_delivery(w, "gone too", 2);
        drop(w);
        assert_int_equal(next(w, 0), 2);
        assert_int_equal(ob_store_keep_sinks(w->st, kept, LENGTH(kept), &w->err), 2);
        assert_int_equal(ob_store_keep_sinks(w->st, kept, LENGTH(kept), &w->err), 0);
        drop(w);
        assert_int_equal(next(w, 0), 0);
        assert_int_equal(mark_of(w, "statsd"), 4);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                EVERYWHERE(batches_come_in_the_order_they_went),
                EVERYWHERE(a_body_may_hold_any_bytes),
                EVERYWHERE(what_lies_behind_is_summed_up),
                EVERYWHERE(no_number_is_used_twice),
                EVERYWHERE(a_rolled_back_batch_never_was),
                EVERYWHERE(writers_take_turns),
                EVERYWHERE(what_a_sink_has_acked_is_kept),
                cmocka_unit_test(a_sink_that_is_not_known_begins_somewhere),
                cmocka_unit_test(what_every_sink_has_acked_is_deleted),
                EVERYWHERE(a_sink_that_is_gone_holds_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
