#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/mysql/plan.h"
#include "agent/source/mysql/session.h"
#include "agent/source/reader.h"
#include "proto/memory.h"
#include "proto/number.h"

#define SAID_MS       100   /* how long the server's last answer about its clock is used */
#define SAME_MS       10000 /* how long rows are used again without a new row: a row may have been deleted */
#define COLUMNS_MAX   4096  /* that a table can have */
#define INDEXED_MAX   8192  /* columns of all indexes of a table: twice 128 indexes of 32 */
#define EXPLAINED_MAX 100   /* tables of a query: a table may be a view */

struct reader_mysql {
        struct ob_reader reader; /* first */
        struct ob_session *session;
        char *about;      /* ours: "table X", for errors */
        unsigned planned; /* the session's `opened` when the plan was made; 0: there is no plan */
        struct ob_plan plan;
        struct ob_result result; /* the rows of the last read */
        unsigned most;           /* rows of a page when `limit` rows did not fit; 0: they fit */
        /* Of a source of ages: */
        struct ob_table_end end; /* what the session had read of the table before `result` */
        int64_t read_at;         /* ob_clock_ms() */
};

static struct reader_mysql *self(struct ob_reader *r)
{
        return (struct reader_mysql *)r;
}

/* A query about the table, whose name is appended as a text. */
static int ask(struct reader_mysql *m, const char *sql, unsigned columns, size_t rows, struct ob_result *result,
        struct ob_err *err)
{
        const char *table = m->reader.source->table;
        ob_cleanup(ob_free_at) char *quoted = ob_session_quote(m->session, table);
        ob_cleanup(ob_free_at) char *full =
                ob_format("%s WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s'", sql, quoted);
        const struct ob_query query = { .about = m->about, .sql = full, .columns = columns, .rows = rows };

        return ob_session_query(m->session, &query, result, err);
}

static int read_columns(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };

        if (ask(m, "SELECT COLUMN_NAME, DATA_TYPE LIKE '%int' FROM information_schema.COLUMNS", 2, COLUMNS_MAX,
                    &result, err))
                return -1;
        for (size_t i = 0; i < result.n; i++) {
                const char *name = ob_result_text(&result, i, 0, err), *is_integer = ob_result_cell(&result, i, 1);
                struct ob_table_column *c;

                if (!name)
                        return -1;
                t->columns = ob_grow(t->columns, &t->room_columns, t->n_columns, sizeof(*t->columns));
                c = &t->columns[t->n_columns++];
                snprintf(c->name, sizeof(c->name), "%s", name);
                c->is_integer = is_integer && *is_integer == '1';
        }
        if (!t->n_columns)
                return ob_fail(err, "there is no table %s in database %s, or user %s may not read it",
                        m->reader.source->table, m->session->settings->database, m->session->settings->user);
        return 0;
}

static struct ob_table_index *find_index(struct ob_table *t, const char *name)
{
        struct ob_table_index *x;

        for (size_t i = 0; i < t->n_indexes; i++)
                if (!strcmp(t->indexes[i].name, name))
                        return &t->indexes[i];
        t->indexes = ob_grow(t->indexes, &t->room_indexes, t->n_indexes, sizeof(*t->indexes));
        x = &t->indexes[t->n_indexes++];
        *x = (struct ob_table_index) { .n = 0 };
        snprintf(x->name, sizeof(x->name), "%s", name);
        return x;
}

/* The column of an index over an expression is NULL. */
static int read_indexes(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };

        if (ask(m, "SELECT INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS", 3,
                    INDEXED_MAX, &result, err))
                return -1;
        for (size_t i = 0; i < result.n; i++) {
                const char *name = ob_result_text(&result, i, 0, err), *column = ob_result_cell(&result, i, 1);
                const char *place = ob_result_text(&result, i, 2, err);
                struct ob_table_index *x;
                int64_t at;

                if (!name || !place)
                        return -1;
                x = find_index(t, name);
                if (!ob_number_parse_int(place, &at) || at < 1 || at > OB_INDEX_COLUMNS_MAX)
                        continue;
                snprintf(x->columns[at - 1], OB_IDENTIFIER_MAX, "%s", column ? column : "");
                x->n = x->n < at ? (unsigned)at : x->n;
        }
        return 0;
}

static int read_size(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *rows;

        if (ask(m, "SELECT TABLE_ROWS FROM information_schema.TABLES", 1, 1, &result, err))
                return -1;
        rows = ob_result_cell(&result, 0, 0);
        if (!rows || !ob_number_parse_int(rows, &t->rows))
                t->rows = -1;
        return 0;
}

