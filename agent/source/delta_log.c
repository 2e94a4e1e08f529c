/*
 * Rows that are added and stay as they are: each id is counted once.
 *
 * Ids do not become visible in their order (several managers, two masters, open transactions), so the
 * cursor alone would miss some. Each poll reads again from the first chunk of ids that had a row inside the
 * overlap, and leaves out the ids that were counted, of which the store has a bit each.
 */
#include <stdlib.h>

#include "agent/process/log.h"
#include "agent/source/row.h"
#include "agent/source/seen.h"
#include "proto/memory.h"
#include "proto/number.h"

#define KEEP_SEEN_SECONDS 86400 /* how long the bits of counted ids are kept */
#define WRONG_CLOCK       60    /* seconds: a row from so far in the future does not wait until its time */
#define NEW_STARTS_MAX    3     /* in one poll */

/* A page of rows on its way. */
struct log {
        struct ob_seen seen;
        struct ob_standing next;
        int64_t rows, late;
        bool is_changed; /* there is something to commit */
        bool is_held;    /* there is a row that is too young: the cursor stays before it */
        bool is_priming; /* the first poll: what has no time is taken as old */
        bool is_remade;  /* a row was counted once and is a new one now: this one */
        int64_t remade;
        int64_t forget_from; /* id, for the stage */
};

static struct log *state(struct ob_feed *f)
{
        if (!f->state)
                f->state = ob_alloc(1, sizeof(struct log));
        return f->state;
}

static void reset_log(struct ob_feed *f)
{
        struct log *l = f->state;

        if (l)
                ob_seen_free(&l->seen);
        free(l);
        f->state = NULL;
}

static bool has_time(const struct ob_feed *f)
{
        int column = ob_source_find(f->source, OB_TIME);

        return column >= 0 && f->reader->has[column];
}

static int64_t less(int64_t time, int64_t seconds)
{
        return time < INT64_MIN + seconds ? INT64_MIN : time - seconds;
}

/*
 * The id to begin at so that no row as new as `time` is missed, as far as ids follow the clock: by halving,
 * since the primary key is the one index that every table has.
 */
static int seek(struct ob_feed *f, const struct ob_reading *at, int64_t time, int64_t *id, struct ob_err *err)
{
        __int128 low = INT64_MIN, high = at->max_id; /* not behind it: MAX(ID) below the cursor means something */

        *id = INT64_MIN;
        if (time == INT64_MIN || !at->has_rows)
                return 0;
        while (low < high) {
                __int128 middle = low + (high - low) / 2;
                struct ob_rows rows;
                int64_t found, found_time;

                if (f->reader->ops->read(f->reader, (int64_t)middle, 1, &rows, err))
                        return -1;
                if (rows.n && ob_row_time(f, rows.cells, OB_TIME, &found_time) && found_time < time &&
                        ob_row_cursor(f, rows.cells, &found))
                        low = (__int128)found + 1;
                else
                        high = middle;
        }
        *id = (int64_t)(low > at->max_id ? at->max_id : low);
        return 0;
}

static int stage_forget(struct ob_feed *f, struct ob_err *err)
{
        return ob_seen_forget_from(f->store, f->name, state(f)->forget_from, err);
}

/*
 * Begins anew where the clock of what was counted last was: behind a TRUNCATE, in a restored table, on another
 * server. Nothing of before is counted again: rows older than the newest one that was counted, and ids
 * below `from` that were seen.
 */
