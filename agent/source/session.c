#include "agent/source/session.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/source/session_variables.h"
#include "config/secret.h"
#include "proto/memory.h"

void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings)
{
        *s = (struct ob_session) { .settings = settings };
}

void ob_session_close(struct ob_session *s)
{
        if (s->db)
                mysql_close(s->db);
        s->db = NULL;
        s->said_at = 0;
}

void ob_session_free_result(MYSQL_RES **result)
{
        if (*result)
                mysql_free_result(*result);
}

/* Says what the server or the library says. An error of the library's means that the connection is gone. */
static int fail(struct ob_session *s, struct ob_err *err)
{
        unsigned number = mysql_errno(s->db);

        ob_fail(err, "mysql %u: %s", number, mysql_error(s->db));
        if (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR)
                ob_session_close(s);
        return -1;
}

MYSQL_RES *ob_session_query(struct ob_session *s, const char *sql, struct ob_err *err)
{
        MYSQL_RES *result;

        if (!s->db) {
                ob_fail(err, "mysql: the connection is gone");
                return NULL;
        }
        if (mysql_real_query(s->db, sql, strlen(sql))) {
                fail(s, err);
                return NULL;
        }
        result = mysql_store_result(s->db);
        if (!result)
                fail(s, err);
        return result;
}

int ob_session_execute(struct ob_session *s, const char *sql, struct ob_err *err)
{
        if (!s->db)
                return ob_fail(err, "mysql: the connection is gone");
        return mysql_real_query(s->db, sql, strlen(sql)) ? fail(s, err) : 0;
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

static void set_options(struct ob_session *s)
{
        const struct ob_mysql_settings *m = s->settings;
        unsigned connect = (unsigned)m->connect_timeout;
        unsigned way = *m->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
        unsigned answer = (unsigned)m->query_timeout + 2; /* the server shall be the first to give up */
        my_bool yes = 1, no = 0, verify = m->tls == OB_TLS_VERIFY ? 1 : 0;

        /* By itself the library takes its default socket, and so perhaps another server, for "localhost". */
        mysql_options(s->db, MYSQL_OPT_PROTOCOL, &way);
        mysql_options(s->db, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
        mysql_options(s->db, MYSQL_OPT_READ_TIMEOUT, &answer);
        mysql_options(s->db, MYSQL_OPT_WRITE_TIMEOUT, &answer);
        mysql_options(s->db, MYSQL_OPT_RECONNECT, &no);
        mysql_options(s->db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
        mysql_optionsv(s->db, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "otterbeat");
        if (m->tls == OB_TLS_OFF)
                return;
        mysql_optionsv(s->db, MYSQL_OPT_SSL_ENFORCE, &yes);
        mysql_optionsv(s->db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
        if (*m->ca)
                mysql_optionsv(s->db, MYSQL_OPT_SSL_CA, m->ca);
        if (*m->cert) {
                mysql_optionsv(s->db, MYSQL_OPT_SSL_CERT, m->cert);
                mysql_optionsv(s->db, MYSQL_OPT_SSL_KEY, m->key);
        }
}

/* The library goes on in the clear with a server that offers no TLS, unless it must verify. We don't. */
static int check_tls(struct ob_session *s, struct ob_err *err)
{
        if (s->settings->tls == OB_TLS_OFF || mysql_get_ssl_cipher(s->db))
                return 0;
        return ob_fail(
                err, "mysql %u: the server offers no TLS, and mysql.tls asks for it", CR_SSL_CONNECTION_ERROR);
}

/* Which server it is. Old MariaDB servers have no id that is unique by itself. */
static int identify(struct ob_session *s, struct ob_err *err)
{
        ob_cleanup(ob_session_free_result) MYSQL_RES *result = ob_session_query(s,
                "SHOW VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'server_id', 'hostname')",
                err);
        char uid[100] = "", id[100] = "", host[100] = "";
        MYSQL_ROW row;

        if (!result)
                return -1;
        while ((row = mysql_fetch_row(result))) {
                char *to = !strcmp(row[0], "server_id") ? id : !strcmp(row[0], "hostname") ? host : uid;

                snprintf(to, sizeof(uid), "%s", row[1] ? row[1] : "");
        }
        if (*uid)
                snprintf(s->identity, sizeof(s->identity), "%s/%.120s", uid, s->settings->database);
        else
                snprintf(s->identity, sizeof(s->identity), "%.60s@%.60s/%.120s", id, host, s->settings->database);
        return 0;
}

/* The password may have been changed since the config was loaded. */
static MYSQL *connect_as_user(struct ob_session *s)
{
        const struct ob_mysql_settings *m = s->settings;
        const char *socket = *m->socket ? m->socket : NULL;
        char password[OB_SECRET_MAX];
        MYSQL *got;

        ob_secret_now(m->password_file, m->password, password);
        got = mysql_real_connect(s->db, socket ? NULL : m->host, m->user, password, m->database, (unsigned)m->port,
                socket, 0);
        explicit_bzero(password, sizeof(password));
        return got;
}

int ob_session_open(struct ob_session *s, struct ob_err *err)
{
        const struct ob_mysql_settings *m = s->settings;

        if (s->db)
                return 0;
        if (check_files(m, err))
                return -1;
        s->db = mysql_init(NULL);
        if (!s->db)
                return ob_fail(err, "mysql: no memory");
        set_options(s);
        if (!connect_as_user(s)) {
                fail(s, err);
                ob_session_close(s);
                return -1;
        }
        if (check_tls(s, err) || ob_session_variables_set(s, err) || identify(s, err)) {
                ob_session_close(s);
                return -1;
        }
        s->opened++;
        return 0;
}
