/*
 * The store's statements, below its words: prepared when first used, with values bound, and each row with the
 * checksum of its values, so that what a disk has spoilt is not taken for what was written. One thread's.
 */
#ifndef OB_STORE_STATEMENT_H
#define OB_STORE_STATEMENT_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/sql.h"
#include "proto/error.h"

struct ob_store {
        sqlite3 *db;
        sqlite3_stmt *statements[OB_SQL_STATEMENTS];
        atomic_bool *is_corrupt; /* the place's: that it is found out here wants looking over */
};

/* One value bound to a statement. */
struct ob_value {
        enum { OB_VALUE_NUMBER, OB_VALUE_TEXT, OB_VALUE_BLOB } type;
        int64_t number;
        const void *data;
        size_t length;
};

struct ob_value ob_value_number(int64_t n);
struct ob_value ob_value_text(const char *t);
struct ob_value ob_value_blob(const void *data, size_t length);

/* The statement, with its values bound; NULL and `err` when it can't be had. */
sqlite3_stmt *ob_statement_prepare(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

/* 1: a row; 0: no more; -1. After 0 or -1 the statement is ready for its next use. */
int ob_statement_step(struct ob_store *st, sqlite3_stmt *s, struct ob_err *err);

/* A query of one row: 1 and `*s` at it (to be reset by the caller), 0 without one, -1. */
int ob_statement_first(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, sqlite3_stmt **s,
        struct ob_err *err);

int ob_statement_run(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

/* Writes a row: its values, and behind them their checksum. */
int ob_statement_put(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

#define OB_RUN(st, sql, err, ...)                                                                                  \
        ob_statement_run(st, sql, (const struct ob_value[]) { __VA_ARGS__ },                                       \
                sizeof((const struct ob_value[]) { __VA_ARGS__ }) / sizeof(struct ob_value), err)
#define OB_PUT(st, sql, err, ...)                                                                                  \
        ob_statement_put(st, sql, (const struct ob_value[]) { __VA_ARGS__ },                                       \
                sizeof((const struct ob_value[]) { __VA_ARGS__ }) / sizeof(struct ob_value), err)

/* Whether the `n` columns from `from` on are as they were written: the checksum stands behind them. */
bool ob_statement_is_sound(sqlite3_stmt *s, int from, int n);

/* Says that a row is not, and that the store wants looking over; ends the statement. Returns -1. */
int ob_statement_corrupt(struct ob_store *st, sqlite3_stmt *s, struct ob_err *err, const char *what);

#endif
