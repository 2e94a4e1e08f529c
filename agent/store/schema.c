#include "agent/store/schema.h"

#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/sql.h"
#include "agent/store/upgrade.h"
#include "proto/memory.h"

/* Checks whether the file says that it is a store, and of which version. */
static int check_version(sqlite3 *db, int64_t *version, struct ob_err *err)
{
        int64_t id = 0;
        int got = ob_connection_number(db, "PRAGMA application_id", &id, err);

        if (!got)
                got = ob_connection_number(db, "PRAGMA user_version", version, err);
        if (got)
                return got;
        if (id != OB_STORE_APPLICATION_ID)
                ob_fail(err, "it is not a store of otterbeat's");
        else if (*version != OB_STORE_VERSION && *version != OB_STORE_VERSION - 1)
                ob_fail(err, "it was written by another version (%d, this one knows %d)", (int)*version,
                        OB_STORE_VERSION);
        else
                return 0;
        return OB_CORRUPT;
}

/* Runs a query that returns `ok`, or the text of what is wrong. */
static int check_answer(sqlite3 *db, const char *sql, const char *ok, struct ob_err *err)
{
        char answer[4096];
        int got = ob_connection_text(db, sql, answer, sizeof(answer), err);

        if (got || !strcmp(answer, ok))
                return got;
        ob_fail(err, "it is damaged: %.400s", answer);
        return OB_CORRUPT;
}

/* The definitions of the tables as one text. They are compared with those of a new store. */
static const char definitions[] =
        "SELECT GROUP_CONCAT(name || ' ' || tbl_name || ' ' || sql, ';') FROM"
        " (SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)";

static int check_definitions(sqlite3 *db, struct ob_err *err)
{
        ob_cleanup(ob_connection_close) sqlite3 *fresh = NULL;
        char ours[4096];

        if (ob_connection_open(":memory:", &fresh, err) || ob_connection_run(fresh, ob_sql_schema, err) ||
                ob_connection_text(fresh, definitions, ours, sizeof(ours), err))
                return -1;
        return check_answer(db, definitions, ours, err);
}

int ob_schema_check(sqlite3 *db, struct ob_err *err)
{
        int64_t version = 0;
        int got = check_version(db, &version, err);

        if (!got)
                got = check_answer(db, "PRAGMA integrity_check(1)", "ok", err);
        if (!got && version == OB_STORE_VERSION)
                got = check_definitions(db, err);
        if (!got && version == OB_STORE_VERSION)
                got = check_answer(db, ob_sql_gaps, "ok", err);
        return got ? got
                   : ob_connection_run(
                             db, "BEGIN IMMEDIATE; ROLLBACK", err); /* checks whether the file can be written */
}

int ob_schema_make(sqlite3 *db, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *all =
                ob_format("BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
                        ob_sql_schema, OB_STORE_APPLICATION_ID, OB_STORE_VERSION);
        int64_t version;

        if (ob_connection_number(db, "PRAGMA user_version", &version, err))
                return -1;
        if (version == OB_STORE_VERSION)
                return 0;
        if (version == OB_STORE_VERSION - 1)
                return ob_upgrade_from_3(db, err);
        return ob_connection_run(db, "PRAGMA journal_mode = WAL;", err) || ob_connection_run(db, all, err) ? -1 : 0;
}
