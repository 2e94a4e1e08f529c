#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sink/fold.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP 60
#define KEEP 120

/* What a fold gives out, as lines: "path step value points". */
struct given {
        char text[4096];
        size_t length;
};

static void note(void *ctx, const struct ob_fold_value *v)
{
        struct given *g = ctx;
        char value[OB_NUMBER_MAX];

        ob_number_format(value, v->value);
        g->length += (size_t)snprintf(g->text + g->length, sizeof(g->text) - g->length, "%.*s %lld %s %u\n",
                (int)v->length, v->path, (long long)v->step, value, v->points);
        assert_true(g->length < sizeof(g->text));
        assert_int_equal(v->path[v->length], '\0');
}

static void free_fold(struct ob_fold **f)
{
        ob_fold_free(*f);
}

/* A case is a little program. The second fold is one of the same batches that is further on. */
enum verb {
        END,
        COUNT,       /* a point of a counter */
        READ,        /* … of a gauge */
        PEAK,        /* … of a gauge of which the largest stands */
        AGAIN,       /* … of a counter that was counted before */
        LATE,        /* … that must be refused */
        FLUSH,       /* of the first fold */
        AHEAD,       /* … for the second fold alone */
        NAME_AHEAD,  /* a series for it, of which every point is refused elsewhere */
        FLUSH_NEWER, /* of the first fold, with what the second one knows */
        COPY,        /* the first fold becomes what the second one is */
        STORE,       /* the first fold is written, and read into an empty one */
        FORGET,      /* the series `path` of it */
        FORGET_IDLE, /* `time` seconds pass: the series that were silent for `value` seconds are closed */
        FORGET_OLD,  /* … and those that were silent for twice as long are removed */
        CLOSE,       /* the steps that ended by `time` */
        CLOSE_FRESH, /* … also those that grew since the last CLOSE */
        MOVE,        /* a late point of a counter goes into another step */
        MOVE_READ,   /* … of a gauge */
};

struct op {
        enum verb verb;
        const char *path;
        int64_t time, value; /* value: whole, */
        bool is_half;        /* but for a half more */
};

