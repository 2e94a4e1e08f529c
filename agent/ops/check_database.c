#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ops/check_parts.h"
#include "agent/process/clock.h"
#include "agent/process/tcp.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/name_rows.h"
#include "agent/source/reader.h"
#include "proto/memory.h"

#define CLOCK_OFF  5     /* seconds by which clocks may differ */
#define MANY_ROWS  50000 /* rows that one poll reads through: more than there ever are new */
#define GRANTS_MAX 10000 /* lines */
#define SLOW_MS    1000  /* the limit for a poll's first query */
#define OLD_DELAY  "see the change of 2018 in Otter's schema: ALTER TABLE DELAY_STAT MODIFY DELAY_TIME BIGINT"
#define READ_GRANT "deploy/grants.sql creates a user that can read what otterbeat needs and nothing else"

/* The errors by which MySQL refuses a login or a query, and what helps. */
static const struct {
        unsigned number;
        const char *fix;
        const char *says; /* only for an error with this text; NULL: for each error of this number */
} fixes[] = {
        { 1040, "the server has no connection left: raise its max_connections, or look which clients hold the connections" },
        { 1044, READ_GRANT },
        { 1045, "otterbeat has no password: set the variable OTTERBEAT_PASSWORD, or mysql.password_file",
                "using password: NO" },
        { 1045, "check the user, the password, and the host from which the user may connect: " READ_GRANT },
        { 1049, "set mysql.database to a database that exists" },
        { 1129, "the server has blocked this host after many errors: run FLUSH HOSTS on the server" },
        { 1130, "the user may not connect from this host: " READ_GRANT },
        { 1142, READ_GRANT },
        { 1203, "the user has no connection left: raise max_user_connections of the user" },
        { 1226, "the user has reached a limit: raise the limits of the user (ALTER USER … WITH MAX_…)" },
        { 1251, "otterbeat does not know the user's authentication plugin: ALTER USER … IDENTIFIED VIA mysql_native_password" },
        { 1524, "the server does not have the user's authentication plugin: ALTER USER … IDENTIFIED VIA another" },
        { 1698, "the user can log in only through the unix socket: give the user a password" },
        { 1820, "the user's password has expired: ALTER USER … PASSWORD EXPIRE NEVER" },
        { 1862, "the user's password has expired: ALTER USER … PASSWORD EXPIRE NEVER" },
        { 2002, "is the server running, at this host and port, or socket?" },
        { 2003, "is the server running, at this host and port, or socket?" },
        { 2012, "the server accepts connections, but does not speak MySQL's protocol, or is overloaded" },
        { 2013, "the server accepts connections, but does not speak MySQL's protocol, or is overloaded" },
        { 2026, "mysql.tls, ca, cert and key do not fit the server's certificate, or the server has no certificate, or a file cannot be read" },
        { 2059, "the client library lacks the user's authentication plugin: libmariadb3 has caching_sha2_password; or "
                "ALTER USER … IDENTIFIED VIA mysql_native_password" },
        { 2061, "the user's authentication plugin needs an encrypted connection: tls = \"required\"" },
        { 2027, "the server accepts connections, but does not speak MySQL's protocol" },
        { 5010, "with this plugin somebody on the network could read the password: tls = \"verify\", or ALTER USER … IDENTIFIED VIA "
                "mysql_native_password" },
        { 4151, "the account is locked: ALTER USER … ACCOUNT UNLOCK" },
};

/* Finds the fix by the number in "mysql 1045: …". */
static const char *fix_for(const struct ob_err *err)
{
        static const char mark[] = "mysql ";
        const char *at = strstr(err->text, mark);
        unsigned long number = at ? strtoul(at + sizeof(mark) - 1, NULL, 10) : 0;

        for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++)
                if (fixes[i].number == number && (!fixes[i].says || strstr(err->text, fixes[i].says)))
                        return fixes[i].fix;
        return "";
}

/* The manager that is checked. `name` is the manager's name, or the name of its database. */
struct look {
        struct ob_report *report;
        const struct ob_manager *manager;
        const char *name;
        struct ob_session session;
        struct ob_err said; /* the last error of a query that was reported */
};

