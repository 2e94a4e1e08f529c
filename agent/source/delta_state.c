/*
 * Rows that change in place: the whole table, compared with what it was.
 *
 * A key may stand in several rows (Otter's TABLE_STAT, where two writers raced), and then each of them gets
 * every later amount: so one row a key is followed, the lowest at first sight, for as long as it exists.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/known.h"
#include "agent/source/row.h"
#include "proto/memory.h"

/* Of one poll of a source. */
struct state {
        struct ob_knowns known;
        bool is_loaded;
        uint64_t poll;
        int64_t last;            /* the clock of the last whole poll */
        struct ob_known **heirs; /* ours, the array */
        size_t n_heirs, room_heirs;
        int64_t rows;
};

static struct state *state(struct ob_feed *f)
{
        if (!f->state) {
                struct state *s = f->state = ob_alloc(1, sizeof(*s));

                for (unsigned i = 0; i < f->source->n_columns; i++)
                        if (f->source->columns[i].role == OB_TOTAL)
                                ob_knowns_add_total(&s->known, f->source->columns[i].column);
        }
        return f->state;
}

static void reset_state(struct ob_feed *f)
{
        struct state *s = f->state;

        if (!s)
                return;
        ob_knowns_free(&s->known);
        free(s->heirs);
        free(s);
        f->state = NULL;
}

static int load(struct ob_feed *f, struct ob_err *err)
{
        struct state *s = state(f);

        if (s->is_loaded)
                return 0;
        if (ob_knowns_load(&s->known, f->store, f->name, err))
                return -1;
        s->last = f->standing.newest;
        s->is_loaded = true;
        return 0;
}

/* The tags as they are in the row, each with whether it is there. */
static void make_key(const struct ob_feed *f, const char *const *row, struct ob_bytes *key)
{
        ob_bytes_add(key, "", 1); /* a source may have no tags, and a key is never empty */
        for (unsigned i = 0; i < f->source->n_columns; i++) {
                if (f->source->columns[i].role != OB_KEY && f->source->columns[i].role != OB_ENUM)
                        continue;
                ob_bytes_add(key, row[i] ? "=" : "", 1);
                if (row[i])
                        ob_bytes_add(key, row[i], strlen(row[i]) + 1);
        }
}

static void mark_changed(struct ob_feed *f, struct ob_known *e)
{
        ob_knowns_mark_changed(&state(f)->known, e);
}

/* What the totals of a row are compared with; one that was not known is compared with itself. */
enum base {
        BASE_LAST,  /* what they were: the difference came to pass */
        BASE_ZERO,  /* nothing: the whole of them came to pass */
        BASE_ITSELF /* themselves: it is not known what came to pass */
};

static __int128 came_to_pass(enum base base, __int128 total, __int128 known)
{
        switch (base) {
        case BASE_ZERO:
                return total;
        case BASE_LAST:
                return total < known ? 0 : total - known;
        case BASE_ITSELF:
                break;
        }
        return 0;
}

/* Turns the total in a column into an amount, and notes the total. True: there is something to count. */
static bool compare(struct ob_feed *f, struct ob_known *e, __int128 *known, enum base base, __int128 *value)
{
        __int128 total = *value;

        if (*known == OB_TOTAL_UNKNOWN && base == BASE_LAST)
                base = BASE_ITSELF;
        if (total != *known || base != BASE_LAST)
                mark_changed(f, e);
        *value = came_to_pass(base, total, *known);
        *known = total;
        return base == BASE_ZERO || *value != 0;
}

static void compare_all(
        struct ob_feed *f, const char *const *row, struct ob_known *e, enum base base, struct ob_amounts *a)
{
        __int128 *known = e->totals;
        bool is_counted = false;

        for (unsigned i = 0; i < f->source->n_columns; i++) {
                const struct ob_column *c = &f->source->columns[i];

                if (c->role != OB_TOTAL)
                        continue;
                if (base == BASE_ITSELF && !a->has[i])
                        *known = OB_TOTAL_UNKNOWN;
                if (a->has[i] && base == BASE_LAST && a->value[i] < *known)
                        ob_feed_tell(f, OB_ODD_RESET, c->column, ob_row_id(f, row),
                                "the total became smaller; counting goes on from there");
                a->has[i] = a->has[i] && compare(f, e, known, base, &a->value[i]);
                is_counted |= a->has[i];
                known++;
        }
        state(f)->rows += is_counted;
}

