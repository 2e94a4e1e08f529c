/* The age of the newest row of each key. A key may have several rows: the youngest is used. */
#include "agent/source/newest.h"

#include "agent/source/newest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/decode.h"
#include "agent/source/transaction.h"
#include "proto/memory.h"
#include "proto/number.h"

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
        const char *key = row[ob_source_find(f->source, OB_KEY)];
        int64_t id;

        if (!f->source->is_roster || !key || !ob_number_parse_int(key, strlen(key), &id))
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
        struct ob_amounts age = { .has = { false } };
        unsigned column = (unsigned)ob_source_find(f->source, OB_AGE);
        int64_t id = INT64_MIN, made;
        char key[24];

        if (!f->source->is_roster)
                return;
        if (r->n)
                qsort(r->ids, r->n, sizeof(*r->ids), compare_ids);
        row[ob_source_find(f->source, OB_KEY)] = key;
        age.has[column] = true;
        while (ob_names_next_pipeline(f->snapshot, &id, &made)) {
                if (!made || (r->n && bsearch(&id, r->ids, r->n, sizeof(*r->ids), compare_ids)))
                        continue;
                snprintf(key, sizeof(key), "%" PRId64, id);
                age.value[column] = ob_whole(f->now > made ? f->now - made : 0);
                ob_row_emit(f, row, f->now, &age);
        }
}

/* Rows of one key are adjacent, since the query groups by the key first. */
static int poll_newest(struct ob_task *f, const struct ob_reading *at, struct ob_err *err)
{
        unsigned column = (unsigned)ob_source_find(f->source, OB_AGE);
        struct ob_amounts age = { .has = { false } };
        ob_cleanup(free_roll) struct roll roll = { .n = 0 };
        int64_t newest = INT64_MIN;
        struct ob_rows rows;

        (void)at;
        if (ob_task_read(f, 0, 0, &rows, err))
                return -1;
        for (size_t i = 0; i < rows.n; i++) {
                const char *const *row = rows.cells + i * rows.width;
                int64_t time;

                if (ob_row_time(f, row, OB_AGE, &time) && time > newest)
                        newest = time;
                if (newest == INT64_MIN || (i + 1 < rows.n && same_key(f->source, row, row + rows.width)))
                        continue; /* a zero date has no age */
                age.has[column] = true;
                age.value[column] = ob_whole(f->now > newest ? f->now - newest : 0);
                if (call(f, &roll, row, newest))
                        ob_row_emit(f, row, f->now, &age);
                newest = INT64_MIN;
        }
        tell_silent(f, &roll);
        ob_outbox_close(&f->outbox);
        return f->outbox.points || rows.n ? ob_task_commit(f, &f->checkpoint, NULL, err) : 0;
}

static void reset_newest(struct ob_task *f)
{
        (void)f;
}

const struct ob_delta_ops ob_newest = {
        .begin = begin_newest,
        .poll = poll_newest,
        .reset = reset_newest,
};
