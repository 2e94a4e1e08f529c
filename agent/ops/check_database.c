#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ops/check_parts.h"
#include "agent/ops/markup.h"
#include "agent/ops/reach.h"
#include "agent/process/clock.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/name_rows.h"
#include "agent/source/reader.h"
#include "proto/memory.h"

#define CLOCK_OFF  5     /* seconds that clocks may differ */
#define MANY_ROWS  50000 /* that a poll looks at: more than new rows ever are */
#define GRANTS_MAX 10000 /* lines */
#define SLOW_MS    1000  /* of a poll's first query */
#define OLD_DELAY  "see the change of 2018 in Otter's schema: ALTER TABLE DELAY_STAT MODIFY DELAY_TIME BIGINT"
#define READ_GRANT "deploy/grants.sql makes a user that may read what is needed, and no more"

/* What MySQL says when it lets nobody in, and what helps. */
static const struct {
        unsigned number;
        const char *fix;
} fixes[] = {
        { 1040, "the server has no connection left: raise its max_connections, or see who holds them" },
        { 1044, READ_GRANT },
        { 1045, "user, password, or the host that the user may come from: " READ_GRANT },
        { 1049, "mysql.database names a database that is not there" },
        { 1129, "the server has blocked this host after many errors: FLUSH HOSTS there" },
        { 1130, "the user may not come from this host: " READ_GRANT },
        { 1142, READ_GRANT },
        { 1203, "the user has no connection left: raise its max_user_connections" },
        { 1226, "the user has used up what it may: raise its limits (ALTER USER … WITH MAX_…)" },
        { 1251, "the user's authentication plugin is not known here: ALTER USER … IDENTIFIED VIA mysql_native_password" },
        { 1524, "the server does not have the user's authentication plugin: ALTER USER … IDENTIFIED VIA another" },
        { 1698, "the user logs in by the unix socket alone: give it a password" },
        { 1820, "its password has expired: ALTER USER … PASSWORD EXPIRE NEVER" },
        { 1862, "its password has expired: ALTER USER … PASSWORD EXPIRE NEVER" },
        { 2002, "is the server running, at this host and port, or socket?" },
        { 2003, "is the server running, at this host and port, or socket?" },
        { 2012, "it accepts connections, but does not speak MySQL's protocol, or is overloaded" },
        { 2013, "it accepts connections, but does not speak MySQL's protocol, or is overloaded" },
        { 2026, "mysql.tls, ca, cert and key do not fit the server's certificate, or it has none, or a file can't be read" },
        { 2059, "the client library lacks the user's authentication plugin: libmariadb3 has caching_sha2_password; or "
                "ALTER USER … IDENTIFIED VIA mysql_native_password" },
        { 2061, "the user's authentication plugin needs an encrypted connection: tls = \"required\"" },
        { 2027, "it accepts connections, but does not speak MySQL's protocol" },
        { 5010, "the plugin shows the password to who listens: tls = \"verify\", or ALTER USER … IDENTIFIED VIA "
                "mysql_native_password" },
        { 4151, "the account is locked: ALTER USER … ACCOUNT UNLOCK" },
};

/* By the number in "mysql 1045: …". */
static const char *fix_for(const struct ob_err *err)
{
        static const char mark[] = "mysql ";
        const char *at = strstr(err->text, mark);
        unsigned long number = at ? strtoul(at + sizeof(mark) - 1, NULL, 10) : 0;

        for (size_t i = 0; i < sizeof(fixes) / sizeof(*fixes); i++)
                if (fixes[i].number == number)
                        return fixes[i].fix;
        return "";
}

/* What is looked at; the name is the manager's, or its database's. */
struct look {
        struct ob_report *report;
        const struct ob_manager *manager;
        const char *name;
        struct ob_session session;
};

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

/* In "… IDENTIFIED VIA plugin …", "IDENTIFIED WITH 'plugin'", or "IDENTIFIED BY PASSWORD"; the hash behind it is
 * left. */
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
                l->manager->mysql.user, user ? plugin_of(user, plugin) : "a plugin it does not tell",
                server ? server : "?");
        if (user)
                explicit_bzero(user, strlen(user)); /* there is a hash in it */
        ob_report_add(l->report, OB_GRADE_OK, "tls", l->name, "", "%s%s",
                tls && *tls ? "encrypted: " : "not encrypted", tls ? tls : "");
}

/* Every poll is a SELECT of a session that can do nothing else. */
static void check_read_only(struct look *l)
{
        static const char sql[] = "SHOW SESSION VARIABLES WHERE Variable_name IN "
                                  "('tx_read_only', 'transaction_read_only') AND Value = 'ON'";
        ob_cleanup(ob_free_at) char *is_on = ask(l, "the session", sql, 2);
        struct ob_err err;
        ob_cleanup(ob_free_at) char *others = ob_session_differs(&l->session, &err);

        if (is_on)
                ob_report_add(l->report, OB_GRADE_OK, "session", l->name, "",
                        "every transaction is read only, times are UTC; set by us, and in brackets the server's own: %s",
                        others ? others : err.text);
        else
                ob_report_add(l->report, OB_GRADE_BAD, "session", l->name,
                        "before MySQL 5.6 and MariaDB 10.0 there are none: give the user no right to write",
                        "its transactions are not read only");
}

