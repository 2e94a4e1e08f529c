/*
 * StatsD: a counter's datagram is not idempotent, so what was sent is never sent again unless the user
 * wants it so, or the kernel says that it was refused.
 *
 * The batch that is being sent is noted as `reached` before the first datagram and passed after the last.
 * After a crash that leaves one batch between the two, it is in doubt: "lose" passes it, "repeat" sends it
 * again. After a clean stop there is none: the carry is which of its points comes next.
 *
 * A total is a gauge and may be told as often as we like: with each batch that changes it, and all of them at the
 * start, when there is a wire again, and in rounds of a minute. Where only totals are sent nothing is in doubt.
 */
#include <stdlib.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/sink/datagrams.h"
#include "agent/sink/sink.h"
#include "agent/sink/totals.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/statsd.h"

#define LINE_MAX_BYTES 8192
#define ROUND_MS       60000 /* in which each total is told again */
#define SLICE          15    /* datagrams of such a round at a time: batches go in between */

/* The totals, told again, a slice at a time. */
struct round {
        struct ob_datagrams out;
        const struct ob_total *told; /* the last one; NULL: it begins */
        int64_t due;                 /* the next slice, ob_clock_ms() */
        bool is_hurried;             /* one slice after the other: they may know nothing yet */
};

struct statsd {
        struct ob_stored_batch batch;
        bool is_loaded;
        uint64_t skip;            /* points of the next batch that an earlier run has sent */
        int64_t brought;          /* points of the loaded one that are to be sent by this one */
        struct ob_datagrams out;  /* the batch */
        struct ob_totals *totals; /* NULL: counters alone */
        struct round round;
        struct ob_tell too_long;
        void (*encode)(struct ob_text *out, const char *prefix, const struct ob_metric *m);
};

/* What may be sent twice can't be in doubt. */
static bool is_idempotent(const struct ob_sink *s)
{
        return s->settings->counters == OB_COUNTERS_GAUGE;
}

static int stage_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;

        return st->totals ? ob_totals_stage(st->totals, s->store, err) : 0;
}

static int commit(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;

        if (ob_sink_commit(s, err))
                return -1;
        if (st->totals)
                ob_totals_staged(st->totals);
        return 0;
}

/* The batch that a crash has left between `mark` and `reached`. */
static int settle_doubt(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;
        bool is_lost = s->settings->after_crash == OB_AFTER_CRASH_LOSE;
        int64_t points, behind, bytes;

        if (s->passed.reached <= s->passed.mark || is_idempotent(s)) {
                s->passed.reached = s->passed.mark;
                return 0;
        }
        if (ob_store_sum_batches(s->store, s->passed.mark, &points, &bytes, err) ||
                ob_store_sum_batches(s->store, s->passed.reached, &behind, &bytes, err))
                return -1;
        points -= behind + (int64_t)st->skip;
        ob_log(OB_LOG_WARN, "sink=%s event=in_doubt points=%lld after_crash=%s", s->settings->name,
                (long long)points, is_lost ? "lose" : "repeat");
        s->counters->uncertain = points;
        if (is_lost) {
                s->counters->points += points;
                ob_sink_lose(s, OB_LOSS_WIRE, points, "");
                s->passed.mark = s->passed.reached;
                s->passed.carry.length = 0;
                st->skip = 0;
        }
        s->passed.reached = s->passed.mark;
        return commit(s, err);
}

static int open_totals(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;
        enum ob_totals_by by = s->settings->flavor == OB_FLAVOR_DOGSTATSD ? OB_BY_TAGS
                               : s->settings->path == OB_PATH_NAMES       ? OB_BY_NODES
                                                                          : OB_BY_IDENTITY;
        int got;

        if (s->settings->counters == OB_COUNTERS_COUNTER)
                return ob_totals_forget(s->store, s->settings->name, err);
        got = ob_totals_open(&st->totals, s->store, s->settings->name, by, s->passed.mark, err);
        if (got)
                return got < 0 ? -1 : 0;
        ob_log(OB_LOG_INFO,
                "sink=%s event=totals_begin why=\"the store has none of this sink that go by the same names\"",
                s->settings->name);
        return commit(s, err);
}

static int start_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = ob_alloc(1, sizeof(*st));
        struct ob_bytes_place carry = { s->passed.carry.data, s->passed.carry.data + s->passed.carry.length };

        s->state = st;
        st->encode = s->settings->flavor == OB_FLAVOR_DOGSTATSD ? ob_statsd_dog
                     : s->settings->path == OB_PATH_NAMES       ? ob_statsd_plain_by_nodes
                                                                : ob_statsd_plain;
        st->round.is_hurried = true;
        if (s->passed.carry.length)
                ob_bytes_read_unsigned(&carry, &st->skip);
        if (settle_doubt(s, err) || open_totals(s, err))
                return -1;
        s->counters->points -= (int64_t)st->skip;
        s->counters->behind -= (int64_t)st->skip;
        return 0;
}

