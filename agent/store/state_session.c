#include "agent/store/state_session.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/process/clock.h"
#include "config/secret.h"
#include "proto/memory.h"
#include "proto/number.h"

#define ANSWER_MAX (INT64_C(1) << 40) /* bytes: our own rows, which may be many */
#define EACH_CELLS 8

static int64_t deadline_of(const struct ob_state_session *s)
{
        return ob_clock_ms() + s->settings->mysql.query_timeout * INT64_C(1000);
}

char *ob_state_literal(const char *text)
{
        char *literal = ob_alloc(2 * strlen(text) + 4, 1), *at = literal + 2;

        literal[0] = 'x';
        literal[1] = '\'';
        for (const char *c = text; *c; c++, at += 2)
                snprintf(at, 3, "%02x", (unsigned char)*c);
        *at = '\'';
        return literal;
}

int64_t ob_state_number(const char *cell)
{
        int64_t n;

        return ob_number_parse_int(cell, &n) ? n : 0;
}

char *ob_state_place(const struct ob_state_settings *settings)
{
        ob_cleanup(ob_free_at) char *hosts = ob_copy("");

        for (size_t i = 0; i < settings->n_hosts; i++)
                ob_append(&hosts, ",", "%s", settings->hosts[i]);
        return ob_format("mysql://%s/%s", hosts, settings->mysql.database);
}

void ob_state_session_close(struct ob_state_session *s)
{
        ob_transport_close(&s->transport);
}

int ob_state_session_begin(struct ob_state_session *s, struct ob_err *err)
{
        s->failure = OB_STATE_FINE;
        if (!ob_transport_begin(&s->transport, ANSWER_MAX, deadline_of(s), err))
                return 0;
        s->failure = OB_STATE_GONE;
        ob_state_session_close(s);
        return -1;
}

void ob_state_session_end(struct ob_state_session *s)
{
        ob_transport_end(&s->transport);
}

/*
 * Galera reports a failed certification as a deadlock. A node that has no quorum, or loses the others during a
 * commit, is left for the next host.
 */
static enum ob_state_failure failure_of(unsigned error)
{
        switch (error) {
        case ER_LOCK_DEADLOCK:
        case ER_LOCK_WAIT_TIMEOUT:
                return OB_STATE_CONFLICT;
        case ER_UNKNOWN_COM_ERROR: /* Galera: the node is not ready */
        case ER_ERROR_DURING_COMMIT:
        case ER_OPTION_PREVENTS_STATEMENT:
        case 1836: /* MySQL: the server is read only */
        case ER_SERVER_SHUTDOWN:
                return OB_STATE_GONE;
        default:
                return OB_STATE_REFUSED;
        }
}

/* What an error means on Galera. The server's own text describes another problem there. */
static const char *meaning_of(unsigned error)
{
        switch (error) {
        case ER_UNKNOWN_COM_ERROR:
                return " (a node of Galera that has no quorum, or is not synced yet)";
        case ER_LOCK_WAIT_TIMEOUT:
                return " (another session has the row, or a node of Galera has lost the others)";
        default:
                return "";
        }
}

/* The next host is tried next, by all sessions of this agent. */
static void leave_host(struct ob_state_session *s)
{
        size_t was = s->host;

        s->host = (was + 1) % s->settings->n_hosts;
        if (s->common_host)
                atomic_compare_exchange_strong(s->common_host, &was, s->host);
        ob_state_session_close(s);
}

int ob_state_session_fail(struct ob_state_session *s, unsigned error, const char *said, struct ob_err *err)
{
        struct ob_transport *t = &s->transport;

        ob_transport_fail(t, "the state", err);
        if (t->is_broken || !error || (error >= CR_MIN_ERROR && error <= CR_MAX_ERROR)) {
                s->failure = OB_STATE_GONE;
        } else {
                s->failure = failure_of(error);
                ob_fail(err, "mysql %u: %s%s", error, said, meaning_of(error));
        }
        ob_fail_in(err, s->settings->hosts[s->host]);
        if (s->failure == OB_STATE_GONE)
                leave_host(s);
        return -1;
}

