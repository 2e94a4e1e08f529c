#include "agent/source/dedup.h"

#include <stdlib.h>
#include <string.h>

#include "proto/batch.h"
#include "proto/hash.h"
#include "proto/memory.h"

#define LINE_BYTES 400 /* bytes of the text that is kept */
#define TOO_MANY   "too many"

struct ob_dedup_entry {
        struct ob_dedup_item item; /* first */
        UT_hash_handle hh;
        char key[];
};

struct ob_dedup_value {
        UT_hash_handle hh;
        bool is_stored;
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

static struct ob_dedup_item *insert(struct ob_dedup *a, const char *key)
{
        struct ob_dedup_entry *one = ob_alloc(1, sizeof(*one) + strlen(key) + 1);

        memcpy(one->key, key, strlen(key) + 1);
        one->item.key = one->key;
        HASH_ADD_KEYPTR(hh, a->all, one->key, strlen(one->key), one);
        return &one->item;
}

struct ob_dedup_item *ob_dedup_find(struct ob_dedup *a, const char *key, int64_t time)
{
        struct ob_dedup_entry *one = lookup(a, key);

        a->clock = a->clock < time ? time : a->clock;
        if (!one && HASH_COUNT(a->all) >= OB_DEDUP_MAX) {
                key = TOO_MANY;
                one = lookup(a, key);
        }
        return one ? &one->item : insert(a, key);
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
                        a->forget_before = a->clock - OB_DEDUP_KEEP;
                }
}

/* How many values a tag has had. */
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

static int load_signature(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct ob_dedup *a = ctx;
        struct ob_dedup_item *one = insert(a, row[1].data);

        (void)err;
        one->since = row[2].number;
        one->last = row[3].number;
        one->count = row[4].number;
        one->is_told = row[5].number;
        ob_bytes_add(&one->kept, row[6].data, row[6].length);
        a->clock = a->clock < one->last ? one->last : a->clock;
        return 0;
}

static int load_value(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        (void)err;
        ob_dedup_admit(ctx, row[1].data, row[2].data, SIZE_MAX);
        return 0;
}

int ob_dedup_load(struct ob_dedup *a, struct ob_store *st, const char *source, struct ob_err *err)
{
        ob_dedup_free(a);
        if (ob_store_each_row(st, OB_TABLE_EVENT_SIGNATURES, source, load_signature, a, err) ||
                ob_store_each_row(st, OB_TABLE_EVENT_VALUES, source, load_value, a, err))
                return -1;
        ob_dedup_settle(a);
        return 0;
}

int ob_dedup_put(const struct ob_dedup *a, struct ob_store *st, const char *source, struct ob_err *err)
{
        const struct ob_value of = ob_value_text(source);
        const struct ob_dedup_entry *entry, *next;
        const struct ob_dedup_value *value, *next_value;

        if (a->forget_before && ob_store_forget_signatures(st, source, a->forget_before, err))
                return -1;
        HASH_ITER (hh, a->all, entry, next) {
                const struct ob_dedup_item *one = &entry->item;

                if (one->is_changed && OB_PUT_ROW(st, OB_TABLE_EVENT_SIGNATURES, err, of, ob_value_text(one->key),
                                               ob_value_number(one->since), ob_value_number(one->last),
                                               ob_value_number(one->count), ob_value_number(one->is_told),
                                               ob_value_blob(one->kept.data, one->kept.length)))
                        return -1;
        }
        HASH_ITER (hh, a->values, value, next_value)
                if (!value->is_stored && OB_PUT_ROW(st, OB_TABLE_EVENT_VALUES, err, of, ob_value_text(value->text),
                                                 ob_value_text(value->text + value->tag_length)))
                        return -1;
        return 0;
}

void ob_dedup_settle(struct ob_dedup *a)
{
        struct ob_dedup_entry *entry, *next;
        struct ob_dedup_value *value, *next_value;

        HASH_ITER (hh, a->all, entry, next)
                entry->item.is_changed = false;
        HASH_ITER (hh, a->values, value, next_value)
                value->is_stored = true;
        a->forget_before = 0;
}
