#include "agent/source/dedup.h"

#include <stdlib.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/hash.h"
#include "proto/memory.h"

#define VERSION    1
#define LINE_BYTES 400 /* bytes of the text that is kept */
#define TOO_MANY   "too many"

struct ob_dedup_entry {
        struct ob_dedup_item item; /* first */
        UT_hash_handle hh;
        char key[];
};

struct ob_dedup_value {
        UT_hash_handle hh;
        size_t tag_length;
        char text[]; /* the tag, a NUL, the value, a NUL */
};

static void free_one(struct ob_dedup *a, struct ob_dedup_entry *one)
{
        HASH_DELETE(hh, a->all, one);
        ob_bytes_free(&one->item.kept);
        free(one);
}

void ob_dedup_free(struct ob_dedup *a)
{
        struct ob_dedup_entry *one, *next;
        struct ob_dedup_value *value, *next_value;

        HASH_ITER (hh, a->all, one, next)
                free_one(a, one);
        HASH_ITER (hh, a->values, value, next_value) {
                HASH_DELETE(hh, a->values, value);
                free(value);
        }
        *a = (struct ob_dedup) { .clock = 0 };
}

static struct ob_dedup_entry *lookup(const struct ob_dedup *a, const char *key)
{
        struct ob_dedup_entry *one;

        HASH_FIND_STR(a->all, key, one);
        return one;
}

struct ob_dedup_item *ob_dedup_find(struct ob_dedup *a, const char *key, int64_t time)
{
        struct ob_dedup_entry *one = lookup(a, key);

        a->clock = a->clock < time ? time : a->clock;
        if (!one && HASH_COUNT(a->all) >= OB_DEDUP_MAX) {
                key = TOO_MANY;
                one = lookup(a, key);
        }
        if (one)
                return &one->item;
        one = ob_alloc(1, sizeof(*one) + strlen(key) + 1);
        memcpy(one->key, key, strlen(key) + 1);
        one->item.key = one->key;
        HASH_ADD_KEYPTR(hh, a->all, one->key, strlen(one->key), one);
        return &one->item;
}

struct ob_dedup_item *ob_dedup_next(const struct ob_dedup *a, const struct ob_dedup_item *behind)
{
        const struct ob_dedup_entry *one = (const struct ob_dedup_entry *)behind;
        struct ob_dedup_entry *next = one ? one->hh.next : a->all;

        return next ? &next->item : NULL;
}

void ob_dedup_forget(struct ob_dedup *a)
{
        struct ob_dedup_entry *one, *next;

        HASH_ITER (hh, a->all, one, next)
                if (one->item.last < a->clock - OB_DEDUP_KEEP && (!one->item.is_told || !one->item.count)) {
                        free_one(a, one);
                        a->is_changed = true;
                }
}

/* Values of one tag. */
static size_t count_values(const struct ob_dedup *a, const char *tag)
{
        const struct ob_dedup_value *value, *next;
        size_t n = 0;

        HASH_ITER (hh, a->values, value, next)
                n += !strcmp(value->text, tag);
        return n;
}

bool ob_dedup_admit(struct ob_dedup *a, const char *tag, const char *value, size_t limit)
{
        size_t tag_length = strlen(tag) + 1, length = tag_length + strlen(value) + 1;
        struct ob_dedup_value *one = ob_alloc(1, sizeof(*one) + length), *known;

        memcpy(one->text, tag, tag_length);
        memcpy(one->text + tag_length, value, length - tag_length);
        one->tag_length = tag_length;
        HASH_FIND(hh, a->values, one->text, length, known);
        if (known || count_values(a, tag) >= limit) {
                free(one);
                return known;
        }
        HASH_ADD_KEYPTR(hh, a->values, one->text, length, one);
        a->is_changed = true;
        return true;
}

/* FNV-1a: the same in every run. */
uint64_t ob_dedup_item_hash(const struct ob_dedup_item *one)
{
        uint64_t hash = UINT64_C(0xcbf29ce484222325);

        for (const char *c = one->key; *c; c++)
                hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
        return hash;
}

static void free_batch(struct ob_batch **b)
{
        ob_batch_free(*b);
}

