/* A sealed batch has the same content as its decoded blob. A writer of many batches keeps their series. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"

#define MADE 1587312000
#define MANY (12 * OB_BATCH_POINTS) /* series that a writer keeps */

static const struct ob_series all_series[] = {
        { .kind = OB_COUNTER, .name = "bare" },
        { .kind = OB_GAUGE_MAX,
                .deliver_to = OB_TO_IDEMPOTENT,
                .name = "delay_ms",
                .n_identity = 2,
                .n_tags = 3,
                .tags = { { "pipeline", "3", .node = "orders" }, { "pair", "", .node = NULL },
                        { "label", "\n\xff|" } } },
        { .kind = OB_GAUGE_MAX,
                .name = "delay_ms",
                .n_identity = 2,
                .n_tags = 3,
                .tags = { { "pipeline", "3", .node = NULL }, { "pair", "", .node = "a" },
                        { "label", "\n\xff|" } } },
        { .kind = OB_GAUGE,
                .name = "x",
                .n_identity = 12,
                .n_tags = 12,
                .tags = { { "a", "1", "n1" }, { "b", "2", "n2" }, { "c", "3", "n3" }, { "d", "4", "n4" },
                        { "e", "5", "n5" }, { "f", "6", "n6" }, { "g", "7", "n7" }, { "h", "8", "n8" },
                        { "i", "9", "n9" }, { "j", "10", "n10" }, { "k", "11", "n11" }, { "l", "12", "n12" } } },
};

static const struct {
        unsigned series;
        int64_t time;
        struct ob_metric_value value;
} points[] = {
        { 1, MADE, WHOLE(INT64_MIN) },
        { 0, MADE - 600, WHOLE(INT64_MAX) },
        { 1, MADE + 600, REAL(-0.5) },
        { 3, 0, REAL(1.5) },
        { 2, -1, WHOLE(0) },
        { 0, INT64_C(253402300799), WHOLE(7) },
};

static const struct ob_event events[] = {
        { .time = MADE,
                .kind = "log",
                .title = "t",
                .text = "first\nsecond",
                .signature = "0f",
                .alert = OB_ALERT_ERROR,
                .check = "",
                .n_tags = 1,
                .tags = { { "pipeline", "3" } } },
        { .time = -5,
                .kind = "k",
                .title = "",
                .text = "",
                .signature = "",
                .check = "c",
                .status = OB_CHECK_CRITICAL },
};

static void free_batch(struct ob_batch **b)
{
        ob_batch_free(*b);
}

static void release(struct ob_sealed_batch **s)
{
        ob_sealed_batch_release(*s);
}

static void fill(struct ob_batch *b)
{
        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(points); i++)
                ob_batch_add(
                        b, &(struct ob_metric) { &all_series[points[i].series], points[i].time, points[i].value });
        for (size_t i = 0; i < LENGTH(events); i++)
                ob_batch_add_event(b, &events[i]);
}

static void assert_same_text(const char *a, const char *b)
{
        if (a && b)
                assert_string_equal(a, b);
        else
                assert_true(!a && !b);
}

static void assert_same_series(const struct ob_series *a, const struct ob_series *b)
{
        assert_true(a->kind == b->kind && a->deliver_to == b->deliver_to);
        assert_true(a->n_identity == b->n_identity && a->n_tags == b->n_tags);
        assert_string_equal(a->name, b->name);
        for (unsigned i = 0; i < a->n_tags; i++) {
                assert_string_equal(a->tags[i].key, b->tags[i].key);
                assert_string_equal(a->tags[i].value, b->tags[i].value);
                assert_same_text(a->tags[i].node, b->tags[i].node);
        }
}

