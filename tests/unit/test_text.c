#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"
#include "proto/text.h"

#define ROOM 8

static bool is_lower(char c)
{
        return c >= 'a' && c <= 'z';
}

/* One piece after the other; a row uses what it sets. */
static const struct {
        const char *name;
        const char *first, *second, *mapped;
        struct ob_metric_value number;
        long long integer;
        const char *want;
        bool too_long;
} cases[] = {
        { "nothing", .want = "" },
        { "two pieces", .first = "abc", .second = "def", .want = "abcdef" },
        { "exactly full", .first = "abcd", .second = "efgh", .want = "abcdefgh" },
        { "the piece that does not fit stays out", .first = "abcd", .second = "efghi", .want = "abcd",
                .too_long = true },
        { "and so does a short one behind it", .first = "abcdefghi", .second = "x", .want = "", .too_long = true },
        { "an empty piece fits into no room", .first = "abcdefgh", .second = "", .want = "abcdefgh" },
        { "a number", .number = REAL(-2.5), .want = "-2.5" },
        { "a number that does not fit", .first = "abcde", .number = REAL(-2.5), .want = "abcde", .too_long = true },
        { "an integer", .integer = -42, .want = "-42" },
        { "bytes that are not allowed", .mapped = "aB c\xc3\xa9", .want = "a__c__" },
        { "mapped ends where the room does", .mapped = "abcdefghi", .want = "abcdefgh", .too_long = true },
};

static void pieces_fit_or_stay_out(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char room[ROOM + 1] = "........!"; /* the '!' is not ours */
                struct ob_text t = ob_text_over(room, ROOM);

                if (cases[i].first)
                        ob_text_add_string(&t, cases[i].first);
                if (cases[i].second)
                        ob_text_add_string(&t, cases[i].second);
                if (cases[i].mapped)
                        ob_text_add_mapped(&t, cases[i].mapped, is_lower);
                if (cases[i].number.is_real)
                        ob_text_add_number(&t, cases[i].number);
                if (cases[i].integer)
                        ob_text_add_int(&t, cases[i].integer);
                if (t.too_long != cases[i].too_long || t.length != strlen(cases[i].want) ||
                        memcmp(room, cases[i].want, t.length) != 0)
                        fail_msg("%s: \"%.*s\"", cases[i].name, (int)t.length, room);
                assert_int_equal(room[ROOM], '!');
        }
}

static void a_reset_text_has_room_again(void **state)
{
        char room[ROOM];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_text_add_string(&t, "keep");
        ob_text_add_string(&t, "too long");
        assert_true(t.too_long);
        ob_text_reset(&t, 4);
        ob_text_add_string(&t, "this");
        assert_false(t.too_long);
        assert_memory_equal(room, "keepthis", 8);
}

static void the_largest_integers_fit_a_text(void **state)
{
        char room[OB_NUMBER_MAX];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_text_add_int(&t, INT64_MIN);
        ob_text_add_char(&t, ' ');
        ob_text_add_int(&t, INT64_MAX);
        assert_false(t.too_long);
        assert_int_equal(t.length, 40);
        assert_memory_equal(room, "-9223372036854775808 9223372036854775807", 40);
}

static void a_heap_text_grows_with_separators(void **state)
{
        char *text = NULL;

        (void)state;
        ob_append(&text, ", ", "%s", "");
        assert_string_equal(text, ""); /* still empty: the next piece gets no separator */
        ob_append(&text, ", ", "%d", 1);
        ob_append(&text, ", ", "%s=%s", "a", "b");
        ob_append(&text, "", "%s", "!");
        assert_string_equal(text, "1, a=b!");
        free(text);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_fit_or_stay_out),
                cmocka_unit_test(a_reset_text_has_room_again),
                cmocka_unit_test(the_largest_integers_fit_a_text),
                cmocka_unit_test(a_heap_text_grows_with_separators),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
