#include "agent/sink/totals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log_once.h"
#include "agent/sink/sink.h"
#include "proto/batch.h"
#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/number.h"

#define VERSION   1
#define SUFFIX    ".total"
#define HEAD_SIZE 2 /* n_identity n_tags */

/* The key is the gauge's series: n_identity n_tags name\0 { key\0 value\0 }… */
struct ob_total {
        UT_hash_handle hh;
        int64_t value;
        bool is_changed; /* since it was stored */
        size_t length;
        unsigned char key[];
};

struct ob_totals {
        char *source; /* ours: whose totals they are in the store */
        enum ob_totals_by by;
        int64_t seq, stored_seq;   /* the last batch that is in them, and in those in the store */
        struct ob_total *totals;   /* ours, by key */
        struct ob_total **changed; /* ours, the array */
        size_t n_changed, room_changed;
        struct ob_bytes key;         /* of what is being looked up */
        bool has_header, is_corrupt; /* what was read of the store */
        struct ob_log_once clamped;
};

static char *source_of(const char *sink)
{
        return ob_format(OB_TOTALS_OF_SINK "%s", sink);
}

static void empty(struct ob_totals *t)
{
        struct ob_total *total, *next;

        HASH_ITER (hh, t->totals, total, next) {
                HASH_DELETE(hh, t->totals, total);
                free(total);
        }
        t->n_changed = 0;
}

void ob_totals_free(struct ob_totals *t)
{
        if (!t)
                return;
        empty(t);
        free(t->changed);
        ob_bytes_free(&t->key);
        free(t->source);
        free(t);
}

static struct ob_total *insert(struct ob_totals *t, const void *key, size_t length)
{
        struct ob_total *total = ob_alloc(1, sizeof(*total) + length);

        memcpy(total->key, key, length);
        total->length = length;
        HASH_ADD_KEYPTR(hh, t->totals, total->key, total->length, total);
        return total;
}

static bool read_key(struct ob_bytes_reader p, struct ob_series *s)
{
        if (p.end - p.at < HEAD_SIZE)
                return false;
        *s = (struct ob_series) { .kind = OB_GAUGE, .n_identity = p.at[0], .n_tags = p.at[1] };
        p.at += HEAD_SIZE;
        if (s->n_tags > OB_TAGS_MAX || s->n_identity > s->n_tags || !ob_bytes_read_string(&p, &s->name))
                return false;
        for (unsigned i = 0; i < s->n_tags; i++)
                if (!ob_bytes_read_string(&p, &s->tags[i].key) || !ob_bytes_read_string(&p, &s->tags[i].value))
                        return false;
        return p.at == p.end;
}

static void write_key(struct ob_totals *t, const struct ob_series *s)
{
        unsigned n = t->by == OB_BY_TAGS ? s->n_tags : s->n_identity;
        const unsigned char head[HEAD_SIZE] = { (unsigned char)s->n_identity, (unsigned char)n };

        t->key.length = 0;
        ob_bytes_add(&t->key, head, sizeof(head));
        ob_bytes_add(&t->key, s->name, strlen(s->name));
        ob_bytes_add(&t->key, SUFFIX, sizeof(SUFFIX));
        for (unsigned i = 0; i < n; i++) {
                const struct ob_tag *tag = &s->tags[i];
                const char *value = t->by == OB_BY_NODES && tag->node ? tag->node : tag->value;

                ob_bytes_add(&t->key, tag->key, strlen(tag->key) + 1);
                ob_bytes_add(&t->key, value, strlen(value) + 1);
        }
}

/* The row without a key tells of all: the last batch, and how they are kept. */
static void load_header(struct ob_totals *t, int64_t seq, struct ob_bytes_reader at)
{
        uint64_t version, by;

        t->has_header = ob_bytes_read_unsigned(&at, &version) && version == VERSION &&
                        ob_bytes_read_unsigned(&at, &by) && by == t->by && at.at == at.end;
        t->seq = t->stored_seq = seq;
}

static int load_row(void *ctx, const void *key, size_t key_length, int64_t id, const void *amounts, size_t length)
{
        struct ob_totals *t = ctx;
        struct ob_bytes_reader at = { amounts, (const unsigned char *)amounts + length };
        struct ob_series ignored;
        struct ob_metric_value value;

        if (!key_length)
                load_header(t, id, at);
        else if (!read_key((struct ob_bytes_reader) { key, (const unsigned char *)key + key_length }, &ignored) ||
                 !ob_bytes_read_value(&at, &value) || at.at != at.end)
                t->is_corrupt = true;
        else
                insert(t, key, key_length)->value = ob_number_whole(value);
        return 0;
}