static void follow(struct ob_feed *f, const char *const *row, struct ob_known *e, enum base base)
{
        struct ob_amounts amounts;
        int64_t time;

        if (!ob_row_time(f, row, OB_TIME, &time))
                time = f->now;
        ob_row_amounts(f, row, &amounts);
        compare_all(f, row, e, base, &amounts);
        ob_row_emit(f, row, time, &amounts);
}

static int64_t made_of(struct ob_feed *f, const char *const *row)
{
        int64_t made;

        return ob_row_time(f, row, OB_MADE, &made) ? made : INT64_MIN;
}

/* Whether a row is behind all that were there at the last poll: clocks are set, ids are not. */
static bool is_added(const struct ob_feed *f, int64_t id)
{
        return ob_source_find(f->source, OB_CURSOR) >= 0 && id > f->standing.cursor;
}

/* A key's row that is not the one that was followed: all of it is new when it was made after `since`. */
static void follow_other(struct ob_feed *f, const char *const *row, int64_t id, struct ob_known *e, int64_t since)
{
        int64_t made = made_of(f, row);
        enum base base = since == INT64_MIN || made >= since || is_added(f, id) ? BASE_ZERO : BASE_ITSELF;

        e->id = id;
        e->made = made;
        e->met = state(f)->poll;
        mark_changed(f, e);
        follow(f, row, e, base);
}

static void follow_same(struct ob_feed *f, const char *const *row, struct ob_known *e)
{
        int64_t made = made_of(f, row);
        enum base base = made == e->made ? BASE_LAST : made > e->made ? BASE_ZERO : BASE_ITSELF;

        e->met = state(f)->poll;
        if (base == BASE_ITSELF)
                ob_feed_tell(
                        f, OB_ODD_RESET, "-", ob_row_id(f, row), "it is an older row; counting goes on from there");
        if (base != BASE_LAST)
                mark_changed(f, e);
        e->made = made;
        follow(f, row, e, base);
}

/* Keeps a copy of the lowest row that could be followed next. */
static void keep_heir(struct ob_feed *f, const char *const *row, struct ob_known *e)
{
        struct state *s = state(f);
        size_t n = f->source->n_columns, length = 0;
        char *texts;

        if (e->heir)
                return;
        for (size_t i = 0; i < n; i++)
                length += row[i] ? strlen(row[i]) + 1 : 0;
        e->heir = ob_alloc(1, n * sizeof(*e->heir) + length);
        texts = (char *)(e->heir + n);
        for (size_t i = 0; i < n; i++) {
                size_t size = row[i] ? strlen(row[i]) + 1 : 0;

                if (size)
                        e->heir[i] = memcpy(texts, row[i], size);
                texts += size;
        }
        s->heirs = ob_grow(s->heirs, &s->room_heirs, s->n_heirs, sizeof(*s->heirs));
        s->heirs[s->n_heirs++] = e;
}

static void take_row(struct ob_feed *f, const char *const *row)
{
        struct state *s = state(f);
        ob_cleanup(ob_bytes_free) struct ob_bytes key = { .length = 0 };
        bool has_id = ob_source_find(f->source, OB_CURSOR) >= 0;
        struct ob_known *e;
        int64_t id = 0;

        if (has_id && !ob_row_cursor(f, row, &id))
                return;
        make_key(f, row, &key);
        e = ob_knowns_find(&s->known, &key);
        if (!e) {
                e = ob_knowns_add(&s->known, key.data, key.length);
                follow_other(f, row, id, e, f->standing.since);
                return;
        }
        if (e->met == s->poll) {
                ob_feed_tell(f, OB_ODD_DUPLICATE, "-", ob_row_id(f, row),
                        "another row has the same key; it is left out");
                return;
        }
        if (e->id == id)
                follow_same(f, row, e);
        else
                keep_heir(f, row, e);
}

