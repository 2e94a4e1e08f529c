#include "agent/process/log.h"
#include "agent/source/delta_log.h"
#include "agent/source/row.h"

#define NOWHERE   INT64_MAX /* the id from which on nothing is forgotten */
#define FIRST_IDS 10        /* the ids that a table begins with: one of each of so many masters */

/*
 * The id to begin at so that no row as new as `time` is missed, as far as ids follow the clock: by halving,
 * since the primary key is the one index that every table has.
 */
static int seek(struct ob_task *f, const struct ob_reading *at, int64_t time, int64_t *id, struct ob_err *err)
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

static int stage_forget(struct ob_task *f, struct ob_err *err)
{
        return ob_seen_ids_forget_from(f->outbox.store, f->name, ob_log_state(f)->forget_from, err);
}

/* Forgets the seen ids from `from` on, and goes on at `next`. */
static int commit(struct ob_task *f, const struct ob_checkpoint *next, int64_t from, struct ob_err *err)
{
        ob_log_state(f)->forget_from = from;
        ob_outbox_start(&f->outbox, f->now);
        return ob_task_commit(f, next, stage_forget, err);
}

/* Of a page: rows that could have been counted, how many of these were, and those of which that is not kept. */
struct compared {
        size_t old, seen_ids, forgotten;
};

static int compare_page(struct ob_task *f, const struct ob_rows *rows, struct compared *n, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);

        ob_seen_ids_start(&l->seen_ids);
        for (size_t i = 0; i < rows->n; i++) {
                const char *const *row = rows->cells + i * rows->width;
                const struct ob_seen_chunk *c;
                int64_t id, time;

                if (!ob_row_cursor(f, row, &id) || !ob_row_time(f, row, OB_TIME, &time) ||
                        time > f->checkpoint.newest)
                        continue;
                c = ob_seen_ids_find(&l->seen_ids, f->outbox.store, f->name, id, err);
                if (!c)
                        return -1;
                if (!c->is_known && time < ob_log_before(f->checkpoint.newest, OB_LOG_KEEP)) {
                        n->forgotten++;
                        continue;
                }
                n->old++;
                n->seen_ids += ob_seen_ids_has(c, id) && time <= c->stored_newest;
        }
        return 0;
}

/*
 * Whether the rows are those that were counted: on a replica, or where only some were deleted. Then the ids that
 * were seen say what was counted, and a row that comes late is not taken for an old one. Half of them are enough:
 * of another table it is none, and of a copy nearly all, unless most of the few rows there are came late. A copy
 * that is more than a day behind has only rows of which it is not kept whether they were counted.
 */
static int is_same_table(struct ob_task *f, int64_t from, bool *is_same, bool *is_old, struct ob_err *err)
{
        struct ob_rows rows;
        struct compared n = { .old = 0 };

        if (f->reader->ops->read(f->reader, from, (unsigned)f->source->batch, &rows, err) ||
                compare_page(f, &rows, &n, err))
                return -1;
        *is_old = n.forgotten > 0;
        *is_same = n.old ? n.seen_ids * 2 >= n.old : *is_old;
        return 0;
}

/* Old is what is no newer than what was counted: rows wait until they settle, so what is new is newer. */
static void skip_counted(struct ob_checkpoint *next)
{
        if (next->newest != INT64_MIN && next->since <= next->newest)
                next->since = next->newest + 1;
}

/*
 * The same rows, so the bits say what was counted; but for those that are older than bits are kept, which were. The
 * cursor may go back, and never forth: what is behind it was not read yet.
 */
static void go_on(const struct ob_task *f, bool is_old, struct ob_checkpoint *next)
{
        int64_t last = f->checkpoint.cursor, kept = ob_log_before(next->newest, OB_LOG_KEEP);

        if (next->cursor > last)
                next->cursor = last;
        if (is_old && next->since < kept)
                next->since = kept;
        if (is_old && next->floor < last)
                next->floor = last;
}

