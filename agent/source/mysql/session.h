/*
 * One session of a MySQL or MariaDB server, and what we ask of every session: UTC, read only, and no wait without
 * an end (a server's own defaults are a day for a lock, and never for an answer). What is asked goes through here,
 * and what comes back was checked: nobody else calls the client library. One thread's.
 */
#ifndef OB_SOURCE_MYSQL_SESSION_H
#define OB_SOURCE_MYSQL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/process/health.h"
#include "agent/process/stop.h"
#include "agent/source/mysql/result.h"
#include "agent/source/mysql/session_turns.h"
#include "agent/source/mysql/transport.h"
#include "config/config.h"
#include "proto/error.h"

struct ob_session {
        const struct ob_mysql_settings *settings; /* borrowed */
        struct ob_health *health;                 /* borrowed: whose promise a query renews; NULL */
        struct ob_turn turn;                      /* among those of its manager, when `turns` is set after init */
        struct ob_transport transport;
        unsigned opened;       /* how often it was; not counted: again, silently, on the same server */
        char identity[256];    /* of the server and the database */
        int64_t said, said_at; /* the server's clock as a query last said, and when: ob_clock_ms(); 0: none did */

        /* Its own. */
        bool is_opening;
        int64_t open_until; /* on ob_clock_ms() */
        struct ob_stop never;
        bool has_never;
};

/* `stop` ends every wait when it is wanted; NULL: nothing does but deadlines. */
void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings, struct ob_stop *stop);
void ob_session_close(struct ob_session *s);

/* It is not needed until it is opened again, which must come before anything else: see ob_turn_rest. */
void ob_session_rest(struct ob_session *s);

/* Closes it, and frees what it had. Does nothing to one that is all zero. */
void ob_session_fini(struct ob_session *s);

/* Connects where it is not. */
int ob_session_open(struct ob_session *s, struct ob_err *err);
bool ob_session_is_open(const struct ob_session *s);

/*
 * Asks, and has in `r` what was asked for, exactly so: see ob_query. A session that was opened before, and that the
 * other side has ended since, is opened again and asked once more, if the same server answers. 1: a page begins
 * with a row that is larger than a page may be. When the session can't be used any more, it is closed.
 */
int ob_session_query(struct ob_session *s, const struct ob_query *q, struct ob_result *r, struct ob_err *err);

/* A statement that brings no rows, of a session that is open. */
int ob_session_do(struct ob_session *s, const char *sql, struct ob_err *err);

/* Which variables have another value in our sessions than on the server: see ob_session_variables_differ. */
char *ob_session_differs(struct ob_session *s, struct ob_err *err);

/* The server's or the library's number for what went wrong last; 0: it is neither's. */
unsigned ob_session_error(const struct ob_session *s);

/* A text as it stands between quotes in SQL of a session that is open; the caller's to free. */
char *ob_session_quote(struct ob_session *s, const char *text);

/* Milliseconds: a query takes no longer, with opening the session for it. */
int64_t ob_session_longest_ms(const struct ob_mysql_settings *settings);

#endif
