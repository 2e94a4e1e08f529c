/*
 * Graphite: any point may be sent again, since carbon keeps the last value of a step. All values follow from the
 * batches alone, so two folds read the same queue:
 *
 *     acked, deleted │ tail … sent, `horizon` not over yet … head │ not sent yet
 *                  acked                                      sent_upto
 *
 * The head sends each step that a batch touches. `horizon` seconds after a batch was sent, the tail folds the
 * batch, resends its steps with the values of the head, and then acknowledges it. So a point that carbon lost from
 * its cache comes twice on one connection, or once more on a new one: the head rewinds to the tail when the
 * connection is lost, and while carbon still creates the files of new series. The tail's fold at `acked` is the
 * saved state; nothing else has to be kept, but for the totals, which have the number of their last batch.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/sink/create_budget.h"
#include "agent/sink/dry_run.h"
#include "agent/sink/fold.h"
#include "agent/sink/folding.h"
#include "agent/sink/graphite_append.h"
#include "agent/sink/resend_schedule.h"
#include "agent/sink/sink.h"
#include "agent/sink/step_totals.h"
#include "agent/sink/tcp_stream.h"
#include "proto/graphite.h"
#include "proto/memory.h"

#define OUT_ROOM     65536
#define POLL_MS      50    /* how often the sink checks whether sent bytes have arrived */
#define IDLE_SECONDS 86400 /* a series without points for so long is closed */

struct graphite {
        struct ob_tcp_stream stream;
        struct ob_fold *head, *tail;
        int64_t head_seq, tail_seq;
        struct ob_resend_schedule sent;
        struct ob_create_budget budget;
        int64_t furthest; /* batch: `budget` has the new series up to this one */
        struct ob_stored_batch batch;
        struct ob_folding folding; /* of the batch */
        struct ob_step_totals totals;
        size_t n_totals; /* that `budget` has */

        char *out_data; /* ours */
        struct ob_text out;
        unsigned lines, points; /* of the current batch: lines with counted points, and the points in them */
        bool is_counting;       /* false while steps are resent */
        bool is_dropping;       /* emitted values are lost */
        bool has_failed;
        struct ob_err why;

        bool is_passing; /* the tail has resent steps, which may not have arrived yet */
        int64_t pass_at; /* they have arrived when so many bytes of this connection have */
        int64_t forgot;  /* when idle series were last closed, on ob_clock_ms() */
};

static int send_lines(struct ob_sink *s, const char *lines, size_t length, struct ob_err *err)
{
        struct graphite *g = s->state;

        return s->is_dry ? ob_dry_run_print("graphite", lines, length, s->stop, err)
                         : ob_tcp_stream_send(&g->stream, lines, length, err);
}

static void send_out(struct ob_sink *s)
{
        struct graphite *g = s->state;

        if (g->out.length && !g->has_failed && send_lines(s, g->out.data, g->out.length, &g->why))
                g->has_failed = true;
        ob_text_reset(&g->out, 0);
}

static void emit(void *ctx, const struct ob_fold_value *v)
{
        struct ob_sink *s = ctx;
        struct graphite *g = s->state;
        size_t before = g->out.length;

        if (g->is_dropping) {
                ob_sink_lose(s, OB_LOSS_QUEUE, v->points, v->path);
                return;
        }
        ob_graphite_line(&g->out, v->path, v->length, v->value, v->step);
        if (g->out.too_long) {
                ob_text_reset(&g->out, before);
                send_out(s);
                ob_graphite_line(&g->out, v->path, v->length, v->value, v->step);
        }
        if (g->is_counting && v->points) {
                g->lines++;
                g->points += v->points;
        }
}

/* The saved state: the end of the create budget, the resend schedule, and the tail's fold at `acked`. */
static void write_parts(
        struct ob_bytes *out, int64_t creating, const struct ob_resend_schedule *sent, const struct ob_fold *tail)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes fold = { .length = 0 };

        out->length = 0;
        ob_bytes_add_unsigned(out, (uint64_t)creating);
        ob_resend_schedule_write(sent, out);
        ob_fold_write(tail, &fold);
        ob_bytes_add(out, fold.data, fold.length);
}

static const struct ob_resend_schedule nothing = { .n = 0 };

static void write_saved_state(struct ob_sink *s, bool is_clean)
{
        struct graphite *g = s->state;

        write_parts(&s->delivery.saved_state, is_clean ? ob_create_budget_save(&g->budget) : 0,
                is_clean ? &g->sent : &nothing, g->tail);
}