/* Where the followed row is gone, its heir takes its place. */
static void take_heirs(struct ob_feed *f)
{
        struct state *s = state(f);

        for (size_t i = 0; i < s->n_heirs; i++) {
                struct ob_known *e = s->heirs[i];
                int64_t id;

                if (e->met == s->poll) {
                        ob_feed_tell(f, OB_ODD_DUPLICATE, "-", ob_row_id(f, e->heir),
                                "another row has the same key; it is left out");
                } else if (ob_row_cursor(f, e->heir, &id)) {
                        ob_feed_tell(f, OB_ODD_RESET, "-", ob_row_id(f, e->heir), "the row of a key was replaced");
                        follow_other(f, e->heir, id, e, s->last);
                }
                free(e->heir);
                e->heir = NULL;
        }
        s->n_heirs = 0;
}

static int put_changed(struct ob_feed *f, struct ob_err *err)
{
        return ob_knowns_put(&state(f)->known, f->store, f->name, err);
}

static int commit_page(struct ob_feed *f, const struct ob_standing *next, struct ob_err *err)
{
        struct state *s = state(f);
        int got;

        ob_outbox_close(&f->outbox);
        if (!f->outbox.points && !s->known.n_changed)
                return 0;
        got = ob_feed_commit(f, next, put_changed, err);
        if (got)
                return got;
        ob_knowns_settle(&s->known);
        f->counters->rows += s->rows;
        s->rows = 0;
        return 0;
}

/* A read of the list of pipelines that was whole names all there are. */
static void note_list(const struct ob_feed *f)
{
        for (unsigned i = 0; !f->reader->is_partial && i < f->source->n_columns; i++)
                if (ob_states_clue_lists(f->clues[i]))
                        ob_states_list_is_whole(f->states, f->page_at);
}

/* Where the page behind one begins. False: there is none. */
static bool next_page(struct ob_feed *f, const struct ob_rows *rows, int64_t *from)
{
        char id[24];

        if (rows->is_skipped) {
                *from = rows->skipped;
                snprintf(id, sizeof(id), "%" PRId64, rows->skipped);
                ob_feed_tell(f, OB_ODD_CELL, "-", id, OB_ROW_TOO_LARGE);
        } else if (!rows->has_more || !rows->n ||
                   !ob_row_cursor(f, rows->cells + (rows->n - 1) * rows->width, from)) {
                return false;
        }
        if (*from == INT64_MAX)
                return false;
        (*from)++;
        return true;
}

static int poll_state(struct ob_feed *f, const struct ob_reading *at, struct ob_err *err)
{
        bool is_last = false;
        struct ob_standing next;
        struct state *s;
        int64_t from = INT64_MIN;

        if (load(f, err))
                return -1;
        s = state(f);
        s->poll++;
        while (!is_last) {
                struct ob_rows rows;
                int got;

                if (f->reader->ops->read(f->reader, from, (unsigned)f->source->batch, &rows, err))
                        return -1;
                for (size_t i = 0; i < rows.n; i++)
                        take_row(f, rows.cells + i * rows.width);
                is_last = !next_page(f, &rows, &from);
                got = ob_stop_is_wanted(f->stop) ? 1 : is_last ? 0 : commit_page(f, &f->standing, err);
                if (got)
                        return got;
        }
        take_heirs(f);
        note_list(f);
        s->last = f->now;
        next = f->standing;
        next.newest = f->now;
        next.cursor = at->has_rows ? at->max_id : INT64_MIN;
        return commit_page(f, &next, err);
}

static int begin_state(struct ob_feed *f, const struct ob_reading *at, struct ob_standing next, struct ob_err *err)
{
        next.cursor = at->has_rows ? at->max_id : INT64_MIN;
        /* What was counted of these totals is not known any more; a row of this very second may have been. */
        if (next.again != INT64_MIN)
                next.since = next.again + 1;
        return ob_feed_commit(f, &next, NULL, err);
}

const struct ob_delta_ops ob_delta_state = {
        .begin = begin_state,
        .poll = poll_state,
        .reset = reset_state,
};
