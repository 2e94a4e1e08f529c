/*
 * Values of metrics, and how texts become numbers and numbers become texts.
 *
 * A value is a whole number in 64 bits, or a double where the number has a fraction or is beyond 64 bits.
 * Each number has one form only: a double never holds a number that `whole` can hold. A double is smaller in size
 * than 10^24 and at least 10^-24, so that its plain decimal text is short; it is never infinite and never NaN.
 * The functions have no state and may be called from any thread. They expect the "C" locale.
 */
#ifndef OB_PROTO_NUMBER_H
#define OB_PROTO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OB_NUMBER_MAX 48 /* bytes that the text of any value needs, with its NUL */

struct ob_metric_value {
        union {
                int64_t whole;
                double real;
        };
        bool is_real;
};

static inline struct ob_metric_value ob_whole(int64_t whole)
{
        return (struct ob_metric_value) { .whole = whole };
}

/* Makes a value of a double. False, and nothing written, when the double is NaN or 10^24 or more in size. */
bool ob_number_from_real(double real, struct ob_metric_value *value);

/*
 * Reads the whole of `text` as MySQL prints numbers: -12, 0.5, 1e20. A number without fraction and exponent that is
 * beyond 64 bits becomes the nearest 64-bit number, and `*is_clamped` (or NULL) becomes true. False, and nothing
 * written, when the text is no number, has a blank in it, or has a fraction or an exponent and is 10^24 or more in
 * size.
 */
bool ob_number_parse(const char *text, struct ob_metric_value *value, bool *is_clamped);

/* Reads a whole number, such as an id or a time. False, and nothing written, when 64 bits cannot hold the number.
 */
bool ob_number_parse_int(const char *text, int64_t *number);

/* Reads a number that is made of digits only. False, and nothing written, when 64 bits without sign are too few. */
bool ob_number_parse_unsigned(const char *text, uint64_t *number);

/*
 * Writes plain decimal digits: no exponent, no needless zeros, never "-0". Of a double, the shortest text that a
 * reader turns into the same double. Returns the length.
 */
size_t ob_number_format(char out[OB_NUMBER_MAX], struct ob_metric_value value);
size_t ob_number_format_int(char out[OB_NUMBER_MAX], int64_t number);

/* Less than 0, 0 or more than 0, as `a` is less than, equal to or more than `b`; exact, also across the two forms.
 */
int ob_number_compare(struct ob_metric_value a, struct ob_metric_value b);
bool ob_number_is_negative(struct ob_metric_value value);

/* The whole part of a value; a sum; a difference. Where 64 bits are too few, the end of their range. */
int64_t ob_number_whole(struct ob_metric_value value);
int64_t ob_number_plus(int64_t a, int64_t b);
int64_t ob_number_minus(int64_t a, int64_t b);

/* The greatest common divisor of two positive numbers. */
int64_t ob_number_divisor(int64_t a, int64_t b);

/*
 * Adds to a sum. False when 64 bits are too few: then the sum is the end of their range, and the caller logs that.
 */
bool ob_number_add(int64_t *sum, int64_t amount);

/*
 * Reads a time in whole seconds since 1970; a fraction is dropped. False, and nothing written, when the text is no
 * number, or the time is not between 1970 and the year 9999: so sums and differences of times fit 64 bits.
 */
#define OB_TIME_MAX INT64_C(253402300799) /* 9999-12-31 23:59:59 */
bool ob_number_parse_time(const char *text, int64_t *seconds);

#endif
