#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/process/clock.h"
#include "agent/store/queue.h"
#include "proto/memory.h"
#include "tests/unit/world.h"

#define SINKS     3
#define MAX_BYTES 100
#define SOON_MS   50
#define NEVER_MS  60000

struct queued {
        struct ob_queue q;
        struct ob_counters counters;
        struct ob_stop stop;
        void *world;
};

static struct world *world_of(struct queued *u)
{
        return u->world;
}

static void open_queue(struct queued *u)
{
        struct world *w = u->world;

        world_ok(w, ob_queue_open(&u->q, w->state_dir.anchor, MAX_BYTES, &u->counters, &w->err));
}

static int set_up(void **state)
{
        struct queued *u = ob_alloc(1, sizeof(*u));

        *state = u;
        if (world_in_memory(&u->world))
                return -1;
        ob_counters_init(&u->counters, 0, SINKS);
        ob_stop_init(&u->stop);
        open_queue(u);
        return 0;
}

static int tear_down(void **state)
{
        struct queued *u = *state;

        ob_queue_close(&u->q);
        ob_queue_close(&u->q);
        ob_stop_fini(&u->stop);
        ob_counters_fini(&u->counters);
        world_tear_down(&u->world);
        free(u);
        return 0;
}

static void assert_size(struct queued *u, int64_t points, int64_t bytes)
{
        int64_t got_points, got_bytes;

        ob_queue_size(&u->q, &got_points, &got_bytes);
        assert_int_equal(got_points, points);
        assert_int_equal(got_bytes, bytes);
}

static void what_the_store_holds_is_counted(void **state)
{
        struct queued *u = *state;
        const struct ob_bytes body = world_bytes("12345");
        struct world *w = world_of(u);

        assert_size(u, 0, 0);
        for (unsigned i = 1; i <= 3; i++)
                world_ok(w, ob_store_put_batch(w->st, i, &body, &w->err));
        ob_queue_close(&u->q);
        open_queue(u);
        assert_size(u, 6, 15);
}

static void room_is_taken_and_given_back(void **state)
{
        struct queued *u = *state;

        assert_true(ob_queue_reserve(&u->q, 60, &u->stop));
        assert_size(u, 0, 60);
        ob_queue_expect(&u->q, 7);
        ob_queue_publish(&u->q, 7);
        assert_size(u, 7, 60);
        assert_true(ob_queue_reserve(&u->q, 40, &u->stop));
        ob_queue_expect(&u->q, 4);
        assert_size(u, 11, 100);
        ob_queue_release(&u->q, 40, 4);
        assert_size(u, 7, 60);
        ob_queue_ack(&u->q, 0, 1, 7, 60);
        assert_size(u, 0, 0);
}

/* A page may be larger than the whole queue; it must not wait for ever. */
static void an_empty_queue_takes_anything(void **state)
{
        struct queued *u = *state;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES * 10, &u->stop));
        assert_size(u, 0, MAX_BYTES * 10);
}

/* `behind` is never negative, even when a sink sends a batch before the batch is published. */
static void every_sink_is_behind_by_what_is_expected(void **state)
{
        struct queued *u = *state;

        u->counters.sinks[1].behind = 5;
        ob_queue_expect(&u->q, 7);
        assert_int_equal(u->counters.sinks[0].behind, 7);
        assert_int_equal(u->counters.sinks[1].behind, 12);
        assert_int_equal(u->counters.sinks[1].points, 0);
        u->counters.sinks[2].behind -= 7; /* it has sent all */
        ob_queue_publish(&u->q, 7);
        assert_int_equal(u->counters.sinks[1].points, 7);
        assert_int_equal(u->counters.sinks[1].behind, 12);
        assert_int_equal(u->counters.sinks[2].behind, 0);
        ob_queue_ack(&u->q, 0, 1, 7, 0);
        assert_int_equal(u->counters.sinks[0].behind, 7);
}

/* All sinks but the first. */
static void others_have_acked(struct queued *u, int64_t acked)
{
        for (size_t s = 1; s < SINKS; s++)
                ob_queue_ack(&u->q, s, acked, 0, 0);
}

/* A worker that wants one more byte than there is room for. */
struct worker {
        struct queued *u;
        pthread_t thread;
        atomic_bool is_done;
        bool got;
};

static void *want_a_byte(void *arg)
{
        struct worker *w = arg;

        w->got = ob_queue_reserve(&w->u->q, 1, &w->u->stop);
        w->is_done = true;
        return NULL;
}

static void start_worker(struct worker *w, struct queued *u)
{
        *w = (struct worker) { .u = u };
        assert_int_equal(pthread_create(&w->thread, NULL, want_a_byte, w), 0);
}

