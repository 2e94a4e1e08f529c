#include "agent/store/connection.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/store/sql.h"
#include "proto/memory.h"
#include "proto/number.h"

#define BUSY_MS 10000 /* writers are short: this is never reached unless the disk hangs */

/* NORMAL: a commit survives the process, not always a power cut; the file is whole in both cases. */
static const char session[] = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
                              "PRAGMA cache_size = -512; PRAGMA journal_size_limit = 16777216;";

int ob_connection_fail(sqlite3 *db, struct ob_err *err)
{
        const char *file = sqlite3_db_filename(db, "main");

        return ob_fail(err, "store %s: %s", file && *file ? file : "in memory", sqlite3_errmsg(db));
}

static int exec(sqlite3 *db, const char *sql, struct ob_err *err)
{
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
                return 0;
        return ob_connection_fail(db, err);
}

int ob_connection_open(const char *path, sqlite3 **db, struct ob_err *err)
{
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;

        if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) {
                ob_fail(err, "store %s: %s", path, *db ? sqlite3_errmsg(*db) : "out of memory");
        } else {
                sqlite3_extended_result_codes(*db, 1);
                sqlite3_busy_timeout(*db, BUSY_MS);
                if (!exec(*db, session, err))
                        return 0;
        }
        ob_connection_close(db);
        return -1;
}

void ob_connection_close(sqlite3 **db)
{
        if (*db)
                sqlite3_close(*db);
        *db = NULL;
}

int ob_connection_text(sqlite3 *db, const char *sql, char *out, size_t room, struct ob_err *err)
{
        sqlite3_stmt *s = NULL;
        bool done = sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;

        if (done)
                snprintf(out, room, "%s", (const char *)sqlite3_column_text(s, 0));
        else
                ob_connection_fail(db, err);
        sqlite3_finalize(s);
        return done ? 0 : -1;
}

int ob_connection_pragma(sqlite3 *db, const char *name, int64_t *number, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *sql = ob_format("PRAGMA %s", name);
        char text[32];

        if (ob_connection_text(db, sql, text, sizeof(text), err))
                return -1;
        if (!ob_number_parse_int(text, strlen(text), number))
                return ob_fail(err, "PRAGMA %s answers \"%s\"", name, text);
        return 0;
}

int ob_connection_make_schema(sqlite3 *db, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *marks = ob_format(
                "PRAGMA application_id = %d; PRAGMA user_version = %d;", OB_STORE_APPLICATION_ID, OB_STORE_VERSION);
        int64_t version;

        if (ob_connection_pragma(db, "user_version", &version, err))
                return -1;
        if (version == OB_STORE_VERSION)
                return 0;
        return exec(db, "PRAGMA journal_mode = WAL;", err) || exec(db, ob_sql_schema, err) || exec(db, marks, err)
                       ? -1
                       : 0;
}

int ob_connection_copy(const char *from, const char *to, struct ob_err *err)
{
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        sqlite3_stmt *s = NULL;
        bool done;

        if (ob_connection_open(from, &db, err))
                return -1;
        done = sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &s, NULL) == SQLITE_OK &&
               sqlite3_bind_text(s, 1, to, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(s) == SQLITE_DONE;
        if (!done)
                ob_connection_fail(db, err);
        sqlite3_finalize(s);
        return done ? 0 : -1;
}
