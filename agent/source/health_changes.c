#include "agent/source/health_changes.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/source/events.h"
#include "agent/source/own_point.h"
#include "config/config.h"
#include "proto/hash.h"
#include "proto/memory.h"

#define TITLE_MAX (OB_EVENT_TITLE_MAX + 1)

/* The state of a pipeline that was sent last. */
struct ob_told_state {
        UT_hash_handle hh;
        enum ob_state state;
        int64_t sent;    /* when a point was sent last: seconds since 1970; 0: not since the start */
        bool is_changed; /* since it was stored */
        char pipeline[];
};

static void forget_all(struct ob_health_changes *h)
{
        struct ob_told_state *one, *next;

        HASH_ITER (hh, h->told, one, next) {
                HASH_DEL(h->told, one);
                free(one);
        }
        h->is_loaded = false;
}

void ob_health_changes_fini(struct ob_health_changes *h)
{
        forget_all(h);
        ob_outbox_free(&h->outbox);
}

static struct ob_told_state *add(struct ob_health_changes *h, const void *pipeline, size_t length)
{
        struct ob_told_state *one = ob_alloc(1, sizeof(*one) + length + 1);

        memcpy(one->pipeline, pipeline, length);
        one->state = OB_STATES;
        HASH_ADD_KEYPTR(hh, h->told, one->pipeline, length, one);
        return one;
}

static int load_one(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        (void)err;
        if (row[2].number >= 0 && row[2].number < OB_STATES)
                add(ctx, row[1].data, row[1].length)->state = (enum ob_state)row[2].number;
        return 0;
}

/* The alert of an event follows from the status of its check. */
static const enum ob_event_alert alerts[OB_CHECKS] = {
        [OB_CHECK_OK] = OB_ALERT_SUCCESS,
        [OB_CHECK_WARNING] = OB_ALERT_WARNING,
        [OB_CHECK_CRITICAL] = OB_ALERT_ERROR,
        [OB_CHECK_UNKNOWN] = OB_ALERT_INFO,
};

static void add_event(struct ob_health_changes *h, const struct ob_owner *owner, int64_t now, enum ob_state was,
        const struct ob_evaluation *is)
{
        const char *name = ob_own_series[OB_OWN_STATE].name;
        ob_cleanup(ob_free_at) char *text = NULL;
        char room[TITLE_MAX];
        struct ob_event e = { .time = now, .kind = name, .title = "", .text = is->why, .signature = "" };
        struct ob_series series;

        ob_own_series_of(OB_OWN_STATE, owner, now, &series);
        if (was != OB_STATES) {
                text = ob_format("%s; it was %s", is->why, ob_state_word(was));
                e.text = text;
                e.title = ob_event_title(room, sizeof(room), ob_state_word(is->state), &series, "");
        }
        e.check = name;
        e.status = ob_state_check(is->state);
        e.alert = alerts[e.status];
        e.n_tags = series.n_tags;
        memcpy(e.tags, series.tags, e.n_tags * sizeof(*e.tags));
        ob_outbox_add_event(&h->outbox, &e);
}

static void take(struct ob_health_changes *h, const struct ob_names_snapshot *names, const struct ob_evaluation *is,
        int64_t now)
{
        const struct ob_owner owner = { .manager = h->manager, .values = { is->pipeline }, .names = names };
        struct ob_told_state *told;
        enum ob_state was;

        HASH_FIND_STR(h->told, is->pipeline, told);
        if (!told)
                told = add(h, is->pipeline, strlen(is->pipeline));
        was = told->state;
        if (was != is->state) {
                told->state = is->state;
                told->is_changed = true;
                ob_log(ob_state_is_bad(is->state) ? OB_LOG_WARN : OB_LOG_INFO,
                        "source=%s event=state pipeline=%.40s was=%s is=%s why=\"%s\"", h->name, is->pipeline,
                        ob_state_word(was), ob_state_word(is->state), is->why);
                add_event(h, &owner, now, was, is);
        } else if (!ob_repeat_is_due(h->repeat, told->sent, now)) {
                return;
        }
        told->sent = now;
        ob_own_point_add(&h->outbox, OB_OWN_STATE, &owner, now, is->state);
}

static int put_changed(void *ctx, struct ob_err *err)
{
        struct ob_health_changes *h = ctx;
        struct ob_told_state *one, *next;

        HASH_ITER (hh, h->told, one, next)
                if (one->is_changed &&
                        OB_PUT_ROW(h->outbox.store, OB_TABLE_PIPELINE_STATES, err, ob_value_text(h->name),
                                ob_value_text(one->pipeline), ob_value_number(one->state)))
                        return -1;
        return 0;
}

static int poll_once(struct ob_health_changes *h, struct ob_err *err)
{
        const struct ob_names_snapshot *names;
        const struct ob_evaluation *all;
        struct ob_told_state *one, *next;
        int64_t now = ob_clock_wall();
        size_t n;
        int got;

        if (!h->is_loaded &&
                ob_store_each_row(h->outbox.store, OB_TABLE_PIPELINE_STATES, h->name, load_one, h, err))
                return -1;
        h->is_loaded = true;
        ob_outbox_start(&h->outbox, now);
        all = ob_pipeline_health_evaluate(h->health, ob_clock_ms(), &n);
        names = ob_names_take(h->names);
        for (size_t i = 0; i < n; i++)
                take(h, names, &all[i], now);
        ob_names_release(names);
        ob_outbox_close(&h->outbox);
        got = h->outbox.points ? ob_outbox_commit(&h->outbox, put_changed, h, err) : 0;
        if (!got)
                HASH_ITER (hh, h->told, one, next)
                        one->is_changed = false;
        return got;
}

int ob_health_changes_poll(struct ob_health_changes *h, struct ob_err *err)
{
        int got = poll_once(h, err);

        if (got) /* what is in memory may be ahead of what was committed */
                forget_all(h);
        return got;
}
