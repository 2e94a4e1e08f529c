/*
 * Graphite with receiver = "append": a store that keeps each sample, so that a value which is sent twice counts
 * twice. So each step is sent once, after it was closed, and its value never changes:
 *
 *     queue ─▶ fold: steps that may still grow ─▶ parts: lines of closed steps ─▶ sent ─▶ arrived
 *
 * Before a part is sent, the fold and all parts are committed as the saved state. So a crash or a lost connection
 * leaves at most one part in doubt, and this part is saved: "lose" drops the part; "repeat" sends the same bytes
 * again. With "repeat", a part is kept until `horizon` seconds after it was sent, and a new connection gets all
 * parts once more: the receiver, which keeps one of several equal samples, may have lost them with its memory.
 *
 * A step is closed `hold` seconds after its end, but not while it grows, as after a long stop of the agent. What
 * comes later counts in the oldest open step of its series.
 */
#include "agent/sink/graphite_append.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/sink/dry_run.h"
#include "agent/sink/fold.h"
#include "agent/sink/folding.h"
#include "agent/sink/resend_schedule.h"
#include "agent/sink/sink.h"
#include "agent/sink/step_totals.h"
#include "agent/sink/tcp_stream.h"
#include "proto/graphite.h"
#include "proto/memory.h"

#define APPENDED     1      /* the mark of this saved state: a state of graphite.c begins with 0 or a time */
#define POLL_MS      50     /* how often the sink checks whether sent bytes have arrived */
#define CLOSE_MS     15000  /* the longest time between two looks for steps to close */
#define PART_MOST    262144 /* bytes: a longer part is sent before more steps are closed */
#define PARTS_MOST   2      /* unsent parts; with more, no more batches are folded */
#define IDLE_SECONDS 86400  /* a series without points for so long may be forgotten */

struct part {
        struct ob_bytes lines;  /* ours */
        int64_t at;             /* when the part was last sent, on ob_clock_wall() */
        unsigned steps, points; /* lines with counted points, and the points in them, until they count as sent */
};

struct appending {
        struct ob_tcp_stream stream;
        struct ob_fold *fold;
        int64_t head_seq; /* the last batch in the fold */
        struct ob_stored_batch batch;
        struct ob_folding folding; /* of the batch */
        bool is_dropping;          /* emitted steps are lost */
        struct ob_step_totals totals;

        struct part made;   /* the lines of the steps that were closed since the last part */
        struct part *parts; /* ours, in the order in which they are sent */
        size_t n_parts, room;
        size_t next;     /* the first part that is not known to have arrived on this connection */
        bool is_sending; /* the part `next` is on its way */
        int64_t begun;   /* how many bytes of this connection were sent before that part */
        int64_t pass_at; /* the part has arrived when so many bytes of this connection have */
        bool is_changed; /* since the last commit */

        int64_t close_at; /* when to look for steps to close, on ob_clock_ms() */
        bool has_ended;   /* the last steps of this run were closed */
        uint64_t seen;    /* news of the queue */
        int64_t forgot;   /* when idle series were last removed, on ob_clock_ms() */
};

static bool is_repeating(const struct ob_sink *s)
{
        return s->settings->after_crash == OB_AFTER_CRASH_REPEAT;
}

static void emit(void *ctx, const struct ob_fold_value *v)
{
        struct ob_sink *s = ctx;
        struct appending *a = s->state;
        char room[OB_GRAPHITE_LINE_MAX];
        struct ob_text line = ob_text_over(room, sizeof(room));

        if (a->is_dropping) {
                ob_sink_lose(s, OB_LOSS_QUEUE, v->points, v->path);
                return;
        }
        ob_graphite_line(&line, v->path, v->length, v->value, v->step);
        ob_bytes_add(&a->made.lines, line.data, line.length);
        a->made.steps += v->points > 0;
        a->made.points += v->points;
}