static const struct {
        const char *name;
        struct op ops[16];
        const char *want; /* all that was given out, at its end too */
} cases[] = {
        { .name = "a counter's points of one step are added up",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 61, 2 }, { COUNT, "a", 119, 4 }, { FLUSH } },
                .want = "a 60 7 3\n" },
        { .name = "each step has its own total",
                .ops = { { COUNT, "a", 59, 1 }, { COUNT, "a", 60, 2 }, { COUNT, "a", 120, 4 }, { FLUSH } },
                .want = "a 0 1 1\na 60 2 1\na 120 4 1\n" },
        { .name = "points may come in any order within keep",
                .ops = { { COUNT, "a", 180, 1 }, { COUNT, "a", 60, 2 }, { COUNT, "a", 120, 4 },
                        { COUNT, "a", 61, 8 }, { FLUSH } },
                .want = "a 60 10 2\na 120 4 1\na 180 1 1\n" },
        { .name = "steps before 1970 begin where others do",
                .ops = { { COUNT, "a", -1, 1 }, { COUNT, "a", -60, 2 }, { COUNT, "a", -61, 4 }, { FLUSH } },
                .want = "a -120 4 1\na -60 3 2\n" },
        { .name = "of a gauge the newest reading stands, whenever it comes",
                .ops = { { READ, "a", 70, 5 }, { READ, "a", 90, 3 }, { READ, "a", 80, 9 }, { FLUSH } },
                .want = "a 60 3 3\n" },
        { .name = "of two readings of one second the later one stands",
                .ops = { { READ, "a", 70, 5 }, { READ, "a", 70, 3 }, { FLUSH } },
                .want = "a 60 3 2\n" },
        { .name = "of a peak the largest reading stands",
                .ops = { { PEAK, "a", 70, 5 }, { PEAK, "a", 90, 9 }, { PEAK, "a", 80, 3 }, { FLUSH } },
                .want = "a 60 9 3\n" },
        { .name = "also when all are negative",
                .ops = { { PEAK, "a", 70, -5 }, { PEAK, "a", 90, -9 }, { FLUSH } },
                .want = "a 60 -5 2\n" },
        { .name = "zero is a value",
                .ops = { { READ, "a", 70, 0 }, { PEAK, "b", 70, 0 }, { COUNT, "c", 70, 0 }, { FLUSH } },
                .want = "a 60 0 1\nb 60 0 1\nc 60 0 1\n" },
        { .name = "what was given out is given out again only when it grew, whole",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "b", 60, 2 }, { FLUSH }, { FLUSH }, { COUNT, "a", 61, 4 },
                        { FLUSH } },
                .want = "a 60 1 1\nb 60 2 1\na 60 5 1\n" },
        { .name = "a step is open while it is not older than keep",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 60 + KEEP, 2 }, { COUNT, "a", 60, 4 }, { FLUSH } },
                .want = "a 60 5 2\na 180 2 1\n" },
        { .name = "a step that falls behind is closed, and given out as it is",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 120 + KEEP, 2 } },
                .want = "a 60 1 1\na 240 2 1\n" },
        { .name = "but not twice",
                .ops = { { COUNT, "a", 60, 1 }, { FLUSH }, { COUNT, "a", 120 + KEEP, 2 } },
                .want = "a 60 1 1\na 240 2 1\n" },
        { .name = "what comes for a closed step is late, and changes nothing",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 120 + KEEP, 2 }, { LATE, "a", 60, 4 },
                        { LATE, "a", 119, 4 }, { COUNT, "a", 120, 8 } },
                .want = "a 60 1 1\na 120 8 1\na 240 2 1\n" },
        { .name = "also when nothing was ever in that step",
                .ops = { { COUNT, "a", 600, 1 }, { LATE, "a", 479, 4 }, { COUNT, "a", 480, 2 } },
                .want = "a 480 2 1\na 600 1 1\n" },
        { .name = "a series is late by its own steps alone",
                .ops = { { COUNT, "a", 6000, 1 }, { COUNT, "b", 60, 2 }, { FLUSH } },
                .want = "a 6000 1 1\nb 60 2 1\n" },
        { .name = "a point that was counted before counts in the value alone",
                .ops = { { AGAIN, "a", 60, 1 }, { COUNT, "a", 60, 2 }, { FLUSH } },
                .want = "a 60 3 1\n" },
        { .name = "steps that ended are closed, the oldest first, and given out once",
                .ops = { { COUNT, "a", 120, 1 }, { COUNT, "a", 60, 2 }, { COUNT, "a", 180, 4 }, { CLOSE, "", 0 },
                        { CLOSE, "", 180 }, { CLOSE, "", 239 }, { COUNT, "a", 181, 8 }, { CLOSE, "", 300 },
                        { CLOSE, "", 300 } },
                .want = "a 60 2 1\na 120 1 1\na 180 12 2\n" },
        { .name = "a step that has just grown stays open, with those behind it",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 120, 2 }, { CLOSE, "", 0 }, { COUNT, "a", 61, 4 },
                        { CLOSE, "", 180 }, { COUNT, "a", 62, 8 }, { CLOSE_FRESH, "", 180 } },
                .want = "a 60 13 3\na 120 2 1\n" },
        { .name = "a stored step counts as one that has just grown",
                .ops = { { COUNT, "a", 60, 1 }, { CLOSE, "", 0 }, { STORE }, { CLOSE, "", 120 },
                        { COUNT, "a", 60, 2 }, { CLOSE, "", 0 }, { CLOSE, "", 120 } },
                .want = "a 60 3 2\n" },
        { .name = "what is late moves into the oldest open step and counts there in the value alone",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 240, 2 }, { CLOSE_FRESH, "", 120 },
                        { MOVE, "a", 60, 4 }, { COUNT, "a", 180, 8 }, { MOVE, "a", 60, 16 } },
                .want = "a 60 1 1\na 180 24 1\na 240 6 1\n" },
        { .name = "or into the step after the last one, where none is open, also when the fold was stored",
                .ops = { { COUNT, "a", 60, 1 }, { CLOSE_FRESH, "", 120 }, { STORE }, { MOVE, "a", 60, 4 },
                        { CLOSE_FRESH, "", 180 }, { MOVE, "a", 120, 8 } },
                .want = "a 60 1 1\na 120 4 0\na 180 8 0\n" },
        { .name = "a late reading replaces no reading of the step into which it moves",
                .ops = { { READ, "a", 60, 1 }, { READ, "a", 130, 2 }, { CLOSE_FRESH, "", 120 },
                        { MOVE_READ, "a", 70, 4 }, { CLOSE_FRESH, "", 180 }, { MOVE_READ, "a", 71, 5 } },
                .want = "a 60 1 1\na 120 2 1\na 180 5 0\n" },
        { .name = "with a newer fold its values go out",
                .ops = { { COUNT, "a", 60, 1 }, { AHEAD, "a", 60, 1 }, { AHEAD, "a", 60, 6 }, { FLUSH_NEWER },
                        { FLUSH } },
                .want = "a 60 7 1\n" },
        { .name = "a step that the newer one has closed waits until it closes here",
                .ops = { { COUNT, "a", 60, 1 }, { AHEAD, "a", 60, 1 }, { AHEAD, "a", 60, 6 },
                        { AHEAD, "a", 240, 2 }, { FLUSH_NEWER }, { COUNT, "a", 60, 6 }, { FLUSH_NEWER },
                        { COUNT, "a", 240, 2 }, { FLUSH_NEWER } },
                .want = "a 60 7 2\na 240 2 1\n" },
        { .name = "a series that the newer one does not know waits as well",
                .ops = { { COUNT, "a", 60, 1 }, { FLUSH_NEWER }, { COUNT, "a", 60, 2 } },
                .want = "a 60 3 2\n" },
        { .name = "a copy gives out what had not been given out",
                .ops = { { AHEAD, "a", 60, 1 }, { AHEAD, "b", 60, 2 }, { COUNT, "c", 60, 9 }, { FLUSH }, { COPY } },
                .want = "c 60 9 1\na 60 1 1\nb 60 2 1\n" },
        { .name = "a copy goes on by itself",
                .ops = { { AHEAD, "a", 60, 1 }, { COPY }, { AHEAD, "a", 60, 8 }, { COUNT, "a", 61, 2 } },
                .want = "a 60 3 2\n" },
        { .name = "a stored fold goes on where it was",
                .ops = { { COUNT, "a", 60, 1 }, { FLUSH }, { READ, "b", 90, 5 }, { PEAK, "c", 90, 5 }, { STORE },
                        { FLUSH }, { COUNT, "a", 61, 2 }, { READ, "b", 80, 7 }, { PEAK, "c", 80, 3 } },
                .want = "a 60 1 1\nb 60 5 1\nc 60 5 1\na 60 3 1\nb 60 5 1\nc 60 5 1\n" },
        { .name = "and knows what is late",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "a", 240, 2 }, { FLUSH }, { STORE }, { LATE, "a", 60, 4 },
                        { COUNT, "a", 120, 8 } },
                .want = "a 60 1 1\na 240 2 1\na 120 8 1\n" },
        { .name = "a series without points can be copied and stored",
                .ops = { { NAME_AHEAD, "a" }, { COPY }, { STORE }, { COUNT, "a", 60, 1 } },
                .want = "a 60 1 1\n" },
        { .name = "an empty one can be stored too", .ops = { { STORE }, { FLUSH } }, .want = "" },
        { .name = "of a silent series the last step is remembered: what comes for it, or before it, is late",
                .ops = { { COUNT, "a", 60, 100 }, { FLUSH }, { FORGET_IDLE, .time = 600, .value = 1000 },
                        { COUNT, "b", 5000, 2 }, { FLUSH }, { FORGET_IDLE, .time = 600, .value = 1000 },
                        { LATE, "a", 60, 1 }, { LATE, "a", 119, 1 }, { LATE, "a", 1, 1 }, { COUNT, "a", 120, 4 },
                        { COUNT, "b", 5000, 8 } },
                .want = "a 60 100 1\nb 4980 2 1\na 120 4 1\nb 4980 10 1\n" },
        { .name = "also when it goes on, and after a restart",
                .ops = { { COUNT, "a", 60, 100 }, { FLUSH }, { FORGET_IDLE, .time = 5000, .value = 1000 },
                        { STORE }, { LATE, "a", 60, 1 }, { COUNT, "a", 120, 4 }, { LATE, "a", 60, 1 }, { STORE },
                        { LATE, "a", 60, 1 }, { COUNT, "a", 121, 4 } },
                .want = "a 60 100 1\na 120 8 2\n" },
        { .name = "but a silent series that is forgotten on purpose begins anew",
                .ops = { { COUNT, "a", 60, 100 }, { FLUSH }, { FORGET_IDLE, .time = 5000, .value = 1000 },
                        { FORGET, "a" }, { COUNT, "a", 1, 1 }, { COUNT, "a", 60, 2 } },
                .want = "a 60 100 1\na 0 1 1\na 60 2 1\n" },
        { .name = "and one that is too old for any point is forgotten",
                .ops = { { COUNT, "a", 60, 1 }, { FLUSH }, { FORGET_OLD, .time = 1500, .value = 1000 },
                        { COUNT, "b", 3990, 2 }, { FLUSH }, { FORGET_OLD, .time = 1100, .value = 1000 },
                        { COUNT, "a", 60, 4 }, { LATE, "b", 3970, 1 } },
                .want = "a 60 1 1\nb 3960 2 1\na 60 4 1\n" },
        { .name = "but not before all of it was given out",
                .ops = { { COUNT, "a", 60, 1 }, { FORGET_IDLE, .time = 5000, .value = 1000 },
                        { COUNT, "a", 60, 4 } },
                .want = "a 60 5 2\n" },
        { .name = "nor when it is just old enough",
                .ops = { { COUNT, "a", 60, 1 }, { FLUSH }, { FORGET_IDLE, .time = 1000, .value = 1000 },
                        { COUNT, "a", 60, 4 } },
                .want = "a 60 1 1\na 60 5 1\n" },
        { .name = "a series of a server whose clock is a year behind is not silent",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "b", 31536000, 2 }, { FLUSH },
                        { FORGET_IDLE, .time = 600, .value = 1000 }, { STORE },
                        { FORGET_IDLE, .time = 300, .value = 1000 }, { COUNT, "a", 60, 4 } },
                .want = "a 60 1 1\nb 31536000 2 1\na 60 5 1\n" },
        { .name = "a sum that 64 bits cannot hold is the largest number that they can hold",
                .ops = { { COUNT, "a", 60, INT64_MAX - 1 }, { COUNT, "a", 61, 7 }, { FLUSH }, { COUNT, "a", 62, 1 },
                        { FLUSH }, { COUNT, "a", 63, -1 } },
                .want = "a 60 9223372036854775807 2\na 60 9223372036854775807 1\na 60 9223372036854775806 1\n" },
        { .name = "and below zero the smallest one",
                .ops = { { COUNT, "a", 60, INT64_MIN }, { COUNT, "a", 61, -7 } },
                .want = "a 60 -9223372036854775808 2\n" },
        { .name = "peaks with and without a fraction",
                .ops = { { PEAK, "a", 60, 2, .is_half = true }, { PEAK, "a", 61, 2 }, { FLUSH },
                        { PEAK, "a", 62, 3 }, { FLUSH }, { PEAK, "a", 63, 2, .is_half = true }, { FLUSH },
                        { PEAK, "a", 64, 3, .is_half = true } },
                .want = "a 60 2.5 2\na 60 3 1\na 60 3 1\na 60 3.5 1\n" },
        { .name = "readings with and without a fraction",
                .ops = { { READ, "a", 60, 2, .is_half = true }, { STORE }, { FLUSH }, { READ, "a", 61, 2 } },
                .want = "a 60 2.5 1\na 60 2 1\n" },
        { .name = "a series that is forgotten on purpose gives out what grew, and begins anew",
                .ops = { { COUNT, "a", 60, 1 }, { COUNT, "b", 60, 2 }, { FORGET, "a" }, { COUNT, "a", 60, 4 },
                        { COUNT, "b", 60, 8 } },
                .want = "a 60 1 1\nb 60 10 2\na 60 4 1\n" },
};

