#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"

#define WHOLE(n) ((__int128)(n)*OB_MICROS)
#define TEN_15   ((__int128)1000000000000000)
#define LARGEST  (TEN_15 * TEN_15 - 1) /* just below 10^24 */

/* The bytes without a NUL and with nothing behind them, so that reading on is seen. */
static char *bare(const char *text, size_t length)
{
        return memcpy(ob_alloc(length, 1), text, length);
}

static const struct {
        const char *text;
        bool refused;
        __int128 want;
} parse_cases[] = {
        { "0", .want = 0 },
        { "7", .want = WHOLE(7) },
        { "-12", .want = WHOLE(-12) },
        { "007", .want = WHOLE(7) },
        { "-0", .want = 0 },
        { "0.5", .want = 500000 },
        { "-0.5", .want = -500000 },
        { "5.", .want = WHOLE(5) },
        { ".25", .want = 250000 },
        { "1.000001", .want = 1000001 },
        { "1.0000019", .want = 1000001 },
        { "-1.0000019", .want = -1000001 },
        { "0.0000009", .want = 0 },
        { "-0.0000009", .want = 0 },
        { "999999999999999999", .want = WHOLE(999999999999999999) },
        { "-999999999999999999", .want = WHOLE(-999999999999999999) },
        { "1000000000000000000", .want = WHOLE(1000000000000000000) },
        { "00000000000000000001", .want = WHOLE(1) },
        { "9223372036854775807", .want = WHOLE(INT64_MAX) },
        { "-9223372036854775808", .want = WHOLE(INT64_MIN) },
        { "18446744073709551615", .want = WHOLE(UINT64_MAX) },
        { "1e0", .want = WHOLE(1) },
        { "1e20", .want = WHOLE(1) * 100000 * TEN_15 },
        { "1E3", .want = WHOLE(1000) },
        { "1.5e+3", .want = WHOLE(1500) },
        { "-1.5e-3", .want = -1500 },
        { "1.5e-7", .want = 0 },
        { "123456e-9", .want = 123 },
        { "0e999", .want = 0 },
        { "1e-999", .want = 0 },
        { "0.00000000000000000000000000000000000001e38", .want = WHOLE(1) },
        { "999999999999999999999999.999999", .want = LARGEST },
        { "-999999999999999999999999.999999", .want = -LARGEST },
        { "999999999999999999999999.9999999999999", .want = LARGEST },
        { "00000000000000000000000000000000000000000012", .want = WHOLE(12) },
        { "1000000000000000000000000", .refused = true },
        { "1e24", .refused = true },
        { "1e999", .refused = true },
        { "99999999999999999999999999999999999999999999", .refused = true },
        { "", .refused = true },
        { "-", .refused = true },
        { "--1", .refused = true },
        { "+1", .refused = true },
        { ".", .refused = true },
        { "-.", .refused = true },
        { "1.2.3", .refused = true },
        { " 1", .refused = true },
        { "1 ", .refused = true },
        { "1 000", .refused = true },
        { "1,5", .refused = true },
        { "0x10", .refused = true },
        { "1e", .refused = true },
        { "1e+", .refused = true },
        { "1e1.5", .refused = true },
        { "1e1000", .refused = true },
        { "1e-1000", .refused = true },
        { "e5", .refused = true },
        { "nan", .refused = true },
        { "inf", .refused = true },
        { "NULL", .refused = true },
        { "１", .refused = true },
};

static void numbers_are_read_exactly_or_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(parse_cases); i++) {
                const char *text = parse_cases[i].text;
                ob_cleanup(ob_free_at) char *bytes = bare(text, strlen(text));
                __int128 got = 42;

                if (ob_number_parse(bytes, strlen(text), &got) == parse_cases[i].refused)
                        fail_msg("\"%s\": %s", text, parse_cases[i].refused ? "taken" : "refused");
                if (got != (parse_cases[i].refused ? 42 : parse_cases[i].want))
                        fail_msg("\"%s\": the value is wrong", text);
        }
}

static void a_nul_is_no_end(void **state)
{
        __int128 got;

        (void)state;
        assert_false(ob_number_parse("12\0", 3, &got));
        assert_true(ob_number_parse("1234", 2, &got));
        assert_true(got == WHOLE(12));
}

static const struct {
        const char *text;
        bool refused;
        int64_t want;
} int_cases[] = {
        { "0", .want = 0 },
        { "-1", .want = -1 },
        { "12.000000", .want = 12 },
        { "12.0000001", .want = 12 },
        { "1e3", .want = 1000 },
        { "9223372036854775807", .want = INT64_MAX },
        { "-9223372036854775808", .want = INT64_MIN },
        { "9223372036854775808", .refused = true },
        { "-9223372036854775809", .refused = true },
        { "18446744073709551615", .refused = true },
        { "1.5", .refused = true },
        { "", .refused = true },
        { "id", .refused = true },
};

static void ids_are_whole_and_fit(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(int_cases); i++) {
                const char *text = int_cases[i].text;
                int64_t got = 42;

                if (ob_number_parse_int(text, strlen(text), &got) == int_cases[i].refused)
                        fail_msg("\"%s\": %s", text, int_cases[i].refused ? "taken" : "refused");
                if (got != (int_cases[i].refused ? 42 : int_cases[i].want))
                        fail_msg("\"%s\": is %lld", text, (long long)got);
        }
}

