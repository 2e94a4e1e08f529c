#include "agent/source/mysql/session_variables.h"

#include <mysqld_error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/memory.h"
#include "proto/number.h"

#define VALUE_MAX 128 /* bytes; sql_mode is the longest, and only its beginning is shown */
#define CLOCK_OFF 5   /* seconds that a busy server may take from a statement's start to its clock */

enum servers { ON_ANY, ON_MARIADB, ON_MYSQL }; /* a name may have another unit on the other kind of server */

/*
 * A variable that a server does not list is unknown to that server, and is left out there.
 *
 * Our queries write nothing, lock no row, and sort and group by numbers. So these variables change nothing of them
 * and are not in the table: sql_safe_updates, innodb_lock_wait_timeout, completion_type (our one ROLLBACK says its
 * own), max_join_size (sql_big_selects overrules it), group_concat_max_len, div_precision_increment,
 * max_sort_length, sql_auto_is_null, old_mode. These only change how fast an answer comes: optimizer_switch,
 * big_tables, max_length_for_sort_data, query_cache_type. lc_messages and wsrep_sync_wait are the operator's
 * choice; we distinguish errors by number. `timestamp` has no row, since its value always differs: see
 * set_clock().
 */
static const struct variable {
        const char *name;
        const char *value; /* as SHOW VARIABLES writes it; NULL: query_timeout */
        enum servers servers;
        int per_second;       /* of query_timeout */
        bool is_first;        /* set before the others are read, since it may hide them; every server knows it */
        const char *or_value; /* SET NAMES sets the variable, and this value is as good */
} variables[] = {
        /* Off: every SELECT reads the first one's snapshot, and a DBA's ALTER waits for our transaction. */
        { "autocommit", "ON", .is_first = true },
        /* Limits the rows of an answer, also of SHOW. Our queries have a LIMIT where needed. */
        { "sql_select_limit", "18446744073709551615", .is_first = true },
        /* Off: the server refuses a join that may read more than max_join_size rows. */
        { "sql_big_selects", "ON", .is_first = true },
        /* READ-UNCOMMITTED counts rows that are rolled back; the others keep old versions of rows alive. */
        { "tx_isolation", "READ-COMMITTED" },
        { "transaction_isolation", "READ-COMMITTED" },
        /* We only read, even if the user has more privileges. */
        { "tx_read_only", "ON" },
        { "transaction_read_only", "ON" },
        /* ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT, HIGH_NOT_PRECEDENCE change the syntax;
         * PAD_CHAR_TO_FULL_LENGTH, REAL_AS_FLOAT change values. */
        { "sql_mode", "" },
        /* UNIX_TIMESTAMP() and FROM_UNIXTIME() of a DATETIME use this zone. */
        { "time_zone", "+00:00" },
        /* How long a query waits for a table that an ALTER holds: a day by default on MariaDB. */
        { "lock_wait_timeout", NULL, .per_second = 1 },
        /* How long a query may take. Percona 5.6 has the first name, but in milliseconds. */
        { "max_statement_time", NULL, ON_MARIADB, .per_second = 1 },
        { "max_execution_time", NULL, ON_MYSQL, .per_second = 1000 },
        /* How long the server keeps an idle session, and waits for us in a query: its defaults. */
        { "wait_timeout", "28800" },
        { "net_read_timeout", "30" },
        { "net_write_timeout", "60" },
        /* MySQL 8 caches row counts for a day; the plan needs current ones. */
        { "information_schema_stats_expiry", "0" },
        /* The encoding of queries, and of names and texts in answers. */
        { "character_set_client", "utf8mb4", .or_value = "utf8" },
        { "character_set_connection", "utf8mb4", .or_value = "utf8" },
        { "character_set_results", "utf8mb4", .or_value = "utf8" },
};

#define N (sizeof(variables) / sizeof(*variables))

/* The values of the variables, in the table's order, as a server lists them. */
struct values {
        bool is_known[N];
        char value[N][VALUE_MAX];
};

