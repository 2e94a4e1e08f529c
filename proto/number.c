#include "proto/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MAX   18    /* digits that surely fit 64 bits */
#define REAL_END    1e24  /* a double is smaller than this, */
#define REAL_LEAST  1e-24 /* and a smaller one than this is 0 */
#define WHOLE_END   0x1p63
#define EXACT_POWER 22 /* the largest power of ten that a double holds exactly */
#define EXACT_WHOLE (UINT64_C(1) << 53)
#define REAL_DIGITS 17 /* so many digits tell all doubles apart */

/* A number as its text has it: digits * 10^point. */
struct decimal {
        bool is_negative;
        bool has_exponent;
        bool is_cut, has_cut_places; /* nonzero digits before, or after, the point did not fit into `digits` */
        uint64_t digits;
        int point;
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static void add_digit(struct decimal *d, char c, bool is_behind_point)
{
        unsigned digit = (unsigned)(c - '0');

        if (d->digits <= (UINT64_MAX - 9) / 10) {
                d->digits = d->digits * 10 + digit;
                d->point -= is_behind_point;
        } else if (is_behind_point) {
                d->has_cut_places |= digit != 0;
        } else {
                d->is_cut |= digit != 0;
                d->point++;
        }
}

static bool read_exponent(const char *at, const char *end, int *exponent)
{
        bool is_negative = at < end && *at == '-';
        int value = 0;

        if (at < end && (*at == '-' || *at == '+'))
                at++;
        if (at == end || end - at > 3)
                return false;
        for (; at < end; at++) {
                if (!is_digit(*at))
                        return false;
                value = value * 10 + (*at - '0');
        }
        *exponent = is_negative ? -value : value;
        return true;
}

static bool read_decimal(const char *at, const char *end, struct decimal *d)
{
        bool is_behind_point = false, has_digits = false;
        int exponent = 0;

        *d = (struct decimal) { .is_negative = at < end && *at == '-' };
        at += d->is_negative;
        for (; at < end; at++) {
                if (*at == '.' && !is_behind_point) {
                        is_behind_point = true;
                        continue;
                }
                if (!is_digit(*at))
                        break;
                has_digits = true;
                add_digit(d, *at, is_behind_point);
        }
        if (!has_digits)
                return false;
        d->has_exponent = at < end;
        if (d->has_exponent && ((*at != 'e' && *at != 'E') || !read_exponent(at + 1, end, &exponent)))
                return false;
        d->point += exponent;
        for (; d->digits && d->digits % 10 == 0 && d->point < 0; d->point++)
                d->digits /= 10;
        return true;
}

/* Reads digits with an optional sign: nearly all numbers, at a tenth of the cost. */
static inline bool read_short(const char *text, int64_t *number)
{
        bool negative = *text == '-';
        const char *at = text + negative, *begin = at;
        uint64_t made = 0; /* wrong when there are too many digits */
        unsigned digit;

        for (; (digit = (unsigned char)*at - (unsigned)'0') <= 9; at++)
                made = made * 10 + digit;
        if (*at || at == begin || at - begin > SHORT_MAX)
                return false;
        *number = negative ? -(int64_t)made : (int64_t)made;
        return true;
}

bool ob_number_from_real(double real, struct ob_metric_value *value)
{
        double size = real < 0 ? -real : real;

        if (!(size < REAL_END)) /* also NaN */
                return false;
        if (size < REAL_LEAST)
                real = 0;
        if (real >= -WHOLE_END && real < WHOLE_END && (double)(int64_t)real == real)
                *value = ob_whole((int64_t)real);
        else
                *value = (struct ob_metric_value) { .real = real, .is_real = true };
        return true;
}

/* Returns the nearest double: by one rounding, or by strtod(). */
static double nearest_real(const struct decimal *d)
{
        static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
                1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
        char text[OB_NUMBER_MAX];
        double size;

        if (d->digits < EXACT_WHOLE && d->point <= 0 && d->point >= -EXACT_POWER) {
                size = (double)d->digits / powers[-d->point];
        } else {
                snprintf(text, sizeof(text), "%" PRIu64 "e%d", d->digits, d->point);
                size = strtod(text, NULL);
        }
        return d->is_negative ? -size : size;
}

/* The size of a number that is whole. False: 64 bits with a sign cannot hold the number. */
static bool whole_size(const struct decimal *d, uint64_t *size)
{
        bool fits = !d->is_cut;

        *size = d->digits;
        for (int point = d->point; point > 0 && *size && fits; point--)
                fits = !__builtin_mul_overflow(*size, UINT64_C(10), size);
        return fits && *size <= (uint64_t)INT64_MAX + d->is_negative;
}

bool ob_number_parse(const char *text, struct ob_metric_value *value, bool *is_clamped)
{
        bool is_ignored, *clamped = is_clamped ? is_clamped : &is_ignored;
        struct decimal d;
        int64_t whole;
        uint64_t size;

        *clamped = false;
        if (read_short(text, &whole)) {
                *value = ob_whole(whole);
                return true;
        }
        if (!read_decimal(text, text + strlen(text), &d))
                return false;
        if (d.has_cut_places || (d.digits && d.point < 0))
                return ob_number_from_real(nearest_real(&d), value);
        if (whole_size(&d, &size)) {
                *value = ob_whole((int64_t)(d.is_negative ? -size : size));
                return true;
        }
        if (d.has_exponent)
                return ob_number_from_real(nearest_real(&d), value);
        *clamped = true;
        *value = ob_whole(d.is_negative ? INT64_MIN : INT64_MAX);
        return true;
}

bool ob_number_parse_int(const char *text, int64_t *number)
{
        struct ob_metric_value value;
        bool is_clamped;

        if (read_short(text, number))
                return true;
        if (!ob_number_parse(text, &value, &is_clamped) || value.is_real || is_clamped)
                return false;
        *number = value.whole;
        return true;
}

bool ob_number_parse_unsigned(const char *text, uint64_t *number)
{
        uint64_t made = 0;

        if (!*text)
                return false;
        for (; *text; text++)
                if (!is_digit(*text) || __builtin_mul_overflow(made, UINT64_C(10), &made) ||
                        __builtin_add_overflow(made, (uint64_t)(*text - '0'), &made))
                        return false;
        *number = made;
        return true;
}

bool ob_number_parse_time(const char *text, int64_t *seconds)
{
        struct ob_metric_value value;
        int64_t whole;

        if (!read_short(text, &whole)) { /* the time has a fraction, or is no number */
                if (!ob_number_parse(text, &value, NULL))
                        return false;
                whole = ob_number_whole(value);
        }
        if (whole < 1 || whole > OB_TIME_MAX)
                return false;
        *seconds = whole;
        return true;
}

/* The digits of "00" to "99": so two digits cost one division. */
static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* How many decimal digits a number has. */
static unsigned count_digits(uint64_t n)
{
        static const uint64_t powers[] = { 0, UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000),
                UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000),
                UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000),
                UINT64_C(100000000000000), UINT64_C(1000000000000000), UINT64_C(10000000000000000),
                UINT64_C(100000000000000000), UINT64_C(1000000000000000000), UINT64_C(10000000000000000000) };
        unsigned bits = 64 - (unsigned)__builtin_clzll(n | 1), guess = bits * 1233 >> 12; /* 1233/4096: log10(2) */

        return guess + (n >= powers[guess]);
}

