#include "agent/store/sql.h"

/* seq must be AUTOINCREMENT: a plain rowid begins at 1 again when the table runs empty. */
const char ob_sql_schema[] =
        "CREATE TABLE IF NOT EXISTS sources (name VARCHAR(200) PRIMARY KEY, position BIGINT, since BIGINT,"
        " floor BIGINT, again BIGINT, newest BIGINT, identity VARCHAR(255));"
        "CREATE TABLE IF NOT EXISTS seen (source VARCHAR(200), chunk BIGINT, newest BIGINT, bits BLOB,"
        " PRIMARY KEY (source, chunk)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS totals (source VARCHAR(200), id_key BLOB, id BIGINT, amounts BLOB,"
        " PRIMARY KEY (source, id_key)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, points BIGINT, bytes BIGINT,"
        " body BLOB);"
        "CREATE TABLE IF NOT EXISTS sinks (name VARCHAR(200) PRIMARY KEY, mark BIGINT, reached BIGINT, carry BLOB);";

const char *const ob_sql[OB_SQL_STATEMENTS] = {
        [OB_SQL_GET_STANDING] =
                "SELECT position, since, floor, again, newest, identity FROM sources WHERE name = ?",
        [OB_SQL_PUT_STANDING] = "REPLACE INTO sources (name, position, since, floor, again, newest, identity)"
                                " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [OB_SQL_FORGET_STANDING] = "DELETE FROM sources WHERE name = ?",
        [OB_SQL_GET_CHUNK] = "SELECT newest, bits FROM seen WHERE source = ? AND chunk = ?",
        [OB_SQL_PUT_CHUNK] = "REPLACE INTO seen (source, chunk, newest, bits) VALUES (?, ?, ?, ?)",
        [OB_SQL_FIRST_CHUNK_SINCE] = "SELECT MIN(chunk) FROM seen WHERE source = ? AND newest >= ?",
        [OB_SQL_FORGET_CHUNKS_FROM] = "DELETE FROM seen WHERE source = ? AND chunk >= ?",
        [OB_SQL_FORGET_CHUNKS_BELOW] = "DELETE FROM seen WHERE source = ? AND chunk < ?",
        [OB_SQL_FORGET_CHUNKS] = "DELETE FROM seen WHERE source = ?",
        [OB_SQL_MOVE_CHUNKS] = "UPDATE seen SET source = ? WHERE source = ?",
        [OB_SQL_PUT_TOTALS] = "REPLACE INTO totals (source, id_key, id, amounts) VALUES (?, ?, ?, ?)",
        [OB_SQL_EACH_TOTALS] = "SELECT id_key, id, amounts FROM totals WHERE source = ?",
        [OB_SQL_FORGET_TOTALS] = "DELETE FROM totals WHERE source = ?",
        [OB_SQL_PUT_BATCH] = "INSERT INTO batches (points, bytes, body) VALUES (?, ?, ?)",
        [OB_SQL_NEXT_BATCH] = "SELECT seq, points, body FROM batches WHERE seq > ? ORDER BY seq LIMIT 1",
        [OB_SQL_SUM_BATCHES] = "SELECT SUM(points), SUM(bytes) FROM batches WHERE seq > ?",
        [OB_SQL_SUM_PASSED] = "SELECT SUM(points), SUM(bytes) FROM batches"
                              " WHERE seq <= (SELECT MIN(mark) FROM sinks)",
        [OB_SQL_DROP_PASSED] = "DELETE FROM batches WHERE seq <= (SELECT MIN(mark) FROM sinks)",
        [OB_SQL_GET_PASSED] = "SELECT mark, reached, carry FROM sinks WHERE name = ?",
        [OB_SQL_PUT_PASSED] = "REPLACE INTO sinks (name, mark, reached, carry) VALUES (?, ?, ?, ?)",
        [OB_SQL_PUT_REACHED] = "UPDATE sinks SET reached = ? WHERE name = ?",
        [OB_SQL_FIRST_MARK] = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sinks) THEN COALESCE(MAX(seq), 0)"
                              " ELSE COALESCE(MIN(seq), 1) - 1 END FROM batches",
        [OB_SQL_EACH_SINK] = "SELECT name FROM sinks",
        [OB_SQL_FORGET_SINK] = "DELETE FROM sinks WHERE name = ?",
        [OB_SQL_BEGIN] = "BEGIN IMMEDIATE",
        [OB_SQL_COMMIT] = "COMMIT",
        [OB_SQL_ROLLBACK] = "ROLLBACK",
};