/* The session whose variables are set or compared, and the deadline for the server's answers. */
struct session {
        struct ob_transport *transport;
        const struct ob_mysql_settings *settings;
        int64_t deadline;
};

static bool is_of_server(const struct variable *v, bool is_mariadb)
{
        return v->servers == ON_ANY || (v->servers == ON_MARIADB) == is_mariadb;
}

static void write_value(const struct session *s, const struct variable *v, char value[VALUE_MAX])
{
        if (v->value)
                snprintf(value, VALUE_MAX, "%s", v->value);
        else
                snprintf(value, VALUE_MAX, "%lld", (long long)s->settings->query_timeout * v->per_second);
}

/* Numbers are compared as numbers: "3" is "3.000000". */
static bool is_same(const char *a, const char *b)
{
        struct ob_metric_value x, y;

        if (ob_number_parse(a, &x, NULL) && ob_number_parse(b, &y, NULL))
                return !ob_number_compare(x, y);
        return !strcasecmp(a, b);
}

static void take(struct values *values, const char *name, const char *value)
{
        for (size_t i = 0; i < N; i++)
                if (!strcasecmp(variables[i].name, name)) {
                        values->is_known[i] = true;
                        snprintf(values->value[i], VALUE_MAX, "%s", value ? value : "");
                }
}

/* A statement without rows. */
static int run(struct session *s, const char *sql, struct ob_err *err)
{
        return ob_transport_do(s->transport, sql, s->deadline, err);
}

static int ask(struct session *s, const struct ob_query *query, struct ob_result *result, struct ob_err *err)
{
        return ob_transport_ask(s->transport, query, s->deadline, result, err);
}

/* Reads the values of all variables. `scope` is SESSION or GLOBAL. */
static int read_values(struct session *s, const char *scope, struct values *values, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *names = ob_copy(""), *sql = NULL;
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        struct ob_query query = { .about = "session variables", .columns = 2, .rows = N };
        bool is_mariadb = mariadb_connection(s->transport->db);

        *values = (struct values) { .is_known = { false } };
        for (size_t i = 0; i < N; i++)
                if (is_of_server(&variables[i], is_mariadb))
                        ob_append(&names, ", ", "'%s'", variables[i].name);
        sql = ob_format("SHOW %s VARIABLES WHERE Variable_name IN (%s)", scope, names);
        query.sql = sql;
        if (ask(s, &query, &result, err))
                return -1;
        for (size_t i = 0; i < result.n; i++) {
                const char *name = ob_result_text(&result, i, 0, err);

                if (!name)
                        return -1;
                take(values, name, ob_result_cell(&result, i, 1));
        }
        return 0;
}

/* Whether a variable has another value than the table says. The table's value is put into `wanted`. */
static bool differs(const struct session *s, const struct values *values, size_t i, char wanted[VALUE_MAX])
{
        const struct variable *v = &variables[i];
        const char *value = values->value[i];

        write_value(s, v, wanted);
        return values->is_known[i] && !is_same(value, wanted) &&
               !(v->or_value && !strncmp(value, v->or_value, strlen(v->or_value)));
}

static void append_assignment(char **list, const struct variable *v, const char *value)
{
        bool is_number = !v->value || ob_number_parse(value, &(struct ob_metric_value) { .whole = 0 }, NULL);

        ob_append(list, ", ", is_number ? "%s = %s" : "%s = '%s'", v->name, value);
}

/* Without `values` sets the variables with is_first, whatever values they have; else those that differ. */
static int assign(struct session *s, const struct values *values, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *list = ob_copy(""), *sql = NULL;
        char wanted[VALUE_MAX];

        for (size_t i = 0; i < N; i++) {
                const struct variable *v = &variables[i];

                write_value(s, v, wanted);
                if (values ? !v->or_value && differs(s, values, i, wanted) : v->is_first)
                        append_assignment(&list, v, wanted);
        }
        sql = ob_format("SET SESSION %s", list);
        return *list ? run(s, sql, err) : 0;
}

