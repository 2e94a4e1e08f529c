#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"

static const struct {
        const char *text;
        bool refused, clamped;
        struct ob_metric_value want;
} parse_cases[] = {
        { "0", .want = WHOLE(0) },
        { "7", .want = WHOLE(7) },
        { "-12", .want = WHOLE(-12) },
        { "007", .want = WHOLE(7) },
        { "-0", .want = WHOLE(0) },
        { "-0.0", .want = WHOLE(0) },
        { "12.000000", .want = WHOLE(12) },
        { "120.000000", .want = WHOLE(120) },
        { "0.5", .want = REAL(0.5) },
        { "-0.5", .want = REAL(-0.5) },
        { "5.", .want = WHOLE(5) },
        { ".25", .want = REAL(0.25) },
        { "1.000001", .want = REAL(1.000001) },
        { "1.0000019", .want = REAL(1.0000019) },
        { "0.1", .want = REAL(0.1) },
        { "0.30000000000000004", .want = REAL(0.30000000000000004) },
        { "-0.0000009", .want = REAL(-0.0000009) },
        { "1.00000000000000000000000001", .want = WHOLE(1) },
        { "12345678901234567890.5", .want = REAL(12345678901234567890.5) },
        { "184467440737095516150.25", .want = REAL(184467440737095516150.25) },
        { "999999999999999999", .want = WHOLE(999999999999999999) },
        { "-999999999999999999", .want = WHOLE(-999999999999999999) },
        { "1000000000000000000", .want = WHOLE(1000000000000000000) },
        { "00000000000000000001", .want = WHOLE(1) },
        { "9223372036854775807", .want = WHOLE(INT64_MAX) },
        { "9223372036854775807.000000", .want = WHOLE(INT64_MAX) },
        { "-9223372036854775808", .want = WHOLE(INT64_MIN) },
        { "9223372036854775808", .clamped = true, .want = WHOLE(INT64_MAX) },
        { "-9223372036854775809", .clamped = true, .want = WHOLE(INT64_MIN) },
        { "18446744073709551615", .clamped = true, .want = WHOLE(INT64_MAX) },
        { "18446744073709551616.000000", .clamped = true, .want = WHOLE(INT64_MAX) },
        { "999999999999999999999999", .clamped = true, .want = WHOLE(INT64_MAX) },
        { "-99999999999999999999999999999999999999999999", .clamped = true, .want = WHOLE(INT64_MIN) },
        { "1e0", .want = WHOLE(1) },
        { "9e18", .want = WHOLE(9000000000000000000) },
        { "1e20", .want = REAL(1e20) },
        { "-1e20", .want = REAL(-1e20) },
        { "9.223372036854775808e18", .want = REAL(0x1p63) },
        { "1E3", .want = WHOLE(1000) },
        { "1.5e+3", .want = WHOLE(1500) },
        { "150e-1", .want = WHOLE(15) },
        { "-1.5e-3", .want = REAL(-0.0015) },
        { "1.5e-7", .want = REAL(1.5e-7) },
        { "0e999", .want = WHOLE(0) },
        { "1e-24", .want = REAL(1e-24) },
        { "1e-25", .want = WHOLE(0) },
        { "1e-999", .want = WHOLE(0) },
        { "0.00000000000000000000000000000000000001e38", .want = WHOLE(1) },
        { "9.99e23", .want = REAL(9.99e23) },
        { "00000000000000000000000000000000000000000012", .want = WHOLE(12) },
        { "1e24", .refused = true },
        { "1000000000000000000000000.5", .refused = true },
        { "1e999", .refused = true },
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

static void numbers_are_read_or_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(parse_cases); i++) {
                const char *text = parse_cases[i].text;
                ob_cleanup(ob_free_at) char *bytes = ob_copy(text);
                struct ob_metric_value got = WHOLE(42), want = parse_cases[i].want;
                bool is_clamped = false;

                if (ob_number_parse(bytes, &got, &is_clamped) == parse_cases[i].refused)
                        fail_msg("\"%s\": %s", text, parse_cases[i].refused ? "taken" : "refused");
                if (parse_cases[i].refused)
                        want = ob_whole(42);
                if (got.is_real != want.is_real || ob_number_compare(got, want) ||
                        is_clamped != parse_cases[i].clamped)
                        fail_msg("\"%s\": the value is wrong", text);
        }
}

