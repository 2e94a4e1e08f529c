#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"

#define MADE 1587312000

static const struct ob_series delay = {
        .kind = OB_GAUGE_MAX, .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } }
};

/* What makes two series two: each of them differs from `delay` in one thing. */
static const struct ob_series others[] = {
        { .kind = OB_GAUGE, .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } } },
        { .kind = OB_GAUGE_MAX,
                .deliver_to = OB_TO_IDEMPOTENT,
                .name = "delay_ms",
                .n_identity = 1,
                .n_tags = 1,
                .tags = { { "pipeline", "3" } } },
        { .kind = OB_GAUGE_MAX, .name = "delay_m", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } } },
        { .kind = OB_GAUGE_MAX, .name = "delay_ms", .n_identity = 0, .n_tags = 1, .tags = { { "pipeline", "3" } } },
        { .kind = OB_GAUGE_MAX, .name = "delay_ms" },
        { .kind = OB_GAUGE_MAX, .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "4" } } },
        { .kind = OB_GAUGE_MAX, .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "" } } },
        { .kind = OB_GAUGE_MAX, .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipe", "line3" } } },
        { .kind = OB_GAUGE_MAX,
                .name = "delay_ms",
                .n_identity = 1,
                .n_tags = 1,
                .tags = { { "pipeline", "3", .node = "orders" } } },
        { .kind = OB_GAUGE_MAX,
                .name = "delay_ms",
                .n_identity = 1,
                .n_tags = 2,
                .tags = { { "pipeline", "3" }, { "odd", "\n\xff|;=, 通" } } },
        { .kind = OB_COUNTER,
                .name = "x",
                .n_identity = 12,
                .n_tags = 12,
                .tags = { { "a", "1" }, { "b", "2" }, { "c", "3" }, { "d", "4" }, { "e", "5" }, { "f", "6" },
                        { "g", "7" }, { "h", "8" }, { "i", "9" }, { "j", "10" }, { "k", "11" }, { "l", "12" } } },
};

static const struct {
        int64_t time;
        struct ob_metric_value value;
} points[] = {
        { MADE, WHOLE(0) },
        { MADE, REAL(0.000001) },
        { MADE - 600, WHOLE(-1) },
        { MADE + 600, WHOLE(1) },
        { 0, WHOLE(INT64_MAX) },
        { -1, WHOLE(INT64_MIN) },
        { INT64_C(253402300799), REAL(1.5) },
        { MADE, REAL(-2.5) },
};

static void assert_same_series(const struct ob_series *got, const struct ob_series *want)
{
        assert_int_equal(got->kind, want->kind);
        assert_int_equal(got->deliver_to, want->deliver_to);
        assert_string_equal(got->name, want->name);
        assert_int_equal(got->n_identity, want->n_identity);
        assert_int_equal(got->n_tags, want->n_tags);
        for (unsigned i = 0; i < want->n_tags; i++) {
                assert_string_equal(got->tags[i].key, want->tags[i].key);
                assert_string_equal(got->tags[i].value, want->tags[i].value);
                assert_true(!got->tags[i].node == !want->tags[i].node);
                if (want->tags[i].node)
                        assert_string_equal(got->tags[i].node, want->tags[i].node);
        }
}

/* Reads the next metric, which must be this one. */
static void assert_next(struct ob_batch_reader *r, const struct ob_metric *want, unsigned series)
{
        struct ob_metric m;
        unsigned number;

        assert_int_equal(ob_batch_next(r, &m, &number), 1);
        assert_int_equal(number, series);
        assert_true(m.time == want->time && !ob_number_compare(m.value, want->value));
        assert_same_series(m.series, want->series);
}

static void assert_end(struct ob_batch_reader *r)
{
        struct ob_metric m;
        unsigned number;

        assert_int_equal(ob_batch_next(r, &m, &number), 0);
        assert_int_equal(ob_batch_next(r, &m, &number), 0);
}

