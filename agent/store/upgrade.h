/* The step from the schema of the version before this one to the schema of this version. */
#ifndef OB_STORE_UPGRADE_H
#define OB_STORE_UPGRADE_H

#include <sqlite3.h>

#include "proto/error.h"

/*
 * Turns a store of version 3 into one of version 4, with all its contents, in one transaction: an interruption
 * leaves one version or the other. A row that is corrupt stays corrupt, so that a repair finds it. Returns 0, -1,
 * or OB_CORRUPT when the file cannot be read as a store of version 3.
 */
int ob_upgrade_from_3(sqlite3 *db, struct ob_err *err);

#endif
