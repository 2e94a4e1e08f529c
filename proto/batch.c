#include "proto/batch.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/memory.h"

#define VERSION         5
#define OLDEST_VERSION  4
#define HEAD_SIZE       4
#define EVENT_HEAD_SIZE 3
#define KEPT_MOST       (12 * OB_BATCH_POINTS) /* series that are kept for the batches that follow */
#define POINT_MOST      (3 * OB_BYTES_NUMBER_MAX)

/* Seconds. No clock shows such a time, and sums with it do not overflow. */
#define MADE_MOST (INT64_C(1) << 60)

struct ob_batch_series {
        UT_hash_handle hh;
        uint64_t batch;          /* the last batch that has the series */
        unsigned number;         /* of the series in that batch */
        struct ob_series series; /* decoded; its texts are in `text` */
        size_t length;
        unsigned char text[]; /* the series as the blob has it */
};

struct ob_batch {
        int64_t made;
        uint64_t which, forgets; /* how many batches were started; how often `known` was emptied */
        struct ob_batch_series
                *known; /* ours, by text; of this batch and of batches before: most series come again */
        unsigned n_series, n_points, n_events;
        struct ob_bytes events, blob, key;
        size_t series_at; /* where the series begin in the blob */
        struct ob_batch_series *series[OB_BATCH_POINTS];
        struct ob_batch_point *points; /* ours: room for OB_BATCH_POINTS; NULL: none yet */
};

struct ob_sealed_batch {
        atomic_uint users;
        unsigned n_series, n_points, n_events;
        struct ob_batch_point *points; /* ours */
        struct ob_bytes blob;          /* ours */
        struct ob_series series[];     /* their texts are in the blob */
};

struct ob_batch *ob_batch_new(void)
{
        return ob_alloc(1, sizeof(struct ob_batch));
}

void ob_batch_free(struct ob_batch *b)
{
        if (!b)
                return;
        OB_HASH_FREE_ALL(b->known, free);
        ob_bytes_free(&b->events);
        ob_bytes_free(&b->blob);
        ob_bytes_free(&b->key);
        free(b->points);
        free(b);
}

