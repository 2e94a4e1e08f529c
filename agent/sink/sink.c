#include "agent/sink/sink.h"

#include <stdio.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/process/thread.h"
#include "proto/name.h"

#define NAME_ROOM 512

#define IDLE_MS  60000
#define DRAIN_MS 500           /* between tries during a stop */
#define STORE_MS INT64_C(5000) /* the longest wait between two tries while the store fails */
#define SHARE    16            /* a sink that is down drops 1/SHARE of the queue at a time */

static const struct ob_sink_ops *const types[OB_SINK_TYPES] = {
        [OB_SINK_STATSD] = &ob_sink_statsd,
        [OB_SINK_GRAPHITE] = &ob_sink_graphite,
        [OB_SINK_EVENTS] = &ob_sink_events,
};

static const char *const losses[OB_LOSSES] = {
        [OB_LOSS_LATE] = "late: the step is closed; a longer overlap keeps steps open longer",
        [OB_LOSS_MOVED] =
                "late: the step is closed, so a later step has the points; a longer hold keeps steps open longer",
        [OB_LOSS_TIME] = "its time is in the future, or older than max_age",
        [OB_LOSS_NAME] = "its name is too long",
        [OB_LOSS_CORRUPT] = "a batch in the store is damaged",
        [OB_LOSS_QUEUE] = "the queue was full while the sink was down",
        [OB_LOSS_WIRE] = "sent while nobody listened, or in doubt after a crash",
        [OB_LOSS_REFUSED] = "the server refuses it, or fails at it each time",
};

void ob_sink_lose(struct ob_sink *s, enum ob_loss why, int64_t points, const char *what)
{
        const char *event = why == OB_LOSS_MOVED ? "late" : "lost";
        int64_t n_logged;

        if (!points)
                return;
        if (why == OB_LOSS_LATE || why == OB_LOSS_MOVED)
                s->counters->late += points;
        else
                s->counters->lost += points;
        n_logged = ob_log_once(&s->logged[why], points);
        if (n_logged && *what)
                ob_log(OB_LOG_WARN, "sink=%s event=%s points=%lld first=%s why=\"%s\"", s->settings->name, event,
                        (long long)n_logged, what, losses[why]);
        else if (n_logged)
                ob_log(OB_LOG_WARN, "sink=%s event=%s points=%lld why=\"%s\"", s->settings->name, event,
                        (long long)n_logged, losses[why]);
}

void ob_sink_log_clamped(
        struct ob_log_once *once, const char *sink, const char *prefix, const struct ob_series *series)
{
        int64_t n_logged = ob_log_once(once, 1);
        char room[NAME_ROOM];
        struct ob_text name = ob_text_over(room, sizeof(room));

        if (!n_logged)
                return;
        ob_name_dotted(&name, prefix, series);
        ob_text_add_char(&name, '\0');
        ob_log(OB_LOG_WARN,
                "sink=%s event=clamped series=%s times=%lld why=\"the sum needs more than 64 bits; the nearest number that 64 bits hold is sent\"",
                sink, name.too_long ? series->name : room, (long long)n_logged);
}

void ob_sink_sent(struct ob_sink *s, int64_t points, int64_t folded)
{
        s->counters->sent += points;
        s->counters->folded += folded;
}

static int put_delivery(struct ob_sink *s, struct ob_err *err)
{
        if (s->ops->stage && s->ops->stage(s, err))
                return -1;
        return ob_store_put_delivery(s->store, s->settings->name, &s->delivery, err);
}

static int commit(struct ob_sink *s, bool deletes, struct ob_err *err)
{
        bool is_put = false;
        int64_t points = 0, bytes = 0;
        int got = 0;

        do {
                if (ob_store_begin(s->store, err))
                        break;
                if ((!is_put && put_delivery(s, err)) ||
                        (deletes && (got = ob_store_drop_acked(s->store, &points, &bytes, err)) < 0)) {
                        ob_store_rollback(s->store);
                        break;
                }
                if (ob_store_commit(s->store, err))
                        break;
                is_put = true;
                ob_queue_ack(s->queue, s->index, s->delivery.acked, points, bytes);
        } while (got);
        s->is_store_failing = !is_put;
        return is_put ? 0 : -1; /* the next commit deletes the rest */
}

