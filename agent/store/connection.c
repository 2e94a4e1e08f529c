#include "agent/store/connection.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/file.h"
#include "proto/memory.h"
#include "proto/number.h"

#define BUSY_MS 10000 /* transactions are short: only a disk that hangs makes a writer wait so long */

/*
 * synchronous = NORMAL: a commit survives the end of the process, but not always a power cut; the file is whole in
 * both cases. secure_delete = OFF: Debian's SQLite would overwrite deleted rows, which costs two more writes, one
 * to the log and one to the file.
 */
static const char session[] = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF;"
                              "PRAGMA cache_size = -512; PRAGMA journal_size_limit = 16777216;";

/* Returns whether an error means that the file itself is corrupt. A full disk or missing rights do not mean that.
 */
static bool is_corrupt(int code)
{
        switch (code & 0xff) {
        case SQLITE_FULL:
        case SQLITE_CANTOPEN:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_PERM:
                return false;
        case SQLITE_READONLY: /* also the error for a file of a later format */
                return code != SQLITE_READONLY_DIRECTORY;
        case SQLITE_IOERR:
                return code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ ||
                       code == SQLITE_IOERR_CORRUPTFS;
        default:
                return true;
        }
}

/* Returns the system's last error for the write-ahead log or the file. SQLite forgets that when a commit fails. */
static int last_errno(sqlite3 *db)
{
        static const int which[] = { SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER };
        int code = sqlite3_system_errno(db);

        for (size_t i = 0; i < sizeof(which) / sizeof(*which) && !code; i++) {
                sqlite3_file *file = NULL;

                if (sqlite3_file_control(db, "main", which[i], &file) == SQLITE_OK && file && file->pMethods)
                        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &code);
        }
        return code;
}

/* Sets `err` to the error of SQLite and the error of the system behind that. */
static void say(sqlite3 *db, const char *file, struct ob_err *err)
{
        int code = db ? sqlite3_extended_errcode(db) & 0xff : SQLITE_NOMEM;
        int system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? last_errno(db) : 0;
        const char *help = system == EMFILE || system == ENFILE
                                   ? "; raise the limit of open files (ulimit -n, LimitNOFILE)"
                                   : "";

        errno = system;
        if (system)
                ob_fail(err, "store %s: %s: %m%s", file, sqlite3_errmsg(db), help);
        else
                ob_fail(err, "store %s: %s", file, db ? sqlite3_errmsg(db) : "out of memory");
}

int ob_connection_fail(sqlite3 *db, struct ob_err *err)
{
        const char *file = sqlite3_db_filename(db, "main");

        say(db, file && *file ? file : "in memory", err);
        return is_corrupt(sqlite3_extended_errcode(db)) ? OB_CORRUPT : -1;
}

int ob_connection_run(sqlite3 *db, const char *sql, struct ob_err *err)
{
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
                return 0;
        return ob_connection_fail(db, err);
}

/* Refuses a pipe or a device in the place of a file: SQLite would wait for that. A path in memory has no file. */
static int check_files(const char *path, struct ob_err *err)
{
        static const char *const parts[] = { "", "-wal", "-shm" };

        for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
                ob_cleanup(ob_free_at) char *part = ob_format("%s%s", path, parts[i]);

                if (ob_file_check(part, err))
                        return -1;
        }
        return 0;
}

int ob_connection_open(const char *path, sqlite3 **db, struct ob_err *err)
{
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
        int got = -1;

        *db = NULL;
        if (check_files(path, err))
                return -1;
        if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) {
                say(*db, path, err);
        } else {
                sqlite3_extended_result_codes(*db, 1);
                sqlite3_busy_timeout(*db, BUSY_MS);
                got = ob_connection_run(*db, session, err);
        }
        if (got)
                ob_connection_close(db);
        return got;
}

void ob_connection_close(sqlite3 **db)
{
        if (*db)
                sqlite3_close(*db);
        *db = NULL;
}

const char *ob_connection_cell(sqlite3_stmt *s, int column)
{
        const char *text = (const char *)sqlite3_column_text(s, column);

        return text ? text : "";
}

int ob_connection_text(sqlite3 *db, const char *sql, char *out, size_t room, struct ob_err *err)
{
        sqlite3_stmt *s = NULL;
        int got = 0;

        if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
                snprintf(out, room, "%s", ob_connection_cell(s, 0));
        else
                got = ob_connection_fail(db, err);
        sqlite3_finalize(s);
        return got;
}

int ob_connection_number(sqlite3 *db, const char *sql, int64_t *number, struct ob_err *err)
{
        char text[32];
        int got = ob_connection_text(db, sql, text, sizeof(text), err);

        if (!got && !ob_number_parse_int(text, number))
                got = ob_fail(err, "%s answers \"%s\"", sql, text);
        return got;
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
