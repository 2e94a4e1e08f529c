/*
 * Verdicts: the state that something is in, as a gauge at each poll; and, where it is another one than was told
 * last, as an event with a service check and a line in the log. What was told is stored together with the event, so
 * that no restart tells it again. At first sight there is nothing that it was before: it makes a check alone.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/process/log.h"
#include "agent/source/row.h"
#include "agent/source/tracked_rows.h"
#include "proto/memory.h"
#include "proto/number.h"

#define TITLE_MAX (OB_EVENT_TITLE_MAX + 1)

/* The id of a known one is the state that was told. */
struct evaluations {
        struct ob_tracked_rows told;
        bool is_loaded;
};

static struct evaluations *self(struct ob_task *f)
{
        if (!f->state)
                f->state = ob_alloc(1, sizeof(struct evaluations));
        return f->state;
}

static void reset_health(struct ob_task *f)
{
        if (f->state)
                ob_tracked_rows_free(&self(f)->told);
        free(f->state);
        f->state = NULL;
}

static int begin_health(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        (void)at;
        return ob_task_commit(f, &next, NULL, err);
}

/* Sinks draw or alert on the words, monitors on the status. */
static const enum ob_event_alert alerts[OB_CHECKS] = {
        [OB_CHECK_OK] = OB_ALERT_SUCCESS,
        [OB_CHECK_WARNING] = OB_ALERT_WARNING,
        [OB_CHECK_CRITICAL] = OB_ALERT_ERROR,
        [OB_CHECK_UNKNOWN] = OB_ALERT_INFO,
};

static void add_event(
        struct ob_task *f, const char *const *row, enum ob_state was, enum ob_state is, const char *why)
{
        const char *series = f->source->columns[ob_source_find(f->source, OB_VALUE)].name;
        ob_cleanup(ob_free_at) char *text = NULL;
        char room[TITLE_MAX];
        struct ob_event e = { .time = f->now, .kind = series, .title = "", .text = why, .signature = "" };
        struct ob_row_series named;

        ob_row_name(f, row, f->now, &named);
        if (was != OB_STATES) {
                text = ob_format("%s; it was %s", why, ob_state_word(was));
                e.text = text;
                e.title = ob_event_title(room, sizeof(room), ob_state_word(is), &named.series, "");
        }
        e.check = series;
        e.status = ob_state_check(is);
        e.alert = alerts[e.status];
        e.n_tags = named.series.n_tags;
        memcpy(e.tags, named.series.tags, e.n_tags * sizeof(*e.tags));
        ob_outbox_add_event(&f->outbox, &e);
}

static void tell_change(struct ob_task *f, const char *const *row, enum ob_state is)
{
        struct evaluations *v = self(f);
        const char *subject = row[ob_source_find(f->source, OB_KEY)];
        const char *why = row[ob_source_find(f->source, OB_REASON)];
        const struct ob_bytes key = { .data = (unsigned char *)subject, .length = strlen(subject) };
        struct ob_tracked_row *told = ob_tracked_rows_find(&v->told, &key);
        enum ob_state was = told ? (enum ob_state)told->id : OB_STATES;

        if (was == is)
                return;
        if (!told)
                told = ob_tracked_rows_add(&v->told, key.data, key.length);
        told->id = is;
        ob_tracked_rows_mark_changed(&v->told, told);
        ob_log(ob_state_is_bad(is) ? OB_LOG_WARN : OB_LOG_INFO,
                "source=%s event=state pipeline=%.40s was=%s is=%s why=\"%s\"", f->name, subject,
                ob_state_word(was), ob_state_word(is), why);
        add_event(f, row, was, is, why);
}

static void take_row(struct ob_task *f, const char *const *row)
{
        unsigned column = (unsigned)ob_source_find(f->source, OB_VALUE);
        struct ob_amounts amounts;

        ob_row_amounts(f, row, &amounts);
        if (amounts.has[column])
                tell_change(f, row, (enum ob_state)(amounts.value[column] / OB_MICROS));
        ob_row_emit(f, row, f->now, &amounts);
}

static int put_told(struct ob_task *f, struct ob_err *err)
{
        return ob_tracked_rows_put(&self(f)->told, f->store, f->name, err);
}

static int poll_health(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        struct evaluations *v = self(f);
        struct ob_rows rows;
        int got;

        (void)at;
        if (!v->is_loaded && ob_tracked_rows_load(&v->told, f->store, f->name, err))
                return -1;
        v->is_loaded = true;
        if (f->reader->ops->read(f->reader, 0, 0, &rows, err))
                return -1;
        for (size_t i = 0; i < rows.n; i++)
                take_row(f, rows.cells + i * rows.width);
        if (!rows.n)
                return 0;
        got = ob_task_commit(f, &f->checkpoint, put_told, err);
        if (!got)
                ob_tracked_rows_settle(&v->told);
        return got;
}

const struct ob_delta_ops ob_delta_health = {
        .begin = begin_health,
        .poll = poll_health,
        .reset = reset_health,
};
