/* What the StatsD sink sends, to a socket of ours, over stops and crashes; a crash leaves the store as it was. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent/process/clock.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "tests/unit/sending.h"

#define SHORT_MS  300
#define LINE_ROOM 80
#define LONG      "a.name.that.fills.a.datagram.to.its.half.%02d"
#define POINTS    40
#define BATCHES   20
#define LOOK_MS   5

static const struct {
        int counters;
        const char *first, *again; /* what is sent of a batch; and of the next, after a restart */
} ways[] = {
        { OB_COUNTERS_COUNTER, "o.c:2|c\no.g:9|g\no.c:3|c\no.d:1|c\n", "o.c:4|c\n" },
        { OB_COUNTERS_GAUGE, "o.c.total:5|g\no.g:9|g\no.d.total:1|g\n",
                "o.c.total:5|g\no.d.total:1|g\no.c.total:9|g\n" },
        { OB_COUNTERS_BOTH, "o.c:2|c\no.c.total:5|g\no.g:9|g\no.c:3|c\no.d:1|c\no.d.total:1|g\n",
                "o.c.total:5|g\no.d.total:1|g\no.c:4|c\no.c.total:9|g\n" },
};

static void counters_go_out_as_it_is_set(void **state)
{
        struct sending *u = *state;

        for (size_t i = 0; i < LENGTH(ways); i++) {
                u->settings.counters = OB_COUNTERS_COUNTER; /* forgets what was */
                assert_string_equal(sending_all(u), "");
                u->settings.counters = ways[i].counters;
                sending_put(u, "c 2,g 9,a 100,c 3,d 1");
                assert_string_equal(sending_all(u), ways[i].first);
                assert_int_equal(
                        u->counters.sinks[0].points, u->counters.sinks[0].sent + u->counters.sinks[0].folded);
                sending_put(u, "c 4");
                assert_string_equal(sending_all(u), ways[i].again);
        }
}

/* What is noted of a batch that was not sent must not be wrong about points that are for nobody. */
static void a_stop_before_anything_is_sent_loses_nothing(void **state)
{
        struct sending *u = *state;

        sending_put(u, "c 1,a 100,c 2,g 3,a 100,c 4");
        sending_hang_up(u);
        sending_start(u);
        sending_stop(u, SHORT_MS);
        assert_false(u->sink.is_clean);
        sending_listen_on(u, u->settings.port);
        assert_string_equal(sending_all(u), "o.c.total:7|g\no.c:1|c\no.c.total:7|g\no.c:2|c\no.g:3|g\no.c:4|c\n");
        assert_string_equal(sending_all(u), "o.c.total:7|g\n");
}

static int times(const char *text, const char *what)
{
        int n = 0;

        for (; (text = strstr(text, what)); text += strlen(what))
                n++;
        return n;
}

/* Counters of which each line, and each total's, fills a datagram. */
static void put_long(struct sending *u, int n)
{
        struct ob_batch *b = ob_batch_new();

        ob_batch_start(b, 1587312000);
        for (int i = 0; i < n; i++) {
                char name[LINE_ROOM];
                const struct ob_series s = { .kind = OB_COUNTER, .name = name };

                snprintf(name, sizeof(name), LONG, i);
                ob_batch_add(b, &(struct ob_metric) { &s, 1587312000, ob_whole(1) });
        }
        world_ok(u->w, ob_store_put_batch(u->w->st, (unsigned)n, ob_batch_blob(b), &u->w->err));
        ob_batch_free(b);
}

/* Between a counter and its total, too, for one of two batches whose datagrams differ by one. */
static void a_stop_in_the_middle_doubles_and_loses_nothing(void **state)
{
        struct sending *u = *state;
        ob_cleanup(ob_free_at) char *path = ob_format("%s/statsd", u->w->folder);

        sending_hang_up(u);
        sending_listen_on_unix(u, path);
        for (int shift = 0; shift < 2; shift++) {
                ob_cleanup(ob_free_at) char *first = NULL;

                u->settings.counters = OB_COUNTERS_COUNTER;
                sending_all(u);
                u->settings.counters = OB_COUNTERS_BOTH;
                if (shift)
                        sending_put(u, "g 1");
                put_long(u, POINTS);
                sending_start(u);
                sending_stop(u, SHORT_MS);
                assert_false(u->sink.is_clean);
                first = ob_copy(sending_hear(u, MSG_DONTWAIT));
                sending_start(u);
                sending_hear(u, 0);
                sending_stop(u, SENDING_DRAIN_MS);
                assert_true(u->sink.is_clean);
                assert_in_range(times(first, ":1|c"), 1, POINTS - 1);
                assert_int_equal(times(u->heard, ":1|c"), POINTS - times(first, ":1|c"));
                for (int i = 0; i < POINTS; i++) {
                        char line[LINE_ROOM];

                        snprintf(line, sizeof(line), "o." LONG ":1|c", i);
                        assert_int_equal(times(first, line) + times(u->heard, line), 1);
                        snprintf(line, sizeof(line), "o." LONG ".total:1|g", i);
                        assert_int_not_equal(times(u->heard, line), 0);
                }
        }
}