int ob_sink_commit(struct ob_sink *s, struct ob_err *err)
{
        return commit(s, true, err);
}

int ob_sink_note(struct ob_sink *s, struct ob_err *err)
{
        return commit(s, false, err);
}

int ob_sink_connect(struct ob_sink *s, struct ob_err *err)
{
        return s->is_dry ? 0 : s->ops->connect(s, err);
}

/* Logs the failure, once, and closes the transport. */
static void note_failure(struct ob_sink *s, const struct ob_err *err)
{
        if (ob_log_change(&s->is_failing, true))
                ob_log(OB_LOG_ERROR, "sink=%s event=sink_failed behind=%lld err=\"%s\"", s->settings->name,
                        (long long)s->counters->behind, err->text);
        ob_health_fail(&s->counters->health, err->text);
        s->counters->reconnects += s->ops->disconnect(s);
        if (s->ops->rewind)
                s->ops->rewind(s);
        ob_queue_set_down(s->queue, s->index, true);
}

static void note_success(struct ob_sink *s)
{
        if (ob_log_change(&s->is_failing, false))
                ob_log(OB_LOG_INFO, "sink=%s event=sink_recovered behind=%lld", s->settings->name,
                        (long long)s->counters->behind);
        ob_health_recover(&s->counters->health);
        ob_backoff_reset(&s->backoff);
        ob_queue_set_down(s->queue, s->index, false);
}

/* Drops our oldest batches, at most up to `last`: the queue is full and other sinks deliver. */
static void drop_oldest(struct ob_sink *s, int64_t last)
{
        struct ob_err err;

        if (s->ops->drop_oldest(s, last, s->queue->max_bytes / SHARE, &err) || ob_sink_commit(s, &err))
                note_failure(s, &err);
}

/* Waits for the next try, and drops batches when asked to. */
static void wait_after_failure(struct ob_sink *s, uint64_t *seen)
{
        int64_t wait = ob_stop_is_wanted(s->stop) ? DRAIN_MS : ob_backoff_next(&s->backoff);
        int64_t retry;

        if (s->is_store_failing && wait > STORE_MS)
                wait = STORE_MS;
        s->is_store_failing = false;
        retry = ob_clock_ms() + wait;
        ob_health_promise(&s->counters->health, wait + OB_HEALTH_SPARE);
        while (ob_clock_ms() < retry) {
                int64_t last = ob_queue_drop_upto(s->queue, s->index);

                if (last)
                        drop_oldest(s, last);
                ob_queue_wait(s->queue, seen, retry);
                if (ob_stop_is_wanted(s->stop) && retry > ob_clock_ms() + DRAIN_MS)
                        retry = ob_clock_ms() + DRAIN_MS;
        }
}

static enum ob_step step(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        int64_t sent = s->counters->sent;
        enum ob_step got;

        ob_health_promise(&s->counters->health, OB_HEALTH_BUSY);
        if (ob_permit_check(s->permit, err))
                return OB_STEP_FAILED;
        got = s->ops->step(s, wake, err);
        if (s->counters->sent != sent)
                ob_health_add(&s->counters->health, s->counters->sent - sent);
        return got;
}

