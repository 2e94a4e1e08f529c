/* The ids that were counted: which chunks are asked for, and that each counted id is found. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source/seen_ids.h"
#include "proto/memory.h"
#include "tests/unit/world.h"

#define TIME 1587312000

static int64_t id_in(int64_t chunk, int64_t n)
{
        return ob_seen_ids_first_id(chunk) + n;
}

static struct ob_seen_chunk *find(struct ob_seen_ids *s, struct world *w, const char *source, int64_t id)
{
        struct ob_seen_chunk *c = ob_seen_ids_find(s, w->st, source, id, &w->err);

        if (!c)
                fail_msg("%s", w->err.text);
        return c;
}

/* Counts the ids of one page, in rising order. */
static void count(struct ob_seen_ids *s, struct world *w, const char *source, const int64_t *ids, size_t n)
{
        ob_seen_ids_start(s);
        for (size_t i = 0; i < n; i++)
                ob_seen_ids_add(find(s, w, source, ids[i]), ids[i], TIME + (int64_t)i);
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, ob_seen_ids_put(s, w->st, source, &w->err));
        world_ok(w, ob_store_commit(w->st, &w->err));
}

/* Puts an id into the store behind the back of `seen_ids`: whoever asks the store for the chunk sees the id. */
static void plant(struct world *w, const char *source, int64_t id)
{
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids other = { .n = 0 };

        count(&other, w, source, &id, 1);
}

static void a_chunk_above_the_highest_one_is_not_asked_for(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids s = { .n = 0 };
        const int64_t ids[] = { id_in(3, 5), id_in(7, 0) };
        struct ob_seen_chunk *c;

        count(&s, w, "log", ids, 2);
        plant(w, "log", id_in(7, 9));
        plant(w, "log", id_in(8, 9));
        ob_seen_ids_start(&s);
        c = find(&s, w, "log", id_in(7, 1));
        assert_true(c->is_known && ob_seen_ids_has(c, id_in(7, 0)) && ob_seen_ids_has(c, id_in(7, 9)));
        c = find(&s, w, "log", id_in(8, 1));
        assert_false(c->is_known);
        assert_false(ob_seen_ids_has(c, id_in(8, 9)));
}

static void what_was_put_is_below_the_highest_chunk(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids s = { .n = 0 };

        for (int64_t chunk = 0; chunk < 5; chunk++) {
                const int64_t id = id_in(chunk, chunk);

                count(&s, w, "log", &id, 1);
                for (int64_t old = 0; old <= chunk; old++) {
                        struct ob_seen_chunk *c;

                        ob_seen_ids_start(&s);
                        c = find(&s, w, "log", id_in(old, 200));
                        assert_true(c->is_known && ob_seen_ids_has(c, id_in(old, old)));
                        assert_int_equal(c->stored_newest, TIME);
                }
        }
}

/* Also with negative ids. What a page adds to an old chunk does not replace what the chunk has. */
static void an_old_chunk_is_found_after_a_restart(void **state)
{
        static const int64_t chunks[] = { INT64_MIN / OB_CHUNK_IDS, -2, -1, 0, 1, 1000 };
        struct world *w = *state;
        int64_t ids[LENGTH(chunks)], more[LENGTH(chunks)];

        for (size_t i = 0; i < LENGTH(chunks); i++) {
                ids[i] = id_in(chunks[i], 255);
                more[i] = id_in(chunks[i], 17);
        }
        for (size_t i = 0; i < LENGTH(chunks); i++) {
                ob_cleanup(ob_seen_ids_free) struct ob_seen_ids first = { .n = 0 }, s = { .n = 0 },
                                                                last = { .n = 0 };
                struct ob_seen_chunk *c;

                count(&first, w, "log", ids, LENGTH(ids));
                c = find(&s, w, "log", more[i]);
                assert_true(c->is_known && ob_seen_ids_has(c, ids[i]));
                count(&s, w, "log", &more[i], 1);
                c = find(&last, w, "log", ids[i]);
                assert_true(ob_seen_ids_has(c, ids[i]) && ob_seen_ids_has(c, more[i]));
                assert_false(ob_seen_ids_has(c, id_in(chunks[i], 18)));
        }
}

static void the_chunks_of_another_source_do_not_matter(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids s = { .n = 0 }, lower = { .n = 0 };
        struct ob_seen_chunk *c;

        plant(w, "lo", id_in(2, 1));
        plant(w, "log2", id_in(900, 1));
        plant(w, "log:before", id_in(901, 1));
        c = find(&s, w, "log", id_in(2, 1));
        assert_false(c->is_known || ob_seen_ids_has(c, id_in(2, 1)));
        assert_true(s.highest == INT64_MIN);
        count(&s, w, "log", &(const int64_t) { id_in(5, 1) }, 1);
        assert_int_equal(s.highest, 5);
        c = find(&lower, w, "lo", id_in(2, 1));
        assert_true(c->is_known && ob_seen_ids_has(c, id_in(2, 1)));
        assert_int_equal(lower.highest, 2);
        c = find(&lower, w, "lo", id_in(5, 1));
        assert_false(c->is_known || ob_seen_ids_has(c, id_in(5, 1)));
}

/* After a page that was not committed, its chunks are read from the store again. */
static void what_was_not_committed_is_not_seen(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids s = { .n = 0 };
        struct ob_seen_chunk *c;

        count(&s, w, "log", &(const int64_t) { id_in(4, 1) }, 1);
        ob_seen_ids_start(&s);
        ob_seen_ids_add(find(&s, w, "log", id_in(4, 2)), id_in(4, 2), TIME);
        ob_seen_ids_add(find(&s, w, "log", id_in(6, 2)), id_in(6, 2), TIME);
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, ob_seen_ids_put(&s, w->st, "log", &w->err));
        ob_store_rollback(w->st);
        ob_seen_ids_clear(&s);
        c = find(&s, w, "log", id_in(4, 1));
        assert_true(ob_seen_ids_has(c, id_in(4, 1)) && !ob_seen_ids_has(c, id_in(4, 2)));
        c = find(&s, w, "log", id_in(6, 2));
        assert_false(c->is_known || ob_seen_ids_has(c, id_in(6, 2)));
}

/* The last chunk is kept for the next page only when the page did not change it. */
static void only_an_unchanged_chunk_is_kept(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_seen_ids_free) struct ob_seen_ids s = { .n = 0 };

        plant(w, "log", id_in(4, 1));
        find(&s, w, "log", id_in(3, 0));
        find(&s, w, "log", id_in(4, 0));
        ob_seen_ids_start(&s);
        assert_int_equal(s.n, 1);
        plant(w, "log", id_in(4, 9));
        assert_false(ob_seen_ids_has(find(&s, w, "log", id_in(4, 9)), id_in(4, 9))); /* the store was not asked */
        ob_seen_ids_add(find(&s, w, "log", id_in(4, 7)), id_in(4, 7), TIME + 60);
        ob_seen_ids_start(&s);
        assert_int_equal(s.n, 0);
        assert_true(ob_seen_ids_has(find(&s, w, "log", id_in(4, 9)), id_in(4, 9)));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                EVERYWHERE(a_chunk_above_the_highest_one_is_not_asked_for),
                EVERYWHERE(what_was_put_is_below_the_highest_chunk),
                EVERYWHERE(an_old_chunk_is_found_after_a_restart),
                EVERYWHERE(the_chunks_of_another_source_do_not_matter),
                EVERYWHERE(what_was_not_committed_is_not_seen),
                EVERYWHERE(only_an_unchanged_chunk_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