/* Reads the answer of one statement. Returns 0, 1 when the row has too many cells, or there are too many rows. */
static int take_rows(MYSQL_RES *rows, struct ob_state_answer *answer)
{
        unsigned n = mysql_num_fields(rows);
        MYSQL_ROW row = n <= OB_STATE_CELLS ? mysql_fetch_row(rows) : NULL;

        answer->has_row = row;
        for (unsigned i = 0; row && i < n; i++)
                snprintf(answer->cells[i], sizeof(answer->cells[i]), "%s", row[i] ? row[i] : "");
        return n > OB_STATE_CELLS || mysql_num_rows(rows) > 1;
}

static int run_all(struct ob_state_session *s, const char *sql, struct ob_state_answer *answer, struct ob_err *err)
{
        MYSQL *db = s->transport.db;
        int more = mysql_real_query(db, sql, strlen(sql)) ? 1 : 0;

        while (!more) {
                MYSQL_RES *rows = mysql_store_result(db);
                int wrong = rows ? take_rows(rows, answer) : 0;

                if (rows)
                        mysql_free_result(rows);
                else if (mysql_errno(db))
                        break;
                else
                        answer->changed += (int64_t)mysql_affected_rows(db);
                if (wrong) {
                        s->failure = OB_STATE_GONE;
                        return ob_fail(err, "mysql: the answer about the state has another shape");
                }
                more = mysql_next_result(db);
        }
        return mysql_errno(db) ? ob_state_session_fail(s, mysql_errno(db), mysql_error(db), err) : 0;
}

int ob_state_session_run(
        struct ob_state_session *s, const char *sql, struct ob_state_answer *answer, struct ob_err *err)
{
        int got;

        *answer = (struct ob_state_answer) { .changed = 0 };
        if (ob_state_session_begin(s, err))
                return -1;
        got = run_all(s, sql, answer, err);
        if (s->transport.db)
                ob_state_session_end(s);
        return got;
}

/* Takes the rows of the one answer. */
static int take_each(struct ob_state_session *s, MYSQL_RES *rows, unsigned n,
        void (*take)(void *ctx, const char *const *cells), void *ctx, struct ob_err *err)
{
        const char *cells[EACH_CELLS];
        MYSQL_ROW row;

        if (mysql_num_fields(rows) != n || n > EACH_CELLS) {
                s->failure = OB_STATE_GONE;
                return ob_fail(err, "mysql: the answer about the state has another shape");
        }
        while ((row = mysql_fetch_row(rows))) {
                for (unsigned i = 0; i < n; i++)
                        cells[i] = row[i] ? row[i] : "";
                take(ctx, cells);
        }
        return 0;
}

int ob_state_session_each(struct ob_state_session *s, const char *sql, unsigned n,
        void (*take)(void *ctx, const char *const *cells), void *ctx, struct ob_err *err)
{
        MYSQL_RES *rows = NULL;
        int got = -1;

        if (ob_state_session_begin(s, err))
                return -1;
        if (!mysql_real_query(s->transport.db, sql, strlen(sql)))
                rows = mysql_store_result(s->transport.db);
        if (rows)
                got = take_each(s, rows, n, take, ctx, err);
        else
                ob_state_session_fail(s, mysql_errno(s->transport.db), mysql_error(s->transport.db), err);
        if (rows)
                mysql_free_result(rows);
        if (s->transport.db)
                ob_state_session_end(s);
        return got;
}

/*
 * The values that the statements depend on, whatever the server's defaults are. A statement waits for the lock of a
 * row for less than its deadline, because other sessions of this agent may have the row. When the whole server is
 * locked, as for a backup, the agent gives up at the deadline and tries the next host. The server cancels the
 * statement one second later, so the statement is never executed late.
 */
static int set_variables(struct ob_state_session *s, struct ob_err *err)
{
        int row = s->settings->lease / 4 ? s->settings->lease / 4 : 1,
            server = s->settings->mysql.query_timeout + 1;
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00',"
                " completion_type = 'NO_CHAIN', sql_safe_updates = 0, sql_select_limit = DEFAULT,"
                " sql_big_selects = 1, innodb_lock_wait_timeout = %d, lock_wait_timeout = %d"
                " /*M!, max_statement_time = %d */;"
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; SET SESSION TRANSACTION READ WRITE;"
                "SET @unit = %lld",
                row, server, server, (long long)s->unit);
        struct ob_state_answer answer;

        if (ob_state_session_run(s, sql, &answer, err))
                return -1;
        /*
         * Galera: a statement or a transaction begins when the node has applied all that any node had committed
         * before. 3: reads, UPDATE and DELETE. Servers without Galera may not know the variable.
         */
        if (ob_state_session_run(s, "SET SESSION wsrep_sync_wait = 3", &answer, err) &&
                s->transport.error != ER_UNKNOWN_SYSTEM_VARIABLE)
                return -1;
        return 0;
}

