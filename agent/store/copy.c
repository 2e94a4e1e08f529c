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

/* A copy on its way. */
struct copy {
        struct ob_store *from, *to;
        const struct ob_copy_turns *turns; /* NULL: all goes to one place */
        struct ob_copied *done;
        int64_t *last; /* the last number that a batch was given; NULL: batches keep their numbers */
};

static int put_row(const struct copy *c, enum ob_store_table table, const struct ob_value *row, struct ob_err *err)
{
        if (c->turns && c->turns->row(c->turns->ctx, table, row, err))
                return -1;
        return ob_store_put_row(c->to, table, row, err);
}

/* `copies`: else the rows are only checked. */
static int copy_table(const struct copy *c, enum ob_store_table table, bool copies, struct ob_err *err)
{
        struct ob_statement *q = ob_statement_prepare(c->from, OB_SQL_OF(table, OB_ROWS_EACH), NULL, 0, err);
        struct ob_value row[OB_ROW_COLUMNS];
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(c->from, q, err)) == 1)
                if (!ob_statement_read_row(q, table, row))
                        note_corrupt(c->done, ob_table_facts[table].what, ob_statement_text(q, 0));
                else if (copies && put_row(c, table, row, err))
                        got = -1;
                else
                        c->done->rows += copies;
        ob_statement_reset(q);
        return got;
}

/* The checksum of a batch leaves out its number: see sql.c. */
static int put_batch(const struct copy *c, int64_t seq, const struct ob_value *batch, struct ob_err *err)
{
        if (c->turns && c->turns->batch(c->turns->ctx, seq, batch[2].data, batch[2].length, err))
                return -1;
        if (c->last)
                seq = ++*c->last;
        return OB_RUN(c->to, OB_SQL_COPY_BATCH, err, ob_value_number(seq), batch[0], batch[1], batch[2], batch[3]);
}

/* Copies the batch at the row of a query. */
static int copy_batch(const struct copy *c, struct ob_statement *q, int64_t seq, struct ob_err *err)
{
        struct ob_value batch[4];

        batch[3] = ob_value_number(ob_statement_number(q, 4));
        if (!ob_statement_read(q, 1, OB_BATCH_TYPES, batch)) {
                ob_cleanup(ob_free_at) char *number = ob_format("%lld", (long long)seq);

                note_corrupt(c->done, "batch", number);
                return 0;
        }
        if (put_batch(c, seq, batch, err))
                return -1;
        c->done->batches++;
        c->done->points += batch[0].number;
        return 0;
}

static int copy_batches(const struct copy *c, int64_t after, int64_t upto, struct ob_err *err)
{
        struct ob_value at = ob_value_number(after);
        struct ob_statement *q;
        int got;

        while ((got = ob_statement_first(c->from, OB_SQL_NEXT_BATCH, &at, 1, &q, err)) == 1) {
                at = ob_value_number(ob_statement_number(q, 0));
                got = at.number > upto ? 0 : copy_batch(c, q, at.number, err) ? -1 : 1;
                ob_statement_reset(q);
                if (got < 1)
                        break;
        }
        return got;
}

static bool is_of_sink(enum ob_store_table t)
{
        return t == OB_TABLE_SINKS || t == OB_TABLE_SINK_TOTALS || t == OB_TABLE_SINK_TOTALS_UPTO;
}

static int copy_tables(const struct copy *c, bool with_sinks, struct ob_err *err)
{
        for (enum ob_store_table t = 0; t < OB_TABLES; t++)
                if (copy_table(c, t, with_sinks || !is_of_sink(t), err))
                        return -1;
        return 0;
}

int ob_store_copy_sources(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err)
{
        const struct copy c = { .from = from, .to = to, .done = done };

        return copy_tables(&c, false, err);
}

int ob_store_copy_last_number(struct ob_store *from, struct ob_store *to, struct ob_err *err)
{
        int64_t last;

        return from->engine->last_number(from->db, &last, err) ? -1
                                                               : to->engine->set_last_number(to->db, last, err);
}

int ob_store_copy(struct ob_store *from, struct ob_store *to, struct ob_copied *done, struct ob_err *err)
{
        const struct copy c = { .from = from, .to = to, .done = done };

        return copy_tables(&c, true, err) || copy_batches(&c, INT64_MIN, INT64_MAX, err) ||
                               ob_store_copy_last_number(from, to, err)
                       ? -1
                       : 0;
}

int ob_store_copy_divided(struct ob_store *from, struct ob_store *to, const struct ob_copy_turns *turns,
        struct ob_copied *done, struct ob_err *err)
{
        const struct copy c = { .from = from, .to = to, .turns = turns, .done = done };

        return copy_tables(&c, false, err) || copy_batches(&c, INT64_MIN, INT64_MAX, err) ? -1 : 0;
}

int ob_store_copy_batches(struct ob_store *from, struct ob_store *to, int64_t after, int64_t upto, int64_t *last,
        struct ob_copied *done, struct ob_err *err)
{
        const struct copy c = { .from = from, .to = to, .done = done, .last = last };

        return copy_batches(&c, after, upto, err);
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
