#include "agent/store/engine_sqlite.h"

#include <stdlib.h>

#include "agent/store/connection.h"
#include "proto/memory.h"

static int prepare_text(struct ob_sqlite *c, const char *sql, sqlite3_stmt **prepared, struct ob_err *err)
{
        if (*prepared || sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL) == SQLITE_OK)
                return 0;
        return ob_connection_fail(c->db, err) ? -1 : 0;
}

static int prepare(struct ob_statement *s, struct ob_err *err)
{
        sqlite3_stmt *prepared = s->prepared;
        int got = prepare_text(s->db, s->sql, &prepared, err);

        s->prepared = prepared;
        return got;
}

static void bind(struct ob_statement *s, int at, const struct ob_value *v)
{
        switch (v->type) {
        case OB_VALUE_NUMBER:
                sqlite3_bind_int64(s->prepared, at, v->number);
                break;
        case OB_VALUE_TEXT:
                sqlite3_bind_text(s->prepared, at, v->data, (int)v->length, SQLITE_STATIC);
                break;
        case OB_VALUE_BLOB:
                sqlite3_bind_blob(s->prepared, at, v->data, (int)v->length, SQLITE_STATIC);
                break;
        }
}

/* A blob without bytes has no address: sqlite3_bind_value would bind NULL instead. */
static void bind_column(struct ob_statement *s, int at, struct ob_statement *row, int column)
{
        sqlite3_value *cell = sqlite3_column_value(row->prepared, column);

        if (sqlite3_column_type(row->prepared, column) == SQLITE_BLOB &&
                !sqlite3_column_bytes(row->prepared, column))
                sqlite3_bind_blob(s->prepared, at, "", 0, SQLITE_STATIC);
        else
                sqlite3_bind_value(s->prepared, at, cell);
}

static int step_one(struct ob_sqlite *c, sqlite3_stmt *prepared, struct ob_err *err)
{
        int code = sqlite3_step(prepared);

        if (code == SQLITE_ROW)
                return 1;
        if (code != SQLITE_DONE)
                ob_connection_fail(c->db, err);
        sqlite3_reset(prepared);
        if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
                return OB_CORRUPT;
        return code == SQLITE_DONE ? 0 : -1;
}

static int step(struct ob_statement *s, struct ob_err *err)
{
        return step_one(s->db, s->prepared, err);
}

static bool column(struct ob_statement *s, int column, int type, struct ob_value *v)
{
        (void)type;
        switch (sqlite3_column_type(s->prepared, column)) {
        case SQLITE_INTEGER:
                *v = ob_value_number(sqlite3_column_int64(s->prepared, column));
                return true;
        case SQLITE_TEXT:
                *v = (struct ob_value) { .type = OB_VALUE_TEXT, .data = sqlite3_column_text(s->prepared, column) };
                break;
        case SQLITE_BLOB:
                *v = (struct ob_value) { .type = OB_VALUE_BLOB, .data = sqlite3_column_blob(s->prepared, column) };
                break;
        default:
                return false;
        }
        /* After its bytes: the other order may convert it. */
        v->length = (size_t)sqlite3_column_bytes(s->prepared, column);
        if (!v->length)
                v->data = ""; /* SQLite gives NULL, which another engine takes for no value */
        return true;
}

static int64_t number(struct ob_statement *s, int column)
{
        return sqlite3_column_int64(s->prepared, column);
}

static const char *text(struct ob_statement *s, int column)
{
        return ob_connection_cell(s->prepared, column);
}

static void reset(struct ob_statement *s)
{
        sqlite3_reset(s->prepared);
}

static void finalize(struct ob_statement *s)
{
        sqlite3_finalize(ob_take(s->prepared));
}

static int begin(void *db, struct ob_err *err)
{
        struct ob_sqlite *c = db;
        int got = prepare_text(c, "BEGIN IMMEDIATE", &c->begin, err);

        return got ? got : step_one(c, c->begin, err);
}

static void rollback(void *db)
{
        struct ob_sqlite *c = db;

        if (!sqlite3_get_autocommit(c->db)) /* a full disk may have rolled back already */
                sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
}

/* SQLite's answer says for certain whether it has committed. */
static bool is_in_doubt(void *db)
{
        (void)db;
        return false;
}

static int commit(void *db, struct ob_err *err)
{
        struct ob_sqlite *c = db;
        int got = prepare_text(c, "COMMIT", &c->commit, err);

        if (!got)
                got = step_one(c, c->commit, err);
        if (got)
                rollback(db);
        return got;
}

static int64_t last_put(void *db)
{
        return sqlite3_last_insert_rowid(((struct ob_sqlite *)db)->db);
}

static int last_number(void *db, int64_t *number, struct ob_err *err)
{
        return ob_connection_number(((struct ob_sqlite *)db)->db,
                "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'batches'", number, err);
}

static int set_last_number(void *db, int64_t number, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *sql =
                ob_format("DELETE FROM sqlite_sequence WHERE name = 'batches';"
                          "INSERT INTO sqlite_sequence (name, seq) VALUES ('batches', %lld)",
                        (long long)number);

        return ob_connection_run(((struct ob_sqlite *)db)->db, sql, err);
}

static const char *place(void *db)
{
        const char *file = sqlite3_db_filename(((struct ob_sqlite *)db)->db, "main");

        return file && *file ? file : "in memory";
}

static void close_connection(void *db)
{
        struct ob_sqlite *c = db;

        sqlite3_finalize(c->begin);
        sqlite3_finalize(c->commit);
        ob_connection_close(&c->db);
        free(c);
}

struct ob_sqlite *ob_sqlite_open(const char *path, struct ob_err *err)
{
        sqlite3 *db;
        struct ob_sqlite *c;

        if (ob_connection_open(path, &db, err))
                return NULL;
        c = ob_alloc(1, sizeof(*c));
        c->db = db;
        return c;
}

struct ob_statement ob_sqlite_wrap(sqlite3_stmt *query)
{
        return (struct ob_statement) { .engine = &ob_engine_sqlite, .prepared = query };
}

const struct ob_engine ob_engine_sqlite = {
        .prepare = prepare,
        .bind = bind,
        .bind_column = bind_column,
        .step = step,
        .column = column,
        .number = number,
        .text = text,
        .reset = reset,
        .finalize = finalize,
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .is_in_doubt = is_in_doubt,
        .last_put = last_put,
        .last_number = last_number,
        .set_last_number = set_last_number,
        .place = place,
        .close = close_connection,
};
