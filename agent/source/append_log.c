/*
 * Tables whose rows are added and stay as they are: each id is counted once.
 *
 * Ids do not become visible in their order (several managers, two masters, open transactions), so the cursor alone
 * would miss rows. Each poll reads again from the first chunk of ids that had a row inside the overlap, and leaves
 * out the ids that were counted: the store has one bit for each. An audit finds rows that become visible after the
 * overlap, as on a replica that was stopped: the database lists its ids as bits, and the seen ids are subtracted.
 * Unlike a comparison of counts, an audit works although rows were deleted.
 */
#include "agent/source/append_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/source/decode.h"
#include "agent/source/events.h"
#include "agent/source/seen_ids.h"
#include "agent/source/transaction.h"
#include "proto/memory.h"
#include "proto/number.h"

#define WRONG_CLOCK    60        /* seconds: a row with a later time does not wait for that time */
#define NEW_STARTS_MAX 3         /* in one poll */
#define NOWHERE        INT64_MAX /* no id is this large: no seen ids are deleted */
#define FIRST_IDS      10        /* a table with several masters begins with one of these ids */
#define LONGEST        100       /* seconds between two audits; half the overlap when that is shorter */
#define CHUNKS_MAX     256       /* chunks that one audit reads again */
#define KEEP_INSIDE    10 /* seconds for which the first chunk inside the overlap is not searched for again */
/* Seconds before the latest counted time for which the bits of counted ids are kept. */
#define KEEP 86400

/* The page of rows that is being processed, and the state of the poll. */
struct append_log {
        struct ob_seen_ids seen_ids;
        struct ob_seen_ids before_rewind; /* the ids that were seen before the source was rewound */
        char *before_rewind_name;         /* ours */
        struct ob_checkpoint next;
        int64_t rows, late;
        bool is_changed;     /* the page has changes to commit */
        bool is_held;        /* a row is too young: the cursor stays before that row */
        bool is_remade;      /* an id that was counted belongs to a new row now */
        int64_t remade;      /* that id */
        int64_t forget_from; /* the first id to delete from the seen ids */
        int64_t audited_at;  /* seconds, the database's clock; 0: not yet */
        struct {
                bool is_known, is_there;
                int64_t at; /* seconds, the database's clock */
                int64_t chunk;
        } inside; /* the first chunk that had a row inside the overlap at the time `at`; only this task changes
                     chunks */
};

static struct append_log *log_of(struct ob_task *f)
{
        if (!f->state) {
                struct append_log *l = f->state = ob_alloc(1, sizeof(*l));

                l->before_rewind_name = ob_format("%s" OB_BEFORE_REWIND, f->name);
        }
        return f->state;
}

static void reset_log(struct ob_task *f)
{
        struct append_log *l = f->state;

        if (!l)
                return;
        ob_seen_ids_free(&l->seen_ids);
        ob_seen_ids_free(&l->before_rewind);
        free(l->before_rewind_name);
        free(l);
        f->state = NULL;
}

static bool has_time(const struct ob_task *f)
{
        int column = f->first[OB_TIME];

        return column >= 0 && f->reader->has[column];
}

static int64_t earlier(int64_t time, int64_t seconds)
{
        return time < INT64_MIN + seconds ? INT64_MIN : time - seconds;
}

static void note(struct append_log *l, struct ob_seen_chunk *c, int64_t id, int64_t time)
{
        ob_seen_ids_add(c, id, time);
        l->is_changed = true;
}

/* For an id whose chunk is not stored: 1 when the id is older than all chunks that were kept before the rewind. */
static int was_forgotten(struct ob_task *f, int64_t id, struct ob_err *err)
{
        int64_t first;
        int got =
                ob_store_first_chunk_since(f->outbox.store, log_of(f)->before_rewind_name, INT64_MIN, &first, err);

        return got < 0 ? -1 : !got || ob_seen_chunk_of(id) < first;
}