/* Queries that fail with the same error have one cause, such as a lost connection: it is reported once. */
static void report_error(
        struct look *l, const char *what, const char *name, const char *fix, const struct ob_err *err)
{
        if (!strcmp(l->said.text, err->text))
                return;
        l->said = *err;
        ob_report_add(l->report, OB_GRADE_BAD, what, name, fix, "%s", err->text);
}

/*
 * The cell in the last column of the first row; NULL: there is none, or the query failed. The caller's to free.
 * There may be two rows, since MySQL 5.7 and MariaDB 11.1 list some variables by an old and by a new name.
 */
static char *ask(struct look *l, const char *about, const char *sql, unsigned columns)
{
        const struct ob_query query = { .about = about, .sql = sql, .columns = columns, .rows = 2 };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        struct ob_err err;
        const char *cell = ob_session_query(&l->session, &query, &result, &err)
                                   ? NULL
                                   : ob_result_cell(&result, 0, columns - 1);

        return cell ? ob_copy(cell) : NULL;
}

/* Finds the plugin in "… IDENTIFIED VIA plugin …", "IDENTIFIED WITH 'plugin'", or "IDENTIFIED BY PASSWORD". The
 * hash behind it is never copied. */
static const char *plugin_of(const char *user, char plugin[64])
{
        static const char *const marks[] = { " IDENTIFIED VIA ", " IDENTIFIED WITH '" };

        for (size_t i = 0; i < 2; i++) {
                const char *at = strstr(user, marks[i]);

                if (at) {
                        at += strlen(marks[i]);
                        snprintf(plugin, 64, "%.*s", (int)strcspn(at, " '"), at);
                        return plugin;
                }
        }
        return strstr(user, " IDENTIFIED BY PASSWORD ") ? "mysql_native_password" : "no plugin named";
}

static void check_login(struct look *l)
{
        const char *where = *l->manager->mysql.socket ? "'its socket ', @@socket" : "'port ', @@port";
        ob_cleanup(ob_free_at) char *sql = ob_format(
                "SELECT CONCAT(VERSION(), ' on ', @@hostname, ' at ', %s, ', server_id ', @@server_id)", where);
        ob_cleanup(ob_free_at) char *server = ask(l, "the server", sql, 1);
        ob_cleanup(ob_free_at) char *user = ask(l, "the user", "SHOW CREATE USER CURRENT_USER()", 1);
        ob_cleanup(ob_free_at) char *tls = ask(l, "TLS", "SHOW SESSION STATUS LIKE 'Ssl_version'", 2);
        char plugin[64];

        ob_report_add(l->report, OB_GRADE_OK, "login", l->name, "", "as %s, by %s, to server %s",
                l->manager->mysql.user, user ? plugin_of(user, plugin) : "an unknown plugin",
                server ? server : "?");
        if (user)
                explicit_bzero(user, strlen(user)); /* the text holds a hash of the password */
        ob_report_add(l->report, OB_GRADE_OK, "tls", l->name, "", "%s%s",
                tls && *tls ? "encrypted: " : "not encrypted", tls ? tls : "");
}

/* Every poll is a SELECT in a session whose transactions can only read. */
static void check_read_only(struct look *l)
{
        static const char sql[] = "SHOW SESSION VARIABLES WHERE Variable_name IN "
                                  "('tx_read_only', 'transaction_read_only') AND Value = 'ON'";
        ob_cleanup(ob_free_at) char *is_on = ask(l, "the session", sql, 2);
        struct ob_err err;
        ob_cleanup(ob_free_at) char *others = ob_session_differs(&l->session, &err);

        if (is_on)
                ob_report_add(l->report, OB_GRADE_OK, "session", l->name, "",
                        "every transaction is read only, times are UTC; set by otterbeat, with the server's own values in brackets: %s",
                        others ? others : err.text);
        else
                ob_report_add(l->report, OB_GRADE_BAD, "session", l->name,
                        "MySQL before 5.6 and MariaDB before 10.0 have no read-only transactions: give the user no right to write",
                        "the transactions are not read only");
}

