/* Copies a store row by row, whatever engines the two stores have. */
#include <stdio.h>

#include "agent/store/statement.h"
#include "agent/store/store.h"
#include "proto/memory.h"

static void note_corrupt(struct ob_copied *done, const char *what, const char *which)
{
        if (!done->corrupt++)
                snprintf(done->first, sizeof(done->first), "%s %.64s", what, *which ? which : "?");
}

static int copy_table(struct ob_store *from, struct ob_store *to, enum ob_store_table table, struct ob_copied *done,
        struct ob_err *err)
{
        struct ob_statement *q = ob_statement_prepare(from, OB_SQL_OF(table, OB_ROWS_EACH), NULL, 0, err);
        struct ob_value row[OB_ROW_COLUMNS];
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(from, q, err)) == 1)
                if (!ob_statement_read_row(q, table, row))
                        note_corrupt(done, ob_table_facts[table].what, ob_statement_text(q, 0));
                else if (ob_store_put_row(to, table, row, err))
                        got = -1;
                else
                        done->rows++;
        ob_statement_reset(q);
        return got;
}

/* The checksum of a batch leaves out its number: see sql.c. */
static int put_numbered(struct ob_store *to, int64_t seq, const struct ob_value *batch, struct ob_err *err)
{
        return OB_RUN(to, OB_SQL_COPY_BATCH, err, ob_value_number(seq), batch[0], batch[1], batch[2], batch[3]);
}

static int copy_batches(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err)
{
        struct ob_value batch[4], after = ob_value_number(INT64_MIN);
        struct ob_statement *q;
        int got;

        while ((got = ob_statement_first(from, OB_SQL_NEXT_BATCH, &after, 1, &q, err)) == 1) {
                after = ob_value_number(ob_statement_number(q, 0));
                batch[3] = ob_value_number(ob_statement_number(q, 4));
                if (!ob_statement_read(q, 1, OB_BATCH_TYPES, batch)) {
                        ob_cleanup(ob_free_at) char *number = ob_format("%lld", (long long)after.number);

                        note_corrupt(done, "batch", number);
                } else if (put_numbered(to, after.number, batch, err)) {
                        got = -1;
                } else {
                        done->batches++;
                        done->points += batch[0].number;
                }
                ob_statement_reset(q);
                if (got < 0)
                        break;
        }
        return got;
}

static bool is_of_sink(enum ob_store_table t)
{
        return t == OB_TABLE_SINKS || t == OB_TABLE_SINK_TOTALS || t == OB_TABLE_SINK_TOTALS_UPTO;
}

static int copy_tables(
        struct ob_store *from, struct ob_store *to, bool with_sinks, struct ob_copied *done, struct ob_err *err)
{
        *done = (struct ob_copied) { .rows = 0 };
        for (enum ob_store_table t = 0; t < OB_TABLES; t++)
                if ((with_sinks || !is_of_sink(t)) && copy_table(from, to, t, done, err))
                        return -1;
        return 0;
}

int ob_store_copy_sources(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err)
{
        return copy_tables(from, to, false, done, err);
}

int ob_store_copy(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err)
{
        int64_t last;

        if (copy_tables(from, to, true, done, err) || copy_batches(from, to, done, err) ||
                from->engine->last_number(from->db, &last, err))
                return -1;
        return to->engine->set_last_number(to->db, last, err);
}

int ob_store_is_empty(struct ob_store *st, bool *is_empty, struct ob_err *err)
{
        const struct ob_value after = ob_value_number(INT64_MIN);
        struct ob_statement *q;
        int got = ob_statement_first(st, OB_SQL_NEXT_BATCH, &after, 1, &q, err);

        for (enum ob_store_table t = 0; t < OB_TABLES && !got; t++)
                got = ob_statement_first(st, OB_SQL_OF(t, OB_ROWS_ANY), NULL, 0, &q, err);
        if (got < 0)
                return -1;
        if (got)
                ob_statement_reset(q);
        *is_empty = !got;
        return 0;
}

int ob_store_clear(struct ob_store *st, struct ob_err *err)
{
        for (enum ob_store_table t = 0; t < OB_TABLES; t++)
                if (ob_statement_run(st, OB_SQL_OF(t, OB_ROWS_CLEAR), NULL, 0, err))
                        return -1;
        return OB_RUN(st, OB_SQL_DROP_BATCHES, err, ob_value_number(INT64_MAX));
}
