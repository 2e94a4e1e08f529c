/* With the cache, each row gets the series that the row would get without other rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/names/names.h"
#include "agent/source/poll.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "proto/text.h"
#include "tests/unit/world.h"

#define NOW      100000
#define COLUMNS  6
#define ROWS_MAX 40
#define PAGE     1000
#define ROOM     8192

/* Columns: id, time, key, word, label, value. The value is also a fact of its pipeline. */
static const struct ob_source source = {
        .name = "log",
        .table = "T",
        .overlap = 600,
        .batch = PAGE,
        .start = { .kind = OB_START_OLDEST },
        .n_columns = COLUMNS,
        .columns = { { OB_CURSOR, "id" }, { OB_TIME, "t" }, { OB_KEY, "pipeline", "pipeline" },
                { OB_ENUM, "word", "word" }, { OB_LABEL, "label", "label" },
                { OB_VALUE, "value", "mainstem_state" } },
};

/* Reads rows that a test sets. */
struct rows {
        struct ob_reader reader; /* first */
        const char **cells;      /* the test's */
        size_t n;
};

static int open_rows(struct ob_reader *r, struct ob_err *err)
{
        (void)r;
        (void)err;
        return 0;
}

static int64_t id_of(const struct rows *rows, size_t row)
{
        return strtoll(rows->cells[row * COLUMNS], NULL, 10);
}

static int read_clock(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        const struct rows *rows = (const struct rows *)r;

        (void)err;
        *at = (struct ob_reading) {
                .now = NOW, .has_rows = rows->n > 0, .max_id = rows->n ? id_of(rows, rows->n - 1) : 0
        };
        return 0;
}

static int read_rows(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *read, struct ob_err *err)
{
        const struct rows *rows = (const struct rows *)r;
        size_t first = 0, n;

        (void)err;
        while (first < rows->n && id_of(rows, first) < from)
                first++;
        n = rows->n - first < limit ? rows->n - first : limit;
        *read = (struct ob_rows) {
                .cells = rows->cells + first * COLUMNS, .width = COLUMNS, .n = n, .has_more = n == limit
        };
        return 0;
}

static void free_rows(struct ob_reader *r)
{
        free(r);
}

static const struct ob_reader_ops ops = { open_rows, read_clock, read_rows, NULL, NULL, free_rows };

/* A task over such rows, with names and states. */
struct desk {
        struct world *w;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop;
        struct ob_names names;
        struct ob_manager manager;
        struct ob_pipeline_health *states;
        struct ob_task task;
        struct rows *rows;
        int64_t seq; /* of the last batch that was looked at */
        const char *cells[ROWS_MAX * COLUMNS];
        char text[ROOM];
};

static const struct ob_health_settings settings = { .lag = 60, .idle = 180, .stall = 300, .skew = 60 };

static void start_task(struct desk *d)
{
        d->rows = ob_alloc(1, sizeof(*d->rows));
        d->rows->reader =
                (struct ob_reader) { .ops = &ops, .source = &source, .identity = "db", .plan = "", .missing = "" };
        for (unsigned i = 0; i < COLUMNS; i++)
                d->rows->reader.has[i] = true;
        d->task = (struct ob_task) { .source = &source,
                .manager = "",
                .name = source.name,
                .counters = &d->counters.sources[0],
                .names = &d->names,
                .reader = &d->rows->reader,
                .states = d->states,
                .outbox = { .store = d->w->st,
                        .queue = &d->queue,
                        .counters = &d->counters.sources[0],
                        .stop = &d->stop } };
        ob_task_init(&d->task);
}

static int set_up(void **state)
{
        struct desk *d = ob_alloc(1, sizeof(*d));
        void *w;

        *state = d;
        if (world_in_memory(&w))
                return -1;
        d->w = w;
        ob_counters_init(&d->counters, 1, 0);
        ob_stop_init(&d->stop);
        d->states = ob_pipeline_health_new(&settings);
        d->manager.name = "m";
        d->names.manager = &d->manager;
        d->names.wants_labels = d->names.wants_nodes = true;
        if (ob_queue_open(&d->queue, d->w->st, INT64_C(1) << 30, &d->counters, &d->w->err) ||
                ob_names_open(&d->names, d->w->st, &d->w->err))
                return -1;
        start_task(d);
        return 0;
}

static int tear_down(void **state)
{
        struct desk *d = *state;
        void *w = d->w;

        ob_task_fini(&d->task);
        ob_queue_close(&d->queue);
        ob_names_close(&d->names);
        ob_pipeline_health_free(d->states);
        ob_counters_fini(&d->counters);
        ob_stop_fini(&d->stop);
        world_tear_down(&w);
        free(d);
        return 0;
}