/* Makes a part of the lines that are there. */
static void seal(struct appending *a)
{
        if (!a->made.lines.length)
                return;
        a->parts = ob_grow(a->parts, &a->room, a->n_parts, sizeof(*a->parts));
        a->parts[a->n_parts++] = a->made;
        a->made = (struct part) { .at = 0 };
        a->is_changed = true;
}

static void drop_part(struct appending *a, size_t part)
{
        ob_bytes_free(&a->parts[part].lines);
        a->n_parts--;
        memmove(a->parts + part, a->parts + part + 1, (a->n_parts - part) * sizeof(*a->parts));
        a->next -= a->next > part;
        a->is_changed = true;
}

/* The points that came in and are not counted as sent, late or lost. */
static int64_t held_points(const struct appending *a)
{
        int64_t points = ob_fold_points(a->fold) + a->made.points;

        for (size_t i = 0; i < a->n_parts; i++)
                points += a->parts[i].points;
        return points;
}

/* Milliseconds between two looks for steps to close, in which such a step must not have grown. */
static int64_t close_ms(const struct ob_sink *s)
{
        int64_t quarter = s->settings->hold * INT64_C(250);

        return quarter < CLOSE_MS ? quarter : CLOSE_MS;
}

/*
 * The saved state: a mark; the last step that got totals, the parts, and the number of the one that is on its way
 * (0: none is); the fold at `acked`.
 */
static void write_state(struct ob_bytes *out, const struct ob_bytes *parts, const struct ob_fold *fold)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes bytes = { .length = 0 };

        ob_fold_write(fold, &bytes);
        out->length = 0;
        ob_bytes_add_unsigned(out, APPENDED);
        ob_bytes_add_unsigned(out, parts->length);
        ob_bytes_add(out, parts->data, parts->length);
        ob_bytes_add(out, bytes.data, bytes.length);
}

static void write_saved_state(struct ob_sink *s)
{
        struct appending *a = s->state;
        ob_cleanup(ob_bytes_free) struct ob_bytes parts = { .length = 0 };
        struct ob_bytes *out = &s->delivery.saved_state;

        ob_bytes_add_signed(&parts, a->totals.stamp);
        ob_bytes_add_unsigned(&parts, a->is_sending ? a->next + 1 : 0);
        ob_bytes_add_unsigned(&parts, a->n_parts);
        for (size_t i = 0; i < a->n_parts; i++) {
                const struct part *p = &a->parts[i];

                ob_bytes_add_signed(&parts, p->at);
                ob_bytes_add_unsigned(&parts, p->steps);
                ob_bytes_add_unsigned(&parts, p->points);
                ob_bytes_add_unsigned(&parts, p->lines.length);
                ob_bytes_add(&parts, p->lines.data, p->lines.length);
        }
        write_state(out, &parts, a->fold);
}

/* Moves `acked` to the fold, which is complete: all steps that it emitted are in parts. */
static void acknowledge(struct ob_sink *s)
{
        struct appending *a = s->state;

        seal(a);
        s->delivery.acked = s->delivery.sent_upto = a->head_seq;
        write_saved_state(s);
}

static int stage_append(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;

        return a->totals.totals ? ob_totals_stage(a->totals.totals, s->store, err) : 0;
}

static int save(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;

        acknowledge(s);
        if (ob_sink_commit(s, err))
                return -1;
        if (a->totals.totals)
                ob_totals_staged(a->totals.totals);
        a->is_changed = false;
        return 0;
}

static bool read_part(struct ob_bytes_reader *p, struct part *part)
{
        uint64_t steps, points, length;

        if (!ob_bytes_read_signed(p, &part->at) || !ob_bytes_read_unsigned(p, &steps) ||
                !ob_bytes_read_unsigned(p, &points) || !ob_bytes_read_unsigned(p, &length) ||
                length > (uint64_t)(p->end - p->at))
                return false;
        part->steps = (unsigned)steps;
        part->points = (unsigned)points;
        ob_bytes_add(&part->lines, p->at, length);
        p->at += length;
        return true;
}