static struct ob_metric metric_of(const struct op *op, struct ob_series *series)
{
        static const enum ob_kind kinds[] = { [COUNT] = OB_COUNTER,
                [READ] = OB_GAUGE,
                [PEAK] = OB_GAUGE_MAX,
                [AGAIN] = OB_COUNTER,
                [LATE] = OB_COUNTER,
                [AHEAD] = OB_COUNTER,
                [MOVE] = OB_COUNTER,
                [MOVE_READ] = OB_GAUGE };

        *series = (struct ob_series) { .kind = kinds[op->verb] };
        return (struct ob_metric) { series, op->time,
                op->is_half ? (struct ob_metric_value)REAL((double)op->value + 0.5) : ob_whole(op->value) };
}

/* Whether the fold took the point. */
static bool add(struct ob_fold *f, const struct op *op)
{
        struct ob_series series;
        const struct ob_metric m = metric_of(op, &series);

        return ob_fold_add(f, ob_fold_find(f, op->path, strlen(op->path)), &m, op->verb != AGAIN) != OB_FOLD_LATE;
}

static bool move(struct ob_fold *f, const struct op *op)
{
        struct ob_series series;
        const struct ob_metric m = metric_of(op, &series);

        return ob_fold_add_late(f, ob_fold_find(f, op->path, strlen(op->path)), &m) == OB_FOLD_ADDED;
}

