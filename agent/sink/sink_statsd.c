/*
 * StatsD: a counter's datagram is not idempotent, so what was sent is never sent again unless the user
 * wants it so, or the kernel says that it was refused.
 *
 * The batch that is being sent is noted as `reached` before the first datagram and passed after the last.
 * After a crash that leaves one batch between the two, it is in doubt: "lose" passes it, "repeat" sends it
 * again. After a clean stop there is none: how many of its points were sent is the carry.
 */
#include <stdlib.h>

#include "agent/process/log.h"
#include "agent/sink/sink.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/statsd.h"

#define LINE_MAX_BYTES 8192

/* A batch as datagrams. */
struct statsd {
        struct ob_stored_batch batch;
        bool is_loaded;
        uint64_t skip;        /* points of the next batch that an earlier run has sent */
        struct ob_bytes text; /* all datagrams, one behind the other */
        struct iovec *pieces; /* ours */
        unsigned *points;     /* ours: in each piece */
        size_t n, next;       /* pieces, and the first that was not sent */
        size_t room_pieces, room_points;
        void (*encode)(struct ob_text *out, const char *prefix, const struct ob_metric *m);
};

static int start_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = ob_alloc(1, sizeof(*st));
        struct ob_bytes_place carry = { s->passed.carry.data, s->passed.carry.data + s->passed.carry.length };
        int64_t points, behind, bytes;

        s->state = st;
        st->encode = s->settings->flavor == OB_FLAVOR_DOGSTATSD ? ob_statsd_dog
                     : s->settings->path == OB_PATH_NAMES       ? ob_statsd_plain_by_nodes
                                                                : ob_statsd_plain;
        if (s->passed.carry.length)
                ob_bytes_read_unsigned(&carry, &st->skip);
        if (s->passed.reached <= s->passed.mark)
                return 0;
        if (ob_store_sum_batches(s->store, s->passed.mark, &points, &bytes, err) ||
                ob_store_sum_batches(s->store, s->passed.reached, &behind, &bytes, err))
                return -1;
        ob_log(OB_LOG_WARN, "sink=%s event=in_doubt points=%lld after_crash=%s", s->settings->name,
                (long long)(points - behind), s->settings->after_crash == OB_AFTER_CRASH_LOSE ? "lose" : "repeat");
        s->counters->uncertain = points - behind;
        if (s->settings->after_crash == OB_AFTER_CRASH_LOSE) {
                ob_sink_lose(s, OB_LOSS_WIRE, points - behind, "");
                s->passed.mark = s->passed.reached;
        }
        s->passed.reached = s->passed.mark;
        return ob_sink_commit(s, err);
}

/* Lines that belong together go into one datagram; a new one begins where they don't fit any more. */
static void add_lines(struct ob_sink *s, struct statsd *st, const struct ob_text *lines)
{
        struct iovec *last = st->n ? &st->pieces[st->n - 1] : NULL;

        if (!last || last->iov_len + lines->length > (size_t)s->settings->payload) {
                st->pieces = ob_grow(st->pieces, &st->room_pieces, st->n, sizeof(*st->pieces));
                st->points = ob_grow(st->points, &st->room_points, st->n, sizeof(*st->points));
                last = &st->pieces[st->n];
                *last = (struct iovec) { .iov_len = 0 };
                st->points[st->n++] = 0;
        }
        ob_bytes_add(&st->text, lines->data, lines->length);
        last->iov_len += lines->length;
        st->points[st->n - 1]++;
}

static void encode_metric(struct ob_sink *s, struct statsd *st, const struct ob_metric *m)
{
        char line[LINE_MAX_BYTES];
        struct ob_text lines = ob_text_over(line, (size_t)s->settings->payload);

        if (m->series->telling != OB_TELL_ALL) {
                ob_sink_sent(s, 0, 1);
                return;
        }
        st->encode(&lines, s->prefix, m);
        if (lines.too_long)
                ob_sink_lose(s, OB_LOSS_NAME, 1, m->series->name);
        else
                add_lines(s, st, &lines);
}

