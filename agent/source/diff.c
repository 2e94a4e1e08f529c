/*
 * Rows that change in place: each poll reads the whole table and compares it with the poll before.
 *
 * Several rows may have the same key (in Otter's TABLE_STAT, when two writers raced). Then Otter adds every later
 * amount to each of them. So one row of a key is tracked as long as it exists: the row that had the lowest id when
 * the key was first read.
 */
#include "agent/source/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/decode.h"
#include "agent/source/series_cache.h"
#include "agent/source/tracked_rows.h"
#include "agent/source/transaction.h"
#include "config/config.h"
#include "proto/memory.h"
#include "proto/number.h"

/* What a source keeps from poll to poll, and the data of one poll. */
struct state {
        struct ob_tracked_rows known;
        struct ob_bytes key; /* of the row that is looked up */
        bool is_loaded;
        uint64_t poll;
        int64_t last;                       /* the clock of the last whole poll */
        struct ob_tracked_row **successors; /* ours, the array */
        size_t n_successors, room_successors;
        int64_t rows;
        int64_t sent;   /* when all gauges were sent, in the source's clock; 0: not since the state was reset */
        bool sends_all; /* this poll sends all gauges, also of rows that say nothing new */
        bool is_same;   /* the current row says nothing new */
};

static struct state *state(struct ob_task *f)
{
        if (!f->state) {
                struct state *s = f->state = ob_alloc(1, sizeof(*s));

                for (unsigned i = 0; i < f->source->n_columns; i++)
                        if (f->source->columns[i].role == OB_TOTAL)
                                ob_tracked_rows_add_total(&s->known, f->source->columns[i].column);
        }
        return f->state;
}

static void reset_state(struct ob_task *f)
{
        struct state *s = f->state;

        if (!s)
                return;
        ob_tracked_rows_free(&s->known);
        ob_bytes_free(&s->key);
        free(s->successors);
        free(s);
        f->state = NULL;
}

static int load(struct ob_task *f, struct ob_err *err)
{
        struct state *s = state(f);

        if (s->is_loaded)
                return 0;
        if (ob_tracked_rows_load(&s->known, f->outbox.store, f->name, err))
                return -1;
        s->last = f->checkpoint.newest;
        s->is_loaded = true;
        return 0;
}

static void mark_changed(struct ob_task *f, struct ob_tracked_row *e, bool is_row)
{
        ob_tracked_rows_mark_changed(&state(f)->known, e, is_row);
}

/* The base from which the amount of a total is counted. A total that was unknown has itself as base. */
enum base {
        BASE_LAST,    /* the last total: the difference is counted */
        BASE_HIGHEST, /* the same, but a smaller total does not replace the last one */
        BASE_ZERO,    /* zero: the whole total is counted */
        BASE_ITSELF   /* the total itself: the amount is unknown, and nothing is counted */
};

static int64_t amount_since(enum base base, int64_t total, int64_t known)
{
        switch (base) {
        case BASE_ZERO:
                return total;
        case BASE_LAST:
        case BASE_HIGHEST:
                return total < known ? 0 : ob_number_minus(total, known);
        case BASE_ITSELF:
                break;
        }
        return 0;
}

/* Replaces the total in `value` by its amount, and stores the total in `known`. True: there is an amount to count.
 */
static bool compare(
        struct ob_task *f, struct ob_tracked_row *e, int64_t *known, enum base base, struct ob_metric_value *value)
{
        int64_t total = value->whole;

        if (*known == OB_TOTAL_UNKNOWN && base != BASE_ZERO)
                base = BASE_ITSELF;
        if (base == BASE_HIGHEST && total < *known)
                total = *known;
        if (total != *known || base == BASE_ZERO || base == BASE_ITSELF)
                mark_changed(f, e, false);
        *value = ob_whole(amount_since(base, total, *known));
        *known = total;
        return base == BASE_ZERO || value->whole != 0;
}

/* Whether the amount needs more than 64 bits: the total was far below zero, and is far above zero now. */
static bool is_too_much(enum base base, int64_t total, int64_t known)
{
        int64_t ignored;

        return (base == BASE_LAST || base == BASE_HIGHEST) && known != OB_TOTAL_UNKNOWN && total > known &&
               __builtin_sub_overflow(total, known, &ignored);
}

static void compare_all(
        struct ob_task *f, const char *const *row, struct ob_tracked_row *e, enum base base, struct ob_amounts *a)
{
        int64_t *known = e->totals;
        bool is_counted = false;