/* False when a line is too long to be sent. */
static bool add_metric(
        struct ob_sink *s, struct ob_datagrams *out, const struct ob_metric *m, unsigned points, unsigned place)
{
        struct statsd *st = s->state;
        size_t payload = (size_t)s->settings->payload;
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, payload);

        st->encode(&lines, s->prefix, m);
        if (!lines.too_long)
                ob_datagrams_add(out, &lines, payload, points, place);
        return !lines.too_long;
}

static bool add_total(struct ob_sink *s, struct ob_datagrams *out, const struct ob_total *total, unsigned place)
{
        struct ob_series series;
        struct ob_metric gauge = ob_total_gauge(total, &series);

        return add_metric(s, out, &gauge, 0, place);
}

/* A batch on its way into datagrams. */
struct encoding {
        struct ob_batch_reader reader;
        enum { NOT_YET, TOLD, TOO_LONG } totals[OB_BATCH_POINTS]; /* by series */
        unsigned done;                                            /* points */
};

/* Tells the total of a series, once a batch. False when it is too long to be sent. */
static bool encode_total(struct ob_sink *s, struct encoding *e, const struct ob_series *series, unsigned number)
{
        struct statsd *st = s->state;
        const struct ob_total *total;
        int64_t told;

        if (e->totals[number] != NOT_YET)
                return e->totals[number] == TOLD;
        /* It begins with the next point: the one it stands behind must not be sent again for its sake. */
        total = ob_totals_find(st->totals, series);
        e->totals[number] = total && add_total(s, &st->out, total, e->done + 1) ? TOLD : TOO_LONG;
        if (e->totals[number] == TOLD)
                return true;
        told = ob_tell(&st->too_long, 1);
        if (told)
                ob_log(OB_LOG_WARN, "sink=%s event=totals_too_long n=%lld first=%s", s->settings->name,
                        (long long)told, series->name);
        return false;
}

static void encode_point(struct ob_sink *s, struct encoding *e, const struct ob_metric *m, unsigned number)
{
        struct statsd *st = s->state;
        bool has_total = st->totals && ob_totals_has(m->series);

        if (m->series->telling != OB_TELL_ALL) {
                ob_sink_sent(s, 0, 1);
                return;
        }
        if (has_total && is_idempotent(s)) { /* it is part of its total, which a lost datagram does not lose */
                if (encode_total(s, e, m->series, number))
                        ob_sink_sent(s, 0, 1);
                else
                        ob_sink_lose(s, OB_LOSS_NAME, 1, m->series->name);
                return;
        }
        if (!add_metric(s, &st->out, m, 1, e->done))
                ob_sink_lose(s, OB_LOSS_NAME, 1, m->series->name);
        if (has_total)
                encode_total(s, e, m->series, number);
}

/* Makes datagrams of the loaded batch, but for the points that were sent before. */
static void encode_batch(struct ob_sink *s, struct statsd *st)
{
        struct encoding e = { .done = 0 };
        struct ob_metric m;
        unsigned series;
        int got = -1;

        ob_datagrams_start(&st->out);
        if (ob_batch_open(&e.reader, st->batch.body.data, st->batch.body.length))
                for (; (got = ob_batch_next(&e.reader, &m, &series)) == 1; e.done++)
                        if (e.done >= st->skip)
                                encode_point(s, &e, &m, series);
        ob_batch_close(&e.reader);
        if (e.done < st->skip)
                e.done = (unsigned)st->skip;
        if (got < 0)
                ob_sink_lose(s, OB_LOSS_DAMAGED, st->batch.points - e.done, "");
        st->brought = st->batch.points - (int64_t)st->skip;
        st->skip = 0;
        ob_datagrams_finish(&st->out);
}

/* Takes the next batch and says so to the store, which also learns that the one before is passed. */
static enum ob_step load(struct ob_sink *s, struct statsd *st, struct ob_err *err)
{
        int got = ob_store_next_batch(s->store, s->passed.mark, &st->batch, err);

        if (got < 0)
                return OB_STEP_FAILED;
        if (!got)
                return OB_STEP_IDLE;
        if (st->totals)
                ob_totals_add(st->totals, &st->batch);
        if (!is_idempotent(s) && s->passed.reached != st->batch.seq) {
                s->passed.reached = st->batch.seq;
                if (commit(s, err)) {
                        s->passed.reached = s->passed.mark;
                        return OB_STEP_FAILED;
                }
        }
        encode_batch(s, st);
        st->is_loaded = true;
        return OB_STEP_BUSY;
}

