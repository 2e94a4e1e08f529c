/* The entries of a series of a fold over many steps, and how a series is found by an id. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/sink/fold.h"
#include "proto/memory.h"
#include "proto/number.h"

#define STEP   60
#define KEEP   (6 * STEP)
#define STEPS  400 /* of the model, from FIRST on; some are before 1970 */
#define FIRST  (-100 * STEP)
#define PATHS  3
#define POINTS 20000

/* A simple model of a fold: it has a place for each step. */
struct model {
        struct {
                int64_t total;
                unsigned points;
                bool is_there, grew;
        } steps[PATHS][STEPS];
        int newest[PATHS];           /* step; -1: none yet */
        int64_t given[PATHS][STEPS]; /* the total that the fold gave out last */
        unsigned points, expected_points, wrong;
};

static int step_of(int64_t time)
{
        return (int)((time - FIRST) / STEP);
}

/* The total and the points that are given out must be those of the model. */
static void check(void *ctx, const struct ob_fold_value *v)
{
        struct model *m = ctx;
        int path = v->path[0] - 'a', step = (int)((v->step - FIRST) / STEP);

        m->wrong += (v->step - FIRST) % STEP != 0 || !m->steps[path][step].grew ||
                    v->value.whole != m->steps[path][step].total || v->points != m->steps[path][step].points;
        m->steps[path][step].grew = false;
        m->steps[path][step].points = 0;
        m->given[path][step] = v->value.whole;
        m->points += v->points;
}

static void free_fold(struct ob_fold **f)
{
        ob_fold_free(*f);
}

static unsigned draw(uint64_t *random, unsigned below)
{
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(*random >> 33) % below;
}

/* Adds a point to the model by the rule of a fold. False: the point is too late. */
static bool take(struct model *m, int path, int64_t time, int64_t value)
{
        int step = step_of(time), keep = KEEP / STEP;

        if (m->newest[path] >= 0 && step < m->newest[path] - keep)
                return false;
        m->steps[path][step].total += value;
        m->steps[path][step].points++;
        m->steps[path][step].is_there = m->steps[path][step].grew = true;
        m->newest[path] = step > m->newest[path] ? step : m->newest[path];
        m->expected_points++;
        return true;
}

static bool add_to(struct ob_fold *f, struct ob_fold_series *s, int64_t time, int64_t value)
{
        static const struct ob_series counter = { .kind = OB_COUNTER };

        return ob_fold_add(f, s, &(struct ob_metric) { &counter, time, ob_whole(value) }, true) != OB_FOLD_LATE;
}

static bool add(struct ob_fold *f, const char *path, int64_t time, int64_t value)
{
        return add_to(f, ob_fold_find(f, path, strlen(path)), time, value);
}

/* Replaces the fold by a copy, made in memory or from its bytes. */
static struct ob_fold *copy(struct ob_fold *f, struct model *m, bool by_bytes)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };
        struct ob_fold *made = ob_fold_new(STEP, KEEP, check, m);

        if (by_bytes) {
                ob_fold_write(f, &bytes);
                assert_true(ob_fold_read(made, bytes.data, bytes.length));
        } else {
                ob_fold_assign(made, f);
        }
        assert_int_equal(ob_fold_points(made), ob_fold_points(f));
        ob_fold_free(f);
        return made;
}

/*
 * The clock moves, stands and jumps; the times of points are at the clock or before. So the ring is full or nearly
 * empty, begins at each of its places, and gets entries at its start, in the middle and at its end.
 */
static void the_ring_holds_what_a_place_for_each_step_would(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 20; seed++) {
                static struct model m;
                ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, check, &m);
                uint64_t random = seed;
                int64_t clock = FIRST + 20 * STEP;

                memset(&m, 0, sizeof(m));
                memset(m.newest, 0xff, sizeof(m.newest));
                for (int i = 0; i < POINTS / 20; i++) {
                        const char path[] = { (char)('a' + (int)draw(&random, PATHS)), '\0' };
                        int64_t time = clock - draw(&random, KEEP + 3 * STEP), value = draw(&random, 100);

                        if (add(f, path, time, value) != take(&m, path[0] - 'a', time, value))
                                fail_msg("seed %llu: point %d", (unsigned long long)seed, i);
                        clock += draw(&random, 40);
                        clock += draw(&random, 60) ? 0 : draw(&random, 2 * KEEP) / 2;
                        clock = clock < FIRST + (STEPS - 1) * STEP ? clock : FIRST + (STEPS - 1) * STEP;
                        if (!draw(&random, 15))
                                ob_fold_flush(f, NULL);
                        if (!draw(&random, 40))
                                f = copy(f, &m, draw(&random, 2));
                        if (m.wrong)
                                fail_msg("seed %llu: point %d: a wrong value", (unsigned long long)seed, i);
                }
                ob_fold_flush(f, NULL);
                assert_int_equal(m.wrong, 0);
                assert_int_equal(m.points, m.expected_points);
                for (int p = 0; p < PATHS; p++)
                        for (int s = 0; s < STEPS; s++)
                                assert_int_equal(m.given[p][s], m.steps[p][s].total);
        }
}

