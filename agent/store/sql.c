#include "agent/store/sql.h"

/*
 * Each row ends in the checksum of its values, see statement.h; of a batch but for its number. seq must be
 * AUTOINCREMENT: a plain rowid begins at 1 again when the table runs empty.
 */
const char ob_sql_schema[] =
        "CREATE TABLE IF NOT EXISTS sources (name VARCHAR(200) PRIMARY KEY, position BIGINT, since BIGINT,"
        " floor BIGINT, again BIGINT, newest BIGINT, identity VARCHAR(255), checksum BIGINT);"
        "CREATE TABLE IF NOT EXISTS seen (source VARCHAR(200), chunk BIGINT, newest BIGINT, bits BLOB,"
        " checksum BIGINT, PRIMARY KEY (source, chunk)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS totals (source VARCHAR(200), id_key BLOB, id BIGINT, amounts BLOB,"
        " checksum BIGINT, PRIMARY KEY (source, id_key)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, points BIGINT, bytes BIGINT,"
        " body BLOB, checksum BIGINT);"
        "CREATE TABLE IF NOT EXISTS sinks (name VARCHAR(200) PRIMARY KEY, mark BIGINT, reached BIGINT, carry BLOB,"
        " checksum BIGINT);";

/* Batches come one number after the other, and go from the first on: none is missing between, none at the end. */
const char ob_sql_gaps[] =
        "SELECT CASE WHEN b.n > 0 AND (b.last - b.first + 1 <> b.n OR b.last <> q.seq) THEN 'batches are missing'"
        " WHEN s.reached > q.seq THEN 'batches would get the numbers of others' ELSE 'ok' END"
        " FROM (SELECT COUNT(*) AS n, MIN(seq) AS first, MAX(seq) AS last FROM batches) b,"
        " (SELECT COALESCE(MAX(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'batches') q,"
        " (SELECT COALESCE(MAX(reached), 0) AS reached FROM sinks) s";

#define SOURCE "SELECT name, position, since, floor, again, newest, identity, checksum FROM sources"
#define SEEN   "SELECT source, chunk, newest, bits, checksum FROM seen"
#define TOTALS "SELECT source, id_key, id, amounts, checksum FROM totals"
#define BATCH  "SELECT seq, points, bytes, body, checksum FROM batches"
#define SINK   "SELECT name, mark, reached, carry, checksum FROM sinks"

const char *const ob_sql[OB_SQL_STATEMENTS] = {
        [OB_SQL_GET_CHECKPOINT] = SOURCE " WHERE name = ?",
        [OB_SQL_EACH_CHECKPOINT] = SOURCE,
        [OB_SQL_PUT_CHECKPOINT] = "REPLACE INTO sources (name, position, since, floor, again, newest, identity,"
                                  " checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [OB_SQL_FORGET_CHECKPOINT] = "DELETE FROM sources WHERE name = ?",
        [OB_SQL_FORGET_NAMELESS_STANDINGS] = "DELETE FROM sources WHERE name IS NULL",
        [OB_SQL_GET_CHUNK] = SEEN " WHERE source = ? AND chunk = ?",
        [OB_SQL_CHUNKS_OF] = SEEN " WHERE source = ? ORDER BY chunk",
        [OB_SQL_EACH_CHUNK] = SEEN,
        [OB_SQL_PUT_CHUNK] = "REPLACE INTO seen (source, chunk, newest, bits, checksum) VALUES (?, ?, ?, ?, ?)",
        [OB_SQL_FIRST_CHUNK_SINCE] = "SELECT MIN(chunk) FROM seen WHERE source = ? AND newest >= ?",
        [OB_SQL_FORGET_CHUNKS_FROM] = "DELETE FROM seen WHERE source = ? AND chunk >= ?",
        [OB_SQL_FORGET_CHUNKS_BELOW] = "DELETE FROM seen WHERE source = ? AND chunk < ?",
        [OB_SQL_FORGET_CHUNKS] = "DELETE FROM seen WHERE source = ?",
        [OB_SQL_FORGET_ALL_CHUNKS] = "DELETE FROM seen",
        [OB_SQL_PUT_TOTALS] = "REPLACE INTO totals (source, id_key, id, amounts, checksum) VALUES (?, ?, ?, ?, ?)",
        [OB_SQL_TOTALS_OF] = TOTALS " WHERE source = ?",
        [OB_SQL_EACH_TOTALS] = TOTALS,
        [OB_SQL_FORGET_TOTALS] = "DELETE FROM totals WHERE source = ?",
        [OB_SQL_FORGET_TOTAL] = "DELETE FROM totals WHERE source = ? AND id_key = ?",
        [OB_SQL_PUT_BATCH] = "INSERT INTO batches (points, bytes, body, checksum) VALUES (?, ?, ?, ?)",
        [OB_SQL_EMPTY_BATCH] = "UPDATE batches SET points = ?, bytes = ?, body = ?, checksum = ? WHERE seq = ?",
        [OB_SQL_NEXT_BATCH] = BATCH " WHERE seq > ? ORDER BY seq LIMIT 1",
        [OB_SQL_EACH_BATCH] = BATCH " ORDER BY seq",
        [OB_SQL_LAST_BATCH] = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'batches'",
        [OB_SQL_SUM_BATCHES] = "SELECT SUM(points), SUM(bytes) FROM batches WHERE seq > ?",
        [OB_SQL_SUM_OLDEST] =
                "SELECT SUM(points), SUM(bytes), COUNT(*), MAX(seq) FROM (SELECT seq, points, bytes FROM batches"
                " WHERE seq <= (SELECT MIN(mark) FROM sinks) ORDER BY seq LIMIT ?) oldest",
        [OB_SQL_DROP_BATCHES] = "DELETE FROM batches WHERE seq <= ?",
        [OB_SQL_GET_DELIVERY] = SINK " WHERE name = ?",
        [OB_SQL_PUT_DELIVERY] = "REPLACE INTO sinks (name, mark, reached, carry, checksum) VALUES (?, ?, ?, ?, ?)",
        [OB_SQL_FIRST_ACKED] = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sinks) THEN COALESCE(MAX(seq), 0)"
                               " ELSE COALESCE(MIN(seq), 1) - 1 END FROM batches",
        [OB_SQL_EACH_SINK] = SINK,
        [OB_SQL_FORGET_SINK] = "DELETE FROM sinks WHERE name = ?",
        [OB_SQL_FORGET_NAMELESS_SINKS] = "DELETE FROM sinks WHERE name IS NULL",
        [OB_SQL_BEGIN] = "BEGIN IMMEDIATE",
        [OB_SQL_COMMIT] = "COMMIT",
        [OB_SQL_ROLLBACK] = "ROLLBACK",
};
