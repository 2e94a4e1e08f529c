/*
 * StatsD: a counter's datagram is not idempotent, so nothing is sent twice unless the user wants that, or the
 * kernel says that the datagram was refused.
 *
 * `sent_upto` names a batch before its first datagram is sent; `acked` follows after the last one. While more
 * batches wait, one commit acks a batch and names the next one; when none waits, or sending fails, the ack is
 * committed at once. A crash in between leaves at most one batch in doubt: "lose" acks it, "repeat" sends it again.
 * After a clean stop nothing is in doubt: the saved state has the next place in the batch. Acknowledged batches are
 * deleted several at a time, because deleting adds about five pages to a commit.
 *
 * A total is a gauge and may be sent any number of times: with each batch that changes it; and all totals at the
 * start, on a new connection, and in every cycle of a minute. Where only totals are sent, nothing is in doubt.
 */
#include <stdlib.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/sink/dry_run.h"
#include "agent/sink/statsd.h"
#include "proto/memory.h"

#define CYCLE_MS  60000 /* all totals are sent once in this time */
#define KEPT_MOST 8     /* acknowledged batches that are not deleted while more batches wait */
#define SLICE     15    /* datagrams of totals at a time; batches are sent between two slices */

static int stage_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        return st->totals ? ob_totals_stage(st->totals, s->store, err) : 0;
}

static int commit_by(int (*commits)(struct ob_sink *s, struct ob_err *err), struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        if (commits(s, err))
                return -1;
        if (st->totals)
                ob_totals_staged(st->totals);
        return 0;
}

static int commit(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        if (commit_by(ob_sink_commit, s, err))
                return -1;
        st->kept = 0;
        return 0;
}

/* The saved state: which places of the next batch were sent, and what the next run needs to encode the same
 * datagrams. */
struct parts {
        uint64_t place, run;
        int64_t now;
        bool has_past;
};

static void write_parts(struct ob_bytes *out, const struct parts *p)
{
        out->length = 0;
        if (p->place || p->has_past)
                ob_bytes_add_unsigned(out, p->place);
        if (!p->has_past)
                return;
        ob_bytes_add_unsigned(out, p->run);
        ob_bytes_add_signed(out, p->now);
}

static void write_saved_state(struct ob_sink *s, uint64_t place)
{
        const struct ob_statsd *st = s->state;

        write_parts(&s->delivery.saved_state, &(struct parts) { place, st->past.run, st->past.now, st->past.fold });
}

static struct parts read_parts(const struct ob_bytes *saved)
{
        struct ob_bytes_reader at = { saved->data, saved->data + saved->length };
        struct parts p = { .place = 0 };

        p.has_past = saved->length && ob_bytes_read_unsigned(&at, &p.place) &&
                     ob_bytes_read_unsigned(&at, &p.run) && ob_bytes_read_signed(&at, &p.now);
        return p;
}

/* Only the first batch after `acked` can be in doubt or sent in part: its manager gets these facts. */
static int divide_statsd(const struct ob_sink_settings *s, const struct ob_sink_part *part,
        struct ob_delivery *delivery, struct ob_err *err)
{
        struct parts p = read_parts(&delivery->saved_state);

        (void)s;
        (void)err;
        if (part->has_next)
                return 0;
        delivery->sent_upto = delivery->acked;
        write_parts(&delivery->saved_state, &(struct parts) { 0, p.run, p.now, p.has_past });
        return 0;
}

/* `run` grows, so that no second of a step is used twice. */
static int unite_statsd(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err)
{
        struct parts all = read_parts(saved), one = read_parts(more);

        (void)s;
        (void)err;
        if (one.place || !all.has_past)
                all.now = one.now;
        all.place = one.place ? one.place : all.place;
        all.run = one.run > all.run ? one.run : all.run;
        all.has_past |= one.has_past;
        write_parts(saved, &all);
        return 0;
}

static bool has_begun_statsd(const struct ob_bytes *saved)
{
        return read_parts(saved).place;
}

static void read_saved_state(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;
        struct parts p = read_parts(&s->delivery.saved_state);

        st->skip = p.place;
        if (!p.has_past)
                return;
        st->past.run = p.run + 1;
        st->past.now = p.now;
}

/* Decides about the batch that a crash left between `acked` and `sent_upto`. */
static int settle_doubt(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;
        bool is_lost = s->settings->after_crash == OB_AFTER_CRASH_LOSE;
        int64_t points, behind, bytes;

        if (s->delivery.sent_upto <= s->delivery.acked || ob_statsd_is_idempotent(s)) {
                s->delivery.sent_upto = s->delivery.acked;
                return 0;
        }
        if (ob_store_sum_batches(s->store, s->delivery.acked, &points, &bytes, err) ||
                ob_store_sum_batches(s->store, s->delivery.sent_upto, &behind, &bytes, err))
                return -1;
        points -= behind;
        points -= (int64_t)st->skip < points ? (int64_t)st->skip : points;
        ob_log(OB_LOG_WARN, "sink=%s event=in_doubt points=%lld after_crash=%s", s->settings->name,
                (long long)points, is_lost ? "lose" : "repeat");
        s->counters->uncertain = points;
        if (is_lost) {
                s->counters->points += points;
                ob_sink_lose(s, OB_LOSS_WIRE, points, "");
                s->delivery.acked = s->delivery.sent_upto;
                st->skip = 0;
                write_saved_state(s, 0);
        }
        s->delivery.sent_upto = s->delivery.acked;
        return commit(s, err);
}