void ob_batch_start(struct ob_batch *b, int64_t made)
{
        if (HASH_COUNT(b->known) > KEPT_MOST) {
                OB_HASH_FREE_ALL(b->known, free);
                b->forgets++;
        }
        b->which++;
        b->events.length = 0;
        b->n_events = b->n_series = b->n_points = 0;
        b->made = made;
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

static bool read_tags(struct ob_bytes_reader *p, struct ob_tag *tags, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                tags[i].node = NULL;
                if (!ob_bytes_read_string(p, &tags[i].key) || !ob_bytes_read_string(p, &tags[i].value))
                        return false;
        }
        return true;
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

/* Ids begin at 1, and no id is given twice. */
static uint64_t next_id(void)
{
        static atomic_uint_fast64_t last;

        return ++last;
}

static struct ob_batch_series *make_series(const struct ob_bytes *text)
{
        struct ob_batch_series *s = ob_alloc(1, sizeof(*s) + text->length);
        struct ob_bytes_reader at = { s->text, s->text + text->length };
        bool is_read;

        memcpy(s->text, text->data, text->length);
        s->length = text->length;
        is_read = read_series(&at, &s->series);
        assert(is_read);
        s->series.id = next_id();
        return s;
}

struct ob_batch_series *ob_batch_find(struct ob_batch *b, const struct ob_series *series)
{
        struct ob_batch_series *s;

        encode_series(&b->key, series);
        HASH_FIND(hh, b->known, b->key.data, b->key.length, s);
        if (s)
                return s;
        s = make_series(&b->key);
        HASH_ADD_KEYPTR(hh, b->known, s->text, s->length, s);
        return s;
}

uint64_t ob_batch_forgets(const struct ob_batch *b)
{
        return b->forgets;
}

static unsigned number_of(struct ob_batch *b, struct ob_batch_series *s)
{
        if (s->batch != b->which) {
                s->batch = b->which;
                s->number = b->n_series++;
                b->series[s->number] = s;
        }
        return s->number;
}

void ob_batch_add_to(struct ob_batch *b, struct ob_batch_series *s, int64_t time, struct ob_metric_value value)
{
        if (!b->points)
                b->points = ob_realloc(NULL, OB_BATCH_POINTS, sizeof(*b->points));
        b->points[b->n_points++] = (struct ob_batch_point) {
                .time = time, .whole = value.whole, .series = number_of(b, s), .is_real = value.is_real
        };
}

void ob_batch_add(struct ob_batch *b, const struct ob_metric *m)
{
        ob_batch_add_to(b, ob_batch_find(b, m->series), m->time, m->value);
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

/* Each time is written as the difference from the time before. */
static void encode_points(struct ob_batch *b)
{
        unsigned char *at = ob_bytes_reserve(&b->blob, b->n_points * (size_t)POINT_MOST);
        int64_t before = b->made;

        for (unsigned i = 0; i < b->n_points; i++) {
                const struct ob_batch_point *p = &b->points[i];

                at = ob_bytes_put_unsigned(at, p->series);
                at = ob_bytes_put_signed(at, p->time - before);
                at = ob_bytes_put_value(at, ob_batch_point_value(p));
                before = p->time;
        }
        b->blob.length = (size_t)(at - b->blob.data);
}

const struct ob_bytes *ob_batch_blob(struct ob_batch *b)
{
        b->blob.length = 0;
        ob_bytes_add_unsigned(&b->blob, VERSION);
        ob_bytes_add_signed(&b->blob, b->made);
        ob_bytes_add_unsigned(&b->blob, b->n_events);
        ob_bytes_add(&b->blob, b->events.data, b->events.length);
        ob_bytes_add_unsigned(&b->blob, b->n_series);
        b->series_at = b->blob.length;
        for (unsigned i = 0; i < b->n_series; i++)
                ob_bytes_add(&b->blob, b->series[i]->text, b->series[i]->length);
        ob_bytes_add_unsigned(&b->blob, b->n_points);
        encode_points(b);
        return &b->blob;
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
        struct ob_series *series;

        if (!ob_batch_open_events(r, blob, length) || !ob_bytes_read_unsigned(&r->at, &n_series) ||
                n_series > OB_BATCH_POINTS)
                return false;
        r->series = series = ob_alloc((size_t)n_series, sizeof(*series));
        for (; r->n_series < n_series; r->n_series++)
                if (!read_series(&r->at, &series[r->n_series]))
                        return false;
        if (!ob_bytes_read_unsigned(&r->at, &n_points) || n_points > OB_BATCH_POINTS)
                return false;
        r->n_points = (unsigned)n_points;
        r->time = r->made;
        return true;
}

void ob_batch_close(struct ob_batch_reader *r)
{
        if (!r->sealed)
                free((struct ob_series *)r->series);
        r->series = NULL;
}

/* The position of `text`, which is in the bytes at `from`, in their copy at `to`. */
static const char *moved(const char *text, const unsigned char *from, const unsigned char *to)
{
        return text ? (const char *)to + ((const unsigned char *)text - from) : NULL;
}

/* Copies a series, whose bytes in the blob are at `at`. */
static void seal_series(struct ob_series *to, const struct ob_batch_series *s, const unsigned char *at)
{
        const struct ob_series *from = &s->series;

        to->kind = from->kind;
        to->deliver_to = from->deliver_to;
        to->n_identity = from->n_identity;
        to->n_tags = from->n_tags;
        to->id = from->id;
        to->name = moved(from->name, s->text, at);
        for (unsigned t = 0; t < from->n_tags; t++)
                to->tags[t] = (struct ob_tag) { moved(from->tags[t].key, s->text, at),
                        moved(from->tags[t].value, s->text, at), moved(from->tags[t].node, s->text, at) };
}

/* The blob has the series one after another. */
static void seal_all_series(struct ob_sealed_batch *sealed, const struct ob_batch *b)
{
        const unsigned char *at = sealed->blob.data + b->series_at;

        for (unsigned i = 0; i < b->n_series; i++) {
                seal_series(&sealed->series[i], b->series[i], at);
                at += b->series[i]->length;
        }
}

/* The points and the blob go over as they are, without the room that they do not need. */
struct ob_sealed_batch *ob_batch_seal(struct ob_batch *b, bool is_typed)
{
        unsigned n_series = is_typed ? b->n_series : 0;
        struct ob_sealed_batch *s = ob_realloc(NULL, 1, sizeof(*s) + n_series * sizeof(*s->series));

        ob_batch_blob(b);
        *s = (struct ob_sealed_batch) {
                .users = 1, .n_series = n_series, .n_points = b->n_points, .n_events = b->n_events
        };
        s->blob.data = ob_realloc(ob_take(b->blob.data), b->blob.length, 1);
        s->blob.length = s->blob.room = b->blob.length;
        b->blob.length = b->blob.room = 0;
        if (!is_typed)
                return s;
        s->points = ob_realloc(ob_take(b->points), b->n_points, sizeof(*s->points));
        seal_all_series(s, b);
        return s;
}

struct ob_sealed_batch *ob_sealed_batch_share(struct ob_sealed_batch *s)
{
        s->users++;
        return s;
}

void ob_sealed_batch_release(struct ob_sealed_batch *s)
{
        if (!s || --s->users)
                return;
        free(s->points);
        ob_bytes_free(&s->blob);
        free(s);
}

const struct ob_bytes *ob_sealed_batch_blob(const struct ob_sealed_batch *s)
{
        return &s->blob;
}

unsigned ob_sealed_batch_points(const struct ob_sealed_batch *s)
{
        return s->n_points + s->n_events;
}

size_t ob_sealed_batch_size(const struct ob_sealed_batch *s)
{
        return sizeof(*s) + s->n_series * sizeof(*s->series) + (s->points ? s->n_points * sizeof(*s->points) : 0) +
               s->blob.length;
}

void ob_batch_open_sealed(struct ob_batch_reader *r, const struct ob_sealed_batch *s)
{
        bool is_open = (s->points ? ob_batch_open_events : ob_batch_open)(r, s->blob.data, s->blob.length);

        assert(is_open); /* this process has just written the blob */
        if (!s->points)
                return;
        r->series = s->series;
        r->n_series = s->n_series;
        r->n_points = s->n_points;
        r->sealed = s->points;
}

int ob_batch_decode_next(struct ob_batch_reader *r, struct ob_metric *m, unsigned *series)
{
        uint64_t number;
        int64_t later;

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