static const struct {
        __int128 micros;
        const char *want;
} format_cases[] = {
        { 0, "0" },
        { 1, "0.000001" },
        { -1, "-0.000001" },
        { 100000, "0.1" },
        { 250, "0.00025" },
        { WHOLE(1), "1" },
        { WHOLE(-1), "-1" },
        { WHOLE(10), "10" },
        { WHOLE(1) + 10, "1.00001" },
        { WHOLE(-12) - 500000, "-12.5" },
        { WHOLE(INT64_MAX), "9223372036854775807" },
        { WHOLE(INT64_MIN), "-9223372036854775808" },
        { WHOLE(UINT64_MAX), "18446744073709551615" },
        { UINT64_MAX, "18446744073709.551615" },
        { (__int128)UINT64_MAX + 1, "18446744073709.551616" },
        { WHOLE(UINT64_MAX) * 10000000, "184467440737095516150000000" },
        { LARGEST, "999999999999999999999999.999999" },
        { ~((__int128)1 << 127), "170141183460469231731687303715884.105727" },
        { (__int128)((unsigned __int128)1 << 127), "-170141183460469231731687303715884.105728" },
};

static void numbers_are_plain_digits(void **state)
{
        char got[OB_NUMBER_MAX];

        (void)state;
        for (size_t i = 0; i < LENGTH(format_cases); i++) {
                assert_int_equal(ob_number_format(got, format_cases[i].micros), strlen(format_cases[i].want));
                assert_string_equal(got, format_cases[i].want);
        }
}

/* Numbers of every size, the same in each run. */
static __int128 next_number(uint64_t *random)
{
        __int128 wide;

        *random = *random * 6364136223846793005u + 1442695040888963407u;
        wide = (__int128)(*random >> 1) * (int64_t)(*random * 0x9e3779b97f4a7c15u);
        return (wide >> (*random >> 58) * 2) % LARGEST;
}

static void what_is_written_is_read_back(void **state)
{
        char text[OB_NUMBER_MAX];
        uint64_t random = 1;

        (void)state;
        for (int i = 0; i < 100000; i++) {
                __int128 want = next_number(&random), got;
                size_t length = ob_number_format(text, want);

                assert_int_equal(strlen(text), length);
                assert_true(ob_number_parse(text, length, &got));
                if (got != want)
                        fail_msg("%s comes back as another number", text);
        }
}

static void whole_is_whole_at_any_size(void **state)
{
        static const __int128 whole[] = { 0, WHOLE(1), WHOLE(-7), WHOLE(INT64_MAX), WHOLE(INT64_MIN),
                WHOLE(UINT64_MAX) };

        (void)state;
        for (size_t i = 0; i < LENGTH(whole); i++) {
                assert_true(ob_number_is_whole(whole[i]));
                assert_false(ob_number_is_whole(whole[i] + 1));
                assert_false(ob_number_is_whole(whole[i] - 1));
        }
}

static const struct {
        const char *text;
        int64_t want; /* 0: it is refused */
} times[] = {
        { "1", 1 },
        { "1587312000", 1587312000 },
        { "1587312000.999999", 1587312000 },
        { "253402300799", OB_TIME_MAX },
        { "253402300799.5", OB_TIME_MAX },
        { "253402300800", 0 },
        { "9223372036854775807", 0 },
        { "9223372036854775808", 0 },
        { "18446744073709551617", 0 },
        { "999999999999999999999999", 0 },
        { "-18446744073709551615", 0 },
        { "-9223372036854775808", 0 },
        { "0", 0 },
        { "0.999999", 0 },
        { "-1", 0 },
        { "", 0 },
        { "now", 0 },
};

static void times_are_between_1970_and_9999(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(times); i++) {
                int64_t got = 0;

                assert_int_equal(
                        ob_number_parse_time(times[i].text, strlen(times[i].text), &got), times[i].want != 0);
                assert_int_equal(got, times[i].want);
        }
}

static void what_is_too_large_for_64_bits_is_their_end(void **state)
{
        (void)state;
        assert_int_equal(ob_number_whole(WHOLE(INT64_MAX) + OB_MICROS), INT64_MAX);
        assert_int_equal(ob_number_whole(WHOLE(INT64_MIN) - OB_MICROS), INT64_MIN);
        assert_int_equal(ob_number_whole(WHOLE(-7) - 1), -7);
        assert_int_equal(ob_number_plus(INT64_MAX, 1), INT64_MAX);
        assert_int_equal(ob_number_plus(-1, 3), 2);
        assert_int_equal(ob_number_minus(INT64_MIN, 1), INT64_MIN);
        assert_int_equal(ob_number_minus(0, INT64_MIN), INT64_MAX);
        assert_int_equal(ob_number_minus(3, 5), -2);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_read_exactly_or_refused),
                cmocka_unit_test(a_nul_is_no_end),
                cmocka_unit_test(ids_are_whole_and_fit),
                cmocka_unit_test(times_are_between_1970_and_9999),
                cmocka_unit_test(what_is_too_large_for_64_bits_is_their_end),
                cmocka_unit_test(numbers_are_plain_digits),
                cmocka_unit_test(what_is_written_is_read_back),
                cmocka_unit_test(whole_is_whole_at_any_size),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