/* The privileges stand before ON; a hash may stand behind it and is not read. A list of columns names no privilege.
 */
static bool may_write(const char *grant)
{
        static const char *const words[] = { "ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER",
                "CREATE", "SUPER", "FILE" };
        const char *on = strstr(grant, " ON ");

        for (const char *at = grant; on && at < on; at++) {
                if (*at == '(')
                        at += strcspn(at, ")");
                for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                        if (!strncmp(at, words[i], strlen(words[i])))
                                return true;
        }
        return false;
}

static void check_grants(struct look *l)
{
        static const struct ob_query query = {
                .about = "the grants", .sql = "SHOW GRANTS", .columns = 1, .rows = GRANTS_MAX
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        struct ob_err err;
        unsigned writes = 0;

        if (ob_session_query(&l->session, &query, &result, &err))
                return;
        for (size_t i = 0; i < result.n; i++) {
                const char *grant = ob_result_cell(&result, i, 0);

                writes += grant && may_write(grant);
        }
        if (writes)
                ob_report_add(l->report, OB_GRADE_WARN, "grants", l->name, READ_GRANT,
                        "user %s can do more than read; otterbeat only reads", l->manager->mysql.user);
        else
                ob_report_add(l->report, OB_GRADE_OK, "grants", l->name, "", "%s may read, and not write",
                        l->manager->mysql.user);
}

/* A user who may read some column of a table can find out all its columns: see deploy/grants.sql. */
static void check_secrets(struct look *l)
{
        static const char *const tables[] = { "DATA_MEDIA", "DATA_MEDIA_SOURCE", "CANAL", "USER" };
        ob_cleanup(ob_free_at) char *readable = ob_copy("");

        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
                ob_cleanup(ob_free_at) char *sql =
                        ob_format("SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT 0) t", tables[i]);
                ob_cleanup(ob_free_at) char *count = ask(l, tables[i], sql, 1);

                if (count)
                        ob_append(&readable, ", ", "%s", tables[i]);
        }
        if (*readable)
                ob_report_add(l->report, OB_GRADE_WARN, "secrets", l->name, READ_GRANT,
                        "user %s can read passwords of Otter, through some columns of %s; otterbeat does not read them",
                        l->manager->mysql.user, readable);
        else
                ob_report_add(l->report, OB_GRADE_OK, "secrets", l->name, "",
                        "user %s cannot read the tables where Otter keeps passwords", l->manager->mysql.user);
}

static void check_clock(struct look *l)
{
        int64_t before = ob_clock_wall();
        ob_cleanup(ob_free_at) char *theirs = ask(l, "the clock", "SELECT UNIX_TIMESTAMP()", 1);
        ob_cleanup(ob_free_at) char *zone = ask(l, "the zone",
                "SELECT IF(@@global.time_zone = 'SYSTEM', @@system_time_zone, @@global.time_zone)", 1);
        long long off = theirs ? strtoll(theirs, NULL, 10) - before : 0, wait = ob_clock_wall() - before;

        if (!theirs)
                return;
        if (off < -CLOCK_OFF || off > CLOCK_OFF + wait)
                ob_report_add(l->report, OB_GRADE_WARN, "clock", l->name,
                        "let both machines follow a time server: ages and delays are wrong by this difference",
                        "the server's clock is %lld s %s the clock of this machine", off < 0 ? -off : off,
                        off < 0 ? "behind" : "ahead of");
        else
                ob_report_add(l->report, OB_GRADE_OK, "clock", l->name, "",
                        "as the clock of this machine; the server's time zone is %s", zone ? zone : "?");
}

