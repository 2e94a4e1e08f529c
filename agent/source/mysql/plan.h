/*
 * How to read a table so that a poll costs the new rows and not the table: from what the server says of
 * the table's columns and indexes to the SQL. Pure functions.
 */
#ifndef OB_SOURCE_MYSQL_PLAN_H
#define OB_SOURCE_MYSQL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/source.h"
#include "proto/error.h"

/* A name may be of 64 characters of up to 4 bytes. */
#define OB_IDENTIFIER_MAX    257
#define OB_INDEX_COLUMNS_MAX 16

struct ob_table {
        int64_t rows; /* the server's estimate; -1: it has none, as for a view */
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
        char *list;               /* ours: what is selected */
        char *read;               /* ours: all rows; with a cursor followed by WHERE … */
        const char *table;        /* from the source */
        const char *cursor;       /* in backquotes, from the source; NULL: without one */
        char *why;                /* ours: what was picked, in words */
        char *missing;            /* ours: which columns are left out, in words */
};

void ob_plan_free(struct ob_plan *p);

/* -1: it can't be read, or only by scanning a large table; `err` says what would help. */
int ob_plan_make(
        struct ob_plan *p, const struct ob_source *source, const struct ob_table *table, struct ob_err *err);

/* The query for which ids there are, as ob_reader_ops.list gives them; the caller's to free. */
char *ob_plan_list(const struct ob_plan *p, int64_t from, int64_t end);

/* The query for the first id from an id on, and how many bytes its row has; the caller's to free. */
char *ob_plan_size(const struct ob_plan *p, int64_t from);

/* The query for up to `limit` rows from an id on; the caller's to free. */
char *ob_plan_query(const struct ob_plan *p, int64_t from, unsigned limit);

#endif