/* "step value points" of each value that the fold gave out. */
struct given {
        char text[2048];
        size_t length;
};

static void note(void *ctx, const struct ob_fold_value *v)
{
        struct given *g = ctx;
        char value[OB_NUMBER_MAX];

        ob_number_format(value, v->value);
        g->length += (size_t)snprintf(g->text + g->length, sizeof(g->text) - g->length, "%lld %s %u; ",
                (long long)v->step, value, v->points);
        assert_true(g->length < sizeof(g->text));
}

/*
 * With a `keep` of three steps, the ring grows to nine places, and the tenth entry lies in its place 0 again. Then
 * the step `late` comes, which has no entry yet.
 */
static const struct {
        const char *name;
        int64_t late;
        const char *want;
} wraps[] = {
        { "at the begin", 8, "8 400 1; 9 1 1; 11 1 1; " },
        { "in the middle", 10, "9 1 1; 10 400 1; 11 1 1; " },
        { "at the end", 12, "9 1 1; 11 1 1; 12 400 1; " },
};

static void wrap(struct ob_fold *f, struct ob_fold_series *s, int64_t late)
{
        static const int64_t steps[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 11 };

        for (size_t i = 0; i < LENGTH(steps); i++)
                assert_true(add_to(f, s, steps[i], 1));
        assert_false(add_to(f, s, 7, 1));
        assert_true(add_to(f, s, late, 400));
}

static void an_entry_has_its_place_also_behind_the_end_of_the_ring(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(wraps); i++)
                for (int way = 0; way < 3; way++) {
                        struct given given = { .length = 0 }, closed = { .length = 0 };
                        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(1, 3, note, &closed);
                        ob_cleanup(free_fold) struct ob_fold *other = ob_fold_new(1, 3, note, &given);
                        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

                        wrap(f, ob_fold_find(f, "a", 1), wraps[i].late);
                        if (way == 1)
                                ob_fold_assign(other, f);
                        ob_fold_write(f, &bytes);
                        if (way == 2)
                                assert_true(ob_fold_read(other, bytes.data, bytes.length));
                        closed = (struct given) { .length = 0 };
                        ob_fold_flush(way ? other : f, NULL);
                        if (strcmp(way ? given.text : closed.text, wraps[i].want) != 0)
                                fail_msg("%s, way %d: got %s, want %s", wraps[i].name, way,
                                        way ? given.text : closed.text, wraps[i].want);
                }
}

static void the_step_does_not_depend_on_the_point_before(void **state)
{
        static const struct {
                int64_t time, step;
        } times[] = { { -1, -60 }, { -60, -60 }, { -61, -120 }, { 0, 0 }, { -1, -60 }, { 59, 0 }, { 60, 60 },
                { 0, 0 }, { 119, 60 }, { 120, 120 }, { 60, 60 }, { -120, -120 }, { 7200, 7200 }, { 7199, 7140 },
                { INT64_C(253402300799), INT64_C(253402300740) }, { -3601, -3660 } };

        (void)state;
        for (size_t i = 0; i < LENGTH(times); i++)
                for (size_t k = 0; k < LENGTH(times); k++) {
                        struct given given = { .length = 0 };
                        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, note, &given);
                        char want[64];

                        add(f, "before", times[i].time, 1);
                        ob_fold_flush(f, NULL);
                        given = (struct given) { .length = 0 };
                        add(f, "a", times[k].time, 7);
                        ob_fold_flush(f, NULL);
                        snprintf(want, sizeof(want), "%lld 7 1; ", (long long)times[k].step);
                        assert_string_equal(given.text, want);
                }
}

