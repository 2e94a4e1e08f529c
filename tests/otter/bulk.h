/*
 * An INSERT of many rows: rows are added to one statement, which is sent when it has grown long
 * enough, and at the end.
 */
#ifndef FO_BULK_H
#define FO_BULK_H

#include <stddef.h>

#include "tests/otter/db.h"
#include "tests/otter/text.h"

/* All zero before the first begin; a bulk may begin again and again. */
struct fo_bulk {
        struct fo_db *db; /* borrowed */
        const char *head; /* "insert into T (A, B) values"; borrowed */
        struct fo_text sql;
        size_t rows; /* in the statement, not yet sent */
};

void fo_bulk_begin(struct fo_bulk *bulk, struct fo_db *db, const char *head);
void fo_bulk_fini(struct fo_bulk *bulk);

/* The text to which the caller adds one "(…)" before it calls fo_bulk_row_end(). */
struct fo_text *fo_bulk_row_begin(struct fo_bulk *bulk);
int fo_bulk_row_end(struct fo_bulk *bulk);

/* Sends what is left, if anything is. */
int fo_bulk_end(struct fo_bulk *bulk);

#endif
