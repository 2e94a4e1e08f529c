#include "tests/unit/unit.h"

#include <string.h>

#include "agent/source/known.h"

static struct ob_bytes key_of(const char *text)
{
        return (struct ob_bytes) { (unsigned char *)text, strlen(text), strlen(text) };
}

/* Each string is a poll: the keys, one a letter, in the order in which its rows come. */
static const char *const polls[] = { "abcdef", "abcdef", "fedcba", "abdef", "aabbcf", "cx", "xabcdef", "f", "f" };

/* A key is looked for where it was the last time; that may only make it quicker. */
static void a_key_is_found_in_whatever_order(void **state)
{
        struct ob_knowns known = { .n_totals = 1 };
        struct ob_known *entries[128] = { NULL };

        (void)state;
        for (size_t i = 0; i < LENGTH(polls); i++)
                for (const char *at = polls[i]; *at; at++) {
                        char text[] = { *at, '\0' };
                        struct ob_bytes key = key_of(text);

                        assert_ptr_equal(ob_knowns_find(&known, &key), entries[(int)*at]);
                        if (!entries[(int)*at])
                                entries[(int)*at] = ob_knowns_add(&known, text, 1);
                }
        ob_knowns_free(&known);
}

/* The key behind is longer, shorter, or another one of the same length. */
static void a_key_is_not_taken_for_the_one_that_comes_next(void **state)
{
        static const char *const others[] = { "b", "bbb", "bc", "" };
        struct ob_knowns known = { .n_totals = 1 };
        struct ob_bytes first = key_of("a"), second = key_of("bb");

        (void)state;
        ob_knowns_add(&known, "a", 1);
        ob_knowns_add(&known, "bb", 2);
        for (size_t i = 0; i < LENGTH(others); i++) {
                struct ob_bytes other = key_of(others[i]);

                ob_knowns_find(&known, &first);
                ob_knowns_find(&known, &second);
                ob_knowns_find(&known, &first);
                assert_null(ob_knowns_find(&known, &other));
        }
        ob_knowns_free(&known);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_is_found_in_whatever_order),
                cmocka_unit_test(a_key_is_not_taken_for_the_one_that_comes_next),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