/* Writes the digits of `n`, the last one just before `end`. */
static void put_digits(char *end, uint64_t n)
{
        for (; n > 99; n /= 100)
                memcpy(end -= 2, two_digits + n % 100 * 2, 2);
        if (n > 9)
                memcpy(end - 2, two_digits + n * 2, 2);
        else
                end[-1] = (char)('0' + (int)n);
}

size_t ob_number_format_int(char out[OB_NUMBER_MAX], int64_t number)
{
        uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
        unsigned length = count_digits(size);

        if (number < 0)
                *out++ = '-';
        put_digits(out + length, size);
        out[length] = '\0';
        return length + (number < 0);
}

/* Writes a double as "d.ddde-12", with the fewest digits that no other double has. */
static void put_shortest(char sci[OB_NUMBER_MAX], double size)
{
        for (int n = REAL_DIGITS - 2; n <= REAL_DIGITS; n++) { /* format_real() cuts zeros at the end */
                snprintf(sci, OB_NUMBER_MAX, "%.*e", n - 1, size);
                if (strtod(sci, NULL) == size)
                        return;
        }
}

static size_t format_real(char out[OB_NUMBER_MAX], double real)
{
        char sci[OB_NUMBER_MAX], digits[REAL_DIGITS], *at = out;
        int n = 0, i = 0, point; /* how many of the digits stand before the point */

        if (real < 0)
                *at++ = '-';
        put_shortest(sci, real < 0 ? -real : real);
        for (const char *c = sci; *c != 'e'; c++)
                if (is_digit(*c) && n < REAL_DIGITS)
                        digits[n++] = *c;
        point = (int)strtol(strchr(sci, 'e') + 1, NULL, 10) + 1;
        while (n > 1 && digits[n - 1] == '0')
                n--;
        for (; i < point; i++)
                if (i < n)
                        *at++ = digits[i];
                else
                        *at++ = '0';
        if (point <= 0)
                *at++ = '0';
        if (i < n)
                *at++ = '.';
        for (int place = point; place < 0; place++)
                *at++ = '0';
        for (; i < n; i++)
                *at++ = digits[i];
        *at = '\0';
        return (size_t)(at - out);
}