static void count_sent(struct ob_sink *s, struct statsd *st, size_t sent)
{
        for (size_t i = 0; i < sent; i++, st->out.next++) {
                unsigned points = st->out.brought[st->out.next].points;

                if (i + s->wire.doubted >= sent)
                        ob_sink_lose(s, OB_LOSS_WIRE, points, "");
                else
                        ob_sink_sent(s, points, 0);
        }
}

static void pass_batch(struct ob_sink *s, struct statsd *st)
{
        s->passed.mark = s->passed.reached = st->batch.seq;
        s->passed.carry.length = 0;
        s->counters->behind -= st->brought;
        st->is_loaded = false;
}

/* Milliseconds until the next slice. */
static int64_t pause_behind(const struct round *r, bool is_last, size_t told, size_t all)
{
        if (r->is_hurried && !is_last)
                return 0;
        return r->is_hurried || !all ? ROUND_MS : (int64_t)(ROUND_MS * told / all);
}

/* Tells the next totals of the round; the slices are spread over its time, unless it is hurried. */
static enum ob_step tell_again(struct ob_sink *s, struct statsd *st, struct ob_err *err)
{
        struct round *r = &st->round;
        size_t told = 0, sent, most = SLICE * (size_t)s->settings->payload, all = ob_totals_count(st->totals);
        const struct ob_total *next;

        ob_datagrams_start(&r->out);
        while ((next = ob_totals_next(st->totals, r->told)) && r->out.text.length < most) {
                add_total(s, &r->out, next, 0);
                r->told = next;
                told++;
        }
        ob_datagrams_finish(&r->out);
        if (s->wire.ops->send(&s->wire, r->out.pieces, r->out.n, &sent, err))
                return OB_STEP_FAILED;
        r->due = ob_clock_ms() + pause_behind(r, !next, told, all);
        if (!next) {
                r->told = NULL;
                r->is_hurried = false;
        }
        return OB_STEP_BUSY;
}

static enum ob_step step_statsd(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct statsd *st = s->state;
        enum ob_step did;
        size_t sent = 0;
        int result;

        if (ob_sink_need_wire(s, err))
                return OB_STEP_FAILED;
        if (st->totals && st->round.due <= ob_clock_ms())
                return tell_again(s, st, err);
        if (!st->is_loaded) {
                did = load(s, st, err);
                if (did == OB_STEP_IDLE && st->totals && st->round.due < *wake)
                        *wake = st->round.due;
                if (did != OB_STEP_BUSY)
                        return did;
        }
        result = s->wire.ops->send(&s->wire, st->out.pieces + st->out.next, st->out.n - st->out.next, &sent, err);
        count_sent(s, st, sent);
        if (result)
                return OB_STEP_FAILED;
        pass_batch(s, st);
        /* If this fails, what was sent is noted with the next batch, or is in doubt after a crash. */
        return commit(s, err) ? OB_STEP_FAILED : OB_STEP_BUSY;
}

/* What was not sent of the loaded batch is sent when there is a wire again; and all totals, at once. */
static void lost_wire_statsd(struct ob_sink *s)
{
        struct statsd *st = s->state;

        st->round.told = NULL;
        st->round.due = 0;
        st->round.is_hurried = true;
}

static int give_up_statsd(struct ob_sink *s, int64_t bytes, struct ob_err *err)
{
        struct statsd *st = s->state;

        while (bytes > 0) {
                enum ob_step did = st->is_loaded ? OB_STEP_BUSY : load(s, st, err);

                if (did != OB_STEP_BUSY)
                        return did == OB_STEP_FAILED ? -1 : 0;
                ob_sink_lose(s, OB_LOSS_QUEUE, ob_datagrams_points_left(&st->out), "");
                bytes -= (int64_t)st->batch.body.length;
                pass_batch(s, st);
        }
        return 0;
}

static int stop_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;
        const struct ob_datagrams *out = &st->out;

        s->passed.carry.length = 0;
        s->passed.reached = s->passed.mark;
        if (st->is_loaded) {
                s->counters->behind -= st->brought - ob_datagrams_points_left(out);
                ob_bytes_add_unsigned(
                        &s->passed.carry, out->next < out->n ? out->brought[out->next].first : st->batch.points);
        }
        return commit(s, err);
}

static void free_statsd(struct ob_sink *s)
{
        struct statsd *st = s->state;

        if (!st)
                return;
        ob_bytes_free(&st->batch.body);
        ob_datagrams_free(&st->out);
        ob_datagrams_free(&st->round.out);
        ob_totals_free(st->totals);
        free(st);
        s->state = NULL;
}

const struct ob_sink_ops ob_sink_statsd = {
        .start = start_statsd,
        .step = step_statsd,
        .stage = stage_statsd,
        .lost_wire = lost_wire_statsd,
        .give_up = give_up_statsd,
        .stop = stop_statsd,
        .free = free_statsd,
};
