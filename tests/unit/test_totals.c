/* What is in the totals, whatever is cut off; each tried on disk and in memory. */
#include <stdlib.h>
#include <string.h>

#include "agent/sink/totals.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"
#include "tests/unit/world.h"

#define SINK "statsd"
#define ROOM 4096

/* One point, `value` of a series that is told apart by two identity tags and a label. */
struct point {
        const char *name, *pipeline, *node;
        int64_t value;
        enum ob_kind kind;
        enum ob_deliver_to deliver_to;
        const char *path; /* the pipeline's name in a path */
};

static void free_batch(struct ob_batch **b)
{
        ob_batch_free(*b);
}

static void free_totals(struct ob_totals **t)
{
        ob_totals_free(*t);
}

static void add_point(struct ob_batch *b, const struct point *p)
{
        const struct ob_series s = {
                .kind = p->kind,
                .deliver_to = p->deliver_to,
                .name = p->name,
                .n_identity = 2,
                .n_tags = 3,
                .tags = { { "pipeline", p->pipeline, p->path }, { "pair", "" },
                        { "node", p->node ? p->node : "" } },
        };

        ob_batch_add(b, &(struct ob_metric) { &s, 1587312000, ob_whole(p->value) });
}

/* Adds the points as batch `seq`. */
static void add(struct ob_totals *t, int64_t seq, const struct point *points, size_t n)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        const struct ob_bytes *blob;

        ob_batch_start(b, 1587312000);
        for (size_t i = 0; i < n; i++)
                add_point(b, &points[i]);
        blob = ob_batch_blob(b);
        ob_totals_add(t, &(struct ob_stored_batch) { .seq = seq, .points = (unsigned)n, .body = *blob });
}

#define ADD(t, seq, ...)                                                                                           \
        add(t, seq, (const struct point[]) { __VA_ARGS__ },                                                        \
                sizeof((const struct point[]) { __VA_ARGS__ }) / sizeof(struct point))

static struct ob_totals *open_as(struct world *w, enum ob_totals_by by, int64_t acked, int want)
{
        struct ob_totals *t;
        int got = ob_totals_open(&t, w->st, SINK, by, acked, &w->err);

        world_ok(w, got);
        assert_int_equal(got, want);
        return t;
}

static void store(struct world *w, struct ob_totals *t)
{
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, ob_totals_stage(t, w->st, &w->err));
        world_ok(w, ob_store_commit(w->st, &w->err));
        ob_totals_staged(t);
}

/* All of them as lines, "otter.pipeline.1.….total value;". */
static void assert_says(const struct ob_totals *t, const char *want)
{
        char room[ROOM];
        struct ob_text said = ob_text_over(room, sizeof(room));
        size_t n = 0;

        for (const struct ob_total *at = NULL; (at = ob_totals_next(t, at)); n++) {
                struct ob_series s;
                struct ob_metric gauge = ob_total_gauge(at, &s);

                assert_int_equal(s.kind, OB_GAUGE);
                ob_name_tagged(&said, "o", gauge.series);
                ob_text_add_char(&said, ' ');
                ob_text_add_number(&said, gauge.value);
                ob_text_add_char(&said, '\n');
        }
        ob_text_add_char(&said, '\0');
        assert_false(said.too_long);
        assert_string_equal(room, want);
        assert_int_equal(ob_totals_count(t), n);
}

static void counters_add_up_by_series(void **state)
{
        ob_cleanup(free_totals) struct ob_totals *t = open_as(*state, OB_BY_IDENTITY, 0, 0);

        ADD(t, 1, { "a", "1", .value = 5 }, { "a", "2", .value = 7 }, { "b", "1", .value = 1 });
        ADD(t, 2, { "a", "1", .value = 10 }, { "a", "1", .value = 20 });
        assert_says(t, "o.a.total;pipeline=1 35\no.a.total;pipeline=2 7\no.b.total;pipeline=1 1\n");
}

static void what_is_no_counter_or_is_told_again_is_left_out(void **state)
{
        ob_cleanup(free_totals) struct ob_totals *t = open_as(*state, OB_BY_IDENTITY, 0, 0);

        ADD(t, 1, { "a", "1", .value = 5 }, { "a", "1", .value = 100, .deliver_to = OB_TO_IDEMPOTENT },
                { "a", "1", .deliver_to = OB_TO_FORGET }, { "g", "1", .value = 3, .kind = OB_GAUGE },
                { "m", "1", .value = 3, .kind = OB_GAUGE_MAX });
        assert_says(t, "o.a.total;pipeline=1 5\n");
}

