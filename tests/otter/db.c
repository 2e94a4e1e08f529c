#include "tests/otter/db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

enum { CONNECT_SECONDS = 5, SAID_OF_A_STATEMENT = 60 };

static const char session[] = "set time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',"
                              " innodb_lock_wait_timeout = 10";

static int fail(struct fo_db *db, const char *what)
{
        const struct fo_where *where = db->where;
        const char *place = where->socket ? where->socket : where->host;

        snprintf(db->error, sizeof(db->error), "%.*s: %u %s (%s@%s)", SAID_OF_A_STATEMENT, what,
                mysql_errno(db->mysql), mysql_error(db->mysql), where->user, place ? place : "localhost");
        return -1;
}

static void set_options(struct fo_db *db)
{
        unsigned connect_seconds = CONNECT_SECONDS;
        unsigned answer_seconds = db->where->answer_seconds;

        mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
        mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
        if (answer_seconds) {
                mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &answer_seconds);
                mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &answer_seconds);
        }
}

int fo_db_open(struct fo_db *db, const struct fo_where *where, const char *database)
{
        db->where = where;
        db->mysql = mysql_init(NULL);
        if (!db->mysql)
                abort();
        set_options(db);
        /*
         * FOUND_ROWS, as Otter's driver does it: an update that changes nothing has still found
         * its row. Without it the manager's "insert if 0 rows" would double rows of its own.
         */
        if (!mysql_real_connect(db->mysql, where->host, where->user, where->password, database, where->port,
                    where->socket, CLIENT_FOUND_ROWS))
                return fail(db, "connect");
        return fo_db_runf(db, "%s", session);
}

void fo_db_close(struct fo_db *db)
{
        if (db->mysql)
                mysql_close(db->mysql);
        db->mysql = NULL;
}

int fo_db_run(struct fo_db *db, const struct fo_text *sql)
{
        if (mysql_real_query(db->mysql, sql->bytes, sql->length))
                return fail(db, sql->bytes);
        return 0;
}

int fo_db_runf(struct fo_db *db, const char *format, ...)
{
        char sql[1024];
        va_list args;
        int length;

        va_start(args, format);
        length = vsnprintf(sql, sizeof(sql), format, args);
        va_end(args);
        if (length < 0 || (size_t)length >= sizeof(sql))
                abort(); /* long statements are made in a text */
        if (mysql_real_query(db->mysql, sql, (size_t)length))
                return fail(db, sql);
        return 0;
}

MYSQL_RES *fo_db_select(struct fo_db *db, const char *sql)
{
        MYSQL_RES *rows = NULL;

        if (!mysql_query(db->mysql, sql))
                rows = mysql_store_result(db->mysql);
        if (!rows)
                fail(db, sql);
        return rows;
}

int fo_db_number(struct fo_db *db, const char *sql, long long *number)
{
        MYSQL_RES *rows = fo_db_select(db, sql);
        MYSQL_ROW row;

        if (!rows)
                return -1;
        row = mysql_fetch_row(rows);
        *number = row && row[0] ? strtoll(row[0], NULL, 10) : 0;
        mysql_free_result(rows);
        return 0;
}

void fo_db_quote(const struct fo_db *db, struct fo_text *sql, const char *text)
{
        size_t length;

        if (!text) {
                fo_text_add(sql, "NULL");
                return;
        }
        length = strlen(text);
        fo_text_add(sql, "'");
        fo_text_reserve(sql, 2 * length + 1);
        sql->length += mysql_real_escape_string(db->mysql, sql->bytes + sql->length, text, length);
        fo_text_add(sql, "'");
}
