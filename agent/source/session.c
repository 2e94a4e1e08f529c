#include "agent/source/session.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "proto/memory.h"

#define SPARE 2 /* seconds: the server shall be the first to give up a query */

void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings, struct ob_stop *stop)
{
        *s = (struct ob_session) { .settings = settings };
        if (!stop)
                ob_stop_init(&s->never);
        s->has_never = !stop;
        s->transport.stop = stop ? stop : &s->never;
}

void ob_session_close(struct ob_session *s)
{
        ob_transport_close(&s->transport);
        s->said_at = 0;
}

void ob_session_fini(struct ob_session *s)
{
        if (!s->settings)
                return;
        ob_session_close(s);
        if (s->has_never)
                ob_stop_fini(&s->never);
        s->settings = NULL;
}

bool ob_session_is_open(const struct ob_session *s)
{
        return s->transport.db != NULL;
}

int64_t ob_session_longest_ms(const struct ob_mysql_settings *m)
{
        int64_t open = (OB_TRANSPORT_ADDRESSES + 1) * m->connect_timeout + m->query_timeout;

        return (open + 2 * (m->query_timeout + SPARE)) * 1000;
}

/* One query may take so long, and with those that make a session no longer than making it may take. */
static int64_t deadline_of(const struct ob_session *s)
{
        int64_t deadline = ob_clock_ms() + (s->settings->query_timeout + SPARE) * INT64_C(1000);

        return s->is_opening && s->open_until < deadline ? s->open_until : deadline;
}

static void close_broken(struct ob_session *s)
{
        if (s->transport.is_broken)
                ob_session_close(s);
}

int ob_session_do(struct ob_session *s, const char *sql, struct ob_err *err)
{
        int got = ob_transport_do(&s->transport, sql, deadline_of(s), err);

        close_broken(s);
        return got;
}

/* The other side ended it while nothing was asked. Whoever is there now must be the one that was there. */
static int reopen(struct ob_session *s, struct ob_err *err)
{
        char was[sizeof(s->identity)];
        unsigned opened = s->opened;

        memcpy(was, s->identity, sizeof(was));
        ob_session_close(s);
        if (ob_session_open(s, err))
                return -1;
        if (strcmp(was, s->identity) != 0)
                return ob_fail(err, "mysql: the session was ended, and another server answers now");
        s->opened = opened;
        return 0;
}

int ob_session_query(struct ob_session *s, const struct ob_query *q, struct ob_result *r, struct ob_err *err)
{
        int got;

        if (s->health)
                ob_health_promise(s->health, ob_session_longest_ms(s->settings) + OB_HEALTH_SPARE);
        got = ob_transport_ask(&s->transport, q, deadline_of(s), r, err);
        if (got < 0 && s->transport.is_gone && s->opened && !s->is_opening)
                got = reopen(s, err) ? -1 : ob_transport_ask(&s->transport, q, deadline_of(s), r, err);
        close_broken(s);
        return got;
}

unsigned ob_session_error(const struct ob_session *s)
{
        return s->transport.error;
}

char *ob_session_quote(struct ob_session *s, const char *text)
{
        char *quoted = ob_alloc(2 * strlen(text) + 1, 1);

        if (s->transport.db)
                mysql_real_escape_string(s->transport.db, quoted, text, strlen(text));
        return quoted;
}

/* The library would not say which of them it can't read. */
static int check_files(const struct ob_mysql_settings *m, struct ob_err *err)
{
        const char *const files[] = { m->ca, m->cert, m->key };

        for (size_t i = 0; m->tls != OB_TLS_OFF && i < sizeof(files) / sizeof(*files); i++)
                if (*files[i] && access(files[i], R_OK))
                        return ob_fail(err, "mysql %u: %s: %m", CR_SSL_CONNECTION_ERROR, files[i]);
        return 0;
}

static int set_session(struct ob_session *s, struct ob_err *err)
{
        int seconds = s->settings->query_timeout;
        bool is_mariadb = mariadb_connection(s->transport.db);
        ob_cleanup(ob_free_at) char *limits =
                ob_format("SET SESSION time_zone = '+00:00', lock_wait_timeout = %d", seconds);
        ob_cleanup(ob_free_at) char *most =
                ob_format("SET SESSION %s = %lld", is_mariadb ? "max_statement_time" : "max_execution_time",
                        is_mariadb ? (long long)seconds : seconds * 1000LL);

        if (ob_session_do(s, limits, err) || ob_session_do(s, "SET SESSION TRANSACTION READ ONLY", err))
                return -1;
        /* MySQL before 5.7.8 and MariaDB before 10.1 know no such limit: our own time-out is left. */
        return ob_session_do(s, most, err) && ob_session_error(s) != ER_UNKNOWN_SYSTEM_VARIABLE ? -1 : 0;
}

/* Which server it is. Old MariaDB servers have no id that is unique by itself. */
static int identify(struct ob_session *s, struct ob_err *err)
{
        static const struct ob_query query = {
                .about = "the server's identity",
                .sql = "SHOW VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'server_id', 'hostname')",
                .columns = 2,
                .rows = 4,
        };
        ob_cleanup(ob_result_free) struct ob_result result = { .n = 0 };
        char uid[100] = "", id[100] = "", host[100] = "";

        if (ob_session_query(s, &query, &result, err))
                return -1;
        for (size_t i = 0; i < result.n; i++) {
                const char *name = ob_result_text(&result, i, 0, err), *value = ob_result_cell(&result, i, 1);
                char *to;

                if (!name)
                        return -1;
                to = !strcasecmp(name, "server_id") ? id : !strcasecmp(name, "hostname") ? host : uid;
                snprintf(to, sizeof(uid), "%s", value ? value : "");
        }
        if (*uid)
                snprintf(s->identity, sizeof(s->identity), "%s/%.120s", uid, s->settings->database);
        else
                snprintf(s->identity, sizeof(s->identity), "%.60s@%.60s/%.120s", id, host, s->settings->database);
        return 0;
}

static int make_session(struct ob_session *s, struct ob_err *err)
{
        return set_session(s, err) || identify(s, err) ? -1 : 0;
}

int ob_session_open(struct ob_session *s, struct ob_err *err)
{
        const struct ob_mysql_settings *m = s->settings;
        int64_t ms = m->connect_timeout * INT64_C(1000);
        int got;

        if (s->transport.db)
                return 0;
        if (s->health)
                ob_health_promise(s->health, ob_session_longest_ms(m) + OB_HEALTH_SPARE);
        if (check_files(m, err) || ob_transport_init(&s->transport, m, err))
                return -1;
        got = ob_transport_connect(&s->transport, m, m->password, ms, err);
        s->is_opening = true;
        s->open_until = ob_clock_ms() + ms + m->query_timeout * INT64_C(1000);
        if (!got)
                got = make_session(s, err);
        s->is_opening = false;
        if (got) {
                ob_session_close(s);
                return -1;
        }
        s->opened++;
        return 0;
}