static int load(struct ob_totals *t, struct ob_store *st, int64_t acked, struct ob_err *err)
{
        if (ob_store_each_totals(st, t->source, load_row, t, err))
                return -1;
        if (t->has_header && !t->is_corrupt)
                return 1;
        empty(t);
        t->seq = acked;
        t->stored_seq = -1;
        return ob_store_forget_source(st, t->source, err);
}

int ob_totals_open(struct ob_totals **t, struct ob_store *st, const char *sink, enum ob_totals_by by, int64_t acked,
        struct ob_err *err)
{
        struct ob_totals *made = ob_alloc(1, sizeof(*made));
        int got;

        made->source = source_of(sink);
        made->by = by;
        got = load(made, st, acked, err);
        if (got < 0)
                ob_totals_free(ob_take(made));
        *t = made;
        return got;
}

bool ob_totals_has(const struct ob_series *s)
{
        return s->kind == OB_COUNTER && s->deliver_to == OB_TO_ALL;
}

static struct ob_total *find(struct ob_totals *t, const struct ob_series *s)
{
        struct ob_total *total;

        write_key(t, s);
        HASH_FIND(hh, t->totals, t->key.data, t->key.length, total);
        return total;
}

const struct ob_total *ob_totals_find(struct ob_totals *t, const struct ob_series *s)
{
        return find(t, s);
}

static struct ob_total *find_or_insert(struct ob_totals *t, const struct ob_series *s)
{
        struct ob_total *total = find(t, s);

        return total ? total : insert(t, t->key.data, t->key.length);
}

/* A total that would need more than 64 bits stays at the end of their range. */
static void add_value(struct ob_totals *t, struct ob_total *total, int64_t value)
{
        struct ob_series series;

        if (!ob_number_add(&total->value, value)) {
                ob_total_gauge(total, &series);
                ob_sink_log_clamped(&t->clamped, t->source + strlen(OB_TOTALS_OF_SINK), "", &series);
        }
        if (total->is_changed)
                return;
        total->is_changed = true;
        t->changed = ob_grow(t->changed, &t->room_changed, t->n_changed, sizeof(struct ob_total *));
        t->changed[t->n_changed++] = total;
}

void ob_totals_add(struct ob_totals *t, const struct ob_stored_batch *b)
{
        struct ob_total *found[OB_BATCH_POINTS] = { NULL }; /* by number in the batch */
        struct ob_batch_reader reader;
        struct ob_metric m;
        unsigned series;

        if (b->seq <= t->seq)
                return;
        if (ob_batch_open(&reader, b->body.data, b->body.length))
                while (ob_batch_next(&reader, &m, &series) == 1) {
                        if (!ob_totals_has(m.series))
                                continue;
                        if (!found[series])
                                found[series] = find_or_insert(t, m.series);
                        add_value(t, found[series], m.value.whole);
                }
        ob_batch_close(&reader);
        t->seq = b->seq;
}

static int stage_header(const struct ob_totals *t, struct ob_store *st, struct ob_err *err)
{
        const struct ob_bytes no_key = { .length = 0 };
        ob_cleanup(ob_bytes_free) struct ob_bytes how = { .length = 0 };

        ob_bytes_add_unsigned(&how, VERSION);
        ob_bytes_add_unsigned(&how, t->by);
        return ob_store_put_totals(st, t->source, &no_key, t->seq, &how, err);
}

int ob_totals_stage(struct ob_totals *t, struct ob_store *st, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes amount = { .length = 0 };

        for (size_t i = 0; i < t->n_changed; i++) {
                const struct ob_total *total = t->changed[i];
                const struct ob_bytes key = { (unsigned char *)total->key, total->length, total->length };

                amount.length = 0;
                ob_bytes_add_value(&amount, ob_whole(total->value));
                if (ob_store_put_totals(st, t->source, &key, 0, &amount, err))
                        return -1;
        }
        return t->seq == t->stored_seq ? 0 : stage_header(t, st, err);
}

void ob_totals_staged(struct ob_totals *t)
{
        for (size_t i = 0; i < t->n_changed; i++)
                t->changed[i]->is_changed = false;
        t->n_changed = 0;
        t->stored_seq = t->seq;
}

int ob_totals_forget(struct ob_store *st, const char *sink, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *source = source_of(sink);

        return ob_store_forget_source(st, source, err);
}

const struct ob_total *ob_totals_next(const struct ob_totals *t, const struct ob_total *behind)
{
        return behind ? behind->hh.next : t->totals;
}

size_t ob_totals_count(const struct ob_totals *t)
{
        return HASH_COUNT(t->totals);
}

struct ob_metric ob_total_gauge(const struct ob_total *total, struct ob_series *s)
{
        const struct ob_bytes_reader key = { total->key, total->key + total->length };
        bool is_read = read_key(key, s);

        assert(is_read);
        return (struct ob_metric) { .series = s, .value = ob_whole(total->value) };
}