static const struct {
        const char *text;
        bool refused;
        int64_t want;
} int_cases[] = {
        { "0", .want = 0 },
        { "-1", .want = -1 },
        { "12.000000", .want = 12 },
        { "12.0000001", .refused = true },
        { "1e20", .refused = true },
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

                if (ob_number_parse_int(text, &got) == int_cases[i].refused)
                        fail_msg("\"%s\": %s", text, int_cases[i].refused ? "taken" : "refused");
                if (got != (int_cases[i].refused ? 42 : int_cases[i].want))
                        fail_msg("\"%s\": is %lld", text, (long long)got);
        }
}

static const struct {
        const char *text;
        bool refused;
        uint64_t want;
} unsigned_cases[] = {
        { "0", .want = 0 },
        { "18446744073709551615", .want = UINT64_MAX },
        { "0018446744073709551615", .want = UINT64_MAX },
        { "18446744073709551616", .refused = true },
        { "184467440737095516150", .refused = true },
        { "-1", .refused = true },
        { "1.0", .refused = true },
        { "", .refused = true },
};

static void numbers_without_a_sign_fit(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(unsigned_cases); i++) {
                const char *text = unsigned_cases[i].text;
                uint64_t got = 42;

                if (ob_number_parse_unsigned(text, &got) == unsigned_cases[i].refused)
                        fail_msg("\"%s\": %s", text, unsigned_cases[i].refused ? "taken" : "refused");
                assert_true(got == (unsigned_cases[i].refused ? 42 : unsigned_cases[i].want));
        }
}

static const struct {
        struct ob_metric_value value;
        const char *want;
} format_cases[] = {
        { WHOLE(0), "0" },
        { WHOLE(1), "1" },
        { WHOLE(-1), "-1" },
        { WHOLE(10), "10" },
        { WHOLE(INT64_MAX), "9223372036854775807" },
        { WHOLE(INT64_MIN), "-9223372036854775808" },
        { REAL(0.000001), "0.000001" },
        { REAL(-0.000001), "-0.000001" },
        { REAL(0.1), "0.1" },
        { REAL(0.1 + 0.2), "0.30000000000000004" },
        { REAL(1.0 / 3), "0.3333333333333333" },
        { REAL(0.00025), "0.00025" },
        { REAL(1.00001), "1.00001" },
        { REAL(-12.5), "-12.5" },
        { REAL(100.5), "100.5" },
        { REAL(9007199254740991.0 / 8), "1125899906842623.9" },
        { REAL(0x1p63), "9223372036854775808" },
        { REAL(1e20), "100000000000000000000" },
        { REAL(9.9999999999999e23), "999999999999990000000000" },
        { REAL(-1.2345678901234567e-24), "-0.0000000000000000000000012345678901234567" },
        { REAL(1e-24), "0.000000000000000000000001" },
};

static void numbers_are_plain_digits(void **state)
{
        char got[OB_NUMBER_MAX];

        (void)state;
        for (size_t i = 0; i < LENGTH(format_cases); i++) {
                assert_int_equal(ob_number_format(got, format_cases[i].value), strlen(format_cases[i].want));
                if (strtod(got, NULL) != strtod(format_cases[i].want, NULL) ||
                        strlen(got) > strlen(format_cases[i].want))
                        fail_msg("%s instead of %s", got, format_cases[i].want);
        }
}

/* Values of every size, the same in each run: whole numbers, and doubles of any bits. */
static bool next_value(uint64_t *random, struct ob_metric_value *value)
{
        uint64_t bits;
        double real;

        *random = *random * 6364136223846793005u + 1442695040888963407u;
        bits = *random * 0x9e3779b97f4a7c15u;
        *value = ob_whole((int64_t)bits >> (*random >> 58));
        if (*random & 1 << 20)
                return true;
        memcpy(&real, &bits, sizeof(real));
        return ob_number_from_real(real, value);
}

