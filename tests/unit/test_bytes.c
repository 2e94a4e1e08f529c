#include "tests/unit/unit.h"

#include <string.h>

#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/number.h"

static struct ob_bytes_reader state_dir_of(const struct ob_bytes *b, size_t length)
{
        return (struct ob_bytes_reader) { b->data, b->data + length };
}

static const struct {
        uint64_t n;
        size_t length;
} unsigned_cases[] = {
        { 0, 1 },
        { 1, 1 },
        { 127, 1 },
        { 128, 2 },
        { 16383, 2 },
        { 16384, 3 },
        { UINT32_MAX, 5 },
        { UINT64_MAX, 10 },
};

static void unsigned_numbers_come_back(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(unsigned_cases); i++) {
                ob_cleanup(ob_bytes_free) struct ob_bytes b = { .length = 0 };
                struct ob_bytes_reader p;
                uint64_t got = 0;

                ob_bytes_add_unsigned(&b, unsigned_cases[i].n);
                assert_int_equal(b.length, unsigned_cases[i].length);
                p = state_dir_of(&b, b.length);
                assert_true(ob_bytes_read_unsigned(&p, &got));
                assert_true(got == unsigned_cases[i].n && p.at == p.end);
                p = state_dir_of(&b, b.length - 1);
                assert_false(ob_bytes_read_unsigned(&p, &got));
        }
}

static const struct {
        int64_t n;
        size_t length;
} signed_cases[] = {
        { 0, 1 },
        { -1, 1 },
        { 63, 1 },
        { -64, 1 },
        { 64, 2 },
        { -65, 2 },
        { 1587312000, 5 },
        { INT64_MAX, 10 },
        { INT64_MIN, 10 },
};

static void signed_numbers_come_back(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(signed_cases); i++) {
                ob_cleanup(ob_bytes_free) struct ob_bytes b = { .length = 0 };
                struct ob_bytes_reader p;
                int64_t got = 0;

                ob_bytes_add_signed(&b, signed_cases[i].n);
                assert_int_equal(b.length, signed_cases[i].length);
                p = state_dir_of(&b, b.length);
                assert_true(ob_bytes_read_signed(&p, &got));
                assert_true(got == signed_cases[i].n && p.at == p.end);
                p = state_dir_of(&b, b.length - 1);
                assert_false(ob_bytes_read_signed(&p, &got));
        }
}

static const struct {
        struct ob_metric_value value;
        size_t length;
} value_cases[] = {
        { WHOLE(0), 1 },
        { WHOLE(-1), 1 },
        { WHOLE(31), 1 },
        { WHOLE(32), 2 },
        { WHOLE(-32), 1 },
        { WHOLE(1587312000), 5 },
        { WHOLE(INT64_C(1) << 60), 9 },
        { WHOLE(INT64_C(1) << 61), 10 },
        { WHOLE(INT64_C(1) << 62), 10 },
        { WHOLE(-(INT64_C(1) << 62) - 1), 10 },
        { WHOLE(INT64_MAX), 10 },
        { WHOLE(INT64_MIN), 10 },
        { REAL(0.1), 9 },
        { REAL(-1.5), 9 },
        { REAL(1e23), 9 },
        { REAL(1e-24), 9 },
};

static void values_come_back(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(value_cases); i++) {
                ob_cleanup(ob_bytes_free) struct ob_bytes b = { .length = 0 };
                struct ob_metric_value got;
                struct ob_bytes_reader p;

                ob_bytes_add_value(&b, value_cases[i].value);
                assert_int_equal(b.length, value_cases[i].length);
                p = state_dir_of(&b, b.length);
                assert_true(ob_bytes_read_value(&p, &got));
                assert_int_equal(got.is_real, value_cases[i].value.is_real);
                assert_true(!ob_number_compare(got, value_cases[i].value) && p.at == p.end);
                for (size_t length = 0; length < b.length; length++) {
                        ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(length, 1);

                        memcpy(exact, b.data, length);
                        p = (struct ob_bytes_reader) { exact, exact + length };
                        assert_false(ob_bytes_read_value(&p, &got));
                }
        }
}

/* Values as they were written before batches had version 5. */
static const struct {
        const char *name;
        unsigned char bytes[20];
        size_t length;
        struct ob_metric_value want;
} old_values[] = {
        { "7", .bytes = { 0x1c }, .length = 1, .want = WHOLE(7) },
        { "the lowest number", .bytes = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03 },
                .length = 10, .want = WHOLE(INT64_MIN) },
        { "2^64 - 1", .bytes = { 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07 }, .length = 10,
                .want = WHOLE(INT64_MAX) },
        { "ten million times 2^64",
                .bytes = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xe8, 0x92, 0x26 },
                .length = 13, .want = WHOLE(INT64_MAX) },
        { "-2^70", .bytes = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03 }, .length = 11,
                .want = WHOLE(INT64_MIN) },
        { "1.5", .bytes = { 0x81, 0x9b, 0xee, 0x02 }, .length = 4, .want = REAL(1.5) },
        { "-0.000001", .bytes = { 0x03 }, .length = 1, .want = REAL(-0.000001) },
        { "an unknown total",
                .bytes = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 },
                .length = 14, .want = REAL(-0x1p90 / 1e6) },
        { "12345678901234.5", .bytes = { 0x81, 0x8d, 0xe0, 0xe3, 0xba, 0xc6, 0xa9, 0xa9, 0xad, 0x05 }, .length = 10,
                .want = REAL(12345678901234.5) },
};