/* The type of one column shows the age of Otter's schema. */
static void check_schema(struct look *l)
{
        ob_cleanup(ob_free_at) char *tables = ask(l, "the schema",
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN"
                " ('DELAY_STAT', 'THROUGHPUT_STAT', 'TABLE_HISTORY_STAT', 'TABLE_STAT', 'LOG_RECORD')",
                1);
        ob_cleanup(ob_free_at) char *delay = ask(l, "DELAY_STAT",
                "SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
                " AND TABLE_NAME = 'DELAY_STAT' AND COLUMN_NAME = 'DELAY_TIME'",
                1);
        bool is_old = delay && strcmp(delay, "bigint") != 0;

        ob_report_add(l->report, is_old ? OB_GRADE_WARN : OB_GRADE_OK, "schema", l->name, is_old ? OLD_DELAY : "",
                "%s of Otter's 5 tables of statistics%s", tables ? tables : "?",
                is_old ? ", from before 2018: DELAY_TIME can't hold more than 24 days" : "");
}

static bool is_empty_or_small(const struct ob_explained *e)
{
        return e->rows <= MANY_ROWS;
}

static void check_rows(struct look *l, const struct ob_source *s, struct ob_reader *reader)
{
        int64_t began = ob_clock_ms(), took, from;
        struct ob_explained e;
        struct ob_reading at;
        struct ob_err err;

        if (reader->ops->read_clock(reader, &at, &err)) {
                report_error(l, "source", s->name, fix_for(&err), &err);
                return;
        }
        took = ob_clock_ms() - began;
        from = ob_source_shape(s) == OB_SHAPE_LOG && at.has_rows ? at.max_id : INT64_MIN;
        if (ob_reader_mysql_explain(reader, from, (unsigned)s->batch, &e, &err)) {
                report_error(l, "source", s->name, fix_for(&err), &err);
                return;
        }
        if (took > SLOW_MS || !is_empty_or_small(&e))
                ob_report_add(l->report, OB_GRADE_WARN, "source", s->name, "look at the indexes of the table",
                        "table %s, %s: a poll looks at %lld rows, and asking for its newest took %lld ms", s->table,
                        reader->plan, (long long)e.rows, (long long)took);
        else
                ob_report_add(l->report, OB_GRADE_OK, "source", s->name, "",
                        "table %s, %s; a poll now: access %s, index %s, %lld rows", s->table, reader->plan,
                        *e.access ? e.access : "none needed", *e.index ? e.index : "none", (long long)e.rows);
}

static void check_source(struct look *l, const struct ob_source *s)
{
        struct ob_reader *reader = ob_reader_mysql_new(s, &l->session);
        struct ob_err err;

        if (reader->ops->open(reader, &err))
                report_error(
                        l, "source", s->name, strstr(err.text, "may not read") ? READ_GRANT : fix_for(&err), &err);
        else if (*reader->missing)
                ob_report_add(l->report, OB_GRADE_BAD, "source", s->name,
                        "the table has another version, or the user may not read these columns: " READ_GRANT,
                        "table %s has none of these columns: %s", s->table, reader->missing);
        else
                check_rows(l, s, reader);
        ob_reader_free(reader);
}

static void count_row(void *n, const struct ob_name_row *row)
{
        (void)row;
        ++*(size_t *)n;
}

/* Without names the series show ids: that is a warning, not BAD. */
static void check_names(struct look *l)
{
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++) {
                ob_cleanup(ob_free_at) char *grant = NULL;
                const char *key = ob_name_facts[kind].key;
                struct ob_err err;
                size_t n = 0;
                int got = ob_name_rows_read(&l->session,
                        &(struct ob_name_reading) { .kind = kind, .each = count_row, .ctx = &n, .name = "" }, &err);

                if (!got)
                        grant = ob_name_rows_grant(&l->session, kind, &err);
                if (got < 0 || (!got && !grant)) {
                        report_error(l, "names", key, fix_for(&err), &err);
                        return;
                }
                if (got) {
                        ob_report_add(l->report, OB_GRADE_OK, "names", key, "", "%zu are known", n);
                        continue;
                }
                ob_report_add(l->report, OB_GRADE_WARN, "names", key, grant, "shown by ids alone: %s", err.text);
        }
}

