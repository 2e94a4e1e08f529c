/*
 * The wire to a MySQL or MariaDB server: the client library's calls, none of which lasts longer than its deadline,
 * goes on after a stop is wanted, or takes in more than it may, whatever the server does. One thread's.
 *
 * The library is not asked to keep to any of these; the socket is shut under it, which ends every wait.
 */
#ifndef OB_SOURCE_MYSQL_TRANSPORT_H
#define OB_SOURCE_MYSQL_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "agent/process/stop.h"
#include "agent/source/mysql/result.h"
#include "config/config.h"
#include "proto/error.h"

#define OB_TRANSPORT_ROW_BYTES (1 << 20) /* no row is larger */
#define OB_TRANSPORT_ADDRESSES 4         /* of a host, so long is waited for */

struct ob_transport {
        MYSQL *db;            /* ours; NULL: not connected */
        struct ob_stop *stop; /* borrowed */
        struct ob_stop_socket socket;
        bool is_watched;

        /* After a failure, and after a page that was cut. */
        unsigned error; /* the number that the server or the library has for it; 0: it is neither's */
        bool is_gone;   /* the other side had ended the session: another one may do better */
        bool is_broken; /* it can only be closed */
};

/* What is asked of a server. */
struct ob_query {
        const char *about; /* for errors: "table X" */
        const char *sql;
        unsigned columns; /* so many there must be; 0: any, which are asked for by name */
        size_t rows;      /* at most so many there may be */
        bool may_be_cut;  /* a page: what does not fit is left for the next one */
};

/* Options and the restriction of what may be said to whom. */
int ob_transport_init(struct ob_transport *t, const struct ob_mysql_settings *m, struct ob_err *err);

/*
 * Logs in with a password. With tls, nothing is said to a server that offers none. `ms`: for each address of the
 * host until it takes the connection, and from then on until the session is there.
 */
int ob_transport_connect(struct ob_transport *t, const struct ob_mysql_settings *m, const char *password,
        int64_t ms, struct ob_err *err);

/* A statement that brings no rows. */
int ob_transport_do(struct ob_transport *t, const char *sql, int64_t deadline, struct ob_err *err);

/* 1: the first row of a page is larger than a page may be. Nothing else leaves less than all, or says it was cut.
 */
int ob_transport_ask(struct ob_transport *t, const struct ob_query *q, int64_t deadline, struct ob_result *r,
        struct ob_err *err);

/* Says goodbye, where that is possible. */
void ob_transport_close(struct ob_transport *t);

#endif
