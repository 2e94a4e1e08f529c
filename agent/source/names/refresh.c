#include "agent/source/names/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/source/names/name_rows.h"
#include "agent/source/names/name_store.h"
#include "proto/memory.h"

/* Seconds: a new name holds from so long after the database's clock was read; it must be published before. */
#define RENAME_AHEAD 10

#define NEW_ID_EVERY_MS 60000 /* new ids make us read the names no more often than that */

/* A snapshot in the making: readers see all of it, or nothing. */
struct draft {
        struct ob_names *names;
        struct ob_session *session;
        struct ob_store *store;
        struct ob_name_table table;    /* ours */
        size_t known;                  /* names in the book before */
        bool is_first[OB_NAMED_KINDS]; /* no name of the kind was ever read, and no worker has begun */
        bool is_read[OB_NAMED_KINDS];
        int64_t began;          /* ob_clock_ms() */
        int64_t now, now_at;    /* the database's clock, and when we asked for that: ob_clock_ms() */
        char *refused, *grants; /* ours: why some kinds may not be read, and what would help; "" */
};

static void take_row(void *ctx, const struct ob_name_row *row)
{
        struct draft *d = ctx;

        ob_name_table_row(&d->table, &d->names->book, row, d->is_first[row->kind]);
}

static int note_refusal(struct draft *d, enum ob_named_kind kind, const struct ob_err *why, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *grant = ob_name_rows_grant(d->session, kind, err);

        if (!grant)
                return -1;
        ob_append(&d->refused, "; ", "%s", why->text);
        ob_append(&d->grants, " ", "%s", grant);
        return 0;
}

static int read_kind(struct draft *d, enum ob_named_kind kind, struct ob_err *err)
{
        const struct ob_name_reading reading = {
                .kind = kind, .each = take_row, .ctx = d, .name = d->names->name, .bad = &d->names->bad_ids
        };
        struct ob_err why;
        int got = ob_name_rows_read(d->session, &reading, &why);

        if (!got)
                return note_refusal(d, kind, &why, err);
        if (got < 0) {
                *err = why;
                return -1;
        }
        ob_name_table_end(&d->table, kind);
        d->is_read[kind] = true;
        return 0;
}

/* A copy of the newest snapshot's table; only we publish another one. */
static void begin(struct draft *d)
{
        struct ob_names *n = d->names;
        bool is_in_use;

        pthread_mutex_lock(&n->lock);
        is_in_use = n->is_in_use;
        pthread_mutex_unlock(&n->lock);
        d->began = ob_clock_ms();
        d->known = n->book.n;
        ob_name_table_copy(&d->table, &n->newest->table);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                d->is_first[kind] = !is_in_use && !ob_name_table_has(&d->table, kind);
}

static int read_all(struct draft *d, struct ob_err *err)
{
        if (ob_session_open(d->session, err))
                return -1;
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                if (read_kind(d, kind, err))
                        return -1;
        d->now_at = ob_clock_ms();
        if (ob_name_rows_clock(d->session, &d->now, err))
                return -1;
        ob_name_table_sort(&d->table);
        ob_name_book_date(&d->names->book, d->known, d->now + RENAME_AHEAD);
        return 0;
}

/*
 * From here on no worker begins until the draft is published. False: the names would come too late for the time
 * they hold from, or names that hold for all the past for a worker that has begun: they must be read again.
 */
static bool begin_publishing(struct draft *d)
{
        struct ob_names *n = d->names;
        bool may = ob_clock_ms() < d->now_at + RENAME_AHEAD * 1000 / 2;

        pthread_mutex_lock(&n->lock);
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                may &= !(d->is_first[kind] && d->is_read[kind] && n->is_in_use);
        n->is_publishing = may;
        pthread_mutex_unlock(&n->lock);
        return may;
}

static void publish(struct draft *d)
{
        struct ob_names *n = d->names;
        struct ob_names_snapshot *s = ob_alloc(1, sizeof(*s));

        *s = (struct ob_names_snapshot) {
                .names = n, .table = d->table, .pipelines_read_at = n->newest->pipelines_read_at
        };
        d->table = (struct ob_name_table) { .n = 0 };
        if (d->is_read[OB_NAMED_PIPELINE]) /* the list was read after this moment */
                s->pipelines_read_at = d->now - (ob_clock_ms() - d->began) / 1000 - 1;
        ob_names_publish(n, s);
}

/* 1: the names must be read again. */
static int refresh(struct draft *d, struct ob_err *err)
{
        struct ob_names *n = d->names;
        int got;

        begin(d);
        got = read_all(d, err);
        if (!got && !begin_publishing(d))
                got = 1;
        if (!got)
                got = ob_name_store_keep(d->store, n->manager->name, &n->book, d->known, err);
        if (got)
                ob_name_book_cut(&n->book, d->known);
        else
                publish(d);
        return got;
}

/* Once a start. Nothing says when the grants are there: the labels do. */
static void log_refusal(struct ob_names *n, const struct draft *d)
{
        if (*d->refused && ob_log_change(&n->is_refusal_logged, true))
                ob_log(OB_LOG_WARN,
                        "source=%s event=names_refused err=\"%s\" grant=\"%s\" why=\"series are shown by ids alone "
                        "where names can't be read\"",
                        n->name, d->refused, d->grants);
}

static void note_failure(struct ob_names *n, const struct ob_err *err)
{
        if (ob_log_change(&n->is_failing, true))
                ob_log(OB_LOG_ERROR, "source=%s event=poll_failed err=\"%s\"", n->name, err->text);
}

static void note_success(struct ob_names *n, const struct draft *d)
{
        if (ob_log_change(&n->is_failing, false))
                ob_log(OB_LOG_INFO, "source=%s event=poll_recovered", n->name);
        ob_backoff_reset(&n->backoff);
        log_refusal(n, d);
}

/* The workers that wait for the first names may begin. */
static void end_publishing(struct ob_names *n)
{
        pthread_mutex_lock(&n->lock);
        n->is_publishing = false;
        n->is_in_use = true;
        pthread_mutex_unlock(&n->lock);
}

void ob_names_refresh(struct ob_names *n, struct ob_session *session, struct ob_store *store)
{
        struct draft d = { n, session, store, .refused = ob_copy(""), .grants = ob_copy("") };
        struct ob_err err;
        int got;

        n->has_met_new_id = false;
        got = refresh(&d, &err);
        end_publishing(n);
        if (got < 0 && !ob_stop_is_wanted(n->stop))
                note_failure(n, &err);
        if (!got)
                note_success(n, &d);
        ob_name_table_free(&d.table);
        free(d.refused);
        free(d.grants);
        n->tried_at = ob_clock_ms();
        n->due = n->tried_at + (got ? ob_backoff_next(&n->backoff) : n->every * INT64_C(1000));
}

int64_t ob_names_refresh_due(const struct ob_names *n)
{
        int64_t soon = n->tried_at + NEW_ID_EVERY_MS;

        return n->has_met_new_id && soon < n->due ? soon : n->due;
}
