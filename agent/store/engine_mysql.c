/*
 * A transaction that the server rolls back because of a conflict is repeated as a whole: its writes are kept until
 * it is committed. That is exact, because each transaction first renews the row of the lease. When this succeeds
 * again, no other agent has written meanwhile, and all that was read in the transaction is still so. Other threads
 * of this agent write other rows; only the numbers of batches are common to all, so a transaction whose numbers
 * were given to others meanwhile is not repeated.
 */
#include "agent/store/engine_mysql.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/store/state_session.h"
#include "proto/memory.h"

#define PARAMETERS_MAX 12
#define COLUMNS_MAX    12
#define TRIES_MAX      4
#define KEPT_MAX       (64 << 20) /* bytes of writes: a larger transaction cannot be repeated */
#define IDLE_SECONDS   28800      /* MySQL's default: how long the server keeps a session outside a transaction */

/* A write of the open transaction. */
struct write {
        struct ob_statement *statement;         /* borrowed */
        struct ob_value values[PARAMETERS_MAX]; /* their data is in `data` */
        char *data[PARAMETERS_MAX];             /* ours; NULL: the value is a number */
        int n;
};

struct ob_mysql {
        struct ob_state_session session;
        struct ob_lease *lease;      /* borrowed; NULL: the connection only reads */
        char *place;                 /* ours */
        bool is_in;                  /* a transaction is open */
        bool is_in_doubt;            /* it is not known whether the last commit was done */
        int64_t began;               /* ob_clock_boot_ms() before the transaction renewed the lease */
        int64_t stored, number;      /* the last number of a batch: when the transaction began, and now */
        struct write *writes;        /* ours: those of the transaction */
        size_t n_writes, room, kept; /* kept: their bytes */
        bool is_too_large;           /* the writes of the transaction are not kept any more */
};

/* What a statement has prepared. */
struct prepared {
        MYSQL_STMT *statement; /* NULL: it was prepared in a session that is gone */
        unsigned session;      /* ob_state_session.opened */
        int n;                 /* parameters */
        struct ob_value values[PARAMETERS_MAX];
        unsigned n_columns;
        struct column {
                bool is_number, is_decimal;
                long long number;
                char *data; /* ours */
                size_t room;
                unsigned long length;
                my_bool is_null;
        } columns[COLUMNS_MAX];
        bool has_rows; /* rows are being read */
};

static int fail(struct ob_mysql *c, const struct prepared *p, struct ob_err *err)
{
        return ob_state_session_fail(
                &c->session, mysql_stmt_errno(p->statement), mysql_stmt_error(p->statement), err);
}

static void close_statement(struct prepared *p)
{
        if (p->statement)
                mysql_stmt_close(p->statement);
        p->statement = NULL;
        p->has_rows = false;
}

static bool is_decimal(enum enum_field_types type)
{
        return type == MYSQL_TYPE_DECIMAL || type == MYSQL_TYPE_NEWDECIMAL;
}

static bool is_number(enum enum_field_types type)
{
        return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
               type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG;
}

static void describe_columns(struct prepared *p)
{
        MYSQL_RES *fields = mysql_stmt_result_metadata(p->statement);

        p->n_columns = fields ? mysql_num_fields(fields) : 0;
        for (unsigned i = 0; i < p->n_columns; i++) {
                enum enum_field_types type = mysql_fetch_field_direct(fields, i)->type;

                p->columns[i].is_number = is_number(type);
                p->columns[i].is_decimal = is_decimal(type);
        }
        if (fields)
                mysql_free_result(fields);
}