static bool is_path(void *ctx, const char *path)
{
        return !strcmp(path, ctx);
}

static void store_and_read(struct ob_fold **f, struct given *given)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };
        struct ob_fold *read = ob_fold_new(STEP, KEEP, note, given);

        ob_fold_write(*f, &bytes);
        assert_true(ob_fold_read(read, bytes.data, bytes.length));
        ob_fold_free(*f);
        *f = read;
}

/* Both folds of a case, and what the first one gave out. */
struct run {
        struct ob_fold *f, *newer;
        struct given given, ignored;
};

/* False when the fold took what it had to refuse, or refused what it had to take. */
static bool run_op(struct run *r, const struct op *op)
{
        char path[8];

        switch (op->verb) {
        case COUNT:
        case READ:
        case PEAK:
        case AGAIN:
                return add(r->f, op);
        case LATE:
                return !add(r->f, op);
        case AHEAD:
                return add(r->newer, op);
        case NAME_AHEAD:
                return ob_fold_find(r->newer, op->path, strlen(op->path));
        case FLUSH:
                ob_fold_flush(r->f, NULL);
                return true;
        case FLUSH_NEWER:
                ob_fold_flush(r->f, r->newer);
                return true;
        case COPY:
                ob_fold_assign(r->f, r->newer);
                return true;
        case STORE:
                store_and_read(&r->f, &r->given);
                return true;
        case FORGET:
                snprintf(path, sizeof(path), "%s", op->path);
                ob_fold_forget(r->f, is_path, path);
                return true;
        case FORGET_IDLE:
                ob_fold_forget_idle(r->f, op->time, op->value, 0);
                return true;
        case FORGET_OLD:
                ob_fold_forget_idle(r->f, op->time, op->value, 2 * op->value);
                return true;
        case CLOSE:
        case CLOSE_FRESH:
                ob_fold_close_ended(r->f, op->time, op->verb == CLOSE_FRESH);
                return true;
        case MOVE:
        case MOVE_READ:
                return !add(r->f, op) && move(r->f, op);
        case END:
                break;
        }
        return false;
}

