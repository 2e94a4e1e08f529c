#include "agent/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/engine_mysql.h"
#include "agent/store/engine_sqlite.h"
#include "agent/store/schema.h"
#include "agent/store/statement.h"
#include "proto/memory.h"

#define PAGE 4096 /* bytes, SQLite's own choice */

static void close_store(struct ob_store **st)
{
        ob_store_close(*st);
}

/* Takes the connection over. */
static struct ob_store *make(const struct ob_engine *engine, void *db, atomic_bool *is_corrupt)
{
        struct ob_store *st;

        if (!db)
                return NULL;
        st = ob_alloc(1, sizeof(*st));
        st->engine = engine;
        st->db = db;
        st->is_corrupt = is_corrupt;
        return st;
}

static struct ob_store *open_file(struct ob_state_dir *state_dir, struct ob_err *err)
{
        struct ob_sqlite *c = ob_sqlite_open(state_dir->path, err);
        ob_cleanup(close_store) struct ob_store *st = make(&ob_engine_sqlite, c, &state_dir->is_corrupt);

        if (!st || ob_schema_make(c->db, err))
                return NULL;
        return ob_take(st);
}

struct ob_store *ob_store_open(struct ob_state_dir *state_dir, struct ob_err *err)
{
        if (!state_dir->lease)
                return open_file(state_dir, err);
        return make(&ob_engine_mysql, ob_mysql_open(state_dir->lease, err), &state_dir->is_corrupt);
}

struct ob_store *ob_store_open_unit(const struct ob_state_settings *settings, int64_t unit, struct ob_stop *stop,
        atomic_bool *is_corrupt, struct ob_err *err)
{
        return make(&ob_engine_mysql, ob_mysql_open_reader(settings, unit, stop, err), is_corrupt);
}

int ob_store_turn(struct ob_store *st, struct ob_lease *lease, struct ob_err *err)
{
        return ob_mysql_turn(st->db, lease, err);
}

int ob_store_unused(struct ob_store *st, int64_t *bytes, struct ob_err *err)
{
        int64_t pages;

        if (ob_connection_number(((struct ob_sqlite *)st->db)->db, "PRAGMA freelist_count", &pages, err))
                return -1;
        *bytes = pages * PAGE;
        return 0;
}

void ob_store_close(struct ob_store *st)
{
        if (!st)
                return;
        ob_statement_finalize_all(st);
        st->engine->close(st->db);
        free(st);
}

static int note_corrupt(struct ob_store *st, int got)
{
        if (got != OB_CORRUPT)
                return got;
        *st->is_corrupt = true;
        return -1;
}

int ob_store_begin(struct ob_store *st, struct ob_err *err)
{
        return note_corrupt(st, st->engine->begin(st->db, err));
}

int ob_store_commit(struct ob_store *st, struct ob_err *err)
{
        return note_corrupt(st, st->engine->commit(st->db, err));
}

bool ob_store_is_in_doubt(const struct ob_store *st)
{
        return st->engine->is_in_doubt(st->db);
}

void ob_store_rollback(struct ob_store *st)
{
        st->engine->rollback(st->db);
}

int ob_store_get_checkpoint(struct ob_store *st, const char *source, struct ob_checkpoint *s, struct ob_err *err)
{
        const struct ob_value key = ob_value_text(source);
        struct ob_value row[OB_ROW_COLUMNS];
        struct ob_statement *q;
        int got = ob_statement_first(st, OB_SQL_OF(OB_TABLE_SOURCES, OB_ROW_GET), &key, 1, &q, err);

        *s = (struct ob_checkpoint) { .known = got == 1 };
        if (got < 1)
                return got;
        if (!ob_statement_read_row(q, OB_TABLE_SOURCES, row))
                return ob_statement_corrupt(st, q, err, "the checkpoint of a source");
        s->cursor = row[1].number;
        s->since = row[2].number;
        s->floor = row[3].number;
        s->counted_before = row[4].number;
        s->newest = row[5].number;
        strncpy(s->identity, row[6].data, sizeof(s->identity) - 1);
        s->changed = row[7].number;
        ob_statement_reset(q);
        return 0;
}

int ob_store_put_checkpoint(
        struct ob_store *st, const char *source, const struct ob_checkpoint *s, struct ob_err *err)
{
        return OB_PUT_ROW(st, OB_TABLE_SOURCES, err, ob_value_text(source), ob_value_number(s->cursor),
                ob_value_number(s->since), ob_value_number(s->floor), ob_value_number(s->counted_before),
                ob_value_number(s->newest), ob_value_text(s->identity), ob_value_number(s->changed));
}

/* Makes a chunk of the values of its row. False: there are too few or too many bits. */
static bool read_chunk(const struct ob_value *row, struct ob_chunk *c)
{
        *c = (struct ob_chunk) { .number = row[1].number, .newest = row[2].number };
        if (row[3].length != sizeof(c->bits))
                return false;
        memcpy(c->bits, row[3].data, sizeof(c->bits));
        return true;
}

