/*
 * Plans the SQL for reading a table, so that a poll costs only the new rows: from the columns and indexes that the
 * server lists. Pure functions.
 */
#ifndef OB_SOURCE_MYSQL_PLAN_H
#define OB_SOURCE_MYSQL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/source.h"
#include "proto/error.h"

/* A name has up to 64 characters of up to 4 bytes. */
#define OB_IDENTIFIER_MAX    257
#define OB_INDEX_COLUMNS_MAX 16

struct ob_table {
        int64_t rows; /* the server's estimate; -1: none, as for a view */
        struct ob_table_column {
                char name[OB_IDENTIFIER_MAX];
                bool is_integer;
        } * columns; /* ours */
        size_t n_columns, room_columns;
        struct ob_table_index {
                char name[OB_IDENTIFIER_MAX];
                char columns[OB_INDEX_COLUMNS_MAX][OB_IDENTIFIER_MAX];
                unsigned n;
        } * indexes; /* ours */
        size_t n_indexes, room_indexes;
};

void ob_table_free(struct ob_table *t);

struct ob_plan {
        bool has[OB_COLUMNS_MAX]; /* columns of the source that the table has */
        char *clock_query;        /* ours: the clock and the highest id */
        char *list;               /* ours: the selected columns */
        char *from;               /* ours: the end of the query from FROM on; with a cursor a WHERE is added */
        const char *table;        /* from the source */
        const char *cursor;       /* in backquotes, from the source; NULL: no cursor */
        char *why;                /* ours: the chosen way to read, in words */
        char *missing;            /* ours: columns that are left out, in words */
};

void ob_plan_free(struct ob_plan *p);

/* -1: the table can't be read without scanning a large table, or lacks a column; `err` says what would help. */
int ob_plan_make(
        struct ob_plan *p, const struct ob_source *source, const struct ob_table *table, struct ob_err *err);

/* The query for ids, as for ob_reader_ops.list; the caller frees it. */
char *ob_plan_list(const struct ob_plan *p, int64_t from, int64_t end);

/* The query for the first id from an id on, and the bytes of its row; the caller frees it. */
char *ob_plan_size(const struct ob_plan *p, int64_t from);

/*
 * The query for up to `limit` rows from an id on; the caller frees it. `more` (or "") is selected after the
 * columns.
 */
char *ob_plan_query(const struct ob_plan *p, const char *more, int64_t from, unsigned limit);

#endif