static void series_are_told_apart_as_the_wire_does(void **state)
{
        static const char *const want[] = {
                [OB_BY_IDENTITY] = "o.a.total;pipeline=1 12\n",
                [OB_BY_TAGS] = "o.a.total;node=x;pipeline=1 5\no.a.total;node=y;pipeline=1 7\n",
                [OB_BY_NODES] = "o.a.total;pipeline=shop 5\no.a.total;pipeline=mall 7\n",
        };

        for (enum ob_totals_by by = 0; by < LENGTH(want); by++) {
                ob_cleanup(free_totals) struct ob_totals *t = open_as(*state, by, 0, 0);

                ADD(t, 1, { "a", "1", "x", .value = 5, .path = "shop" },
                        { "a", "1", "y", .value = 7, .path = "mall" });
                assert_says(t, want[by]);
        }
}

static void a_batch_is_added_once(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 3, 0), *later = NULL;

        ADD(t, 3, { "a", "1", .value = 1000 }); /* it was passed before there were totals */
        ADD(t, 5, { "a", "1", .value = 5 });
        ADD(t, 5, { "a", "1", .value = 5 });
        ADD(t, 4, { "a", "1", .value = 5 });
        assert_says(t, "o.a.total;pipeline=1 5\n");
        store(w, t);
        later = open_as(w, OB_BY_IDENTITY, 0, 1);
        ADD(later, 5, { "a", "1", .value = 5 });
        assert_says(later, "o.a.total;pipeline=1 5\n");
        ADD(later, 6, { "a", "1", .value = 5 });
        assert_says(later, "o.a.total;pipeline=1 10\n");
}

/* A crash before the commit: the batch is there again, and is added again. */
static void what_was_not_committed_is_not_in_them(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0), *later = NULL, *last = NULL;

        ADD(t, 1, { "a", "1", .value = 5 });
        store(w, t);
        ADD(t, 2, { "a", "1", .value = 6 }, { "b", "1", .value = 1 });
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, ob_totals_stage(t, w->st, &w->err));
        ob_store_rollback(w->st);
        later = open_as(w, OB_BY_IDENTITY, 0, 1);
        assert_says(later, "o.a.total;pipeline=1 5\n");

        store(w, t); /* what could not be committed is with the next commit */
        last = open_as(w, OB_BY_IDENTITY, 0, 1);
        assert_says(last, "o.a.total;pipeline=1 11\no.b.total;pipeline=1 1\n");
        ADD(last, 2, { "a", "1", .value = 6 });
        assert_says(last, "o.a.total;pipeline=1 11\no.b.total;pipeline=1 1\n");
}

static int count_row(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        (void)row;
        (void)err;
        ++*(int *)ctx;
        return 0;
}

/* Those of its totals, and the one of the last batch. */
static int rows(struct world *w, const char *sink)
{
        int n = 0;

        world_ok(w, ob_store_each_row(w->st, OB_TABLE_SINK_TOTALS, sink, count_row, &n, &w->err));
        world_ok(w, ob_store_each_row(w->st, OB_TABLE_SINK_TOTALS_UPTO, sink, count_row, &n, &w->err));
        return n;
}

static void there_is_one_row_a_series(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0);

        for (int64_t seq = 1; seq <= 20; seq++) {
                ADD(t, seq, { "a", "1", .value = 5 }, { "a", "2", .value = 7 });
                store(w, t);
        }
        assert_int_equal(rows(w, SINK), 2 + 1); /* and how they are kept */
        assert_says(t, "o.a.total;pipeline=1 100\no.a.total;pipeline=2 140\n");
}

static void another_flavor_begins_anew(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0), *other = NULL, *back = NULL;

        ADD(t, 1, { "a", "1", .value = 5 });
        store(w, t);
        other = open_as(w, OB_BY_TAGS, 1, 0);
        assert_says(other, "");
        assert_int_equal(rows(w, SINK), 0);
        back = open_as(w, OB_BY_IDENTITY, 1, 0);
        ADD(back, 1, { "a", "1", .value = 5 });
        ADD(back, 2, { "a", "1", .value = 6 });
        assert_says(back, "o.a.total;pipeline=1 6\n");
}

static void put_upto(struct world *w, int64_t by)
{
        world_ok(w, OB_PUT_ROW(w->st, OB_TABLE_SINK_TOTALS_UPTO, &w->err, ob_value_text(SINK), ob_value_number(7),
                            ob_value_number(by)));
}

static void put_total(
        struct world *w, const char *name, int64_t n_identity, const void *tags, size_t length, int64_t total)
{
        world_ok(w, OB_PUT_ROW(w->st, OB_TABLE_SINK_TOTALS, &w->err, ob_value_text(SINK), ob_value_text(name),
                            ob_value_number(n_identity), ob_value_blob(tags, length), ob_value_number(total)));
}

