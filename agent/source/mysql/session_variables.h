/*
 * The session variables that change what our queries mean, what they return, how long they wait, or how much they
 * may read. A server's init_connect, its global values and a proxy set them as they like, so every new session sets
 * them itself and looks whether that was taken. The table is in session_variables.c. The session's thread only.
 */
#ifndef OB_SOURCE_MYSQL_SESSION_VARIABLES_H
#define OB_SOURCE_MYSQL_SESSION_VARIABLES_H

#include "agent/source/mysql/session.h"
#include "proto/error.h"

/*
 * Ends whatever transaction was begun before, selects the settings' database, sets the variables and reads them
 * back. A value that the server did not take is an error, which says which.
 */
int ob_session_variables_set(struct ob_session *s, struct ob_err *err);

/*
 * Those whose value in our sessions is not the server's own (global) one, as "autocommit = ON (OFF), …"; "" when
 * there are none. The caller's to free. NULL: it could not be read.
 */
char *ob_session_variables_differ(struct ob_session *s, struct ob_err *err);

#endif