/* Delivers until a stop is wanted and either all is sent or the stop's deadline has come. */
static bool deliver(struct ob_sink *s)
{
        uint64_t seen = 0;
        struct ob_err err;

        while (ob_stop_deadline(s->stop) > ob_clock_ms()) {
                int64_t wake = ob_clock_ms() + IDLE_MS;
                bool is_stopping = ob_stop_is_wanted(s->stop); /* read first: idle after this means all is sent */

                switch (step(s, &wake, &err)) {
                case OB_STEP_FAILED:
                        note_failure(s, &err);
                        wait_after_failure(s, &seen);
                        break;
                case OB_STEP_BUSY:
                        note_success(s);
                        break;
                case OB_STEP_IDLE:
                        note_success(s);
                        if (is_stopping)
                                return true;
                        ob_health_promise(&s->counters->health, wake - ob_clock_ms() + OB_HEALTH_SPARE);
                        ob_queue_wait(s->queue, &seen, wake);
                        break;
                }
        }
        return false;
}

/* Logs what became of every point of this run: sent, folded, late, lost or behind. */
static void tell_account(const struct ob_sink *s)
{
        const struct ob_sink_counters *c = s->counters;

        ob_log(OB_LOG_INFO,
                "sink=%s event=account points=%lld sent=%lld folded=%lld late=%lld lost=%lld behind=%lld uncertain=%lld",
                s->settings->name, (long long)c->points, (long long)c->sent, (long long)c->folded,
                (long long)c->late, (long long)c->lost, (long long)c->behind, (long long)c->uncertain);
}

static void *run(void *arg)
{
        struct ob_sink *s = arg;
        struct ob_err err;

        s->is_clean = deliver(s);
        if (s->is_clean && s->ops->finish && s->ops->finish(s, &err)) {
                note_failure(s, &err);
                s->is_clean = false;
        }
        s->ops->disconnect(s);
        if (s->ops->stop(s, &err))
                ob_log(OB_LOG_ERROR, "sink=%s event=stop_failed err=\"%s\"", s->settings->name, err.text);
        tell_account(s);
        return NULL;
}

static const struct ob_sink_ops *ops_of(const struct ob_sink_settings *s)
{
        if (s->type == OB_SINK_GRAPHITE && s->receiver == OB_RECEIVER_APPEND)
                return &ob_sink_graphite_append;
        return types[s->type];
}

int ob_sink_divide(const struct ob_sink_settings *s, const struct ob_sink_part *part, struct ob_delivery *delivery,
        struct ob_err *err)
{
        return ops_of(s)->divide(s, part, delivery, err);
}

int ob_sink_unite(
        const struct ob_sink_settings *s, struct ob_bytes *saved, const struct ob_bytes *more, struct ob_err *err)
{
        return ops_of(s)->unite(s, saved, more, err);
}

bool ob_sink_may_repeat(const struct ob_sink_settings *s)
{
        return !ops_of(s)->has_begun;
}

bool ob_sink_has_begun(const struct ob_sink_settings *s, const struct ob_bytes *saved)
{
        return !ob_sink_may_repeat(s) && ops_of(s)->has_begun(saved);
}

int ob_sink_start(struct ob_sink *s, struct ob_err *err)
{
        int64_t behind, bytes;

        s->ops = s->collect ? &ob_sink_collect : ops_of(s->settings);
        s->store = ob_store_open(s->state_dir, err);
        if (!s->store)
                return -1;
        if (ob_store_get_delivery(s->store, s->settings->name, &s->delivery, err) || s->ops->start(s, err) ||
                ob_store_sum_batches(s->store, s->delivery.sent_upto, &behind, &bytes, err))
                return -1;
        ob_queue_ack(s->queue, s->index, s->delivery.acked, 0, 0);
        s->counters->points += behind;
        s->counters->behind += behind;
        return ob_thread_start(&s->thread, run, s, s->settings->name, err);
}

void ob_sink_join(struct ob_sink *s)
{
        if (s->thread)
                pthread_join(s->thread, NULL);
        if (s->ops)
                s->ops->free(s);
        ob_store_close(s->store);
        ob_bytes_free(&s->delivery.saved_state);
        s->thread = 0;
        s->store = NULL;
}