struct row {
        const char *id, *time, *pipeline, *word, *label, *value;
        const char *want; /* the tags of its series; NULL: it makes no point */
};

static void poll_rows(struct desk *d, const struct row *rows, size_t n)
{
        assert_true(n <= ROWS_MAX);
        for (size_t i = 0; i < n; i++) {
                const char **cells = d->cells + i * COLUMNS;

                cells[0] = rows[i].id;
                cells[1] = rows[i].time;
                cells[2] = rows[i].pipeline;
                cells[3] = rows[i].word;
                cells[4] = rows[i].label;
                cells[5] = rows[i].value;
        }
        d->rows->cells = d->cells;
        d->rows->n = n;
        world_ok(d->w, ob_task_poll(&d->task, &d->w->err));
}

/* "pipeline=3<node> word=up label=x", and "again " before the series of a point that was counted before. */
static void show(struct ob_text *out, const struct ob_series *s)
{
        assert_string_equal(s->name, "mainstem_state");
        assert_int_equal(s->n_identity, 2);
        ob_text_add_string(out, s->deliver_to == OB_TO_IDEMPOTENT ? "again " : "");
        for (unsigned i = 0; i < s->n_tags; i++) {
                ob_text_add_string(out, i ? " " : "");
                ob_text_add_string(out, s->tags[i].key);
                ob_text_add_char(out, '=');
                ob_text_add_string(out, s->tags[i].value);
                if (!s->tags[i].node)
                        continue;
                ob_text_add_char(out, '<');
                ob_text_add_string(out, s->tags[i].node);
                ob_text_add_char(out, '>');
        }
}

static struct ob_stored_batch next_batch(struct desk *d)
{
        struct ob_stored_batch b = { .seq = 0 };

        assert_int_equal(ob_queue_next(&d->queue, d->w->st, d->seq, &b, &d->w->err), 1);
        d->seq = b.seq;
        return b;
}

static unsigned wanted_series(const struct row *rows, size_t n)
{
        unsigned found = 0;

        for (size_t i = 0; i < n; i++) {
                bool is_first = rows[i].want != NULL;

                for (size_t k = 0; k < i && is_first; k++)
                        is_first = !rows[k].want || strcmp(rows[k].want, rows[i].want) != 0;
                found += is_first;
        }
        return found;
}

/* Polls these rows. Each row must make the wanted point or none, and no series may be in the batch twice. */
static void assert_poll(struct desk *d, const struct row *rows, size_t n)
{
        ob_cleanup(ob_stored_batch_free) struct ob_stored_batch b = { .seq = 0 };
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
        struct ob_metric m;
        unsigned series;

        poll_rows(d, rows, n);
        b = next_batch(d);
        assert_true(ob_stored_batch_open(&b, &r));
        assert_int_equal(r.n_series, wanted_series(rows, n));
        for (size_t i = 0; i < n; i++) {
                struct ob_text out = ob_text_over(d->text, ROOM - 1);

                if (!rows[i].want)
                        continue;
                assert_int_equal(ob_batch_next(&r, &m, &series), 1);
                show(&out, m.series);
                assert_false(out.too_long);
                d->text[out.length] = '\0';
                if (strcmp(d->text, rows[i].want) != 0)
                        fail_msg("row %s: got \"%s\", want \"%s\"", rows[i].id, d->text, rows[i].want);
                assert_int_equal(m.time, strtoll(rows[i].time, NULL, 10));
                assert_int_equal(m.value.whole, strtoll(rows[i].value, NULL, 10));
        }
        assert_int_equal(ob_batch_next(&r, &m, &series), 0);
}