/* Returns the number of the part that was on its way, or 0. */
static size_t read_parts(struct appending *a, struct ob_bytes_reader p)
{
        uint64_t sending, n;

        if (!ob_bytes_read_signed(&p, &a->totals.stamp) || !ob_bytes_read_unsigned(&p, &sending) ||
                !ob_bytes_read_unsigned(&p, &n))
                return 0;
        while (n && read_part(&p, &a->made)) {
                seal(a);
                n--;
        }
        return sending <= a->n_parts ? sending : 0;
}

bool ob_graphite_append_take_parts(struct ob_bytes_reader *saved_state, struct ob_bytes_reader *parts)
{
        struct ob_bytes_reader at = *saved_state;
        uint64_t mark, length;

        if (!ob_bytes_read_unsigned(&at, &mark) || mark != APPENDED || !ob_bytes_read_unsigned(&at, &length) ||
                length > (uint64_t)(at.end - at.at))
                return false;
        *parts = (struct ob_bytes_reader) { at.at, at.at + length };
        *saved_state = (struct ob_bytes_reader) { parts->end, at.end };
        return true;
}

static void read_fold(struct ob_sink *s, struct ob_bytes_reader fold)
{
        struct appending *a = s->state;

        if (!ob_fold_read(a->fold, fold.at, (size_t)(fold.end - fold.at)))
                ob_log(OB_LOG_WARN,
                        "sink=%s event=fold_dropped why=\"the step was changed, or the store is damaged: "
                        "steps that were begun go on from nothing\"",
                        s->settings->name);
}

/* Goes on from a state of graphite.c, which sent all batches up to `sent_upto`: their steps are closed. */
static int take_over(struct ob_sink *s, struct ob_bytes_reader saved_state, struct ob_err *err)
{
        struct appending *a = s->state;
        struct ob_resend_schedule ignored = { .n = 0 };
        uint64_t creating;
        int got;

        if (ob_bytes_read_unsigned(&saved_state, &creating))
                ob_resend_schedule_read(&ignored, &saved_state);
        read_fold(s, saved_state);
        a->is_dropping = true;
        while ((got = ob_queue_next(s->queue, s->store, s->delivery.acked, &a->batch, err)) > 0 &&
                a->batch.seq <= s->delivery.sent_upto) {
                ob_folding_add(s, &a->batch, a->fold, &a->folding);
                s->delivery.acked = a->batch.seq;
        }
        ob_fold_settle(a->fold);
        ob_fold_flush(a->fold, NULL);
        ob_fold_forget_idle(a->fold, 1, 0, 0);
        a->is_dropping = false;
        return got < 0 ? -1 : 0;
}

/* `*sending` becomes the number of the part that was on its way, or 0. */
static int read_saved_state(struct ob_sink *s, size_t *sending, struct ob_err *err)
{
        struct ob_bytes_reader saved_state = { s->delivery.saved_state.data,
                s->delivery.saved_state.data + s->delivery.saved_state.length };
        struct ob_bytes_reader parts;

        *sending = 0;
        if (!ob_graphite_append_take_parts(&saved_state, &parts))
                return take_over(s, saved_state, err);
        read_fold(s, saved_state);
        *sending = read_parts(s->state, parts);
        return 0;
}

/* Decides about the part that was on its way when the connection was lost or the agent crashed. */
static void settle_doubt(struct ob_sink *s, size_t part)
{
        struct appending *a = s->state;
        unsigned points = a->parts[part].points;

        if (points)
                ob_log(OB_LOG_WARN, "sink=%s event=in_doubt points=%u after_crash=%s", s->settings->name, points,
                        is_repeating(s) ? "repeat" : "lose");
        s->counters->uncertain += points;
        if (is_repeating(s))
                return;
        ob_sink_lose(s, OB_LOSS_WIRE, points, "");
        drop_part(a, part);
}

