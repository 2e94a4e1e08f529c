#include "proto/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

#define VARINT_MAX  10 /* bytes of 64 bits in groups of seven */
#define WIDE_MAX    19 /* bytes of 128 bits, as they were before batches had version 5 */
#define FIRST_SHARE 6  /* bits of a whole number in its first byte, after the bit of a fraction */
#define MICROS      1e6
#define REAL_MARK   1
#define REAL_SIZE   8

void ob_bytes_free(struct ob_bytes *b)
{
        free(b->data);
        *b = (struct ob_bytes) { .length = 0 };
}

unsigned char *ob_bytes_reserve(struct ob_bytes *b, size_t more)
{
        while (b->room - b->length < more) {
                b->room = b->room ? b->room * 2 : 256;
                b->data = ob_realloc(b->data, b->room, 1);
        }
        return b->data + b->length;
}

void ob_bytes_add(struct ob_bytes *b, const void *data, size_t length)
{
        if (!length)
                return;
        memcpy(ob_bytes_reserve(b, length), data, length);
        b->length += length;
}

/* Each step can be undone, so bytes that differ in one word only never have the same hash. */
static uint64_t mix(uint64_t number, uint64_t word)
{
        number = (number ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        return number ^ number >> 32;
}

uint64_t ob_bytes_fingerprint(uint64_t before, const void *data, size_t length)
{
        const unsigned char *at = data;
        uint64_t number = mix(mix(1, before), length), word;

        for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
                memcpy(&word, at, sizeof(word));
                number = mix(number, word);
        }
        word = 0;
        if (length) /* else `data` may be NULL */
                memcpy(&word, at, length);
        return mix(number, word);
}

void ob_bytes_add_unsigned(struct ob_bytes *b, uint64_t n)
{
        b->length = (size_t)(ob_bytes_put_unsigned(ob_bytes_reserve(b, OB_BYTES_NUMBER_MAX), n) - b->data);
}

static int64_t from_zigzag(uint64_t n)
{
        return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

void ob_bytes_add_signed(struct ob_bytes *b, int64_t n)
{
        ob_bytes_add_unsigned(b, ob_bytes_to_zigzag(n));
}

static unsigned char *put_real(unsigned char *at, double real)
{
        uint64_t bits;

        memcpy(&bits, &real, sizeof(bits));
        *at++ = REAL_MARK;
        for (size_t i = 0; i < REAL_SIZE; i++)
                *at++ = (unsigned char)(bits >> 8 * i);
        return at;
}

unsigned char *ob_bytes_put_value(unsigned char *at, struct ob_metric_value value)
{
        uint64_t n = ob_bytes_to_zigzag(value.whole);

        if (value.is_real)
                return put_real(at, value.real);
        if (n <= INT64_MAX)
                return ob_bytes_put_unsigned(at, n << 1);
        *at++ = (unsigned char)(0x80 | (n & 0x3f) << 1); /* 65 bits */
        return ob_bytes_put_unsigned(at, n >> FIRST_SHARE);
}

void ob_bytes_add_value(struct ob_bytes *b, struct ob_metric_value value)
{
        b->length = (size_t)(ob_bytes_put_value(ob_bytes_reserve(b, OB_BYTES_NUMBER_MAX), value) - b->data);
}

/* Reads a number of up to 63 bits, as nearly all are. False, and nothing read: the number is wider, or corrupt. */
static inline bool read_narrow(struct ob_bytes_reader *p, uint64_t *n)
{
        const unsigned char *at = p->at;
        uint64_t made = 0;

        for (unsigned shift = 0; at < p->end && shift < 63; shift += 7) {
                unsigned char c = *at++;

                made |= (uint64_t)(c & 0x7f) << shift;
                if (!(c & 0x80)) {
                        *n = made;
                        p->at = at;
                        return true;
                }
        }
        return false;
}

bool ob_bytes_read_unsigned(struct ob_bytes_reader *p, uint64_t *n)
{
        const unsigned char *at = p->at;

        if (read_narrow(p, n))
                return true;
        if (p->end - at < VARINT_MAX || at[VARINT_MAX - 1] > 1)
                return false;
        *n = (uint64_t)1 << 63;
        for (unsigned i = 0; i < VARINT_MAX - 1; i++)
                *n |= (uint64_t)(at[i] & 0x7f) << 7 * i;
        if (!at[VARINT_MAX - 1])
                *n &= INT64_MAX;
        p->at = at + VARINT_MAX;
        return true;
}

bool ob_bytes_read_signed(struct ob_bytes_reader *p, int64_t *n)
{
        uint64_t zigzag;

        if (!ob_bytes_read_unsigned(p, &zigzag))
                return false;
        *n = from_zigzag(zigzag);
        return true;
}

static bool read_real(struct ob_bytes_reader *p, struct ob_metric_value *value)
{
        uint64_t bits = 0;
        double real;

        if (p->end - p->at < REAL_SIZE)
                return false;
        for (size_t i = 0; i < REAL_SIZE; i++)
                bits |= (uint64_t)*p->at++ << 8 * i;
        memcpy(&real, &bits, sizeof(real));
        return ob_number_from_real(real, value);
}

/*
 * Reads a number of more than 63 bits. The lowest bit is that of a fraction, the next one that of the sign, and the
 * others are the size, of a negative number less one.
 */
static bool read_wide_value(struct ob_bytes_reader *p, struct ob_metric_value *value)
{
        const unsigned char *from = p->at;
        bool has_fraction = *from & 1, is_negative = *from & 2, fits = true;
        uint64_t size = (uint64_t)(*from & 0x7f) >> 2;
        double real = (double)size, unit = 32;

        for (unsigned shift = 5;; shift += 7) {
                uint64_t part;

                if (++p->at == p->end || p->at - from == WIDE_MAX)
                        return false;
                part = *p->at & 0x7f;
                fits = fits &&
                       (!part || (shift < 63 && part << shift <= INT64_MAX && part << shift >> shift == part));
                size |= fits && part ? part << shift : 0;
                real += (double)part * unit;
                unit *= 128;
                if (!(*p->at & 0x80))
                        break;
        }
        p->at++;
        if (has_fraction)
                return ob_number_from_real((is_negative ? -1 - real : real) / MICROS, value);
        size = fits ? size : INT64_MAX;
        *value = ob_whole(is_negative ? -1 - (int64_t)size : (int64_t)size);
        return true;
}

bool ob_bytes_read_value(struct ob_bytes_reader *p, struct ob_metric_value *value)
{
        uint64_t n;

        if (!read_narrow(p, &n))
                return p->at < p->end && read_wide_value(p, value);
        if (n == REAL_MARK)
                return read_real(p, value);
        if (n & 1)
                return ob_number_from_real((double)from_zigzag(n >> 1) / MICROS, value);
        *value = ob_whole(from_zigzag(n >> 1));
        return true;
}

bool ob_bytes_read_string(struct ob_bytes_reader *p, const char **text)
{
        const unsigned char *end = memchr(p->at, '\0', (size_t)(p->end - p->at));

        if (!end)
                return false;
        *text = (const char *)p->at;
        p->at = end + 1;
        return true;
}
