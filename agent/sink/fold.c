#include "agent/sink/fold.h"

#include <stdlib.h>
#include <string.h>

#include "proto/hash.h"
#include "proto/memory.h"

#define VERSION     4
#define UNCLOSED    2 /* the version without `closed` */
#define NONE        (-1)
#define AHEAD       4 /* entries */
#define NOTED_LEAST 64
#define POINTS_MAX  ((1u << 29) - 1)
#define USED_MOST   (INT64_C(1) << 60) /* sums with it do not overflow */
#define NO_STEP                                                                                                    \
        (INT64_MIN / 2) /* before all steps; far enough from INT64_MIN to subtract `keep` without an overflow */

/* An entry is small, since a series has two hours of them. */
struct entry {
        int64_t step;         /* its first second */
        int newest;           /* second in the step with the newest reading; NONE: no reading yet, or a counter */
        unsigned points : 29; /* counted points since the last emit */
        bool grew : 1;        /* since the last emit */
        bool is_fresh : 1;    /* it grew since the last ob_fold_close_ended() */
        bool is_real : 1;     /* the value is a double */
        union {
                int64_t whole;
                double real;
        };
};

struct ob_fold_series {
        UT_hash_handle hh;
        struct entry *ring;    /* ours: the entries by step, from `first` on; place 0 follows the last place */
        size_t first, n, room; /* entries; places */
        size_t grown;          /* entries before this index have nothing to emit */
        int64_t used;          /* the fold's `now` at the last point of this series */
        int64_t closed;        /* steps up to this one are closed; NO_STEP: only the newest entry closes steps */
        bool is_listed;
        size_t length;
        char path[];
};

/* A hash table by the id modulo the number of places. Ids are consecutive, so few ids share a place. */
struct noted {
        uint64_t id;
        struct ob_fold_series *series;
};

struct ob_fold {
        int step, keep;
        int64_t now;       /* seconds that have passed, from any beginning */
        int64_t last_step; /* of the last point */
        ob_fold_fn *emit;
        void *ctx;
        struct ob_fold_series *series, *found; /* ours, by path; the series that was found last, or NULL */
        struct ob_fold_series **grown;         /* ours: the series with a step that grew */
        size_t n_grown, room_grown;
        struct noted *noted; /* ours */
        size_t n_noted;      /* places: a power of two; 0: none yet, or all were forgotten */
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
        f->n_noted = 0;
        HASH_DELETE(hh, f->series, s);
        free(s->ring);
        free(s);
}

static struct entry *entry_at(const struct ob_fold_series *s, size_t i)
{
        size_t place = s->first + i;

        return &s->ring[place < s->room ? place : place - s->room];
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
        free(f->noted);
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

void ob_fold_note(struct ob_fold *f, uint64_t id, struct ob_fold_series *s)
{
        size_t wanted = NOTED_LEAST;

        while (wanted < 2 * (size_t)HASH_COUNT(f->series))
                wanted *= 2;
        if (f->n_noted < wanted) {
                free(f->noted);
                f->noted = ob_alloc(wanted, sizeof(*f->noted));
                f->n_noted = wanted;
        }
        f->noted[id & (f->n_noted - 1)] = (struct noted) { id, s };
}

struct ob_fold_series *ob_fold_find_noted(const struct ob_fold *f, uint64_t id)
{
        const struct noted *at = f->n_noted ? &f->noted[id & (f->n_noted - 1)] : NULL;

        return at && at->id == id ? at->series : NULL;
}

static void list_grown(struct ob_fold *f, struct ob_fold_series *s)
{
        if (s->is_listed)
                return;
        f->grown = ob_grow(f->grown, &f->room_grown, f->n_grown, sizeof(struct ob_fold_series *));
        f->grown[f->n_grown++] = s;
        s->is_listed = true;
}

/* The entries, from place 0 on, in a new ring of `room` places. */
static struct entry *copy_entries(const struct ob_fold_series *s, size_t room)
{
        struct entry *ring = ob_realloc(NULL, room, sizeof(*ring));
        size_t whole = s->room - s->first, begin = s->n < whole ? s->n : whole;

