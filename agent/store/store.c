#include "agent/store/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/sql.h"
#include "proto/memory.h"

struct ob_store {
        sqlite3 *db;
        sqlite3_stmt *statements[OB_SQL_STATEMENTS]; /* prepared when first used */
};

/* One value bound to a statement. */
struct value {
        enum { NUMBER, TEXT, BLOB } type;
        int64_t number;
        const void *data;
        size_t length;
};

static struct value number(int64_t n)
{
        return (struct value) { .type = NUMBER, .number = n };
}

static struct value text(const char *t)
{
        return (struct value) { .type = TEXT, .data = t, .length = strlen(t) };
}

static struct value blob(const void *data, size_t length)
{
        return (struct value) { .type = BLOB, .data = length ? data : "", .length = length };
}

static void close_store(struct ob_store **st)
{
        ob_store_close(*st);
}

struct ob_store *ob_store_open(const struct ob_store_place *place, struct ob_err *err)
{
        ob_cleanup(close_store) struct ob_store *st = ob_alloc(1, sizeof(*st));

        if (ob_connection_open(place->path, &st->db, err) || ob_connection_make_schema(st->db, err))
                return NULL;
        return ob_take(st);
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

/* The statement, with its values bound; NULL and `err` when it can't be had. */
static sqlite3_stmt *prepare(
        struct ob_store *st, enum ob_sql sql, const struct value *values, int n, struct ob_err *err)
{
        sqlite3_stmt *s = st->statements[sql];

        if (!s && sqlite3_prepare_v3(st->db, ob_sql[sql], -1, SQLITE_PREPARE_PERSISTENT, &st->statements[sql],
                          NULL) != SQLITE_OK) {
                ob_connection_fail(st->db, err);
                return NULL;
        }
        s = st->statements[sql];
        for (int i = 0; i < n; i++) {
                const struct value *v = &values[i];

                if (v->type == NUMBER)
                        sqlite3_bind_int64(s, i + 1, v->number);
                if (v->type == TEXT)
                        sqlite3_bind_text(s, i + 1, v->data, (int)v->length, SQLITE_STATIC);
                if (v->type == BLOB)
                        sqlite3_bind_blob(s, i + 1, v->data, (int)v->length, SQLITE_STATIC);
        }
        return s;
}

/* 1: a row; 0: no more; -1. After 0 or -1 the statement is ready for its next use. */
static int step(struct ob_store *st, sqlite3_stmt *s, struct ob_err *err)
{
        int code = sqlite3_step(s);

        if (code == SQLITE_ROW)
                return 1;
        if (code != SQLITE_DONE)
                ob_connection_fail(st->db, err);
        sqlite3_reset(s);
        return code == SQLITE_DONE ? 0 : -1;
}

static int run(struct ob_store *st, enum ob_sql sql, const struct value *values, int n, struct ob_err *err)
{
        sqlite3_stmt *s = prepare(st, sql, values, n, err);

        return s ? step(st, s, err) : -1;
}

#define RUN(st, sql, err, ...)                                                                                     \
        run(st, sql, (const struct value[]) { __VA_ARGS__ },                                                       \
                sizeof((const struct value[]) { __VA_ARGS__ }) / sizeof(struct value), err)

/* A query of one row: 1 and `*s` at it (to be reset by the caller), 0 without one, -1. */
static int first(struct ob_store *st, enum ob_sql sql, const struct value *values, int n, sqlite3_stmt **s,
        struct ob_err *err)
{
        *s = prepare(st, sql, values, n, err);
        return *s ? step(st, *s, err) : -1;
}

int ob_store_begin(struct ob_store *st, struct ob_err *err)
{
        return run(st, OB_SQL_BEGIN, NULL, 0, err);
}

int ob_store_commit(struct ob_store *st, struct ob_err *err)
{
        if (!run(st, OB_SQL_COMMIT, NULL, 0, err))
                return 0;
        ob_store_rollback(st);
        return -1;
}

void ob_store_rollback(struct ob_store *st)
{
        struct ob_err ignored;

        if (!sqlite3_get_autocommit(st->db)) /* a full disk may have rolled back already */
                run(st, OB_SQL_ROLLBACK, NULL, 0, &ignored);
}

int ob_store_get_standing(struct ob_store *st, const char *source, struct ob_standing *s, struct ob_err *err)
{
        const struct value values[] = { text(source) };
        sqlite3_stmt *q;
        int got = first(st, OB_SQL_GET_STANDING, values, 1, &q, err);

        *s = (struct ob_standing) { .known = got == 1 };
        if (got < 1)
                return got;
        s->cursor = sqlite3_column_int64(q, 0);
        s->since = sqlite3_column_int64(q, 1);
        s->floor = sqlite3_column_int64(q, 2);
        s->again = sqlite3_column_int64(q, 3);
        s->newest = sqlite3_column_int64(q, 4);
        strncpy(s->identity, (const char *)sqlite3_column_text(q, 5), sizeof(s->identity) - 1);
        sqlite3_reset(q);
        return 0;
}

int ob_store_put_standing(struct ob_store *st, const char *source, const struct ob_standing *s, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_STANDING, err, text(source), number(s->cursor), number(s->since),
                number(s->floor), number(s->again), number(s->newest), text(s->identity));
}

