/* One connection of SQLite's to the store's file: opens and copies the file. Owned by one thread. */
#ifndef OB_STORE_CONNECTION_H
#define OB_STORE_CONNECTION_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/engine.h"
#include "proto/error.h"

/* Opens a connection and sets up the session; makes no tables. On an error `*db` is NULL. */
int ob_connection_open(const char *path, sqlite3 **db, struct ob_err *err);

/* For ob_cleanup; does nothing with a NULL connection. */
void ob_connection_close(sqlite3 **db);

/* Reads the number, or the text, in the first cell of a query. */
int ob_connection_number(sqlite3 *db, const char *sql, int64_t *number, struct ob_err *err);
int ob_connection_text(sqlite3 *db, const char *sql, char *out, size_t room, struct ob_err *err);

/* Returns the text of a cell; "" when the cell is NULL, as any cell of a corrupt file may be. Valid until the next
 * step. */
const char *ob_connection_cell(sqlite3_stmt *s, int column);

/* Runs statements that return nothing. */
int ob_connection_run(sqlite3 *db, const char *sql, struct ob_err *err);

/*
 * Copies a whole store into another one, which must be empty. The copy is not made page by page: the first page of
 * a file with a write-ahead log demands the log, which a store in memory cannot have.
 */
int ob_connection_copy(const char *from, const char *to, struct ob_err *err);

/* Sets `err` to SQLite's last error, with the path of the file. Returns -1 or OB_CORRUPT. */
int ob_connection_fail(sqlite3 *db, struct ob_err *err);

#endif
