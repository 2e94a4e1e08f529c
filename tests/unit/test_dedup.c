#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "agent/source/dedup.h"
#include "proto/memory.h"
#include "tests/unit/world.h"

#define NOW 1587312000

static void a_signature_is_found_again(void **state)
{
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 };
        struct ob_dedup_item *one = ob_dedup_find(&a, "title=x pipeline=3 ", NOW);

        (void)state;
        assert_ptr_equal(ob_dedup_find(&a, "title=x pipeline=3 ", NOW + 5), one);
        assert_ptr_not_equal(ob_dedup_find(&a, "title=x pipeline=4 ", NOW), one);
        assert_int_equal(a.clock, NOW + 5);
}

static void there_is_an_end_to_signatures(void **state)
{
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 };
        struct ob_dedup_item *one, *beyond;
        char key[32];
        size_t n = 0;

        (void)state;
        for (int i = 0; i < 2 * OB_DEDUP_MAX; i++) {
                snprintf(key, sizeof(key), "%d", i);
                ob_dedup_find(&a, key, NOW);
        }
        beyond = ob_dedup_find(&a, "one more", NOW);
        assert_ptr_equal(ob_dedup_find(&a, "and another", NOW), beyond);
        for (one = ob_dedup_next(&a, NULL); one; one = ob_dedup_next(&a, one))
                n++;
        assert_int_equal(n, OB_DEDUP_MAX + 1);
}

static void what_is_silent_is_forgotten_but_not_what_is_left_to_tell(void **state)
{
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 };
        struct ob_dedup_item *one;

        (void)state;
        ob_dedup_find(&a, "silent", NOW)->last = NOW;
        one = ob_dedup_find(&a, "counted", NOW);
        *one = (struct ob_dedup_item) { .key = one->key, .last = NOW, .is_told = true, .count = 2 };
        ob_dedup_find(&a, "fresh", NOW + OB_DEDUP_KEEP)->last = NOW + OB_DEDUP_KEEP;
        ob_dedup_forget(&a);
        assert_non_null(ob_dedup_next(&a, ob_dedup_next(&a, NULL)));
        ob_dedup_find(&a, "fresh", NOW + OB_DEDUP_KEEP + 1)->last = NOW + OB_DEDUP_KEEP + 1;
        ob_dedup_forget(&a);
        assert_string_equal(ob_dedup_next(&a, NULL)->key, "counted");
        assert_string_equal(ob_dedup_next(&a, ob_dedup_next(&a, NULL))->key, "fresh");
        assert_null(ob_dedup_next(&a, ob_dedup_next(&a, ob_dedup_next(&a, NULL))));
}

static void a_tag_has_so_many_values(void **state)
{
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 };

        (void)state;
        assert_true(ob_dedup_admit(&a, "title", "a", 2));
        assert_true(ob_dedup_admit(&a, "title", "b", 2));
        assert_false(ob_dedup_admit(&a, "title", "c", 2));
        assert_true(ob_dedup_admit(&a, "title", "a", 2));
        assert_true(ob_dedup_admit(&a, "class", "c", 2)); /* each tag has its own */
        assert_false(ob_dedup_admit(&a, "titl", "ec", 0));
}

static void all_of_it_comes_back(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 }, b = { .clock = 0 };
        struct ob_dedup_item *one = ob_dedup_find(&a, "key", NOW);
        struct ob_event e = { .time = NOW,
                .kind = "log",
                .title = "t",
                .text = "first line\nsecond",
                .signature = "s",
                .alert = OB_ALERT_ERROR,
                .check = "",
                .n_tags = 1,
                .tags = { { "pipeline", "3" } } };

        ob_dedup_admit(&a, "title", "a", 1);
        one->since = NOW - 5;
        one->last = NOW;
        one->count = 7;
        one->is_told = one->is_changed = true;
        ob_dedup_item_keep(one, &e);
        world_ok(w, ob_dedup_put(&a, w->st, "log", &w->err));
        world_ok(w, ob_dedup_load(&b, w->st, "log", &w->err));
        assert_false(ob_dedup_admit(&b, "title", "b", 1));
        assert_int_equal(b.clock, NOW);
        one = ob_dedup_find(&b, "key", NOW);
        assert_true(one->since == NOW - 5 && one->last == NOW && one->count == 7 && one->is_told);
        assert_int_equal(ob_dedup_item_hash(one), ob_dedup_item_hash(ob_dedup_find(&a, "key", NOW)));
        assert_true(ob_dedup_item_kept(one, &e));
        assert_string_equal(e.text, "first line");
        assert_string_equal(e.tags[0].value, "3");
        world_ok(w, ob_dedup_load(&b, w->st, "other", &w->err));
        assert_null(ob_dedup_next(&b, NULL));
        assert_true(ob_dedup_admit(&b, "title", "b", 1));
}

/* What was forgotten goes from the store too, and what did not change is not written again. */
static void the_store_has_what_is_known(void **state)
{
        struct world *w = *state;
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 }, b = { .clock = 0 };
        struct ob_dedup_item *silent = ob_dedup_find(&a, "silent", NOW), *fresh;

        silent->last = NOW;
        silent->is_changed = true;
        world_ok(w, ob_dedup_put(&a, w->st, "log", &w->err));
        ob_dedup_settle(&a);
        assert_false(silent->is_changed);
        fresh = ob_dedup_find(&a, "fresh", NOW + OB_DEDUP_KEEP + 1);
        fresh->last = NOW + OB_DEDUP_KEEP + 1;
        fresh->is_changed = true;
        ob_dedup_forget(&a);
        world_ok(w, ob_dedup_put(&a, w->st, "log", &w->err));
        ob_dedup_settle(&a);
        world_ok(w, ob_dedup_load(&b, w->st, "log", &w->err));
        assert_string_equal(ob_dedup_next(&b, NULL)->key, "fresh");
        assert_null(ob_dedup_next(&b, ob_dedup_next(&b, NULL)));

        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_EVENT_SIGNATURES, "log", &w->err));
        world_ok(w, ob_dedup_put(&a, w->st, "log", &w->err));
        world_ok(w, ob_dedup_load(&b, w->st, "log", &w->err));
        assert_null(ob_dedup_next(&b, NULL));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_signature_is_found_again),
                cmocka_unit_test(there_is_an_end_to_signatures),
                cmocka_unit_test(what_is_silent_is_forgotten_but_not_what_is_left_to_tell),
                cmocka_unit_test(a_tag_has_so_many_values),
                EVERYWHERE(all_of_it_comes_back),
                EVERYWHERE(the_store_has_what_is_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
