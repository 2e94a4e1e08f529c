#include "agent/source/mysql/session.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/source/mysql/session_variables.h"
#include "config/secret.h"
#include "proto/memory.h"

#define SPARE 2 /* seconds that we wait longer for a query than the server does */

static int make_session(void *context, struct ob_err *err);
static void end_session(void *context);

void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings, struct ob_stop *stop)
{
        *s = (struct ob_session) { .settings = settings,
                .turn = { .session = s, .open_it = make_session, .close_it = end_session } };
        if (!stop)
                ob_stop_init(&s->never);
        s->has_never = !stop;
        s->transport.stop = stop ? stop : &s->never;
}

static void end_session(void *context)
{
        struct ob_session *s = context;

        ob_transport_close(&s->transport);
        s->said_at = 0;
}

void ob_session_close(struct ob_session *s)
{
        ob_turn_close(&s->turn);
}

void ob_session_rest(struct ob_session *s)
{
        ob_turn_rest(&s->turn);
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

/* The deadline of a query: the query's own, or the end of the time for opening the session. */
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

/* The server has ended the session between two queries. The same server must answer now. */
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
        if (!s->is_opening && ob_turn_is_over(&s->turn))
                ob_session_close(s); /* re-opened after the other sessions had their turn */
        got = ob_transport_ask(&s->transport, q, deadline_of(s), r, err);
        if (got < 0 && s->transport.is_gone && s->opened && !s->is_opening)
                got = reopen(s, err) ? -1 : ob_transport_ask(&s->transport, q, deadline_of(s), r, err);
        close_broken(s);
        return got;
}

char *ob_session_differs(struct ob_session *s, struct ob_err *err)
{
        char *list;

        if (ob_session_open(s, err))
                return NULL;
        list = ob_session_variables_differ(&s->transport, s->settings, deadline_of(s), err);
        close_broken(s);
        return list;
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

/* The client library does not say which file it can't read. */
static int check_files(const struct ob_mysql_settings *m, struct ob_err *err)
{
        const char *const files[] = { m->ca, m->cert, m->key };

        for (size_t i = 0; m->tls != OB_TLS_OFF && i < sizeof(files) / sizeof(*files); i++)
                if (*files[i] && access(files[i], R_OK))
                        return ob_fail(err, "mysql %u: %s: %m", CR_SSL_CONNECTION_ERROR, files[i]);
        return 0;
}

/*
 * Reads the identity of the server. None of its parts is unique alone: old MariaDB servers have no uid, servers
 * that see no network card have the uid "unknown", and two containers or clones may have the same uid.
 */
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
        snprintf(
                s->identity, sizeof(s->identity), "%.40s:%.20s@%.60s/%.120s", uid, id, host, s->settings->database);
        return 0;
}

/* The password may have been changed since the config was loaded. */
static int log_in(struct ob_session *s, struct ob_err *err)
{
        const struct ob_mysql_settings *m = s->settings;
        char password[OB_SECRET_MAX];
        int got;

        ob_secret_now(m->password_file, m->password, password);
        got = ob_transport_connect(&s->transport, m, password, m->connect_timeout * INT64_C(1000), err);
        explicit_bzero(password, sizeof(password));
        return got;
}

/* 1: the server refuses the session, since there are too many. */
static int make_session(void *context, struct ob_err *err)
{
        struct ob_session *s = context;
        const struct ob_mysql_settings *m = s->settings;
        int got;

        if (s->transport.db)
                return 0;
        if (s->health)
                ob_health_promise(s->health, ob_session_longest_ms(m) + OB_HEALTH_SPARE);
        if (check_files(m, err) || ob_transport_init(&s->transport, m, err))
                return -1;
        s->transport.error = 0;
        got = log_in(s, err);
        s->is_opening = true;
        s->open_until = ob_clock_ms() + (m->connect_timeout + m->query_timeout) * INT64_C(1000);
        if (!got)
                got = ob_session_variables_set(&s->transport, m, s->open_until, err) || identify(s, err) ? -1 : 0;
        s->is_opening = false;
        if (got) {
                end_session(s);
                return ob_session_turns_is_refusal(ob_session_error(s), err->text) ? 1 : -1;
        }
        s->opened++;
        return 0;
}

int ob_session_open(struct ob_session *s, struct ob_err *err)
{
        if (s->health && s->turn.turns)
                ob_health_promise(
                        s->health, s->turn.turns->wait_ms + ob_session_longest_ms(s->settings) + OB_HEALTH_SPARE);
        return ob_turn_open(&s->turn, err);
}