/* A batch that was being sent when the power went: what the store says then, and what is sent of it. */
static const struct {
        int counters, after_crash;
        int64_t uncertain;
        const char *want;
} crashes[] = {
        { OB_COUNTERS_BOTH, OB_AFTER_CRASH_LOSE, 3, "o.c.total:8|g\n" },
        { OB_COUNTERS_BOTH, OB_AFTER_CRASH_REPEAT, 3, "o.c.total:8|g\no.c:5|c\no.c.total:8|g\no.c:3|c\no.g:1|g\n" },
        { OB_COUNTERS_COUNTER, OB_AFTER_CRASH_LOSE, 3, "" },
        { OB_COUNTERS_COUNTER, OB_AFTER_CRASH_REPEAT, 3, "o.c:5|c\no.c:3|c\no.g:1|g\n" },
        { OB_COUNTERS_GAUGE, OB_AFTER_CRASH_LOSE, 0, "o.c.total:8|g\n" },
};

/* Waits until the sink has said that it sends the batch, with nobody there to take it. */
static void wait_for_doubt(struct sending *u)
{
        const int64_t deadline = ob_clock_ms() + SENDING_DRAIN_MS;
        struct ob_delivery p = { .acked = 0 };

        while (p.acked == p.sent_upto && ob_clock_ms() < deadline) {
                poll(NULL, 0, LOOK_MS);
                world_ok(u->w, ob_store_get_delivery(u->w->st, "statsd", &p, &u->w->err));
        }
        ob_bytes_free(&p.saved_state);
        assert_true(p.sent_upto > p.acked);
}

static void a_crash_costs_what_it_is_set_to_and_totals_nothing(void **state)
{
        struct sending *u = *state;

        for (size_t i = 0; i < LENGTH(crashes); i++) {
                struct ob_delivery doubted = { .acked = 0 };

                u->settings.counters = OB_COUNTERS_COUNTER;
                sending_all(u);
                u->settings.counters = crashes[i].counters;
                u->settings.after_crash = crashes[i].after_crash;
                sending_all(u);
                sending_put(u, "c 5,c 3,g 1");
                sending_hang_up(u);
                sending_start(u);
                if (crashes[i].counters != OB_COUNTERS_GAUGE)
                        wait_for_doubt(u);
                world_ok(u->w, ob_store_get_delivery(u->w->st, "statsd", &doubted, &u->w->err));
                sending_stop(u, 0);
                world_ok(u->w, ob_store_put_delivery(u->w->st, "statsd", &doubted, &u->w->err)); /* no clean stop */
                ob_bytes_free(&doubted.saved_state);
                sending_listen_on(u, u->settings.port);
                if (crashes[i].counters == OB_COUNTERS_GAUGE)
                        assert_non_null(strstr(sending_all(u), "o.g:1|g\n"));
                else
                        assert_string_equal(sending_all(u), crashes[i].want);
                assert_int_equal(u->counters.sinks[0].uncertain, crashes[i].uncertain);
                if (crashes[i].counters != OB_COUNTERS_COUNTER)
                        assert_non_null(strstr(u->heard, "o.c.total:8|g\n"));
        }
}

/* Waits until the store says that the sink has acked `acked` and sent up to `sent_upto`. */
static void wait_for_delivery(struct sending *u, int64_t acked, int64_t sent_upto)
{
        const int64_t deadline = ob_clock_ms() + SENDING_DRAIN_MS;
        struct ob_delivery p = { .acked = -1 };

        while ((p.acked != acked || p.sent_upto != sent_upto) && ob_clock_ms() < deadline) {
                poll(NULL, 0, LOOK_MS);
                world_ok(u->w, ob_store_get_delivery(u->w->st, "statsd", &p, &u->w->err));
        }
        ob_bytes_free(&p.saved_state);
        assert_int_equal(p.acked, acked);
        assert_int_equal(p.sent_upto, sent_upto);
}