static int open_totals(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;
        enum ob_totals_by by = s->settings->flavor == OB_FLAVOR_DOGSTATSD ? OB_BY_TAGS
                               : s->settings->path == OB_PATH_NAMES       ? OB_BY_NODES
                                                                          : OB_BY_IDENTITY;
        int got = ob_totals_open_for(&st->totals, s, by, err);

        return got > 0 ? 0 : got < 0 ? -1 : commit(s, err);
}

static int start_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = ob_alloc(1, sizeof(*st));

        s->state = st;
        ob_datagram_socket_init(&st->socket, s->settings, s->stop);
        st->socket.permit = s->permit;
        st->round.is_hurried = true;
        ob_statsd_begin_encoding(s);
        read_saved_state(s);
        write_saved_state(s, st->skip);
        if (settle_doubt(s, err) || open_totals(s, err))
                return -1;
        return st->past.fold ? commit(s, err) : 0; /* the next run must get another number */
}

static int64_t done_with(const struct ob_sink *s)
{
        const struct ob_sink_counters *c = s->counters;

        return c->sent + c->folded + c->late + c->lost;
}

/* Makes datagrams of the loaded batch. Points that an earlier run sent do not count for this run. */
static void encode(struct ob_sink *s, struct ob_statsd *st)
{
        int64_t before = done_with(s);
        bool is_rest = st->skip;

        ob_statsd_encode(s);
        st->brought = st->batch.points;
        if (!is_rest)
                return;
        st->brought = done_with(s) - before + ob_datagrams_points_left(&st->out);
        s->counters->points -= st->batch.points - st->brought;
        s->counters->behind -= st->batch.points - st->brought;
}

/* One commit notes the loaded batch as `sent_upto` and the batch before as `acked`. */
static int announce(struct ob_sink *s, struct ob_statsd *st, struct ob_err *err)
{
        bool is_new = !ob_statsd_is_idempotent(s) && s->delivery.sent_upto != st->batch.seq;
        bool is_delete_due = st->kept >= KEPT_MOST;

        if (!is_new && !is_delete_due)
                return 0;
        if (is_new)
                s->delivery.sent_upto = st->batch.seq;
        if (!(is_delete_due ? commit(s, err) : commit_by(ob_sink_note, s, err)))
                return 0;
        s->delivery.sent_upto = s->delivery.acked;
        return -1;
}

static enum ob_step load(struct ob_sink *s, struct ob_statsd *st, struct ob_err *err)
{
        int got = ob_queue_next(s->queue, s->store, s->delivery.acked, &st->batch, err);

        if (got < 0)
                return OB_STEP_FAILED;
        if (!got)
                return OB_STEP_IDLE;
        if (st->totals)
                ob_totals_add(st->totals, &st->batch);
        if (announce(s, st, err))
                return OB_STEP_FAILED;
        if (!st->skip || !st->past.now)
                st->past.now = ob_clock_wall();
        encode(s, st);
        st->is_loaded = true;
        return OB_STEP_BUSY;
}

static int send_payloads(
        struct ob_sink *s, const struct iovec *payloads, size_t n, size_t *sent, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        if (!s->is_dry)
                return ob_datagram_socket_send(&st->socket, payloads, n, sent, err);
        for (*sent = 0; *sent < n; (*sent)++)
                if (ob_dry_run_print("statsd", payloads[*sent].iov_base, payloads[*sent].iov_len, s->stop, err))
                        return -1;
        return 0;
}

static void count_sent(struct ob_sink *s, struct ob_statsd *st, size_t sent)
{
        for (size_t i = 0; i < sent; i++, st->out.next++) {
                unsigned points = st->out.brought[st->out.next].points;

                if (i + st->socket.doubted >= sent)
                        ob_sink_lose(s, OB_LOSS_WIRE, points, "");
                else
                        ob_sink_sent(s, points, 0);
        }
}

static void pass_batch(struct ob_sink *s, struct ob_statsd *st)
{
        s->delivery.acked = s->delivery.sent_upto = st->batch.seq;
        write_saved_state(s, 0);
        s->counters->behind -= st->brought;
        st->is_loaded = false;
        st->kept++;
}

/* Milliseconds until the next slice. */
static int64_t pause_behind(const struct ob_statsd *st, bool is_last, size_t told, size_t all)
{
        if (st->round.is_hurried && !is_last)
                return 0;
        return st->round.is_hurried || !all ? CYCLE_MS : (int64_t)(CYCLE_MS * told / all);
}

