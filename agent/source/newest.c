/*
 * The age of the newest row of each key. A key may have several rows: the newest one is used.
 *
 * An age that only grew with the clock says nothing new: it is sent once in each step of ob_steps_repeat(). The age
 * of a key that is new, or has a newer row, is sent at once.
 */
#include "agent/source/newest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/decode.h"
#include "agent/source/transaction.h"
#include "config/config.h"
#include "proto/hash.h"
#include "proto/memory.h"
#include "proto/number.h"

/* The age of a key that was sent last. */
struct sent {
        UT_hash_handle hh;
        int64_t newest, at; /* seconds, the source's clock: of the newest row, and of the poll that sent the age */
        int64_t met;        /* the poll that met the key last */
        char key[];
};

struct newest {
        struct sent *sent;  /* ours; by key */
        struct sent *found; /* the entry that was found last; NULL */
        int64_t polls;
};

static struct newest *newest_of(struct ob_task *f)
{
        if (!f->state)
                f->state = ob_alloc(1, sizeof(struct newest));
        return f->state;
}

static void reset_newest(struct ob_task *f)
{
        struct newest *n = f->state;

        if (!n)
                return;
        OB_HASH_FREE_ALL(n->sent, free);
        free(n);
        f->state = NULL;
}

/* Forgets the keys that have no row any more. */
static void forget_gone(struct newest *n)
{
        struct sent *one, *next;

        n->found = NULL;
        HASH_ITER (hh, n->sent, one, next) {
                if (one->met == n->polls)
                        continue;
                HASH_DEL(n->sent, one);
                free(one);
        }
}

/* Whether the age of a key must be sent; if so, notes that it is sent. A poll that fails resets these notes. */
static bool is_due(struct ob_task *f, const char *const *row, int64_t newest)
{
        struct newest *n = newest_of(f);
        ob_cleanup(ob_bytes_free) struct ob_bytes key = { .length = 0 };
        struct sent *one;
        bool is_same;

        ob_task_key(f, row, &key);
        OB_HASH_FIND_BEHIND(n->sent, n->found, key.data, key.length, one);
        is_same = one && one->newest == newest && !ob_repeat_is_due(f->repeat, one->at, f->now);
        if (!one) {
                one = ob_alloc(1, sizeof(*one) + key.length);
                memcpy(one->key, key.data, key.length);
                HASH_ADD_KEYPTR(hh, n->sent, one->key, key.length, one);
        }
        one->met = n->polls;
        if (is_same)
                return false;
        one->newest = newest;
        one->at = f->now;
        return true;
}

static void report(struct ob_task *f, const char *const *row, int64_t newest)
{
        unsigned column = (unsigned)f->first[OB_AGE];
        struct ob_amounts age = { .has = { false } };

        age.has[column] = true;
        age.value[column] = ob_whole(f->now > newest ? f->now - newest : 0);
        if (is_due(f, row, newest))
                ob_row_emit(f, row, f->now, &age);
        else
                ob_row_note(f, row, f->now, &age);
}

static int begin_newest(
        struct ob_task *f, const struct ob_reading *at, struct ob_checkpoint next, struct ob_err *err)
{
        (void)at;
        return ob_task_commit(f, &next, NULL, err);
}

static bool same_key(const struct ob_source *s, const char *const *a, const char *const *b)
{
        for (unsigned i = 0; i < s->n_columns; i++)
                if (ob_roles[s->columns[i].role].is_tag &&
                        (!a[i] || !b[i] ? a[i] != b[i] : strcmp(a[i], b[i]) != 0))
                        return false;
        return true;
}

/* The pipelines that have a row. */
struct roll {
        int64_t *ids; /* ours */
        size_t n, room;
};

static void free_roll(struct roll *r)
{
        free(r->ids);
}

/* Notes the pipeline of a row. False: the pipeline was deleted. */
static bool call(struct ob_task *f, struct roll *r, const char *const *row, int64_t newest)
{
        const char *key = row[f->first[OB_KEY]];
        int64_t id;

        if (!f->source->is_roster || !key || !ob_number_parse_int(key, &id))
                return true;
        r->ids = ob_grow(r->ids, &r->room, r->n, sizeof(*r->ids));
        r->ids[r->n++] = id;
        return ob_names_presence(f->snapshot, id, newest) != OB_PRESENCE_GONE;
}

static int compare_ids(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

        return left < right ? -1 : left > right;
}

/* Reports the age of a pipeline that never had a row: the time since the pipeline was created. */
static void tell_silent(struct ob_task *f, struct roll *r)
{
        const char *row[OB_COLUMNS_MAX] = { NULL };
        int64_t id = INT64_MIN, made;
        char key[24];

        if (!f->source->is_roster)
                return;
        if (r->n)
                qsort(r->ids, r->n, sizeof(*r->ids), compare_ids);
        row[f->first[OB_KEY]] = key;
        while (ob_names_next_pipeline(f->snapshot, &id, &made)) {
                if (!made || (r->n && bsearch(&id, r->ids, r->n, sizeof(*r->ids), compare_ids)))
                        continue;
                snprintf(key, sizeof(key), "%" PRId64, id);
                report(f, row, made);
        }
}

/* Rows of one key are adjacent, since the query groups by the key first. */
static int poll_newest(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        ob_cleanup(free_roll) struct roll roll = { .n = 0 };
        int64_t newest = INT64_MIN;
        struct ob_rows rows;

        (void)at;
        newest_of(f)->polls++;
        if (ob_task_read(f, 0, 0, &rows, err))
                return -1;
        for (size_t i = 0; i < rows.n; i++) {
                const char *const *row = rows.cells + i * rows.width;
                int64_t time;

                if (ob_row_time(f, row, OB_AGE, &time) && time > newest)
                        newest = time;
                if (newest == INT64_MIN || (i + 1 < rows.n && same_key(f->source, row, row + rows.width)))
                        continue; /* a zero date has no age */
                if (call(f, &roll, row, newest))
                        report(f, row, newest);
                newest = INT64_MIN;
        }
        tell_silent(f, &roll);
        forget_gone(newest_of(f));
        ob_outbox_close(&f->outbox);
        return f->outbox.points ? ob_task_commit(f, &f->checkpoint, NULL, err) : 0;
}

const struct ob_delta_ops ob_newest = {
        .begin = begin_newest,
        .poll = poll_newest,
        .reset = reset_newest,
};
