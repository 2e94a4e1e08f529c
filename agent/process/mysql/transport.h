/*
 * The connection to a MySQL or MariaDB server: calls of the client library, each with a deadline, a limit of bytes,
 * and an end when a stop is wanted, whatever the server does. Owned by one thread.
 *
 * The library cannot guarantee deadlines and stops; shutting the socket down ends every wait.
 */
#ifndef OB_PROCESS_MYSQL_TRANSPORT_H
#define OB_PROCESS_MYSQL_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "agent/process/mysql/result.h"
#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_TRANSPORT_ROW_BYTES (1 << 20) /* the largest row */
#define OB_TRANSPORT_ADDRESSES 4         /* of a host: a connect has time for so many */

struct ob_transport {
        MYSQL *db;            /* ours; NULL: not connected */
        struct ob_stop *stop; /* borrowed */
        struct ob_stop_socket socket;
        bool is_watched;

        /* Valid after a failure, and after a page that was cut: */
        unsigned error; /* of the server or the library; 0: neither has an error */
        bool is_gone;   /* the peer had ended the session: a new session may work */
        bool is_broken; /* the connection can only be closed */
};

struct ob_query {
        const char *about; /* for errors: "table X" */
        const char *sql;
        unsigned columns; /* expected columns; 0: any, which are found by name */
        size_t rows;      /* the most rows allowed */
        bool may_be_cut;  /* a page: rows that do not fit are left for the next page */
};

/* Sets the library's options, and the plugins that may send the password. */
int ob_transport_init(struct ob_transport *t, const struct ob_mysql_settings *m, struct ob_err *err);

/*
 * Logs in with a password; with TLS, sends nothing to a server that offers no TLS. `ms` is the limit for each
 * address until it accepts the connection, and then for the login.
 */
int ob_transport_connect(struct ob_transport *t, const struct ob_mysql_settings *m, const char *password,
        int64_t ms, struct ob_err *err);

/* Runs a statement without rows. */
int ob_transport_do(struct ob_transport *t, const char *sql, int64_t deadline, struct ob_err *err);

/* 1: the first row of a page is larger than a page may be. Rows are only missing when the result is_cut. */
int ob_transport_ask(struct ob_transport *t, const struct ob_query *q, int64_t deadline, struct ob_result *r,
        struct ob_err *err);

/*
 * For calls of the library on `db` that this module does not have: each is made between _begin and _end, and
 * _fail reports its error and sets the members above. The server may answer with at most `bytes`.
 */
int ob_transport_begin(struct ob_transport *t, int64_t bytes, int64_t deadline, struct ob_err *err);
void ob_transport_end(struct ob_transport *t);
int ob_transport_fail(struct ob_transport *t, const char *about, struct ob_err *err);

/* Says goodbye to the server, if possible without a wait. */
void ob_transport_close(struct ob_transport *t);

#endif