#define IDS 500

static const char *path_of(uint64_t id, char room[16])
{
        snprintf(room, 16, "p%llu", (unsigned long long)id);
        return room;
}

static void note_all(struct ob_fold *f)
{
        char room[16];

        for (uint64_t id = 1; id <= IDS; id++) {
                const char *path = path_of(id, room);

                ob_fold_note(f, id, ob_fold_find(f, path, strlen(path)));
        }
}

/* An id may be forgotten, but it never finds another series. Returns how many ids are known. */
static unsigned known(struct ob_fold *f)
{
        unsigned n = 0;
        char room[16];

        for (uint64_t id = 1; id <= IDS; id++) {
                const struct ob_fold_series *s = ob_fold_find_noted(f, id);
                const char *path = path_of(id, room);

                if (!s)
                        continue;
                assert_ptr_equal(s, ob_fold_find(f, path, strlen(path)));
                n++;
        }
        return n;
}

static void a_series_is_found_by_the_number_that_was_noted(void **state)
{
        struct given given = { .length = 0 };
        ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, note, &given);

        (void)state;
        assert_null(ob_fold_find_noted(f, 0)); /* of a series without an id */
        assert_null(ob_fold_find_noted(f, 1));
        note_all(f);
        assert_null(ob_fold_find_noted(f, 0));
        assert_null(ob_fold_find_noted(f, IDS + 1));
        assert_null(ob_fold_find_noted(f, 1 + (UINT64_C(1) << 32))); /* shares the place of another id */
        assert_true(known(f) > 0);
        note_all(f); /* now there is room for all */
        assert_int_equal(known(f), IDS);
        ob_fold_note(f, IDS + 12345, ob_fold_find(f, "p7", 2)); /* as after a writer has forgotten its series */
        assert_ptr_equal(ob_fold_find_noted(f, IDS + 12345), ob_fold_find(f, "p7", 2));
        assert_in_range(known(f), IDS - 1, IDS);
}

static bool is_p7(void *ctx, const char *path)
{
        (void)ctx;
        return !strcmp(path, "p7");
}

static void forget_p7(struct ob_fold *f)
{
        ob_fold_forget(f, is_p7, NULL);
}

static void forget_idle(struct ob_fold *f)
{
        ob_fold_forget_idle(f, 100000, 1000, 1000);
}

static void assign_other(struct ob_fold *f)
{
        struct given given = { .length = 0 };
        ob_cleanup(free_fold) struct ob_fold *other = ob_fold_new(STEP, KEEP, note, &given);

        note_all(other);
        ob_fold_assign(f, other);
}

static void read_itself(struct ob_fold *f)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        ob_fold_write(f, &bytes);
        assert_true(ob_fold_read(f, bytes.data, bytes.length));
}

static void read_damage(struct ob_fold *f)
{
        assert_false(ob_fold_read(f, "\xff", 1));
}

/* No id finds a series that was freed: the memory checker watches this, too. */
static void a_series_that_is_gone_has_no_number(void **state)
{
        static void (*const changes[])(
                struct ob_fold *) = { forget_p7, forget_idle, assign_other, read_itself, read_damage };

        (void)state;
        for (size_t i = 0; i < LENGTH(changes); i++) {
                struct given given = { .length = 0 };
                ob_cleanup(free_fold) struct ob_fold *f = ob_fold_new(STEP, KEEP, note, &given);
                struct ob_fold_series *s;

                note_all(f);
                note_all(f);
                assert_non_null(ob_fold_find_noted(f, 7));
                changes[i](f);
                assert_null(ob_fold_find_noted(f, 7));
                s = ob_fold_find(f, "p7", 2);
                assert_true(add_to(f, s, 60, 1));
                ob_fold_note(f, 7, s);
                assert_ptr_equal(ob_fold_find_noted(f, 7), s);
                known(f);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_ring_holds_what_a_place_for_each_step_would),
                cmocka_unit_test(an_entry_has_its_place_also_behind_the_end_of_the_ring),
                cmocka_unit_test(the_step_does_not_depend_on_the_point_before),
                cmocka_unit_test(a_series_is_found_by_the_number_that_was_noted),
                cmocka_unit_test(a_series_that_is_gone_has_no_number),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
