#include "agent/source/poll.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/source/append_log.h"
#include "agent/source/diff.h"
#include "agent/source/events.h"
#include "agent/source/newest.h"
#include "agent/source/series_cache.h"
#include "proto/memory.h"

static const struct ob_delta_ops *const deltas[OB_SHAPES] = {
        [OB_SHAPE_LOG] = &ob_append_log,
        [OB_SHAPE_STATE] = &ob_diff,
        [OB_SHAPE_NEWEST] = &ob_newest,
};

static void find_columns(struct ob_task *f)
{
        for (int role = 0; role < OB_ROLES; role++)
                f->first[role] = ob_source_find(f->source, (enum ob_role)role);
        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (ob_roles[f->source->columns[i].role].is_metric || f->source->columns[i].role == OB_FACT)
                        f->amounts[f->n_amounts++] = i;
}

void ob_task_init(struct ob_task *f)
{
        f->delta = deltas[ob_source_shape(f->source)];
        find_columns(f);
        f->series = ob_series_cache_new(f->source);
        for (unsigned i = 0; f->states && i < f->source->n_columns; i++)
                f->fact_sources[i] = ob_fact_source_find(f->source->columns[i].name);
        f->events = ob_events_new(f);
        f->logged_plan = ob_copy("");
        f->logged_missing = ob_copy("");
}

void ob_task_fini(struct ob_task *f)
{
        if (f->delta)
                f->delta->reset(f);
        ob_events_free(f->events);
        ob_series_cache_free(f->series);
        ob_outbox_free(&f->outbox);
        ob_reader_free(f->reader);
        free(f->logged_plan);
        free(f->logged_missing);
}

/* Whether a text differs from the text that was logged last. */
static bool is_news(char **told, const char *text)
{
        if (!strcmp(*told, text))
                return false;
        free(*told);
        *told = ob_copy(text);
        return true;
}

static void log_plan(struct ob_task *f)
{
        if (is_news(&f->logged_plan, f->reader->plan))
                ob_log(OB_LOG_INFO, "source=%s event=plan table=%s reads=\"%s\"", f->name, f->source->table,
                        f->reader->plan);
        if (!is_news(&f->logged_missing, f->reader->missing) || !*f->reader->missing)
                return;
        f->counters->errors++;
        ob_log(OB_LOG_WARN,
                "source=%s event=columns_missing table=%s columns=\"%s\" why=\"the table has none of "
                "these; their metrics are left out\"",
                f->name, f->source->table, f->reader->missing);
}

/* The checkpoint of a new source, by its `start` setting. */
static struct ob_checkpoint first_checkpoint(const struct ob_task *f)
{
        return (struct ob_checkpoint) {
                .known = true,
                .cursor = INT64_MIN,
                .since = ob_start_time(&f->source->start, f->now),
                .floor = INT64_MIN,
                .counted_before = INT64_MIN,
                .newest = INT64_MIN,
        };
}

/* Stores the identity of the database; a new source begins at its first checkpoint. */
static int begin(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        struct ob_checkpoint next;

        if (f->checkpoint.known)
                f->checkpoint.changed = f->now; /* begin() of the delta asks for the time already */
        next = f->checkpoint.known ? f->checkpoint : first_checkpoint(f);
        if (f->checkpoint.known && !*next.identity) {
                ob_log(OB_LOG_WARN,
                        "source=%s event=rewound why=\"rows that were counted before go only to Graphite, "
                        "which may be told again\"",
                        f->name);
                if (next.counted_before == OB_COUNTED_ALL)
                        next.counted_before = f->now;
        }
        if (f->checkpoint.known && *next.identity)
                ob_log(OB_LOG_WARN, "source=%s event=database_changed was=%s is=%s", f->name, next.identity,
                        f->reader->identity);
        strncpy(next.identity, f->reader->identity, sizeof(next.identity) - 1);
        next.identity[sizeof(next.identity) - 1] = '\0';
        return f->delta->begin(f, at, next, err);
}

/* Loads the source's state from the store, unless the state is in memory. */
static int load(struct ob_task *f, struct ob_err *err)
{
        if (!f->is_loaded && ob_store_get_checkpoint(f->outbox.store, f->name, &f->checkpoint, err))
                return -1;
        return ob_events_load(f, err);
}

static int poll_once(struct ob_task *f, struct ob_err *err)
{
        struct ob_reading at = { .has_rows = false };

        if (f->reader->ops->open(f->reader, err))
                return -1;
        log_plan(f);
        if (load(f, err))
                return -1;
        f->is_loaded = true;
        f->page_at = ob_clock_ms();
        if (ob_task_read_clock(f, &at, err))
                return -1;
        f->now = at.now;
        f->has_unsettled = false;
        ob_outbox_start(&f->outbox, f->now);
        if (!ob_task_has_begun(f) && begin(f, &at, err))
                return -1;
        return f->delta->poll(f, &at, err);
}

int ob_task_poll(struct ob_task *f, struct ob_err *err)
{
        int got = poll_once(f, err);

        ob_series_cache_end_page(f);
        ob_names_release(f->snapshot);
        f->snapshot = NULL;
        if (!got)
                return 0;
        /* The state in memory may be ahead of what was committed. */
        f->delta->reset(f);
        ob_events_reset(f->events);
        f->is_loaded = false;
        return got;
}
