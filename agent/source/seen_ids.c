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

struct ob_seen_chunk *ob_seen_ids_find(
        struct ob_seen_ids *s, struct ob_store *st, const char *source, int64_t id, struct ob_err *err)
{
        int64_t number = ob_seen_chunk_of(id);
        struct ob_seen_chunk *c;
        int got;

        if (s->n && s->chunks[s->n - 1].chunk.number == number)
                return &s->chunks[s->n - 1];
        s->chunks = ob_grow(s->chunks, &s->room, s->n, sizeof(*s->chunks));
        c = &s->chunks[s->n];
        *c = (struct ob_seen_chunk) { .is_changed = false };
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

int ob_seen_ids_put(const struct ob_seen_ids *s, struct ob_store *st, const char *source, struct ob_err *err)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->chunks[i].is_changed && ob_store_put_chunk(st, source, &s->chunks[i].chunk, err))
                        return -1;
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
