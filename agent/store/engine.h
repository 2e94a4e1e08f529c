/*
 * An engine keeps the tables of the store: SQLite in a file, or a MySQL server that several agents share. The SQL
 * text of sql.c is the same for both: what is inside an executable comment of MySQL's is a comment to SQLite. The
 * functions of an engine belong to the thread that owns the connection. They return -1 and set `err` on an error,
 * unless they say otherwise.
 */
#ifndef OB_STORE_ENGINE_H
#define OB_STORE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store/table.h"
#include "proto/error.h"

/* Returned besides 0 and -1: the file itself is corrupt, or is no store. */
#define OB_CORRUPT (-2)

/* A statement of one connection. The engine prepares it when it is first bound. */
struct ob_statement {
        const struct ob_engine *engine;
        void *db;        /* borrowed: the connection, as the engine knows it */
        const char *sql; /* constant */
        bool is_put;     /* it puts a batch: where the tables do not number batches, the engine binds the number */
        void *prepared;  /* the engine's; NULL: not prepared */
};

struct ob_engine {
        /* Prepares the statement, unless it is prepared. Values that were bound before stay. */
        int (*prepare)(struct ob_statement *s, struct ob_err *err);

        /* Sets a value; `at` begins at 1. The data is borrowed until the next step. */
        void (*bind)(struct ob_statement *s, int at, const struct ob_value *v);

        /* As bind, with the value of a column of another statement's row, whatever type that value has. */
        void (*bind_column)(struct ob_statement *s, int at, struct ob_statement *row, int column);

        /* 1: at a row; 0: no row is left; -1; OB_CORRUPT. After anything but 1 the statement can be used again. */
        int (*step)(struct ob_statement *s, struct ob_err *err);

        /*
         * Reads a column of the row. `type` is the type that the column is declared with, for an engine that keeps
         * both texts and blobs as bytes. The data is valid until the next step. False: NULL, or of no type of ours.
         */
        bool (*column)(struct ob_statement *s, int column, int type, struct ob_value *v);

        /* The number or the text in a column, converted where its type is another; 0 or "" for NULL. */
        int64_t (*number)(struct ob_statement *s, int column);
        const char *(*text)(struct ob_statement *s, int column);

        /* Ends the reading of rows. */
        void (*reset)(struct ob_statement *s);
        void (*finalize)(struct ob_statement *s);

        /*
         * A transaction. A failed commit has rolled back, unless it is in doubt. A rollback without a transaction
         * does nothing.
         */
        int (*begin)(void *db, struct ob_err *err);
        int (*commit)(void *db, struct ob_err *err);
        void (*rollback)(void *db);

        /* True: the last commit returned an error, but the database may have committed. */
        bool (*is_in_doubt)(void *db);

        /* The number of the last batch that this connection has put, and of the last one that was ever put. */
        int64_t (*last_put)(void *db);
        int (*last_number)(void *db, int64_t *number, struct ob_err *err);

        /* Inside a transaction: the next batch that is put gets a number above `number`. */
        int (*set_last_number)(void *db, int64_t number, struct ob_err *err);

        /* Where the rows are, for messages. */
        const char *(*place)(void *db);

        /* Closes the connection, after all of its statements were finalized. */
        void (*close)(void *db);
};

#endif
