/*
 * The lines that the StatsD sink makes of a batch. Most lines are made from another line of the same series, and
 * must be the same as those that the encoder makes of each point alone.
 */
#include <stdio.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "proto/statsd.h"
#include "tests/unit/sending.h"

#define MADE    1587312000
#define PAYLOAD 200
#define LONG_TAG                                                                                                   \
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"     \
        "01234567890123456789012345678901234567890123456789012"

static const struct ob_series all_series[] = {
        { .kind = OB_COUNTER,
                .name = "n",
                .n_identity = 1,
                .n_tags = 1,
                .tags = { { "pipeline", "3", "orders" } } },
        { .kind = OB_GAUGE, .name = "n", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3", "orders" } } },
        { .kind = OB_GAUGE_MAX,
                .name = "delay_ms",
                .n_identity = 2,
                .n_tags = 3,
                .tags = { { "pipeline", "0", "a:0" }, { "pair", "" }, { "odd:0", "x:0|y 通" } } },
        { .kind = OB_GAUGE,
                .name = "fits.only.with.a.short.value",
                .n_identity = 1,
                .n_tags = 1,
                .tags = { { "k", LONG_TAG } } },
        { .kind = OB_COUNTER, .name = "fits.never." LONG_TAG "." LONG_TAG },
        { .kind = OB_GAUGE, .name = "for.nobody", .deliver_to = OB_TO_IDEMPOTENT },
};

static const struct ob_metric_value values[] = { WHOLE(7), WHOLE(0), WHOLE(-5), WHOLE(INT64_MAX), WHOLE(INT64_MIN),
        REAL(0.5), REAL(-0.000001), REAL(123456.75), WHOLE(1), REAL(9.99e23) };

struct wire {
        const char *name;
        int flavor, path;
};

static const struct wire wires[] = {
        { "plain", OB_FLAVOR_PLAIN, OB_PATH_IDS },
        { "plain, by names", OB_FLAVOR_PLAIN, OB_PATH_NAMES },
        { "dogstatsd", OB_FLAVOR_DOGSTATSD, OB_PATH_IDS },
};

static void encode(
        struct ob_text *out, const struct wire *wire, const struct ob_sink_settings *set, const struct ob_metric *m)
{
        const struct ob_dog dog = { "o", set->tags, set->n_tags, "" };

        if (wire->flavor == OB_FLAVOR_DOGSTATSD)
                ob_dog_metric(out, &dog, m);
        else if (wire->path == OB_PATH_NAMES)
                ob_statsd_plain_by_nodes(out, "o", m);
        else
                ob_statsd_plain(out, "o", m);
}

/* The metric of a place: the values of a series follow each other in another order for each series. In the second
 * batch, the series have other numbers than in the first one. */
static struct ob_metric metric_at(unsigned batch, unsigned place)
{
        unsigned series = (place + batch) % LENGTH(all_series), round = place / LENGTH(all_series);
        struct ob_metric_value value = values[(round + series * 3) % LENGTH(values)];

        if (all_series[series].kind == OB_COUNTER)
                value = ob_whole(ob_number_whole(value));
        return (struct ob_metric) { &all_series[series], MADE, value };
}

#define N       (LENGTH(all_series) * LENGTH(values))
#define BATCHES 2

/* The lines that must arrive, and the number of points that are lost because their lines are too long. */
static int64_t want_lines(struct ob_text *out, const struct wire *wire, const struct ob_sink_settings *set)
{
        int64_t lost = 0;

        for (unsigned i = 0; i < BATCHES * N; i++) {
                const struct ob_metric m = metric_at(i / N, i % N);
                char room[PAYLOAD];
                struct ob_text lines = ob_text_over(room, PAYLOAD);

                if (m.series->deliver_to != OB_TO_ALL)
                        continue;
                encode(&lines, wire, set, &m);
                if (lines.too_long)
                        lost++;
                else
                        ob_text_add(out, room, lines.length);
        }
        return lost;
}

static void put_all(struct sending *u, unsigned batch, bool in_memory)
{
        struct ob_batch *b = ob_batch_new();
        struct ob_sealed_batch *s;
        struct world *w = u->w;

        ob_batch_start(b, MADE);
        for (unsigned i = 0; i < N; i++) {
                const struct ob_metric m = metric_at(batch, i);

                ob_batch_add(b, &m);
        }
        s = ob_batch_seal(b, true);
        world_ok(w, ob_store_put_batch(w->st, ob_sealed_batch_points(s), ob_sealed_batch_blob(s), &w->err));
        if (in_memory)
                ob_queue_keep(&u->queue, ob_store_last_put(w->st), &s, 1);
        ob_sealed_batch_release(s);
        ob_batch_free(b);
}

static void a_line_is_as_if_it_were_the_only_one(void **state)
{
        struct sending *u = *state;

        u->settings.counters = OB_COUNTERS_COUNTER;
        u->settings.payload = PAYLOAD;
        u->settings.container = "";
        u->settings.tags[0] = (struct ob_tag) { "env", "a:0" };
        u->settings.n_tags = 1;
        for (size_t i = 0; i < LENGTH(wires); i++)
                for (int in_memory = 0; in_memory < 2; in_memory++) {
                        static char room[SENDING_ROOM];
                        struct ob_text want = ob_text_over(room, sizeof(room) - 1);
                        int64_t lost = want_lines(&want, &wires[i], &u->settings);
                        const char *got;

                        assert_false(want.too_long);
                        assert_true(lost > BATCHES * (int64_t)LENGTH(values) &&
                                    lost < 2 * BATCHES * (int64_t)LENGTH(values));
                        room[want.length] = '\0';
                        u->settings.flavor = wires[i].flavor;
                        u->settings.path = wires[i].path;
                        for (unsigned batch = 0; batch < BATCHES; batch++)
                                put_all(u, batch, in_memory);
                        got = sending_all(u);
                        if (strcmp(got, room) != 0)
                                fail_msg("%s%s: got\n%s, want\n%s", wires[i].name, in_memory ? " from memory" : "",
                                        got, room);
                        assert_int_equal(u->counters.sinks[0].lost, lost);
                        assert_int_equal(
                                u->counters.sinks[0].sent + u->counters.sinks[0].folded + lost, BATCHES * N);
                }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(
                        a_line_is_as_if_it_were_the_only_one, sending_set_up, sending_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