static int check_tables(struct ob_state_session *s, struct ob_err *err)
{
        const char *database = s->settings->mysql.database;
        struct ob_state_answer a;
        int64_t version;

        if (ob_state_session_run(s, "SELECT version, @@max_allowed_packet FROM state_version", &a, err)) {
                if (s->failure == OB_STATE_REFUSED)
                        ob_fail(err,
                                "the database %s has no tables for the state, or the user may not read them; as its "
                                "administrator run: mysql < " OB_STATE_TABLES,
                                database);
                return -1;
        }
        version = a.has_row ? ob_state_number(a.cells[0]) : 0;
        if (version > OB_STATE_VERSION)
                return ob_fail(err,
                        "the tables of the database %s have version %lld, and this otterbeat knows version %d: "
                        "upgrade otterbeat",
                        database, (long long)version, OB_STATE_VERSION);
        if (version < OB_STATE_VERSION)
                return ob_fail(err,
                        "the tables of the database %s have version %lld, and this otterbeat needs version %d: as the "
                        "database's administrator run: mysql < " OB_STATE_TABLES,
                        database, (long long)version, OB_STATE_VERSION);
        if (ob_state_number(a.cells[1]) < OB_STATE_PACKET)
                return ob_fail(err,
                        "max_allowed_packet of %s is %s bytes, and the state needs at least %lld: raise it on each "
                        "server",
                        s->settings->hosts[s->host], a.cells[1], (long long)OB_STATE_PACKET);
        return 0;
}

/* What the kernel could not deliver is given up within the lease, too. */
static void limit_socket(const struct ob_state_session *s)
{
        int fd = s->transport.socket.fd;
        unsigned most = (unsigned)s->settings->mysql.query_timeout * 1000;

        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof(most));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
}

static int log_in(struct ob_state_session *s, struct ob_err *err)
{
        struct ob_mysql_settings m = s->settings->mysql;
        char password[OB_SECRET_MAX];
        size_t packet = SIZE_MAX / 4;
        int got;

        m.host = s->settings->hosts[s->host];
        s->transport.stop = s->stop;
        s->transport.error = 0;
        if (ob_transport_init(&s->transport, &m, err))
                return -1;
        mysql_options(s->transport.db, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
        ob_secret_now(m.password_file, m.password, password);
        got = ob_transport_connect(&s->transport, &m, password, m.connect_timeout * INT64_C(1000), err);
        explicit_bzero(password, sizeof(password));
        if (got)
                ob_fail_in(err, m.host);
        return got;
}

/* Waiting does not help against these errors. */
static bool is_refusal(unsigned error)
{
        return error == ER_ACCESS_DENIED_ERROR || error == ER_DBACCESS_DENIED_ERROR || error == ER_BAD_DB_ERROR ||
               error == CR_PLUGIN_NOT_ALLOWED || error == CR_SSL_CONNECTION_ERROR;
}

static int open_one(struct ob_state_session *s, struct ob_err *err)
{
        s->is_refused = false;
        if (log_in(s, err)) {
                s->is_refused = is_refusal(s->transport.error);
                return -1;
        }
        limit_socket(s);
        if (mysql_set_server_option(s->transport.db, MYSQL_OPTION_MULTI_STATEMENTS_ON))
                return ob_state_session_fail(s, mysql_errno(s->transport.db), mysql_error(s->transport.db), err);
        if (set_variables(s, err))
                return -1;
        if (!check_tables(s, err))
                return 0;
        s->is_refused = s->failure != OB_STATE_GONE && s->failure != OB_STATE_CONFLICT;
        return -1;
}

int ob_state_session_open(struct ob_state_session *s, struct ob_err *err)
{
        if (s->transport.db && s->common_host && s->host != *s->common_host)
                ob_state_session_close(s);
        if (s->transport.db)
                return 0;
        if (s->common_host)
                s->host = *s->common_host;
        for (size_t i = 0; i < s->settings->n_hosts; i++) {
                size_t tried = s->host;

                if (!open_one(s, err)) {
                        s->opened++;
                        return 0;
                }
                s->failure = OB_STATE_GONE;
                if (s->host == tried)
                        leave_host(s);
        }
        return -1;
}