/* Makes datagrams of the loaded batch, but for the points that were sent before. */
static void encode_batch(struct ob_sink *s, struct statsd *st)
{
        struct ob_batch_reader reader;
        struct ob_metric m;
        unsigned series, done = 0;
        size_t offset = 0;
        int got = -1;

        st->text.length = st->n = st->next = 0;
        if (ob_batch_open(&reader, st->batch.body.data, st->batch.body.length))
                while ((got = ob_batch_next(&reader, &m, &series)) == 1)
                        if (done++ >= st->skip)
                                encode_metric(s, st, &m);
        ob_batch_close(&reader);
        if (got < 0)
                ob_sink_lose(s, OB_LOSS_DAMAGED, st->batch.points - done, "");
        st->skip = 0;
        for (size_t i = 0; i < st->n; i++) { /* the text has stopped moving */
                st->pieces[i].iov_base = st->text.data + offset;
                offset += st->pieces[i].iov_len;
        }
}

/* Takes the next batch and says so to the store, which also learns that the one before is passed. */
static enum ob_step load(struct ob_sink *s, struct statsd *st, struct ob_err *err)
{
        int got = ob_store_next_batch(s->store, s->passed.mark, &st->batch, err);

        if (got < 0)
                return OB_STEP_FAILED;
        if (!got)
                return OB_STEP_IDLE;
        if (s->settings->after_crash == OB_AFTER_CRASH_LOSE && s->passed.reached != st->batch.seq) {
                s->passed.reached = st->batch.seq;
                s->passed.carry.length = 0;
                if (ob_sink_commit(s, err)) {
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
        for (size_t i = 0; i < sent; i++, st->next++) {
                unsigned points = st->points[st->next];

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
        s->counters->behind -= st->batch.points;
        st->is_loaded = false;
}

static enum ob_step step_statsd(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct statsd *st = s->state;
        enum ob_step did;
        size_t sent = 0;
        int result;

        (void)wake;
        if (ob_sink_need_wire(s, err))
                return OB_STEP_FAILED;
        if (!st->is_loaded) {
                did = load(s, st, err);
                if (did != OB_STEP_BUSY)
                        return did;
        }
        result = s->wire.ops->send(&s->wire, st->pieces + st->next, st->n - st->next, &sent, err);
        count_sent(s, st, sent);
        if (result)
                return OB_STEP_FAILED;
        pass_batch(s, st);
        /* If this fails, what was sent is noted with the next batch, or is in doubt after a crash. */
        return ob_sink_commit(s, err) ? OB_STEP_FAILED : OB_STEP_BUSY;
}

static void lost_wire_statsd(struct ob_sink *s)
{
        (void)s; /* what was not sent of the loaded batch is sent when there is a wire again */
}

static int give_up_statsd(struct ob_sink *s, int64_t bytes, struct ob_err *err)
{
        struct statsd *st = s->state;

        while (bytes > 0) {
                enum ob_step did = st->is_loaded ? OB_STEP_BUSY : load(s, st, err);
                int64_t lost = 0;

                if (did != OB_STEP_BUSY)
                        return did == OB_STEP_FAILED ? -1 : 0;
                for (size_t i = st->next; i < st->n; i++)
                        lost += st->points[i];
                ob_sink_lose(s, OB_LOSS_QUEUE, lost, "");
                bytes -= (int64_t)st->batch.body.length;
                pass_batch(s, st);
        }
        return 0;
}

static int stop_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct statsd *st = s->state;
        uint64_t done = st->batch.points;

        s->passed.carry.length = 0;
        s->passed.reached = s->passed.mark;
        if (st->is_loaded) {
                for (size_t i = st->next; i < st->n; i++)
                        done -= st->points[i];
                ob_bytes_add_unsigned(&s->passed.carry, done);
        }
        return ob_sink_commit(s, err);
}

static void free_statsd(struct ob_sink *s)
{
        struct statsd *st = s->state;

        if (!st)
                return;
        ob_bytes_free(&st->batch.body);
        ob_bytes_free(&st->text);
        free(st->pieces);
        free(st->points);
        free(st);
        s->state = NULL;
}

const struct ob_sink_ops ob_sink_statsd = {
        .start = start_statsd,
        .step = step_statsd,
        .lost_wire = lost_wire_statsd,
        .give_up = give_up_statsd,
        .stop = stop_statsd,
        .free = free_statsd,
};
