#include "agent/store/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/statement.h"
#include "proto/memory.h"

#define PAGE 4096 /* bytes, SQLite's own choice */

static void close_store(struct ob_store **st)
{
        ob_store_close(*st);
}

struct ob_store *ob_store_open(struct ob_state_dir *state_dir, struct ob_err *err)
{
        ob_cleanup(close_store) struct ob_store *st = ob_alloc(1, sizeof(*st));

        st->is_corrupt = &state_dir->is_corrupt;
        if (ob_connection_open(state_dir->path, &st->db, err) || ob_connection_make_schema(st->db, err))
                return NULL;
        return ob_take(st);
}

int ob_store_unused(struct ob_store *st, int64_t *bytes, struct ob_err *err)
{
        int64_t pages;

        if (ob_connection_number(st->db, "PRAGMA freelist_count", &pages, err))
                return -1;
        *bytes = pages * PAGE;
        return 0;
}

void ob_store_close(struct ob_store *st)
{
        if (!st)
                return;
        for (int i = 0; i < OB_SQL_STATEMENTS; i++)
                sqlite3_finalize(st->statements[i]);
        ob_connection_close(&st->db);
        free(st);
}

int ob_store_begin(struct ob_store *st, struct ob_err *err)
{
        return ob_statement_run(st, OB_SQL_BEGIN, NULL, 0, err);
}

int ob_store_commit(struct ob_store *st, struct ob_err *err)
{
        if (!ob_statement_run(st, OB_SQL_COMMIT, NULL, 0, err))
                return 0;
        ob_store_rollback(st);
        return -1;
}

void ob_store_rollback(struct ob_store *st)
{
        struct ob_err ignored;

        if (!sqlite3_get_autocommit(st->db)) /* a full disk may have rolled back already */
                ob_statement_run(st, OB_SQL_ROLLBACK, NULL, 0, &ignored);
}

int ob_store_get_checkpoint(struct ob_store *st, const char *source, struct ob_checkpoint *s, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(source) };
        sqlite3_stmt *q;
        int got = ob_statement_first(st, OB_SQL_GET_CHECKPOINT, values, 1, &q, err);

        *s = (struct ob_checkpoint) { .known = got == 1 };
        if (got < 1)
                return got;
        if (!ob_statement_is_sound(q, 0, 7))
                return ob_statement_corrupt(st, q, err, "where a source stands");
        s->cursor = sqlite3_column_int64(q, 1);
        s->since = sqlite3_column_int64(q, 2);
        s->floor = sqlite3_column_int64(q, 3);
        s->counted_before = sqlite3_column_int64(q, 4);
        s->newest = sqlite3_column_int64(q, 5);
        strncpy(s->identity, ob_connection_cell(q, 6), sizeof(s->identity) - 1);
        sqlite3_reset(q);
        return 0;
}

int ob_store_put_checkpoint(
        struct ob_store *st, const char *source, const struct ob_checkpoint *s, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_CHECKPOINT, err, ob_value_text(source), ob_value_number(s->cursor),
                ob_value_number(s->since), ob_value_number(s->floor), ob_value_number(s->counted_before),
                ob_value_number(s->newest), ob_value_text(s->identity));
}

/* The chunk that a query is at. */
static int read_chunk(struct ob_store *st, sqlite3_stmt *q, struct ob_chunk *c, struct ob_err *err)
{
        if (!ob_statement_is_sound(q, 0, 4) || sqlite3_column_bytes(q, 3) != sizeof(c->bits))
                return ob_statement_corrupt(st, q, err, "which rows were counted");
        c->number = sqlite3_column_int64(q, 1);
        c->newest = sqlite3_column_int64(q, 2);
        memcpy(c->bits, sqlite3_column_blob(q, 3), sizeof(c->bits));
        return 0;
}

static void add_bits(struct ob_chunk *c, const struct ob_chunk *more)
{
        for (size_t i = 0; i < sizeof(c->bits); i++)
                c->bits[i] |= more->bits[i];
        if (c->newest < more->newest)
                c->newest = more->newest;
}

/* To those that are there. Their name is in their checksums: each is written anew. */
static int move_chunks(struct ob_store *st, const char *from, const char *to, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(from) };
        sqlite3_stmt *q = ob_statement_prepare(st, OB_SQL_CHUNKS_OF, values, 1, err);
        int got = -1;

        while (q && (got = ob_statement_step(st, q, err)) == 1) {
                struct ob_chunk c = { .number = 0 }, there;

                if (read_chunk(st, q, &c, err) || ob_store_get_chunk(st, to, c.number, &there, err) < 0)
                        break;
                add_bits(&c, &there);
                if (ob_store_put_chunk(st, to, &c, err))
                        break;
        }
        if (!got)
                return OB_RUN(st, OB_SQL_FORGET_CHUNKS, err, ob_value_text(from));
        sqlite3_reset(q);
        return -1;
}

/* Whether what was told again after an earlier rewinding was not all of it yet. */
static int is_rewound(struct ob_store *st, const char *source, int64_t *counted_before, struct ob_err *err)
{
        struct ob_checkpoint s;

        if (ob_store_get_checkpoint(st, source, &s, err))
                return -1;
        if (!s.known || s.counted_before == INT64_MIN || (s.cursor != INT64_MIN && s.cursor >= s.floor))
                return 0;
        *counted_before = s.counted_before;
        return 1;
}

