#include "agent/source/feed.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "proto/memory.h"

static const struct ob_delta_ops *const deltas[OB_SHAPES] = {
        [OB_SHAPE_LOG] = &ob_delta_log,
        [OB_SHAPE_STATE] = &ob_delta_state,
        [OB_SHAPE_NEWEST] = &ob_delta_newest,
        [OB_SHAPE_VERDICT] = &ob_delta_verdict,
};

static const struct {
        const char *event;
        bool is_error; /* something could not be counted as it should */
} oddities[OB_ODDITIES] = {
        [OB_ODD_CELL] = { "bad_cell", true },
        [OB_ODD_RESET] = { "reset", false },
        [OB_ODD_BEHIND] = { "behind", false },
        [OB_ODD_DUPLICATE] = { "duplicate_key", false },
        [OB_ODD_CHANGED] = { "row_changed", true },
};

void ob_feed_init(struct ob_feed *f)
{
        f->delta = deltas[ob_source_shape(f->source)];
        for (unsigned i = 0; f->states && i < f->source->n_columns; i++)
                f->clues[i] = ob_states_clue(f->source->columns[i].name);
        f->events = ob_events_new(f);
        f->told_plan = ob_copy("");
        f->told_missing = ob_copy("");
}

void ob_feed_fini(struct ob_feed *f)
{
        if (f->delta)
                f->delta->reset(f);
        ob_events_free(f->events);
        ob_outbox_free(&f->outbox);
        ob_reader_free(f->reader);
        free(f->told_plan);
        free(f->told_missing);
}

void ob_feed_tell(struct ob_feed *f, enum ob_oddity what, const char *column, const char *id, const char *why)
{
        int64_t n = ob_tell(&f->tells[what], 1);

        f->counters->errors += oddities[what].is_error;
        if (n)
                ob_log(OB_LOG_WARN, "source=%s event=%s table=%s column=%s id=%.40s times=%lld why=\"%s\"", f->name,
                        oddities[what].event, f->source->table, column, id, (long long)n, why);
}

/* Says something about the source when it is not what was said last. */
static bool is_news(char **told, const char *text)
{
        if (!strcmp(*told, text))
                return false;
        free(*told);
        *told = ob_copy(text);
        return true;
}

static void tell_plan(struct ob_feed *f)
{
        if (is_news(&f->told_plan, f->reader->plan))
                ob_log(OB_LOG_INFO, "source=%s event=plan table=%s reads=\"%s\"", f->name, f->source->table,
                        f->reader->plan);
        if (!is_news(&f->told_missing, f->reader->missing) || !*f->reader->missing)
                return;
        f->counters->errors++;
        ob_log(OB_LOG_WARN,
                "source=%s event=columns_missing table=%s columns=\"%s\" why=\"the table has none of "
                "these; their metrics are left out\"",
                f->name, f->source->table, f->reader->missing);
}

/* Whether a standing is that of a database which is another one than that which was read before. */
static bool is_changed(const struct ob_feed *f, const struct ob_standing *next)
{
        return f->standing.known && strcmp(f->standing.identity, next->identity) != 0;
}

bool ob_feed_is_doubtful(const struct ob_feed *f)
{
        return f->changed != INT64_MIN && llabs(f->now - f->changed) <= f->source->overlap;
}

static int write_all(struct ob_feed *f, const struct ob_standing *next, ob_feed_stage_fn *stage, struct ob_err *err)
{
        if (ob_store_begin(f->store, err))
                return -1;
        if (ob_outbox_put(&f->outbox, f->store, err) || ob_store_put_standing(f->store, f->name, next, err) ||
                (is_changed(f, next) && ob_store_put_changed(f->store, f->name, f->changed, err)) ||
                ob_events_stage(f, err) || (stage && stage(f, err))) {
                ob_store_rollback(f->store);
                return -1;
        }
        return ob_store_commit(f->store, err);
}

int ob_feed_commit(struct ob_feed *f, const struct ob_standing *next, ob_feed_stage_fn *stage, struct ob_err *err)
{
        bool got_room;

        ob_outbox_close(&f->outbox);
        f->counters->health.is_waiting = true;
        got_room = !f->outbox.bytes || ob_queue_reserve(f->queue, f->outbox.bytes, f->stop);
        f->counters->health.is_waiting = false;
        ob_health_promise(&f->counters->health, f->counters->busy_ms);
        if (!got_room)
                return 1;
        if (write_all(f, next, stage, err)) {
                ob_queue_release(f->queue, f->outbox.bytes);
                return -1;
        }
        if (f->outbox.points)
                ob_queue_publish(f->queue, f->outbox.points);
        ob_events_staged(f->events);
        f->standing = *next;
        ob_outbox_start(&f->outbox, f->now);
        f->page_at = ob_clock_ms();
        return 0;
}

/* Begins by the source's setting. */
static struct ob_standing first_standing(const struct ob_feed *f)
{
        return (struct ob_standing) {
                .known = true,
                .cursor = INT64_MIN,
                .since = ob_start_time(&f->source->start, f->now),
                .floor = INT64_MIN,
                .again = INT64_MIN,
                .newest = INT64_MIN,
        };
}

/* Notes where the source is read from; a source that was never read begins by its setting. */
static int begin(struct ob_feed *f, const struct ob_reading *at, struct ob_err *err)
{
        struct ob_standing next = f->standing.known ? f->standing : first_standing(f);

        if (f->standing.known && !*next.identity) {
                ob_log(OB_LOG_WARN,
                        "source=%s event=rewound why=\"rows that were counted before go only to Graphite, "
                        "which may be told again\"",
                        f->name);
                if (next.again == OB_AGAIN_ALL)
                        next.again = f->now;
        }
        if (f->standing.known && *next.identity)
                ob_log(OB_LOG_WARN, "source=%s event=database_changed was=%s is=%s", f->name, next.identity,
                        f->reader->identity);
        strncpy(next.identity, f->reader->identity, sizeof(next.identity) - 1);
        next.identity[sizeof(next.identity) - 1] = '\0';
        if (f->standing.known)
                f->changed = f->now;
        return f->delta->begin(f, at, next, err);
}

/* Reads what the store knows of the source, where that is not known by heart. */
static int load(struct ob_feed *f, struct ob_err *err)
{
        if (!f->is_loaded) {
                f->changed = INT64_MIN;
                if (ob_store_get_standing(f->store, f->name, &f->standing, err) ||
                        ob_store_get_changed(f->store, f->name, &f->changed, err) < 0)
                        return -1;
        }
        return ob_events_load(f, err);
}

static int poll_once(struct ob_feed *f, struct ob_err *err)
{
        struct ob_reading at = { .has_rows = false };

        if (f->reader->ops->open(f->reader, err))
                return -1;
        tell_plan(f);
        if (load(f, err))
                return -1;
        f->is_loaded = true;
        if (f->reader->ops->look(f->reader, &at, err))
                return -1;
        f->now = at.now;
        f->page_at = ob_clock_ms();
        f->has_unsettled = false;
        ob_outbox_start(&f->outbox, f->now);
        if ((!f->standing.known || strcmp(f->standing.identity, f->reader->identity) != 0) && begin(f, &at, err))
                return -1;
        return f->delta->poll(f, &at, err);
}

int ob_feed_poll(struct ob_feed *f, struct ob_err *err)
{
        int got = poll_once(f, err);

        if (!got)
                return 0;
        /* What we know by heart may be ahead of what was committed. */
        f->delta->reset(f);
        ob_events_reset(f->events);
        f->is_loaded = false;
        return got;
}
