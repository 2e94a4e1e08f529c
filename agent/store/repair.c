/* Checks every row of the store, and deletes or empties those that the disk has changed. */
#include <stdio.h>
#include <string.h>

#include "agent/store/statement.h"
#include "agent/store/store.h"
#include "proto/batch.h"
#include "proto/memory.h"

/* The number of points in a corrupt row may be wrong too: it is clamped to what a batch can have. */
static int64_t likely_points(int64_t points)
{
        return points < 0 ? 0 : points > OB_BATCH_POINTS ? OB_BATCH_POINTS : points;
}

/* Empties a corrupt batch. Its number stays, so that the numbers have no gap; its points are counted as lost. */
static int empty_batch(struct ob_store *st, struct ob_statement *row, struct ob_corruption *d, struct ob_err *err)
{
        int64_t seq = ob_statement_number(row, 0), points = likely_points(ob_statement_number(row, 1));
        struct ob_statement *s = ob_statement_prepare(st, OB_SQL_EMPTY_BATCH, NULL, 0, err);
        struct ob_value number;

        if (!s)
                return -1;
        if (!*d->first)
                snprintf(d->first, sizeof(d->first), "batch %lld", (long long)seq);
        d->batches++;
        d->points += points;
        number = ob_value_number(seq);
        st->engine->bind(s, 5, &number);
        return OB_PUT(
                st, OB_SQL_EMPTY_BATCH, err, ob_value_number(points), ob_value_number(0), ob_value_blob(NULL, 0));
}

/* Writes which row was the first corrupt one. */
static void note_first(struct ob_corruption *d, const char *what, const char *name)
{
        if (!*d->first)
                snprintf(d->first, sizeof(d->first), "%s %.64s", what, *name ? name : "?");
}

/* Puts a sink whose position is not known behind the last batch, so that it sends nothing twice. */
static int skip_all(struct ob_store *st, const char *name, struct ob_err *err)
{
        struct ob_delivery p = { .acked = 0 };

        if (st->engine->last_number(st->db, &p.acked, err))
                return -1;
        p.sent_upto = p.acked;
        return ob_store_put_delivery(st, name, &p, err);
}

/*
 * Deletes a corrupt row: what it held is unknown from then on. The DELETE gets the cells themselves, because their
 * types may be wrong, and before the name is read as a text, which may convert its cell.
 */
static int forget_row(struct ob_store *st, enum ob_store_table table, struct ob_statement *row,
        struct ob_corruption *d, struct ob_err *err)
{
        struct ob_statement *s = ob_statement_prepare(st, OB_SQL_OF(table, OB_ROW_FORGET_CORRUPT), NULL, 0, err);
        const char *name;

        if (!s)
                return -1;
        for (int i = 0; i < ob_table_facts[table].n_key; i++)
                st->engine->bind_column(s, i + 1, row, i);
        if (ob_statement_step(st, s, err))
                return -1;
        name = ob_statement_text(row, 0);
        note_first(d, ob_table_facts[table].what, name);
        d->sinks += table == OB_TABLE_SINKS;
        d->chunks += table == OB_TABLE_SEEN_IDS;
        d->checkpoints += table == OB_TABLE_SOURCES;
        d->totals += table != OB_TABLE_SINKS && table != OB_TABLE_SEEN_IDS && table != OB_TABLE_SOURCES;
        return table == OB_TABLE_SINKS ? skip_all(st, name, err) : 0;
}

static int check_table(struct ob_store *st, enum ob_store_table table, struct ob_corruption *d, struct ob_err *err)
{
        struct ob_statement *q = ob_statement_prepare(st, OB_SQL_OF(table, OB_ROWS_EACH), NULL, 0, err);
        struct ob_value row[OB_ROW_COLUMNS];
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1)
                if (!ob_statement_read_row(q, table, row) && forget_row(st, table, q, d, err))
                        got = -1;
        if (got && q)
                ob_statement_reset(q);
        return got;
}

/* Reads one batch at a time: a full queue must not be in memory at once. */
static int check_batches(struct ob_store *st, struct ob_corruption *d, struct ob_err *err)
{
        struct ob_value row[3], after = ob_value_number(INT64_MIN);
        struct ob_statement *q;
        int got;

        while ((got = ob_statement_first(st, OB_SQL_NEXT_BATCH, &after, 1, &q, err)) == 1) {
                after = ob_value_number(ob_statement_number(q, 0));
                if (!ob_statement_read(q, 1, OB_BATCH_TYPES, row) && empty_batch(st, q, d, err))
                        got = -1;
                ob_statement_reset(q);
                if (got < 0)
                        break;
        }
        return got;
}

static int check_all(struct ob_store *st, struct ob_corruption *d, struct ob_err *err)
{
        if (check_batches(st, d, err))
                return -1;
        for (enum ob_store_table t = 0; t < OB_TABLES; t++)
                if (check_table(st, t, d, err))
                        return -1;
        return d->chunks ? ob_statement_run(st, OB_SQL_OF(OB_TABLE_SEEN_IDS, OB_ROWS_CLEAR), NULL, 0, err) : 0;
}

int ob_store_repair(struct ob_store *st, struct ob_corruption *d, struct ob_err *err)
{
        *d = (struct ob_corruption) { .first = "" };
        if (ob_store_begin(st, err))
                return -1;
        if (check_all(st, d, err)) {
                ob_store_rollback(st);
                return -1;
        }
        return ob_store_commit(st, err);
}