static bool join_worker(struct worker *w)
{
        assert_int_equal(pthread_join(w->thread, NULL), 0);
        return w->got;
}

static void a_worker_waits_until_there_is_room(void **state)
{
        struct queued *u = *state;
        struct worker w;
        uint64_t seen = 0;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        others_have_acked(u, 1);
        ob_queue_set_down(&u->q, 0, true);
        start_worker(&w, u);
        ob_queue_wait(&u->q, &seen, ob_clock_ms() + NEVER_MS); /* it asks the one that is down to yield */
        assert_int_equal(seen, 1);
        assert_false(w.is_done);
        assert_size(u, 0, MAX_BYTES);
        ob_queue_ack(&u->q, 0, 1, 0, 10);
        assert_true(join_worker(&w));
        assert_size(u, 0, MAX_BYTES - 9);
        assert_false(ob_queue_take_waits(&u->q).disk);
        assert_false(ob_queue_take_waits(&u->q).sinks); /* one was asked, and will make room */
}

/* Six workers without room, and a sink that is down and has nothing to give up: each looks once a second. */
static void who_waits_wakes_nobody_who_waits(void **state)
{
        struct queued *u = *state;
        struct worker workers[6];
        struct rusage before, after;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        ob_queue_set_down(&u->q, 0, true);
        getrusage(RUSAGE_SELF, &before);
        for (size_t i = 0; i < LENGTH(workers); i++)
                start_worker(&workers[i], u);
        assert_false(ob_stop_wait(&u->stop, ob_clock_ms() + 500));
        getrusage(RUSAGE_SELF, &after);
        assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 100);
        ob_stop_want(&u->stop, 0);
        ob_queue_wake(&u->q);
        for (size_t i = 0; i < LENGTH(workers); i++)
                assert_false(join_worker(&workers[i]));
}

static void a_stop_ends_the_waiting_and_takes_nothing(void **state)
{
        struct queued *u = *state;
        struct worker w;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        start_worker(&w, u);
        ob_stop_want(&u->stop, 0);
        assert_false(join_worker(&w));
        assert_size(u, 0, MAX_BYTES);
}

static void where_there_is_room_no_stop_matters(void **state)
{
        struct queued *u = *state;

        ob_stop_want(&u->stop, 0);
        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
}

static const struct {
        const char *name;
        int64_t acked[SINKS];
        bool is_down[SINKS];
        int64_t drop_upto[SINKS]; /* 0: it is not asked */
        size_t keeper;
} drops[] = {
        { "all deliver: they will make room by themselves", { 2, 1, 2 }, { false, false, false }, { 0, 0, 0 }, 1 },
        { "one is down", { 2, 1, 2 }, { false, true, false }, { 0, 2, 0 }, 1 },
        { "two are down", { 1, 5, 4 }, { true, false, true }, { 5, 0, 5 }, 0 },
        { "none delivers: the tables keep the rows", { 3, 2, 1 }, { true, true, true }, { 0, 0, 0 }, 2 },
        { "who delivers keeps as much", { 1, 1, 2 }, { false, true, false }, { 0, 0, 0 }, 0 },
        { "who delivers keeps more", { 2, 2, 1 }, { false, true, false }, { 0, 0, 0 }, 2 },
        { "one of two keeps less than who delivers", { 3, 4, 5 }, { true, false, true }, { 4, 0, 0 }, 0 },
};

static void the_disk_may_have_less_room(void **state)
{
        struct queued *u = *state;
        static const struct {
                int64_t room, limit;
        } cases[] = { { 1000, MAX_BYTES }, { 40, 50 }, { 0, 10 }, { -4, 6 }, { -1000, 0 },
                { INT64_MAX, MAX_BYTES } };

        assert_int_equal(ob_queue_limit(&u->q), MAX_BYTES);
        assert_true(ob_queue_reserve(&u->q, 10, &u->stop));
        ob_stop_want(&u->stop, 0);
        ob_queue_set_down(&u->q, 0, true);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                int64_t more = cases[i].limit - 10;

                ob_queue_set_room(&u->q, cases[i].room);
                assert_int_equal(ob_queue_limit(&u->q), cases[i].limit);
                assert_int_equal(ob_queue_reserve(&u->q, 1, &u->stop), more >= 1);
                assert_int_equal(ob_queue_take_waits(&u->q).disk, more < 1);
                assert_false(ob_queue_take_waits(&u->q).disk); /* asking has taken it back */
                ob_queue_release(&u->q, more >= 1, 0);
        }
        assert_int_equal(ob_queue_drop_upto(&u->q, 0), 0);
}

/* Lets a worker find the queue full, once. */
static void find_it_full(struct queued *u)
{
        struct worker w;

        ob_stop_want(&u->stop, 0);
        start_worker(&w, u);
        while (!w.is_done) {
                ob_queue_release(&u->q, 0, 0);
                sched_yield();
        }
        assert_false(join_worker(&w));
}