size_t ob_number_format(char out[OB_NUMBER_MAX], struct ob_metric_value value)
{
        return value.is_real ? format_real(out, value.real) : ob_number_format_int(out, value.whole);
}

bool ob_number_is_negative(struct ob_metric_value value)
{
        return value.is_real ? value.real < 0 : value.whole < 0;
}

static int compare_int(int64_t a, int64_t b)
{
        return (a > b) - (a < b);
}

static int compare_real(double a, double b)
{
        return (a > b) - (a < b);
}

/* A double that is beyond 64 bits is beyond every whole number; of any other one the whole part is exact. */
static int compare_real_with_int(double a, int64_t b)
{
        int64_t whole;

        if (a >= WHOLE_END)
                return 1;
        if (a < -WHOLE_END)
                return -1;
        whole = (int64_t)a;
        return whole != b ? compare_int(whole, b) : compare_real(a, (double)whole);
}

int ob_number_compare(struct ob_metric_value a, struct ob_metric_value b)
{
        if (a.is_real && b.is_real)
                return compare_real(a.real, b.real);
        if (a.is_real)
                return compare_real_with_int(a.real, b.whole);
        return b.is_real ? -compare_real_with_int(b.real, a.whole) : compare_int(a.whole, b.whole);
}

int64_t ob_number_whole(struct ob_metric_value value)
{
        if (!value.is_real)
                return value.whole;
        if (value.real >= WHOLE_END)
                return INT64_MAX;
        return value.real < -WHOLE_END ? INT64_MIN : (int64_t)value.real;
}

bool ob_number_add(int64_t *sum, int64_t amount)
{
        if (!__builtin_add_overflow(*sum, amount, sum))
                return true;
        *sum = amount < 0 ? INT64_MIN : INT64_MAX;
        return false;
}

int64_t ob_number_plus(int64_t a, int64_t b)
{
        ob_number_add(&a, b);
        return a;
}

int64_t ob_number_minus(int64_t a, int64_t b)
{
        int64_t difference;

        if (!__builtin_sub_overflow(a, b, &difference))
                return difference;
        return b > 0 ? INT64_MIN : INT64_MAX;
}

int64_t ob_number_divisor(int64_t a, int64_t b)
{
        while (b) {
                int64_t rest = a % b;

                a = b;
                b = rest;
        }
        return a;
}
