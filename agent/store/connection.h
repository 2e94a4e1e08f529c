/* One connection to the store's file: opening, checking, copying. One thread owns a connection. */
#ifndef OB_STORE_CONNECTION_H
#define OB_STORE_CONNECTION_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define OB_STORE_APPLICATION_ID 0x6f626561 /* "obea" */
#define OB_STORE_VERSION        3

/* Returned besides 0 and -1: the file is corrupt, or not ours. */
#define OB_CORRUPT (-2)

/* Opens the file and sets the session up; creates nothing. On failure `*db` is NULL. */
int ob_connection_open(const char *path, sqlite3 **db, struct ob_err *err);

/* For ob_cleanup; ignores a NULL connection. */
void ob_connection_close(sqlite3 **db);

/* Reads the number, or the text, in the first cell of a query's result. */
int ob_connection_number(sqlite3 *db, const char *sql, int64_t *number, struct ob_err *err);
int ob_connection_text(sqlite3 *db, const char *sql, char *out, size_t room, struct ob_err *err);

/* The text in a cell; "" for NULL, which any cell of a corrupt file may be. Valid until the next step. */
const char *ob_connection_cell(sqlite3_stmt *s, int column);

/* Creates our tables where they are missing. */
int ob_connection_make_schema(sqlite3 *db, struct ob_err *err);

/* Checks that an existing file is ours and intact, and that no batch is missing. */
int ob_connection_check(sqlite3 *db, struct ob_err *err);

/*
 * Copies the content of one file into another one, which must be empty. The pages of a file with a write-ahead log
 * are marked as such, and a store in memory cannot have a log, so the copy is not made page by page.
 */
int ob_connection_copy(const char *from, const char *to, struct ob_err *err);

/* Puts SQLite's error and the path into `err`. Returns -1 or OB_CORRUPT. */
int ob_connection_fail(sqlite3 *db, struct ob_err *err);

#endif