/* The fold in a saved state, which the caller frees; NULL when it does not fit the settings. */
static struct ob_fold *read_fold(const struct ob_sink_settings *s, const struct ob_bytes *saved, struct ob_err *err)
{
        struct ob_bytes_reader at = { saved->data, saved->data + saved->length }, parts;
        struct ob_resend_schedule ignored;
        uint64_t creating;

        if (ob_graphite_append_take_parts(&at, &parts)) {
                ob_fail(err,
                        "the receiver of sink %s was changed: start the agents with the new setting, stop them, and try again",
                        s->name);
                return NULL;
        }
        if (ob_bytes_read_unsigned(&at, &creating))
                ob_resend_schedule_read(&ignored, &at);
        return ob_folding_read(s, &at, err);
}

/*
 * With another queue the numbers in the schedule mean other batches: all batches after `acked` are sent again, as
 * after a crash.
 */
static int divide_graphite(const struct ob_sink_settings *s, const struct ob_sink_part *part,
        struct ob_delivery *delivery, struct ob_err *err)
{
        struct ob_fold *fold = read_fold(s, &delivery->saved_state, err);

        if (!fold)
                return -1;
        ob_fold_forget(fold, part->is_other, part->ctx);
        write_parts(&delivery->saved_state, 0, &nothing, fold);
        ob_fold_free(fold);
        return 0;
}

static int unite_graphite(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err)
{
        struct ob_fold *all = read_fold(s, saved, err), *one = all ? read_fold(s, more, err) : NULL;

        if (one) {
                ob_fold_unite(all, one);
                write_parts(saved, 0, &nothing, all);
        }
        ob_fold_free(all);
        ob_fold_free(one);
        return one ? 0 : -1;
}

/* Reads the saved state up to the fold, which `*saved_state` is moved to. Returns the end of the create budget. */
static int64_t read_saved_state(struct ob_sink *s, struct ob_bytes_reader *saved_state)
{
        struct graphite *g = s->state;
        struct ob_bytes_reader parts;
        uint64_t creating = 0;

        *saved_state = (struct ob_bytes_reader) { s->delivery.saved_state.data,
                s->delivery.saved_state.data + s->delivery.saved_state.length };
        ob_resend_schedule_clear(&g->sent);
        if (!ob_graphite_append_take_parts(saved_state, &parts) && ob_bytes_read_unsigned(saved_state, &creating))
                ob_resend_schedule_read(&g->sent, saved_state);
        return (int64_t)creating;
}

/* Sets both folds back to `acked`; later batches are sent again. */
static void rewind_to_acked(struct ob_sink *s)
{
        struct graphite *g = s->state;
        struct ob_bytes_reader saved_state;

        read_saved_state(s, &saved_state);
        ob_resend_schedule_clear(&g->sent);
        if (!ob_fold_read(g->tail, saved_state.at, (size_t)(saved_state.end - saved_state.at)))
                ob_log(OB_LOG_WARN,
                        "sink=%s event=fold_dropped why=\"the step was changed, or the store is damaged: "
                        "steps that were begun go on from nothing\"",
                        s->settings->name);
        ob_fold_assign(g->head, g->tail);
        g->totals.stamp = 0;
        g->head_seq = g->tail_seq = s->delivery.acked;
        g->has_failed = g->is_passing = false;
        g->lines = g->points = 0;
        ob_text_reset(&g->out, 0);
}

/* Only a clean stop saves what was sent, and when. */
static void read_clean_stop(struct ob_sink *s)
{
        struct graphite *g = s->state;
        struct ob_bytes_reader fold;

        ob_create_budget_restore(&g->budget, read_saved_state(s, &fold));
        g->furthest = g->sent.n ? s->delivery.sent_upto : s->delivery.acked;
}

static int stage_graphite(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;

        return g->totals.totals ? ob_totals_stage(g->totals.totals, s->store, err) : 0;
}

static int commit(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;

        if (ob_sink_commit(s, err))
                return -1;
        if (g->totals.totals)
                ob_totals_staged(g->totals.totals);
        return 0;
}

/* Carbon has created the files of totals that continue. */
static int open_totals(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;
        int got = ob_step_totals_open(&g->totals, s, err);

        if (got > 0 && g->totals.totals)
                g->n_totals = ob_totals_count(g->totals.totals);
        return got > 0 ? 0 : got < 0 ? -1 : commit(s, err);
}

