#include "agent/sink/fold.h"

#include <stdlib.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/memory.h"

#define VERSION    4
#define UNCLOSED   2 /* the version without `closed` */
#define NONE       (-1)
#define POINTS_MAX ((1u << 30) - 1)
#define NO_STEP                                                                                                    \
        (INT64_MIN / 2) /* before all steps; far enough from INT64_MIN to subtract `keep` without an overflow */

/* An entry is small, since a series has two hours of them. */
struct entry {
        int64_t step;         /* its first second */
        int newest;           /* second in the step with the newest reading; NONE: no reading yet, or a counter */
        unsigned points : 30; /* counted points since the last emit */
        bool grew : 1;        /* since the last emit */
        bool is_real : 1;     /* the value is a double */
        union {
                int64_t whole;
                double real;
        };
};

struct ob_fold_series {
        UT_hash_handle hh;
        struct entry *store;   /* ours; closed entries, then the open ones: */
        struct entry *entries; /* in the order of steps */
        size_t n, room, grown; /* open entries; in `store`; entries before index `grown` did not grow */
        int64_t made;          /* the clock of the last batch with a point of this series */
        int64_t closed;        /* steps up to this one are closed; NO_STEP: only the newest entry closes steps */
        bool is_listed;
        size_t length;
        char path[];
};

struct ob_fold {
        int step, keep;
        ob_fold_fn *emit;
        void *ctx;
        struct ob_fold_series *series, *found; /* ours, by path; the series that was found last, or NULL */
        struct ob_fold_series **grown;         /* ours: the series with a step that grew */
        size_t n_grown, room_grown;
};

struct ob_fold *ob_fold_new(int step, int keep, ob_fold_fn *emit, void *ctx)
{
        struct ob_fold *f = ob_alloc(1, sizeof(*f));

        *f = (struct ob_fold) { .step = step, .keep = keep, .emit = emit, .ctx = ctx };
        return f;
}

static void free_series(struct ob_fold *f, struct ob_fold_series *s)
{
        f->found = NULL;
        HASH_DELETE(hh, f->series, s);
        free(s->store);
        free(s);
}

static void empty(struct ob_fold *f)
{
        struct ob_fold_series *s, *next;

        HASH_ITER (hh, f->series, s, next)
                free_series(f, s);
        f->n_grown = 0;
}

void ob_fold_free(struct ob_fold *f)
{
        if (!f)
                return;
        empty(f);
        free(f->grown);
        free(f);
}

unsigned ob_fold_count(const struct ob_fold *f)
{
        return HASH_COUNT(f->series);
}

struct ob_fold_series *ob_fold_find(struct ob_fold *f, const char *path, size_t length)
{
        struct ob_fold_series *s;

        OB_HASH_FIND_BEHIND(f->series, f->found, path, length, s);
        if (s)
                return s;
        s = ob_alloc(1, sizeof(*s) + length + 1);
        memcpy(s->path, path, length);
        s->length = length;
        s->closed = NO_STEP;
        HASH_ADD_KEYPTR(hh, f->series, s->path, length, s);
        return s;
}

static void list_grown(struct ob_fold *f, struct ob_fold_series *s)
{
        if (s->is_listed)
                return;
        f->grown = ob_grow(f->grown, &f->room_grown, f->n_grown, sizeof(struct ob_fold_series *));
        f->grown[f->n_grown++] = s;
        s->is_listed = true;
}

void ob_fold_assign(struct ob_fold *f, const struct ob_fold *from)
{
        const struct ob_fold_series *s, *next;

        empty(f);
        HASH_ITER (hh, from->series, s, next) {
                struct ob_fold_series *copy = ob_fold_find(f, s->path, s->length);

                copy->store = copy->entries = ob_alloc(s->n, sizeof(*s->entries));
                copy->n = copy->room = s->n;
                copy->grown = s->grown;
                copy->made = s->made;
                copy->closed = s->closed;
                if (s->n) /* a series whose points were all refused has no entries */
                        memcpy(copy->entries, s->entries, s->n * sizeof(*s->entries));
                if (s->is_listed)
                        list_grown(f, copy);
        }
}