static void free_batch(struct ob_batch **b)
{
        ob_batch_free(*b);
}

static void points_come_back_in_order(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob;

        (void)state;
        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(points); i++)
                ob_batch_add(b, &(struct ob_metric) { &delay, points[i].time, points[i].value });
        assert_int_equal(ob_batch_points(b), LENGTH(points));
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_int_equal(r.made, MADE);
        assert_int_equal(r.n_series, 1);
        assert_int_equal(r.n_points, LENGTH(points));
        for (size_t i = 0; i < LENGTH(points); i++)
                assert_next(&r, &(struct ob_metric) { &delay, points[i].time, points[i].value }, 0);
        assert_end(&r);
}

static void every_series_stands_in_it_once(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob;

        (void)state;
        ob_batch_start(b, MADE);
        for (int64_t round = 0; round < 3; round++) {
                ob_batch_add(b, &(struct ob_metric) { &delay, MADE + round, ob_whole(round) });
                for (size_t i = 0; i < LENGTH(others); i++)
                        ob_batch_add(b, &(struct ob_metric) { &others[i], MADE + round, ob_whole(round) });
        }
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_int_equal(r.n_series, LENGTH(others) + 1);
        for (int64_t round = 0; round < 3; round++) {
                assert_next(&r, &(struct ob_metric) { &delay, MADE + round, ob_whole(round) }, 0);
                for (unsigned i = 0; i < LENGTH(others); i++)
                        assert_next(&r, &(struct ob_metric) { &others[i], MADE + round, ob_whole(round) }, i + 1);
        }
        assert_end(&r);
}

static void a_batch_is_full_of_series_of_their_own(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob;
        char pipeline[16];
        struct ob_series s = { .kind = OB_GAUGE, .name = "x", .n_tags = 1, .tags = { { "pipeline", pipeline } } };

        (void)state;
        ob_batch_start(b, MADE);
        for (int i = 0; i < OB_BATCH_POINTS; i++) {
                snprintf(pipeline, sizeof(pipeline), "%d", i);
                ob_batch_add(b, &(struct ob_metric) { &s, MADE, ob_whole(i) });
        }
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_int_equal(r.n_series, OB_BATCH_POINTS);
        for (unsigned i = 0; i < OB_BATCH_POINTS; i++) {
                snprintf(pipeline, sizeof(pipeline), "%u", i);
                assert_next(&r, &(struct ob_metric) { &s, MADE, ob_whole(i) }, i);
        }
        assert_end(&r);
}

static void a_started_batch_is_empty(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob;

        (void)state;
        ob_batch_start(b, MADE);
        ob_batch_add(b, &(struct ob_metric) { &delay, MADE + 100, ob_whole(1) });
        ob_batch_start(b, -MADE);
        assert_int_equal(ob_batch_points(b), 0);
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_int_equal(r.made, -MADE);
        assert_int_equal(r.n_series, 0);
        assert_end(&r);
        ob_batch_close(&r);

        ob_batch_add(b, &(struct ob_metric) { &delay, MADE, ob_whole(2) }); /* its series are written again */
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_next(&r, &(struct ob_metric) { &delay, MADE, ob_whole(2) }, 0);
        assert_end(&r);
}

/* Series are kept from batch to batch, up to some thousands: the numbers of each batch must be its own. */
static void a_batch_has_numbers_of_its_own(void **state)
{
        static const int64_t firsts[] = { 0, 500, 0, 1000, 2000, 3000, 0 }; /* of OB_BATCH_POINTS pipelines */
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();

        (void)state;
        for (size_t i = 0; i < LENGTH(firsts); i++) {
                ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
                const struct ob_bytes *blob;
                char id[24];
                struct ob_series series = delay;

                series.tags[0].value = id;
                ob_batch_start(b, MADE);
                for (int64_t n = 0; n < OB_BATCH_POINTS; n++) {
                        snprintf(id, sizeof(id), "%d", (int)(firsts[i] + n));
                        ob_batch_add(b, &(struct ob_metric) { &series, MADE, ob_whole(n) });
                }
                blob = ob_batch_blob(b);
                assert_true(ob_batch_open(&r, blob->data, blob->length));
                assert_int_equal(r.n_series, OB_BATCH_POINTS);
                for (int64_t n = 0; n < OB_BATCH_POINTS; n++) {
                        snprintf(id, sizeof(id), "%d", (int)(firsts[i] + n));
                        assert_next(&r, &(struct ob_metric) { &series, MADE, ob_whole(n) }, (unsigned)n);
                }
                assert_end(&r);
        }
}