/* The privileges stand before ON; behind it there may be a hash, which is not looked at. A column is no privilege.
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
                        "%s may do more than read; otterbeat never does", l->manager->mysql.user);
        else
                ob_report_add(l->report, OB_GRADE_OK, "grants", l->name, "", "%s may read, and not write",
                        l->manager->mysql.user);
}

/* Who may read any column of a table can read all of them: see deploy/grants.sql. */
static void check_secrets(struct look *l)
{
        static const char *const tables[] = { "DATA_MEDIA", "DATA_MEDIA_SOURCE", "CANAL", "USER" };
        ob_cleanup(ob_free_at) char *readable = ob_copy("");

        for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
                ob_cleanup(ob_free_at) char *sql =
                        ob_format("SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT 0) t", tables[i]);
                ob_cleanup(ob_free_at) char *count = ask(l, tables[i], sql, 1);
                char *longer;

                if (!count)
                        continue;
                longer = ob_format("%s%s%s", readable, *readable ? ", " : "", tables[i]);
                free(readable);
                readable = longer;
        }
        if (*readable)
                ob_report_add(l->report, OB_GRADE_WARN, "secrets", l->name, READ_GRANT,
                        "%s can read passwords that Otter keeps, by some columns of %s; otterbeat never does",
                        l->manager->mysql.user, readable);
        else
                ob_report_add(l->report, OB_GRADE_OK, "secrets", l->name, "",
                        "%s can't read the tables where Otter keeps passwords", l->manager->mysql.user);
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
                        "let both machines follow a time server: ages and delays are off by this",
                        "the server is %lld s %s us", off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
        else
                ob_report_add(l->report, OB_GRADE_OK, "clock", l->name, "", "as ours; the server's zone is %s",
                        zone ? zone : "?");
}

/* Otter's own schema tells its age by one type. */
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
                ob_report_add(l->report, OB_GRADE_BAD, "source", s->name, fix_for(&err), "%s", err.text);
                return;
        }
        took = ob_clock_ms() - began;
        from = ob_source_shape(s) == OB_SHAPE_LOG && at.has_rows ? at.max_id : INT64_MIN;
        if (ob_reader_mysql_explain(reader, from, (unsigned)s->batch, &e, &err)) {
                ob_report_add(l->report, OB_GRADE_BAD, "source", s->name, fix_for(&err), "%s", err.text);
                return;
        }
        if (took > SLOW_MS || !is_empty_or_small(&e))
                ob_report_add(l->report, OB_GRADE_WARN, "source", s->name, "see the indexes of the table",
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
                ob_report_add(l->report, OB_GRADE_BAD, "source", s->name,
                        strstr(err.text, "may not read") ? READ_GRANT : fix_for(&err), "%s", err.text);
        else if (*reader->missing)
                ob_report_add(l->report, OB_GRADE_BAD, "source", s->name,
                        "another version of the table, or columns that the user may not read: " READ_GRANT,
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

/* Without names there are ids, so that is not bad. */
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
                        ob_report_add(l->report, OB_GRADE_BAD, "names", key, fix_for(&err), "%s", err.text);
                        return;
                }
                if (got) {
                        ob_report_add(l->report, OB_GRADE_OK, "names", key, "", "%zu are known", n);
                        continue;
                }
                ob_report_add(l->report, OB_GRADE_WARN, "names", key, grant, "shown by ids alone: %s", err.text);
        }
}

/* As many as the agent has when it runs, of which one is open. */
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
                        "raise the user's MAX_USER_CONNECTIONS, or max_connections; well, if an agent runs that has them",
                        "%u at once, and a run needs %u: its sources take turns, so that each waits for others: %s",
                        n, needed, err.text);
        for (size_t j = 0; j < needed; j++)
                ob_session_fini(&more[j]);
}

static bool check_way(struct look *l)
{
        const struct ob_mysql_settings *m = &l->manager->mysql;
        struct ob_err err;

        if (!*m->socket && !ob_reach(l->report, l->name, m->host, m->port, m->connect_timeout))
                return false;
        if (!ob_session_open(&l->session, &err))
                return true;
        ob_report_add(l->report, OB_GRADE_BAD, "login", l->name, fix_for(&err), "%s", err.text);
        return false;
}

void ob_check_database(
        struct ob_report *r, const struct ob_config *c, const struct ob_manager *m, struct ob_session_turns *turns)
{
        struct look l = { .report = r, .manager = m, .name = *m->name ? m->name : m->mysql.database };

        ob_session_init(&l.session, &m->mysql, NULL);
        l.session.turn.turns = turns;
        if (check_way(&l)) {
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
}