/* Sends the text to the server, in a session that is open. */
static int prepare_now(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        struct prepared *p = s->prepared;
        my_bool yes = 1;
        int got = 0;

        if (p->statement && p->session == c->session.opened)
                return 0;
        close_statement(p);
        if (ob_state_session_begin(&c->session, err))
                return -1;
        p->statement = mysql_stmt_init(c->session.transport.db);
        if (!p->statement)
                abort(); /* no memory */
        p->session = c->session.opened;
        mysql_stmt_attr_set(p->statement, STMT_ATTR_UPDATE_MAX_LENGTH, &yes);
        if (mysql_stmt_prepare(p->statement, s->sql, strlen(s->sql)))
                got = fail(c, p, err);
        else
                ob_state_session_end(&c->session);
        if (got) {
                if (c->session.transport.db)
                        ob_state_session_end(&c->session);
                close_statement(p);
                return -1;
        }
        p->n = (int)mysql_stmt_param_count(p->statement);
        describe_columns(p);
        if (p->n <= PARAMETERS_MAX && p->n_columns <= COLUMNS_MAX)
                return 0;
        abort(); /* our own statements have fewer */
}

static int prepare(struct ob_statement *s, struct ob_err *err)
{
        (void)err;
        if (!s->prepared)
                s->prepared = ob_alloc(1, sizeof(struct prepared));
        return 0;
}

/* The number of a batch is the first parameter of the statement that puts it. */
static void bind_value(struct ob_statement *s, int at, const struct ob_value *v)
{
        struct prepared *p = s->prepared;

        p->values[at - !s->is_put] = *v;
}

static void bind_column(struct ob_statement *s, int at, struct ob_statement *row, int column)
{
        const struct prepared *from = row->prepared;
        const struct column *c = &from->columns[column];
        struct ob_value v = c->is_number ? ob_value_number(c->number) : ob_value_blob(c->data, c->length);

        bind_value(s, at, &v);
}

static int execute(struct ob_mysql *c, struct prepared *p, struct ob_err *err)
{
        MYSQL_BIND binds[PARAMETERS_MAX] = { { .buffer = NULL } };

        for (int i = 0; i < p->n; i++) {
                struct ob_value *v = &p->values[i];
                bool is_number = v->type == OB_VALUE_NUMBER;

                binds[i].buffer_type = is_number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_BLOB;
                if (is_number)
                        binds[i].buffer = &v->number;
                else
                        memcpy(&binds[i].buffer, &v->data, sizeof(v->data)); /* libmariadb only reads the data */
                binds[i].buffer_length = is_number ? sizeof(v->number) : v->length;
                binds[i].length = is_number ? NULL : &binds[i].buffer_length;
        }
        if (p->n && mysql_stmt_bind_param(p->statement, binds))
                return fail(c, p, err);
        return mysql_stmt_execute(p->statement) ? fail(c, p, err) : 0;
}

/* Takes the whole answer into memory, since other statements run while its rows are read. */
static int store_rows(struct ob_mysql *c, struct prepared *p, struct ob_err *err)
{
        MYSQL_BIND binds[COLUMNS_MAX] = { { .buffer = NULL } };
        MYSQL_RES *fields;

        if (mysql_stmt_store_result(p->statement))
                return fail(c, p, err);
        fields = mysql_stmt_result_metadata(p->statement);
        for (unsigned i = 0; i < p->n_columns; i++) {
                struct column *to = &p->columns[i];
                size_t wanted = mysql_fetch_field_direct(fields, i)->max_length + 1;

                if (!to->is_number && to->room < wanted) {
                        free(to->data);
                        to->data = ob_alloc(1, wanted);
                        to->room = wanted;
                }
                binds[i].buffer_type = to->is_number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_BLOB;
                binds[i].buffer = to->is_number ? (void *)&to->number : to->data;
                binds[i].buffer_length = to->is_number ? sizeof(to->number) : to->room - 1;
                if (to->is_decimal)
                        binds[i].buffer_type = MYSQL_TYPE_STRING;
                binds[i].length = &to->length;
                binds[i].is_null = &to->is_null;
        }
        mysql_free_result(fields);
        if (mysql_stmt_bind_result(p->statement, binds))
                return fail(c, p, err);
        p->has_rows = true;
        return 0;
}