/* Reads a batch that may be anything, and all that it says of itself. */
static int read_all(const void *blob, size_t length)
{
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        struct ob_metric m;
        unsigned number, n = 0;
        int got;

        if (!ob_batch_open(&r, blob, length))
                return -1;
        while ((got = ob_batch_next(&r, &m, &number)) == 1) {
                size_t bytes = strlen(m.series->name);

                for (unsigned i = 0; i < m.series->n_tags; i++)
                        bytes += strlen(m.series->tags[i].key) + strlen(m.series->tags[i].value);
                assert_true(bytes < length && number < r.n_series && ++n <= r.n_points);
                assert_true(m.series->kind < OB_KINDS && m.series->n_tags <= OB_TAGS_MAX);
        }
        return got;
}

static void damage_anywhere_is_survived(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_free_at) unsigned char *copy = NULL;
        const struct ob_bytes *blob;

        (void)state;
        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(points); i++) {
                ob_batch_add(b, &(struct ob_metric) { &delay, points[i].time, points[i].value });
                if (!points[i].value.is_real || others[i].kind != OB_COUNTER)
                        ob_batch_add(b, &(struct ob_metric) { &others[i], points[i].time, points[i].value });
        }
        blob = ob_batch_blob(b);
        copy = ob_alloc(blob->length, 1);
        for (size_t at = 0; at < blob->length; at++)
                for (unsigned byte = 0; byte <= 0xff; byte++) {
                        memcpy(copy, blob->data, blob->length);
                        copy[at] = (unsigned char)byte;
                        read_all(copy, blob->length);
                }
}

static void what_is_cut_short_is_damaged(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        const struct ob_bytes *blob;

        (void)state;
        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(others); i++)
                ob_batch_add(b, &(struct ob_metric) { &others[i], MADE, ob_whole(1) });
        blob = ob_batch_blob(b);
        assert_int_equal(read_all(blob->data, blob->length), 0);
        for (size_t length = 0; length < blob->length; length++) {
                ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(length, 1);

                memcpy(exact, blob->data, length);
                if (read_all(exact, length) != -1)
                        fail_msg("%zu of %zu bytes are taken for a batch", length, blob->length);
        }
}

/* version made n_series { kind telling n_identity n_tags name\0 { key\0 value\0 }… { node\0 }… } n_points { series
 * time value } */
