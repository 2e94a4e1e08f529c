/*
 * The tables of an Otter manager, as far as an agent can see them.
 */
#ifndef FO_SCHEMA_H
#define FO_SCHEMA_H

#include "tests/otter/db.h"

/* Drops the database, if there is one, and makes it anew with empty tables. */
int fo_schema_create(struct fo_db *db);

#endif