static struct ob_metric_value value_of(const struct entry *e)
{
        if (e->is_real)
                return (struct ob_metric_value) { .real = e->real, .is_real = true };
        return ob_whole(e->whole);
}

static void set_value(struct entry *e, struct ob_metric_value value)
{
        e->is_real = value.is_real;
        if (value.is_real)
                e->real = value.real;
        else
                e->whole = value.whole;
}

static void give_out(
        struct ob_fold *f, const struct ob_fold_series *s, struct entry *e, struct ob_metric_value value)
{
        f->emit(f->ctx, &(struct ob_fold_value) { s->path, s->length, e->step, value, e->points });
        e->grew = false;
        e->points = 0;
}

/* Closes the steps more than `keep` seconds behind the newest one, and emits those that grew. */
static void close_old(struct ob_fold *f, struct ob_fold_series *s)
{
        int64_t oldest = s->entries[s->n - 1].step - f->keep;
        size_t closed = 0;

        for (; closed < s->n && s->entries[closed].step < oldest; closed++)
                if (s->entries[closed].grew)
                        give_out(f, s, &s->entries[closed], value_of(&s->entries[closed]));
        s->n -= closed;
        s->entries += closed;
        s->grown -= closed < s->grown ? closed : s->grown;
}

/* Returns the index where the entry of a step is, or belongs. */
static size_t place_of(const struct ob_fold_series *s, int64_t step)
{
        size_t i = s->n;

        while (i > 0 && s->entries[i - 1].step >= step)
                i--;
        return i;
}

/* Makes room for one more entry. Reuses closed entries only if there are many, so that moves stay rare. */
static void make_room(struct ob_fold_series *s)
{
        size_t closed = s->store ? (size_t)(s->entries - s->store) : 0;

        if (closed + s->n < s->room)
                return;
        if (closed > s->n / 16) {
                memmove(s->store, s->entries, s->n * sizeof(*s->entries));
                closed = 0;
        } else {
                s->room += s->room / 4 + 4;
                s->store = ob_realloc(s->store, s->room, sizeof(*s->store));
        }
        s->entries = s->store + closed;
}

static struct entry *insert(struct ob_fold_series *s, size_t at, int64_t step)
{
        make_room(s);
        memmove(s->entries + at + 1, s->entries + at, (s->n - at) * sizeof(*s->entries));
        s->entries[at] = (struct entry) { .step = step, .newest = NONE };
        s->n++;
        return &s->entries[at];
}

/* One function for each kind. False: the total was clamped. */
static bool fold_counter(struct entry *e, int second, struct ob_metric_value value)
{
        int64_t sum = ob_number_whole(value_of(e)); /* only a corrupt fold has a double here */
        bool fits = ob_number_add(&sum, ob_number_whole(value));

        (void)second;
        set_value(e, ob_whole(sum));
        return fits;
}

static bool fold_gauge(struct entry *e, int second, struct ob_metric_value value)
{
        if (second < e->newest)
                return true;
        e->newest = second;
        set_value(e, value);
        return true;
}

static bool fold_gauge_max(struct entry *e, int second, struct ob_metric_value value)
{
        if (e->newest == NONE || ob_number_compare(value, value_of(e)) > 0)
                set_value(e, value);
        e->newest = second;
        return true;
}

static bool (*const fold_value[OB_KINDS])(struct entry *e, int second, struct ob_metric_value value) = {
        [OB_COUNTER] = fold_counter,
        [OB_GAUGE] = fold_gauge,
        [OB_GAUGE_MAX] = fold_gauge_max,
};