static void add_bits(struct ob_chunk *c, const struct ob_chunk *more)
{
        for (size_t i = 0; i < sizeof(c->bits); i++)
                c->bits[i] |= more->bits[i];
        if (c->newest < more->newest)
                c->newest = more->newest;
}

/* The chunks of one source are added to those of another. */
struct move {
        struct ob_store *st;
        const char *to;
};

static int move_chunk(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct move *m = ctx;
        struct ob_chunk c, there;

        if (!read_chunk(row, &c))
                return ob_fail(err, "store: the seen ids of source %s are damaged", m->to);
        if (ob_store_get_chunk(m->st, m->to, c.number, &there, err) < 0)
                return -1;
        add_bits(&c, &there);
        return ob_store_put_chunk(m->st, m->to, &c, err);
}

static int move_chunks(struct ob_store *st, const char *from, const char *to, struct ob_err *err)
{
        struct move m = { st, to };

        if (ob_store_each_row(st, OB_TABLE_SEEN_IDS, from, move_chunk, &m, err))
                return -1;
        return ob_store_forget_rows(st, OB_TABLE_SEEN_IDS, from, err);
}

int ob_store_rewind_source(
        struct ob_store *st, const char *source, int64_t since, int64_t counted_before, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *before = ob_format("%s" OB_BEFORE_REWIND, source);
        struct ob_checkpoint was, s = { .cursor = INT64_MIN,
                .since = since,
                .floor = INT64_MIN,
                .counted_before = counted_before,
                .newest = INT64_MIN };
        bool is_rewound; /* an earlier rewind is not done: not all rows that it wanted were read again */

        if (ob_store_get_checkpoint(st, source, &was, err))
                return -1;
        is_rewound =
                was.known && was.counted_before != INT64_MIN && (was.cursor == INT64_MIN || was.cursor < was.floor);
        if ((!is_rewound && ob_store_forget_rows(st, OB_TABLE_SEEN_IDS, before, err)) ||
                move_chunks(st, source, before, err))
                return -1;
        if (is_rewound && s.counted_before < was.counted_before)
                s.counted_before = was.counted_before;
        s.changed = was.changed;
        return ob_store_put_checkpoint(st, source, &s, err);
}

int ob_store_get_chunk(
        struct ob_store *st, const char *source, int64_t chunk, struct ob_chunk *c, struct ob_err *err)
{
        const struct ob_value key[] = { ob_value_text(source), ob_value_number(chunk) };
        struct ob_value row[OB_ROW_COLUMNS];
        struct ob_statement *q;
        int got = ob_statement_first(st, OB_SQL_OF(OB_TABLE_SEEN_IDS, OB_ROW_GET), key, 2, &q, err);

        *c = (struct ob_chunk) { .number = chunk };
        if (got < 1)
                return got;
        if (!ob_statement_read_row(q, OB_TABLE_SEEN_IDS, row) || !read_chunk(row, c))
                return ob_statement_corrupt(st, q, err, "a chunk of seen ids");
        ob_statement_reset(q);
        return 1;
}

int ob_store_put_chunk(struct ob_store *st, const char *source, const struct ob_chunk *c, struct ob_err *err)
{
        return OB_PUT_ROW(st, OB_TABLE_SEEN_IDS, err, ob_value_text(source), ob_value_number(c->number),
                ob_value_number(c->newest), ob_value_blob(c->bits, sizeof(c->bits)));
}

/* Finds the number of a chunk. Returns 1, 0 when there is none, -1. */
static int find_chunk(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, int64_t *chunk,
        struct ob_err *err)
{
        struct ob_statement *q;
        struct ob_value found;
        int got = ob_statement_first(st, sql, values, n, &q, err);

        if (got < 1)
                return got;
        got = st->engine->column(q, 0, OB_VALUE_NUMBER, &found);
        if (got)
                *chunk = found.number;
        ob_statement_reset(q);
        return got;
}

int ob_store_first_chunk_since(
        struct ob_store *st, const char *source, int64_t time, int64_t *chunk, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(source), ob_value_number(time) };

        return find_chunk(st, OB_SQL_FIRST_CHUNK_SINCE, values, 2, chunk, err);
}

int ob_store_last_chunk(struct ob_store *st, const char *source, int64_t *chunk, struct ob_err *err)
{
        const struct ob_value source_value = ob_value_text(source);

        return find_chunk(st, OB_SQL_LAST_CHUNK, &source_value, 1, chunk, err);
}

int ob_store_forget_chunks_from(struct ob_store *st, const char *source, int64_t chunk, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_FORGET_CHUNKS_FROM, err, ob_value_text(source), ob_value_number(chunk));
}

int ob_store_forget_chunks_below(struct ob_store *st, const char *source, int64_t chunk, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_FORGET_CHUNKS_BELOW, err, ob_value_text(source), ob_value_number(chunk));
}
