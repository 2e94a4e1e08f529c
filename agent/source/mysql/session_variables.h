/*
 * The session variables that change what our queries mean, what they return, how long they wait, or how much they
 * may read. A server's init_connect, its global values and a proxy set them as they like. So every new session sets
 * them, and reads back whether the server has taken the values. The table of them is in session_variables.c.
 *
 * These functions are for session.c, which makes sessions, and work on its transport. Owned by the session's
 * thread. Deadlines are on ob_clock_ms().
 */
#ifndef OB_SOURCE_MYSQL_SESSION_VARIABLES_H
#define OB_SOURCE_MYSQL_SESSION_VARIABLES_H

#include <stdint.h>

#include "agent/process/mysql/transport.h"
#include "config/config.h"
#include "proto/error.h"

/*
 * Ends the transaction that may have been begun before, selects the settings' database, sets the variables and
 * reads them back. A value that the server did not take is an error, which names the variable.
 */
int ob_session_variables_set(
        struct ob_transport *t, const struct ob_mysql_settings *m, int64_t deadline, struct ob_err *err);

/*
 * The variables whose value in our sessions is not the server's own (global) value, as "autocommit = ON (OFF), …";
 * "" when there are none. The caller's to free. NULL: they could not be read.
 */
char *ob_session_variables_differ(
        struct ob_transport *t, const struct ob_mysql_settings *m, int64_t deadline, struct ob_err *err);

#endif
