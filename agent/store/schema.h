/* The tables of the store's file: makes, upgrades and checks them. Owned by the thread that owns the connection. */
#ifndef OB_STORE_SCHEMA_H
#define OB_STORE_SCHEMA_H

#include <sqlite3.h>

#include "proto/error.h"

/* Makes the tables where there are none, and upgrades those of the version before this one. */
int ob_schema_make(sqlite3 *db, struct ob_err *err);

/*
 * Checks whether a file can be used: it is a store of this version or the one before, it is sound, and no batch is
 * missing. Changes nothing.
 */
int ob_schema_check(sqlite3 *db, struct ob_err *err);

#endif