enum ob_fold_got ob_fold_add(
        struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m, int64_t made, bool is_counted)
{
        int second = (int)(((m->time % f->step) + f->step) % f->step);
        int64_t step = m->time - second;
        size_t at = place_of(s, step);
        bool is_there = at < s->n && s->entries[at].step == step;
        struct entry *e;
        bool fits;

        if (!is_there && (step <= s->closed || (s->n && step < s->entries[s->n - 1].step - f->keep)))
                return OB_FOLD_LATE;
        e = is_there ? &s->entries[at] : insert(s, at, step);
        fits = fold_value[m->series->kind](e, second, m->value);
        e->grew = true;
        s->grown = (size_t)(e - s->entries) < s->grown ? (size_t)(e - s->entries) : s->grown;
        e->points = (e->points + is_counted) & POINTS_MAX;
        list_grown(f, s);
        if (made > s->made)
                s->made = made;
        close_old(f, s);
        return fits ? OB_FOLD_ADDED : OB_FOLD_CLAMPED;
}

/* The entry of a step in `newer`; NULL when `newer` has closed the step. */
static const struct entry *newer_entry(const struct ob_fold *newer, const struct ob_fold_series *s, int64_t step)
{
        struct ob_fold_series *there;
        size_t at;

        HASH_FIND(hh, newer->series, s->path, s->length, there);
        if (!there)
                return NULL;
        at = place_of(there, step);
        return at < there->n && there->entries[at].step == step ? &there->entries[at] : NULL;
}

/* Emits the steps that grew. True when a step has to wait until it closes. */
static bool flush_series(struct ob_fold *f, struct ob_fold_series *s, const struct ob_fold *newer)
{
        bool waits = false;

        for (size_t i = s->grown; i < s->n; i++) {
                struct entry *e = &s->entries[i];
                const struct entry *from;

                if (!e->grew)
                        continue;
                from = newer ? newer_entry(newer, s, e->step) : e;
                if (from)
                        give_out(f, s, e, value_of(from));
                waits |= !from;
        }
        if (!waits)
                s->grown = s->n;
        return waits;
}

/* Emits the steps that grew in the series that `is_meant` accepts; NULL: in all series. */
static void flush(
        struct ob_fold *f, const struct ob_fold *newer, bool (*is_meant)(void *ctx, const char *path), void *ctx)
{
        size_t waiting = 0;

        for (size_t i = 0; i < f->n_grown; i++) {
                struct ob_fold_series *s = f->grown[i];

                if (!is_meant || is_meant(ctx, s->path))
                        s->is_listed = flush_series(f, s, newer);
                if (s->is_listed)
                        f->grown[waiting++] = s;
        }
        f->n_grown = waiting;
}

void ob_fold_flush(struct ob_fold *f, const struct ob_fold *newer)
{
        flush(f, newer, NULL, NULL);
}

void ob_fold_forget(struct ob_fold *f, bool (*is_meant)(void *ctx, const char *path), void *ctx)
{
        struct ob_fold_series *s, *next;

        flush(f, NULL, is_meant, ctx);
        HASH_ITER (hh, f->series, s, next)
                if (is_meant(ctx, s->path))
                        free_series(f, s);
}

/* Closes all steps of a series, and keeps only the time of the last one. */
static void close_all(struct ob_fold_series *s)
{
        if (!s->n)
                return;
        s->closed = s->entries[s->n - 1].step;
        free(s->store);
        s->store = s->entries = NULL;
        s->n = s->room = s->grown = 0;
}

void ob_fold_forget_idle(struct ob_fold *f, int64_t now, int64_t seconds, int64_t max_age)
{
        struct ob_fold_series *s, *next;

        HASH_ITER (hh, f->series, s, next) {
                if (s->is_listed || s->made >= now - seconds)
                        continue;
                close_all(s);
                if (s->closed == NO_STEP || (max_age && s->closed <= now - max_age - f->step))
                        free_series(f, s);
        }
}