static void old_values_are_read(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(old_values); i++) {
                struct ob_bytes_reader p = { old_values[i].bytes, old_values[i].bytes + old_values[i].length };
                struct ob_metric_value got;

                assert_true(ob_bytes_read_value(&p, &got));
                if (got.is_real != old_values[i].want.is_real || ob_number_compare(got, old_values[i].want) ||
                        p.at != p.end)
                        fail_msg("%s", old_values[i].name);
        }
}

static const struct {
        const char *name;
        unsigned char bytes[20];
        size_t length;
        bool is_unsigned, is_signed, is_number; /* can be read as */
} corrupt[] = {
        { .name = "nothing" },
        { .name = "no end", .bytes = { 0x80 }, .length = 1 },
        { .name = "no end for 128 bits",
                .length = 19,
                .bytes = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                        0x80, 0x80, 0x80, 0x80 } },
        { .name = "an end behind 128 bits",
                .length = 20,
                .bytes = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                        0x80, 0x80, 0x80, 0x80, 0x00 } },
        { .name = "65 bits",
                .length = 10,
                .is_number = true,
                .bytes = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02 } },
        { .name = "no bytes of a double", .bytes = { 0x01 }, .length = 1, .is_unsigned = true, .is_signed = true },
        { .name = "all of 128 bits",
                .length = 19,
                .is_number = false, /* a fraction that is too large */
                .bytes = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                        0xff, 0xff, 0xff, 0x7f } },
        { .name = "zeros behind a number",
                .bytes = { 0x82, 0x80, 0x00 },
                .length = 3,
                .is_unsigned = true,
                .is_signed = true,
                .is_number = true },
};

static void what_is_no_number_is_refused(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(corrupt); i++) {
                ob_cleanup(ob_free_at) unsigned char *exact = ob_alloc(corrupt[i].length, 1);
                const struct ob_bytes_reader from = { exact, exact + corrupt[i].length };
                struct ob_bytes_reader p;
                uint64_t u;
                int64_t s;
                struct ob_metric_value n;

                memcpy(exact, corrupt[i].bytes, corrupt[i].length);
                p = from;
                if (ob_bytes_read_unsigned(&p, &u) != corrupt[i].is_unsigned)
                        fail_msg("%s: as an unsigned one", corrupt[i].name);
                p = from;
                if (ob_bytes_read_signed(&p, &s) != corrupt[i].is_signed)
                        fail_msg("%s: as a signed one", corrupt[i].name);
                p = from;
                if (ob_bytes_read_value(&p, &n) != corrupt[i].is_number)
                        fail_msg("%s: as a value", corrupt[i].name);
        }
}

static void a_string_needs_its_nul(void **state)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes b = { .length = 0 };
        struct ob_bytes_reader p;
        const char *text;

        (void)state;
        ob_bytes_add(&b, "one\0\0tw", 7);
        p = state_dir_of(&b, b.length);
        assert_true(ob_bytes_read_string(&p, &text));
        assert_string_equal(text, "one");
        assert_true(ob_bytes_read_string(&p, &text));
        assert_string_equal(text, "");
        assert_false(ob_bytes_read_string(&p, &text));
}

static void bytes_grow(void **state)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes b = { .length = 0 };

        (void)state;
        ob_bytes_add(&b, NULL, 0);
        assert_int_equal(b.length, 0);
        for (unsigned i = 0; i < 100000; i++) {
                const unsigned char c = (unsigned char)i;

                ob_bytes_add(&b, &c, 1);
        }
        assert_int_equal(b.length, 100000);
        for (unsigned i = 0; i < 100000; i++)
                assert_int_equal(b.data[i], (unsigned char)i);
}

static void other_bytes_have_another_fingerprint(void **state)
{
        static const struct {
                uint64_t before;
                const char *bytes;
                size_t length;
        } cases[] = {
                { 0, "", 0 },
                { 1, "", 0 },
                { 0, "\0", 1 },
                { 0, "\0\0", 2 },
                { 0, "a", 1 },
                { 0, "b", 1 },
                { 0, "1234567", 7 },
                { 0, "12345678", 8 },
                { 0, "123456789", 9 },
                { 0, "12345678a2345678", 16 },
                { 0, "a234567812345678", 16 },
                { 0, "1234567812345678", 16 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                for (size_t k = 0; k < LENGTH(cases); k++) {
                        uint64_t a = ob_bytes_fingerprint(cases[i].before, cases[i].bytes, cases[i].length);
                        uint64_t b = ob_bytes_fingerprint(cases[k].before, cases[k].bytes, cases[k].length);

                        if ((a == b) != (i == k))
                                fail_msg("cases %zu and %zu", i, k);
                }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(unsigned_numbers_come_back),
                cmocka_unit_test(signed_numbers_come_back),
                cmocka_unit_test(values_come_back),
                cmocka_unit_test(old_values_are_read),
                cmocka_unit_test(what_is_no_number_is_refused),
                cmocka_unit_test(a_string_needs_its_nul),
                cmocka_unit_test(bytes_grow),
                cmocka_unit_test(other_bytes_have_another_fingerprint),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
