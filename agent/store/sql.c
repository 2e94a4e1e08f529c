#include "agent/store/sql.h"

/*
 * Each row ends in the checksum of its values, see statement.h; the checksum of a batch leaves out the number. Only
 * the table of batches is the same as in version 3, so it may exist already. seq must be AUTOINCREMENT: a plain
 * rowid begins at 1 again when the table runs empty.
 *
 * sources.changed is when the source's database became another, by the clock of the new database; 0: never. No key
 * is longer than the 3,072 bytes that MariaDB allows. names.label1 and label2 are the texts in the order of
 * ob_name_facts. event_signatures.event is a batch of one event; sinks.saved_state is in the sink's own encoding.
 * sink_totals.tags has each tag as its key and its value, each with a NUL; the first n_identity of them are the
 * identity.
 */
const char ob_sql_schema[] =
        "CREATE TABLE sources (name VARCHAR(200) NOT NULL, cursor_id BIGINT, since BIGINT, floor_id BIGINT,"
        " counted_before BIGINT, newest BIGINT, identity VARCHAR(255), changed BIGINT, checksum BIGINT,"
        " PRIMARY KEY (name)) WITHOUT ROWID;"
        "CREATE TABLE seen_ids (source VARCHAR(200), chunk BIGINT, newest BIGINT, bits BLOB, checksum BIGINT,"
        " PRIMARY KEY (source, chunk)) WITHOUT ROWID;"
        "CREATE TABLE tracked_rows (source VARCHAR(200), row_key VARBINARY(2000), row_id BIGINT, made BIGINT,"
        " below_since BIGINT, checksum BIGINT, PRIMARY KEY (source, row_key)) WITHOUT ROWID;"
        "CREATE TABLE tracked_totals (source VARCHAR(200), row_key VARBINARY(2000), column_name VARCHAR(64), total BIGINT,"
        " checksum BIGINT, PRIMARY KEY (source, row_key, column_name)) WITHOUT ROWID;"
        "CREATE TABLE names (manager VARCHAR(200), kind BIGINT, id BIGINT, since BIGINT, parent BIGINT,"
        " node VARCHAR(255), label1 VARCHAR(1000), label2 VARCHAR(1000), checksum BIGINT,"
        " PRIMARY KEY (manager, kind, id, since)) WITHOUT ROWID;"
        "CREATE TABLE event_signatures (source VARCHAR(200), signature VARBINARY(2048), since BIGINT, newest BIGINT,"
        " counted BIGINT, is_sent BIGINT, event BLOB, checksum BIGINT, PRIMARY KEY (source, signature))"
        " WITHOUT ROWID;"
        "CREATE TABLE event_values (source VARCHAR(200), tag VARCHAR(64), value VARCHAR(255), checksum BIGINT,"
        " PRIMARY KEY (source, tag, value)) WITHOUT ROWID;"
        "CREATE TABLE pipeline_states (source VARCHAR(200), pipeline VARCHAR(200), state BIGINT, checksum BIGINT,"
        " PRIMARY KEY (source, pipeline)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, points BIGINT, bytes BIGINT,"
        " body BLOB, checksum BIGINT);"
        "CREATE TABLE sinks (name VARCHAR(200) NOT NULL, acked BIGINT, sent_upto BIGINT, saved_state BLOB,"
        " checksum BIGINT, PRIMARY KEY (name)) WITHOUT ROWID;"
        "CREATE TABLE sink_totals (sink VARCHAR(200), name VARCHAR(200), n_identity BIGINT, tags VARBINARY(1400),"
        " total BIGINT, checksum BIGINT, PRIMARY KEY (sink, name, n_identity, tags))"
        " WITHOUT ROWID;"
        "CREATE TABLE sink_totals_upto (sink VARCHAR(200), seq BIGINT, series_by BIGINT, checksum BIGINT,"
        " PRIMARY KEY (sink)) WITHOUT ROWID;";

/* The numbers of batches have no gap, and the last one is the last that was given: none is missing at the end. */
const char ob_sql_gaps[] =
        "SELECT CASE WHEN b.n > 0 AND (b.last - b.first + 1 <> b.n OR b.last <> q.seq) THEN 'batches are missing'"
        " WHEN s.sent_upto > q.seq THEN 'batches would get the numbers of others' ELSE 'ok' END"
        " FROM (SELECT COUNT(*) AS n, MIN(seq) AS first, MAX(seq) AS last FROM batches) b,"
        " (SELECT COALESCE(MAX(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'batches') q,"
        " (SELECT COALESCE(MAX(sent_upto), 0) AS sent_upto FROM sinks) s";

#define FACTS(types) types, sizeof(types) - 1