/* Chooses the sinks for a row that may have been counted before the source was rewound. */
static int find_deliver_to(struct ob_task *f, int64_t id, int64_t time, struct ob_err *err)
{
        struct append_log *l = log_of(f);
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
        struct append_log *l = log_of(f);
        struct ob_amounts amounts;

        if (id <= l->next.floor && l->next.since != INT64_MIN && (!is_timed || time < l->next.since))
                return 0;
        if (f->source->until && (!is_timed || time >= f->source->until))
                return 0;
        if (!is_timed && has_time(f))
                ob_task_log_once(f, OB_FAULT_CELL, f->source->columns[f->first[OB_TIME]].column, ob_row_id(f, row),
                        "no time; taken as now");
        if (find_deliver_to(f, id, is_timed ? time : f->now, err))
                return -1;
        time = is_timed ? time : f->now;
        if (f->events) {
                row = ob_events_parts(f, row);
                if (ob_events_is_duplicate(f, row, time))
                        return 0;
                ob_events_note(f, row, time);
        }
        ob_row_amounts(f, row, &amounts);
        ob_row_emit(f, row, time, &amounts);
        l->rows++;
        l->late += id < f->checkpoint.cursor;
        if (is_timed && l->next.newest < time)
                l->next.newest = time < f->now ? time : f->now;
        return 0;
}

/* A row that was counted has been updated: its gauges are sent again. */
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
        struct append_log *l = log_of(f);
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

/* Commits a page, or a beginning. This changes chunks in the store, so those in memory are cleared. */
static int commit_chunks(
        struct ob_task *f, const struct ob_checkpoint *next, ob_task_stage_fn *stage, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        int got = ob_task_commit(f, next, stage, err);

        l->inside.is_known = false;
        ob_seen_ids_clear(&l->seen_ids);
        return got;
}

static int stage_page(struct ob_task *f, struct ob_err *err)
{
        return ob_seen_ids_put(&log_of(f)->seen_ids, f->outbox.store, f->name, err);
}

/* Discards the points of the page: they are made again when its rows are read again. */
static int abandon_page(struct ob_task *f, struct ob_err *err)
{
        ob_outbox_start(&f->outbox, f->now);
        ob_events_reset(f->events);
        return ob_events_load(f, err);
}