static void reset(struct ob_statement *s)
{
        struct prepared *p = s->prepared;

        if (p && p->has_rows && p->statement)
                mysql_stmt_free_result(p->statement);
        if (p)
                p->has_rows = false;
}

/* 1: at a row; 0: there is none left. */
static int fetch(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        struct prepared *p = s->prepared;
        int got = mysql_stmt_fetch(p->statement);

        if (got == MYSQL_NO_DATA) {
                reset(s);
                return 0;
        }
        if (got) {
                reset(s);
                return ob_fail(err, "store %s: a row can't be read: %s", c->place, mysql_stmt_error(p->statement));
        }
        for (unsigned i = 0; i < p->n_columns; i++)
                if (!p->columns[i].is_number && !p->columns[i].is_null)
                        p->columns[i].data[p->columns[i].length] = '\0';
        return 1;
}

/* Sends the statement with its values. 1: there are rows to fetch; 0: it has none. */
static int send_statement(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        struct prepared *p = s->prepared;
        int got;

        if (prepare_now(c, s, err) || ob_state_session_begin(&c->session, err))
                return -1;
        got = execute(c, p, err);
        if (!got && p->n_columns)
                got = store_rows(c, p, err) ? -1 : 1;
        if (c->session.transport.db)
                ob_state_session_end(&c->session);
        return got;
}

static void forget_writes(struct ob_mysql *c)
{
        for (size_t i = 0; i < c->n_writes; i++)
                for (int v = 0; v < c->writes[i].n; v++)
                        free(c->writes[i].data[v]);
        c->n_writes = c->kept = 0;
        c->is_too_large = false;
}

static void keep_write(struct ob_mysql *c, struct ob_statement *s)
{
        const struct prepared *p = s->prepared;
        struct write *w;

        if (c->is_too_large)
                return;
        c->writes = ob_grow(c->writes, &c->room, c->n_writes, sizeof(*c->writes));
        w = &c->writes[c->n_writes++];
        *w = (struct write) { .statement = s, .n = p->n };
        for (int i = 0; i < p->n; i++) {
                w->values[i] = p->values[i];
                if (p->values[i].type == OB_VALUE_NUMBER)
                        continue;
                w->values[i].data = w->data[i] = ob_alloc(1, p->values[i].length + 1);
                c->kept += p->values[i].length;
                if (p->values[i].length)
                        memcpy(w->data[i], p->values[i].data, p->values[i].length);
        }
        c->kept += sizeof(*w);
        if (c->kept < KEPT_MAX)
                return;
        forget_writes(c);
        c->is_too_large = true;
}

/* `last` is the last number of a batch. The batches of a transaction that is repeated have their numbers already.
 */
static int take_number(struct ob_mysql *c, int64_t last, struct ob_err *err)
{
        if (c->number == c->stored)
                c->stored = c->number = last;
        if (c->stored == last)
                return 0;
        c->session.failure = OB_STATE_REFUSED;
        return ob_fail(err, "store %s: other batches have got the numbers of a transaction in conflict: try again",
                c->place);
}

/*
 * Begins a transaction, and renews the lease in it. A client that freezes inside a transaction keeps the row of the
 * lease locked, so wait_timeout is short there, and the server ends such a session.
 */
static int begin_once(struct ob_mysql *c, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *fence = ob_lease_fence(c->lease, err), *sql = NULL;
        int idle = c->lease->holder->settings->lease * OB_LEASE_SENDS_PERCENT / 100;
        struct ob_state_answer a;

        c->session.failure = OB_STATE_REFUSED;
        if (!fence)
                return -1;
        sql = ob_format(
                "SET SESSION wait_timeout = %d; START TRANSACTION; %s; SELECT last_batch FROM leases WHERE unit = @unit",
                idle, fence);
        c->began = ob_clock_boot_ms();
        if (ob_state_session_open(&c->session, err) || ob_state_session_run(&c->session, sql, &a, err))
                return -1;
        if (!a.changed) {
                c->session.failure = OB_STATE_REFUSED;
                ob_lease_lose(c->lease, "another agent has taken it");
                return ob_fail(err, "the lease of the manager was lost: another agent has taken it");
        }
        return take_number(c, ob_state_number(a.cells[0]), err);
}

