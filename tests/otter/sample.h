/*
 * A small, fixed set of rows, as a real system left them on 2020-04-20
 * from 04:05 to 04:20 UTC. Every number in it may be relied upon by a test.
 */
#ifndef FO_SAMPLE_H
#define FO_SAMPLE_H

#include "tests/otter/db.h"

/* All or nothing; fails when the rows are there already. */
int fo_sample_insert(struct fo_db *db);

#endif