/* Sends the next slice of totals. The slices are spread over the cycle, unless it is hurried. */
static enum ob_step tell_again(struct ob_sink *s, struct ob_statsd *st, struct ob_err *err)
{
        size_t told = 0, sent, most = SLICE * (size_t)s->settings->payload, all = ob_totals_count(st->totals);
        const struct ob_total *next;

        ob_datagrams_start(&st->round.out);
        while ((next = ob_totals_next(st->totals, st->round.told)) && st->round.out.text.length < most) {
                ob_statsd_add_total(s, &st->round.out, next, 0);
                st->round.told = next;
                told++;
        }
        ob_datagrams_finish(&st->round.out);
        if (send_payloads(s, st->round.out.pieces, st->round.out.n, &sent, err))
                return OB_STEP_FAILED;
        st->round.due = ob_clock_ms() + pause_behind(st, !next, told, all);
        if (!next) {
                st->round.told = NULL;
                st->round.is_hurried = false;
        }
        return OB_STEP_BUSY;
}

/* A cycle without totals ends at once: it cannot show whether the peer is there. */
static bool is_cycle_due(struct ob_statsd *st)
{
        if (!st->totals || st->round.due > ob_clock_ms())
                return false;
        if (ob_totals_count(st->totals))
                return true;
        st->round.due = ob_clock_ms() + CYCLE_MS;
        st->round.is_hurried = false;
        return false;
}

static enum ob_step send_next(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct ob_statsd *st = s->state;
        enum ob_step did;
        size_t sent = 0;
        int result;

        if (ob_sink_connect(s, err))
                return OB_STEP_FAILED;
        if (is_cycle_due(st))
                return tell_again(s, st, err);
        if (!st->is_loaded) {
                did = load(s, st, err);
                if (did == OB_STEP_IDLE && st->totals && st->round.due < *wake)
                        *wake = st->round.due;
                if (did != OB_STEP_BUSY)
                        return did;
        }
        result = send_payloads(s, st->out.pieces + st->out.next, st->out.n - st->out.next, &sent, err);
        count_sent(s, st, sent);
        if (result)
                return OB_STEP_FAILED;
        pass_batch(s, st);
        return OB_STEP_BUSY;
}

/* An ack that could not be committed waits for the next commit; after a crash the batch is in doubt. */
static enum ob_step step_statsd(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct ob_statsd *st = s->state;
        enum ob_step did = send_next(s, wake, err);
        struct ob_err ignored;

        if (did == OB_STEP_BUSY || !st->kept)
                return did;
        return commit(s, did == OB_STEP_FAILED ? &ignored : err) ? OB_STEP_FAILED : did;
}

/* On a new connection all totals are sent at once, then the unsent rest of the loaded batch. */
static void rewind_statsd(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;

        st->round.told = NULL;
        st->round.due = 0;
        st->round.is_hurried = true;
}

static int connect_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        return ob_datagram_socket_connect(&st->socket, err);
}

static bool disconnect_statsd(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;
        bool was_open = st->socket.fd >= 0;

        ob_datagram_socket_close(&st->socket);
        return was_open;
}

static int drop_oldest_statsd(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err)
{
        struct ob_statsd *st = s->state;

        while (bytes > 0 && s->delivery.acked < last) {
                enum ob_step did = st->is_loaded ? OB_STEP_BUSY : load(s, st, err);

                if (did != OB_STEP_BUSY)
                        return did == OB_STEP_FAILED ? -1 : 0;
                ob_sink_lose(s, OB_LOSS_QUEUE, ob_datagrams_points_left(&st->out), "");
                bytes -= st->batch.bytes;
                pass_batch(s, st);
        }
        return 0;
}

static int stop_statsd(struct ob_sink *s, struct ob_err *err)
{
        struct ob_statsd *st = s->state;
        const struct ob_datagrams *out = &st->out;

        s->delivery.sent_upto = s->delivery.acked;
        if (st->is_loaded) {
                s->counters->behind -= st->brought - ob_datagrams_points_left(out);
                write_saved_state(s, out->next < out->n ? out->brought[out->next].first : UINT32_MAX);
        }
        return commit(s, err);
}

static void free_statsd(struct ob_sink *s)
{
        struct ob_statsd *st = s->state;

        if (!st)
                return;
        ob_stored_batch_free(&st->batch);
        ob_datagrams_free(&st->out);
        ob_datagrams_free(&st->round.out);
        ob_totals_free(st->totals);
        ob_statsd_end_encoding(st);
        free(st);
        s->state = NULL;
}

const struct ob_sink_ops ob_sink_statsd = {
        .start = start_statsd,
        .step = step_statsd,
        .stage = stage_statsd,
        .connect = connect_statsd,
        .disconnect = disconnect_statsd,
        .rewind = rewind_statsd,
        .drop_oldest = drop_oldest_statsd,
        .stop = stop_statsd,
        .free = free_statsd,
        .divide = divide_statsd,
        .unite = unite_statsd,
        .has_begun = has_begun_statsd,
};