static int open_mysql(struct ob_reader *r, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_table_free) struct ob_table table = { .rows = -1 };

        if (ob_session_open(m->session, err))
                return -1;
        if (m->planned == m->session->opened)
                return 0;
        m->planned = 0;
        m->end.table = NULL;
        ob_plan_free(&m->plan);
        if (read_columns(m, &table, err) || read_indexes(m, &table, err) || read_size(m, &table, err) ||
                ob_plan_make(&m->plan, r->source, &table, err))
                return -1;
        memcpy(r->has, m->plan.has, sizeof(r->has));
        r->identity = m->session->identity;
        r->plan = m->plan.why;
        r->missing = m->plan.missing;
        m->planned = m->session->opened;
        return 0;
}

/* After a failure the table may have changed: the next opening makes a new plan. */
static int query(struct reader_mysql *m, const struct ob_query *q, struct ob_result *result, struct ob_err *err)
{
        int got = ob_session_query(m->session, q, result, err);

        if (got < 0) {
                m->planned = 0;
                m->end.table = NULL;
        }
        return got;
}

/* Notes the clock, and the rows that came in the same answer. */
static void note_clock(struct reader_mysql *m, int64_t now, struct ob_table_end end)
{
        m->session->said = now;
        m->session->said_at = ob_clock_ms();
        m->session->end = end;
}

static bool is_recent(const struct reader_mysql *m)
{
        return m->session->said_at && ob_clock_ms() - m->session->said_at < SAID_MS;
}

/* Reads the server's clock, and the highest id when there is a cursor. */
static int ask_clock(struct reader_mysql *m, struct ob_reading *at, struct ob_err *err)
{
        const struct ob_query q = { .about = m->about, .sql = m->plan.clock_query, .columns = 2, .rows = 1 };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *id;

        if (query(m, &q, &result, err))
                return -1;
        id = ob_result_cell(&result, 0, 1);
        if (!ob_result_time(&result, 0, 0, &at->now))
                return ob_fail(err, "mysql: the server does not tell the time");
        note_clock(m, at->now, (struct ob_table_end) { .table = NULL });
        at->has_rows = id != NULL;
        if (id && !ob_number_parse_int(id, &at->max_id))
                return ob_fail(err, "table %s: column %s: %.40s is too large for an id", m->reader.source->table,
                        m->plan.cursor, id);
        return 0;
}

/* Sources of one session are polled together: without a cursor the last answer of the clock is used. */
static int read_clock_mysql(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        struct reader_mysql *m = self(r);

        if (m->plan.cursor || !is_recent(m))
                return ask_clock(m, at, err);
        at->now = m->session->said;
        at->has_rows = false;
        return 0;
}

/* Finds the row that is too large. The row is only left out when the server confirms its size. */
static int skip_row(struct reader_mysql *m, int64_t from, struct ob_rows *rows, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *sql = ob_plan_size(&m->plan, from);
        const struct ob_query q = { .about = m->about, .sql = sql, .columns = 2, .rows = 1 };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *id, *size;
        int64_t bytes;

        *rows = (struct ob_rows) { .width = m->reader.source->n_columns };
        if (query(m, &q, &result, err))
                return -1;
        if (!result.n)
                return 0; /* the row was deleted meanwhile */
        id = ob_result_text(&result, 0, 0, err);
        size = ob_result_cell(&result, 0, 1); /* NULL: the row is too large even for the server */
        if (!id)
                return -1;
        if (!ob_number_parse_int(id, &rows->skipped))
                return ob_fail(err, "table %s: column %s: %.40s is too large for an id", m->reader.source->table,
                        m->plan.cursor, id);
        if (size && ob_number_parse_int(size, &bytes) && bytes < OB_TRANSPORT_ROW_BYTES / 2)
                return ob_fail(err, "mysql: the server ends its answer about %s before the first row", m->about);
        rows->is_skipped = true;
        return 0;
}

/* After a page that was cut, asks for the rows that fitted; later for twice as many, if there is room. */
static void set_most(struct reader_mysql *m, unsigned limit)
{
        const struct ob_result *r = &m->result;

        if (r->is_cut)
                m->most = (unsigned)r->n;
        else if (m->most && r->n == m->most && r->bytes < r->most / 2)
                m->most *= 2;
        if (m->most >= limit)
                m->most = 0;
}

/* `more` is selected after the source's columns. 1: the first row is too large. */
static int read_page(struct reader_mysql *m, const char *more, int64_t from, unsigned limit, struct ob_rows *rows,
        struct ob_err *err)
{
        unsigned most = m->most && m->most < limit ? m->most : limit;
        ob_cleanup(ob_free_at) char *sql = ob_plan_query(&m->plan, more, from, most);
        const struct ob_query q = { .about = m->about,
                .sql = sql,
                .columns = m->reader.source->n_columns + (*more != '\0'),
                .rows = m->plan.cursor ? most : SIZE_MAX,
                .may_be_cut = m->plan.cursor != NULL };
        int got = query(m, &q, &m->result, err);

        if (got)
                return got;
        *rows = (struct ob_rows) { .cells = m->result.cells, .n = m->result.n, .width = m->result.width };
        rows->has_more = m->plan.cursor && (m->result.is_cut || rows->n == most);
        set_most(m, limit);
        return 0;
}

