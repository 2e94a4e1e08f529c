#include "agent/store/statement.h"

#include <zlib.h>

struct ob_statement *ob_statement_prepare(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err)
{
        struct ob_statement *s = &st->statements[sql];

        if (!s->engine)
                *s = (struct ob_statement) {
                        .engine = st->engine, .db = st->db, .sql = ob_sql[sql], .is_put = sql == OB_SQL_PUT_BATCH
                };
        if (st->engine->prepare(s, err))
                return NULL;
        for (int i = 0; i < n; i++)
                st->engine->bind(s, i + 1, &values[i]);
        return s;
}

void ob_statement_reset(struct ob_statement *s)
{
        if (s)
                s->engine->reset(s);
}

void ob_statement_finalize_all(struct ob_store *st)
{
        for (int i = 0; i < OB_SQL_STATEMENTS; i++)
                if (st->statements[i].prepared)
                        st->engine->finalize(&st->statements[i]);
}

int ob_statement_step(struct ob_store *st, struct ob_statement *s, struct ob_err *err)
{
        int got = st->engine->step(s, err);

        if (got != OB_CORRUPT)
                return got;
        *st->is_corrupt = true;
        return -1;
}

int ob_statement_first(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n,
        struct ob_statement **s, struct ob_err *err)
{
        *s = ob_statement_prepare(st, sql, values, n, err);
        return *s ? ob_statement_step(st, *s, err) : -1;
}

int ob_statement_run(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err)
{
        struct ob_statement *s = ob_statement_prepare(st, sql, values, n, err);

        return s ? ob_statement_step(st, s, err) : -1;
}

static uLong add_number(uLong sum, int64_t n)
{
        unsigned char bytes[8];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)((uint64_t)n >> 8 * i);
        return crc32_z(sum, bytes, sizeof(bytes));
}

/* The type and the length count too: a text that became a blob of the same bytes is not found by its key. */
static uLong add_value(uLong sum, const struct ob_value *v)
{
        sum = add_number(sum, v->type);
        sum = add_number(sum, v->type == OB_VALUE_NUMBER ? v->number : (int64_t)v->length);
        return v->length ? crc32_z(sum, v->data, v->length) : sum;
}

int ob_statement_put(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err)
{
        struct ob_statement *s = ob_statement_prepare(st, sql, values, n, err);
        struct ob_value checksum;
        uLong sum = 0;

        if (!s)
                return -1;
        for (int i = 0; i < n; i++)
                sum = add_value(sum, &values[i]);
        checksum = ob_value_number((int64_t)sum);
        st->engine->bind(s, n + 1, &checksum);
        return ob_statement_step(st, s, err);
}

int64_t ob_statement_number(struct ob_statement *s, int column)
{
        return s->engine->number(s, column);
}

const char *ob_statement_text(struct ob_statement *s, int column)
{
        return s->engine->text(s, column);
}

/* The type of a column, by its letter. */
static int type_of(char letter)
{
        return letter == 'n' ? OB_VALUE_NUMBER : letter == 't' ? OB_VALUE_TEXT : OB_VALUE_BLOB;
}

bool ob_statement_read(struct ob_statement *s, int from, const char *types, struct ob_value *values)
{
        struct ob_value checksum;
        uLong sum = 0;
        int i;

        for (i = 0; types[i]; i++) {
                int type = type_of(types[i]);

                if (!s->engine->column(s, from + i, type, &values[i]) || (int)values[i].type != type)
                        return false;
                sum = add_value(sum, &values[i]);
        }
        return s->engine->column(s, from + i, OB_VALUE_NUMBER, &checksum) && checksum.type == OB_VALUE_NUMBER &&
               checksum.number == (int64_t)sum;
}

bool ob_statement_read_row(struct ob_statement *s, enum ob_store_table table, struct ob_value *row)
{
        return ob_statement_read(s, 0, ob_table_facts[table].types, row);
}

int ob_statement_corrupt(struct ob_store *st, struct ob_statement *s, struct ob_err *err, const char *what)
{
        *st->is_corrupt = true;
        ob_statement_reset(s);
        return ob_fail(err, "store %s: %s is damaged", st->engine->place(st->db), what);
}