        for (unsigned i = 0; i < f->source->n_columns; i++) {
                const struct ob_column *c = &f->source->columns[i];

                if (c->role != OB_TOTAL)
                        continue;
                if (base == BASE_ITSELF && !a->has[i])
                        *known = OB_TOTAL_UNKNOWN;
                if (a->has[i] && base == BASE_LAST && a->value[i].whole < *known)
                        ob_task_log_once(f, OB_FAULT_RESET, c->column, ob_row_id(f, row),
                                "the total became smaller; counting goes on from there");
                if (a->has[i] && is_too_much(base, a->value[i].whole, *known))
                        ob_task_log_once(f, OB_FAULT_CLAMPED, c->column, ob_row_id(f, row),
                                "the difference of two totals needs more than 64 bits; the largest number that 64 bits hold is counted");
                a->has[i] = a->has[i] && compare(f, e, known, base, &a->value[i]);
                is_counted |= a->has[i];
                known++;
        }
        state(f)->rows += is_counted;
}

static bool is_lower(const struct ob_task *f, const struct ob_tracked_row *e, const struct ob_amounts *a)
{
        const int64_t *known = e->totals;

        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (f->source->columns[i].role == OB_TOTAL && *known++ > a->value[i].whole && a->has[i])
                        return true;
        return false;
}

static void set_below(struct ob_task *f, struct ob_tracked_row *e, int64_t since)
{
        if (e->below_since != since)
                mark_changed(f, e, true);
        e->below_since = since;
}

/*
 * Returns the base of totals that became smaller. On the same server they were reset. Another server may be a copy
 * that is behind: then the highest total that was counted stays the base until the row is above it, or until the
 * row has been below it for longer than the overlap.
 */
static enum base base_of_lower(struct ob_task *f, const char *const *row, struct ob_tracked_row *e)
{
        bool is_held = e->below_since ? f->now - e->below_since <= f->source->overlap : ob_task_is_doubtful(f);

        if (!is_held) {
                set_below(f, e, 0);
                return BASE_LAST;
        }
        if (!e->below_since || f->now < e->below_since) /* the clock was set, or is another server's */
                set_below(f, e, f->now);
        ob_task_log_once(f, OB_FAULT_BEHIND, "-", ob_row_id(f, row),
                "the total is lower than on the server before: it may be a copy that is behind; counted is what is above");
        return BASE_HIGHEST;
}

/* Notes the facts of gauges that say nothing new, and does not send these gauges. */
static void leave_out_gauges(struct ob_task *f, const char *const *row, int64_t time, struct ob_amounts *a)
{
        ob_row_note(f, row, time, a);
        for (unsigned i = 0; i < f->source->n_columns; i++)
                if (f->source->columns[i].role != OB_TOTAL)
                        a->has[i] = false;
}

static void follow(struct ob_task *f, const char *const *row, struct ob_tracked_row *e, enum base base)
{
        struct ob_amounts amounts;
        int64_t time;

        if (!ob_row_time(f, row, OB_TIME, &time))
                time = f->now;
        ob_row_amounts(f, row, &amounts);
        if (base == BASE_LAST && is_lower(f, e, &amounts))
                base = base_of_lower(f, row, e);
        else
                set_below(f, e, 0);
        compare_all(f, row, e, base, &amounts);
        if (state(f)->is_same && !state(f)->sends_all)
                leave_out_gauges(f, row, time, &amounts);
        ob_row_emit(f, row, time, &amounts);
}

static int64_t made_of(struct ob_task *f, const char *const *row)
{
        int64_t made;

        return ob_row_time(f, row, OB_MADE, &made) ? made : INT64_MIN;
}

/* Whether the id of a row is above all ids of the last poll. Unlike a clock, an id is never set back. */
static bool is_added(const struct ob_task *f, int64_t id)
{
        return f->first[OB_CURSOR] >= 0 && id > f->checkpoint.cursor;
}

/* Tracks another row of a key. Its whole total is counted when the row was created after `since`. */
static void follow_other(
        struct ob_task *f, const char *const *row, int64_t id, struct ob_tracked_row *e, int64_t since)
{
        int64_t made = made_of(f, row);
        enum base base = since == INT64_MIN || made >= since || is_added(f, id) ? BASE_ZERO : BASE_ITSELF;

        e->id = id;
        e->made = made;
        e->met = state(f)->poll;
        mark_changed(f, e, true);
        follow(f, row, e, base);
}