static int start_graphite(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = ob_alloc(1, sizeof(*g));

        s->state = g;
        ob_tcp_stream_init(&g->stream, s->settings->host, s->settings->port, s->stop);
        g->stream.permit = s->permit;
        g->out_data = ob_alloc(1, OUT_ROOM);
        g->out = ob_text_over(g->out_data, OUT_ROOM);
        g->head = ob_fold_new(s->settings->step, s->keep, emit, s);
        g->tail = ob_fold_new(s->settings->step, s->keep, emit, s);
        g->forgot = ob_clock_ms();
        ob_create_budget_init(&g->budget, s->settings->creates);
        ob_resend_schedule_init(&g->sent, s->settings->horizon);
        rewind_to_acked(s);
        read_clean_stop(s);
        s->counters->points += ob_fold_points(g->tail);
        return open_totals(s, err);
}

/* The head has sent the dropped batches' points that the tail still held: they must not be counted again. */
static void settle_kept(struct ob_sink *s)
{
        struct graphite *g = s->state;

        if (!ob_fold_points(g->tail))
                return;
        ob_fold_settle(g->tail);
        write_saved_state(s, false);
}

static void add_batch(struct ob_sink *s, struct ob_fold *fold)
{
        struct graphite *g = s->state;

        ob_folding_add(s, &g->batch, fold, &g->folding);
        if (g->totals.totals)
                ob_totals_add(g->totals.totals, &g->batch);
}

/* Sends the steps that the next batch changes. */
static enum ob_step step_head(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;
        int got = ob_queue_next(s->queue, s->store, g->head_seq, &g->batch, err);
        unsigned known;

        if (got < 1)
                return got ? OB_STEP_FAILED : OB_STEP_IDLE;
        g->lines = g->points = 0;
        g->is_counting = true;
        known = ob_fold_count(g->head);
        add_batch(s, g->head);
        if (g->batch.seq > g->furthest) {
                ob_create_budget_add(&g->budget, ob_fold_count(g->head) - known);
                g->furthest = g->batch.seq;
        }
        ob_fold_flush(g->head, NULL);
        send_out(s);
        g->is_counting = false;
        if (g->has_failed) {
                *err = g->why;
                return OB_STEP_FAILED;
        }
        ob_sink_sent(s, g->lines, g->points - g->lines);
        ob_folding_count(s, &g->folding);
        settle_kept(s);
        g->head_seq = g->batch.seq;
        if (g->head_seq > s->delivery.sent_upto) {
                s->delivery.sent_upto = g->head_seq;
                s->counters->behind -= g->batch.points;
        }
        ob_resend_schedule_add(&g->sent, g->head_seq);
        return OB_STEP_BUSY;
}

/* Folds one batch into the tail, at most up to `last`. */
static enum ob_step fold_tail(struct ob_sink *s, int64_t last, struct ob_err *err)
{
        struct graphite *g = s->state;
        int got = ob_queue_next(s->queue, s->store, g->tail_seq, &g->batch, err);

        if (got < 0)
                return OB_STEP_FAILED;
        if (!got || g->batch.seq > last)
                return OB_STEP_IDLE;
        add_batch(s, g->tail);
        g->tail_seq = g->batch.seq;
        return OB_STEP_BUSY;
}

/* Resends the steps of the oldest part of the resend schedule. */
static enum ob_step step_tail(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;
        enum ob_step did;

        while ((did = fold_tail(s, g->sent.parts[0].seq, err)) == OB_STEP_BUSY && !g->has_failed)
                ob_fold_flush(g->tail, g->head);
        if (did == OB_STEP_FAILED)
                return did;
        send_out(s);
        if (g->has_failed) {
                *err = g->why;
                return OB_STEP_FAILED;
        }
        g->is_passing = true;
        g->pass_at = g->stream.sent;
        return OB_STEP_BUSY;
}

static void forget_idle(struct ob_sink *s)
{
        struct graphite *g = s->state;
        int64_t passed = ob_folding_passed(&g->forgot), max_age = s->settings->max_age;
        int64_t removes = max_age ? max_age + OB_CLOCK_STEP + s->settings->step : 0;

        if (!passed)
                return;
        ob_fold_forget_idle(g->tail, passed, IDLE_SECONDS, removes);
        ob_fold_forget_idle(g->head, passed, IDLE_SECONDS, removes);
}

/* Acknowledges the resent part, after the peer's kernel got it: bytes in our own are lost with the connection. */
static enum ob_step pass_tail(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;

        g->is_passing = false;
        ob_resend_schedule_drop_first(&g->sent);
        forget_idle(s);
        s->delivery.acked = g->tail_seq;
        write_saved_state(s, false);
        return commit(s, err) ? OB_STEP_FAILED : OB_STEP_BUSY;
}