static void roll_back(struct ob_mysql *c)
{
        ob_cleanup(ob_free_at) char *sql = ob_format("ROLLBACK; SET SESSION wait_timeout = %d", IDLE_SECONDS);
        struct ob_state_answer ignored;
        struct ob_err none;

        if (c->session.transport.db && ob_state_session_run(&c->session, sql, &ignored, &none))
                ob_state_session_close(&c->session);
}

/* Does the writes of the transaction again. */
static int replay(struct ob_mysql *c, struct ob_err *err)
{
        for (size_t i = 0; i < c->n_writes; i++) {
                struct prepared *p = c->writes[i].statement->prepared;

                memcpy(p->values, c->writes[i].values, sizeof(p->values));
                if (send_statement(c, c->writes[i].statement, err) < 0)
                        return -1;
        }
        return 0;
}

/* The statement that writes the last number of a batch, if it has changed; the caller frees it. */
static char *write_number(const struct ob_mysql *c)
{
        return c->number == c->stored ? ob_copy("")
                                      : ob_format("UPDATE leases SET last_batch = %lld WHERE unit = @unit; ",
                                                (long long)c->number);
}

/* Begins a transaction with the writes that are kept. An idle session that the server has ended is opened again. */
static int begin_with_writes(struct ob_mysql *c, struct ob_err *err)
{
        enum ob_state_failure failure = OB_STATE_CONFLICT;
        bool was_open = c->session.transport.db;

        for (int i = 0; i < TRIES_MAX && failure == OB_STATE_CONFLICT; i++) {
                if (!begin_once(c, err) && !replay(c, err))
                        return 0;
                failure = c->session.failure;
                roll_back(c);
                if (failure == OB_STATE_GONE && was_open && !c->n_writes)
                        failure = OB_STATE_CONFLICT;
                was_open = false;
        }
        c->session.failure = failure;
        return -1;
}

static int begin_again(struct ob_mysql *c, struct ob_err *err)
{
        roll_back(c);
        if (c->is_too_large) {
                c->session.failure = OB_STATE_REFUSED;
                return ob_fail(
                        err, "store %s: the database has rolled a large transaction back: try again", c->place);
        }
        return begin_with_writes(c, err);
}

/* A connection that only reads sees all tables as they are at one moment. */
static int begin_snapshot(struct ob_mysql *c, struct ob_err *err)
{
        struct ob_state_answer a;

        return ob_state_session_open(&c->session, err) ||
                               ob_state_session_run(&c->session,
                                       "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", &a, err)
                       ? -1
                       : 0;
}

static int begin(void *db, struct ob_err *err)
{
        struct ob_mysql *c = db;

        forget_writes(c);
        c->is_in_doubt = false;
        c->stored = c->number;
        if (c->lease ? begin_with_writes(c, err) : begin_snapshot(c, err))
                return -1;
        c->is_in = true;
        return 0;
}

static void rollback(void *db)
{
        struct ob_mysql *c = db;

        if (c->is_in)
                roll_back(c);
        c->is_in = false;
        forget_writes(c); /* also those of a transaction that the server has ended */
}

static bool is_in_doubt(void *db)
{
        const struct ob_mysql *c = db;

        return c->is_in_doubt;
}

static int commit_once(struct ob_mysql *c, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *number = write_number(c);
        ob_cleanup(ob_free_at) char *sql =
                ob_format("%sCOMMIT; SET SESSION wait_timeout = %d", number, IDLE_SECONDS);
        struct ob_state_answer a;

        return ob_state_session_run(&c->session, sql, &a, err);
}