int ob_store_rewind_source(
        struct ob_store *st, const char *source, int64_t since, int64_t again, struct ob_err *err)
{
        const struct ob_standing s = {
                .cursor = INT64_MIN, .since = since, .floor = INT64_MIN, .again = again, .newest = INT64_MIN
        };

        ob_cleanup(ob_free_at) char *before = ob_format("%s" OB_BEFORE, source);

        if (RUN(st, OB_SQL_FORGET_CHUNKS, err, text(before)) ||
                RUN(st, OB_SQL_MOVE_CHUNKS, err, text(before), text(source)))
                return -1;
        return ob_store_put_standing(st, source, &s, err);
}

int ob_store_forget_source(struct ob_store *st, const char *source, struct ob_err *err)
{
        static const enum ob_sql parts[] = { OB_SQL_FORGET_CHUNKS, OB_SQL_FORGET_TOTALS, OB_SQL_FORGET_STANDING };

        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
                if (RUN(st, parts[i], err, text(source)))
                        return -1;
        return 0;
}

int ob_store_get_chunk(
        struct ob_store *st, const char *source, int64_t chunk, struct ob_chunk *c, struct ob_err *err)
{
        const struct value values[] = { text(source), number(chunk) };
        sqlite3_stmt *q;
        int got = first(st, OB_SQL_GET_CHUNK, values, 2, &q, err);

        *c = (struct ob_chunk) { .number = chunk };
        if (got < 1)
                return got;
        c->newest = sqlite3_column_int64(q, 0);
        if (sqlite3_column_bytes(q, 1) == sizeof(c->bits))
                memcpy(c->bits, sqlite3_column_blob(q, 1), sizeof(c->bits));
        sqlite3_reset(q);
        return 1;
}

int ob_store_put_chunk(struct ob_store *st, const char *source, const struct ob_chunk *c, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_CHUNK, err, text(source), number(c->number), number(c->newest),
                blob(c->bits, sizeof(c->bits)));
}

int ob_store_first_chunk_since(
        struct ob_store *st, const char *source, int64_t time, int64_t *chunk, struct ob_err *err)
{
        const struct value values[] = { text(source), number(time) };
        sqlite3_stmt *q;
        int got = first(st, OB_SQL_FIRST_CHUNK_SINCE, values, 2, &q, err);

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
        return RUN(st, OB_SQL_FORGET_CHUNKS_FROM, err, text(source), number(chunk));
}

int ob_store_forget_chunks_below(struct ob_store *st, const char *source, int64_t chunk, struct ob_err *err)
{
        return RUN(st, OB_SQL_FORGET_CHUNKS_BELOW, err, text(source), number(chunk));
}

int ob_store_put_totals(struct ob_store *st, const char *source, const struct ob_bytes *key, int64_t id,
        const struct ob_bytes *amounts, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_TOTALS, err, text(source), blob(key->data, key->length), number(id),
                blob(amounts->data, amounts->length));
}

int ob_store_each_totals(
        struct ob_store *st, const char *source, ob_store_totals_fn *each, void *ctx, struct ob_err *err)
{
        const struct value values[] = { text(source) };
        sqlite3_stmt *q = prepare(st, OB_SQL_EACH_TOTALS, values, 1, err);
        int got = q ? 1 : -1;

        while (got == 1 && (got = step(st, q, err)) == 1) {
                /* A cell's length is asked behind its bytes: the other order may convert it. */
                const void *key = sqlite3_column_blob(q, 0), *amounts = sqlite3_column_blob(q, 2);

                if (each(ctx, key, (size_t)sqlite3_column_bytes(q, 0), sqlite3_column_int64(q, 1), amounts,
                            (size_t)sqlite3_column_bytes(q, 2))) {
                        got = ob_fail(err, "store: the totals of source \"%s\" are damaged", source);
                        sqlite3_reset(q);
                }
        }
        return got;
}