static void who_is_down_drops_when_others_deliver(void **state)
{
        struct queued *u = *state;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        for (size_t i = 0; i < LENGTH(drops); i++) {
                bool is_asked = false;

                for (size_t s = 0; s < SINKS; s++) {
                        ob_queue_ack(&u->q, s, drops[i].acked[s], 0, 0);
                        ob_queue_set_down(&u->q, s, drops[i].is_down[s]);
                        is_asked |= drops[i].drop_upto[s] != 0;
                }
                find_it_full(u);
                assert_int_equal(ob_queue_keeper(&u->q), drops[i].keeper);
                assert_int_equal(ob_queue_take_waits(&u->q).sinks, !is_asked);
                for (size_t s = 0; s < SINKS; s++) {
                        if (ob_queue_drop_upto(&u->q, s) != drops[i].drop_upto[s])
                                fail_msg("%s: sink %zu", drops[i].name, s);
                        assert_int_equal(ob_queue_drop_upto(&u->q, s), 0); /* asking has taken it back */
                }
        }
}

static void nobody_drops_while_there_is_room(void **state)
{
        struct queued *u = *state;

        ob_queue_set_down(&u->q, 0, true);
        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        assert_int_equal(ob_queue_drop_upto(&u->q, 0), 0);
}

static void who_delivers_again_need_not_drop(void **state)
{
        struct queued *u = *state;

        assert_true(ob_queue_reserve(&u->q, MAX_BYTES, &u->stop));
        others_have_acked(u, 1);
        ob_queue_set_down(&u->q, 0, true);
        find_it_full(u);
        ob_queue_set_down(&u->q, 0, false);
        assert_int_equal(ob_queue_drop_upto(&u->q, 0), 0);
}

static void waiting_ends_with_its_deadline(void **state)
{
        struct queued *u = *state;
        int64_t begin = ob_clock_ms();
        uint64_t seen = 0;

        ob_queue_wait(&u->q, &seen, begin + SOON_MS);
        assert_true(ob_clock_ms() >= begin + SOON_MS);
        assert_int_equal(seen, 0);
        ob_queue_release(&u->q, 0, 0); /* room is no news for a sink */
        ob_queue_set_down(&u->q, 0, true);
        ob_queue_wait(&u->q, &seen, ob_clock_ms());
        assert_int_equal(seen, 0);
}

static void news_that_came_before_is_seen_at_once(void **state)
{
        struct queued *u = *state;
        int64_t begin = ob_clock_ms();
        uint64_t seen = 0, other = 0;

        ob_queue_expect(&u->q, 1);
        ob_queue_publish(&u->q, 1);
        ob_queue_wake(&u->q);
        ob_queue_wait(&u->q, &seen, begin + NEVER_MS);
        ob_queue_wait(&u->q, &other, begin + NEVER_MS);
        assert_true(seen == 2 && other == 2);
        assert_true(ob_clock_ms() < begin + NEVER_MS);
}

static void *publish(void *arg)
{
        struct queued *u = arg;

        ob_queue_expect(&u->q, 1);
        ob_queue_publish(&u->q, 1);
        return NULL;
}

static void what_is_published_wakes_a_sink(void **state)
{
        struct queued *u = *state;
        int64_t begin = ob_clock_ms();
        uint64_t seen = 0;
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, publish, u), 0);
        ob_queue_wait(&u->q, &seen, begin + NEVER_MS);
        assert_int_equal(seen, 1);
        assert_true(ob_clock_ms() < begin + NEVER_MS);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

#define WITH_QUEUE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                WITH_QUEUE(what_the_store_holds_is_counted),
                WITH_QUEUE(room_is_taken_and_given_back),
                WITH_QUEUE(an_empty_queue_takes_anything),
                WITH_QUEUE(every_sink_is_behind_by_what_is_expected),
                WITH_QUEUE(a_worker_waits_until_there_is_room),
                WITH_QUEUE(who_waits_wakes_nobody_who_waits),
                WITH_QUEUE(a_stop_ends_the_waiting_and_takes_nothing),
                WITH_QUEUE(where_there_is_room_no_stop_matters),
                WITH_QUEUE(the_disk_may_have_less_room),
                WITH_QUEUE(who_is_down_drops_when_others_deliver),
                WITH_QUEUE(nobody_drops_while_there_is_room),
                WITH_QUEUE(who_delivers_again_need_not_drop),
                WITH_QUEUE(waiting_ends_with_its_deadline),
                WITH_QUEUE(news_that_came_before_is_seen_at_once),
                WITH_QUEUE(what_is_published_wakes_a_sink),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
