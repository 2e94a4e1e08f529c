/*
 * One connection to the database. What goes wrong is kept in `error`, as "statement: number
 * text (where)", for whoever decides what to do about it; nothing is printed here.
 */
#ifndef FO_DB_H
#define FO_DB_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/otter/text.h"

struct fo_where {
        const char *socket; /* NULL: by host */
        const char *host;
        const char *user;
        const char *password;
        const char *database;
        unsigned port;
        unsigned answer_seconds; /* how long an answer may take; 0: for ever */
};

struct fo_db {
        MYSQL *mysql;                 /* ours; NULL when closed */
        const struct fo_where *where; /* borrowed */
        char error[512];
};

/*
 * Connects, to `database` or (NULL) to the server only. Times are UTC, texts utf8mb4, the SQL
 * mode strict but friendly to zero dates, as in Otter's own tables.
 */
int fo_db_open(struct fo_db *db, const struct fo_where *where, const char *database);
void fo_db_close(struct fo_db *db);

/* Runs one statement that has no result. */
int fo_db_run(struct fo_db *db, const struct fo_text *sql);
int fo_db_runf(struct fo_db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole result, for mysql_free_result(); NULL: see `error`. */
MYSQL_RES *fo_db_select(struct fo_db *db, const char *sql);

/* One number; an SQL NULL, or no row, is 0. */
int fo_db_number(struct fo_db *db, const char *sql, long long *number);

/* Adds 'text' as an SQL string, or NULL. */
void fo_db_quote(const struct fo_db *db, struct fo_text *sql, const char *text);

#endif
