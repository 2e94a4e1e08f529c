/*
 * A sink that sends nothing: it folds the points of a Graphite sink, and gives each step to its owner as soon as
 * the step is closed; at the end, the steps that are still open.
 */
#include <stdlib.h>

#include "agent/sink/fold.h"
#include "agent/sink/folding.h"
#include "agent/sink/sink.h"
#include "proto/memory.h"

struct collecting {
        struct ob_fold *fold;
        struct ob_stored_batch batch;
};

static void take(void *ctx, const struct ob_fold_value *v)
{
        const struct ob_sink *s = ctx;

        s->collect->take(s->collect->ctx, v);
}

static int start_collect(struct ob_sink *s, struct ob_err *err)
{
        struct collecting *c = ob_alloc(1, sizeof(*c));

        (void)err;
        s->state = c;
        c->fold = ob_fold_new(s->settings->step, s->keep, take, s);
        return 0;
}

static void note_left_out(struct ob_collect *c, const struct ob_folding *f)
{
        for (size_t i = 0; i < OB_LOSSES; i++) {
                if (f->lost[i] && !c->left_out[i])
                        c->first[i] = ob_copy(f->first[i]);
                c->left_out[i] += f->lost[i];
        }
}

static enum ob_step step_collect(struct ob_sink *s, int64_t *wake, struct ob_err *err)
{
        struct collecting *c = s->state;
        int got = ob_queue_next(s->queue, s->store, s->delivery.acked, &c->batch, err);
        struct ob_folding folding;

        (void)wake;
        if (got < 1)
                return got ? OB_STEP_FAILED : OB_STEP_IDLE;
        ob_folding_add(s, &c->batch, c->fold, &folding);
        note_left_out(s->collect, &folding);
        s->delivery.acked = s->delivery.sent_upto = c->batch.seq;
        if (ob_sink_commit(s, err))
                return OB_STEP_FAILED;
        ob_sink_sent(s, 0, c->batch.points);
        s->counters->behind -= c->batch.points;
        return OB_STEP_BUSY;
}

static bool disconnect_collect(struct ob_sink *s)
{
        (void)s;
        return false;
}

static int stop_collect(struct ob_sink *s, struct ob_err *err)
{
        struct collecting *c = s->state;

        (void)err;
        ob_fold_flush(c->fold, NULL);
        return 0;
}

static void free_collect(struct ob_sink *s)
{
        struct collecting *c = s->state;

        if (!c)
                return;
        ob_fold_free(c->fold);
        ob_stored_batch_free(&c->batch);
        free(c);
        s->state = NULL;
}

/* No connection is opened, and no batch is ever dropped: that happens only to a sink that is down beside another.
 */
const struct ob_sink_ops ob_sink_collect = {
        .start = start_collect,
        .step = step_collect,
        .disconnect = disconnect_collect,
        .stop = stop_collect,
        .free = free_collect,
};