static int start_over(
        struct ob_feed *f, const struct ob_reading *at, struct ob_standing next, int64_t from, struct ob_err *err)
{
        if (next.since < next.newest)
                next.since = next.newest;
        if (!has_time(f) && next.cursor > at->max_id) /* nothing tells new rows from old: they count as new */
                next.cursor = from = INT64_MIN;
        if (has_time(f) && seek(f, at, less(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        state(f)->forget_from = from;
        ob_outbox_start(&f->outbox, f->now);
        return ob_feed_commit(f, &next, stage_forget, err);
}

/* Without times, "now" is the highest id: all up to it pass as seen. */
static int stage_all_seen(struct ob_feed *f, struct ob_err *err)
{
        int64_t last = f->standing.cursor;
        struct log *l = state(f);
        struct ob_seen_chunk *c;

        ob_seen_start(&l->seen);
        c = ob_seen_find(&l->seen, f->store, f->name, last, err);
        if (!c)
                return -1;
        for (int64_t id = ob_seen_first_id(c->chunk.number); id <= last; id++)
                ob_seen_add(c, id, f->now);
        return ob_seen_put(&l->seen, f->store, f->name, err);
}

static int begin_log(struct ob_feed *f, const struct ob_reading *at, struct ob_standing next, struct ob_err *err)
{
        bool is_new = next.newest == INT64_MIN && next.cursor == INT64_MIN;

        if (!is_new)
                return start_over(
                        f, at, next, at->has_rows && at->max_id < INT64_MAX ? at->max_id + 1 : INT64_MAX, err);
        state(f)->is_priming = true;
        if (!has_time(f) && next.since != INT64_MIN && at->has_rows) {
                next.cursor = f->standing.cursor = at->max_id;
                return ob_feed_commit(f, &next, stage_all_seen, err);
        }
        if (has_time(f) && seek(f, at, less(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        return ob_feed_commit(f, &next, NULL, err);
}

static void note(struct log *l, struct ob_seen_chunk *c, int64_t id, int64_t time)
{
        ob_seen_add(c, id, time);
        l->is_changed = true;
}

static void count_row(struct ob_feed *f, const char *const *row, int64_t id, bool is_timed, int64_t time)
{
        struct log *l = state(f);
        struct ob_amounts amounts;

        if (is_timed ? time < l->next.since : l->is_priming && l->next.since != INT64_MIN)
                return;
        if (!is_timed && has_time(f))
                ob_feed_tell(f, OB_ODD_CELL, f->source->columns[ob_source_find(f->source, OB_TIME)].column,
                        ob_row_id(f, row), "no time; taken as now");
        ob_row_amounts(f, row, &amounts);
        ob_row_emit(f, row, is_timed ? time : f->now, &amounts);
        l->rows++;
        l->late += id < f->standing.cursor;
        if (is_timed && l->next.newest < time)
                l->next.newest = time < f->now ? time : f->now;
}

/* A row that was counted: it may have been changed since, which sends its readings again. */
static void count_again(struct ob_feed *f, const char *const *row)
{
        struct ob_amounts amounts;
        int64_t time;

        ob_feed_tell(f, OB_ODD_CHANGED, "-", ob_row_id(f, row),
                "it was counted before; its readings are sent again, its amounts are not");
        ob_row_amounts(f, row, &amounts);
        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (f->source->columns[i].role != OB_VALUE && f->source->columns[i].role != OB_PEAK)
                        amounts.has[i] = false;
        ob_row_emit(f, row, ob_row_time(f, row, OB_TIME, &time) ? time : f->now, &amounts);
}

static bool is_young(const struct ob_feed *f, int64_t settled)
{
        return settled > f->now - f->source->settle && settled <= f->now + WRONG_CLOCK;
}

static int take_row(struct ob_feed *f, const char *const *row, struct ob_err *err)
{
        struct log *l = state(f);
        int64_t id, time = 0, settled = 0, last;
        bool is_timed = ob_row_time(f, row, OB_TIME, &time);
        struct ob_seen_chunk *c;

        if (!ob_row_cursor(f, row, &id))
                return 0;
        c = ob_seen_find(&l->seen, f->store, f->name, id, err);
        if (!c)
                return -1;
        if (!ob_row_time(f, row, OB_SETTLED, &settled))
                settled = time;
        last = settled > time ? settled : time;
        if (!ob_seen_has(c, id)) {
                if (is_young(f, settled)) {
                        l->is_held = f->has_unsettled = true;
                        return 0;
                }
                count_row(f, row, id, is_timed, time);
                note(l, c, id, last ? last : f->now);
        } else if (is_timed && time > c->stored_newest) {
                l->is_remade = true;
                l->remade = id;
                return 0;
        } else if (settled > c->stored_newest) {
                count_again(f, row);
                note(l, c, id, last);
        }
        if (!l->is_held && l->next.cursor < id) {
                l->next.cursor = id;
                l->is_changed = true;
        }
        return 0;
}

static int stage_page(struct ob_feed *f, struct ob_err *err)
{
        return ob_seen_put(&state(f)->seen, f->store, f->name, err);
}

/* One page. 1: there may be more, from `*from` on. */
static int take_page(struct ob_feed *f, int64_t *from, bool *is_last, struct ob_err *err)
{
        struct log *l = state(f);
        struct ob_rows rows;
        int got;

        if (f->reader->ops->read(f->reader, *from, (unsigned)f->source->batch, &rows, err))
                return -1;
        l->next = f->standing;
        l->rows = l->late = 0;
        l->is_changed = false;
        ob_seen_start(&l->seen);
        for (size_t i = 0; i < rows.n && !l->is_remade; i++)
                if (take_row(f, rows.cells + i * rows.width, err))
                        return -1;
        *is_last = rows.n < (size_t)f->source->batch;
        if (rows.n && (!ob_row_cursor(f, rows.cells + (rows.n - 1) * rows.width, from) || (*from)++ == INT64_MAX))
                *is_last = true;
        if (l->is_remade || !l->is_changed)
                return 0;
        got = ob_feed_commit(f, &l->next, stage_page, err);
        if (got)
                return got;
        f->counters->rows += l->rows;
        f->counters->late_rows += l->late;
        return 0;
}

static int read_pages(struct ob_feed *f, struct ob_err *err)
{
        struct log *l = state(f);
        int64_t from = f->standing.cursor, chunk;
        bool is_last = false;
        int got = ob_store_first_chunk_since(f->store, f->name, less(f->now, f->source->overlap), &chunk, err);

        if (got < 0)
                return -1;
        if (got && ob_seen_first_id(chunk) < from)
                from = ob_seen_first_id(chunk);
        l->is_held = l->is_remade = false;
        while (!is_last && !l->is_remade) {
                got = ob_stop_is_wanted(f->stop) ? 1 : take_page(f, &from, &is_last, err);
                if (got)
                        return got;
        }
        return 0;
}

/* Bits are kept for a day, and for the cursor itself, by which a table that began anew is known. */
static int forget_old(struct ob_feed *f, struct ob_err *err)
{
        int64_t keep = ob_seen_chunk_of(f->standing.cursor), chunk;
        int got = ob_store_first_chunk_since(f->store, f->name, less(f->now, KEEP_SEEN_SECONDS), &chunk, err);

        if (got < 0)
                return -1;
        if (got && chunk < keep)
                keep = chunk;
        return ob_store_forget_chunks_below(f->store, f->name, keep, err);
}

static int poll_log(struct ob_feed *f, const struct ob_reading *at, struct ob_err *err)
{
        struct log *l = state(f);
        int64_t rows = f->counters->rows;
        int got;

        if (at->has_rows && at->max_id < f->standing.cursor) {
                ob_log(OB_LOG_WARN,
                        "source=%s event=ids_went_back table=%s was=%lld is=%lld why=\"rows were deleted, "
                        "or the table was emptied or restored; what is older than what was counted last is not counted\"",
                        f->name, f->source->table, (long long)f->standing.cursor, (long long)at->max_id);
                got = start_over(f, at, f->standing, at->max_id + 1, err);
                if (got)
                        return got;
        }
        got = read_pages(f, err);
        for (int i = 0; !got && l->is_remade && i < NEW_STARTS_MAX; i++) {
                ob_log(OB_LOG_WARN,
                        "source=%s event=ids_used_again table=%s id=%lld why=\"the table was emptied or "
                        "restored; what is older than what was counted last is not counted\"",
                        f->name, f->source->table, (long long)l->remade);
                got = start_over(f, at, f->standing, l->remade, err);
                if (!got)
                        got = read_pages(f, err);
        }
        if (got)
                return got;
        l->is_priming = false;
        return rows != f->counters->rows ? forget_old(f, err) : 0;
}

const struct ob_delta_ops ob_delta_log = {
        .begin = begin_log,
        .poll = poll_log,
        .reset = reset_log,
};