static const struct {
        const char *name;
        const char *bytes;
        size_t length;
        int want; /* read to its end, or damaged */
} made_up[] = {
#define BYTES(text) text, sizeof(text) - 1
        { "a good one", BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x00"), 0 },
        { "of the version before", BYTES("\x04\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x00"), 0 },
        { "of a later version", BYTES("\x06\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x00"), -1 },
        { "of a kind that is none", BYTES("\x04\x02\x00\x01\x03\x00\x00\x00x\x00\x01\x00\x00\x00"), -1 },
        { "told to nobody", BYTES("\x05\x02\x00\x01\x01\x03\x00\x00x\x00\x01\x00\x00\x00"), -1 },
        { "of an older version", BYTES("\x03\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x00"), -1 },
        { "a node for each identity tag",
                BYTES("\x05\x02\x00\x01\x01\x00\x01\x02x\x00"
                      "a\x00"
                      "1\x00"
                      "b\x00"
                      "2\x00"
                      "n\x00\x01\x00\x00\x00"),
                0 },
        { "more identity than tags", BYTES("\x05\x02\x00\x01\x01\x00\x01\x00x\x00\x01\x00\x00\x00"), -1 },
        /* clang-format off */
        { "thirteen tags",
                BYTES("\x05\x02\x00\x01\x01\x00\x00\x0dx\x00" "a\x00\x00" "b\x00\x00" "c\x00\x00" "d\x00\x00" "e\x00\x00"
                      "f\x00\x00" "g\x00\x00" "h\x00\x00" "i\x00\x00" "j\x00\x00" "k\x00\x00" "l\x00\x00" "m\x00\x00\x00"),
                -1 },
        /* clang-format on */
        { "a double",
                BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xf8\x3f"), 0 },
        { "an infinite one",
                BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xf0\x7f"),
                -1 },
        { "one that is no number",
                BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xf8\x7f"),
                -1 },
        { "a counter with a fraction",
                BYTES("\x05\x02\x00\x01\x00\x00\x00\x00x\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xf8\x3f"),
                -1 },
        { "a series that is none", BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x01\x01\x00\x00"), -1 },
        { "a point without series", BYTES("\x05\x02\x00\x00\x01\x00\x00\x00"), -1 },
        { "more series than points", BYTES("\x05\x02\x00\xe9\x07"), -1 },
        { "more points than may be", BYTES("\x05\x02\x00\x00\xe9\x07"), -1 },
        { "fewer points than told", BYTES("\x05\x02\x00\x01\x01\x00\x00\x00x\x00\x02\x00\x00\x00"), -1 },
        { "made when no clock was", BYTES("\x05\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"), -1 },
        { "made before all clocks", BYTES("\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"), -1 },
        { "a time past the last one",
                BYTES("\x05\x00\x00\x01\x01\x00\x00\x00x\x00\x02"
                      "\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x02\x00"),
                -1 },
        { "the last time",
                BYTES("\x05\x00\x00\x01\x01\x00\x00\x00x\x00\x02"
                      "\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00"),
                0 },
#undef BYTES
};

static void what_is_no_batch_is_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(made_up); i++) {
                ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(made_up[i].length, 1);

                memcpy(exact, made_up[i].bytes, made_up[i].length);
                if (read_all(exact, made_up[i].length) != made_up[i].want)
                        fail_msg("%s", made_up[i].name);
        }
}

/* The values of version 4 had 128 bits: whole numbers of any size, and millionths. */
static void values_of_the_version_before_are_read(void **state)
{
        static const unsigned char blob[] = "\x04\x00\x00" /* version made n_events */
                                            "\x01\x01\x00\x00\x00x\x00"
                                            "\x03"
                                            "\x00\x00\x1c"                                     /* 7 */
                                            "\x00\x00\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x07" /* 2^64 - 1 */
                                            "\x00\x00\x81\x9b\xee\x02";                        /* 1.5 */
        static const struct ob_metric_value want[] = { WHOLE(7), WHOLE(INT64_MAX), REAL(1.5) };
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        struct ob_metric m;
        unsigned series;

        (void)state;
        assert_true(ob_batch_open(&r, blob, sizeof(blob) - 1));
        for (size_t i = 0; i < LENGTH(want); i++) {
                assert_int_equal(ob_batch_next(&r, &m, &series), 1);
                assert_int_equal(ob_number_compare(m.value, want[i]), 0);
        }
        assert_end(&r);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(points_come_back_in_order),
                cmocka_unit_test(every_series_stands_in_it_once),
                cmocka_unit_test(a_batch_is_full_of_series_of_their_own),
                cmocka_unit_test(a_started_batch_is_empty),
                cmocka_unit_test(a_batch_has_numbers_of_its_own),
                cmocka_unit_test(damage_anywhere_is_survived),
                cmocka_unit_test(what_is_cut_short_is_damaged),
                cmocka_unit_test(what_is_no_batch_is_refused),
                cmocka_unit_test(values_of_the_version_before_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
