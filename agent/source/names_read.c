/* One reading of the names: all of it is seen by everybody at one moment, or none. */
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/source/name_rows.h"
#include "agent/source/name_store.h"
#include "agent/source/names.h"
#include "proto/memory.h"

/*
 * Seconds: a new name holds from so long after the clock was read. By then everybody must see it, or a point could
 * go out under the old name that would have the new one when it is told again.
 */
#define RENAME_AHEAD 10

/*
 * Seconds: a new name holds from so long after the clock was read. By then everybody must see it, or a point could
 * go out under the old name that would have the new one when it is told again.
 */
#define RENAME_AHEAD 10

/* One reading, before anybody sees it. */
struct reading {
        struct ob_names *names;
        struct ob_name_table table; /* ours */
        int64_t began, now;         /* ob_clock_ms() and the database's clock */
        bool is_read[OB_NAMED_KINDS];
        int64_t added[OB_NAMED_KINDS]; /* since when what was not there before has its name */
        bool was_told[OB_NAMED_KINDS]; /* as it is known here: more may come meanwhile */
        size_t n_missed;
        char *refused, *grants; /* ours: why kinds can't be read, and what would help; "" */
};

static void take_row(void *ctx, const struct ob_name_row *row)
{
        struct reading *r = ctx;

        ob_name_table_row(&r->table, &r->names->book, row, r->added[row->kind], r->now + RENAME_AHEAD);
}

static void append(char **text, const char *between, const char *more)
{
        char *longer = ob_format("%s%s%s", *text, **text ? between : "", more);

        free(*text);
        *text = longer;
}

static int note_refusal(struct reading *r, enum ob_named_kind kind, const struct ob_err *why, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *grant = ob_name_rows_grant(&r->names->session, kind, err);

        if (!grant)
                return -1;
        append(&r->refused, "; ", why->text);
        append(&r->grants, " ", grant);
        return 0;
}

static int read_kind(struct reading *r, enum ob_named_kind kind, struct ob_err *err)
{
        const struct ob_name_reading reading = {
                .kind = kind, .each = take_row, .ctx = r, .name = r->names->name, .bad = &r->names->bad_ids
        };
        struct ob_err why;
        int got = ob_name_rows_read(&r->names->session, &reading, &why);

        if (!got)
                return note_refusal(r, kind, &why, err);
        if (got < 0) {
                *err = why;
                return -1;
        }
        ob_name_table_end(&r->table, kind);
        r->is_read[kind] = true;
        return 0;
}

/* What was told of without a name keeps having none for that time, whatever is read now. */
static void take_missed(struct reading *r)
{
        struct ob_names *n = r->names;
        struct ob_names_missed missed[OB_NAMES_MISSED];

        pthread_mutex_lock(&n->lock);
        r->n_missed = n->n_missed;
        memcpy(missed, n->missed, sizeof(missed));
        memcpy(r->was_told, n->was_told, sizeof(r->was_told));
        pthread_mutex_unlock(&n->lock);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                r->added[kind] = r->was_told[kind] ? r->now + RENAME_AHEAD : INT64_MIN;
        for (size_t i = 0; i < r->n_missed; i++)
                ob_name_table_miss(&r->table, &n->book, missed[i].kind, missed[i].id);
        ob_name_table_sort(&r->table);
}

/*
 * Nothing is missed from here on until the table is there. False: something was since the reading began, or the
 * names would come too late for the time they hold from: it has to be done again.
 */
static bool settle(struct reading *r)
{
        struct ob_names *n = r->names;
        bool is_fit = ob_clock_ms() < r->began + RENAME_AHEAD * 1000 / 2;

        pthread_mutex_lock(&n->lock);
        is_fit &= n->n_missed == r->n_missed;
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                is_fit &= !r->is_read[kind] || n->was_told[kind] == r->was_told[kind];
        n->is_settled = is_fit;
        pthread_mutex_unlock(&n->lock);
        return is_fit;
}

/* Everybody sees the new table; the old one is left in `r`. */
static void publish(struct reading *r)
{
        struct ob_names *n = r->names;
        struct ob_name_table old;

        pthread_mutex_lock(&n->lock);
        old = n->table;
        n->table = r->table;
        n->n_missed = 0;
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                if (r->is_read[kind]) {
                        n->read_at[kind] = r->now;
                        n->was_told[kind] = false;
                }
        pthread_mutex_unlock(&n->lock);
        r->table = old;
}

/* 1: it has to be done again. */
static int read_all(struct reading *r, struct ob_err *err)
{
        struct ob_names *n = r->names;
        size_t known = n->book.n;
        int got = 0;

        if (ob_session_open(&n->session, err) || ob_name_rows_clock(&n->session, &r->now, err))
                return -1;
        ob_name_table_copy(&r->table, &n->table);
        take_missed(r);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS && !got; kind++)
                got = read_kind(r, kind, err);
        ob_name_table_sort(&r->table);
        if (!got && !settle(r))
                got = 1;
        if (!got)
                got = ob_name_store_keep(n->store, n->manager->name, &n->book, known, err);
        if (got)
                ob_name_book_cut(&n->book, known);
        else
                publish(r);
        return got;
}

/* Told once a start, and nothing when it is put right: the labels say so. */
static void tell_refusal(struct ob_names *n, const struct reading *r)
{
        if (n->is_refusal_told || !*r->refused)
                return;
        ob_log(OB_LOG_WARN,
                "source=%s event=names_refused err=\"%s\" grant=\"%s\" why=\"series are shown by ids alone where "
                "names can't be read\"",
                n->name, r->refused, r->grants);
        n->is_refusal_told = true;
}

static void note_failure(struct ob_names *n, const struct ob_err *err)
{
        if (!n->is_failing)
                ob_log(OB_LOG_ERROR, "source=%s event=poll_failed err=\"%s\"", n->name, err->text);
        n->is_failing = true;
}

static void note_success(struct ob_names *n, const struct reading *r)
{
        if (n->is_failing)
                ob_log(OB_LOG_INFO, "source=%s event=poll_recovered", n->name);
        n->is_failing = false;
        ob_backoff_reset(&n->backoff);
        tell_refusal(n, r);
}

int64_t ob_names_read(struct ob_names *n)
{
        struct reading r = { .names = n, .began = ob_clock_ms(), .refused = ob_copy(""), .grants = ob_copy("") };
        struct ob_err err;
        int got = read_all(&r, &err);

        ob_session_rest(&n->session);
        if (got < 0 && !ob_stop_is_wanted(n->stop))
                note_failure(n, &err);
        if (!got)
                note_success(n, &r);
        ob_name_table_free(&r.table);
        free(r.refused);
        free(r.grants);
        return ob_clock_ms() + (got ? ob_backoff_next(&n->backoff) : n->every * INT64_C(1000));
}