static int check(const struct session *s, const struct values *values, struct ob_err *err)
{
        char wanted[VALUE_MAX];

        for (size_t i = 0; i < N; i++)
                if (differs(s, values, i, wanted))
                        return ob_fail(err,
                                "mysql: session variable %s is \"%s\", and was set to \"%s\": the server, or a proxy "
                                "before it, does not take it",
                                variables[i].name, values->value[i], wanted);
        return 0;
}

/* The server's init_connect may have selected another database. */
static int select_database(struct session *s, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *use = ob_copy("USE `"), *name = ob_copy(s->settings->database);

        if (!*name)
                return 0;
        for (char *rest = name, *part; (part = strsep(&rest, "`"));)
                ob_append(&use, "", "%s%s", part, rest ? "``" : "`");
        return run(s, use, err);
}

/* MySQL before 5.5.3 knows no characters of four bytes. */
static int set_names(struct session *s, struct ob_err *err)
{
        if (!run(s, "SET NAMES utf8mb4", err))
                return 0;
        if (s->transport->error != ER_UNKNOWN_CHARACTER_SET)
                return -1;
        return run(s, "SET NAMES utf8", err);
}

/*
 * A timestamp that was set stops NOW(). When secure_timestamp forbids setting it, check_clock() makes sure that no
 * other client has set it.
 */
static int set_clock(struct session *s, struct ob_err *err)
{
        unsigned error;

        if (!run(s, "SET SESSION timestamp = DEFAULT", err))
                return 0;
        error = s->transport->error;
        return error == ER_OPTION_PREVENTS_STATEMENT || error == ER_SPECIFIC_ACCESS_DENIED_ERROR ? 0 : -1;
}

/* SYSDATE() uses the server's clock even when NOW() does not. */
static int check_clock(struct session *s, struct ob_err *err)
{
        static const struct ob_query query = {
                .about = "the session's clock",
                .sql = "SELECT UNIX_TIMESTAMP(SYSDATE()) - UNIX_TIMESTAMP()",
                .columns = 1,
                .rows = 1,
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        const char *cell;
        int64_t off;

        if (ask(s, &query, &result, err) || !(cell = ob_result_text(&result, 0, 0, err)))
                return -1;
        if (!ob_number_parse_int(cell, &off))
                return ob_fail(err, "mysql: the server does not tell the time");
        if (llabs(off) <= CLOCK_OFF)
                return 0;
        return ob_fail(err,
                "mysql: session variable timestamp holds the session's clock %lld s away from the server's, and was set "
                "to DEFAULT",
                (long long)off);
}

int ob_session_variables_set(
        struct ob_transport *t, const struct ob_mysql_settings *m, int64_t deadline, struct ob_err *err)
{
        struct session s = { t, m, deadline };
        struct values values;

        if (run(&s, "ROLLBACK AND NO CHAIN NO RELEASE", err) || set_names(&s, err) || select_database(&s, err) ||
                assign(&s, NULL, err) || set_clock(&s, err) || read_values(&s, "SESSION", &values, err) ||
                assign(&s, &values, err) || read_values(&s, "SESSION", &values, err) || check(&s, &values, err))
                return -1;
        return check_clock(&s, err);
}

char *ob_session_variables_differ(
        struct ob_transport *t, const struct ob_mysql_settings *m, int64_t deadline, struct ob_err *err)
{
        struct session s = { t, m, deadline };
        struct values values;
        char wanted[VALUE_MAX], *list;

        if (read_values(&s, "GLOBAL", &values, err))
                return NULL;
        list = ob_copy("");
        for (size_t i = 0; i < N; i++)
                if (differs(&s, &values, i, wanted))
                        ob_append(
                                &list, ", ", "%s = \"%s\" (\"%.40s\")", variables[i].name, wanted, values.value[i]);
        return list;
}
