/*
 * The managers' web pages, of the same world as the tables, with all that can go wrong with
 * them: see state.h.
 */
#ifndef FO_PAGES_H
#define FO_PAGES_H

#include "tests/otter/db.h"
#include "tests/otter/options.h"

/* Serves until a signal; -1 and db->error when it could not begin. */
int fo_pages_serve(struct fo_db *db, const struct fo_options *options);

#endif
