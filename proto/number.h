/*
 * Numbers as the tables hold them: exact, decimal, wider than 64 bits.
 *
 * A number is a count of millionths in 128 bits. So a BIGINT UNSIGNED fits, the sum of ten million
 * of them fits, a DECIMAL keeps six places, and no locale or rounding is in the way. Pure functions.
 */
#ifndef OB_PROTO_NUMBER_H
#define OB_PROTO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_MICROS     1000000
#define OB_NUMBER_MAX 48 /* bytes that the text of any number needs, with its NUL */

/*
 * Reads the whole of `text` as MySQL prints numbers: -12, 0.5, 1e20. Digits behind the sixth place
 * are dropped. False, and nothing written, when it is anything else, is empty, has a blank in it, or
 * is 10^24 or more (in itself: sums may be).
 */
bool ob_number_parse(const char *text, size_t length, __int128 *micros);

/* The same for a whole number in 64 bits: ids and epochs. */
bool ob_number_parse_int(const char *text, size_t length, int64_t *number);

/* Plain decimal digits, no exponent, no needless zeros, never "-0". Returns the length. */
size_t ob_number_format(char out[OB_NUMBER_MAX], __int128 micros);
size_t ob_number_format_int(char out[OB_NUMBER_MAX], int64_t number);

bool ob_number_is_whole(__int128 micros);

/* Its whole part, a sum, a difference; where 64 bits are too few, the end of their range. */
int64_t ob_number_whole(__int128 micros);
int64_t ob_number_plus(int64_t a, int64_t b);
int64_t ob_number_minus(int64_t a, int64_t b);

/*
 * A time in whole seconds since 1970, of which a fraction is dropped. False, and nothing written, when it is no
 * number, or is not between 1970 and the year 9999: whatever a server says, what is reckoned with such times stays
 * in 64 bits.
 */
#define OB_TIME_MAX INT64_C(253402300799) /* 9999-12-31 23:59:59 */
bool ob_number_parse_time(const char *text, size_t length, int64_t *seconds);

#endif