int ob_store_put_batch(struct ob_store *st, unsigned points, const struct ob_bytes *body, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_BATCH, err, number(points), number((int64_t)body->length),
                blob(body->data, body->length));
}

int ob_store_next_batch(struct ob_store *st, int64_t after, struct ob_stored_batch *b, struct ob_err *err)
{
        const struct value values[] = { number(after) };
        sqlite3_stmt *q;
        int got = first(st, OB_SQL_NEXT_BATCH, values, 1, &q, err);

        if (got < 1)
                return got;
        b->seq = sqlite3_column_int64(q, 0);
        b->points = (unsigned)sqlite3_column_int64(q, 1);
        b->body.length = 0;
        ob_bytes_add(&b->body, sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2));
        sqlite3_reset(q);
        return 1;
}

static int get_sums(struct ob_store *st, enum ob_sql sql, const struct value *values, int n, int64_t *points,
        int64_t *bytes, struct ob_err *err)
{
        sqlite3_stmt *q;
        int got = first(st, sql, values, n, &q, err);

        if (got < 1)
                return -1;
        *points = sqlite3_column_int64(q, 0); /* the sum of nothing is NULL, which reads as 0 */
        *bytes = sqlite3_column_int64(q, 1);
        sqlite3_reset(q);
        return 0;
}

int ob_store_sum_batches(struct ob_store *st, int64_t after, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        const struct value values[] = { number(after) };

        return get_sums(st, OB_SQL_SUM_BATCHES, values, 1, points, bytes, err);
}

int ob_store_drop_passed(struct ob_store *st, int64_t *points, int64_t *bytes, struct ob_err *err)
{
        if (get_sums(st, OB_SQL_SUM_PASSED, NULL, 0, points, bytes, err))
                return -1;
        return *bytes ? run(st, OB_SQL_DROP_PASSED, NULL, 0, err) : 0;
}

int ob_store_get_passed(struct ob_store *st, const char *sink, struct ob_passed *p, struct ob_err *err)
{
        const struct value values[] = { text(sink) };
        sqlite3_stmt *q;
        int got = first(st, OB_SQL_GET_PASSED, values, 1, &q, err);

        p->carry.length = 0;
        if (got < 0)
                return -1;
        if (!got) {
                if (first(st, OB_SQL_FIRST_MARK, NULL, 0, &q, err) < 1)
                        return -1;
                p->mark = p->reached = sqlite3_column_int64(q, 0);
                sqlite3_reset(q);
                return ob_store_put_passed(st, sink, p, err);
        }
        p->mark = sqlite3_column_int64(q, 0);
        p->reached = sqlite3_column_int64(q, 1);
        ob_bytes_add(&p->carry, sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2));
        sqlite3_reset(q);
        return 0;
}

int ob_store_put_passed(struct ob_store *st, const char *sink, const struct ob_passed *p, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_PASSED, err, text(sink), number(p->mark), number(p->reached),
                blob(p->carry.data, p->carry.length));
}

int ob_store_put_reached(struct ob_store *st, const char *sink, int64_t reached, struct ob_err *err)
{
        return RUN(st, OB_SQL_PUT_REACHED, err, number(reached), text(sink));
}

static bool is_kept(const char *name, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!strcmp(names[i], name))
                        return true;
        return false;
}

int ob_store_keep_sinks(struct ob_store *st, const char *const *names, size_t n, struct ob_err *err)
{
        sqlite3_stmt *q = prepare(st, OB_SQL_EACH_SINK, NULL, 0, err);
        int forgotten = 0, got = q ? 1 : -1;

        while (got == 1 && (got = step(st, q, err)) == 1) {
                const char *name = (const char *)sqlite3_column_text(q, 0);
                ob_cleanup(ob_free_at) char *totals = ob_format(OB_TOTALS_OF_SINK "%s", name);

                if (is_kept(name, names, n))
                        continue;
                if (RUN(st, OB_SQL_FORGET_TOTALS, err, text(totals)) ||
                        RUN(st, OB_SQL_FORGET_SINK, err, text(name)))
                        got = -1;
                forgotten++;
        }
        if (got)
                sqlite3_reset(q);
        return got ? -1 : forgotten;
}