static int start_append(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = ob_alloc(1, sizeof(*a));
        size_t sending;
        int began;

        s->state = a;
        ob_tcp_stream_init(&a->stream, s->settings->host, s->settings->port, s->stop);
        a->stream.permit = s->permit;
        a->fold = ob_fold_new(s->settings->step, s->keep, emit, s);
        a->forgot = ob_clock_ms();
        a->close_at = a->forgot + close_ms(s);
        if (read_saved_state(s, &sending, err))
                return -1;
        a->head_seq = s->delivery.acked;
        s->counters->points += held_points(a);
        began = ob_step_totals_open(&a->totals, s, err);
        if (sending)
                settle_doubt(s, sending - 1);
        if (began > 0 && !sending)
                return 0;
        return began < 0 ? -1 : save(s, err);
}

/* Folds the next batch, which may close steps. */
static enum ob_step fold_next(struct ob_sink *s, int64_t last, struct ob_err *err)
{
        struct appending *a = s->state;
        int got = ob_queue_next(s->queue, s->store, a->head_seq, &a->batch, err);

        if (got < 0)
                return OB_STEP_FAILED;
        if (!got || a->batch.seq > last)
                return OB_STEP_IDLE;
        ob_folding_add(s, &a->batch, a->fold, &a->folding);
        ob_folding_count(s, &a->folding);
        if (a->totals.totals)
                ob_totals_add(a->totals.totals, &a->batch);
        a->head_seq = a->batch.seq;
        s->counters->behind -= a->batch.points;
        if (a->made.lines.length >= PART_MOST)
                seal(a);
        return OB_STEP_BUSY;
}

/* Sends the next part. The commit comes first: after a crash the next run knows that this part may have arrived. */
static enum ob_step send_next(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;
        struct part *p = &a->parts[a->next];
        const char *lines = (const char *)p->lines.data;

        a->is_sending = true;
        a->begun = a->stream.sent;
        if (save(s, err))
                return OB_STEP_FAILED;
        p = &a->parts[a->next]; /* save() may have moved the parts */
        if (s->is_dry ? ob_dry_run_print("graphite", lines, p->lines.length, s->stop, err)
                      : ob_tcp_stream_send(&a->stream, lines, p->lines.length, err))
                return OB_STEP_FAILED;
        p->at = ob_clock_wall();
        a->pass_at = a->stream.sent;
        return OB_STEP_BUSY;
}

/* The part has arrived in the peer's kernel. */
static void pass_part(struct ob_sink *s)
{
        struct appending *a = s->state;
        struct part *p = &a->parts[a->next];

        ob_sink_sent(s, p->steps, p->points - p->steps);
        p->steps = p->points = 0;
        a->is_sending = false;
        a->is_changed = true;
        if (is_repeating(s))
                a->next++;
        else
                drop_part(a, a->next);
}

static void drop_old_parts(struct ob_sink *s)
{
        struct appending *a = s->state;

        while (a->next && a->parts[0].at <= ob_clock_wall() - s->settings->horizon)
                drop_part(a, 0);
}

static void forget_idle(struct ob_sink *s)
{
        struct appending *a = s->state;
        int64_t passed = ob_folding_passed(&a->forgot), max_age = s->settings->max_age;

        if (passed)
                ob_fold_forget_idle(
                        a->fold, passed, IDLE_SECONDS, max_age ? max_age + OB_CLOCK_STEP + s->settings->step : 0);
}

/* Closes the steps that have ended; at the end of a run that has read everything also those that grew just now. */
static enum ob_step close_steps(struct ob_sink *s, bool is_last, struct ob_err *err)
{
        struct appending *a = s->state;
        bool closes_all = is_last && s->is_forgotten;

        a->has_ended = is_last;
        a->close_at = ob_clock_ms() + close_ms(s);
        ob_fold_close_ended(a->fold, closes_all ? INT64_MAX : ob_clock_wall() - s->settings->hold, is_last);
        seal(a);
        drop_old_parts(s);
        forget_idle(s);
        if (a->next < a->n_parts || (!a->is_changed && a->head_seq == s->delivery.acked))
                return OB_STEP_BUSY; /* the part is saved before it is sent */
        return save(s, err) ? OB_STEP_FAILED : OB_STEP_BUSY;
}