static void what_is_written_is_read_back(void **state)
{
        char text[OB_NUMBER_MAX];
        uint64_t random = 1;

        (void)state;
        for (int i = 0; i < 100000; i++) {
                struct ob_metric_value want, got;
                size_t length;
                bool is_clamped;

                if (!next_value(&random, &want))
                        continue;
                length = ob_number_format(text, want);
                assert_int_equal(strlen(text), length);
                assert_int_equal(strspn(text, "-.0123456789"), length);
                assert_true(ob_number_parse(text, &got, &is_clamped));
                if (want.is_real ? strtod(text, NULL) != want.real : got.is_real || got.whole != want.whole)
                        fail_msg("%s comes back as another number", text);
                if (!is_clamped && ob_number_compare(got, want))
                        fail_msg("%s is read as another number", text);
        }
}

static void what_is_no_number_is_no_value(void **state)
{
        struct ob_metric_value got;

        (void)state;
        assert_false(ob_number_from_real(__builtin_inf(), &got));
        assert_false(ob_number_from_real(-__builtin_inf(), &got));
        assert_false(ob_number_from_real(__builtin_nan(""), &got));
        assert_false(ob_number_from_real(1e24, &got));
        assert_true(ob_number_from_real(-0.0, &got) && !got.is_real && !got.whole);
        assert_true(ob_number_from_real(-0x1p63, &got) && !got.is_real && got.whole == INT64_MIN);
        assert_true(ob_number_from_real(0x1p63, &got) && got.is_real);
}

/* In rising order; a double cannot tell the neighbours from each other. */
static const struct ob_metric_value rising[] = { REAL(-1e23), REAL(-0x1.0000000000001p63), WHOLE(INT64_MIN),
        WHOLE(INT64_MIN + 1), REAL(-2.5), WHOLE(-2), REAL(-0.5), WHOLE(0), REAL(0.5), WHOLE(1), REAL(1.5), WHOLE(2),
        WHOLE((INT64_C(1) << 53) + 1), WHOLE((INT64_C(1) << 53) + 2), WHOLE(INT64_MAX - 1), WHOLE(INT64_MAX),
        REAL(0x1p63), REAL(1e20) };

static void numbers_of_both_forms_have_one_order(void **state)
{
        (void)state;
        for (size_t a = 0; a < LENGTH(rising); a++)
                for (size_t b = 0; b < LENGTH(rising); b++) {
                        int got = ob_number_compare(rising[a], rising[b]);

                        if ((got > 0) != (a > b) || (got < 0) != (a < b))
                                fail_msg("%zu and %zu", a, b);
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

                assert_int_equal(ob_number_parse_time(times[i].text, &got), times[i].want != 0);
                assert_int_equal(got, times[i].want);
        }
}

static void what_is_too_large_for_64_bits_is_their_end(void **state)
{
        int64_t sum = INT64_MAX - 1;

        (void)state;
        assert_int_equal(ob_number_whole((struct ob_metric_value)REAL(1e19)), INT64_MAX);
        assert_int_equal(ob_number_whole((struct ob_metric_value)REAL(-1e19)), INT64_MIN);
        assert_int_equal(ob_number_whole((struct ob_metric_value)REAL(-7.5)), -7);
        assert_false(ob_number_add(&sum, 2));
        assert_int_equal(sum, INT64_MAX);
        assert_true(ob_number_add(&sum, -1));
        assert_int_equal(sum, INT64_MAX - 1);
        sum = INT64_MIN;
        assert_false(ob_number_add(&sum, -1));
        assert_int_equal(sum, INT64_MIN);
        assert_int_equal(ob_number_plus(INT64_MAX, 1), INT64_MAX);
        assert_int_equal(ob_number_plus(-1, 3), 2);
        assert_int_equal(ob_number_minus(INT64_MIN, 1), INT64_MIN);
        assert_int_equal(ob_number_minus(0, INT64_MIN), INT64_MAX);
        assert_int_equal(ob_number_minus(3, 5), -2);
}

