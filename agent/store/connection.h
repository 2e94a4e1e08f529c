/* One connection to the store's file: opens, checks, upgrades and copies it. Owned by one thread. */
#ifndef OB_STORE_CONNECTION_H
#define OB_STORE_CONNECTION_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define OB_STORE_APPLICATION_ID 0x6f626561 /* "obea" */
#define OB_STORE_VERSION        4

/* What these return besides 0 and -1: the file itself can't be read as what it should be. */
#define OB_CORRUPT (-2)

/* Opens, sets the session up, makes nothing. On failure `*db` is NULL. */
int ob_connection_open(const char *path, sqlite3 **db, struct ob_err *err);

/* For ob_cleanup; a NULL connection is left alone. */
void ob_connection_close(sqlite3 **db);

/* The number, or the text, in a query's first cell. */
int ob_connection_number(sqlite3 *db, const char *sql, int64_t *number, struct ob_err *err);
int ob_connection_text(sqlite3 *db, const char *sql, char *out, size_t room, struct ob_err *err);

/* The text in a cell; "" of one that is NULL, as any may be in a damaged file. Good until the next step. */
const char *ob_connection_cell(sqlite3_stmt *s, int column);

/* Runs statements that return nothing. */
int ob_connection_run(sqlite3 *db, const char *sql, struct ob_err *err);

/* Makes the tables where there are none, and upgrades those of the version before this one. */
int ob_connection_make_schema(sqlite3 *db, struct ob_err *err);

/*
 * Checks whether a file can be used: it is a store of this version or the one before, it is sound, and no batch is
 * missing. Changes nothing.
 */
int ob_connection_check(sqlite3 *db, struct ob_err *err);

/*
 * Copies the whole of one file into another, which must be empty. Not page by page: those of a file with a
 * write-ahead log say so, and memory can't have one.
 */
int ob_connection_copy(const char *from, const char *to, struct ob_err *err);

/* Says what SQLite says, with the path. Returns -1 or OB_CORRUPT. */
int ob_connection_fail(sqlite3 *db, struct ob_err *err);

#endif