static void a_step_goes_out_whole(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct run r = { .given = { .length = 0 } };

                r.f = ob_fold_new(STEP, KEEP, note, &r.given);
                r.newer = ob_fold_new(STEP, KEEP, note, &r.ignored);
                for (const struct op *op = cases[i].ops; op->verb != END; op++)
                        if (!run_op(&r, op))
                                fail_msg("%s: the point at %lld", cases[i].name, (long long)op->time);
                ob_fold_flush(r.f, NULL);
                ob_fold_free(r.f);
                ob_fold_free(r.newer);
                if (strcmp(r.given.text, cases[i].want) != 0)
                        fail_msg("%s: got\n%s, want\n%s", cases[i].name, r.given.text, cases[i].want);
        }
}

/* The last value that went out for each step, as carbon would keep it. */
#define PATHS 5
#define STEPS 200

struct carbon {
        int64_t kept[PATHS][STEPS];
        unsigned points;
};

static void keep(void *ctx, const struct ob_fold_value *v)
{
        struct carbon *c = ctx;

        c->kept[v->path[0] - 'a'][v->step / STEP] = v->value.whole;
        c->points += v->points;
}

static unsigned draw(uint64_t *random, unsigned below)
{
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(*random >> 33) % below;
}

/* A point some way behind a clock that goes on; some are late. */
static void next_point(uint64_t *random, unsigned i, struct op *op, char path[2])
{
        static const enum verb verbs[] = { COUNT, READ, PEAK };
        const int64_t clock = 600 + (int64_t)i * 2;

        path[0] = (char)('a' + (int)draw(random, PATHS));
        *op = (struct op) { verbs[path[0] % 3], path, clock - draw(random, KEEP + 2 * STEP), draw(random, 100) };
}

