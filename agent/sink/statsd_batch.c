#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/sink/folding.h"
#include "agent/sink/statsd.h"
#include "proto/batch.h"
#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/statsd.h"

#define LINE_MAX_BYTES OB_PAYLOAD_MAX
#define PATH_ROOM      4096
#define PAST_STEP      10 /* seconds that a DogStatsD server makes one value of */

/* The line of a series with the value 0. All lines of a series differ in the value only. */
struct line_template {
        bool is_known, is_too_long;
        size_t at;             /* in `templates` */
        unsigned head, length; /* bytes before the value; of the whole line */
};

/* The encoding of one batch. */
struct ob_statsd_encoding {
        struct ob_batch_reader reader;
        enum { NOT_YET, TOLD, TOO_LONG } totals[OB_BATCH_POINTS]; /* by series number */
        struct line_template lines[OB_BATCH_POINTS];              /* by series number */
        struct ob_bytes templates;                                /* ours */
        unsigned done;                                            /* points */

        /* Points of the past. The points of one series and step are a group, which becomes one line. Groups are in
         * the order of their first points. */
        struct past_point {
                struct ob_metric metric;
                struct past_point *next; /* in the group; or NULL */
        } past[OB_BATCH_POINTS];
        struct past_group {
                UT_hash_handle hh;
                struct past_step {
                        int64_t series, step; /* a hash key, so without padding */
                } key;
                struct past_point *first, *last;
        } groups[OB_BATCH_POINTS];
        struct past_group *by_step; /* ours: the hash table */
        unsigned n_past, n_groups;
        unsigned place; /* the next place after the points */
};

bool ob_statsd_is_idempotent(const struct ob_sink *s)
{
        return s->settings->counters == OB_COUNTERS_GAUGE;
}

static void encode_plain(struct ob_text *out, const struct ob_sink *s, const struct ob_metric *m)
{
        ob_statsd_plain(out, s->prefix, m);
}

static void encode_by_nodes(struct ob_text *out, const struct ob_sink *s, const struct ob_metric *m)
{
        ob_statsd_plain_by_nodes(out, s->prefix, m);
}

static void encode_dog(struct ob_text *out, const struct ob_sink *s, const struct ob_metric *m)
{
        const struct ob_statsd *st = s->state;

        ob_dog_metric(out, &st->dog, m);
}

/* Adds the lines of one place, unless an earlier run sent them. False when they are too long to be sent. */
static bool add_lines(struct ob_sink *s, const struct ob_text *lines, unsigned points, unsigned place)
{
        struct ob_statsd *st = s->state;

        if (lines->too_long)
                return false;
        if (place >= st->skip && lines->length)
                ob_datagrams_add(&st->out, lines, (size_t)s->settings->payload, points, place);
        return true;
}

/* Adds the line of a step of the past. */
static void emit_past(void *ctx, const struct ob_fold_value *v)
{
        struct ob_sink *s = ctx;
        struct ob_statsd *st = s->state;
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);
        int64_t second = 1 + (int64_t)(st->past.run % (PAST_STEP - 1));

        ob_dog_stamped(&lines, &st->dog, v->path, v->length, v->value, v->step + second);
        if (!add_lines(s, &lines, v->points, st->encoding->place))
                ob_sink_lose(s, OB_LOSS_NAME, v->points, "");
}

void ob_statsd_begin_encoding(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;
        const struct ob_sink_settings *set = s->settings;

        st->encoding = ob_alloc(1, sizeof(*st->encoding));
        st->encode = set->path == OB_PATH_NAMES ? encode_by_nodes : encode_plain;
        if (set->flavor != OB_FLAVOR_DOGSTATSD)
                return;
        st->encode = encode_dog;
        ob_origin_find(set->container, st->origin);
        st->dog = (struct ob_dog) { s->prefix, set->tags, set->n_tags, st->origin };
        if (set->backlog) {
                st->past.fold = ob_fold_new(PAST_STEP, s->keep - OB_CLOCK_STEP, emit_past, s);
                st->past.forgot = ob_clock_ms();
        }
}

void ob_statsd_end_encoding(struct ob_statsd *st)
{
        ob_fold_free(st->past.fold);
        ob_bytes_free(&st->encoding->templates);
        free(st->encoding);
}

bool ob_statsd_add_total(struct ob_sink *s, struct ob_datagrams *out, const struct ob_total *total, unsigned place)
{
        struct ob_statsd *st = s->state;
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);
        struct ob_series series;
        struct ob_metric gauge = ob_total_gauge(total, &series);

        st->encode(&lines, s, &gauge);
        if (!lines.too_long)
                ob_datagrams_add(out, &lines, (size_t)s->settings->payload, 0, place);
        return !lines.too_long;
}