/* The next commit has the step, so that no other run sends totals for the step again. */
static enum ob_step add_totals(struct ob_sink *s)
{
        struct appending *a = s->state;

        ob_step_totals_emit(&a->totals, s, emit);
        seal(a);
        return OB_STEP_BUSY;
}

/* Waits for the part that is on its way. During a stop the wait is here, since an idle sink ends. */
static enum ob_step wait_for_part(struct ob_sink *s, int64_t *wake)
{
        struct appending *a = s->state;
        int64_t until = ob_clock_ms() + POLL_MS;

        if (ob_stop_is_wanted(s->stop)) {
                ob_queue_wait(s->queue, &a->seen, until);
                return OB_STEP_BUSY;
        }
        *wake = until < *wake ? until : *wake;
        return OB_STEP_IDLE;
}

static enum ob_step step_append(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct appending *a = s->state;
        enum ob_step did = OB_STEP_IDLE;
        bool is_last;

        if (ob_sink_connect(s, err))
                return OB_STEP_FAILED;
        if (a->is_sending && a->stream.arrived >= a->pass_at) {
                pass_part(s);
                return a->next < a->n_parts || !save(s, err) ? OB_STEP_BUSY : OB_STEP_FAILED;
        }
        if (!a->is_sending && a->next < a->n_parts)
                return send_next(s, err);
        if (a->n_parts - a->next < PARTS_MOST)
                did = fold_next(s, INT64_MAX, err);
        if (did != OB_STEP_IDLE)
                return did;
        if (a->is_sending)
                return wait_for_part(s, wake);
        if (ob_step_totals_is_due(&a->totals, s, wake))
                return add_totals(s);
        is_last = ob_stop_is_wanted(s->stop) && (s->is_once || s->is_forgotten) && !a->has_ended;
        if (is_last || a->close_at <= ob_clock_ms())
                return close_steps(s, is_last, err);
        *wake = a->close_at < *wake ? a->close_at : *wake;
        return OB_STEP_IDLE;
}

static int connect_append(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;

        return ob_tcp_stream_connect(&a->stream, err);
}

static bool disconnect_append(struct ob_sink *s)
{
        struct appending *a = s->state;
        bool was_open = a->stream.fd >= 0;

        ob_tcp_stream_abort(&a->stream);
        return was_open;
}

static int finish_append(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;

        return ob_tcp_stream_finish(&a->stream, err);
}

/* The connection is lost. A part of which no byte was sent is not in doubt. */
static void rewind_append(struct ob_sink *s)
{
        struct appending *a = s->state;
        bool was_sent = a->is_sending && a->stream.sent != a->begun;
        struct ob_err ignored;

        if (was_sent)
                settle_doubt(s, a->next);
        a->is_changed |= a->is_sending;
        a->is_sending = false;
        a->next = 0;
        if (a->is_changed)
                save(s, &ignored); /* the next commit has it, too */
}

/* Batches are folded without a receiver, so that only steps are lost that no late row could change any more. */
static int drop_oldest_append(struct ob_sink *s, int64_t last, int64_t bytes, struct ob_err *err)
{
        struct appending *a = s->state;
        enum ob_step did = OB_STEP_BUSY;

        a->is_dropping = true;
        while (bytes > 0 && (did = fold_next(s, last, err)) == OB_STEP_BUSY)
                bytes -= a->batch.bytes;
        a->is_dropping = false;
        acknowledge(s);
        return did == OB_STEP_FAILED ? -1 : 0;
}

/* Points that are held until their steps are closed count as behind at the end. */
static int stop_append(struct ob_sink *s, struct ob_err *err)
{
        struct appending *a = s->state;

        rewind_append(s);
        s->counters->behind += held_points(a);
        return save(s, err);
}

static void free_append(struct ob_sink *s)
{
        struct appending *a = s->state;

        if (!a)
                return;
        ob_fold_free(a->fold);
        ob_step_totals_free(&a->totals);
        ob_stored_batch_free(&a->batch);
        ob_bytes_free(&a->made.lines);
        for (size_t i = 0; i < a->n_parts; i++)
                ob_bytes_free(&a->parts[i].lines);
        free(a->parts);
        free(a);
        s->state = NULL;
}