static void assert_same_metrics(struct ob_batch_reader *a, struct ob_batch_reader *b)
{
        struct ob_metric of_a, of_b;
        unsigned series_a, series_b;
        int got;

        assert_int_equal(a->made, b->made);
        assert_int_equal(a->n_points, b->n_points);
        assert_int_equal(a->n_series, b->n_series);
        for (unsigned i = 0; i < a->n_series; i++)
                assert_same_series(&a->series[i], &b->series[i]);
        while ((got = ob_batch_next(a, &of_a, &series_a)) == 1) {
                assert_int_equal(ob_batch_next(b, &of_b, &series_b), 1);
                assert_int_equal(series_a, series_b);
                assert_int_equal(of_a.time, of_b.time);
                assert_int_equal(of_a.value.is_real, of_b.value.is_real);
                assert_int_equal(ob_number_compare(of_a.value, of_b.value), 0);
                assert_same_series(of_a.series, of_b.series);
        }
        assert_int_equal(got, 0);
        assert_int_equal(ob_batch_next(b, &of_b, &series_b), 0);
}

static unsigned assert_same_events(struct ob_batch_reader *a, struct ob_batch_reader *b)
{
        struct ob_event of_a, of_b;
        unsigned n = 0;

        for (; ob_batch_next_event(a, &of_a) == 1; n++) {
                assert_int_equal(ob_batch_next_event(b, &of_b), 1);
                assert_true(of_a.time == of_b.time && of_a.alert == of_b.alert && of_a.status == of_b.status);
                assert_string_equal(of_a.kind, of_b.kind);
                assert_string_equal(of_a.title, of_b.title);
                assert_string_equal(of_a.text, of_b.text);
                assert_string_equal(of_a.signature, of_b.signature);
                assert_string_equal(of_a.check, of_b.check);
                assert_int_equal(of_a.n_tags, of_b.n_tags);
        }
        assert_int_equal(ob_batch_next_event(b, &of_b), 0);
        return n;
}

/* Also after the writer has written more, and was freed. */
static void what_is_sealed_is_what_its_blob_says(void **state)
{
        struct ob_batch *b = ob_batch_new();
        ob_cleanup(release) struct ob_sealed_batch *s = NULL;
        ob_cleanup(ob_batch_close) struct ob_batch_reader sealed = { .made = 0 }, decoded = { .made = 0 };
        const struct ob_bytes *blob;

        (void)state;
        fill(b);
        s = ob_batch_seal(b, true);
        fill(b);
        ob_batch_add(b, &(struct ob_metric) { &all_series[3], MADE, ob_whole(9) });
        ob_batch_free(b);
        blob = ob_sealed_batch_blob(s);
        assert_int_equal(ob_sealed_batch_points(s), LENGTH(points) + LENGTH(events));
        assert_true(ob_sealed_batch_size(s) >=
                    blob->length + LENGTH(points) * sizeof(struct ob_batch_point) + 4 * sizeof(struct ob_series));
        ob_batch_open_sealed(&sealed, s);
        assert_true(ob_batch_open(&decoded, blob->data, blob->length));
        assert_int_equal(sealed.made, MADE);
        assert_int_equal(sealed.n_series, LENGTH(all_series));
        assert_same_series(&sealed.series[0], &all_series[1]); /* in the order of their first points */
        assert_same_metrics(&sealed, &decoded);
        assert_int_equal(assert_same_events(&sealed, &decoded), LENGTH(events));
}

static void a_batch_of_events_alone_and_an_empty_one_are_sealed_too(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();

        (void)state;
        for (int n = 0; n < 2; n++) {
                ob_cleanup(release) struct ob_sealed_batch *s = NULL;
                ob_cleanup(ob_batch_close) struct ob_batch_reader sealed = { .made = 0 }, decoded = { .made = 0 };

                ob_batch_start(b, MADE + n);
                if (n)
                        ob_batch_add_event(b, &events[0]);
                s = ob_batch_seal(b, true);
                ob_batch_open_sealed(&sealed, s);
                assert_true(
                        ob_batch_open(&decoded, ob_sealed_batch_blob(s)->data, ob_sealed_batch_blob(s)->length));
                assert_int_equal(ob_sealed_batch_points(s), n);
                assert_same_metrics(&sealed, &decoded);
                assert_int_equal(assert_same_events(&sealed, &decoded), n);
        }
}

/* Sealing takes the points and the blob away from the writer: the next batches must be the same as those of a
 * writer that seals nothing. */
