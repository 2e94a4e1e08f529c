/*
 * Bytes that grow, and the numbers in them: LEB128, signed ones in zigzag order, so that small
 * numbers are short. Owned by one thread.
 */
#ifndef OB_PROTO_BYTES_H
#define OB_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ob_bytes {
        unsigned char *data; /* ours */
        size_t length, room;
};

void ob_bytes_free(struct ob_bytes *b);
void ob_bytes_add(struct ob_bytes *b, const void *data, size_t length);
void ob_bytes_add_unsigned(struct ob_bytes *b, uint64_t n);
void ob_bytes_add_signed(struct ob_bytes *b, int64_t n);
void ob_bytes_add_number(struct ob_bytes *b, __int128 micros);

/* A place in bytes that someone else owns and that may hold anything: each read says if it could. */
struct ob_bytes_reader {
        const unsigned char *at, *end;
};

bool ob_bytes_read_unsigned(struct ob_bytes_reader *p, uint64_t *n);
bool ob_bytes_read_signed(struct ob_bytes_reader *p, int64_t *n);
bool ob_bytes_read_number(struct ob_bytes_reader *p, __int128 *micros);

/* A text with its NUL; `*text` points into the bytes. */
bool ob_bytes_read_string(struct ob_bytes_reader *p, const char **text);

#endif
