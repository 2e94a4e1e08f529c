#include "proto/number.h"

#include <string.h>

#define PLACES     6 /* decimal places of a millionth */
#define DIGITS_MAX 24
#define SHORT_MAX  18               /* so many surely fit 64 bits */
#define LIMIT_ROOT 1000000000000000 /* of 10^(DIGITS_MAX + PLACES) */

/* The parts of "-12.5e3": digits without the point, and where the point would stand. */
struct decimal {
        bool negative;
        unsigned __int128 digits;
        int point; /* digits * 10^point */
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Leading zeros do not count; what does not fit any more is dropped behind the point only. */
static bool add_digit(struct decimal *d, char c, bool behind_point, int *used)
{
        if (*used == 0 && c == '0') {
                d->point -= behind_point;
                return true;
        }
        if (*used >= DIGITS_MAX + PLACES)
                return behind_point;
        d->digits = d->digits * 10 + (unsigned)(c - '0');
        d->point -= behind_point;
        (*used)++;
        return true;
}

static bool read_exponent(const char *at, const char *end, int *exponent)
{
        bool negative = at < end && *at == '-';
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
        *exponent = negative ? -value : value;
        return true;
}

static bool read_decimal(const char *at, const char *end, struct decimal *d)
{
        bool behind_point = false;
        int seen = 0, used = 0, exponent = 0;

        d->negative = at < end && *at == '-';
        at += d->negative;
        for (; at < end; at++) {
                if (*at == '.' && !behind_point) {
                        behind_point = true;
                        continue;
                }
                if (!is_digit(*at))
                        break;
                seen++;
                if (!add_digit(d, *at, behind_point, &used))
                        return false;
        }
        if (!seen)
                return false;
        if (at == end)
                return true;
        if ((*at != 'e' && *at != 'E') || !read_exponent(at + 1, end, &exponent))
                return false;
        d->point += exponent;
        return true;
}

/* Nearly all there are, at a tenth of the cost: digits alone, behind a sign at most. */
static bool read_short(const char *text, size_t length, int64_t *number)
{
        bool negative = length && *text == '-';
        const char *at = text + negative, *end = text + length;
        int64_t made = 0;

        if (at == end || end - at > SHORT_MAX)
                return false;
        for (; at < end; at++) {
                unsigned digit = (unsigned)*at - '0';

                if (digit > 9)
                        return false;
                made = made * 10 + digit;
        }
        *number = negative ? -made : made;
        return true;
}

bool ob_number_parse(const char *text, size_t length, __int128 *micros)
{
        const unsigned __int128 limit = (unsigned __int128)LIMIT_ROOT * LIMIT_ROOT;
        struct decimal d = { .digits = 0 };
        int64_t number;

        if (read_short(text, length, &number)) {
                *micros = (__int128)number * OB_MICROS;
                return true;
        }
        if (!read_decimal(text, text + length, &d))
                return false;
        for (int shift = d.point + PLACES; shift > 0 && d.digits; shift--) {
                if (d.digits >= limit)
                        return false;
                d.digits *= 10;
        }
        for (int shift = d.point + PLACES; shift < 0 && d.digits; shift++)
                d.digits /= 10;
        if (d.digits >= limit)
                return false;
        *micros = d.negative ? -(__int128)d.digits : (__int128)d.digits;
        return true;
}

bool ob_number_parse_int(const char *text, size_t length, int64_t *number)
{
        __int128 micros;

        if (read_short(text, length, number))
                return true;
        if (!ob_number_parse(text, length, &micros) || !ob_number_is_whole(micros))
                return false;
        micros /= OB_MICROS;
        if (micros > INT64_MAX || micros < INT64_MIN)
                return false;
        *number = (int64_t)micros;
        return true;
}

bool ob_number_parse_time(const char *text, size_t length, int64_t *seconds)
{
        __int128 micros;
        int64_t whole;

        if (!read_short(text, length, &whole)) { /* it has a fraction, or is none */
                if (!ob_number_parse(text, length, &micros))
                        return false;
                micros /= OB_MICROS;
                whole = micros < 1 || micros > OB_TIME_MAX ? 0 : (int64_t)micros;
        }
        if (whole < 1 || whole > OB_TIME_MAX)
                return false;
        *seconds = whole;
        return true;
}

bool ob_number_is_whole(__int128 micros)
{
        if (micros <= INT64_MAX && micros >= INT64_MIN)
                return (int64_t)micros % OB_MICROS == 0;
        return micros % OB_MICROS == 0;
}

/* "00" to "99": two digits cost one division. */
static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* Writes the digits of `n` so that they end before `end`; returns where they begin. */
static char *put_short(char *end, uint64_t n)
{
        for (; n > 99; n /= 100)
                memcpy(end -= 2, two_digits + n % 100 * 2, 2);
        if (n > 9)
                return memcpy(end - 2, two_digits + n * 2, 2);
        *--end = (char)('0' + (int)n);
        return end;
}

static char *put_digits(char *end, unsigned __int128 n)
{
        for (; n > UINT64_MAX; n /= 10)
                *--end = (char)('0' + (int)(n % 10));
        return put_short(end, (uint64_t)n);
}

/* ".000250" without its trailing zeros, or nothing at all. */
static size_t put_places(char *out, uint64_t places)
{
        size_t length = PLACES + 1;

        if (!places)
                return 0;
        for (size_t i = PLACES; i > 0; i--, places /= 10)
                out[i] = (char)('0' + (int)(places % 10));
        out[0] = '.';
        while (out[length - 1] == '0')
                length--;
        return length;
}

size_t ob_number_format(char out[OB_NUMBER_MAX], __int128 micros)
{
        unsigned __int128 size = micros < 0 ? -(unsigned __int128)micros : (unsigned __int128)micros;
        char digits[OB_NUMBER_MAX], *end = digits + sizeof(digits), *begin;
        uint64_t places;
        size_t length = 0;

        if (size <= UINT64_MAX) { /* nearly always, and far cheaper */
                begin = put_short(end, (uint64_t)size / OB_MICROS);
                places = (uint64_t)size % OB_MICROS;
        } else {
                begin = put_digits(end, size / OB_MICROS);
                places = (uint64_t)(size % OB_MICROS);
        }
        if (micros < 0)
                out[length++] = '-';
        memcpy(out + length, begin, (size_t)(end - begin));
        length += (size_t)(end - begin);
        length += put_places(out + length, places);
        out[length] = '\0';
        return length;
}

size_t ob_number_format_int(char out[OB_NUMBER_MAX], int64_t number)
{
        char digits[OB_NUMBER_MAX], *end = digits + sizeof(digits);
        char *begin = put_short(end, number < 0 ? -(uint64_t)number : (uint64_t)number);
        size_t length = (size_t)(end - begin);

        if (number < 0)
                *out++ = '-';
        memcpy(out, begin, length);
        out[length] = '\0';
        return length + (number < 0);
}

static int64_t clamp(__int128 number)
{
        return number > INT64_MAX ? INT64_MAX : number < INT64_MIN ? INT64_MIN : (int64_t)number;
}

int64_t ob_number_whole(__int128 micros)
{
        return clamp(micros / OB_MICROS);
}

int64_t ob_number_plus(int64_t a, int64_t b)
{
        return clamp((__int128)a + b);
}

int64_t ob_number_minus(int64_t a, int64_t b)
{
        return clamp((__int128)a - b);
}