/* Each row follows each other row once: the rows before it must not matter. */
static void rows_have_the_series_of_their_own_tags(void **state)
{
        static const struct row rows[] = {
                { "1", "1000", "3", "UP", "x", "1", "pipeline=3 word=up label=x" },
                { "2", "1001", "3", "UP", "x", "2", "pipeline=3 word=up label=x" },
                { "3", "1002", "3", "UP", NULL, "3", "pipeline=3 word=up" },
                { "4", "1003", "3", "UP", "", "4", "pipeline=3 word=up label=" },
                { "5", "1004", "3", "UP", "-1", "5", "pipeline=3 word=up" },
                { "6", "1005", "3", NULL, "x", "6", "pipeline=3 word=none label=x" },
                { "7", "1006", "3", "", "x", "7", "pipeline=3 word= label=x" },
                { "8", "1007", "", "UP", "x", "8", "pipeline= word=up label=x" },
                { "9", "1008", NULL, "UP", "x", "9", "pipeline=none word=up label=x" },
                { "10", "1009", "none", "up", "x", "10", "pipeline=none word=up label=x" },
                { "11", "1010", "-1", "Up", "x", "11", "pipeline=none word=up label=x" },
                { "12", "1011", "33", "UP", "x", "12", "pipeline=33 word=up label=x" },
                { "13", "1012", "3", "3UP", "x", "13", "pipeline=3 word=3up label=x" },
                { "14", "1013", "3", "U", "px", "14", "pipeline=3 word=u label=px" },
                { "15", "1014", "3", "UP", "xx", "15", "pipeline=3 word=up label=xx" },
                { "16", "1015", NULL, NULL, NULL, "16", "pipeline=none word=none" },
                { "17", "1016", "", "", "", "17", "pipeline= word= label=" },
                { "18", "1017", NULL, "", NULL, "18", "pipeline=none word=" },
                { "19", "1018", NULL, "", "=", "19", "pipeline=none word= label==" },
                { "20", "1019", "=", NULL, "", "20", "pipeline== word=none label=" },
        };
        static const struct row between = { NULL, "1020", "77", "UP", NULL, "0", "pipeline=77 word=up" };
        unsigned id = 100;

        assert_poll(*state, rows, LENGTH(rows));
        for (size_t i = 0; i < LENGTH(rows); i++)
                for (size_t k = 0; k < LENGTH(rows); k++) {
                        struct row four[] = { between, rows[i], between, rows[k] };
                        char ids[LENGTH(four)][16];

                        for (size_t n = 0; n < LENGTH(four); n++) {
                                snprintf(ids[n], sizeof(ids[n]), "%u", id++);
                                four[n].id = ids[n];
                        }
                        assert_poll(*state, four, LENGTH(four));
                }
}

/* As the worker that reads the names does. */
static void call(struct desk *d, int64_t id, const char *name, int64_t since)
{
        struct ob_names *n = &d->names;
        struct ob_names_snapshot *next = ob_alloc(1, sizeof(*next));
        size_t known = n->book.n;

        *next = (struct ob_names_snapshot) { .names = n, .pipelines_read_at = INT64_MIN };
        ob_name_table_copy(&next->table, &n->newest->table);
        ob_name_table_row(&next->table, &n->book,
                &(struct ob_name_row) { .kind = OB_NAMED_PIPELINE, .id = id, .texts = { name } },
                since == INT64_MIN);
        ob_name_table_sort(&next->table);
        ob_name_book_date(&n->book, known, since);
        ob_names_publish(n, next);
}

#define A "pipeline=3<a> word=up pipeline_name=a"
#define B "pipeline=3<b> word=up pipeline_name=b"
#define C "pipeline=3<c> word=up pipeline_name=c"

static void a_row_has_the_name_of_its_own_time(void **state)
{
        static const struct row first[] = {
                { "1", "1000", "3", "UP", NULL, "1", A },
                { "2", "2500", "3", "UP", NULL, "2", A },
        };
        static const struct row renamed[] = {
                { "3", "1999", "3", "UP", NULL, "3", A },
                { "4", "2500", "3", "UP", NULL, "4", B },
                { "5", "1999", "3", "UP", NULL, "5", A },
                { "6", "2000", "3", "UP", NULL, "6", B },
                { "7", "5", "3", "UP", NULL, "7", A },
                { "8", "1998", "3", "UP", NULL, "8", A },
                { "9", "2001", "4", "UP", NULL, "9", "pipeline=4 word=up" },
                { "10", "1998", "3", "UP", NULL, "10", A },
                { "11", "2001", "3", "UP", NULL, "11", B },
        };
        static const struct row later[] = {
                { "12", "1999", "3", "UP", NULL, "12", A },
                { "13", "3000", "3", "UP", NULL, "13", B },
        };
        static const struct row again[] = {
                { "14", "3000", "3", "UP", NULL, "14", C },
                { "15", "2999", "3", "UP", NULL, "15", B },
                { "16", "1999", "3", "UP", NULL, "16", A },
                { "17", "3001", "3", "UP", NULL, "17", C },
                { "18", "2000", "3", "UP", NULL, "18", B },
                { "19", "3500", "4", "UP", NULL, "19", "pipeline=4<d> word=up pipeline_name=d" },
                { "20", "3499", "4", "UP", NULL, "20", "pipeline=4 word=up" },
        };
        struct desk *d = *state;

        call(d, 3, "a", INT64_MIN);
        assert_poll(d, first, LENGTH(first));
        call(d, 3, "b", 2000);
        assert_poll(d, renamed, LENGTH(renamed));
        assert_poll(d, later, LENGTH(later));
        call(d, 3, "c", 3000);
        call(d, 4, "d", 3500);
        assert_poll(d, again, LENGTH(again));
}

