/*
 * The truth of the tables: what an agent that lost nothing and doubled nothing would have sent.
 */
#ifndef FO_SUMS_H
#define FO_SUMS_H

#include "tests/otter/db.h"

/* Prints one JSON object, a number for each dotted path, all of one snapshot. */
int fo_sums_print(struct fo_db *db, const char *prefix);

#endif
