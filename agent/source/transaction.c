#include "agent/source/transaction.h"

#include "agent/process/clock.h"
#include "agent/source/events.h"
#include "agent/source/series_cache.h"

/* The arguments of stage_all(). */
struct staging {
        struct ob_task *task;
        const struct ob_checkpoint *next;
        ob_task_stage_fn *stage;
};

static int stage_all(void *ctx, struct ob_err *err)
{
        const struct staging *s = ctx;
        struct ob_task *f = s->task;
        struct ob_store *store = f->outbox.store;

        if (ob_store_put_checkpoint(store, f->name, s->next, err) || ob_events_stage(f, err))
                return -1;
        return s->stage ? s->stage(f, err) : 0;
}

int ob_task_commit(struct ob_task *f, const struct ob_checkpoint *next, ob_task_stage_fn *stage, struct ob_err *err)
{
        struct staging s = { f, next, stage };
        int got;

        ob_series_cache_end_page(f);
        got = ob_outbox_commit(&f->outbox, stage_all, &s, err);
        if (got)
                return got;
        ob_events_staged(f->events);
        f->checkpoint = *next;
        f->page_at = ob_clock_ms();
        return 0;
}
