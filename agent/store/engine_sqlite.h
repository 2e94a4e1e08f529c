/* The engine that keeps the store in a file of SQLite's. */
#ifndef OB_STORE_ENGINE_SQLITE_H
#define OB_STORE_ENGINE_SQLITE_H

#include <sqlite3.h>

#include "agent/store/engine.h"

/* A connection of the engine. */
struct ob_sqlite {
        sqlite3 *db;                  /* ours */
        sqlite3_stmt *begin, *commit; /* ours; NULL: not prepared yet */
};

extern const struct ob_engine ob_engine_sqlite;

/* Opens a connection; makes no tables. On an error NULL. */
struct ob_sqlite *ob_sqlite_open(const char *path, struct ob_err *err);

/* Makes the rows of a query readable as those of a statement of the store. Both are borrowed. */
struct ob_statement ob_sqlite_wrap(sqlite3_stmt *query);

#endif
