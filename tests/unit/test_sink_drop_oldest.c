/* What a sink gives up that is down, while the queue is full and another delivers. */
#include <poll.h>
#include <pthread.h>

#include "agent/process/clock.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "tests/unit/sending.h"

#define LOOK_MS  5
#define SHORT_MS 300
#define BATCHES  4
#define PASSED   2 /* by the one that delivers */

static void put_batch(struct sending *u)
{
        struct ob_batch *b = ob_batch_new();
        const struct ob_series s = { .kind = OB_COUNTER, .name = "c" };

        ob_batch_start(b, 1587312000);
        ob_batch_add(b, &(struct ob_metric) { &s, 1587312000, ob_whole(1) });
        ob_batch_add_event(b, &(struct ob_event) { .time = 1587312000,
                                      .kind = "log",
                                      .title = "t",
                                      .text = "",
                                      .signature = "",
                                      .check = "" });
        world_ok(u->w, ob_store_put_batch(u->w->st, ob_batch_points(b), ob_batch_blob(b), &u->w->err));
        ob_batch_free(b);
}

/* One that is down, with all that there is before it. */
static void start_down(struct sending *u)
{
        sending_hang_up(u);
        for (int i = 0; i < BATCHES; i++)
                put_batch(u);
        sending_start(u);
        while (!u->counters.sinks[0].health.failing_since)
                poll(NULL, 0, LOOK_MS);
}

/* A worker finds no room, once. */
static void find_it_full(struct sending *u)
{
        struct ob_stop now;

        ob_stop_init(&now);
        ob_stop_want(&now, ob_clock_ms());
        assert_true(ob_queue_reserve(&u->queue, SENDING_BYTES, &now));
        assert_false(ob_queue_reserve(&u->queue, 1, &now));
        ob_stop_fini(&now);
}

/* It is asked for more bytes than there are, and yet keeps what the other needs, too. */
static void drops_what_the_other_has_acked(struct sending *u, int type)
{
        ob_cleanup(ob_free_at) char *url = ob_format("http://127.0.0.1:%d", u->settings.port);
        struct ob_delivery p = { .acked = 0 };

        u->settings.type = type;
        u->settings.step = 60;
        u->settings.horizon = 300;
        u->settings.url = url;
        start_down(u);
        ob_queue_ack(&u->queue, 1, PASSED, 0, 0);
        find_it_full(u);
        sending_stop(u, SHORT_MS);
        world_ok(u->w, ob_store_get_delivery(u->w->st, u->settings.name, &p, &u->w->err));
        ob_bytes_free(&p.saved_state);
        assert_int_equal(p.acked, PASSED);
}

static void statsd(void **state)
{
        drops_what_the_other_has_acked(*state, OB_SINK_STATSD);
}

static void graphite(void **state)
{
        drops_what_the_other_has_acked(*state, OB_SINK_GRAPHITE);
}

static void graphite_that_appends(void **state)
{
        struct sending *u = *state;

        u->settings.receiver = OB_RECEIVER_APPEND;
        u->settings.hold = 60;
        drops_what_the_other_has_acked(u, OB_SINK_GRAPHITE);
}

static void events(void **state)
{
        drops_what_the_other_has_acked(*state, OB_SINK_EVENTS);
}

static void *want_more_than_there_is(void *arg)
{
        struct sending *u = arg;
        int64_t points, bytes;

        ob_queue_size(&u->queue, &points, &bytes);
        return ob_queue_reserve(&u->queue, SENDING_BYTES - bytes + 1, &u->stop) ? u : NULL;
}

/* A worker that waits looks again each second: waiting for that would hold up the one that delivers. */
static void as_soon_as_another_passes(void **state)
{
        struct sending *u = *state;
        int64_t shortest = INT64_MAX;

        start_down(u);
        assert_true(ob_queue_reserve(&u->queue, SENDING_BYTES, &u->stop));
        for (int i = 1; i <= BATCHES; i++) {
                pthread_t worker;
                void *got;
                int64_t begin;

                assert_int_equal(pthread_create(&worker, NULL, want_more_than_there_is, u), 0);
                while (!ob_queue_take_waits(&u->queue).sinks)
                        poll(NULL, 0, LOOK_MS);
                begin = ob_clock_ms();
                ob_queue_ack(&u->queue, 1, i, 0, 0);
                pthread_join(worker, &got);
                assert_non_null(got);
                if (ob_clock_ms() - begin < shortest)
                        shortest = ob_clock_ms() - begin;
        }
        sending_stop(u, 0);
        assert_in_range(shortest, 0, 500);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(statsd, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(graphite, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(graphite_that_appends, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(events, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(as_soon_as_another_passes, sending_set_up, sending_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
