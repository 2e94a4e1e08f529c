/*
 * The statements of one store connection. A statement is prepared at its first use. Each row is written with a
 * checksum of its values, so that a row which the disk has changed is found. One thread owns all of this.
 */
#ifndef OB_STORE_STATEMENT_H
#define OB_STORE_STATEMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/store/engine.h"
#include "agent/store/sql.h"
#include "proto/error.h"

struct ob_store {
        const struct ob_engine *engine;
        void *db; /* ours: the engine's connection */
        struct ob_statement statements[OB_SQL_STATEMENTS];
        atomic_bool *is_corrupt; /* the state directory's: set when a corrupt row is found */
};

/* Returns the statement with its values bound; NULL and `err` when it cannot be prepared. */
struct ob_statement *ob_statement_prepare(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

/* Ends the reading of rows; also takes NULL. */
void ob_statement_reset(struct ob_statement *s);

/* Ends all statements; they are prepared again when they are used. */
void ob_statement_finalize_all(struct ob_store *st);

/* Returns 1 at a row, 0 when there is none left, -1 on an error. After 0 or -1 the statement can be used again. */
int ob_statement_step(struct ob_store *st, struct ob_statement *s, struct ob_err *err);

/* Runs a query for one row. Returns 1 with `*s` at the row (the caller resets it), 0 when there is no row, -1. */
int ob_statement_first(struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n,
        struct ob_statement **s, struct ob_err *err);

int ob_statement_run(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

/* Writes a row: its values and, as the last value, their checksum. */
int ob_statement_put(
        struct ob_store *st, enum ob_sql sql, const struct ob_value *values, int n, struct ob_err *err);

#define OB_RUN(st, sql, err, ...)                                                                                  \
        ob_statement_run(st, sql, (const struct ob_value[]) { __VA_ARGS__ },                                       \
                sizeof((const struct ob_value[]) { __VA_ARGS__ }) / sizeof(struct ob_value), err)
#define OB_PUT(st, sql, err, ...)                                                                                  \
        ob_statement_put(st, sql, (const struct ob_value[]) { __VA_ARGS__ },                                       \
                sizeof((const struct ob_value[]) { __VA_ARGS__ }) / sizeof(struct ob_value), err)

/*
 * Reads the columns from `from` on into `values`, which are valid until the next step. `types` has a letter for
 * each column: see ob_table_facts. False when a value has not the type of its column, or when the checksum, in the
 * column after them, does not match.
 */
bool ob_statement_read(struct ob_statement *s, int from, const char *types, struct ob_value *values);

/* The number in a column, whatever its type is; 0 when there is none, as in the sum of nothing. */
int64_t ob_statement_number(struct ob_statement *s, int column);

/* The text in a column, whatever its type is; "" when there is none. Valid until the next step. */
const char *ob_statement_text(struct ob_statement *s, int column);

/* Reads a row of a table, as ob_statement_read. */
bool ob_statement_read_row(struct ob_statement *s, enum ob_store_table table, struct ob_value *row);

/* Ends the statement with the error that a row (`what`) is corrupt, and asks for a repair of the store. Returns -1.
 */
int ob_statement_corrupt(struct ob_store *st, struct ob_statement *s, struct ob_err *err, const char *what);

#endif