        if (!s->n)
                return ring;
        memcpy(ring, s->ring + s->first, begin * sizeof(*ring));
        memcpy(ring + begin, s->ring, (s->n - begin) * sizeof(*ring));
        return ring;
}

/* The series of `from` are `older` seconds older in `f`. */
static void copy_all(struct ob_fold *f, const struct ob_fold *from, int64_t older)
{
        const struct ob_fold_series *s, *next;

        HASH_ITER (hh, from->series, s, next) {
                struct ob_fold_series *copy = ob_fold_find(f, s->path, s->length);

                copy->ring = copy_entries(s, s->n);
                copy->n = copy->room = s->n;
                copy->grown = s->grown;
                copy->used = s->used + older;
                copy->closed = s->closed;
                if (s->is_listed)
                        list_grown(f, copy);
        }
}

void ob_fold_assign(struct ob_fold *f, const struct ob_fold *from)
{
        empty(f);
        f->now = from->now;
        copy_all(f, from, 0);
}

/* The clocks of two folds begin at different times: the seconds since the last point of a series stay the same. */
void ob_fold_unite(struct ob_fold *f, const struct ob_fold *from)
{
        struct ob_fold_series *s, *next;
        int64_t older = f->now - from->now;

        if (older < 0) {
                HASH_ITER (hh, f->series, s, next)
                        s->used -= older;
                f->now = from->now;
                older = 0;
        }
        copy_all(f, from, older);
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

/* Closes the oldest step, and emits the step if it grew. */
static void close_first(struct ob_fold *f, struct ob_fold_series *s)
{
        struct entry *e = entry_at(s, 0);

        if (e->grew)
                give_out(f, s, e, value_of(e));
        s->closed = e->step;
        s->first = s->first + 1 < s->room ? s->first + 1 : 0;
        s->n--;
        s->grown -= s->grown > 0;
}

/* Closes the steps more than `keep` seconds behind the newest one. */
static void close_old(struct ob_fold *f, struct ob_fold_series *s)
{
        int64_t oldest = entry_at(s, s->n - 1)->step - f->keep;

        while (entry_at(s, 0)->step < oldest) { /* the newest entry stays */
                close_first(f, s);
                __builtin_prefetch(entry_at(s, s->n < AHEAD ? 0 : AHEAD)); /* old entries are not in the cache */
        }
}

/* Returns the index where the entry of a step is, or belongs. */
static size_t place_of(const struct ob_fold_series *s, int64_t step)
{
        size_t i = s->n;

        while (i > 0 && entry_at(s, i - 1)->step >= step)
                i--;
        return i;
}

/* Grows by a quarter only, to save memory: a series has two hours of entries. */
static void make_room(struct ob_fold_series *s)
{
        size_t room = s->room + s->room / 4 + 4;
        struct entry *ring;

        if (s->n < s->room)
                return;
        ring = copy_entries(s, room);
        free(s->ring);
        s->ring = ring;
        s->first = 0;
        s->room = room;
}

static struct entry *insert(struct ob_fold_series *s, size_t at, int64_t step)
{
        make_room(s);
        s->n++;
        for (size_t i = s->n - 1; i > at; i--)
                *entry_at(s, i) = *entry_at(s, i - 1);
        *entry_at(s, at) = (struct entry) { .step = step, .newest = NONE };
        return entry_at(s, at);
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

/* The first second of the step of `time`. Most points are in the step of the last point, which saves a division. */
static int64_t step_of(struct ob_fold *f, int64_t time)
{
        if (time < f->last_step || time - f->last_step >= f->step)
                f->last_step = time - (time % f->step + f->step) % f->step;
        return f->last_step;
}

static bool is_at(const struct ob_fold_series *s, size_t at, int64_t step)
{
        return at < s->n && entry_at(s, at)->step == step;
}

/* Folds a metric into the entry of an open step, whose place is `at`. */
static enum ob_fold_got add_at(struct ob_fold *f, struct ob_fold_series *s, size_t at, int64_t step, int second,
        const struct ob_metric *m, bool is_counted)
{
        struct entry *e = is_at(s, at, step) ? entry_at(s, at) : insert(s, at, step);
        bool fits = fold_value[m->series->kind](e, second, m->value);

        e->points = (e->points + is_counted) & POINTS_MAX;
        e->grew = e->is_fresh = true;
        s->grown = at < s->grown ? at : s->grown;
        list_grown(f, s);
        s->used = f->now;
        close_old(f, s);
        return fits ? OB_FOLD_ADDED : OB_FOLD_CLAMPED;
}

enum ob_fold_got ob_fold_add(
        struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m, bool is_counted)
{
        int64_t step = step_of(f, m->time);
        size_t at = place_of(s, step);

        if (!is_at(s, at, step) && (step <= s->closed || (s->n && step < entry_at(s, s->n - 1)->step - f->keep)))
                return OB_FOLD_LATE;
        return add_at(f, s, at, step, (int)(m->time - step), m, is_counted);
}

/* A late metric means that the series has open steps, or had steps that were closed. */
enum ob_fold_got ob_fold_add_late(struct ob_fold *f, struct ob_fold_series *s, const struct ob_metric *m)
{
        return add_at(f, s, 0, s->n ? entry_at(s, 0)->step : s->closed + f->step, 0, m, false);
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
        return at < there->n && entry_at(there, at)->step == step ? entry_at(there, at) : NULL;
}

/* Emits the steps that grew. True when a step has to wait until it closes. */
static bool flush_series(struct ob_fold *f, struct ob_fold_series *s, const struct ob_fold *newer)
{
        bool waits = false;

        for (size_t i = s->grown; i < s->n; i++) {
                struct entry *e = entry_at(s, i);
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

static void close_ended(struct ob_fold *f, struct ob_fold_series *s, int64_t upto, bool also_fresh)
{
        while (s->n && entry_at(s, 0)->step + f->step <= upto && (also_fresh || !entry_at(s, 0)->is_fresh))
                close_first(f, s);
        for (size_t i = 0; i < s->n; i++)
                entry_at(s, i)->is_fresh = false;
}

/* A step that is open has grown since its last emit, so `grown` lists its series. */
void ob_fold_close_ended(struct ob_fold *f, int64_t upto, bool also_fresh)
{
        size_t open = 0;

        for (size_t i = 0; i < f->n_grown; i++) {
                struct ob_fold_series *s = f->grown[i];

                close_ended(f, s, upto, also_fresh);
                s->is_listed = s->n > 0;
                if (s->is_listed)
                        f->grown[open++] = s;
        }
        f->n_grown = open;
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
        s->closed = entry_at(s, s->n - 1)->step;
        free(s->ring);
        s->ring = NULL;
        s->first = s->n = s->room = s->grown = 0;
}

void ob_fold_forget_idle(struct ob_fold *f, int64_t passed, int64_t closes, int64_t removes)
{
        struct ob_fold_series *s, *next;

        f->now += passed;
        HASH_ITER (hh, f->series, s, next) {
                if (s->is_listed || s->used >= f->now - closes)
                        continue;
                close_all(s);
                if (s->closed == NO_STEP || (removes && s->used < f->now - removes))
                        free_series(f, s);
        }
}

/* A series with counted points has grown, so `grown` lists the series. */
int64_t ob_fold_points(const struct ob_fold *f)
{
        int64_t points = 0;

        for (size_t i = 0; i < f->n_grown; i++)
                for (size_t j = 0; j < f->grown[i]->n; j++)
                        points += entry_at(f->grown[i], j)->points;
        return points;
}

void ob_fold_settle(struct ob_fold *f)
{
        for (size_t i = 0; i < f->n_grown; i++)
                for (size_t j = 0; j < f->grown[i]->n; j++)
                        entry_at(f->grown[i], j)->points = 0;
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
                ob_bytes_add_signed(out, s->used);
                ob_bytes_add_signed(out, s->closed);
                ob_bytes_add_unsigned(out, s->n);
                for (size_t i = 0; i < s->n; i++) {
                        const struct entry *e = entry_at(s, i);

                        ob_bytes_add_signed(out, e->step);
                        ob_bytes_add_signed(out, e->newest);
                        ob_bytes_add_value(out, value_of(e));
                        ob_bytes_add_unsigned(out, e->grew);
                        ob_bytes_add_unsigned(out, e->points);
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
        e->is_fresh = true;
        e->points = points & POINTS_MAX;
        return true;
}

static bool read_series(struct ob_fold *f, struct ob_bytes_reader *p, uint64_t version)
{
        struct ob_fold_series *s;
        struct entry e;
        const char *path;
        int64_t used, closed = NO_STEP;
        uint64_t n;

        if (!ob_bytes_read_string(p, &path) || !ob_bytes_read_signed(p, &used) || used < 0 || used > USED_MOST ||
                (version > UNCLOSED && (!ob_bytes_read_signed(p, &closed) || closed < NO_STEP)) ||
                !ob_bytes_read_unsigned(p, &n) || n > (uint64_t)(p->end - p->at)) /* an entry is more than a byte */
                return false;
        s = ob_fold_find(f, path, strlen(path));
        s->used = used;
        f->now = used > f->now ? used : f->now;
        s->closed = closed;
        for (uint64_t i = 0; i < n; i++) {
                /* Steps must rise. */
                if (!read_entry(f, p, &e) || e.step <= (s->n ? entry_at(s, s->n - 1)->step : NO_STEP))
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
        f->now = 0;
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
