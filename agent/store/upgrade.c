/*
 * Version 3 kept most of what it knew in one table: totals (source, id_key, id, amounts), where id_key and amounts
 * were encoded by the caller. This file has the only decoders of those encodings.
 */
#include "agent/store/upgrade.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/store/connection.h"
#include "agent/store/engine_sqlite.h"
#include "agent/store/row.h"
#include "agent/store/statement.h"
#include "proto/bytes.h"
#include "proto/memory.h"
#include "proto/number.h"

#define NAMES "otter.names" /* the suffix of the owner of a manager's names */

static const char begin[] = "BEGIN IMMEDIATE; ALTER TABLE sources RENAME TO sources_3;"
                            "ALTER TABLE seen RENAME TO seen_3; ALTER TABLE totals RENAME TO totals_3;"
                            "ALTER TABLE sinks RENAME TO sinks_3;";

/* Rows whose values are the same in both versions keep their checksums too. */
static const char copy[] =
        "REPLACE INTO sinks SELECT COALESCE(name, ''), mark, reached, carry, checksum FROM sinks_3;"
        "INSERT INTO seen_ids SELECT source, chunk, newest, bits, checksum FROM seen_3"
        " WHERE source NOT LIKE '%:changed'";

static const char sources[] =
        "SELECT s.name, s.position, s.since, s.floor, s.again, s.newest, s.identity, s.checksum,"
        " c.source, c.chunk, c.newest, c.bits, c.checksum"
        " FROM sources_3 s LEFT JOIN seen_3 c ON c.source = s.name || ':changed' AND c.chunk = 0";

static const char totals[] = "SELECT source, id_key, id, amounts, checksum FROM totals_3";

static const char drop[] = "DROP TABLE sources_3; DROP TABLE seen_3; DROP TABLE totals_3; DROP TABLE sinks_3;";

#define NO_CHECKSUM ob_value_number(-1) /* a checksum that no row has */

static int take_source(struct ob_store *st, struct ob_statement *q, struct ob_err *err)
{
        struct ob_value s[7], changed[4];

        if (!ob_statement_read(q, 0, "tnnnnnt", s))
                return OB_RUN(st, OB_SQL_OF(OB_TABLE_SOURCES, OB_ROW_PUT), err,
                        ob_value_text(ob_statement_text(q, 0)), ob_value_number(0), ob_value_number(0),
                        ob_value_number(0), ob_value_number(0), ob_value_number(0), ob_value_text(""),
                        ob_value_number(0), NO_CHECKSUM);
        return OB_PUT_ROW(st, OB_TABLE_SOURCES, err, s[0], s[1], s[2], s[3], s[4], s[5], s[6],
                ob_value_number(ob_statement_read(q, 8, "tnnb", changed) ? changed[2].number : 0));
}

/* A row of the old totals. */
struct old {
        const char *source;
        int64_t id;
        struct ob_bytes_reader key, amounts;
};

/* A value that cannot be decoded is left out, as version 3 left it out. */
static int take_sink_total(struct ob_store *st, struct old *t, struct ob_err *err)
{
        const struct ob_value sink = ob_value_text(t->source + strlen("sink:"));
        uint64_t version, by;
        const char *name;
        struct ob_metric_value total;
        unsigned n_identity;

        if (t->key.at == t->key.end) {
                if (!ob_bytes_read_unsigned(&t->amounts, &version) || version != 1 ||
                        !ob_bytes_read_unsigned(&t->amounts, &by))
                        return 0;
                return OB_PUT_ROW(st, OB_TABLE_SINK_TOTALS_UPTO, err, sink, ob_value_number(t->id),
                        ob_value_number((int64_t)by));
        }
        if (t->key.end - t->key.at < 2)
                return 0;
        n_identity = t->key.at[0];
        t->key.at += 2;
        if (!ob_bytes_read_string(&t->key, &name) || !ob_bytes_read_value(&t->amounts, &total))
                return 0;
        return OB_PUT_ROW(st, OB_TABLE_SINK_TOTALS, err, sink, ob_value_text(name), ob_value_number(n_identity),
                ob_value_blob(t->key.at, (size_t)(t->key.end - t->key.at)),
                ob_value_number(ob_number_whole(total)));
}