/* Opens as many sessions as a running agent needs; one of them is open already. */
static void check_sessions(struct look *l, const struct ob_config *c)
{
        unsigned needed = ob_session_turns_needed(c), n = 1, i = 0;
        ob_cleanup(ob_free_at) struct ob_session *more = ob_alloc(needed, sizeof(*more));
        struct ob_err err;

        for (; n < needed; n++, i++) {
                ob_session_init(&more[i], &l->manager->mysql, NULL);
                if (ob_session_open(&more[i], &err))
                        break;
        }
        if (n >= needed)
                ob_report_add(l->report, OB_GRADE_OK, "sessions", l->name, "", "%u at once, as many as a run needs",
                        needed);
        else
                ob_report_add(l->report, OB_GRADE_WARN, "sessions", l->name,
                        "raise the user's MAX_USER_CONNECTIONS, or max_connections; this is fine when a running agent has the other sessions",
                        "%u at once, and a run needs %u: its sources take turns, so that each waits for others: %s",
                        n, needed, err.text);
        for (size_t j = 0; j < needed; j++)
                ob_session_fini(&more[j]);
}

static const struct {
        int code;
        const char *fix;
} reach_fixes[] = {
        { ECONNREFUSED,
                "no server listens there: is the database server running, and are mysql.host and mysql.port right?" },
        { ETIMEDOUT, "no answer: is there a firewall, is the address wrong, or is the host down?" },
        { EHOSTUNREACH, "no route to the host: is there a firewall, or is the host down?" },
        { ENETUNREACH, "this machine has no route to that network" },
};

static const char *fix_for_errno(int code)
{
        for (size_t i = 0; i < sizeof(reach_fixes) / sizeof(*reach_fixes); i++)
                if (reach_fixes[i].code == code)
                        return reach_fixes[i].fix;
        return "";
}

/* Whether the name has an address and a server answers there, which comes before any login. The report says how far
 * it came. */
static bool reach(struct ob_report *r, const char *name, const char *host, int port, int seconds)
{
        struct ob_tcp_port to = { .host = host, .port = port, .timeout_ms = seconds * INT64_C(1000) };
        int64_t began = ob_clock_ms();
        struct ob_err err;
        int fd = ob_tcp_connect(&to, &err);

        if (to.resolver_error) {
                ob_report_add(r, OB_GRADE_BAD, "dns", name,
                        "is the name right? see /etc/resolv.conf and /etc/hosts", "%s", err.text);
                return false;
        }
        errno = to.error;
        if (fd < 0) {
                ob_report_add(
                        r, OB_GRADE_BAD, "tcp", name, fix_for_errno(to.error), "%s port %d: %m", to.address, port);
                return false;
        }
        close(fd);
        ob_report_add(r, OB_GRADE_OK, "tcp", name, "", "%s port %d answers, after %lld ms", to.address, port,
                (long long)(ob_clock_ms() - began));
        return true;
}

static bool check_way(struct look *l)
{
        const struct ob_mysql_settings *m = &l->manager->mysql;
        struct ob_err err;

        if (!*m->socket && !reach(l->report, l->name, m->host, m->port, m->connect_timeout))
                return false;
        if (!ob_session_open(&l->session, &err))
                return true;
        ob_report_add(l->report, OB_GRADE_BAD, "login", l->name, fix_for(&err), "%s", err.text);
        return false;
}

bool ob_check_database(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns)
{
        struct look l = { .report = r, .manager = m, .name = ob_check_name(m), .said.text = "" };
        bool is_open;

        ob_session_init(&l.session, &m->mysql, NULL);
        l.session.turn.turns = turns;
        is_open = check_way(&l);
        if (is_open) {
                check_login(&l);
                check_read_only(&l);
                check_sessions(&l, c);
                check_grants(&l);
                check_secrets(&l);
                check_clock(&l);
                check_schema(&l);
                for (size_t i = 0; i < c->n_sources; i++)
                        if (c->sources[i].enabled && c->sources[i].kind == OB_SOURCE_TABLE)
                                check_source(&l, &c->sources[i]);
                if (c->names.enabled)
                        check_names(&l);
        }
        ob_session_fini(&l.session);
        return is_open;
}
