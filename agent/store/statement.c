#include "agent/store/statement.h"

#include <string.h>
#include <zlib.h>

#include "agent/store/connection.h"
#include "proto/memory.h"

static void bind(sqlite3_stmt *s, int at, const struct ob_value *v)
{
        switch (v->type) {
        case OB_VALUE_NUMBER:
                sqlite3_bind_int64(s, at, v->number);
                break;
        case OB_VALUE_TEXT:
                sqlite3_bind_text(s, at, v->data, (int)v->length, SQLITE_STATIC);
                break;
        case OB_VALUE_BLOB:
                sqlite3_bind_blob(s, at, v->data, (int)v->length, SQLITE_STATIC);
                break;
        }
}

sqlite3_stmt *ob_statement_prepare(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err)
{
        sqlite3_stmt *s = st->statements[sql];

        if (!s && sqlite3_prepare_v3(st->db, ob_sql[sql], -1, SQLITE_PREPARE_PERSISTENT, &st->statements[sql],
                          NULL) != SQLITE_OK) {
                ob_connection_fail(st->db, err);
                return NULL;
        }
        s = st->statements[sql];
        for (int i = 0; i < n; i++)
                bind(s, i + 1, &values[i]);
        return s;
}

void ob_statement_finalize_all(struct ob_store *st)
{
        for (int i = 0; i < OB_SQL_STATEMENTS; i++)
                sqlite3_finalize(ob_take(st->statements[i]));
}

int ob_statement_step(struct ob_store *st, sqlite3_stmt *s, struct ob_err *err)
{
        int code = sqlite3_step(s);

        if (code == SQLITE_ROW)
                return 1;
        if (code != SQLITE_DONE)
                ob_connection_fail(st->db, err);
        if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
                *st->is_corrupt = true;
        sqlite3_reset(s);
        return code == SQLITE_DONE ? 0 : -1;
}

int ob_statement_first(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, sqlite3_stmt **s,
        struct ob_err *err)
{
        *s = ob_statement_prepare(st, sql, values, n, err);
        return *s ? ob_statement_step(st, *s, err) : -1;
}

int ob_statement_run(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err)
{
        sqlite3_stmt *s = ob_statement_prepare(st, sql, values, n, err);

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
        sqlite3_stmt *s = ob_statement_prepare(st, sql, values, n, err);
        uLong sum = 0;

        if (!s)
                return -1;
        for (int i = 0; i < n; i++)
                sum = add_value(sum, &values[i]);
        sqlite3_bind_int64(s, n + 1, (int64_t)sum);
        return ob_statement_step(st, s, err);
}

/* Reads the value of a column. False when its type is one that is never written. */
static bool read_value(sqlite3_stmt *s, int column, struct ob_value *v)
{
        switch (sqlite3_column_type(s, column)) {
        case SQLITE_INTEGER:
                *v = ob_value_number(sqlite3_column_int64(s, column));
                return true;
        case SQLITE_TEXT:
                *v = (struct ob_value) { .type = OB_VALUE_TEXT, .data = sqlite3_column_text(s, column) };
                break;
        case SQLITE_BLOB:
                *v = (struct ob_value) { .type = OB_VALUE_BLOB, .data = sqlite3_column_blob(s, column) };
                break;
        default:
                return false;
        }
        v->length = (size_t)sqlite3_column_bytes(s, column); /* after its bytes: the other order may convert it */
        return true;
}

bool ob_statement_read(sqlite3_stmt *s, int from, int n, struct ob_value *values)
{
        struct ob_value checksum;
        uLong sum = 0;

        for (int i = 0; i < n; i++) {
                if (!read_value(s, from + i, &values[i]))
                        return false;
                sum = add_value(sum, &values[i]);
        }
        return read_value(s, from + n, &checksum) && checksum.type == OB_VALUE_NUMBER &&
               checksum.number == (int64_t)sum;
}

bool ob_statement_read_row(sqlite3_stmt *s, enum ob_store_table table, struct ob_value *row)
{
        static const char types[] = { [OB_VALUE_NUMBER] = 'n', [OB_VALUE_TEXT] = 't', [OB_VALUE_BLOB] = 'b' };
        const struct ob_table_facts *facts = &ob_table_facts[table];

        if (!ob_statement_read(s, 0, facts->n, row))
                return false;
        for (int i = 0; i < facts->n; i++)
                if (facts->types[i] != types[row[i].type])
                        return false;
        return true;
}

int ob_statement_corrupt(struct ob_store *st, sqlite3_stmt *s, struct ob_err *err, const char *what)
{
        const char *file = sqlite3_db_filename(st->db, "main");

        *st->is_corrupt = true;
        sqlite3_reset(s);
        return ob_fail(err, "store %s: %s is damaged", file && *file ? file : "in memory", what);
}