static void a_writer_goes_on_after_sealing(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new(), *other = ob_batch_new();
        const struct ob_bytes *of_b, *of_other;

        (void)state;
        for (int round = 0; round < 3; round++) {
                fill(b);
                ob_sealed_batch_release(ob_batch_seal(b, true));
                assert_int_equal(ob_batch_points(b), LENGTH(points) + LENGTH(events));
        }
        fill(b);
        fill(other);
        of_b = ob_batch_blob(b);
        of_other = ob_batch_blob(other);
        assert_int_equal(of_b->length, of_other->length);
        assert_memory_equal(of_b->data, of_other->data, of_b->length);
}

/* Puts the id of each of `all_series` into `ids`, from a batch that has them in the order of `first`, `first` + 1,
 * …
 */
static void seal_ids(struct ob_batch *b, size_t first, uint64_t ids[LENGTH(all_series)])
{
        ob_cleanup(release) struct ob_sealed_batch *s = NULL;
        struct ob_batch_reader r;

        ob_batch_start(b, MADE);
        for (size_t i = 0; i < LENGTH(all_series); i++)
                ob_batch_add(b,
                        &(struct ob_metric) { &all_series[(first + i) % LENGTH(all_series)], MADE, ob_whole(1) });
        s = ob_batch_seal(b, true);
        ob_batch_open_sealed(&r, s);
        for (size_t i = 0; i < LENGTH(all_series); i++)
                ids[(first + i) % LENGTH(all_series)] = r.series[i].id;
}

static void a_series_has_one_id_in_all_batches_of_a_writer(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *a = ob_batch_new(), *b = ob_batch_new();
        uint64_t ids[3][LENGTH(all_series)];
        const uint64_t *flat = &ids[1][0];

        (void)state;
        seal_ids(a, 0, ids[0]);
        seal_ids(a, 2, ids[1]);
        seal_ids(b, 0, ids[2]); /* of another writer: a sink that knows the ids of both must not mix them up */
        assert_memory_equal(ids[0], ids[1], sizeof(ids[0]));
        for (size_t i = 0; i < 2 * LENGTH(all_series); i++) {
                assert_true(flat[i] > 0);
                for (size_t k = 0; k < i; k++)
                        assert_true(flat[i] != flat[k]);
        }
}

/* A reader that decodes has no ids. */
static void a_decoded_series_has_no_id(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        const struct ob_bytes *blob;

        (void)state;
        fill(b);
        blob = ob_batch_blob(b);
        assert_true(ob_batch_open(&r, blob->data, blob->length));
        for (unsigned i = 0; i < r.n_series; i++)
                assert_int_equal(r.series[i].id, 0);
}

static void a_series_that_was_found_is_the_one_that_is_added(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *a = ob_batch_new(), *b = ob_batch_new();
        struct ob_batch_series *found[LENGTH(all_series)];

        (void)state;
        for (size_t i = 0; i < LENGTH(all_series); i++) {
                found[i] = ob_batch_find(a, &all_series[i]);
                assert_ptr_equal(ob_batch_find(a, &all_series[i]), found[i]);
                for (size_t k = 0; k < i; k++)
                        assert_ptr_not_equal(found[i], found[k]);
        }
        for (int round = 0; round < 3; round++) {
                const struct ob_bytes *of_a, *of_b;

                ob_batch_start(a, MADE);
                ob_batch_start(b, MADE);
                for (size_t i = round == 1; i < LENGTH(points); i++) {
                        unsigned s = points[i].series;

                        ob_batch_add_to(a, found[s], points[i].time, points[i].value);
                        ob_batch_add(b, &(struct ob_metric) { &all_series[s], points[i].time, points[i].value });
                }
                assert_int_equal(ob_batch_points(a), ob_batch_points(b));
                of_a = ob_batch_blob(a);
                of_b = ob_batch_blob(b);
                assert_int_equal(of_a->length, of_b->length);
                assert_memory_equal(of_a->data, of_b->data, of_a->length);
                assert_int_equal(ob_batch_forgets(a), 0);
        }
}

static void find_many(struct ob_batch *b, int n)
{
        char id[16];
        struct ob_series series = { .kind = OB_GAUGE, .name = "x", .n_tags = 1, .tags = { { "pipeline", id } } };

        for (int i = 0; i < n; i++) {
                snprintf(id, sizeof(id), "%d", i);
                ob_batch_find(b, &series);
        }
}

