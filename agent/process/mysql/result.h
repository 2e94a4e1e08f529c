/*
 * The result of a query: rows of the expected number of cells, each a text without a NUL inside, or NULL. The
 * session has checked the server's answer. Owned by one thread.
 */
#ifndef OB_PROCESS_MYSQL_RESULT_H
#define OB_PROCESS_MYSQL_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* Limits in bytes of memory: of a page of rows, after which the next page is asked for, and of a result that must
 * be complete. A poll has one result at a time, so all polls of an agent stay far below its memory limit. */
#define OB_RESULT_PAGE_BYTES  (4U << 20)
#define OB_RESULT_WHOLE_BYTES (8U << 20)

/* The most columns of a query whose columns are found by name, since servers return different columns. */
#define OB_RESULT_COLUMNS_MAX 64

struct ob_result {
        const char **cells; /* ours: n rows, one after another; no text has a NUL inside */
        size_t n, width;
        bool is_cut; /* more rows matched than a page may hold; these are the first */

        /* Private to result.c. */
        const char *about;                     /* borrowed from the query */
        const char **names;                    /* ours: of columns that are found by name; NULL */
        bool is_number[OB_RESULT_COLUMNS_MAX]; /* by column: its cells are numbers, so they have no NUL */
        size_t room, bytes, most;
        struct ob_result_block *blocks; /* ours, the last one first */
};

void ob_result_free(struct ob_result *r);

/* The cell; NULL also when the row or column does not exist. */
const char *ob_result_cell(const struct ob_result *r, size_t row, size_t column);

/* A cell that must exist. NULL: it does not, which is an error in `err`. */
const char *ob_result_text(const struct ob_result *r, size_t row, size_t column, struct ob_err *err);

/* The cell of a named column; "" when there is none. */
const char *ob_result_named(const struct ob_result *r, size_t row, const char *column);

/* The server's time in a cell, in seconds since 1970. False: the cell is no valid time. */
bool ob_result_time(const struct ob_result *r, size_t row, size_t column, int64_t *time);

/* For the session: empties the result for `width` columns, and at most `most` bytes. */
void ob_result_begin(struct ob_result *r, const char *about, size_t width, size_t most);
void ob_result_set_number(struct ob_result *r, size_t column); /* the server says that the cells are numbers */
void ob_result_name_columns(struct ob_result *r, const char *const *names);

/*
 * Copies a row. False: the row does not fit. A NUL inside a text becomes a '?'; in the cell of a number, where only
 * a broken server puts a NUL, the NUL ends the text.
 */
bool ob_result_add(struct ob_result *r, char *const *cells, const unsigned long *lengths);

#endif