/* A series with counted points has grown, so `grown` lists the series. */
int64_t ob_fold_points(const struct ob_fold *f)
{
        int64_t points = 0;

        for (size_t i = 0; i < f->n_grown; i++)
                for (size_t j = 0; j < f->grown[i]->n; j++)
                        points += f->grown[i]->entries[j].points;
        return points;
}

void ob_fold_settle(struct ob_fold *f)
{
        for (size_t i = 0; i < f->n_grown; i++)
                for (size_t j = 0; j < f->grown[i]->n; j++)
                        f->grown[i]->entries[j].points = 0;
}

void ob_fold_write(const struct ob_fold *f, struct ob_bytes *out)
{
        const struct ob_fold_series *s, *next;

        out->length = 0;
        ob_bytes_add_unsigned(out, VERSION);
        ob_bytes_add_unsigned(out, (uint64_t)f->step);
        ob_bytes_add_unsigned(out, HASH_COUNT(f->series));
        HASH_ITER (hh, f->series, s, next) {
                ob_bytes_add(out, s->path, s->length + 1);
                ob_bytes_add_signed(out, s->made);
                ob_bytes_add_signed(out, s->closed);
                ob_bytes_add_unsigned(out, s->n);
                for (size_t i = 0; i < s->n; i++) {
                        ob_bytes_add_signed(out, s->entries[i].step);
                        ob_bytes_add_signed(out, s->entries[i].newest);
                        ob_bytes_add_value(out, value_of(&s->entries[i]));
                        ob_bytes_add_unsigned(out, s->entries[i].grew);
                        ob_bytes_add_unsigned(out, s->entries[i].points);
                }
        }
}

static bool read_entry(const struct ob_fold *f, struct ob_bytes_reader *p, struct entry *e)
{
        struct ob_metric_value value;
        uint64_t grew, points;
        int64_t newest;

        if (!ob_bytes_read_signed(p, &e->step) || !ob_bytes_read_signed(p, &newest) || newest < NONE ||
                newest >= f->step || !ob_bytes_read_value(p, &value) || !ob_bytes_read_unsigned(p, &grew) ||
                !ob_bytes_read_unsigned(p, &points))
                return false;
        e->newest = (int)newest;
        set_value(e, value);
        e->grew = grew;
        e->points = points & POINTS_MAX;
        return true;
}

static bool read_series(struct ob_fold *f, struct ob_bytes_reader *p, uint64_t version)
{
        struct ob_fold_series *s;
        struct entry e;
        const char *path;
        int64_t made, closed = NO_STEP;
        uint64_t n;

        if (!ob_bytes_read_string(p, &path) || !ob_bytes_read_signed(p, &made) ||
                (version > UNCLOSED && (!ob_bytes_read_signed(p, &closed) || closed < NO_STEP)) ||
                !ob_bytes_read_unsigned(p, &n) || n > (uint64_t)(p->end - p->at)) /* an entry is more than a byte */
                return false;
        s = ob_fold_find(f, path, strlen(path));
        s->made = made;
        s->closed = closed;
        for (uint64_t i = 0; i < n; i++) {
                /* Steps must rise. */
                if (!read_entry(f, p, &e) || e.step <= (s->n ? s->entries[s->n - 1].step : NO_STEP))
                        return false;
                *insert(s, s->n, e.step) = e;
                if (e.grew)
                        list_grown(f, s);
        }
        return true;
}

bool ob_fold_read(struct ob_fold *f, const void *bytes, size_t length)
{
        struct ob_bytes_reader p = { bytes, (const unsigned char *)bytes + length };
        uint64_t version, step, n;

        empty(f);
        if (!length)
                return true;
        if (!ob_bytes_read_unsigned(&p, &version) || version < UNCLOSED || version > VERSION ||
                !ob_bytes_read_unsigned(&p, &step) || step != (uint64_t)f->step || !ob_bytes_read_unsigned(&p, &n))
                return false;
        while (n && read_series(f, &p, version))
                n--;
        if (n)
                empty(f);
        return !n;
}