static uint64_t last_id(struct desk *d)
{
        ob_cleanup(ob_stored_batch_free) struct ob_stored_batch b = next_batch(d);
        ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };

        assert_true(ob_stored_batch_open(&b, &r));
        assert_int_equal(r.n_series, 1);
        return r.series[0].id;
}

/* Ids, by which a sink that keeps up finds the series. */
static void a_series_keeps_its_id_from_poll_to_poll(void **state)
{
        static const struct row rows[] = {
                { "1", "1000", "3", "UP", "x", "1" },
                { "2", "1001", "3", "UP", "x", "1" },
                { "3", "1001", "4", "UP", "x", "1" },
                { "4", "1001", "3", "UP", "x", "1" },
        };
        uint64_t ids[LENGTH(rows)];

        for (size_t i = 0; i < LENGTH(rows); i++) {
                poll_rows(*state, rows + i, 1);
                ids[i] = last_id(*state);
        }
        assert_true(ids[0] && ids[0] == ids[1] && ids[0] != ids[2] && ids[0] == ids[3]);
}

/* Rows with the same tags, of which some were counted before a rewind: a page has both series, in turns. */
static void a_point_that_was_counted_before_has_a_series_of_its_own(void **state)
{
        static const struct row counted[] = {
                { "1", "1000", "3", "UP", "x", "1", "pipeline=3 word=up label=x" },
                { "3", "1001", "3", "UP", "x", "3", "pipeline=3 word=up label=x" },
        };
        static const struct row all[] = {
                { "1", "1000", "3", "UP", "x", "1", "again pipeline=3 word=up label=x" },
                { "2", "1000", "3", "UP", "x", "2", "pipeline=3 word=up label=x" },
                { "3", "1001", "3", "UP", "x", "3", "again pipeline=3 word=up label=x" },
                { "4", "1002", "3", "UP", "x", "4", "pipeline=3 word=up label=x" },
        };
        struct desk *d = *state;

        assert_poll(d, counted, LENGTH(counted));
        ob_task_fini(&d->task);
        world_ok(d->w, ob_store_rewind_source(d->w->st, source.name, 1, 5000, &d->w->err));
        start_task(d);
        assert_poll(d, all, LENGTH(all));
}

#define LOOKS "1" /* of mainstem_state: it looks for its position */
#define NONE  "0" /* no node works on it */

/* Pages one after another, and the state of pipeline 3 after each of them. */
static const struct {
        const char *promise;
        struct {
                struct row rows[5];
                enum ob_state want;
        } pages[2];
} facts[] = {
        { "the last row of a page decides",
                { { { { "1", "1000", "3", "a", NULL, NONE }, { "2", "1001", "3", "a", NULL, LOOKS } },
                        OB_STATE_LOCATING } } },
        { "… also of the same second",
                { { { { "1", "1000", "3", "a", NULL, LOOKS }, { "2", "1000", "3", "a", NULL, NONE } },
                        OB_STATE_STALLED } } },
        { "but not an older row",
                { { { { "1", "1001", "3", "a", NULL, LOOKS }, { "2", "1000", "3", "a", NULL, NONE } },
                        OB_STATE_LOCATING } } },
        { "… whatever its other tags are",
                { { { { "1", "1001", "3", "a", NULL, LOOKS }, { "2", "1000", "3", "b", NULL, NONE },
                            { "3", "1000", "4", "a", NULL, NONE } },
                        OB_STATE_LOCATING } } },
        { "… nor one of a later page",
                { { { { "1", "1001", "3", "a", NULL, LOOKS } }, OB_STATE_LOCATING },
                        { { { "2", "1000", "3", "a", NULL, NONE }, { "3", "999", "3", "b", NULL, NONE } },
                                OB_STATE_LOCATING } } },
        { "a later page has facts of its own",
                { { { { "1", "1001", "3", "a", NULL, LOOKS }, { "2", "1001", "4", "a", NULL, LOOKS } },
                          OB_STATE_LOCATING },
                        { { { "3", "1002", "4", "a", NULL, LOOKS }, { "4", "1002", "3", "a", NULL, NONE } },
                                OB_STATE_STALLED } } },
        { "a row that is older than the pipeline's name is older, too",
                { { { { "1", "900", "3", "a", NULL, NONE }, { "2", "1001", "3", "a", NULL, LOOKS },
                            { "3", "899", "3", "a", NULL, NONE }, { "4", "898", "3", "a", NULL, NONE } },
                        OB_STATE_LOCATING } } },
        { "… and decides before a younger one comes",
                { { { { "1", "899", "3", "a", NULL, LOOKS }, { "2", "900", "3", "a", NULL, NONE } },
                          OB_STATE_STALLED },
                        { { { "3", "1001", "3", "a", NULL, LOOKS } }, OB_STATE_LOCATING } } },
};