/* Checks the text of a number, its last byte, and that reading the text gives the number. */
static void assert_int_text(int64_t number, const char *want)
{
        char got[OB_NUMBER_MAX];
        int64_t back = 42;

        memset(got, '#', sizeof(got));
        assert_int_equal(ob_number_format_int(got, number), strlen(want));
        assert_string_equal(got, want);
        assert_true(ob_number_parse_int(want, &back) && back == number);
}

static void a_number_has_as_many_digits_as_it_needs(void **state)
{
        int64_t power = 1;

        (void)state;
        for (int zeros = 0; zeros <= 18; zeros++) {
                for (int64_t number = power - 1; number <= power + 1; number++) {
                        char want[OB_NUMBER_MAX];

                        snprintf(want, sizeof(want), "%" PRId64, number);
                        assert_int_text(number, want);
                        snprintf(want, sizeof(want), "%" PRId64, -number);
                        assert_int_text(-number, want);
                }
                power = zeros < 18 ? power * 10 : power;
        }
        assert_int_text(INT64_MAX, "9223372036854775807");
        assert_int_text(INT64_MAX - 1, "9223372036854775806");
        assert_int_text(INT64_MIN, "-9223372036854775808");
        assert_int_text(INT64_MIN + 1, "-9223372036854775807");
}

/* strtoll() says which numbers fit into 64 bits. */
static void assert_read_as_strtoll(const char *text)
{
        ob_cleanup(ob_free_at) char *exact = ob_copy(text);
        struct ob_metric_value value;
        bool is_clamped, fits;
        int64_t want, got = 42;

        errno = 0;
        want = strtoll(text, NULL, 10);
        fits = !errno;
        assert_true(ob_number_parse(exact, &value, &is_clamped));
        if (value.is_real || value.whole != want || is_clamped == fits)
                fail_msg("%s is read as %" PRId64, text, value.whole);
        if (ob_number_parse_int(exact, &got) != fits || got != (fits ? want : 42))
                fail_msg("%s is the id %" PRId64, text, got);
}

static void digits_of_any_length_are_read_to_their_end(void **state)
{
        static const char *const digits[] = { "1234567890123456789012", "9999999999999999999999",
                "9223372036854775807000", "9223372036854775808000", "9223372036854775809000",
                "1000000000000000000000", "0000000000000000000019" };
        char text[32];

        (void)state;
        for (size_t i = 0; i < LENGTH(digits); i++)
                for (int length = 1; length <= 22; length++) {
                        snprintf(text, sizeof(text), "%.*s", length, digits[i]);
                        assert_read_as_strtoll(text);
                        snprintf(text, sizeof(text), "-%.*s", length, digits[i]);
                        assert_read_as_strtoll(text);
                }
}

/* A text with a byte that is no digit is refused, wherever the byte is. */
static void a_byte_that_is_no_digit_is_never_left_out(void **state)
{
        static const char bytes[] = "/:x \n+";

        (void)state;
        for (size_t length = 1; length <= 22; length++)
                for (size_t at = 0; at < length; at++)
                        for (const char *byte = bytes; *byte; byte++) {
                                char text[32] = "1111111111111111111111";
                                struct ob_metric_value value;
                                int64_t got = 42;

                                text[length] = '\0';
                                text[at] = *byte;
                                if (ob_number_parse(text, &value, NULL) || ob_number_parse_int(text, &got))
                                        fail_msg("\"%s\" is a number", text);
                        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_read_or_refused),
                cmocka_unit_test(ids_are_whole_and_fit),
                cmocka_unit_test(times_are_between_1970_and_9999),
                cmocka_unit_test(what_is_too_large_for_64_bits_is_their_end),
                cmocka_unit_test(numbers_are_plain_digits),
                cmocka_unit_test(what_is_written_is_read_back),
                cmocka_unit_test(what_is_no_number_is_no_value),
                cmocka_unit_test(numbers_of_both_forms_have_one_order),
                cmocka_unit_test(numbers_without_a_sign_fit),
                cmocka_unit_test(a_number_has_as_many_digits_as_it_needs),
                cmocka_unit_test(digits_of_any_length_are_read_to_their_end),
                cmocka_unit_test(a_byte_that_is_no_digit_is_never_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