static int take_signature(struct ob_store *st, struct old *t, struct ob_err *err)
{
        struct ob_bytes_reader *p = &t->amounts;
        const char *signature;
        int64_t since, newest, counted;
        uint64_t is_sent, length;

        if (!ob_bytes_read_string(p, &signature) || !ob_bytes_read_signed(p, &since) ||
                !ob_bytes_read_signed(p, &newest) || !ob_bytes_read_signed(p, &counted) ||
                !ob_bytes_read_unsigned(p, &is_sent) || !ob_bytes_read_unsigned(p, &length) ||
                length > (uint64_t)(p->end - p->at)) {
                p->at = p->end;
                return 0;
        }
        p->at += length;
        return OB_PUT_ROW(st, OB_TABLE_EVENT_SIGNATURES, err, ob_value_text(t->source), ob_value_text(signature),
                ob_value_number(since), ob_value_number(newest), ob_value_number(counted),
                ob_value_number((int64_t)is_sent), ob_value_blob(p->at - length, (size_t)length));
}

static int take_events(struct ob_store *st, struct old *t, struct ob_err *err)
{
        const char *tag, *value;
        uint64_t version, n;
        int64_t clock;
        int got = 0;

        if (!ob_bytes_read_unsigned(&t->amounts, &version) || version != 1 ||
                !ob_bytes_read_signed(&t->amounts, &clock) || !ob_bytes_read_unsigned(&t->amounts, &n))
                return 0;
        for (; !got && n > 0 && ob_bytes_read_string(&t->amounts, &tag); n--) {
                if (!ob_bytes_read_string(&t->amounts, &value))
                        return 0;
                got = OB_PUT_ROW(st, OB_TABLE_EVENT_VALUES, err, ob_value_text(t->source), ob_value_text(tag),
                        ob_value_text(value));
        }
        if (!ob_bytes_read_unsigned(&t->amounts, &n))
                return got;
        for (; !got && n > 0 && t->amounts.at < t->amounts.end; n--)
                got = take_signature(st, t, err);
        return got;
}

static int take_name(struct ob_store *st, struct old *t, struct ob_err *err)
{
        const char *node, *label1, *label2;
        int64_t id, since, parent;
        uint64_t kind;

        if (!ob_bytes_read_unsigned(&t->key, &kind) || !ob_bytes_read_signed(&t->key, &id) ||
                !ob_bytes_read_signed(&t->key, &since) || !ob_bytes_read_signed(&t->amounts, &parent) ||
                !ob_bytes_read_string(&t->amounts, &node) || !ob_bytes_read_string(&t->amounts, &label1) ||
                !ob_bytes_read_string(&t->amounts, &label2))
                return 0;
        return OB_PUT_ROW(st, OB_TABLE_NAMES, err, ob_value_text(t->source), ob_value_number((int64_t)kind),
                ob_value_number(id), ob_value_number(since), ob_value_number(parent), ob_value_text(node),
                ob_value_text(label1), ob_value_text(label2));
}

/*
 * Version 3 knew the columns of totals only by a hash of their names, which the config alone can resolve. So each
 * total is stored as the column "HASH/NUMBER", and ob_tracked_rows_load gives it the name of its column. A total
 * that was not known was -2^63, or before that a number far below -2^63, which becomes -2^63 here.
 */
static int take_tracked_row(struct ob_store *st, struct old *t, struct ob_err *err)
{
        const struct ob_value source = ob_value_text(t->source);
        const struct ob_value key = ob_value_blob(t->key.at, (size_t)(t->key.end - t->key.at));
        uint64_t columns;
        int64_t made;
        struct ob_metric_value total;

        if (!ob_bytes_read_signed(&t->amounts, &made) || !ob_bytes_read_unsigned(&t->amounts, &columns))
                return 0;
        if (OB_PUT_ROW(st, OB_TABLE_TRACKED_ROWS, err, source, key, ob_value_number(t->id), ob_value_number(made),
                    ob_value_number(0)))
                return -1;
        for (unsigned i = 0; ob_bytes_read_value(&t->amounts, &total); i++) {
                ob_cleanup(ob_free_at) char *column = ob_format(OB_STORE_COLUMN_3, columns, i);

                if (OB_PUT_ROW(st, OB_TABLE_TRACKED_TOTALS, err, source, key, ob_value_text(column),
                            ob_value_number(ob_number_whole(total))))
                        return -1;
        }
        return 0;
}

