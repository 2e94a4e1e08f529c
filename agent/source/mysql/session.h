/*
 * A session with a MySQL or MariaDB server. Every session is in UTC, read only, and has a deadline for each wait:
 * by default a server waits a day or more for a lock, and a client has no limit for an answer. All queries of a
 * session go through these functions, which check the shape of each result. Owned by one thread.
 */
#ifndef OB_SOURCE_MYSQL_SESSION_H
#define OB_SOURCE_MYSQL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/process/health.h"
#include "agent/process/mysql/result.h"
#include "agent/process/mysql/transport.h"
#include "agent/process/stop.h"
#include "agent/source/mysql/session_turns.h"
#include "config/config.h"
#include "proto/error.h"

/* The rows that the session read last, when they are the last rows of a table with a cursor. */
struct ob_table_end {
        const char *table; /* borrowed; NULL: nothing */
        int64_t from, last;
        size_t rows; /* from the id `from` up to the id `last` */
};

struct ob_session {
        const struct ob_mysql_settings *settings; /* borrowed */
        struct ob_health *health;                 /* borrowed: each query renews the promise of health; NULL */
        struct ob_turn turn;                      /* the session's turn, when `turns` is set after init */
        struct ob_transport transport;
        unsigned opened;         /* how often the session was opened, without re-opening on the same server */
        char identity[256];      /* of the server and the database */
        int64_t said, said_at;   /* the server's clock in its last answer, and ob_clock_ms() then; 0: none */
        struct ob_table_end end; /* in the same answer */

        /* Private to session.c. */
        bool is_opening;
        int64_t open_until; /* on ob_clock_ms() */
        struct ob_stop never;
        bool has_never;
};

/* A wanted `stop` ends every wait; NULL: only deadlines do. */
void ob_session_init(struct ob_session *s, const struct ob_mysql_settings *settings, struct ob_stop *stop);
void ob_session_close(struct ob_session *s);

/* Releases the session until the next ob_session_open; it may be closed meanwhile: see ob_turn_rest. */
void ob_session_rest(struct ob_session *s);

/* Closes the session and frees its parts. Does nothing to a session that is all zero. */
void ob_session_fini(struct ob_session *s);

/* Connects, unless the session is open. */
int ob_session_open(struct ob_session *s, struct ob_err *err);
bool ob_session_is_open(const struct ob_session *s);

/*
 * Runs a query and puts its rows into `r`, in exactly the shape that the query demands: see ob_query. When the
 * server has ended the session since its last query, the session is re-opened and the query is run once more, if
 * the same server answers. 1: the first row of a page is larger than a page may be. A session that is broken is
 * closed.
 */
int ob_session_query(struct ob_session *s, const struct ob_query *q, struct ob_result *r, struct ob_err *err);

/* The variables whose values in our sessions differ from the server's: see ob_session_variables_differ. */
char *ob_session_differs(struct ob_session *s, struct ob_err *err);

/* The number that the server or the client library has for the last error; 0: the error is not theirs. */
unsigned ob_session_error(const struct ob_session *s);

/* A text, escaped for quotes in the SQL of an open session; the caller's to free. */
char *ob_session_quote(struct ob_session *s, const char *text);

/* Milliseconds: the longest time of a query together with opening the session for the query. */
int64_t ob_session_longest_ms(const struct ob_mysql_settings *settings);

#endif
