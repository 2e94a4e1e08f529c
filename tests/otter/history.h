/*
 * History in fast motion: many rows of the past, as quickly as the database takes them.
 */
#ifndef FO_HISTORY_H
#define FO_HISTORY_H

#include "tests/otter/db.h"
#include "tests/otter/options.h"

/* Rows for the tables that the options name; says on stderr what was inserted. */
int fo_history_fill(struct fo_db *db, const struct fo_options *options);

#endif
