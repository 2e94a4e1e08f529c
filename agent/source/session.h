/*
 * One connection to a MySQL or MariaDB server, and what we ask of every session: UTC, read only, and no
 * wait without an end (a server's own defaults are a day for a lock, and never for an answer).
 * One thread's.
 */
#ifndef OB_SOURCE_SESSION_H
#define OB_SOURCE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "config/config.h"
#include "proto/error.h"

struct ob_session {
        const struct ob_mysql_settings *settings; /* borrowed */
        MYSQL *db;                                /* ours; NULL: not connected */
        unsigned opened;                          /* how often it was */
        char identity[256];                       /* of the server and the database */
        int64_t said, said_at; /* the server's clock as a query last said, and when: ob_clock_ms(); 0: none did */
};

void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings);
void ob_session_close(struct ob_session *s);

/* Connects where it is not. */
int ob_session_open(struct ob_session *s, struct ob_err *err);

/* The whole result, the caller's to free; NULL on failure. When the connection is gone, it is closed. */
MYSQL_RES *ob_session_query(struct ob_session *s, const char *sql, struct ob_err *err);

/* A statement that has no result. When the connection is gone, it is closed. */
int ob_session_execute(struct ob_session *s, const char *sql, struct ob_err *err);

/* For ob_cleanup. */
void ob_session_free_result(MYSQL_RES **result);

#endif