/* A batch that was sealed before keeps its series. */
static void a_writer_says_that_it_has_forgotten_its_series(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        ob_cleanup(release) struct ob_sealed_batch *s = NULL, *later = NULL;
        struct ob_batch_reader r, again;

        (void)state;
        fill(b);
        s = ob_batch_seal(b, true);
        find_many(b, MANY - (int)LENGTH(all_series));
        ob_batch_start(b, MADE);
        assert_int_equal(ob_batch_forgets(b), 0);
        find_many(b, MANY - (int)LENGTH(all_series) + 1);
        assert_int_equal(ob_batch_forgets(b), 0); /* not within a batch */
        ob_batch_start(b, MADE);
        assert_int_equal(ob_batch_forgets(b), 1);
        ob_batch_start(b, MADE);
        assert_int_equal(ob_batch_forgets(b), 1);
        fill(b);
        later = ob_batch_seal(b, true);
        ob_batch_open_sealed(&r, s);
        ob_batch_open_sealed(&again, later);
        for (unsigned i = 0; i < r.n_series; i++)
                assert_true(r.series[i].id != again.series[i].id);
        assert_same_metrics(&r, &again);
}

#define REFERENCES 2000

static void *release_all(void *arg)
{
        struct ob_sealed_batch **theirs = arg;

        for (int i = 0; i < REFERENCES; i++)
                ob_sealed_batch_release(theirs[i]);
        return NULL;
}

/* The memory and thread checkers watch this: each reference keeps the batch, and the last one frees the batch. */
static void each_reference_keeps_the_batch(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        static struct ob_sealed_batch *ours[REFERENCES], *theirs[REFERENCES];
        pthread_t thread;

        (void)state;
        for (int i = 0; i < REFERENCES; i++) {
                fill(b);
                ours[i] = ob_batch_seal(b, true);
                theirs[i] = ob_sealed_batch_share(ours[i]);
                assert_ptr_equal(theirs[i], ours[i]);
        }
        assert_int_equal(pthread_create(&thread, NULL, release_all, theirs), 0);
        for (int i = 0; i < REFERENCES; i++) {
                ob_cleanup(ob_batch_close) struct ob_batch_reader sealed = { .made = 0 }, decoded = { .made = 0 };
                const struct ob_bytes *blob = ob_sealed_batch_blob(ours[i]);

                ob_batch_open_sealed(&sealed, ours[i]);
                assert_true(ob_batch_open(&decoded, blob->data, blob->length));
                assert_same_metrics(&sealed, &decoded);
                ob_sealed_batch_release(ours[i]);
        }
        assert_int_equal(pthread_join(thread, NULL), 0);
        ob_sealed_batch_release(NULL);
}

#define TURNS 200000

static void *share_and_release(void *arg)
{
        for (int i = 0; i < TURNS; i++)
                ob_sealed_batch_release(ob_sealed_batch_share(arg));
        return NULL;
}

/* If a reference is not counted, the batch is freed too early; if one is counted twice, never. */
static void threads_count_each_reference(void **state)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        struct ob_sealed_batch *s;
        pthread_t thread;

        (void)state;
        fill(b);
        s = ob_batch_seal(b, true);
        assert_int_equal(pthread_create(&thread, NULL, share_and_release, s), 0);
        share_and_release(s);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(ob_sealed_batch_points(s), LENGTH(points) + LENGTH(events));
        ob_sealed_batch_release(s);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_sealed_is_what_its_blob_says),
                cmocka_unit_test(a_batch_of_events_alone_and_an_empty_one_are_sealed_too),
                cmocka_unit_test(a_writer_goes_on_after_sealing),
                cmocka_unit_test(a_series_has_one_id_in_all_batches_of_a_writer),
                cmocka_unit_test(a_decoded_series_has_no_id),
                cmocka_unit_test(a_series_that_was_found_is_the_one_that_is_added),
                cmocka_unit_test(a_writer_says_that_it_has_forgotten_its_series),
                cmocka_unit_test(each_reference_keeps_the_batch),
                cmocka_unit_test(threads_count_each_reference),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
