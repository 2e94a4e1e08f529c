/*
 * What a query brought: rows that all have the number of cells that was asked for, each a text that ends at its
 * length, or NULL. All that a server may do to it was checked on the way in. One thread's.
 */
#ifndef OB_SOURCE_MYSQL_RESULT_H
#define OB_SOURCE_MYSQL_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* Bytes that a result takes in memory: a page of rows, after which one asks for the next, and a result that has to
 * be there whole. A poll has one of them at a time, and an agent some polls: all stay far below its memory limit.
 */
#define OB_RESULT_PAGE_BYTES  (4U << 20)
#define OB_RESULT_WHOLE_BYTES (8U << 20)

/* Of a query that asks for its columns by name, since servers differ in what they answer. */
#define OB_RESULT_COLUMNS_MAX 64

struct ob_result {
        const char *
                *cells; /* ours: n rows, one behind the other; in a text there is no other NUL than at its end */
        size_t n, width;
        bool is_cut; /* there was more than a page may hold, and these are the first of it */

        /* Its own. */
        const char *about;  /* borrowed from the query */
        const char **names; /* ours: of the columns, when they are asked for by name; NULL */
        size_t room, bytes, most;
        struct ob_result_block *blocks; /* ours, the last one first */
};

void ob_result_free(struct ob_result *r);

/* The cell, NULL also where there is no such row or column. */
const char *ob_result_cell(const struct ob_result *r, size_t row, size_t column);

/* The cell that must be there: when it is not, that is an error. */
const char *ob_result_text(const struct ob_result *r, size_t row, size_t column, struct ob_err *err);

/* The cell of a column that was asked for by name; "" where there is none. */
const char *ob_result_named(const struct ob_result *r, size_t row, const char *column);

/* What a clock of the server's says there, in seconds since 1970. False: nothing that a clock can say. */
bool ob_result_time(const struct ob_result *r, size_t row, size_t column, int64_t *time);

/* For the session: empties it for so many columns, and at most `most` bytes. */
void ob_result_begin(struct ob_result *r, const char *about, size_t width, size_t most);
void ob_result_name_columns(struct ob_result *r, const char *const *names);

/* Copies a row. False: it does not fit any more. A NUL inside a text becomes a '?'. */
bool ob_result_add(struct ob_result *r, char *const *cells, const unsigned long *lengths);

#endif