const struct ob_table_facts ob_table_facts[OB_TABLES] = {
        [OB_TABLE_SOURCES] = { "the checkpoint of source", FACTS("tnnnnntn"), 1 },
        [OB_TABLE_SEEN_IDS] = { "the seen ids of source", FACTS("tnnb"), 2 },
        [OB_TABLE_TRACKED_ROWS] = { "a tracked row of source", FACTS("tbnnn"), 2 },
        [OB_TABLE_TRACKED_TOTALS] = { "a total of source", FACTS("tbtn"), 3 },
        [OB_TABLE_NAMES] = { "a name of manager", FACTS("tnnnnttt"), 4 },
        [OB_TABLE_EVENT_SIGNATURES] = { "an event signature of source", FACTS("ttnnnnb"), 2 },
        [OB_TABLE_EVENT_VALUES] = { "a tag's value of source", FACTS("ttt"), 3 },
        [OB_TABLE_PIPELINE_STATES] = { "a pipeline's state of source", FACTS("ttn"), 2 },
        [OB_TABLE_SINKS] = { "the position of sink", FACTS("tnnb"), 1 },
        [OB_TABLE_SINK_TOTALS] = { "a total of sink", FACTS("ttnbn"), 4 },
        [OB_TABLE_SINK_TOTALS_UPTO] = { "the last batch in the totals of sink", FACTS("tnn"), 1 },
};

/*
 * In a database that agents share, each table begins with the column `unit`: deploy/state.sql says what a unit is.
 * MySQL and MariaDB execute what is in such a comment, SQLite skips it.
 */
#define ALL_OURS "/*! WHERE unit = @unit */"
#define OURS     "/*! unit = @unit AND */ "

/*
 * The statements of a table. A "+" before a column keeps SQLite from converting the value to the type of the
 * column: in a corrupt row a number may be a text, and it must be found as that.
 */
#define TABLE(table, name, owner, columns, values, key, corrupt_key)                                               \
        [OB_SQL_OF(table, OB_ROWS_EACH)] = "SELECT " columns ", checksum FROM " name " " ALL_OURS,                 \
                          [OB_SQL_OF(table, OB_ROWS_OF)] =                                                         \
                                  "SELECT " columns ", checksum FROM " name " WHERE " OURS owner " = ?",           \
                          [OB_SQL_OF(table, OB_ROW_GET)] =                                                         \
                                  "SELECT " columns ", checksum FROM " name " WHERE " OURS key,                    \
                          [OB_SQL_OF(table, OB_ROW_PUT)] = "REPLACE INTO " name " (/*! unit, */ " columns          \
                                                           ", checksum) VALUES (/*! @unit, */ " values ", ?)",     \
                          [OB_SQL_OF(table, OB_ROW_FORGET)] = "DELETE FROM " name " WHERE " OURS key,              \
                          [OB_SQL_OF(table, OB_ROWS_FORGET)] = "DELETE FROM " name " WHERE " OURS owner " = ?",    \
                          [OB_SQL_OF(table, OB_ROWS_CLEAR)] = "DELETE FROM " name " " ALL_OURS,                    \
                          [OB_SQL_OF(table, OB_ROWS_ANY)] = "SELECT 1 FROM " name " " ALL_OURS " LIMIT 1",         \
                          [OB_SQL_OF(table, OB_ROW_FORGET_CORRUPT)] =                                              \
                                  "DELETE FROM " name " WHERE " OURS corrupt_key

#define KEY1(a)                                   a " = ?", "+" a " = ?"
#define KEY2(a, b)                                a " = ? AND " b " = ?", "+" a " = ? AND +" b " = ?"
#define KEY3(a, b, c)                             a " = ? AND " b " = ? AND " c " = ?", "+" a " = ? AND +" b " = ? AND +" c " = ?"
#define KEY4(a, b, c, d)                          KEY4_OF(KEY2(a, b), KEY2(c, d))
#define KEY4_OF(...)                              KEY4_JOIN(__VA_ARGS__)
#define KEY4_JOIN(ab, corrupt_ab, cd, corrupt_cd) ab " AND " cd, corrupt_ab " AND " corrupt_cd
/* KEYn makes two arguments, which exist only after a second expansion. */
#define TABLE_OF(...) TABLE(__VA_ARGS__)

#define BATCH "SELECT seq, points, bytes, body, checksum FROM batches"

