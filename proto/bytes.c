#include "proto/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"

void ob_bytes_free(struct ob_bytes *b)
{
        free(b->data);
        *b = (struct ob_bytes) { .length = 0 };
}

static unsigned char *reserve(struct ob_bytes *b, size_t more)
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
        memcpy(reserve(b, length), data, length);
        b->length += length;
}

static void add_wide(struct ob_bytes *b, unsigned __int128 n)
{
        unsigned char *at = reserve(b, 19); /* 128 bits in sevens */
        uint64_t low;

        for (; n > UINT64_MAX; n >>= 7)
                *at++ = (unsigned char)(0x80 | ((unsigned)n & 0x7f));
        for (low = (uint64_t)n; low > 0x7f; low >>= 7)
                *at++ = (unsigned char)(0x80 | (low & 0x7f));
        *at++ = (unsigned char)low;
        b->length = (size_t)(at - b->data);
}

static unsigned __int128 to_zigzag(__int128 n)
{
        return n < 0 ? ~((unsigned __int128)n << 1) : (unsigned __int128)n << 1;
}

static __int128 from_zigzag(unsigned __int128 n)
{
        return (__int128)(n >> 1) ^ -(__int128)(n & 1);
}

void ob_bytes_add_unsigned(struct ob_bytes *b, uint64_t n)
{
        add_wide(b, n);
}

void ob_bytes_add_signed(struct ob_bytes *b, int64_t n)
{
        add_wide(b, to_zigzag(n));
}

/* Whole numbers, which nearly all are, are kept as such, with a bit that says so. */
void ob_bytes_add_number(struct ob_bytes *b, __int128 micros)
{
        if (micros <= INT64_MAX && micros >= INT64_MIN && (int64_t)micros % OB_MICROS == 0)
                add_wide(b, to_zigzag((int64_t)micros / OB_MICROS) << 1); /* nearly always, and far cheaper */
        else if (ob_number_is_whole(micros))
                add_wide(b, to_zigzag(micros / OB_MICROS) << 1);
        else
                add_wide(b, to_zigzag(micros) << 1 | 1);
}

/* What fits 63 bits, as nearly all does, is far cheaper. False, and nothing read: it may be wider, or damaged. */
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

static bool read_wide(struct ob_bytes_reader *p, unsigned __int128 *n)
{
        unsigned __int128 made = 0;

        for (unsigned shift = 0; p->at < p->end && shift < 128; shift += 7) {
                unsigned char c = *p->at++;

                made |= (unsigned __int128)(c & 0x7f) << shift;
                if (!(c & 0x80)) {
                        *n = made;
                        return true;
                }
        }
        return false;
}

bool ob_bytes_read_unsigned(struct ob_bytes_reader *p, uint64_t *n)
{
        unsigned __int128 wide;

        if (read_narrow(p, n))
                return true;
        if (!read_wide(p, &wide) || wide > UINT64_MAX)
                return false;
        *n = (uint64_t)wide;
        return true;
}

bool ob_bytes_read_signed(struct ob_bytes_reader *p, int64_t *n)
{
        unsigned __int128 wide;
        uint64_t narrow;
        __int128 made;

        if (read_narrow(p, &narrow)) {
                *n = (int64_t)(narrow >> 1) ^ -(int64_t)(narrow & 1);
                return true;
        }
        if (!read_wide(p, &wide))
                return false;
        made = from_zigzag(wide);
        if (made > INT64_MAX || made < INT64_MIN)
                return false;
        *n = (int64_t)made;
        return true;
}

bool ob_bytes_read_number(struct ob_bytes_reader *p, __int128 *micros)
{
        const __int128 limit = (__int128)1 << 100;
        unsigned __int128 wide;
        uint64_t narrow;
        __int128 made;

        if (read_narrow(p, &narrow))
                wide = narrow;
        else if (!read_wide(p, &wide))
                return false;
        made = from_zigzag(wide >> 1);
        if (made > limit || made < -limit)
                return false;
        *micros = wide & 1 ? made : made * OB_MICROS;
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
