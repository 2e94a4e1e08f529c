#include "agent/store/row.h"

#include "agent/store/statement.h"
#include "proto/memory.h"

int ob_store_put_row(struct ob_store *st, enum ob_store_table table, const struct ob_value *row, struct ob_err *err)
{
        return ob_statement_put(st, OB_SQL_OF(table, OB_ROW_PUT), row, ob_table_facts[table].n, err);
}

int ob_store_each_row(struct ob_store *st, enum ob_store_table table, const char *owner, ob_store_row_fn *each,
        void *ctx, struct ob_err *err)
{
        const struct ob_value of = ob_value_text(owner);
        struct ob_statement *q = ob_statement_prepare(st, OB_SQL_OF(table, OB_ROWS_OF), &of, 1, err);
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1) {
                struct ob_value row[OB_ROW_COLUMNS];

                if (!ob_statement_read_row(q, table, row)) {
                        ob_cleanup(ob_free_at) char *which = ob_format("%s %s", ob_table_facts[table].what, owner);

                        return ob_statement_corrupt(st, q, err, which);
                }
                if (each(ctx, row, err)) {
                        ob_statement_reset(q);
                        return -1;
                }
        }
        return got;
}

int ob_store_forget_row(
        struct ob_store *st, enum ob_store_table table, const struct ob_value *row, struct ob_err *err)
{
        return ob_statement_run(st, OB_SQL_OF(table, OB_ROW_FORGET), row, ob_table_facts[table].n_key, err);
}

int ob_store_forget_rows(struct ob_store *st, enum ob_store_table table, const char *owner, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_OF(table, OB_ROWS_FORGET), err, ob_value_text(owner));
}

int ob_store_forget_signatures(struct ob_store *st, const char *source, int64_t time, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_FORGET_SIGNATURES, err, ob_value_text(source), ob_value_number(time));
}
