/* Events in batches, with metrics and without. */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"

#define MADE 1587312000

static const struct ob_event events[] = {
        { .time = MADE,
                .kind = "log",
                .title = "exception",
                .text = "a\nb|c\xff 通",
                .signature = "0f",
                .check = "",
                .alert = OB_ALERT_ERROR,
                .n_tags = 2,
                .tags = { { "pipeline", "3" }, { "code", "" } } },
        { .time = -1,
                .kind = "",
                .title = "",
                .text = "",
                .signature = "",
                .check = "pipeline",
                .status = OB_CHECK_UNKNOWN },
        { .time = MADE + 86400,
                .kind = "state",
                .title = "t",
                .text = "",
                .signature = "s",
                .check = "c",
                .n_tags = 12,
                .tags = { { "a", "1" }, { "b", "2" }, { "c", "3" }, { "d", "4" }, { "e", "5" }, { "f", "6" },
                        { "g", "7" }, { "h", "8" }, { "i", "9" }, { "j", "10" }, { "k", "11" }, { "l", "12" } } },
};

static void free_batch(struct ob_batch **b)
{
        ob_batch_free(*b);
}

static void assert_same(const struct ob_event *got, const struct ob_event *want)
{
        assert_true(got->time == want->time && got->alert == want->alert && got->status == want->status);
        assert_string_equal(got->kind, want->kind);
        assert_string_equal(got->title, want->title);
        assert_string_equal(got->text, want->text);
        assert_string_equal(got->signature, want->signature);
        assert_string_equal(got->check, want->check);
        assert_int_equal(got->n_tags, want->n_tags);
        for (unsigned i = 0; i < want->n_tags; i++) {
                assert_string_equal(got->tags[i].key, want->tags[i].key);
                assert_string_equal(got->tags[i].value, want->tags[i].value);
        }
}

static void assert_events(struct ob_batch_reader *r)
{
        struct ob_event e;

        assert_int_equal(r->n_events, LENGTH(events));
        for (size_t i = 0; i < LENGTH(events); i++) {
                assert_int_equal(ob_batch_next_event(r, &e), 1);
                assert_same(&e, &events[i]);
        }
        assert_int_equal(ob_batch_next_event(r, &e), 0);
        assert_int_equal(ob_batch_next_event(r, &e), 0);
}

/* All events between two metrics. */
static const struct ob_bytes *fill(struct ob_batch *b)
{
        static const struct ob_series x = { .name = "x" };

        ob_batch_start(b, MADE);
        ob_batch_add(b, &(struct ob_metric) { &x, MADE, ob_whole(1) });
        for (size_t i = 0; i < LENGTH(events); i++)
                ob_batch_add_event(b, &events[i]);
        ob_batch_add(b, &(struct ob_metric) { &x, MADE + 1, ob_whole(2) });
        return ob_batch_blob(b);
}

static void events_and_metrics_come_back_each_in_their_order(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob = fill(b);
        struct ob_metric m;
        unsigned series;

        (void)state;
        assert_int_equal(ob_batch_points(b), LENGTH(events) + 2);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        assert_int_equal(r.n_points, 2);
        assert_int_equal(ob_batch_next(&r, &m, &series), 1);
        assert_true(m.value.whole == 1);
        assert_events(&r);
        assert_int_equal(ob_batch_next(&r, &m, &series), 1);
        assert_true(m.value.whole == 2 && m.time == MADE + 1);
        assert_int_equal(ob_batch_next(&r, &m, &series), 0);
}

static void events_can_be_read_alone(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        const struct ob_bytes *blob = fill(b);
        struct ob_batch_reader r;

        (void)state;
        assert_true(ob_batch_open_events(&r, blob->data, blob->length));
        assert_int_equal(r.made, MADE);
        assert_events(&r);
}

static void a_started_batch_has_no_events(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        const struct ob_bytes *blob;
        struct ob_batch_reader r;

        (void)state;
        fill(b);
        ob_batch_start(b, MADE);
        assert_int_equal(ob_batch_points(b), 0);
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open_events(&r, blob->data, blob->length));
        assert_int_equal(r.n_events, 0);
}

/* Nothing is read behind the end (the sanitizers see that), and what was cut is refused at the opening. */
static void what_is_cut_short_is_damaged(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        struct ob_batch_reader r;
        size_t length;

        (void)state;
        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(events); i++)
                ob_batch_add_event(b, &events[i]);
        length = ob_batch_blob(b)->length - 2; /* without the numbers of series and points */
        for (size_t cut = 0; cut < length; cut++) {
                ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(cut, 1);

                memcpy(exact, ob_batch_blob(b)->data, cut);
                assert_false(ob_batch_open_events(&r, exact, cut));
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(events_and_metrics_come_back_each_in_their_order),
                cmocka_unit_test(events_can_be_read_alone),
                cmocka_unit_test(a_started_batch_has_no_events),
                cmocka_unit_test(what_is_cut_short_is_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