static void folds_of_the_same_points_are_the_same(void **state)
{
        static struct carbon often, once;
        ob_cleanup(free_fold) struct ob_fold *a = ob_fold_new(STEP, KEEP, keep, &often);
        ob_cleanup(free_fold) struct ob_fold *b = ob_fold_new(STEP, KEEP, keep, &once);
        ob_cleanup(ob_bytes_free) struct ob_bytes of_a = { .length = 0 }, of_b = { .length = 0 };
        uint64_t points = 1, moments = 2;
        unsigned late = 0;
        char path[2] = "";

        (void)state;
        for (unsigned i = 0; i < 5000; i++) {
                struct op op;
                bool taken;

                next_point(&points, i, &op, path);
                taken = add(a, &op);
                assert_true(add(b, &op) == taken);
                late += !taken;
                if (!draw(&moments, 7))
                        ob_fold_flush(a, NULL);
                if (!draw(&moments, 50)) {
                        ob_fold_write(a, &of_a);
                        assert_true(ob_fold_read(a, of_a.data, of_a.length));
                }
        }
        ob_fold_flush(a, NULL);
        ob_fold_flush(b, NULL);
        ob_fold_write(a, &of_a);
        ob_fold_write(b, &of_b);
        assert_int_equal(of_a.length, of_b.length);
        assert_memory_equal(of_a.data, of_b.data, of_a.length);
        assert_memory_equal(often.kept, once.kept, sizeof(often.kept));
        assert_true(late > 0 && often.points == 5000 - late && once.points == 5000 - late);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_goes_out_whole),
                cmocka_unit_test(folds_of_the_same_points_are_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