int ob_store_rewind_source(
        struct ob_store *st, const char *source, int64_t since, int64_t counted_before, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *before = ob_format("%s" OB_BEFORE_REWIND, source);
        struct ob_checkpoint s = { .cursor = INT64_MIN,
                .since = since,
                .floor = INT64_MIN,
                .counted_before = counted_before,
                .newest = INT64_MIN };
        int64_t earlier = INT64_MIN;
        int got = is_rewound(st, source, &earlier, err);

        if (got < 0 || (!got && OB_RUN(st, OB_SQL_FORGET_CHUNKS, err, ob_value_text(before))) ||
                move_chunks(st, source, before, err))
                return -1;
        if (s.counted_before < earlier)
                s.counted_before = earlier;
        return ob_store_put_checkpoint(st, source, &s, err);
}

int ob_store_forget_source(struct ob_store *st, const char *source, struct ob_err *err)
{
        static const enum ob_sql parts[] = { OB_SQL_FORGET_CHUNKS, OB_SQL_FORGET_TOTALS, OB_SQL_FORGET_CHECKPOINT };

        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                if (OB_RUN(st, parts[i], err, ob_value_text(source)))
                        return -1;
        return 0;
}

int ob_store_get_chunk(
        struct ob_store *st, const char *source, int64_t chunk, struct ob_chunk *c, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(source), ob_value_number(chunk) };
        sqlite3_stmt *q;
        int got = ob_statement_first(st, OB_SQL_GET_CHUNK, values, 2, &q, err);

        *c = (struct ob_chunk) { .number = chunk };
        if (got < 1)
                return got;
        if (read_chunk(st, q, c, err))
                return -1;
        sqlite3_reset(q);
        return 1;
}

int ob_store_put_chunk(struct ob_store *st, const char *source, const struct ob_chunk *c, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_CHUNK, err, ob_value_text(source), ob_value_number(c->number),
                ob_value_number(c->newest), ob_value_blob(c->bits, sizeof(c->bits)));
}

int ob_store_get_changed(struct ob_store *st, const char *source, int64_t *time, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_format("%s" OB_CHANGED, source);
        struct ob_chunk c;
        int got = ob_store_get_chunk(st, name, 0, &c, err);

        if (got == 1)
                *time = c.newest;
        return got;
}

int ob_store_put_changed(struct ob_store *st, const char *source, int64_t time, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_format("%s" OB_CHANGED, source);

        return ob_store_put_chunk(st, name, &(struct ob_chunk) { .newest = time }, err);
}

int ob_store_first_chunk_since(
        struct ob_store *st, const char *source, int64_t time, int64_t *chunk, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(source), ob_value_number(time) };
        sqlite3_stmt *q;
        int got = ob_statement_first(st, OB_SQL_FIRST_CHUNK_SINCE, values, 2, &q, err);

        if (got < 1)
                return got;
        got = sqlite3_column_type(q, 0) != SQLITE_NULL;
        if (got)
                *chunk = sqlite3_column_int64(q, 0);
        sqlite3_reset(q);
        return got;
}

int ob_store_forget_chunks_from(struct ob_store *st, const char *source, int64_t chunk, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_FORGET_CHUNKS_FROM, err, ob_value_text(source), ob_value_number(chunk));
}

int ob_store_forget_chunks_below(struct ob_store *st, const char *source, int64_t chunk, struct ob_err *err)
{
        return OB_RUN(st, OB_SQL_FORGET_CHUNKS_BELOW, err, ob_value_text(source), ob_value_number(chunk));
}

int ob_store_put_totals(struct ob_store *st, const char *source, const struct ob_bytes *key, int64_t id,
        const struct ob_bytes *amounts, struct ob_err *err)
{
        return OB_PUT(st, OB_SQL_PUT_TOTALS, err, ob_value_text(source), ob_value_blob(key->data, key->length),
                ob_value_number(id), ob_value_blob(amounts->data, amounts->length));
}

int ob_store_each_totals(
        struct ob_store *st, const char *source, ob_store_totals_fn *each, void *ctx, struct ob_err *err)
{
        const struct ob_value values[] = { ob_value_text(source) };
        sqlite3_stmt *q = ob_statement_prepare(st, OB_SQL_TOTALS_OF, values, 1, err);
        int got = q ? 1 : -1;

        while (got == 1 && (got = ob_statement_step(st, q, err)) == 1) {
                const void *key, *amounts;

                if (!ob_statement_is_sound(q, 0, 4))
                        return ob_statement_corrupt(st, q, err, "a total");
                key = sqlite3_column_blob(q, 1);
                amounts = sqlite3_column_blob(q, 3);
                if (each(ctx, key, (size_t)sqlite3_column_bytes(q, 1), sqlite3_column_int64(q, 2), amounts,
                            (size_t)sqlite3_column_bytes(q, 3))) {
                        got = ob_fail(err, "store: the totals of source \"%s\" are damaged", source);
                        sqlite3_reset(q);
                }
        }
        return got;
}