/*
 * Whether a row of another server is a new row, and not the tracked row: it was created later, and at most the
 * overlap before the last poll. A copy that is behind has the older row.
 */
static bool is_made_anew(const struct ob_task *f, const struct ob_tracked_row *e, int64_t made)
{
        const struct state *s = f->state;
        int64_t last = s->last < f->source->overlap ? 0 : s->last - f->source->overlap;

        return made > e->made && made >= last;
}

/* Tracks a row after a change of server: the row with the tracked id or, when that row is gone, another row. */
static void follow_doubtful(struct ob_task *f, const char *const *row, int64_t id, struct ob_tracked_row *e)
{
        int64_t made = made_of(f, row);
        enum base base = is_made_anew(f, e, made) ? BASE_ZERO : BASE_LAST;

        e->met = state(f)->poll;
        if (made < e->made) {
                ob_task_log_once(f, OB_FAULT_BEHIND, "-", ob_row_id(f, row),
                        "the row is older than on the server before: it may be a copy that is behind; it is not counted");
                return;
        }
        if (e->id != id || e->made != made)
                mark_changed(f, e, true);
        e->id = id;
        e->made = made;
        follow(f, row, e, base);
}

static void follow_same(struct ob_task *f, const char *const *row, struct ob_tracked_row *e)
{
        int64_t made = made_of(f, row);
        enum base base = made == e->made ? BASE_LAST : made > e->made ? BASE_ZERO : BASE_ITSELF;

        if (ob_task_is_doubtful(f)) {
                follow_doubtful(f, row, e->id, e);
                return;
        }
        e->met = state(f)->poll;
        if (base == BASE_ITSELF)
                ob_task_log_once(f, OB_FAULT_RESET, "-", ob_row_id(f, row),
                        "it is an older row; counting goes on from there");
        if (base != BASE_LAST)
                mark_changed(f, e, true);
        e->made = made;
        follow(f, row, e, base);
}

/* Keeps a copy of the row with the lowest id that could be tracked next. */
static void keep_successor(struct ob_task *f, const char *const *row, struct ob_tracked_row *e)
{
        struct state *s = state(f);
        size_t n = f->source->n_columns, length = 0;
        char *texts;

        if (e->successor)
                return;
        for (size_t i = 0; i < n; i++)
                length += row[i] ? strlen(row[i]) + 1 : 0;
        e->successor = ob_alloc(1, n * sizeof(*e->successor) + length);
        texts = (char *)(e->successor + n);
        for (size_t i = 0; i < n; i++) {
                size_t size = row[i] ? strlen(row[i]) + 1 : 0;

                if (size)
                        e->successor[i] = memcpy(texts, row[i], size);
                texts += size;
        }
        s->successors = ob_grow(s->successors, &s->room_successors, s->n_successors, sizeof(*s->successors));
        s->successors[s->n_successors++] = e;
}

static void take_row(struct ob_task *f, const char *const *row)
{
        struct state *s = state(f);
        bool has_id = f->first[OB_CURSOR] >= 0;
        struct ob_tracked_row *e;
        int64_t id = 0;

        if (has_id && !ob_row_cursor(f, row, &id))
                return;
        s->key.length = 0;
        ob_task_key(f, row, &s->key);
        e = ob_tracked_rows_find(&s->known, &s->key);
        if (!e) {
                e = ob_tracked_rows_add(&s->known, s->key.data, s->key.length);
                follow_other(f, row, id, e, f->checkpoint.since);
                return;
        }
        if (e->met == s->poll) {
                ob_task_log_once(f, OB_FAULT_DUPLICATE, "-", ob_row_id(f, row),
                        "another row has the same key; it is left out");
                return;
        }
        if (e->id == id)
                follow_same(f, row, e);
        else
                keep_successor(f, row, e);
}

/* Where the tracked row is gone, tracks its successor. */
static void take_successors(struct ob_task *f)
{
        struct state *s = state(f);

        for (size_t i = 0; i < s->n_successors; i++) {
                struct ob_tracked_row *e = s->successors[i];
                int64_t id;

                if (e->met == s->poll) {
                        ob_task_log_once(f, OB_FAULT_DUPLICATE, "-", ob_row_id(f, e->successor),
                                "another row has the same key; it is left out");
                } else if (ob_row_cursor(f, e->successor, &id) && ob_task_is_doubtful(f)) {
                        follow_doubtful(f, e->successor, id, e);
                } else if (ob_row_cursor(f, e->successor, &id)) {
                        ob_task_log_once(f, OB_FAULT_RESET, "-", ob_row_id(f, e->successor),
                                "the row of a key was replaced");
                        follow_other(f, e->successor, id, e, s->last);
                }
                free(e->successor);
                e->successor = NULL;
        }
        s->n_successors = 0;
}