static const struct {
        const char *tags;
        size_t length;
        int64_t n_identity, by;
} damaged_cases[] = {
#define DAMAGED(n_identity, tags, ...)                                                                             \
        {                                                                                                          \
                tags, sizeof(tags) - 1, n_identity, __VA_ARGS__                                                    \
        }
        DAMAGED(0, "", OB_BY_TAGS),                                            /* of the other flavor */
        DAMAGED(0, "", 99),                                                    /* of a flavor that is not known */
        DAMAGED(1, "", 0),                                                     /* more identity than tags */
        DAMAGED(0, "b", 0),                                                    /* a key without its end */
        DAMAGED(1, "pipeline\0", 0),                                           /* no value */
        DAMAGED(1, "pipeline\0001", 0),                                        /* a value without its end */
        DAMAGED(0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0), /* more tags than there may be */
};

static void what_is_damaged_begins_anew(void **state)
{
        struct world *w = *state;

        for (size_t i = 0; i < LENGTH(damaged_cases); i++) {
                ob_cleanup(free_totals) struct ob_totals *sound = NULL, *t = NULL;

                world_ok(w, ob_totals_forget(w->st, SINK, &w->err));
                put_upto(w, OB_BY_IDENTITY);
                put_total(w, "sound.total", 0, "", 0, 5);
                sound = open_as(w, OB_BY_IDENTITY, 0, 1);
                assert_says(sound, "o.sound.total 5\n");
                put_upto(w, damaged_cases[i].by);
                put_total(w, "a.total", damaged_cases[i].n_identity, damaged_cases[i].tags, damaged_cases[i].length,
                        1);
                t = open_as(w, OB_BY_IDENTITY, 9, 0);
                assert_says(t, "");
                assert_int_equal(rows(w, SINK), 0);
                ADD(t, 9, { "a", "1", .value = 1 });
                ADD(t, 10, { "a", "1", .value = 2 });
                assert_says(t, "o.a.total;pipeline=1 2\n");
        }
}

static void totals_are_exact(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0), *later = NULL;

        ADD(t, 1, { "a", "1", .value = INT64_MAX - 4 }, { "a", "1", .value = 3 }, { "b", "1", .value = -5 });
        assert_says(t, "o.a.total;pipeline=1 9223372036854775806\no.b.total;pipeline=1 -5\n");
        store(w, t);
        later = open_as(w, OB_BY_IDENTITY, 0, 1);
        assert_says(later, "o.a.total;pipeline=1 9223372036854775806\no.b.total;pipeline=1 -5\n");
}

static void at_its_end_a_total_stays(void **state)
{
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0), *later = NULL;

        ADD(t, 1, { "a", "1", .value = INT64_MAX }, { "a", "1", .value = 3 }, { "b", "1", .value = INT64_MIN },
                { "b", "1", .value = -1 });
        assert_says(t, "o.a.total;pipeline=1 9223372036854775807\no.b.total;pipeline=1 -9223372036854775808\n");
        store(w, t);
        later = open_as(w, OB_BY_IDENTITY, 0, 1);
        ADD(later, 2, { "a", "1", .value = 1 });
        assert_says(later, "o.a.total;pipeline=1 9223372036854775807\no.b.total;pipeline=1 -9223372036854775808\n");
}

static void a_sink_that_is_forgotten_leaves_none(void **state)
{
        static const char *const kept[] = { "other" };
        const struct ob_delivery p = { .acked = 0 };
        struct world *w = *state;
        ob_cleanup(free_totals) struct ob_totals *t = open_as(w, OB_BY_IDENTITY, 0, 0);

        ADD(t, 1, { "a", "1", .value = 5 });
        store(w, t);
        world_ok(w, ob_store_put_delivery(w->st, SINK, &p, &w->err));
        world_ok(w, ob_store_put_delivery(w->st, "other", &p, &w->err));
        world_ok(w, OB_PUT_ROW(w->st, OB_TABLE_SINK_TOTALS_UPTO, &w->err, ob_value_text("other"),
                            ob_value_number(7), ob_value_number(0)));
        assert_int_equal(ob_store_keep_sinks(w->st, kept, LENGTH(kept), &w->err), 1);
        assert_int_equal(rows(w, SINK), 0);
        assert_int_equal(rows(w, "other"), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                EVERYWHERE(counters_add_up_by_series),
                EVERYWHERE(what_is_no_counter_or_is_told_again_is_left_out),
                EVERYWHERE(series_are_told_apart_as_the_wire_does),
                EVERYWHERE(a_batch_is_added_once),
                EVERYWHERE(what_was_not_committed_is_not_in_them),
                EVERYWHERE(there_is_one_row_a_series),
                EVERYWHERE(another_flavor_begins_anew),
                EVERYWHERE(what_is_damaged_begins_anew),
                EVERYWHERE(totals_are_exact),
                EVERYWHERE(at_its_end_a_total_stays),
                EVERYWHERE(a_sink_that_is_forgotten_leaves_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