/* Adds the total of a series, once a batch. False when its line is too long to be sent. */
static bool encode_total(
        struct ob_sink *s, struct ob_statsd_encoding *e, const struct ob_series *series, unsigned number)
{
        struct ob_statsd *st = s->state;
        const struct ob_total *total;
        int64_t told;

        if (e->totals[number] != NOT_YET)
                return e->totals[number] == TOLD;
        /* The total gets the next place: a resend of the total must not repeat the point before it. */
        total = ob_totals_find(st->totals, series);
        e->totals[number] = total && ob_statsd_add_total(s, &st->out, total, e->done + 1) ? TOLD : TOO_LONG;
        if (e->totals[number] == TOLD)
                return true;
        told = ob_log_once(&st->too_long, 1);
        if (told)
                ob_log(OB_LOG_WARN, "sink=%s event=totals_too_long n=%lld first=%s", s->settings->name,
                        (long long)told, series->name);
        return false;
}

static bool is_past(const struct ob_sink *s, const struct ob_metric *m)
{
        const struct ob_statsd *st = s->state;

        return st->past.fold && m->time > 0 && m->time < st->past.now - s->settings->backlog;
}

/* No name has a colon, so the first colon of the line is the one before the value. */
static void make_template(
        struct ob_sink *s, struct ob_statsd_encoding *e, const struct ob_series *series, struct line_template *made)
{
        struct ob_statsd *st = s->state;
        char line[LINE_MAX_BYTES];
        struct ob_text text = ob_text_over(line, (size_t)s->settings->payload);
        const char *colon;

        st->encode(&text, s, &(struct ob_metric) { .series = series });
        *made = (struct line_template) { .is_known = true, .is_too_long = text.too_long };
        if (text.too_long)
                return;
        colon = memchr(line, ':', text.length);
        assert(colon);
        made->at = e->templates.length;
        made->head = (unsigned)(colon + 1 - line);
        made->length = (unsigned)text.length;
        ob_bytes_add(&e->templates, line, text.length);
}

static void fill_template(struct ob_text *out, const struct ob_statsd_encoding *e, const struct line_template *from,
        struct ob_metric_value value)
{
        const char *line = (const char *)e->templates.data + from->at;

        ob_text_add(out, line, from->head);
        ob_text_add_number(out, value);
        ob_text_add(out, line + from->head + 1, from->length - from->head - 1);
}

static void encode_metric(
        struct ob_sink *s, struct ob_statsd_encoding *e, const struct ob_metric *m, unsigned number)
{
        struct ob_statsd *st = s->state;
        struct line_template *from = &e->lines[number];
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);

        if (!from->is_known)
                make_template(s, e, m->series, from);
        if (from->is_too_long || ob_number_is_negative(m->value)) /* a negative gauge may be two lines */
                st->encode(&lines, s, m);
        else
                fill_template(&lines, e, from, m->value);
        if (!add_lines(s, &lines, 1, e->done))
                ob_sink_lose(s, OB_LOSS_NAME, 1, m->series->name);
}

static void note_past(struct ob_statsd_encoding *e, const struct ob_metric *m, unsigned series)
{
        struct past_point *p = &e->past[e->n_past++];
        struct past_group *made = &e->groups[e->n_groups], *g;

        *p = (struct past_point) { .metric = *m };
        *made = (struct past_group) { .key = { series, m->time - m->time % PAST_STEP }, .first = p, .last = p };
        HASH_FIND(hh, e->by_step, &made->key, sizeof(made->key), g);
        if (g) {
                g->last = g->last->next = p;
                return;
        }
        e->n_groups++;
        HASH_ADD(hh, e->by_step, key, sizeof(made->key), made);
}

/* Points that were sent are not encoded again, but points of the past are noted: their group needs them. */
static void encode_point(
        struct ob_sink *s, struct ob_statsd_encoding *e, const struct ob_metric *m, unsigned number)
{
        struct ob_statsd *st = s->state;
        bool has_total = st->totals && ob_totals_has(m->series), is_new = e->done >= st->skip;
        bool is_all_in_total = has_total && ob_statsd_is_idempotent(s),
             is_told = m->series->deliver_to == OB_TO_ALL;

        if (is_told && !is_all_in_total && is_past(s, m))
                note_past(e, m, number);
        else if (is_told && !is_all_in_total && is_new)
                encode_metric(s, e, m, number);
        if (!is_new)
                return;
        if (!is_told || (is_all_in_total && encode_total(s, e, m->series, number))) /* a lost total is sent again */
                ob_sink_sent(s, 0, 1);
        else if (is_all_in_total)
                ob_sink_lose(s, OB_LOSS_NAME, 1, m->series->name);
        else if (has_total)
                encode_total(s, e, m->series, number);
}

/* The fold has forgotten the step, and a new total would overwrite the old one. So a counter counts at the present
 * time; a gauge is too late. */
