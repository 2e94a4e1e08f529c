#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/plan.h"
#include "agent/source/reader.h"
#include "agent/source/session.h"
#include "proto/memory.h"
#include "proto/number.h"

#define SAID_MS 100 /* so long what the server said of its clock holds */

struct reader_mysql {
        struct ob_reader reader; /* first */
        struct ob_session *session;
        unsigned planned; /* in which opening of the session the plan was made; 0: never, or it failed since */
        struct ob_plan plan;
        MYSQL_RES *result;  /* ours; the rows of the last read */
        const char **cells; /* ours */
        size_t room;
};

static struct reader_mysql *self(struct ob_reader *r)
{
        return (struct reader_mysql *)r;
}

/* A query about the table itself, whose name is put in as a text. */
static MYSQL_RES *ask(struct reader_mysql *m, const char *sql, struct ob_err *err)
{
        const char *table = m->reader.source->table;
        ob_cleanup(ob_free_at) char *quoted = ob_alloc(2 * strlen(table) + 1, 1);
        ob_cleanup(ob_free_at) char *full = NULL;

        mysql_real_escape_string(m->session->db, quoted, table, strlen(table));
        full = ob_format("%s WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s'", sql, quoted);
        return ob_session_query(m->session, full, err);
}

static int read_columns(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result =
                ask(m, "SELECT COLUMN_NAME, DATA_TYPE LIKE '%int' FROM information_schema.COLUMNS", err);
        MYSQL_ROW row;

        if (!result)
                return -1;
        while ((row = mysql_fetch_row(result))) {
                struct ob_table_column *c;

                t->columns = ob_grow(t->columns, &t->room_columns, t->n_columns, sizeof(*t->columns));
                c = &t->columns[t->n_columns++];
                snprintf(c->name, sizeof(c->name), "%s", row[0]);
                c->is_integer = *row[1] == '1';
        }
        if (!t->n_columns)
                return ob_fail(err, "there is no table %s in database %s, or user %s may not read it",
                        m->reader.source->table, m->session->settings->database, m->session->settings->user);
        return 0;
}

static int read_indexes(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result =
                ask(m, "SELECT INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS", err);
        MYSQL_ROW row;

        if (!result)
                return -1;
        while ((row = mysql_fetch_row(result))) {
                struct ob_table_index *x = NULL;
                unsigned long place = strtoul(row[2], NULL, 10);

                for (size_t i = 0; i < t->n_indexes; i++)
                        if (!strcmp(t->indexes[i].name, row[0]))
                                x = &t->indexes[i];
                if (!x) {
                        t->indexes = ob_grow(t->indexes, &t->room_indexes, t->n_indexes, sizeof(*t->indexes));
                        x = &t->indexes[t->n_indexes++];
                        *x = (struct ob_table_index) { .n = 0 };
                        snprintf(x->name, sizeof(x->name), "%s", row[0]);
                }
                if (place < 1 || place > OB_INDEX_COLUMNS_MAX)
                        continue;
                snprintf(x->columns[place - 1], OB_IDENTIFIER_MAX, "%s", row[1] ? row[1] : "");
                x->n = x->n < place ? (unsigned)place : x->n;
        }
        return 0;
}

