/*
 * Rows that are added and stay as they are: each id is counted once.
 *
 * Ids do not become visible in their order (several managers, two masters, open transactions), so the
 * cursor alone would miss some. Each poll reads again from the first chunk of ids that had a row inside the
 * overlap, and leaves out the ids that were counted, of which the store has a bit each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/process/clock.h"
#include "agent/source/delta_log.h"
#include "agent/source/row.h"
#include "proto/memory.h"
#include "proto/number.h"

#define WRONG_CLOCK    60 /* seconds: a row from so far in the future does not wait until its time */
#define NEW_STARTS_MAX 3  /* in one poll */

struct ob_log *ob_log_state(struct ob_task *f)
{
        if (!f->state) {
                struct ob_log *l = f->state = ob_alloc(1, sizeof(*l));

                l->before_rewind_name = ob_format("%s" OB_BEFORE_REWIND, f->name);
        }
        return f->state;
}

static void reset_log(struct ob_task *f)
{
        struct ob_log *l = f->state;

        if (!l)
                return;
        ob_seen_ids_free(&l->seen_ids);
        ob_seen_ids_free(&l->before_rewind);
        free(l->before_rewind_name);
        free(l);
        f->state = NULL;
}

bool ob_log_has_time(const struct ob_task *f)
{
        int column = ob_source_find(f->source, OB_TIME);

        return column >= 0 && f->reader->has[column];
}

int64_t ob_log_before(int64_t time, int64_t seconds)
{
        return time < INT64_MIN + seconds ? INT64_MIN : time - seconds;
}

static void note(struct ob_log *l, struct ob_seen_chunk *c, int64_t id, int64_t time)
{
        ob_seen_ids_add(c, id, time);
        l->is_changed = true;
}

/* Whether an id whose chunk is not kept was counted before the source was rewound: those of old are not kept. */
static int was_forgotten(struct ob_task *f, int64_t id, struct ob_err *err)
{
        int64_t first;
        int got = ob_store_first_chunk_since(
                f->outbox.store, ob_log_state(f)->before_rewind_name, INT64_MIN, &first, err);

        return got < 0 ? -1 : !got || ob_seen_chunk_of(id) < first;
}

/* Whom a row is told to that may have been counted before the source was rewound. */
static int find_deliver_to(struct ob_task *f, int64_t id, int64_t time, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        const struct ob_seen_chunk *c;
        int was_counted;

        f->deliver_to = OB_TO_ALL;
        if (time >= l->next.counted_before)
                return 0;
        c = ob_seen_ids_find(&l->before_rewind, f->outbox.store, l->before_rewind_name, id, err);
        if (!c)
                return -1;
        was_counted = c->is_known ? ob_seen_ids_has(c, id) : was_forgotten(f, id, err);
        if (was_counted > 0)
                f->deliver_to = OB_TO_IDEMPOTENT;
        return was_counted < 0 ? -1 : 0;
}

static int count_row(
        struct ob_task *f, const char *const *row, int64_t id, bool is_timed, int64_t time, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        struct ob_amounts amounts;

        if (id <= l->next.floor && l->next.since != INT64_MIN && (!is_timed || time < l->next.since))
                return 0;
        if (f->source->until && (!is_timed || time >= f->source->until))
                return 0;
        if (!is_timed && ob_log_has_time(f))
                ob_task_log_once(f, OB_FAULT_CELL, f->source->columns[ob_source_find(f->source, OB_TIME)].column,
                        ob_row_id(f, row), "no time; taken as now");
        if (find_deliver_to(f, id, is_timed ? time : f->now, err))
                return -1;
        row = ob_events_parts(f, row);
        time = is_timed ? time : f->now;
        if (ob_events_is_duplicate(f, row, time))
                return 0;
        ob_row_amounts(f, row, &amounts);
        ob_row_emit(f, row, time, &amounts);
        ob_events_note(f, row, time);
        l->rows++;
        l->late += id < f->checkpoint.cursor;
        if (is_timed && l->next.newest < time)
                l->next.newest = time < f->now ? time : f->now;
        return 0;
}

/* A row that was counted: it may have been changed since, which sends its readings again. */
static void count_again(struct ob_task *f, const char *const *row)
{
        struct ob_amounts amounts;
        int64_t time;

        ob_task_log_once(f, OB_FAULT_CHANGED, "-", ob_row_id(f, row),
                "it was counted before; its readings are sent again, its amounts are not");
        f->deliver_to = OB_TO_ALL;
        row = ob_events_parts(f, row);
        ob_row_amounts(f, row, &amounts);
        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (f->source->columns[i].role != OB_VALUE && f->source->columns[i].role != OB_PEAK)
                        amounts.has[i] = false;
        ob_row_emit(f, row, ob_row_time(f, row, OB_TIME, &time) ? time : f->now, &amounts);
}

static bool is_young(const struct ob_task *f, int64_t settled)
{
        return settled > f->now - f->source->settle && settled <= f->now + WRONG_CLOCK;
}

