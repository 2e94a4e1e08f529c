#include "proto/batch.h"

#include <stdlib.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/memory.h"

#define VERSION         5
#define OLDEST_VERSION  4
#define HEAD_SIZE       4
#define EVENT_HEAD_SIZE 3
#define KEPT_MOST       (2 * OB_BATCH_POINTS) /* series that are kept for the batches that follow */

/* Seconds. No clock shows such a time, and sums with it do not overflow. */
#define MADE_MOST (INT64_C(1) << 60)

struct entry {
        UT_hash_handle hh;
        uint64_t batch;  /* the last batch that has the series */
        unsigned number; /* of the series in that batch */
        size_t length;
        unsigned char text[]; /* the series as the blob has it */
};

struct ob_batch {
        int64_t made, time;
        uint64_t which;        /* how many batches were started */
        struct entry *entries; /* ours, by text; of this batch and of batches before: most series come again */
        unsigned n_series, n_points, n_events;
        struct ob_bytes events, series, points, blob, key;
};

struct ob_batch *ob_batch_new(void)
{
        return ob_alloc(1, sizeof(struct ob_batch));
}

void ob_batch_free(struct ob_batch *b)
{
        if (!b)
                return;
        OB_HASH_FREE_ALL(b->entries, free);
        ob_bytes_free(&b->events);
        ob_bytes_free(&b->series);
        ob_bytes_free(&b->points);
        ob_bytes_free(&b->blob);
        ob_bytes_free(&b->key);
        free(b);
}

void ob_batch_start(struct ob_batch *b, int64_t made)
{
        if (HASH_COUNT(b->entries) > KEPT_MOST)
                OB_HASH_FREE_ALL(b->entries, free);
        b->which++;
        b->events.length = b->series.length = b->points.length = 0;
        b->n_events = b->n_series = b->n_points = 0;
        b->made = made;
        b->time = made;
}

static void add_string(struct ob_bytes *out, const char *text)
{
        ob_bytes_add(out, text, strlen(text) + 1);
}

static void add_tags(struct ob_bytes *out, const struct ob_tag *tags, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                add_string(out, tags[i].key);
                add_string(out, tags[i].value);
        }
}

static void encode_series(struct ob_bytes *out, const struct ob_series *s)
{
        const unsigned char head[HEAD_SIZE] = { (unsigned char)s->kind, (unsigned char)s->deliver_to,
                (unsigned char)s->n_identity, (unsigned char)s->n_tags };

        out->length = 0;
        ob_bytes_add(out, head, sizeof(head));
        add_string(out, s->name);
        add_tags(out, s->tags, s->n_tags);
        for (unsigned i = 0; i < s->n_identity; i++)
                add_string(out, s->tags[i].node ? s->tags[i].node : "");
}

static struct entry *find_or_insert(struct ob_batch *b, const struct ob_series *s)
{
        struct entry *e;

        encode_series(&b->key, s);
        HASH_FIND(hh, b->entries, b->key.data, b->key.length, e);
        if (e)
                return e;
        e = ob_alloc(1, sizeof(*e) + b->key.length);
        memcpy(e->text, b->key.data, b->key.length);
        e->length = b->key.length;
        HASH_ADD_KEYPTR(hh, b->entries, e->text, e->length, e);
        return e;
}

static unsigned number_of(struct ob_batch *b, const struct ob_series *s)
{
        struct entry *e = find_or_insert(b, s);

        if (e->batch != b->which) {
                e->batch = b->which;
                e->number = b->n_series++;
                ob_bytes_add(&b->series, e->text, e->length);
        }
        return e->number;
}

void ob_batch_add(struct ob_batch *b, const struct ob_metric *m)
{
        ob_bytes_add_unsigned(&b->points, number_of(b, m->series));
        ob_bytes_add_signed(&b->points, m->time - b->time);
        ob_bytes_add_value(&b->points, m->value);
        b->time = m->time;
        b->n_points++;
}

void ob_batch_add_event(struct ob_batch *b, const struct ob_event *e)
{
        const unsigned char head[EVENT_HEAD_SIZE] = { (unsigned char)e->alert, (unsigned char)e->status,
                (unsigned char)e->n_tags };
        const char *const texts[] = { e->kind, e->title, e->text, e->signature, e->check };

        ob_bytes_add_signed(&b->events, e->time);
        ob_bytes_add(&b->events, head, sizeof(head));
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                add_string(&b->events, texts[i]);
        add_tags(&b->events, e->tags, e->n_tags);
        b->n_events++;
}

unsigned ob_batch_points(const struct ob_batch *b)
{
        return b->n_points + b->n_events;
}

const struct ob_bytes *ob_batch_blob(struct ob_batch *b)
{
        b->blob.length = 0;
        ob_bytes_add_unsigned(&b->blob, VERSION);
        ob_bytes_add_signed(&b->blob, b->made);
        ob_bytes_add_unsigned(&b->blob, b->n_events);
        ob_bytes_add(&b->blob, b->events.data, b->events.length);
        ob_bytes_add_unsigned(&b->blob, b->n_series);
        ob_bytes_add(&b->blob, b->series.data, b->series.length);
        ob_bytes_add_unsigned(&b->blob, b->n_points);
        ob_bytes_add(&b->blob, b->points.data, b->points.length);
        return &b->blob;
}