void ob_dedup_item_keep(struct ob_dedup_item *one, const struct ob_event *e)
{
        ob_cleanup(free_batch) struct ob_batch *b = ob_batch_new();
        size_t length = strcspn(e->text, "\n");
        ob_cleanup(ob_free_at) char *line =
                ob_format("%.*s", (int)(length < LINE_BYTES ? length : LINE_BYTES), e->text);
        struct ob_event kept = *e;
        const struct ob_bytes *blob;

        kept.text = line;
        ob_batch_start(b, e->time);
        ob_batch_add_event(b, &kept);
        blob = ob_batch_blob(b);
        one->kept.length = 0;
        ob_bytes_add(&one->kept, blob->data, blob->length);
}

bool ob_dedup_item_kept(const struct ob_dedup_item *one, struct ob_event *e)
{
        struct ob_batch_reader r;

        return one->kept.length && ob_batch_open_events(&r, one->kept.data, one->kept.length) &&
               ob_batch_next_event(&r, e) == 1;
}

void ob_dedup_write(const struct ob_dedup *a, struct ob_bytes *out)
{
        const struct ob_dedup_entry *entry, *next;
        const struct ob_dedup_value *value, *next_value;

        ob_bytes_add_unsigned(out, VERSION);
        ob_bytes_add_signed(out, a->clock);
        ob_bytes_add_unsigned(out, HASH_COUNT(a->values));
        HASH_ITER (hh, a->values, value, next_value)
                ob_bytes_add(out, value->text, value->tag_length + strlen(value->text + value->tag_length) + 1);
        ob_bytes_add_unsigned(out, HASH_COUNT(a->all));
        HASH_ITER (hh, a->all, entry, next) {
                const struct ob_dedup_item *one = &entry->item;

                ob_bytes_add(out, one->key, strlen(one->key) + 1);
                ob_bytes_add_signed(out, one->since);
                ob_bytes_add_signed(out, one->last);
                ob_bytes_add_signed(out, one->count);
                ob_bytes_add_unsigned(out, one->is_told);
                ob_bytes_add_unsigned(out, one->kept.length);
                ob_bytes_add(out, one->kept.data, one->kept.length);
        }
}

static bool read_values(struct ob_dedup *a, struct ob_bytes_reader *p)
{
        const char *tag, *value;
        uint64_t n;

        if (!ob_bytes_read_unsigned(p, &n))
                return false;
        for (; n > 0; n--) {
                if (!ob_bytes_read_string(p, &tag) || !ob_bytes_read_string(p, &value))
                        return false;
                ob_dedup_admit(a, tag, value, SIZE_MAX);
        }
        return true;
}

static bool read_one(struct ob_dedup *a, struct ob_bytes_reader *p)
{
        struct ob_dedup_item *one;
        uint64_t is_told, length;
        const char *key;

        if (!ob_bytes_read_string(p, &key))
                return false;
        one = ob_dedup_find(a, key, a->clock);
        if (!ob_bytes_read_signed(p, &one->since) || !ob_bytes_read_signed(p, &one->last) ||
                !ob_bytes_read_signed(p, &one->count) || !ob_bytes_read_unsigned(p, &is_told) ||
                !ob_bytes_read_unsigned(p, &length) || length > (uint64_t)(p->end - p->at))
                return false;
        one->is_told = is_told;
        one->kept.length = 0;
        ob_bytes_add(&one->kept, p->at, (size_t)length);
        p->at += length;
        return one->since > INT64_MIN / 2 && one->since < INT64_MAX / 2 && one->last > INT64_MIN / 2 &&
               one->last < INT64_MAX / 2;
}

bool ob_dedup_read(struct ob_dedup *a, const void *bytes, size_t length)
{
        struct ob_bytes_reader p = { bytes, (const unsigned char *)bytes + length };
        uint64_t version, n;

        ob_dedup_free(a);
        if (!ob_bytes_read_unsigned(&p, &version) || version != VERSION || !ob_bytes_read_signed(&p, &a->clock) ||
                !read_values(a, &p) || !ob_bytes_read_unsigned(&p, &n))
                return false;
        for (; n > 0; n--)
                if (!read_one(a, &p))
                        return false;
        a->is_changed = false;
        return true;
}