static int take_row(struct ob_task *f, const char *const *row, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        int64_t id, time = 0, settled = 0, last;
        bool is_timed = ob_row_time(f, row, OB_TIME, &time);
        struct ob_seen_chunk *c;

        if (!ob_row_cursor(f, row, &id))
                return 0;
        c = ob_seen_ids_find(&l->seen_ids, f->outbox.store, f->name, id, err);
        if (!c)
                return -1;
        if (!ob_row_time(f, row, OB_SETTLED, &settled))
                settled = time;
        last = settled > time ? settled : time;
        if (!ob_seen_ids_has(c, id)) {
                if (is_young(f, settled)) {
                        l->is_held = f->has_unsettled = true;
                        return 0;
                }
                if (count_row(f, row, id, is_timed, time, err))
                        return -1;
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

static int stage_page(struct ob_task *f, struct ob_err *err)
{
        return ob_seen_ids_put(&ob_log_state(f)->seen_ids, f->outbox.store, f->name, err);
}

/* What it would have told is told when its rows are read again. */
static int abandon_page(struct ob_task *f, struct ob_err *err)
{
        ob_outbox_start(&f->outbox, f->now);
        ob_events_reset(f->events);
        return ob_events_load(f, err);
}

/* A row that is too large to be read counts as seen, so that it is told of once. */
static int leave_out(struct ob_task *f, int64_t id, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        struct ob_seen_chunk *c = ob_seen_ids_find(&l->seen_ids, f->outbox.store, f->name, id, err);
        char text[24];

        if (!c)
                return -1;
        if (ob_seen_ids_has(c, id))
                return 0;
        snprintf(text, sizeof(text), "%" PRId64, id);
        ob_task_log_once(f, OB_FAULT_CELL, "-", text, OB_ROW_TOO_LARGE);
        note(l, c, id, f->now);
        if (!l->is_held && l->next.cursor < id)
                l->next.cursor = id;
        return 0;
}

/* One page. 1: there may be more, from `*from` on. */
static int take_page(struct ob_task *f, int64_t *from, bool *is_last, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        struct ob_rows rows;
        int got;

        if (f->reader->ops->read(f->reader, *from, (unsigned)f->source->batch, &rows, err))
                return -1;
        l->next = f->checkpoint;
        l->rows = l->late = 0;
        l->is_changed = false;
        ob_seen_ids_start(&l->seen_ids);
        ob_seen_ids_start(&l->before_rewind);
        for (size_t i = 0; i < rows.n && !l->is_remade; i++)
                if (take_row(f, rows.cells + i * rows.width, err))
                        return -1;
        if (rows.is_skipped && leave_out(f, rows.skipped, err))
                return -1;
        *is_last = !rows.has_more && !rows.is_skipped;
        if (rows.is_skipped)
                *from = rows.skipped;
        if ((rows.n && !ob_row_cursor(f, rows.cells + (rows.n - 1) * rows.width, from)) || *from == INT64_MAX)
                *is_last = true;
        else if (rows.n || rows.is_skipped)
                (*from)++;
        if (l->is_remade)
                return abandon_page(f, err);
        if (!l->is_changed)
                return 0;
        got = ob_task_commit(f, &l->next, stage_page, err);
        if (got)
                return got;
        if (f->counters->read_upto < f->checkpoint.newest)
                f->counters->read_upto = f->checkpoint.newest;
        f->counters->rows += l->rows;
        f->counters->late_rows += l->late;
        return 0;
}

int ob_log_read(struct ob_task *f, int64_t from, int64_t last, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        bool is_last = false;

        l->is_held = l->is_remade = false;
        while (!is_last && !l->is_remade && from <= last) {
                int got = ob_stop_is_wanted(f->outbox.stop) ? 1 : take_page(f, &from, &is_last, err);

                if (got)
                        return got;
        }
        return 0;
}

/* All from the cursor on, and what is inside the overlap. */
static int read_new(struct ob_task *f, struct ob_err *err)
{
        int64_t from = f->checkpoint.cursor, chunk;
        int got = ob_store_first_chunk_since(
                f->outbox.store, f->name, ob_log_before(f->now, f->source->overlap), &chunk, err);

        if (got < 0)
                return -1;
        if (got && ob_seen_ids_first_id(chunk) < from)
                from = ob_seen_ids_first_id(chunk);
        return ob_log_read(f, from, INT64_MAX, err);
}

/*
 * Bits are kept for a day, and for the cursor itself, by which a table that began anew is known. The day ends with
 * what was counted last, not now: a server that takes the place of this one has to be told what of its rows was
 * counted.
 */
static int forget_old(struct ob_task *f, struct ob_err *err)
{
        int64_t newest = f->checkpoint.newest, chunk, keep = ob_seen_chunk_of(f->checkpoint.cursor);
        int64_t end = newest != INT64_MIN && newest < f->now ? newest : f->now;
        int got =
                ob_store_first_chunk_since(f->outbox.store, f->name, ob_log_before(end, OB_LOG_KEEP), &chunk, err);

        if (got < 0)
                return -1;
        if (got && chunk < keep)
                keep = chunk;
        return ob_store_forget_chunks_below(f->outbox.store, f->name, keep, err);
}

/* Rows that were made anew: the table, or a part of it, begins again. */
static int follow_remade(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        struct ob_log *l = ob_log_state(f);
        int got = 0;

        for (int i = 0; !got && l->is_remade && i < NEW_STARTS_MAX; i++) {
                got = ob_log_begin_remade(f, at, l->remade, err);
                if (!got)
                        got = read_new(f, err);
        }
        return got;
}

static int poll_log(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        int64_t rows = f->counters->rows;
        int got = 0;

        if (at->has_rows && at->max_id < f->checkpoint.cursor && !ob_log_may_be_behind(f))
                got = ob_log_begin_below(f, at, err);
        if (!got)
                got = read_new(f, err);
        if (!got)
                got = follow_remade(f, at, err);
        if (!got && rows != f->counters->rows)
                got = forget_old(f, err);
        if (!got)
                got = ob_log_audit(f, err);
        if (!got)
                got = follow_remade(f, at, err);
        if (!got && ob_events_sum_up(f))
                got = ob_task_commit(f, &f->checkpoint, NULL, err);
        return got;
}

const struct ob_delta_ops ob_delta_log = {
        .begin = ob_log_begin,
        .poll = poll_log,
        .reset = reset_log,
};