/* Marks a row that is too large to be read as seen, so that it is logged once. */
static int leave_out(struct ob_task *f, int64_t id, struct ob_err *err)
{
        struct append_log *l = log_of(f);
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

/* Reads one page. 1: a stop is wanted. `*from` becomes the id after the page. */
static int take_page(struct ob_task *f, int64_t *from, bool *is_last, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        struct ob_rows rows;
        int got;

        if (ob_task_read(f, *from, (unsigned)f->source->batch, &rows, err))
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
        got = commit_chunks(f, &l->next, stage_page, err);
        if (got)
                return got;
        if (f->counters->read_upto < f->checkpoint.newest)
                f->counters->read_upto = f->checkpoint.newest;
        f->counters->rows += l->rows;
        f->counters->late_rows += l->late;
        return 0;
}

static int read_pages(struct ob_task *f, int64_t from, int64_t last, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        bool is_last = false;

        l->is_held = l->is_remade = false;
        while (!is_last && !l->is_remade && from <= last) {
                int got = ob_stop_is_wanted(f->outbox.stop) ? 1 : take_page(f, &from, &is_last, err);

                if (got)
                        return got;
        }
        return 0;
}

/*
 * Finds the first chunk that had a row inside the overlap at `now` or up to KEEP_INSIDE seconds before. The overlap
 * only moves forward, so an earlier answer never leaves out a chunk.
 */
static int find_inside(struct ob_task *f, int64_t now, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        int got;

        if (l->inside.is_known && now >= l->inside.at && now - l->inside.at < KEEP_INSIDE)
                return 0;
        got = ob_store_first_chunk_since(
                f->outbox.store, f->name, earlier(now, f->source->overlap), &l->inside.chunk, err);
        l->inside.is_known = got >= 0;
        l->inside.is_there = got > 0;
        l->inside.at = now;
        return got < 0 ? -1 : 0;
}

/* The id of the first row to read: the cursor, or an earlier one that was read inside the overlap. */
static int find_first(struct ob_task *f, int64_t now, int64_t *from, struct ob_err *err)
{
        struct append_log *l = log_of(f);

        if (find_inside(f, now, err))
                return -1;
        *from = f->checkpoint.cursor;
        if (l->inside.is_there && ob_seen_ids_first_id(l->inside.chunk) < *from)
                *from = ob_seen_ids_first_id(l->inside.chunk);
        return 0;
}

static int read_new(struct ob_task *f, struct ob_err *err)
{
        int64_t from;

        return find_first(f, f->now, &from, err) ? -1 : read_pages(f, from, INT64_MAX, err);
}

/*
 * Bits are kept for a day, and for the cursor's chunk, by which an emptied table is recognised. The day ends with
 * the newest counted row, not now: after a failover to another server, the bits say which of its rows were
 * counted.
 */
static int forget_old(struct ob_task *f, struct ob_err *err)
{
        int64_t newest = f->checkpoint.newest, chunk, keep = ob_seen_chunk_of(f->checkpoint.cursor);
        int64_t end = newest != INT64_MIN && newest < f->now ? newest : f->now;
        int got = ob_store_first_chunk_since(f->outbox.store, f->name, earlier(end, KEEP), &chunk, err);

        if (got < 0)
                return -1;
        if (got && chunk < keep)
                keep = chunk;
        ob_seen_ids_clear(&log_of(f)->seen_ids);
        return ob_store_forget_chunks_below(f->outbox.store, f->name, keep, err);
}

/*
 * Finds an id before every row as new as `time`, as far as ids follow the clock. A binary search, since the
 * primary key is the one index that every table has.
 */
static int seek(struct ob_task *f, const struct ob_reading *at, int64_t time, int64_t *id, struct ob_err *err)
{
        int64_t low = INT64_MIN, high = at->max_id; /* a cursor above MAX(ID) would mean deleted rows */

        *id = INT64_MIN;
        if (time == INT64_MIN || !at->has_rows)
                return 0;
        while (low < high) {
                int64_t middle = (int64_t)((uint64_t)low + ((uint64_t)high - (uint64_t)low) / 2);
                struct ob_rows rows;
                int64_t found, found_time;

                if (f->reader->ops->read(f->reader, middle, 1, &rows, err))
                        return -1;
                if (rows.n && ob_row_time(f, rows.cells, OB_TIME, &found_time) && found_time < time &&
                        ob_row_cursor(f, rows.cells, &found))
                        low = found < at->max_id ? found + 1 : high;
                else
                        high = middle;
        }
        *id = low < at->max_id ? low : at->max_id;
        return 0;
}

static int stage_forget(struct ob_task *f, struct ob_err *err)
{
        return ob_seen_ids_forget_from(f->outbox.store, f->name, log_of(f)->forget_from, err);
}

/* Deletes the seen ids from `from` on, and continues at `next`. */
static int commit_beginning(struct ob_task *f, const struct ob_checkpoint *next, int64_t from, struct ob_err *err)
{
        log_of(f)->forget_from = from;
        ob_outbox_start(&f->outbox, f->now);
        return commit_chunks(f, next, stage_forget, err);
}

/* Of one page: rows not newer than the last counted row, those counted, and those whose bits are deleted. */
struct compared {
        size_t old, seen_ids, forgotten;
};

static int compare_page(struct ob_task *f, const struct ob_rows *rows, struct compared *n, struct ob_err *err)
{
        struct append_log *l = log_of(f);

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
                if (!c->is_known && time < earlier(f->checkpoint.newest, KEEP)) {
                        n->forgotten++;
                        continue;
                }
                n->old++;
                n->seen_ids += ob_seen_ids_has(c, id) && time <= c->stored_newest;
        }
        return 0;
}

/*
 * Whether these are the rows that were counted, as on a replica, or after some were deleted. Then the seen ids say
 * which rows were counted, and a late row is not taken for an old row. Half of the rows must be seen ids: in
 * another table none are, and in a copy nearly all. A copy that is more than a day behind has only rows whose bits
 * are deleted.
 */
static int is_same_table(struct ob_task *f, int64_t from, bool *is_same, bool *is_old, struct ob_err *err)
{
        struct ob_rows rows;
        struct compared n = { .old = 0 };

        if (ob_task_read(f, from, (unsigned)f->source->batch, &rows, err) || compare_page(f, &rows, &n, err))
                return -1;
        *is_old = n.forgotten > 0;
        *is_same = n.old ? n.seen_ids * 2 >= n.old : *is_old;
        return 0;
}

/* Excludes rows up to the newest counted row. Rows wait until they settle, so new rows are newer. */
static void skip_counted(struct ob_checkpoint *next)
{
        if (next->newest != INT64_MIN && next->since <= next->newest)
                next->since = next->newest + 1;
}

/*
 * In the same table the bits say which rows were counted; rows older than all bits were counted. The cursor may
 * move back but not forward: rows after the cursor were not read yet.
 */
static void go_on(const struct ob_task *f, bool is_old, struct ob_checkpoint *next)
{
        int64_t last = f->checkpoint.cursor, kept = earlier(next->newest, KEEP);

        if (next->cursor > last)
                next->cursor = last;
        if (is_old && next->since < kept)
                next->since = kept;
        if (is_old && next->floor < last)
                next->floor = last;
}