static int read_size(struct reader_mysql *m, struct ob_table *t, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result =
                ask(m, "SELECT TABLE_ROWS FROM information_schema.TABLES", err);
        MYSQL_ROW row;

        if (!result)
                return -1;
        row = mysql_fetch_row(result);
        if (!row || !row[0] || !ob_number_parse_int(row[0], strlen(row[0]), &t->rows))
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

/* The table may have changed under us: the next opening looks at it again. */
static MYSQL_RES *query(struct reader_mysql *m, const char *sql, struct ob_err *err)
{
        MYSQL_RES *result = ob_session_query(m->session, sql, err);

        if (!result)
                m->planned = 0;
        return result;
}

/* The server's clock, and the highest id where there is a cursor. */
static int ask_clock(struct reader_mysql *m, struct ob_reading *at, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = query(m, m->plan.look, err);
        MYSQL_ROW row;

        if (!result)
                return -1;
        row = mysql_fetch_row(result);
        if (!row || !row[0] || !ob_number_parse_time(row[0], strlen(row[0]), &at->now))
                return ob_fail(err, "mysql: the server does not tell the time");
        m->session->said = at->now;
        m->session->said_at = ob_clock_ms();
        at->has_rows = row[1] != NULL;
        if (at->has_rows && !ob_number_parse_int(row[1], strlen(row[1]), &at->max_id))
                return ob_fail(err, "table %s: column %s: %s is too large for an id", m->reader.source->table,
                        m->plan.cursor, row[1]);
        return 0;
}

/* Sources of one session are polled together: where only the clock is asked for, the one before has just asked. */
static int look_mysql(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        struct reader_mysql *m = self(r);

        if (m->plan.cursor || !m->session->said_at || ob_clock_ms() - m->session->said_at >= SAID_MS)
                return ask_clock(m, at, err);
        at->now = m->session->said;
        at->has_rows = false;
        return 0;
}

/* Cells are texts from here on, so a NUL in one must not hide what follows it. */
static void replace_nuls(char *cell, unsigned long length)
{
        char *nul = cell;

        while (cell && (nul = memchr(nul, '\0', length - (unsigned long)(nul - cell))))
                *nul = '?';
}

/* The columns that are no numbers: in those there can be a NUL, and of most tables there is none. Returns how many.
 */
static size_t find_texts(MYSQL_RES *result, size_t width, size_t texts[OB_COLUMNS_MAX])
{
        const MYSQL_FIELD *fields = mysql_fetch_fields(result);
        size_t n = 0;

        for (size_t i = 0; i < width; i++)
                if (!IS_NUM(fields[i].type))
                        texts[n++] = i;
        return n;
}

static int query_rows(
        struct reader_mysql *m, const char *sql, size_t width, struct ob_rows *rows, struct ob_err *err)
{
        size_t n = 0, needed, texts[OB_COLUMNS_MAX], n_texts;
        MYSQL_ROW row;

        ob_session_free_result(&m->result);
        m->result = query(m, sql, err);
        if (!m->result)
                return -1;
        needed = mysql_num_rows(m->result) * width;
        if (needed > m->room) {
                m->cells = ob_realloc(m->cells, needed, sizeof(*m->cells));
                m->room = needed;
        }
        n_texts = find_texts(m->result, width, texts);
        for (; (row = mysql_fetch_row(m->result)); n++) {
                const unsigned long *lengths = n_texts ? mysql_fetch_lengths(m->result) : NULL;

                for (size_t i = 0; i < n_texts; i++)
                        replace_nuls(row[texts[i]], lengths[texts[i]]);
                for (size_t i = 0; i < width; i++)
                        m->cells[n * width + i] = row[i];
        }
        *rows = (struct ob_rows) { .cells = m->cells, .n = n, .width = width };
        return 0;
}

static int read_mysql(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_free_at) char *sql = ob_plan_query(&m->plan, from, limit);

        return query_rows(m, sql, r->source->n_columns, rows, err);
}

static int list_mysql(struct ob_reader *r, int64_t from, int64_t end, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_free_at) char *sql = ob_plan_list(&m->plan, from, end);

        return query_rows(m, sql, 1 + OB_LIST_WORDS, rows, err);
}

static const char *cell_of(MYSQL_RES *result, MYSQL_ROW row, const char *column)
{
        for (unsigned i = 0; i < mysql_num_fields(result); i++)
                if (!strcmp(mysql_fetch_field_direct(result, i)->name, column))
                        return row[i] ? row[i] : "";
        return "";
}

int ob_reader_mysql_explain(
        struct ob_reader *r, int64_t from, unsigned limit, struct ob_explained *e, struct ob_err *err)
{
        struct reader_mysql *m = self(r);
        ob_cleanup(ob_free_at) char *sql = ob_plan_query(&m->plan, from, limit);
        ob_cleanup(ob_free_at) char *explain = ob_format("EXPLAIN %s", sql);
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = query(m, explain, err);
        const char *rows;
        MYSQL_ROW row;

        *e = (struct ob_explained) { .rows = 0 };
        if (!result)
                return -1;
        row = mysql_fetch_row(result);
        if (!row)
                return ob_fail(err, "the server does not tell how it reads table %s", r->source->table);
        rows = cell_of(result, row, "rows");
        snprintf(e->access, sizeof(e->access), "%s", cell_of(result, row, "type"));
        snprintf(e->index, sizeof(e->index), "%s", cell_of(result, row, "key"));
        if (!ob_number_parse_int(rows, strlen(rows), &e->rows))
                e->rows = 0; /* nothing to be read: an empty table */
        return 0;
}

static void free_mysql(struct ob_reader *r)
{
        struct reader_mysql *m = self(r);

        ob_session_free_result(&m->result);
        ob_plan_free(&m->plan);
        free(m->cells);
        free(m);
}

static const struct ob_reader_ops ops = {
        .open = open_mysql,
        .look = look_mysql,
        .read = read_mysql,
        .list = list_mysql,
        .free = free_mysql,
};

struct ob_reader *ob_reader_mysql_new(const struct ob_source *source, struct ob_session *session)
{
        struct reader_mysql *m = ob_alloc(1, sizeof(*m));

        m->reader = (struct ob_reader) { .ops = &ops, .source = source, .identity = "", .plan = "", .missing = "" };
        m->session = session;
        return &m->reader;
}

void ob_reader_free(struct ob_reader *r)
{
        if (r)
                r->ops->free(r);
}
