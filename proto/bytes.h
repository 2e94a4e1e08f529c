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
void ob_bytes_add_unsigned(struct ob_bytes *b, uint64_t n);
void ob_bytes_add_signed(struct ob_bytes *b, int64_t n);

/*
 * A whole number is a signed number, times two. A double is the byte 1 and then 8 bytes, the lowest first. Before
 * batches had version 5, a number with a fraction was a signed number of millionths, times two, plus one, and both
 * could have 128 bits: ob_bytes_read_value() reads those, too, and clamps a whole number to 64 bits.
 */
void ob_bytes_add_value(struct ob_bytes *b, struct ob_metric_value value);

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