static enum ob_state state_of_3(struct desk *d)
{
        size_t n;
        const struct ob_evaluation *all = ob_pipeline_health_evaluate(d->states, ob_clock_ms(), &n);

        for (size_t i = 0; i < n; i++)
                if (!strcmp(all[i].pipeline, "3"))
                        return all[i].state;
        return OB_STATES;
}

static void the_newest_row_says_how_its_pipeline_is(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(facts); i++) {
                void *one;
                struct desk *d;

                assert_int_equal(set_up(&one), 0);
                d = one;
                call(d, 3, "a", INT64_MIN);
                call(d, 3, "b", 1000);
                for (size_t page = 0; page < 2 && facts[i].pages[page].rows[0].id; page++) {
                        const struct row *rows = facts[i].pages[page].rows;
                        size_t n = 0;

                        while (n < LENGTH(facts[i].pages[page].rows) && rows[n].id)
                                n++;
                        poll_rows(d, rows, n);
                        if (state_of_3(d) != facts[i].pages[page].want)
                                fail_msg("%s: page %zu: state %d", facts[i].promise, page, (int)state_of_3(d));
                }
                tear_down(&one);
        }
}

#define MANY 40000 /* rows */

/*
 * The value of each row is the number of its pipeline, and some pipelines come again and again. Every second row
 * has another text for "no label", which makes no other series.
 */
static void poll_many(struct desk *d, size_t pipelines)
{
        ob_cleanup(ob_free_at) char(*texts)[2][16] = ob_alloc(MANY, sizeof(*texts));
        const char **cells = ob_alloc((size_t)MANY * COLUMNS, sizeof(*cells));
        int64_t points = 0;

        for (size_t i = 0; i < MANY; i++) {
                const size_t pipeline = i % 7 ? i / 2 % pipelines : i % 5;

                snprintf(texts[i][0], sizeof(*texts[i]), "%zu", i + 1);
                snprintf(texts[i][1], sizeof(*texts[i]), "%zu", pipeline);
                memcpy(cells + i * COLUMNS,
                        (const char *[]) {
                                texts[i][0], "1000", texts[i][1], "up", i % 2 ? "-1" : NULL, texts[i][1] },
                        COLUMNS * sizeof(*cells));
        }
        d->rows->cells = cells;
        d->rows->n = MANY;
        world_ok(d->w, ob_task_poll(&d->task, &d->w->err));
        while (points < MANY) {
                ob_cleanup(ob_stored_batch_free) struct ob_stored_batch b = next_batch(d);
                ob_cleanup(ob_batch_close) struct ob_batch_reader r = { .made = 0 };
                struct ob_metric m;
                unsigned series;

                assert_true(ob_stored_batch_open(&b, &r));
                for (; ob_batch_next(&r, &m, &series) == 1; points++)
                        assert_int_equal(strtoll(m.series->tags[0].value, NULL, 10), m.value.whole);
        }
        assert_int_equal(points, MANY);
        free(cells);
}

/* More than the batch keeps. */
static void no_number_of_series_mixes_them_up(void **state)
{
        struct desk *d = *state;

        poll_many(d, MANY / 2);
        assert_true(ob_batch_forgets(d->task.outbox.batch) > 0);
}

/* More than the cache keeps, and not more than the batch: the cache is emptied in the middle of a page. */
static void no_number_of_rows_mixes_them_up(void **state)
{
        struct desk *d = *state;

        poll_many(d, 8000);
        assert_int_equal(ob_batch_forgets(d->task.outbox.batch), 0);
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                AT_A_DESK(rows_have_the_series_of_their_own_tags),
                AT_A_DESK(a_row_has_the_name_of_its_own_time),
                AT_A_DESK(a_series_keeps_its_id_from_poll_to_poll),
                AT_A_DESK(a_point_that_was_counted_before_has_a_series_of_its_own),
                cmocka_unit_test(the_newest_row_says_how_its_pipeline_is),
                AT_A_DESK(no_number_of_series_mixes_them_up),
                AT_A_DESK(no_number_of_rows_mixes_them_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