/* In another table, existing rows that are not newer than the newest counted row are not counted. */
static void go_on_elsewhere(const struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint *next)
{
        skip_counted(next);
        if (next->floor < f->checkpoint.cursor)
                next->floor = f->checkpoint.cursor;
        if (at->has_rows && next->floor < at->max_id)
                next->floor = at->max_id;
}

static bool may_be_behind(const struct ob_task *f)
{
        return !has_time(f) && ob_task_is_doubtful(f);
}

/* Without times only ids show new rows: when the highest id is lower, the table was emptied, or is a late copy. */
static int begin_by_ids(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        bool is_anew = at->has_rows && at->max_id < next.cursor && !ob_task_is_doubtful(f);

        if (is_anew)
                next.cursor = next.floor = INT64_MIN;
        return commit_beginning(f, &next, is_anew ? INT64_MIN : NOWHERE, err);
}

/*
 * Begins again at the time of the newest counted row. No row is counted twice: neither seen ids nor, in another
 * table, rows that are older than the newest counted row.
 */
static int begin_again(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        bool is_same = false, is_old = false;
        int64_t from;

        if (!has_time(f))
                return begin_by_ids(f, at, next, err);
        if (seek(f, at, earlier(next.newest, f->source->overlap), &from, err) ||
                is_same_table(f, from < next.cursor ? from : next.cursor, &is_same, &is_old, err))
                return -1;
        next.cursor = from;
        if (is_same)
                go_on(f, is_old, &next);
        else
                go_on_elsewhere(f, at, &next);
        return commit_beginning(f, &next, NOWHERE, err);
}

/*
 * Skips Graphite's step of the oldest row: some of its rows may be purged, so that the step would be written again
 * with too low a value. A table that still has its first rows was not purged.
 */
