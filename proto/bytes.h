/*
 * A buffer of bytes that grows, and the codec of the numbers in such a buffer. Whole numbers are LEB128, those with
 * a sign in zigzag order, so that small numbers are short. A buffer belongs to one thread.
 */
#ifndef OB_PROTO_BYTES_H
#define OB_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/number.h"

struct ob_bytes {
        unsigned char *data; /* ours */
        size_t length, room;
};

void ob_bytes_free(struct ob_bytes *b);
void ob_bytes_add(struct ob_bytes *b, const void *data, size_t length);

/*
 * A 64-bit hash of bytes that follow the bytes with the hash `before` (0: none). Different bytes have the same hash
 * in about one of 2^64 cases. Not safe when an attacker chooses the bytes.
 */
uint64_t ob_bytes_fingerprint(uint64_t before, const void *data, size_t length);

void ob_bytes_add_unsigned(struct ob_bytes *b, uint64_t n);
void ob_bytes_add_signed(struct ob_bytes *b, int64_t n);

/*
 * A whole number is a signed number, times two. A double is the byte 1 and then 8 bytes, the lowest first. Before
 * batches had version 5, a number with a fraction was a signed number of millionths, times two, plus one, and both
 * could have 128 bits: ob_bytes_read_value() reads those, too, and clamps a whole number to 64 bits.
 */
void ob_bytes_add_value(struct ob_bytes *b, struct ob_metric_value value);

/*
 * The same for many numbers: _reserve makes room for `more` bytes and returns where they begin, _put_ writes a
 * number there and returns where the next one begins, and the caller sets `length` at the end. A number needs at
 * most OB_BYTES_NUMBER_MAX bytes.
 */
#define OB_BYTES_NUMBER_MAX 11
unsigned char *ob_bytes_reserve(struct ob_bytes *b, size_t more);
unsigned char *ob_bytes_put_value(unsigned char *at, struct ob_metric_value value);

static inline unsigned char *ob_bytes_put_unsigned(unsigned char *at, uint64_t n)
{
        for (; n > 0x7f; n >>= 7)
                *at++ = (unsigned char)(0x80 | (n & 0x7f));
        *at++ = (unsigned char)n;
        return at;
}

static inline uint64_t ob_bytes_to_zigzag(int64_t n)
{
        return n < 0 ? ~((uint64_t)n << 1) : (uint64_t)n << 1;
}

static inline unsigned char *ob_bytes_put_signed(unsigned char *at, int64_t n)
{
        return ob_bytes_put_unsigned(at, ob_bytes_to_zigzag(n));
}

/*
 * A cursor in borrowed bytes, which may be corrupt: each function returns whether such a number or text was at the
 * cursor.
 */
struct ob_bytes_reader {
        const unsigned char *at, *end;
};

bool ob_bytes_read_unsigned(struct ob_bytes_reader *p, uint64_t *n);
bool ob_bytes_read_signed(struct ob_bytes_reader *p, int64_t *n);
bool ob_bytes_read_value(struct ob_bytes_reader *p, struct ob_metric_value *value);

/* Reads a text that ends with NUL; `*text` points into the bytes. */
bool ob_bytes_read_string(struct ob_bytes_reader *p, const char **text);

#endif