static bool is_same_end(const struct ob_table_end *a, const struct ob_table_end *b)
{
        return a->table && b->table && !strcmp(a->table, b->table) && a->from == b->from && a->last == b->last &&
               a->rows == b->rows;
}

/*
 * Reads all rows of a table. When another source of the session has just found no new row in the same table, a
 * source of ages needs no query: the rows of its last read are still the newest ones.
 */
static int read_whole(struct reader_mysql *m, struct ob_rows *rows, struct ob_err *err)
{
        const struct ob_source *source = m->reader.source;
        const struct ob_table_end *end = &m->session->end;
        bool is_end = ob_source_shape(source) == OB_SHAPE_NEWEST && is_recent(m) && end->table &&
                      !strcmp(end->table, source->table);
        int64_t now = ob_clock_ms();

        if (is_end && is_same_end(end, &m->end) && now - m->read_at < SAME_MS) {
                *rows = (struct ob_rows) { .cells = m->result.cells, .n = m->result.n, .width = m->result.width };
                return 0;
        }
        m->end = is_end ? *end : (struct ob_table_end) { .table = NULL };
        m->read_at = now;
        return read_page(m, "", 0, 0, rows, err);
}

static int read_mysql(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        int got = m->plan.cursor ? read_page(m, "", from, limit, rows, err) : read_whole(m, rows, err);

        return got > 0 ? skip_row(m, from, rows, err) : got;
}

/* UNIX_TIMESTAMP() is the time at which the query began, so the clock is not later than the rows. */
static int read_with_clock_mysql(struct ob_reader *r, int64_t from, unsigned limit, struct ob_reading *at,
        struct ob_rows *rows, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        int got = read_page(m, ", UNIX_TIMESTAMP()", from, limit, rows, err);
        struct ob_table_end end;
        const char *id;

        if (got || !rows->n)
                return got < 0 ? -1 : 1;
        id = ob_result_cell(&m->result, rows->n - 1, (size_t)ob_source_find(r->source, OB_CURSOR));
        if (!id || !ob_number_parse_int(id, &at->max_id) ||
                !ob_result_time(&m->result, 0, r->source->n_columns, &at->now))
                return 1;
        at->has_rows = true;
        end = (struct ob_table_end) { rows->has_more ? NULL : r->source->table, from, at->max_id, rows->n };
        note_clock(m, at->now, end);
        return 0;
}

static int list_mysql(struct ob_reader *r, int64_t from, int64_t end, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_free_at) char *sql = ob_plan_list(&m->plan, from, end);
        const struct ob_query q = { .about = m->about, .sql = sql, .columns = 1 + OB_LIST_WORDS, .rows = SIZE_MAX };

        if (query(m, &q, &m->result, err))
                return -1;
        *rows = (struct ob_rows) { .cells = m->result.cells, .n = m->result.n, .width = m->result.width };
        return 0;
}

int ob_reader_mysql_explain(
        struct ob_reader *r, int64_t from, unsigned limit, struct ob_explained *e, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_free_at) char *sql = ob_plan_query(&m->plan, "", from, limit);
        ob_cleanup(ob_free_at) char *explain = ob_format("EXPLAIN %s", sql);
        const struct ob_query q = { .about = m->about, .sql = explain, .columns = 0, .rows = EXPLAINED_MAX };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *rows;

        *e = (struct ob_explained) { .rows = 0 };
        if (query(m, &q, &result, err))
                return -1;
        if (!result.n)
                return ob_fail(err, "the server does not tell how it reads table %s", r->source->table);
        rows = ob_result_named(&result, 0, "rows");
        snprintf(e->access, sizeof(e->access), "%s", ob_result_named(&result, 0, "type"));
        snprintf(e->index, sizeof(e->index), "%s", ob_result_named(&result, 0, "key"));
        if (!ob_number_parse_int(rows, &e->rows))
                e->rows = 0; /* an empty table */
        return 0;
}

static void free_mysql(struct ob_reader *r)
{
        struct reader_mysql *m = self(r);

        ob_result_free(&m->result);
        ob_plan_free(&m->plan);
        free(m->about);
        free(m);
}

static const struct ob_reader_ops ops = {
        .open = open_mysql,
        .read_clock = read_clock_mysql,
        .read = read_mysql,
        .read_with_clock = read_with_clock_mysql,
        .list = list_mysql,
        .free = free_mysql,
};

struct ob_reader *ob_reader_mysql_new(const struct ob_source *source, struct ob_session *session)
{
        struct reader_mysql *m = ob_alloc(1, sizeof(*m));

        m->reader = (struct ob_reader) { .ops = &ops, .source = source, .identity = "", .plan = "", .missing = "" };
        m->session = session;
        m->about = ob_format("table %s", source->table);
        return &m->reader;
}

void ob_reader_free(struct ob_reader *r)
{
        if (r)
                r->ops->free(r);
}