/* One commit acks a batch and names the next one. The socket has no room for all of the third batch. */
static void a_crash_leaves_one_batch_in_doubt(void **state)
{
        struct sending *u = *state;
        ob_cleanup(ob_free_at) char *path = ob_format("%s/statsd", u->w->folder);
        struct ob_delivery doubted = { .acked = 0 };

        sending_hang_up(u);
        sending_listen_on_unix(u, path);
        u->settings.counters = OB_COUNTERS_COUNTER;
        u->settings.after_crash = OB_AFTER_CRASH_LOSE;
        sending_put(u, "c 5");
        sending_put(u, "c 6,g 1");
        put_long(u, POINTS);
        sending_start(u);
        wait_for_delivery(u, 2, 3);
        world_ok(u->w, ob_store_get_delivery(u->w->st, "statsd", &doubted, &u->w->err));
        sending_stop(u, 0);
        world_ok(u->w, ob_store_put_delivery(u->w->st, "statsd", &doubted, &u->w->err)); /* no clean stop */
        ob_bytes_free(&doubted.saved_state);
        assert_non_null(strstr(sending_hear(u, MSG_DONTWAIT), "o.c:5|c\no.c:6|c\no.g:1|g\n"));
        assert_string_equal(sending_all(u), "");
        assert_int_equal(u->counters.sinks[0].uncertain, POINTS);
        assert_int_equal(u->counters.sinks[0].lost, POINTS);
}

/* This needs no stop. Amounts need a commit before each batch, and totals need none.
 */
static void what_was_sent_is_acked_and_deleted_when_nothing_waits(void **state)
{
        static const int counters[] = { OB_COUNTERS_COUNTER, OB_COUNTERS_GAUGE, OB_COUNTERS_BOTH };
        struct sending *u = *state;
        int64_t last = 0, points, bytes;

        for (size_t i = 0; i < LENGTH(counters); i++) {
                u->settings.counters = counters[i];
                for (int batch = 0; batch < BATCHES; batch++, last++)
                        sending_put(u, "g 5");
                sending_start(u);
                wait_for_delivery(u, last, last);
                world_ok(u->w, ob_store_sum_batches(u->w->st, 0, &points, &bytes, &u->w->err));
                assert_int_equal(points, 0);
                sending_stop(u, SENDING_DRAIN_MS);
                assert_int_equal(u->counters.sinks[0].sent, BATCHES);
                assert_int_equal(times(sending_hear(u, MSG_DONTWAIT), "o.g:5|g\n"), BATCHES);
        }
}

/* There is no total yet that could be told again, and to tell none is no success. */
static void who_does_not_listen_fails_all_the_time(void **state)
{
        struct sending *u = *state;
        _Atomic int64_t *failing = &u->counters.sinks[0].health.failing_since;
        int64_t since;

        sending_put(u, "g 1");
        sending_hang_up(u);
        sending_start(u);
        while (!*failing)
                poll(NULL, 0, LOOK_MS);
        since = *failing;
        for (int64_t end = ob_clock_ms() + 2500; ob_clock_ms() < end; poll(NULL, 0, LOOK_MS))
                assert_int_equal(*failing, since);
        sending_stop(u, 0);
}

static void a_total_that_is_too_long_is_told_and_its_counter_sent(void **state)
{
        struct sending *u = *state;
        struct ob_batch *b = ob_batch_new();
        const struct ob_series s = { .kind = OB_COUNTER,
                .name = "a.name.that.fits.but.not.with.the.end.that.totals.have" };
        const struct ob_bytes *blob;

        ob_batch_start(b, 1587312000);
        ob_batch_add(b, &(struct ob_metric) { &s, 1587312000, ob_whole(1) });
        blob = ob_batch_blob(b);
        world_ok(u->w, ob_store_put_batch(u->w->st, 1, blob, &u->w->err));
        ob_batch_free(b);
        assert_string_equal(sending_all(u), "o.a.name.that.fits.but.not.with.the.end.that.totals.have:1|c\n");
        assert_int_equal(u->counters.sinks[0].sent, 1);
        assert_int_equal(u->counters.sinks[0].lost, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(counters_go_out_as_it_is_set, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        a_stop_before_anything_is_sent_loses_nothing, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        a_stop_in_the_middle_doubles_and_loses_nothing, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        a_crash_costs_what_it_is_set_to_and_totals_nothing, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        a_crash_leaves_one_batch_in_doubt, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        what_was_sent_is_acked_and_deleted_when_nothing_waits, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        a_total_that_is_too_long_is_told_and_its_counter_sent, sending_set_up, sending_tear_down),
                cmocka_unit_test_setup_teardown(
                        who_does_not_listen_fails_all_the_time, sending_set_up, sending_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
