#include "tests/unit/unit.h"

#include <string.h>

#include "proto/hash.h"

struct item {
        UT_hash_handle hh;
        const char *key;
};

static struct item *find(struct item *head, struct item **last, const char *key)
{
        struct item *found;

        OB_HASH_FIND_BEHIND(head, *last, key, strlen(key), found);
        return found;
}

/* Asked in turn of one, two, three, added so. */
static const struct {
        const char *asked;
        int found, last; /* which one, from 0; -1: none */
} cases[] = {
        { "one", 0, 0 },
        { "two", 1, 1 },
        { "three", 2, 2 },
        { "one", 0, 0 },
        { "three", 2, 2 },
        { "two", 1, 1 },
        { "two", 1, 1 },
        { "four", -1, 1 },
        { "thre", -1, 1 },
        { "threes", -1, 1 },
        { "three", 2, 2 },
};

static void what_was_added_is_found_in_any_order(void **state)
{
        struct item items[] = { { .key = "one" }, { .key = "two" }, { .key = "three" } };
        struct item *head = NULL, *last = NULL;

        (void)state;
        assert_null(find(head, &last, "one"));
        for (size_t i = 0; i < LENGTH(items); i++)
                HASH_ADD_KEYPTR(hh, head, items[i].key, strlen(items[i].key), &items[i]);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct item *found = find(head, &last, cases[i].asked);

                assert_ptr_equal(found, cases[i].found < 0 ? NULL : &items[cases[i].found]);
                assert_ptr_equal(last, &items[cases[i].last]);
        }
        HASH_CLEAR(hh, head);
}

static void what_was_deleted_is_not_found(void **state)
{
        struct item items[] = { { .key = "one" }, { .key = "two" }, { .key = "three" } };
        struct item *head = NULL, *last = NULL;

        (void)state;
        for (size_t i = 0; i < LENGTH(items); i++)
                HASH_ADD_KEYPTR(hh, head, items[i].key, strlen(items[i].key), &items[i]);
        assert_ptr_equal(find(head, &last, "one"), &items[0]);
        HASH_DELETE(hh, head, &items[1]);
        assert_null(find(head, &last, "two"));
        assert_ptr_equal(find(head, &last, "three"), &items[2]);
        HASH_CLEAR(hh, head);
}

static unsigned n_released;

static void release(struct item *item)
{
        assert_int_equal(*item->key, "ott"[n_released]);
        n_released++;
}

static void a_table_is_emptied_in_order(void **state)
{
        struct item items[] = { { .key = "one" }, { .key = "two" }, { .key = "three" } };
        struct item *head = NULL;

        (void)state;
        OB_HASH_FREE_ALL(head, release);
        assert_int_equal(n_released, 0);
        for (size_t i = 0; i < LENGTH(items); i++)
                HASH_ADD_KEYPTR(hh, head, items[i].key, strlen(items[i].key), &items[i]);
        OB_HASH_FREE_ALL(head, release);
        assert_int_equal(n_released, 3);
        assert_null(head);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_added_is_found_in_any_order),
                cmocka_unit_test(what_was_deleted_is_not_found),
                cmocka_unit_test(a_table_is_emptied_in_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