static int skip_purged(struct ob_task *f, int64_t *since, struct ob_err *err)
{
        int64_t oldest = INT64_MAX, time, id;
        struct ob_rows rows;

        if (!f->step)
                return 0;
        if (ob_task_read(f, INT64_MIN, (unsigned)f->source->batch, &rows, err))
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

static int begin_log(struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        if (next.newest != INT64_MIN || next.cursor != INT64_MIN)
                return begin_again(f, at, next, err);
        next.floor = at->has_rows ? at->max_id : INT64_MIN;
        if ((next.counted_before != INT64_MIN || f->source->until) && skip_purged(f, &next.since, err))
                return -1;
        if (!has_time(f) && next.since != INT64_MIN)
                next.cursor = next.floor;
        if (has_time(f) && seek(f, at, earlier(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        return commit_beginning(f, &next, NOWHERE, err);
}

static int begin_below(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        ob_log(OB_LOG_WARN,
                "source=%s event=ids_went_back table=%s was=%lld is=%lld why=\"rows were deleted, or the table was "
                "emptied or restored; what was counted before is not counted again\"",
                f->name, f->source->table, (long long)f->checkpoint.cursor, (long long)at->max_id);
        return begin_again(f, at, f->checkpoint, err);
}

static int begin_remade(struct ob_task *f, const struct ob_reading *at, int64_t id, struct ob_err *err)
{
        struct ob_checkpoint next = f->checkpoint;

        ob_log(OB_LOG_WARN,
                "source=%s event=ids_reused table=%s id=%lld why=\"the table was emptied or restored; what is "
                "older than what was counted last is not counted\"",
                f->name, f->source->table, (long long)id);
        skip_counted(&next);
        if (next.floor < next.cursor)
                next.floor = next.cursor;
        if (seek(f, at, earlier(next.since, f->source->overlap), &next.cursor, err))
                return -1;
        return commit_beginning(f, &next, id, err);
}

/* A clock that was set back makes an audit due at once. */
static bool is_due(const struct ob_task *f, const struct append_log *l)
{
        int64_t every = f->source->overlap / 2, delivery = f->now - l->audited_at;

        if (every > LONGEST)
                every = LONGEST;
        return delivery < 0 || delivery >= every;
}

/* The chunks that have rows whose ids were not seen. */
struct found {
        int64_t from, end; /* the range of ids that was asked for */
        int64_t chunks[CHUNKS_MAX];
        size_t n;
};

/* Reads the number of a chunk. False: the chunk was not asked for. */
static bool read_number(const char *text, const struct found *asked, int64_t *number)
{
        return text && ob_number_parse_int(text, number) && *number >= ob_seen_chunk_of(asked->from) &&
               *number <= ob_seen_chunk_of(asked->end);
}

static bool read_word(const char *text, uint64_t *word)
{
        return text && ob_number_parse_unsigned(text, word);
}

/* Whether the database has an id of the chunk that was not seen. */
static bool has_unseen(const char *const *words, const struct ob_chunk *c)
{
        for (size_t i = 0; i < OB_LIST_WORDS; i++) {
                uint64_t there, seen_ids = 0;

                for (size_t byte = 0; byte < 8; byte++)
                        seen_ids |= (uint64_t)c->bits[i * 8 + byte] << byte * 8;
                if (read_word(words[i], &there) && there & ~seen_ids)
                        return true;
        }
        return false;
}

static int compare_chunks(struct ob_task *f, const struct ob_rows *ids, struct found *found, struct ob_err *err)
{
        for (size_t i = 0; i < ids->n && found->n < CHUNKS_MAX; i++) {
                const char *const *row = ids->cells + i * ids->width;
                struct ob_chunk c;
                int64_t number;

                if (!read_number(row[0], found, &number))
                        continue;
                if (ob_store_get_chunk(f->outbox.store, f->name, number, &c, err) < 0)
                        return -1;
                if (has_unseen(row + 1, &c))
                        found->chunks[found->n++] = number;
        }
        return 0;
}

/* The stored ids before the overlap. 0: there are none; 1: there are some. */
static int find_range(struct ob_task *f, int64_t *from, int64_t *end, struct ob_err *err)
{
        int64_t first, inside;
        int got = ob_store_first_chunk_since(f->outbox.store, f->name, INT64_MIN, &first, err);

        if (got < 1)
                return got;
        got = ob_store_first_chunk_since(
                f->outbox.store, f->name, earlier(f->now, f->source->overlap), &inside, err);
        if (got < 0)
                return -1;
        *from = ob_seen_ids_first_id(first);
        *end = got ? ob_seen_ids_first_id(inside) : f->checkpoint.cursor;
        return *from < *end;
}

static int audit(struct ob_task *f, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        struct found found = { .n = 0 };
        struct ob_rows ids;
        int64_t counted = f->counters->rows;
        int got;

        if (!f->reader->ops->list || !is_due(f, l))
                return 0;
        got = find_range(f, &found.from, &found.end, err);
        if (got > 0 && (f->reader->ops->list(f->reader, found.from, found.end, &ids, err) ||
                               compare_chunks(f, &ids, &found, err)))
                got = -1;
        if (got < 0)
                return -1;
        l->audited_at = f->now;
        for (size_t i = 0; i < found.n; i++) {
                int64_t from = ob_seen_ids_first_id(found.chunks[i]);

                got = read_pages(f, from, from + (OB_CHUNK_IDS - 1), err);
                if (got || l->is_remade) /* the poll starts again first */
                        return got;
        }
        if (counted != f->counters->rows)
                ob_log(OB_LOG_WARN,
                        "source=%s event=late_rows table=%s rows=%lld why=\"they became visible after the overlap, and "
                        "are counted now; Graphite may have closed their steps: a longer overlap keeps them open\"",
                        f->name, f->source->table, (long long)(f->counters->rows - counted));
        return 0;
}

/* Starts again at ids that have new rows, because the table was emptied or restored. */
static int follow_remade(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        struct append_log *l = log_of(f);
        int got = 0;

        for (int i = 0; !got && l->is_remade && i < NEW_STARTS_MAX; i++) {
                got = begin_remade(f, at, l->remade, err);
                if (!got)
                        got = read_new(f, err);
        }
        return got;
}

static int poll_log(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        int64_t rows = f->counters->rows;
        int got = 0;

        if (at->has_rows && at->max_id < f->checkpoint.cursor && !may_be_behind(f))
                got = begin_below(f, at, err);
        if (!got)
                got = read_new(f, err);
        if (!got)
                got = follow_remade(f, at, err);
        if (!got && rows != f->counters->rows)
                got = forget_old(f, err);
        if (!got)
                got = audit(f, err);
        if (!got)
                got = follow_remade(f, at, err);
        if (!got && ob_events_sum_up(f))
                got = ob_task_commit(f, &f->checkpoint, NULL, err);
        return got;
}

const struct ob_delta_ops ob_append_log = {
        .begin = begin_log,
        .poll = poll_log,
        .reset = reset_log,
        .find_first = find_first,
};