/*
 * Only a conflict says that nothing was committed. After any other error the commit may have been done: a node of
 * Galera also reports one when it has lost the others, which may have the commit. So the agent begins anew from
 * what the database has: as after a crash.
 */
static int commit(void *db, struct ob_err *err)
{
        struct ob_mysql *c = db;
        int got = 0;

        c->is_in_doubt = false;
        if (!c->is_in)
                return ob_fail(err, "store %s: the transaction was ended before", c->place);
        for (int i = 0; i < TRIES_MAX; i++) {
                got = commit_once(c, err);
                c->is_in_doubt = got && c->session.failure != OB_STATE_CONFLICT;
                if (!got || c->is_in_doubt || begin_again(c, err))
                        break;
        }
        if (c->is_in_doubt && c->lease)
                ob_lease_lose(c->lease,
                        "it is not known whether the database has committed: this agent loads the state again");
        if (got)
                roll_back(c);
        else if (c->lease)
                ob_lease_renewed(c->lease, c->began);
        c->is_in = false;
        forget_writes(c);
        return got;
}

/* A conflict ends the whole transaction: the writes before this statement are done again, then the statement. */
static int write_in(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        struct prepared *p = s->prepared;
        struct ob_value values[PARAMETERS_MAX];
        int got = send_statement(c, s, err);

        memcpy(values, p->values, sizeof(values)); /* an earlier write may be by the same statement */
        for (int i = 0; got && c->session.failure == OB_STATE_CONFLICT && i < TRIES_MAX; i++) {
                if (begin_again(c, err)) {
                        c->is_in = false;
                        return -1;
                }
                memcpy(p->values, values, sizeof(values));
                got = send_statement(c, s, err);
        }
        if (got && c->session.failure == OB_STATE_GONE)
                c->is_in = false;
        if (!got)
                keep_write(c, s);
        return got;
}

/* The number of a batch is given inside the transaction. */
static int write_row(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        if (s->is_put)
                ((struct prepared *)s->prepared)->values[0] = ob_value_number(++c->number);
        return write_in(c, s, err);
}

static int write_alone(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        if (begin(c, err))
                return -1;
        if (write_row(c, s, err)) {
                rollback(c);
                return -1;
        }
        return commit(c, err);
}

static bool writes(const struct ob_statement *s)
{
        return strncmp(s->sql, "SELECT", 6) != 0;
}

/* A read outside a transaction may be done once more in a new session. */
static int read_rows(struct ob_mysql *c, struct ob_statement *s, struct ob_err *err)
{
        bool was_open = c->session.transport.db;
        int got;

        if (!c->is_in && ob_state_session_open(&c->session, err))
                return -1;
        got = send_statement(c, s, err);
        if (got < 0 && was_open && !c->is_in && c->session.failure != OB_STATE_REFUSED)
                got = ob_state_session_open(&c->session, err) ? -1 : send_statement(c, s, err);
        return got == 1 ? fetch(c, s, err) : got;
}

static int step(struct ob_statement *s, struct ob_err *err)
{
        struct ob_mysql *c = s->db;
        struct prepared *p = s->prepared;

        if (p->has_rows)
                return fetch(c, s, err);
        if (!writes(s))
                return read_rows(c, s, err);
        return c->is_in ? write_row(c, s, err) : write_alone(c, s, err);
}

static int64_t number(struct ob_statement *s, int at)
{
        const struct prepared *p = s->prepared;
        const struct column *c = &p->columns[at];

        if (c->is_null)
                return 0;
        return c->is_number ? c->number : ob_state_number(c->data);
}

static const char *text(struct ob_statement *s, int at)
{
        const struct prepared *p = s->prepared;
        const struct column *c = &p->columns[at];

        return c->is_null || c->is_number ? "" : c->data;
}

