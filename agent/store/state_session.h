/*
 * A session with the database that several agents share. It connects to the configured hosts in turn, checks the
 * version of the tables, and gives each wait a deadline that is shorter than the lease. One thread owns a session.
 */
#ifndef OB_STORE_STATE_SESSION_H
#define OB_STORE_STATE_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/process/mysql/transport.h"
#include "agent/process/stop.h"
#include "config/config.h"
#include "proto/error.h"

/*
 * The version of the tables. deploy/state.sql makes them and takes them from an earlier version to this one: an
 * administrator runs the script, since agents may not change tables, and MySQL commits each change of a table at
 * once. The script writes the version last. With another version an agent refuses to start, and a running agent
 * that opens a session waits. No version before this one was released, so there is no earlier table that the script
 * would have to change.
 */
#define OB_STATE_VERSION 2
#define OB_STATE_PACKET                                                                                            \
        (INT64_C(16) << 20) /* bytes that the server must allow in a packet: the largest row fits                  \
                             */
#define OB_STATE_TABLES "deploy/state.sql"

/* The milliseconds since 1970 by the clock of the database, in SQL. */
#define OB_STATE_NOW "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"

/* How the last call failed; it tells whether the same transaction may be tried again. */
enum ob_state_failure {
        OB_STATE_FINE,
        OB_STATE_REFUSED,  /* the server refuses the statement; the transaction may still be open */
        OB_STATE_CONFLICT, /* the server has rolled the transaction back, and asks for another try */
        OB_STATE_GONE,     /* the session is closed; what was sent last may have been done */
};

struct ob_state_session {
        const struct ob_state_settings *settings; /* borrowed */
        struct ob_stop *stop;                     /* borrowed; ends each wait */
        struct ob_transport transport;
        size_t host; /* the index of the host that is tried next */
        /*
         * Borrowed; NULL: none. The index of the host that all sessions of this agent use: with Galera,
         * transactions on several nodes would be in conflict. A session follows when it is opened the next time.
         */
        atomic_size_t *common_host;
        int64_t unit;    /* the statements of sql.c are about the rows of this unit; 0: about none */
        unsigned opened; /* how often the session was opened: statements of an older session are gone */
        enum ob_state_failure failure;
        bool is_refused; /* the last try to open it: a server answers, but not to this user, or its tables do not
                            fit */
};

#define OB_STATE_CELLS 4

/* What several statements have answered. */
struct ob_state_answer {
        int64_t changed; /* rows, of all statements */
        bool has_row;
        char cells[OB_STATE_CELLS][256]; /* of the only row; "" where there is NULL */
};

/* Connects, unless the session is open, and with the host that all sessions use. Not inside a transaction. */
int ob_state_session_open(struct ob_state_session *s, struct ob_err *err);
void ob_state_session_close(struct ob_state_session *s);

/* Runs statements, divided by semicolons, of which at most one returns rows, and that one at most one row. */
int ob_state_session_run(
        struct ob_state_session *s, const char *sql, struct ob_state_answer *answer, struct ob_err *err);

/* Begins and ends a call of the library; _fail reports the call's error, and closes a broken session. Returns -1.
 */
int ob_state_session_begin(struct ob_state_session *s, struct ob_err *err);
void ob_state_session_end(struct ob_state_session *s);
int ob_state_session_fail(struct ob_state_session *s, unsigned error, const char *said, struct ob_err *err);

/*
 * Runs a statement that returns rows of `n` cells, and calls `take` for each row. NULL is "" there. On an error
 * some rows may have been taken.
 */
int ob_state_session_each(struct ob_state_session *s, const char *sql, unsigned n,
        void (*take)(void *ctx, const char *const *cells), void *ctx, struct ob_err *err);

/* The number in a cell; 0 when it has none. */
int64_t ob_state_number(const char *cell);

/* A text as a literal of SQL, x'…'; the caller frees it. */
char *ob_state_literal(const char *text);

/* Where the state is, for messages: mysql://HOST,HOST/DATABASE; the caller frees it. */
char *ob_state_place(const struct ob_state_settings *settings);

#endif