const char *const ob_sql[OB_SQL_STATEMENTS] = {
        TABLE_OF(OB_TABLE_SOURCES, "sources", "name",
                "name, cursor_id, since, floor_id, counted_before, newest, identity, changed",
                "?, ?, ?, ?, ?, ?, ?, ?", KEY1("name")),
        TABLE_OF(OB_TABLE_SEEN_IDS, "seen_ids", "source", "source, chunk, newest, bits", "?, ?, ?, ?",
                KEY2("source", "chunk")),
        TABLE_OF(OB_TABLE_TRACKED_ROWS, "tracked_rows", "source", "source, row_key, row_id, made, below_since",
                "?, ?, ?, ?, ?", KEY2("source", "row_key")),
        TABLE_OF(OB_TABLE_TRACKED_TOTALS, "tracked_totals", "source", "source, row_key, column_name, total",
                "?, ?, ?, ?", KEY3("source", "row_key", "column_name")),
        TABLE_OF(OB_TABLE_NAMES, "names", "manager", "manager, kind, id, since, parent, node, label1, label2",
                "?, ?, ?, ?, ?, ?, ?, ?", KEY4("manager", "kind", "id", "since")),
        TABLE_OF(OB_TABLE_EVENT_SIGNATURES, "event_signatures", "source",
                "source, signature, since, newest, counted, is_sent, event", "?, ?, ?, ?, ?, ?, ?",
                KEY2("source", "signature")),
        TABLE_OF(OB_TABLE_EVENT_VALUES, "event_values", "source", "source, tag, value", "?, ?, ?",
                KEY3("source", "tag", "value")),
        TABLE_OF(OB_TABLE_PIPELINE_STATES, "pipeline_states", "source", "source, pipeline, state", "?, ?, ?",
                KEY2("source", "pipeline")),
        TABLE_OF(
                OB_TABLE_SINKS, "sinks", "name", "name, acked, sent_upto, saved_state", "?, ?, ?, ?", KEY1("name")),
        TABLE_OF(OB_TABLE_SINK_TOTALS, "sink_totals", "sink", "sink, name, n_identity, tags, total",
                "?, ?, ?, ?, ?", KEY4("sink", "name", "n_identity", "tags")),
        TABLE_OF(OB_TABLE_SINK_TOTALS_UPTO, "sink_totals_upto", "sink", "sink, seq, series_by", "?, ?, ?",
                KEY1("sink")),
        [OB_SQL_FIRST_CHUNK_SINCE] = "SELECT MIN(chunk) FROM seen_ids WHERE " OURS "source = ? AND newest >= ?",
        [OB_SQL_LAST_CHUNK] = "SELECT MAX(chunk) FROM seen_ids WHERE " OURS "source = ?",
        [OB_SQL_FORGET_CHUNKS_FROM] = "DELETE FROM seen_ids WHERE " OURS "source = ? AND chunk >= ?",
        [OB_SQL_FORGET_CHUNKS_BELOW] = "DELETE FROM seen_ids WHERE " OURS "source = ? AND chunk < ?",
        [OB_SQL_FORGET_SIGNATURES] = "DELETE FROM event_signatures WHERE " OURS
                                     "source = ? AND newest < ? AND (is_sent = 0 OR counted = 0)",
        /* An engine whose tables do not number the batches binds the number first: see engine.h. */
        [OB_SQL_PUT_BATCH] = "INSERT INTO batches (/*! unit, seq, */ points, bytes, body, checksum)"
                             " VALUES (/*! @unit, ?, */ ?, ?, ?, ?)",
        [OB_SQL_COPY_BATCH] = "INSERT INTO batches (/*! unit, */ seq, points, bytes, body, checksum)"
                              " VALUES (/*! @unit, */ ?, ?, ?, ?, ?)",
        [OB_SQL_EMPTY_BATCH] =
                "UPDATE batches SET points = ?, bytes = ?, body = ?, checksum = ? WHERE " OURS "seq = ?",
        [OB_SQL_NEXT_BATCH] = BATCH " WHERE " OURS "seq > ? ORDER BY seq LIMIT 1",
        [OB_SQL_SUM_BATCHES] = "SELECT SUM(points), SUM(bytes) FROM batches WHERE " OURS "seq > ?",
        [OB_SQL_SUM_OLDEST] =
                "SELECT SUM(points), SUM(bytes), COUNT(*), MAX(seq) FROM (SELECT seq, points, bytes FROM batches"
                " WHERE " OURS "seq <= (SELECT MIN(acked) FROM sinks " ALL_OURS ") ORDER BY seq LIMIT ?) oldest",
        [OB_SQL_DROP_BATCHES] = "DELETE FROM batches WHERE " OURS "seq <= ?",
        [OB_SQL_FIRST_ACKED] = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sinks " ALL_OURS
                               ") THEN COALESCE(MAX(seq), 0) ELSE COALESCE(MIN(seq), 1) - 1 END"
                               " FROM batches " ALL_OURS,
};