/* Another table: nothing that is as old as what was counted is counted, in what is there now. */
static void go_on_elsewhere(const struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint *next)
{
        skip_counted(next);
        if (next->floor < f->checkpoint.cursor)
                next->floor = f->checkpoint.cursor;
        if (at->has_rows && next->floor < at->max_id)
                next->floor = at->max_id;
}

bool ob_log_may_be_behind(const struct ob_task *f)
{
        return !ob_log_has_time(f) && ob_task_is_doubtful(f);
}

/* Nothing tells new rows from old but their ids: where these went back, the table began anew, or is a copy. */
static int begin_by_ids(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        bool is_anew = at->has_rows && at->max_id < next.cursor && !ob_task_is_doubtful(f);

        if (is_anew)
                next.cursor = next.floor = INT64_MIN;
        return commit(f, &next, is_anew ? INT64_MIN : NOWHERE, err);
}

/*
 * Begins anew where the clock of what was counted last was. Nothing of before is counted again: neither ids that
 * were seen nor, where the table is another one, rows that are older than the newest one that was counted.
 */
static int begin_again(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        bool is_same = false, is_old = false;
        int64_t from;

        if (!ob_log_has_time(f))
                return begin_by_ids(f, at, next, err);
        if (seek(f, at, ob_log_before(next.newest, f->source->overlap), &from, err) ||
                is_same_table(f, from < next.cursor ? from : next.cursor, &is_same, &is_old, err))
                return -1;
        next.cursor = from;
        if (is_same)
                go_on(f, is_old, &next);
        else
                go_on_elsewhere(f, at, &next);
        return commit(f, &next, NOWHERE, err);
}

/*
 * Leaves out Graphite's step of the oldest row, of which some rows may be purged: it would be drawn anew with too
 * little. A table that still has its first rows was not purged.
 */
static int skip_purged(struct ob_task *f, int64_t *since, struct ob_err *err)
{
        int64_t oldest = INT64_MAX, time, id;
        struct ob_rows rows;

        if (!f->step)
                return 0;
        if (f->reader->ops->read(f->reader, INT64_MIN, (unsigned)f->source->batch, &rows, err))
                return -1;
        if (rows.n && ob_row_cursor(f, rows.cells, &id) && id <= FIRST_IDS)
                return 0;
        for (size_t i = 0; i < rows.n; i++)
                if (ob_row_time(f, rows.cells + i * rows.width, OB_TIME, &time) && time < oldest)
                        oldest = time;
        if (oldest != INT64_MAX && *since <= oldest)
                *since = (oldest / f->step + 1) * f->step;
        return 0;
}

int ob_log_begin(struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        if (next.newest != INT64_MIN || next.cursor != INT64_MIN)
                return begin_again(f, at, next, err);
        next.floor = at->has_rows ? at->max_id : INT64_MIN;
        if ((next.counted_before != INT64_MIN || f->source->until) && skip_purged(f, &next.since, err))
                return -1;
        if (!ob_log_has_time(f) && next.since != INT64_MIN)
                next.cursor = next.floor;
        if (ob_log_has_time(f) && seek(f, at, ob_log_before(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        return commit(f, &next, NOWHERE, err);
}

int ob_log_begin_below(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        ob_log(OB_LOG_WARN,
                "source=%s event=ids_went_back table=%s was=%lld is=%lld why=\"rows were deleted, or the table was "
                "emptied or restored; what was counted before is not counted again\"",
                f->name, f->source->table, (long long)f->checkpoint.cursor, (long long)at->max_id);
        return begin_again(f, at, f->checkpoint, err);
}

int ob_log_begin_remade(struct ob_task *f, const struct ob_reading *at, int64_t id, struct ob_err *err)
{
        struct ob_checkpoint next = f->checkpoint;

        ob_log(OB_LOG_WARN,
                "source=%s event=ids_reused table=%s id=%lld why=\"the table was emptied or restored; what is "
                "older than what was counted last is not counted\"",
                f->name, f->source->table, (long long)id);
        skip_counted(&next);
        if (next.floor < next.cursor)
                next.floor = next.cursor;
        if (seek(f, at, ob_log_before(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        return commit(f, &next, id, err);
}
