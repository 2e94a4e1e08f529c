/* Looking over what is remembered, and leaving out what the disk has spoilt. */
#include <stdio.h>
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/statement.h"
#include "agent/store/store.h"
#include "proto/batch.h"
#include "proto/memory.h"

/* What is known of a damaged row may be wrong, too: it is read only as far as it makes sense. */
static int64_t likely_points(int64_t points)
{
        return points < 0 ? 0 : points > OB_BATCH_POINTS ? OB_BATCH_POINTS : points;
}

/* Its number stays, so that none is missing, and its points, which are lost. */
static int empty_batch(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err)
{
        int64_t seq = sqlite3_column_int64(row, 0), points = likely_points(sqlite3_column_int64(row, 1));
        sqlite3_stmt *s = ob_statement_prepare(st, OB_SQL_EMPTY_BATCH, NULL, 0, err);

        if (!s)
                return -1;
        if (!*d->first)
                snprintf(d->first, sizeof(d->first), "batch %lld", (long long)seq);
        d->batches++;
        d->points += points;
        sqlite3_bind_int64(s, 5, seq);
        return OB_PUT(
                st, OB_SQL_EMPTY_BATCH, err, ob_value_number(points), ob_value_number(0), ob_value_blob(NULL, 0));
}

/* A blob without bytes has no address, which sqlite3_bind_value takes for NULL. */
static void bind_cell(sqlite3_stmt *s, int at, sqlite3_stmt *row, int column)
{
        sqlite3_value *cell = sqlite3_column_value(row, column);

        if (sqlite3_column_type(row, column) == SQLITE_BLOB && !sqlite3_column_bytes(row, column))
                sqlite3_bind_blob(s, at, "", 0, SQLITE_STATIC);
        else
                sqlite3_bind_value(s, at, cell);
}

/*
 * Deletes the row whose name is in the first cell, by that very cell: it may be a blob, or NULL, which is no name.
 * Before the cell is read as a text, which may make one of it.
 */
static int forget_named(
        struct ob_store *st, sqlite3_stmt *row, enum ob_sql named, enum ob_sql nameless, struct ob_err *err)
{
        bool has_name = sqlite3_column_type(row, 0) != SQLITE_NULL;
        sqlite3_stmt *s = ob_statement_prepare(st, has_name ? named : nameless, NULL, 0, err);

        if (!s)
                return -1;
        if (has_name)
                bind_cell(s, 1, row, 0);
        return ob_statement_step(st, s, err);
}

/* It has got at least as far as nobody knows: behind all, so that nothing goes out twice. */
static int pass_all(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err)
{
        struct ob_delivery p = { .acked = 0 };
        const char *name;
        sqlite3_stmt *q;

        if (forget_named(st, row, OB_SQL_FORGET_SINK, OB_SQL_FORGET_NAMELESS_SINKS, err))
                return -1;
        name = ob_connection_cell(row, 0);
        if (ob_statement_first(st, OB_SQL_LAST_BATCH, NULL, 0, &q, err) < 1)
                return -1;
        p.acked = p.sent_upto = sqlite3_column_int64(q, 0);
        sqlite3_reset(q);
        if (!*d->first)
                snprintf(d->first, sizeof(d->first), "sink %.64s", *name ? name : "?");
        d->sinks++;
        return ob_store_put_delivery(st, name, &p, err);
}

/* The name of the source that a row is of, as the one that was damaged first; for what `n` counts. */
static int note(sqlite3_stmt *row, struct ob_corruption *d, int64_t *n, const char *what)
{
        const char *source = ob_connection_cell(row, 0);

        if (!*d->first)
                snprintf(d->first, sizeof(d->first), "%s of source %.64s", what, *source ? source : "?");
        ++*n;
        return 0;
}

static int note_chunk(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err)
{
        (void)st;
        (void)err;
        return note(row, d, &d->chunks, "the counted ids");
}

/* A key whose total is not known is one of first sight. It is named by its own cells: their types may be wrong. */
static int forget_total(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err)
{
        sqlite3_stmt *s = ob_statement_prepare(st, OB_SQL_FORGET_TOTAL, NULL, 0, err);

        if (!s)
                return -1;
        bind_cell(s, 1, row, 0);
        bind_cell(s, 2, row, 1);
        note(row, d, &d->totals, "a total");
        return ob_statement_step(st, s, err);
}

static int forget_checkpoint(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err)
{
        if (forget_named(st, row, OB_SQL_FORGET_CHECKPOINT, OB_SQL_FORGET_NAMELESS_STANDINGS, err))
                return -1;
        return note(row, d, &d->checkpoints, "the place");
}

/* Each table: its rows, which columns the checksum is of, and what becomes of a damaged one. */
static const struct {
        enum ob_sql each;
        int from, n;
        int (*repair)(struct ob_store *st, sqlite3_stmt *row, struct ob_corruption *d, struct ob_err *err);
} tables[] = {
        { OB_SQL_EACH_BATCH, 1, 3, empty_batch },
        { OB_SQL_EACH_SINK, 0, 4, pass_all },
        { OB_SQL_EACH_CHUNK, 0, 4, note_chunk },
        { OB_SQL_EACH_TOTALS, 0, 4, forget_total },
        { OB_SQL_EACH_CHECKPOINT, 0, 7, forget_checkpoint },
};

static int look_through(struct ob_store *st, size_t table, struct ob_corruption *d, struct ob_err *err)
{
        sqlite3_stmt *q = ob_statement_prepare(st, tables[table].each, NULL, 0, err);
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1)
                if (!ob_statement_is_sound(q, tables[table].from, tables[table].n) &&
                        tables[table].repair(st, q, d, err)) {
                        sqlite3_reset(q);
                        return -1;
                }
        return got;
}

static int look_through_all(struct ob_store *st, struct ob_corruption *d, struct ob_err *err)
{
        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
                if (look_through(st, i, d, err))
                        return -1;
        return d->chunks ? ob_statement_run(st, OB_SQL_FORGET_ALL_CHUNKS, NULL, 0, err) : 0;
}

int ob_store_repair(struct ob_store *st, struct ob_corruption *d, struct ob_err *err)
{
        *d = (struct ob_corruption) { .first = "" };
        if (ob_store_begin(st, err))
                return -1;
        if (look_through_all(st, d, err)) {
                ob_store_rollback(st);
                return -1;
        }
        return ob_store_commit(st, err);
}