/* A saved state of a sink that does not work. */
struct stored {
        int64_t stamp; /* the last step that got totals */
        uint64_t sending, n_parts;
        struct ob_bytes_reader parts; /* their bytes */
        struct ob_fold *fold;         /* ours */
};

static int read_stored(
        struct stored *st, const struct ob_sink_settings *s, const struct ob_bytes *saved, struct ob_err *err)
{
        struct ob_bytes_reader fold = { saved->data, saved->data + saved->length };

        *st = (struct stored) { .fold = NULL };
        if (saved->length && (!ob_graphite_append_take_parts(&fold, &st->parts) ||
                                     !ob_bytes_read_signed(&st->parts, &st->stamp) ||
                                     !ob_bytes_read_unsigned(&st->parts, &st->sending) ||
                                     !ob_bytes_read_unsigned(&st->parts, &st->n_parts)))
                return ob_fail(err,
                        "the receiver of sink %s was changed: start the agents with the new setting, stop them, and try again",
                        s->name);
        st->fold = ob_folding_read(s, &fold, err);
        return st->fold ? 0 : -1;
}

static void add_parts(struct ob_bytes *out, const struct stored *st)
{
        ob_bytes_add(out, st->parts.at, (size_t)(st->parts.end - st->parts.at));
}

/* A part has lines of all managers. No manager changes a part any more, so one of the managers gets all parts. */
static int divide_append(const struct ob_sink_settings *s, const struct ob_sink_part *part,
        struct ob_delivery *delivery, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes parts = { .length = 0 };
        struct stored st;

        if (read_stored(&st, s, &delivery->saved_state, err))
                return -1;
        ob_fold_forget(st.fold, part->is_other, part->ctx);
        ob_bytes_add_signed(&parts, st.stamp);
        ob_bytes_add_unsigned(&parts, part->has_next ? st.sending : 0);
        ob_bytes_add_unsigned(&parts, part->has_next ? st.n_parts : 0);
        if (part->has_next)
                add_parts(&parts, &st);
        write_state(&delivery->saved_state, &parts, st.fold);
        ob_fold_free(st.fold);
        return 0;
}

/* Of two parts that were on their way when an agent was killed, only one can be noted. */
static int unite_stored(struct ob_bytes *saved, const struct ob_sink_settings *s, const struct stored *all,
        const struct stored *one, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes parts = { .length = 0 };
        uint64_t sending = one->sending ? all->n_parts + one->sending : all->sending;

        if (all->sending && one->sending)
                return ob_fail(err,
                        "the agents were killed while sink %s sent lines of several managers: start the agents, stop them, and try again",
                        s->name);
        ob_fold_unite(all->fold, one->fold);
        ob_bytes_add_signed(&parts, all->stamp > one->stamp ? all->stamp : one->stamp);
        ob_bytes_add_unsigned(&parts, sending);
        ob_bytes_add_unsigned(&parts, all->n_parts + one->n_parts);
        add_parts(&parts, all);
        add_parts(&parts, one);
        write_state(saved, &parts, all->fold);
        return 0;
}

static int unite_append(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err)
{
        struct stored all, one = { .fold = NULL };
        int got = read_stored(&all, s, saved, err) || read_stored(&one, s, more, err)
                          ? -1
                          : unite_stored(saved, s, &all, &one, err);

        ob_fold_free(all.fold);
        ob_fold_free(one.fold);
        return got;
}

const struct ob_sink_ops ob_sink_graphite_append = {
        .start = start_append,
        .step = step_append,
        .stage = stage_append,
        .connect = connect_append,
        .disconnect = disconnect_append,
        .finish = finish_append,
        .rewind = rewind_append,
        .drop_oldest = drop_oldest_append,
        .stop = stop_append,
        .free = free_append,
        .divide = divide_append,
        .unite = unite_append,
};
