#include "agent/source/seen_ids.h"

#include <stdlib.h>

#include "proto/memory.h"

void ob_seen_ids_free(struct ob_seen_ids *s)
{
        free(s->chunks);
        *s = (struct ob_seen_ids) { .n = 0 };
}

void ob_seen_ids_start(struct ob_seen_ids *s)
{
        bool is_kept = s->n && !s->chunks[s->n - 1].is_changed;

        if (is_kept)
                s->chunks[0] = s->chunks[s->n - 1];
        s->n = is_kept;
}

void ob_seen_ids_clear(struct ob_seen_ids *s)
{
        s->n = 0;
}

int64_t ob_seen_chunk_of(int64_t id)
{
        return id / OB_CHUNK_IDS - (id % OB_CHUNK_IDS < 0);
}

int64_t ob_seen_ids_first_id(int64_t chunk)
{
        return chunk * OB_CHUNK_IDS;
}

static unsigned bit_of(int64_t id)
{
        return (unsigned)(id & (OB_CHUNK_IDS - 1));
}

static int find_highest(struct ob_seen_ids *s, struct ob_store *st, const char *source, struct ob_err *err)
{
        int got = s->is_bounded ? 1 : ob_store_last_chunk(st, source, &s->highest, err);

        if (!got)
                s->highest = INT64_MIN;
        s->is_bounded = got >= 0;
        return got < 0 ? -1 : 0;
}

struct ob_seen_chunk *ob_seen_ids_find(
        struct ob_seen_ids *s, struct ob_store *st, const char *source, int64_t id, struct ob_err *err)
{
        int64_t number = ob_seen_chunk_of(id);
        struct ob_seen_chunk *c;
        int got = 0;

        if (s->n && s->chunks[s->n - 1].chunk.number == number)
                return &s->chunks[s->n - 1];
        if (find_highest(s, st, source, err))
                return NULL;
        s->chunks = ob_grow(s->chunks, &s->room, s->n, sizeof(*s->chunks));
        c = &s->chunks[s->n];
        *c = (struct ob_seen_chunk) { .chunk.number = number };
        if (number <= s->highest)
                got = ob_store_get_chunk(st, source, number, &c->chunk, err);
        if (got < 0)
                return NULL;
        c->is_known = got;
        c->stored_newest = c->chunk.newest;
        s->n++;
        return c;
}

bool ob_seen_ids_has(const struct ob_seen_chunk *c, int64_t id)
{
        return c->chunk.bits[bit_of(id) / 8] >> bit_of(id) % 8 & 1;
}

void ob_seen_ids_add(struct ob_seen_chunk *c, int64_t id, int64_t time)
{
        c->chunk.bits[bit_of(id) / 8] |= (unsigned char)(1U << bit_of(id) % 8);
        if (c->chunk.newest < time)
                c->chunk.newest = time;
        c->is_changed = true;
}

int ob_seen_ids_put(struct ob_seen_ids *s, struct ob_store *st, const char *source, struct ob_err *err)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct ob_chunk *c = &s->chunks[i].chunk;

                if (s->chunks[i].is_changed && ob_store_put_chunk(st, source, c, err))
                        return -1;
                if (s->highest < c->number)
                        s->highest = c->number;
        }
        return 0;
}

int ob_seen_ids_forget_from(struct ob_store *st, const char *source, int64_t id, struct ob_err *err)
{
        struct ob_chunk c;

        if (ob_store_get_chunk(st, source, ob_seen_chunk_of(id), &c, err) < 0)
                return -1;
        for (unsigned bit = bit_of(id); bit < OB_CHUNK_IDS; bit++)
                c.bits[bit / 8] &= (unsigned char)~(1U << bit % 8);
        if (ob_store_forget_chunks_from(st, source, c.number, err))
                return -1;
        return c.newest ? ob_store_put_chunk(st, source, &c, err) : 0;
}