static void encode_stragglers(struct ob_sink *s, struct ob_metric *sum, unsigned points)
{
        struct ob_statsd *st = s->state;
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);

        if (sum->series->kind != OB_COUNTER) {
                ob_sink_lose(s, OB_LOSS_LATE, points, sum->series->name);
                return;
        }
        st->encode(&lines, s, sum);
        if (!add_lines(s, &lines, points, st->encoding->place))
                ob_sink_lose(s, OB_LOSS_NAME, points, sum->series->name);
}

/* Folds the points of one group, and adds one line for the step that grew. */
static void encode_group(struct ob_sink *s, const struct past_group *group)
{
        struct ob_statsd *st = s->state;
        struct ob_metric sum = { .series = NULL };
        char room[PATH_ROOM];
        struct ob_text path = ob_text_over(room, sizeof(room));
        unsigned points = 0, late = 0;
        bool is_clamped = false;
        int64_t total = 0; /* gauges do not use the total */

        for (const struct past_point *p = group->first; p; p = p->next) {
                const struct ob_metric *m = &p->metric;
                enum ob_fold_got got;

                if (!points++)
                        ob_dog_path(&path, &st->dog, m->series);
                is_clamped |= !ob_number_add(&total, ob_number_whole(m->value));
                sum = (struct ob_metric) { m->series, m->time, ob_whole(total) };
                if (path.too_long)
                        continue;
                got = ob_fold_add(st->past.fold, ob_fold_find(st->past.fold, room, path.length), m, true);
                late += got == OB_FOLD_LATE;
                is_clamped |= got == OB_FOLD_CLAMPED;
        }
        assert(sum.series); /* a group has at least one point */
        if (is_clamped && sum.series->kind == OB_COUNTER)
                ob_sink_log_clamped(&s->clamped, s->settings->name, s->prefix, sum.series);
        if (path.too_long)
                ob_sink_lose(s, OB_LOSS_NAME, points, sum.series->name);
        else if (late)
                encode_stragglers(s, &sum, points);
        else
                ob_fold_flush(st->past.fold, NULL);
}

static void encode_past(struct ob_sink *s, struct ob_statsd_encoding *e)
{
        struct ob_statsd *st = s->state;
        int64_t passed;

        e->place = st->batch.points;
        for (unsigned group = 0; group < e->n_groups; group++, e->place++)
                if (e->place >= st->skip)
                        encode_group(s, &e->groups[group]);
        passed = st->past.fold ? ob_folding_passed(&st->past.forgot) : 0;
        if (passed)
                ob_fold_forget_idle(st->past.fold, passed, s->keep, 0);
}

static void encode_event(struct ob_sink *s, struct ob_statsd_encoding *e, const struct ob_event *event)
{
        struct ob_statsd *st = s->state;
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);
        unsigned place = e->place++;

        if (s->settings->flavor != OB_FLAVOR_DOGSTATSD) {
                ob_sink_sent(s, 0, 1);
                return;
        }
        ob_dog_check(&lines, &st->dog, event);
        if (!add_lines(s, &lines, *event->title ? 0 : 1, place) && !*event->title)
                ob_sink_lose(s, OB_LOSS_NAME, 1, event->check);
        ob_text_reset(&lines, 0);
        ob_dog_event(&lines, &st->dog, event);
        if (!add_lines(s, &lines, 1, place) && *event->title)
                ob_sink_lose(s, OB_LOSS_NAME, 1, event->kind);
}

/* Opens the loaded batch. False: it is corrupt. */
static bool begin_batch(struct ob_statsd *st)
{
        struct ob_statsd_encoding *e = st->encoding;
        bool is_open = ob_stored_batch_open(&st->batch, &e->reader);

        memset(e->totals, 0, e->reader.n_series * sizeof(*e->totals));
        memset(e->lines, 0, e->reader.n_series * sizeof(*e->lines));
        e->templates.length = 0;
        e->done = e->n_past = e->n_groups = 0;
        ob_datagrams_start(&st->out);
        return is_open;
}

void ob_statsd_encode(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;
        struct ob_statsd_encoding *e = st->encoding;
        struct ob_event event;
        struct ob_metric m;
        unsigned series;
        int got = -1;

        if (begin_batch(st))
                for (; (got = ob_batch_next(&e->reader, &m, &series)) == 1; e->done++)
                        encode_point(s, e, &m, series);
        encode_past(s, e);
        while (!got && ob_batch_next_event(&e->reader, &event) == 1) {
                encode_event(s, e, &event);
                e->done++;
        }
        HASH_CLEAR(hh, e->by_step);
        ob_batch_close(&e->reader);
        if (got < 0)
                ob_sink_lose(s, OB_LOSS_CORRUPT, st->batch.points - e->done, "");
        st->skip = 0;
        ob_datagrams_finish(&st->out);
}