static int put_changed(struct ob_task *f, struct ob_err *err)
{
        return ob_tracked_rows_put(&state(f)->known, f->outbox.store, f->name, err);
}

static int commit_page(struct ob_task *f, const struct ob_checkpoint *next, struct ob_err *err)
{
        struct state *s = state(f);
        int got;

        ob_outbox_close(&f->outbox);
        if (!f->outbox.points && !s->known.n_changed)
                return 0;
        got = ob_task_commit(f, next, put_changed, err);
        if (got)
                return got;
        ob_tracked_rows_settle(&s->known);
        f->counters->rows += s->rows;
        s->rows = 0;
        return 0;
}

/* When the whole list of pipelines was read, pipelines that are not in the list do not exist. */
static void note_list(struct ob_task *f)
{
        ob_series_cache_end_page(f); /* notes the facts of the last page first */
        for (unsigned i = 0; !f->reader->is_partial && i < f->source->n_columns; i++)
                if (ob_fact_source_lists(f->fact_sources[i]))
                        ob_pipeline_health_list_is_whole(f->states, f->page_at);
}

/* Sets the first id of the next page. False: there is no next page. */
static bool next_page(struct ob_task *f, const struct ob_rows *rows, int64_t *from)
{
        char id[24];

        if (rows->is_skipped) {
                *from = rows->skipped;
                snprintf(id, sizeof(id), "%" PRId64, rows->skipped);
                ob_task_log_once(f, OB_FAULT_CELL, "-", id, OB_ROW_TOO_LARGE);
        } else if (!rows->has_more || !rows->n ||
                   !ob_row_cursor(f, rows->cells + (rows->n - 1) * rows->width, from)) {
                return false;
        }
        if (*from == INT64_MAX)
                return false;
        (*from)++;
        return true;
}

/* Returns the id above which rows are new. A copy that is behind does not lower it. */
static int64_t highest(const struct ob_task *f, const struct ob_reading *at, int64_t before)
{
        int64_t there = at->has_rows ? at->max_id : INT64_MIN;

        return ob_task_is_doubtful(f) && there < before ? before : there;
}

static int find_first(struct ob_task *f, int64_t now, int64_t *from, struct ob_err *err)
{
        (void)f;
        (void)now;
        (void)err;
        *from = INT64_MIN;
        return 0;
}

static int poll_state(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        bool is_last = false;
        struct ob_checkpoint next;
        struct state *s;
        int64_t from = INT64_MIN;

        if (load(f, err))
                return -1;
        s = state(f);
        s->poll++;
        s->sends_all = ob_repeat_is_due(f->repeat, s->sent, f->now);
        while (!is_last) {
                struct ob_rows rows;
                int got;

                if (ob_task_read(f, from, (unsigned)f->source->batch, &rows, err))
                        return -1;
                for (size_t i = 0; i < rows.n; i++) {
                        s->is_same = rows.is_same && rows.is_same[i];
                        take_row(f, rows.cells + i * rows.width);
                }
                s->is_same = false;
                is_last = !next_page(f, &rows, &from);
                got = ob_stop_is_wanted(f->outbox.stop) ? 1 : is_last ? 0 : commit_page(f, &f->checkpoint, err);
                if (got)
                        return got;
        }
        take_successors(f);
        if (!s->known.n_totals) /* else a page whose keys change with each poll would fill the memory */
                ob_tracked_rows_forget_others(&s->known, s->poll);
        note_list(f);
        s->last = f->now;
        if (s->sends_all)
                s->sent = f->now;
        next = f->checkpoint;
        next.newest = f->now;
        next.cursor = highest(f, at, next.cursor);
        return commit_page(f, &next, err);
}

static int begin_state(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        next.cursor = highest(f, at, next.cursor);
        /* Which totals were counted is unknown. A row that was created in this second may have been counted. */
        if (next.counted_before != INT64_MIN)
                next.since = next.counted_before + 1;
        return ob_task_commit(f, &next, NULL, err);
}

const struct ob_delta_ops ob_diff = {
        .begin = begin_state,
        .poll = poll_state,
        .reset = reset_state,
        .find_first = find_first,
};