static bool column(struct ob_statement *s, int at, int type, struct ob_value *v)
{
        const struct prepared *p = s->prepared;
        const struct column *c = &p->columns[at];

        if (c->is_null)
                return false;
        if (c->is_number || c->is_decimal)
                *v = ob_value_number(number(s, at));
        else if (type == OB_VALUE_TEXT)
                *v = (struct ob_value) { .type = OB_VALUE_TEXT, .data = c->data, .length = c->length };
        else
                *v = ob_value_blob(c->data, c->length);
        return true;
}

static void finalize(struct ob_statement *s)
{
        struct prepared *p = s->prepared;

        close_statement(p);
        for (unsigned i = 0; i < COLUMNS_MAX; i++)
                free(p->columns[i].data);
        free(p);
        s->prepared = NULL;
}

int ob_mysql_turn(struct ob_mysql *c, struct ob_lease *lease, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *fence = ob_lease_fence(lease, err), *number = write_number(c), *sql = NULL;
        bool is_written = c->number != c->stored;
        struct ob_state_answer a;

        if (lease == c->lease)
                return 0;
        forget_writes(c);
        c->is_too_large = true;
        if (!fence)
                return -1;
        sql = ob_format("%sSET @unit = %lld; %s; SELECT last_batch FROM leases WHERE unit = @unit", number,
                (long long)lease->unit, fence);
        if (ob_state_session_run(&c->session, sql, &a, err))
                return -1;
        if (a.changed != 1 + is_written)
                return ob_fail(err, "the lease of the manager \"%s\" was lost", lease->manager);
        c->lease = lease;
        c->session.unit = lease->unit;
        c->stored = c->number = ob_state_number(a.cells[0]);
        return 0;
}

static int64_t last_put(void *db)
{
        return ((struct ob_mysql *)db)->number;
}

static int last_number(void *db, int64_t *last, struct ob_err *err)
{
        struct ob_mysql *c = db;
        struct ob_state_answer a;

        if (c->is_in && c->lease) {
                *last = c->number;
                return 0;
        }
        if (ob_state_session_open(&c->session, err) ||
                ob_state_session_run(&c->session, "SELECT last_batch FROM leases WHERE unit = @unit", &a, err))
                return -1;
        *last = ob_state_number(a.cells[0]);
        return 0;
}

/* The commit writes it. */
static int set_last_number(void *db, int64_t last, struct ob_err *err)
{
        (void)err;
        ((struct ob_mysql *)db)->number = last;
        return 0;
}

static const char *place(void *db)
{
        return ((struct ob_mysql *)db)->place;
}

static void close_connection(void *db)
{
        struct ob_mysql *c = db;

        rollback(c);
        ob_state_session_close(&c->session);
        free(c->writes);
        free(c->place);
        free(c);
}

const struct ob_engine ob_engine_mysql = {
        .prepare = prepare,
        .bind = bind_value,
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

static struct ob_mysql *open_connection(struct ob_state_session session, struct ob_lease *lease, struct ob_err *err)
{
        struct ob_mysql *c = ob_alloc(1, sizeof(*c));

        c->session = session;
        c->lease = lease;
        c->place = ob_state_place(session.settings);
        if (!ob_state_session_open(&c->session, err))
                return c;
        close_connection(c);
        return NULL;
}

struct ob_mysql *ob_mysql_open(struct ob_lease *lease, struct ob_err *err)
{
        struct ob_lease_holder *h = lease->holder;

        return open_connection(
                (struct ob_state_session) {
                        .settings = h->settings, .stop = &h->stop, .common_host = &h->host, .unit = lease->unit },
                lease, err);
}

struct ob_mysql *ob_mysql_open_reader(
        const struct ob_state_settings *settings, int64_t unit, struct ob_stop *stop, struct ob_err *err)
{
        return open_connection(
                (struct ob_state_session) { .settings = settings, .stop = stop, .unit = unit }, NULL, err);
}