static bool read_tags(struct ob_bytes_reader *p, struct ob_tag *tags, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                tags[i].node = NULL;
                if (!ob_bytes_read_string(p, &tags[i].key) || !ob_bytes_read_string(p, &tags[i].value))
                        return false;
        }
        return true;
}

static bool read_event(struct ob_bytes_reader *p, struct ob_event *e)
{
        const char **const texts[] = { &e->kind, &e->title, &e->text, &e->signature, &e->check };

        if (!ob_bytes_read_signed(p, &e->time) || p->end - p->at < EVENT_HEAD_SIZE)
                return false;
        e->alert = (enum ob_event_alert)p->at[0];
        e->status = (enum ob_check)p->at[1];
        e->n_tags = p->at[2];
        p->at += EVENT_HEAD_SIZE;
        if (e->alert >= OB_ALERTS || e->status >= OB_CHECKS || e->n_tags > OB_TAGS_MAX)
                return false;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                if (!ob_bytes_read_string(p, texts[i]))
                        return false;
        return read_tags(p, e->tags, e->n_tags);
}

static bool read_series(struct ob_bytes_reader *p, struct ob_series *s)
{
        if (p->end - p->at < HEAD_SIZE)
                return false;
        s->kind = (enum ob_kind)p->at[0];
        s->deliver_to = (enum ob_deliver_to)p->at[1];
        s->n_identity = p->at[2];
        s->n_tags = p->at[3];
        p->at += HEAD_SIZE;
        if (s->kind >= OB_KINDS || s->deliver_to >= OB_DELIVER_TO_END || s->n_tags > OB_TAGS_MAX ||
                s->n_identity > s->n_tags)
                return false;
        if (!ob_bytes_read_string(p, &s->name) || !read_tags(p, s->tags, s->n_tags))
                return false;
        for (unsigned i = 0; i < s->n_identity; i++) {
                if (!ob_bytes_read_string(p, &s->tags[i].node))
                        return false;
                if (!*s->tags[i].node)
                        s->tags[i].node = NULL;
        }
        return true;
}

/* Notes the position of the events, and skips them: an intact batch has all of them. */
static bool skip_events(struct ob_batch_reader *r)
{
        struct ob_event e;
        uint64_t n;

        if (!ob_bytes_read_unsigned(&r->at, &n) || n > OB_BATCH_POINTS)
                return false;
        r->events_at = r->at;
        for (; r->n_events < n; r->n_events++)
                if (!read_event(&r->at, &e))
                        return false;
        return true;
}

bool ob_batch_open_events(struct ob_batch_reader *r, const void *blob, size_t length)
{
        uint64_t version;

        *r = (struct ob_batch_reader) { .at = { blob, (const unsigned char *)blob + length } };
        if (!ob_bytes_read_unsigned(&r->at, &version) || version > VERSION || version < OLDEST_VERSION ||
                !ob_bytes_read_signed(&r->at, &r->made))
                return false;
        return r->made <= MADE_MOST && r->made >= -MADE_MOST && skip_events(r);
}

bool ob_batch_open(struct ob_batch_reader *r, const void *blob, size_t length)
{
        uint64_t n_series, n_points;

        if (!ob_batch_open_events(r, blob, length) || !ob_bytes_read_unsigned(&r->at, &n_series) ||
                n_series > OB_BATCH_POINTS)
                return false;
        r->series = ob_alloc((size_t)n_series, sizeof(*r->series));
        for (; r->n_series < n_series; r->n_series++)
                if (!read_series(&r->at, &r->series[r->n_series]))
                        return false;
        if (!ob_bytes_read_unsigned(&r->at, &n_points) || n_points > OB_BATCH_POINTS)
                return false;
        r->n_points = (unsigned)n_points;
        r->time = r->made;
        return true;
}

void ob_batch_close(struct ob_batch_reader *r)
{
        free(r->series);
        r->series = NULL;
}

int ob_batch_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series)
{
        uint64_t number;
        int64_t later;

        if (r->read == r->n_points)
                return 0;
        if (!ob_bytes_read_unsigned(&r->at, &number) || number >= r->n_series)
                return -1;
        if (!ob_bytes_read_signed(&r->at, &later) || __builtin_add_overflow(r->time, later, &r->time))
                return -1;
        m->series = &r->series[number];
        if (!ob_bytes_read_value(&r->at, &m->value) || (m->value.is_real && m->series->kind == OB_COUNTER))
                return -1;
        m->time = r->time;
        *series = (unsigned)number;
        r->read++;
        return 1;
}

int ob_batch_next_event(struct ob_batch_reader *r, struct ob_event *e)
{
        if (r->read_events == r->n_events)
                return 0;
        r->read_events++;
        return read_event(&r->events_at, e)
                       ? 1
                       : -1; /* ob_batch_open_events() has read them before, so they are intact */
}