static enum ob_step send_totals(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;
        size_t n = ob_totals_count(g->totals.totals);

        ob_create_budget_add(&g->budget, (unsigned)(n - g->n_totals));
        g->n_totals = n;
        ob_step_totals_emit(&g->totals, s, emit);
        send_out(s);
        if (!g->has_failed)
                return OB_STEP_BUSY;
        *err = g->why;
        return OB_STEP_FAILED;
}

/* A full queue is worse than points that carbon may have dropped. */
static bool must_wait_for_files(const struct ob_sink *s)
{
        const struct graphite *g = s->state;
        int64_t points, bytes;

        ob_queue_size(s->queue, &points, &bytes);
        return ob_create_budget_is_busy(&g->budget) && bytes < ob_queue_limit(s->queue) / 2;
}

static int64_t earliest(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static enum ob_step step_graphite(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct graphite *g = s->state;
        int64_t due;
        enum ob_step did;

        if (ob_sink_connect(s, err))
                return OB_STEP_FAILED;
        if (g->is_passing && g->stream.arrived >= g->pass_at)
                return pass_tail(s, err);
        due = must_wait_for_files(s) ? INT64_MAX : ob_resend_schedule_due(&g->sent, g->head_seq);
        if (g->is_passing)
                due = ob_clock_ms() + POLL_MS;
        else if (due <= ob_clock_ms())
                return step_tail(s, err);
        did = step_head(s, err);
        if (did == OB_STEP_IDLE && !ob_stop_is_wanted(s->stop) && ob_create_budget_is_due(&g->budget)) {
                rewind_to_acked(s);
                return OB_STEP_BUSY;
        }
        *wake = earliest(*wake, earliest(due, g->budget.resend_at));
        if (did == OB_STEP_IDLE && ob_step_totals_is_due(&g->totals, s, wake))
                return send_totals(s, err);
        return did;
}

static int connect_graphite(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;

        return ob_tcp_stream_connect(&g->stream, err);
}

static bool disconnect_graphite(struct ob_sink *s)
{
        struct graphite *g = s->state;
        bool was_open = g->stream.fd >= 0;

        ob_tcp_stream_abort(&g->stream);
        return was_open;
}

static int finish_graphite(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;

        return ob_tcp_stream_finish(&g->stream, err);
}

static int drop_oldest_graphite(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err)
{
        struct graphite *g = s->state;
        enum ob_step did = OB_STEP_BUSY;

        g->is_dropping = true; /* steps that close are lost; open steps are sent when carbon is back */
        while (bytes > 0 && (did = fold_tail(s, last, err)) == OB_STEP_BUSY) {
                bytes -= g->batch.bytes;
                ob_folding_count(s, &g->folding);
                if (g->tail_seq > s->delivery.sent_upto) {
                        s->delivery.sent_upto = g->tail_seq;
                        s->counters->behind -= g->batch.points;
                }
        }
        g->is_dropping = false;
        s->delivery.acked = g->tail_seq;
        write_saved_state(s, false);
        rewind_to_acked(s);
        return did == OB_STEP_FAILED ? -1 : 0;
}

static int stop_graphite(struct ob_sink *s, struct ob_err *err)
{
        struct graphite *g = s->state;
        bool is_clean = s->is_clean && !g->is_passing;

        if (!is_clean)
                rewind_to_acked(s);
        write_saved_state(s, is_clean);
        s->counters->behind += ob_fold_points(g->tail);
        return commit(s, err);
}

static void free_graphite(struct ob_sink *s)
{
        struct graphite *g = s->state;

        if (!g)
                return;
        ob_fold_free(g->head);
        ob_fold_free(g->tail);
        ob_step_totals_free(&g->totals);
        ob_stored_batch_free(&g->batch);
        free(g->out_data);
        free(g);
        s->state = NULL;
}

const struct ob_sink_ops ob_sink_graphite = {
        .start = start_graphite,
        .step = step_graphite,
        .stage = stage_graphite,
        .connect = connect_graphite,
        .disconnect = disconnect_graphite,
        .finish = finish_graphite,
        .rewind = rewind_to_acked,
        .drop_oldest = drop_oldest_graphite,
        .stop = stop_graphite,
        .free = free_graphite,
        .divide = divide_graphite,
        .unite = unite_graphite,
};
