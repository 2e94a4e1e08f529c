#include "agent/sink/totals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "proto/batch.h"
#include "proto/hash.h"
#include "proto/memory.h"

#define SUFFIX ".total"

/* The key is the gauge's series: n_identity name\0 { key\0 value\0 }… */
struct ob_total {
        UT_hash_handle hh;
        int64_t value;
        bool is_changed; /* since the total was stored */
        size_t length;
        unsigned char key[];
};

struct ob_totals {
        char *sink; /* ours: the name */
        enum ob_totals_by by;
        int64_t seq, stored_seq;   /* the last batch that the totals have, and the totals in the store */
        struct ob_total *totals;   /* ours, by key */
        struct ob_total **changed; /* ours, the array */
        size_t n_changed, room_changed;
        struct ob_bytes key;    /* of the total that is looked for */
        bool is_by, is_corrupt; /* in the store: the totals are kept by the same series; one cannot be read */
        struct ob_log_once clamped;
};

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
        free(t->sink);
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
        *s = (struct ob_series) { .kind = OB_GAUGE, .n_identity = *p.at++ };
        if (!ob_bytes_read_string(&p, &s->name))
                return false;
        for (; p.at < p.end && s->n_tags < OB_TAGS_MAX; s->n_tags++)
                if (!ob_bytes_read_string(&p, &s->tags[s->n_tags].key) ||
                        !ob_bytes_read_string(&p, &s->tags[s->n_tags].value))
                        return false;
        return p.at == p.end && s->n_identity <= s->n_tags;
}

static void write_key(struct ob_totals *t, const struct ob_series *s)
{
        unsigned n = t->by == OB_BY_TAGS ? s->n_tags : s->n_identity;
        const unsigned char n_identity = (unsigned char)s->n_identity;

        t->key.length = 0;
        ob_bytes_add(&t->key, &n_identity, 1);
        ob_bytes_add(&t->key, s->name, strlen(s->name));
        ob_bytes_add(&t->key, SUFFIX, sizeof(SUFFIX));
        for (unsigned i = 0; i < n; i++) {
                const struct ob_tag *tag = &s->tags[i];
                const char *value = t->by == OB_BY_NODES && tag->node ? tag->node : tag->value;

                ob_bytes_add(&t->key, tag->key, strlen(tag->key) + 1);
                ob_bytes_add(&t->key, value, strlen(value) + 1);
        }
}

static int load_upto(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct ob_totals *t = ctx;

        (void)err;
        t->is_by = row[2].number == t->by;
        t->seq = t->stored_seq = row[1].number;
        return 0;
}

static int load_total(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        struct ob_totals *t = ctx;
        const unsigned char n_identity = (unsigned char)row[2].number;
        struct ob_series ignored;

        (void)err;
        t->key.length = 0;
        ob_bytes_add(&t->key, &n_identity, 1);
        ob_bytes_add(&t->key, row[1].data, row[1].length + 1);
        ob_bytes_add(&t->key, row[3].data, row[3].length);
        if (read_key((struct ob_bytes_reader) { t->key.data, t->key.data + t->key.length }, &ignored))
                insert(t, t->key.data, t->key.length)->value = row[4].number;
        else
                t->is_corrupt = true;
        return 0;
}

static int load(struct ob_totals *t, struct ob_store *st, int64_t acked, struct ob_err *err)
{
        if (ob_store_each_row(st, OB_TABLE_SINK_TOTALS_UPTO, t->sink, load_upto, t, err) ||
                ob_store_each_row(st, OB_TABLE_SINK_TOTALS, t->sink, load_total, t, err))
                return -1;
        if (t->is_by && !t->is_corrupt)
                return 1;
        empty(t);
        t->seq = acked;
        t->stored_seq = -1;
        return ob_totals_forget(st, t->sink, err);
}

int ob_totals_open(struct ob_totals **t, struct ob_store *st, const char *sink, enum ob_totals_by by, int64_t acked,
        struct ob_err *err)
{
        struct ob_totals *made = ob_alloc(1, sizeof(*made));
        int got;

        made->sink = ob_copy(sink);
        made->by = by;
        got = load(made, st, acked, err);
        if (got < 0)
                ob_totals_free(ob_take(made));
        *t = made;
        return got;
}

int ob_totals_open_for(struct ob_totals **t, const struct ob_sink *s, enum ob_totals_by by, struct ob_err *err)
{
        bool sends_none = s->settings->counters == OB_COUNTERS_COUNTER || s->settings->counters == OB_COUNTERS_NONE;
        int got;

        if (sends_none)
                return ob_totals_forget(s->store, s->settings->name, err) ? -1 : 1;
        got = ob_totals_open(t, s->store, s->settings->name, by, s->delivery.acked, err);
        if (!got)
                ob_log(OB_LOG_INFO,
                        "sink=%s event=totals_begin why=\"the store has none of this sink that go by the same names\"",
                        s->settings->name);
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
                ob_sink_log_clamped(&t->clamped, t->sink, "", &series);
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
        if (ob_stored_batch_open(b, &reader))
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

int ob_totals_stage(struct ob_totals *t, struct ob_store *st, struct ob_err *err)
{
        for (size_t i = 0; i < t->n_changed; i++) {
                const struct ob_total *total = t->changed[i];
                const char *name = (const char *)total->key + 1, *tags = name + strlen(name) + 1;
                size_t length = (size_t)((const char *)total->key + total->length - tags);

                if (OB_PUT_ROW(st, OB_TABLE_SINK_TOTALS, err, ob_value_text(t->sink), ob_value_text(name),
                            ob_value_number(total->key[0]), ob_value_blob(tags, length),
                            ob_value_number(total->value)))
                        return -1;
        }
        return t->seq == t->stored_seq ? 0
                                       : OB_PUT_ROW(st, OB_TABLE_SINK_TOTALS_UPTO, err, ob_value_text(t->sink),
                                                 ob_value_number(t->seq), ob_value_number(t->by));
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
        return ob_store_forget_rows(st, OB_TABLE_SINK_TOTALS, sink, err) ||
                               ob_store_forget_rows(st, OB_TABLE_SINK_TOTALS_UPTO, sink, err)
                       ? -1
                       : 0;
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