/* Removes a suffix. False: the text does not have it. */
static bool cut_end(char *text, const char *end)
{
        size_t length = strlen(text), cut = strlen(end);

        if (length < cut || strcmp(text + length - cut, end) != 0)
                return false;
        text[length - cut] = '\0';
        return true;
}

static int take_total(struct ob_store *st, struct ob_statement *q, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *source = NULL;
        struct ob_value row[4];
        struct old t;

        if (!ob_statement_read(q, 0, "tbnb", row))
                return OB_RUN(st, OB_SQL_OF(OB_TABLE_TRACKED_ROWS, OB_ROW_PUT), err,
                        ob_value_text(ob_statement_text(q, 0)), ob_value_text(ob_statement_text(q, 1)),
                        ob_value_number(0), ob_value_number(0), ob_value_number(0), NO_CHECKSUM);
        source = ob_copy(row[0].data);
        t = (struct old) { source, row[2].number,
                { row[1].data, (const unsigned char *)row[1].data + row[1].length },
                { row[3].data, (const unsigned char *)row[3].data + row[3].length } };
        if (!strncmp(source, "sink:", strlen("sink:")))
                return take_sink_total(st, &t, err);
        if (cut_end(source, ":told"))
                return take_events(st, &t, err);
        if (cut_end(source, "/" NAMES) || cut_end(source, NAMES))
                return take_name(st, &t, err);
        if (!row[3].length) {
                ob_cleanup(ob_free_at) char *pipeline =
                        ob_format("%.*s", (int)row[1].length, (const char *)row[1].data);

                return OB_PUT_ROW(st, OB_TABLE_PIPELINE_STATES, err, row[0], ob_value_text(pipeline), row[2]);
        }
        return take_tracked_row(st, &t, err);
}

/* Calls `take` for each row of a query. */
static int take_each(struct ob_store *st, const char *sql,
        int (*take)(struct ob_store *st, struct ob_statement *q, struct ob_err *err), struct ob_err *err)
{
        sqlite3 *db = ((struct ob_sqlite *)st->db)->db;
        sqlite3_stmt *q = NULL;
        int got = 0, code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
        struct ob_statement row = ob_sqlite_wrap(q);

        while (code == SQLITE_OK && !got && (code = sqlite3_step(q)) == SQLITE_ROW) {
                got = take(st, &row, err);
                code = SQLITE_OK;
        }
        if (!got && code != SQLITE_DONE)
                got = ob_connection_fail(db, err);
        sqlite3_finalize(q);
        return got;
}

int ob_upgrade_from_3(sqlite3 *db, struct ob_err *err)
{
        atomic_bool is_corrupt = false;
        struct ob_sqlite connection = { .db = db };
        struct ob_store st = { .engine = &ob_engine_sqlite, .db = &connection, .is_corrupt = &is_corrupt };
        ob_cleanup(ob_free_at) char *last =
                ob_format("%s PRAGMA user_version = %d; COMMIT;", drop, OB_STORE_VERSION);
        int got = ob_connection_run(db, begin, err);

        if (!got)
                got = ob_connection_run(db, ob_sql_schema, err);
        if (!got)
                got = ob_connection_run(db, copy, err);
        if (!got)
                got = take_each(&st, sources, take_source, err);
        if (!got)
                got = take_each(&st, totals, take_total, err);
        ob_statement_finalize_all(&st);
        if (!got)
                got = ob_connection_run(db, last, err);
        if (got && !sqlite3_get_autocommit(db))
                sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return got == -1 && is_corrupt ? OB_CORRUPT : got;
}
