/*
 * A disk that spoils what is on it: whichever bit of a store's file is turned, and wherever it is cut, either its
 * content is what it was, or it is told that it is not. All bits with OB_ALL_BITS=1, which takes minutes.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/store/sql.h"
#include "proto/memory.h"
#include "tests/unit/cells.h"
#include "tests/unit/folder.h"
#include "tests/unit/must.h"
#include "tests/unit/world.h"

#define BATCHES 4
#define SAMPLE  400 /* how many bits, or lengths, are tried */

/* Rows of the tables that are read as typed rows; two of one owner each. */
static const struct {
        enum ob_store_table table;
        struct ob_value row[OB_ROW_COLUMNS];
} typed[] = {
        { OB_TABLE_TRACKED_ROWS, { T("table"), B("\0=a\0"), N(7), N(1587312000), N(0) } },
        { OB_TABLE_TRACKED_ROWS, { T("table"), B("\0=b\0"), N(8), N(1587312000), N(1587312060) } },
        { OB_TABLE_TRACKED_TOTALS, { T("table"), B("\0=a\0"), T("INSERT_COUNT"), N(700), N(0) } },
        { OB_TABLE_TRACKED_TOTALS, { T("table"), B("\0=b\0"), T("INSERT_COUNT"), N(-1), N(-500000) } },
        { OB_TABLE_NAMES, { T("main"), N(1), N(3), N(INT64_MIN), N(0), T("p_3"), T("p 3"), T("channel") } },
        { OB_TABLE_NAMES, { T("main"), N(1), N(4), N(1587312000), N(0), T("p_4"), T("p 4"), T("") } },
        { OB_TABLE_EVENT_SIGNATURES, { T("log"), T("pipeline=3 "), N(1587312000), N(7), N(1), N(1), B("event") } },
        { OB_TABLE_EVENT_SIGNATURES, { T("log"), T("twin x"), N(0), N(1587312000), N(1), N(0), B("") } },
        { OB_TABLE_EVENT_VALUES, { T("log"), T("class"), T("SelectException") } },
        { OB_TABLE_EVENT_VALUES, { T("log"), T("class"), T("LoadException") } },
        { OB_TABLE_PIPELINE_STATES, { T("states"), T("3"), N(2) } },
        { OB_TABLE_PIPELINE_STATES, { T("states"), T("4"), N(0) } },
        { OB_TABLE_SINK_TOTALS, { T("statsd"), T("rows.total"), N(1), B("pipeline\0003\0"), N(5), N(0) } },
        { OB_TABLE_SINK_TOTALS, { T("statsd"), T("rows.total"), N(1), B("pipeline\0004\0"), N(6), N(500000) } },
        { OB_TABLE_SINK_TOTALS_UPTO, { T("statsd"), N(2), N(0) } },
};

static void fill(struct ob_store *st)
{
        const struct ob_delivery delivery = {
                .acked = 1, .sent_upto = 2, .saved_state = { (unsigned char *)"carry", 5, 5 }
        };
        struct ob_checkpoint checkpoint = {
                .cursor = 700, .since = INT64_MIN, .counted_before = 5, .newest = 1587312000, .changed = 1587311000
        };
        struct ob_chunk chunk = { .number = 2, .newest = 1587312000, .bits = { 1, 2, 3 } };
        struct ob_err err;

        snprintf(checkpoint.identity, sizeof(checkpoint.identity), "server otter");
        must(ob_store_put_delivery(st, "graphite", &delivery, &err), &err);
        must(ob_store_put_delivery(st, "statsd", &delivery, &err), &err);
        must(ob_store_put_checkpoint(st, "delay", &checkpoint, &err), &err);
        must(ob_store_put_checkpoint(st, "table", &checkpoint, &err), &err);
        for (chunk.number = 1; chunk.number < 4; chunk.number++)
                must(ob_store_put_chunk(st, "delay", &chunk, &err), &err);
        for (size_t i = 0; i < LENGTH(typed); i++)
                must(ob_store_put_row(st, typed[i].table, typed[i].row, &err), &err);
        for (unsigned i = 1; i <= BATCHES; i++) {
                ob_cleanup(ob_free_at) char *text = ob_format("%0300d", i);
                const struct ob_bytes body = world_bytes(text);

                must(ob_store_put_batch(st, i, &body, &err), &err);
        }
}

struct note {
        FILE *out;
        enum ob_store_table table;
};

/* The texts and bytes of a row in hexadecimal, its numbers in digits. */
static int note_row(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        const struct note *n = ctx;

        (void)err;
        fprintf(n->out, "row of table %d", (int)n->table);
        for (int i = 0; i < ob_table_facts[n->table].n; i++) {
                fprintf(n->out, " %lld ", row[i].type == OB_VALUE_NUMBER ? (long long)row[i].number : 0);
                for (size_t c = 0; row[i].type != OB_VALUE_NUMBER && c < row[i].length; c++)
                        fprintf(n->out, "%02x", ((const unsigned char *)row[i].data)[c]);
        }
        fputc('\n', n->out);
        return 0;
}

/* All that the tables of typed rows have of the owners that fill() names. */
static void print_rows(FILE *out, struct ob_store *st)
{
        struct ob_err err;

        for (size_t i = 0; i < LENGTH(typed); i++) {
                struct note n = { out, typed[i].table };

                must(ob_store_each_row(st, typed[i].table, typed[i].row[0].data, note_row, &n, &err), &err);
        }
}

static void print_batches(FILE *out, struct ob_store *st)
{
        struct ob_stored_batch b = { .seq = 0 };
        struct ob_err err;
        int got;

        while ((got = ob_store_next_batch(st, b.seq, &b, &err)) == 1)
                fprintf(out, "batch %lld %u %.*s\n", (long long)b.seq, b.points, (int)b.body.length,
                        (const char *)b.body.data);
        must(got, &err);
        ob_bytes_free(&b.body);
}

/* All that a store remembers; the caller's to free. */
static char *content(struct ob_store *st)
{
        static const char *const sinks[] = { "graphite", "statsd" }, *const sources[] = { "delay", "table" };
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        struct ob_err err;

        for (size_t i = 0; i < 2; i++) {
                struct ob_delivery p = { .acked = 0 };
                struct ob_checkpoint s;

                must(ob_store_get_delivery(st, sinks[i], &p, &err), &err);
                fprintf(out, "sink %lld %lld %.*s\n", (long long)p.acked, (long long)p.sent_upto,
                        (int)p.saved_state.length, (const char *)p.saved_state.data);
                ob_bytes_free(&p.saved_state);
                must(ob_store_get_checkpoint(st, sources[i], &s, &err), &err);
                fprintf(out, "source %d %lld %lld %lld %lld %s %lld\n", s.known, (long long)s.cursor,
                        (long long)s.since, (long long)s.counted_before, (long long)s.newest, s.identity,
                        (long long)s.changed);
        }
        for (int64_t number = 1; number < 4; number++) {
                struct ob_chunk c;

                must(ob_store_get_chunk(st, "delay", number, &c, &err), &err);
                fprintf(out, "chunk %lld %d %d %d\n", (long long)c.newest, c.bits[0], c.bits[1], c.bits[2]);
        }
        print_rows(out, st);
        print_batches(out, st);
        fclose(out);
        return text;
}

/* A small store, closed, in pages that are as small as may be. */
static void make(const char *dir, const char *path, char **was)
{
        struct ob_state_dir state_dir;
        struct ob_err err;
        sqlite3 *db;

        must(ob_state_dir_open(&state_dir, dir, &err), &err);
        fill(state_dir.anchor);
        *was = content(state_dir.anchor);
        ob_state_dir_close(&state_dir);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db,
                                 "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM;"
                                 "PRAGMA journal_mode = WAL",
                                 NULL, NULL, NULL),
                SQLITE_OK);
        sqlite3_close(db);
}

static unsigned char *read_file(const char *path, size_t *length)
{
        unsigned char *bytes = ob_alloc(1 << 20, 1);
        FILE *f = fopen(path, "re");

        assert_non_null(f);
        *length = fread(bytes, 1, 1 << 20, f);
        fclose(f);
        return bytes;
}

static void write_file(const char *path, const unsigned char *bytes, size_t length)
{
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, length, f), length);
        fclose(f);
}

/* Opens it. True: it is told that it was spoilt, and what is left can be read. */
static bool is_told(const char *dir, const char *was, const char *what)
{
        ob_cleanup(ob_free_at) char *is = NULL;
        struct ob_state_dir state_dir;
        struct ob_corruption d, counted_before;
        struct ob_err err;

        must(ob_state_dir_open(&state_dir, dir, &err), &err);
        if (*state_dir.aside) {
                unlink(state_dir.aside);
                ob_state_dir_close(&state_dir);
                return true;
        }
        must(ob_store_repair(state_dir.anchor, &d, &err), &err);
        must(ob_store_repair(state_dir.anchor, &counted_before, &err), &err);
        if (*counted_before.first)
                fail_msg("%s: %s is still damaged after the repair", what, counted_before.first);
        is = content(state_dir.anchor);
        if (!*d.first && strcmp(is, was) != 0)
                fail_msg("%s: nobody is told, and it is\n%sand was\n%s", what, is, was);
        ob_state_dir_close(&state_dir);
        return *d.first;
}

static void every_bit_counts(void **state)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", (char *)*state);
        ob_cleanup(ob_free_at) char *was = NULL;
        ob_cleanup(ob_free_at) unsigned char *bytes = NULL;
        size_t length, every, told = 0, tried = 0;

        make(*state, path, &was);
        bytes = read_file(path, &length);
        every = getenv("OB_ALL_BITS") ? 1 : length * 8 / SAMPLE | 1;
        for (size_t bit = 0; bit < length * 8; bit += every, tried++) {
                ob_cleanup(ob_free_at) char *what = ob_format("bit %zu of byte %zu", bit % 8, bit / 8);

                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                write_file(path, bytes, length);
                told += is_told(*state, was, what);
                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        print_message("%zu bits of %zu bytes: %zu told\n", tried, length, told);
        assert_true(told > 0 && told < tried);
}

static void every_length_counts(void **state)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", (char *)*state);
        ob_cleanup(ob_free_at) char *was = NULL;
        ob_cleanup(ob_free_at) unsigned char *bytes = NULL;
        size_t length, every;

        make(*state, path, &was);
        bytes = read_file(path, &length);
        every = getenv("OB_ALL_BITS") ? 1 : length / SAMPLE | 1;
        for (size_t left = 0; left < length; left += every) {
                ob_cleanup(ob_free_at) char *what = ob_format("%zu bytes left", left);

                write_file(path, bytes, left);
                if (!is_told(*state, was, what))
                        fail_msg("%s: nobody is told", what);
        }
}

/* What is wrong with a row, and what becomes of it. */
static const struct {
        const char *sql, *first;
        int64_t batches, points, sinks, chunks, totals, checkpoints;
} rows[] = {
        { "UPDATE batches SET body = x'00' WHERE seq = 3", "batch 3", .batches = 1, .points = 3 },
        { "UPDATE batches SET points = -1 WHERE seq = 3", "batch 3", .batches = 1 },
        { "UPDATE sinks SET saved_state = x'00' WHERE name = 'graphite'", "the position of sink graphite",
                .sinks = 1 },
        { "UPDATE sinks SET acked = 0 WHERE name = 'statsd'", "the position of sink statsd", .sinks = 1 },
        { "UPDATE sinks SET name = CAST(name AS BLOB) WHERE name = 'statsd'", "the position of sink statsd",
                .sinks = 1 },
        { "UPDATE seen_ids SET newest = 1 WHERE chunk = 2", "the seen ids of source delay", .chunks = 1 },
        { "UPDATE sources SET cursor_id = 1 WHERE name = 'delay'", "the checkpoint of source delay",
                .checkpoints = 1 },
        { "UPDATE sources SET changed = 0 WHERE name = 'delay'", "the checkpoint of source delay",
                .checkpoints = 1 },
        { "UPDATE tracked_rows SET row_id = 1 WHERE row_id = 7", "a tracked row of source table", .totals = 1 },
        { "UPDATE tracked_totals SET total = 0 WHERE total = 700", "a total of source table", .totals = 1 },
        { "UPDATE names SET since = 0 WHERE id = 3", "a name of manager main", .totals = 1 },
        { "UPDATE event_signatures SET event = 'event' WHERE counted = 1 AND is_sent = 1",
                "an event signature of source log", .totals = 1 },
        { "UPDATE event_values SET value = x'00' WHERE value = 'LoadException'", "a tag's value of source log",
                .totals = 1 },
        { "UPDATE pipeline_states SET state = 0", "a pipeline's state of source states", .totals = 1 },
        { "UPDATE sink_totals SET tags = 'x' WHERE total = 5", "a total of sink statsd", .totals = 1 },
        { "UPDATE sink_totals_upto SET seq = 0", "the last batch in the totals of sink statsd", .totals = 1 },
};

static void what_is_damaged_is_named_and_left_out(void **state)
{
        for (size_t i = 0; i < LENGTH(rows); i++) {
                ob_cleanup(ob_free_at) char *dir = ob_format("%s/%zu", (char *)*state, i);
                ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", dir);
                ob_cleanup(ob_free_at) char *was = NULL;
                ob_cleanup(ob_free_at) char *is = NULL;
                struct ob_state_dir state_dir;
                struct ob_corruption d;
                struct ob_err err;
                sqlite3 *db;

                make(dir, path, &was);
                assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
                assert_int_equal(sqlite3_exec(db, rows[i].sql, NULL, NULL, NULL), SQLITE_OK);
                sqlite3_close(db);
                must(ob_state_dir_open(&state_dir, dir, &err), &err);
                assert_string_equal(state_dir.aside, "");
                must(ob_store_repair(state_dir.anchor, &d, &err), &err);
                assert_string_equal(d.first, rows[i].first);
                assert_true(d.batches == rows[i].batches && d.points == rows[i].points &&
                            d.sinks == rows[i].sinks && d.chunks == rows[i].chunks && d.totals == rows[i].totals &&
                            d.checkpoints == rows[i].checkpoints);
                is = content(state_dir.anchor);
                assert_string_not_equal(is, was);
                ob_state_dir_close(&state_dir);
        }
}

/* Each column may hold anything: nothing crashes, the row is told of and left out, and is not met again. */
static const struct {
        const char *table, *column;
} cells[] = {
        { "sources", "name" },
        { "sources", "cursor_id" },
        { "sources", "since" },
        { "sources", "floor_id" },
        { "sources", "counted_before" },
        { "sources", "newest" },
        { "sources", "identity" },
        { "sources", "changed" },
        { "sources", "checksum" },
        { "seen_ids", "source" },
        { "seen_ids", "chunk" },
        { "seen_ids", "newest" },
        { "seen_ids", "bits" },
        { "seen_ids", "checksum" },
        { "tracked_rows", "source" },
        { "tracked_rows", "row_key" },
        { "tracked_rows", "row_id" },
        { "tracked_rows", "made" },
        { "tracked_rows", "below_since" },
        { "tracked_rows", "checksum" },
        { "tracked_totals", "source" },
        { "tracked_totals", "row_key" },
        { "tracked_totals", "column_name" },
        { "tracked_totals", "total" },
        { "tracked_totals", "checksum" },
        { "names", "manager" },
        { "names", "kind" },
        { "names", "id" },
        { "names", "since" },
        { "names", "parent" },
        { "names", "node" },
        { "names", "label1" },
        { "names", "label2" },
        { "names", "checksum" },
        { "event_signatures", "source" },
        { "event_signatures", "signature" },
        { "event_signatures", "since" },
        { "event_signatures", "newest" },
        { "event_signatures", "counted" },
        { "event_signatures", "is_sent" },
        { "event_signatures", "event" },
        { "event_signatures", "checksum" },
        { "event_values", "source" },
        { "event_values", "tag" },
        { "event_values", "value" },
        { "event_values", "checksum" },
        { "pipeline_states", "source" },
        { "pipeline_states", "pipeline" },
        { "pipeline_states", "state" },
        { "pipeline_states", "checksum" },
        { "batches", "points" },
        { "batches", "bytes" },
        { "batches", "body" },
        { "batches", "checksum" },
        { "sinks", "name" },
        { "sinks", "acked" },
        { "sinks", "sent_upto" },
        { "sinks", "saved_state" },
        { "sinks", "checksum" },
        { "sink_totals", "sink" },
        { "sink_totals", "name" },
        { "sink_totals", "n_identity" },
        { "sink_totals", "tags" },
        { "sink_totals", "total" },
        { "sink_totals", "checksum" },
        { "sink_totals_upto", "sink" },
        { "sink_totals_upto", "seq" },
        { "sink_totals_upto", "series_by" },
        { "sink_totals_upto", "checksum" },
};

static const char *const values[] = { "NULL", "x''", "x'00ff'", "''", "'text'", "-1", "9223372036854775807",
        "-9223372036854775807 - 1", "1e300", "CAST(checksum AS BLOB)", "CAST(checksum AS TEXT)" };

/* Of one row. False: that table does not take such a value. */
static bool set_cell(const char *path, size_t cell, const char *value)
{
        ob_cleanup(ob_free_at) char *sql =
                ob_format("UPDATE %s SET %s = %s WHERE %s IN (SELECT %s FROM %s LIMIT 1)", cells[cell].table,
                        cells[cell].column, value, cells[cell].column, cells[cell].column, cells[cell].table);
        sqlite3 *db;
        bool is_done;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        is_done = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK && sqlite3_changes(db);
        sqlite3_close(db);
        return is_done;
}

static void every_cell_may_hold_anything(void **state)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/otterbeat.db", (char *)*state);
        ob_cleanup(ob_free_at) char *was = NULL;
        ob_cleanup(ob_free_at) unsigned char *bytes = NULL;
        size_t length, tried = 0;

        make(*state, path, &was);
        bytes = read_file(path, &length);
        for (size_t i = 0; i < LENGTH(cells); i++)
                for (size_t j = 0; j < LENGTH(values); j++) {
                        ob_cleanup(ob_free_at) char *what =
                                ob_format("%s.%s = %s", cells[i].table, cells[i].column, values[j]);

                        write_file(path, bytes, length);
                        if (!set_cell(path, i, values[j]))
                                continue;
                        tried++;
                        is_told(*state, was, what);
                }
        assert_true(tried > 600);
}

static void damage_that_is_met_is_told(void **state)
{
        struct world *w = *state;
        struct ob_stored_batch b = { .seq = 0 };
        const struct ob_bytes body = world_bytes("body");
        sqlite3 *db;

        world_ok(w, ob_store_put_batch(w->st, 1, &body, &w->err));
        assert_int_equal(sqlite3_open(w->state_dir.path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "UPDATE batches SET body = 'bady'", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        assert_false(w->state_dir.is_corrupt);
        assert_int_equal(ob_store_next_batch(w->st, 0, &b, &w->err), -1);
        assert_non_null(strstr(w->err.text, "batch 1 is damaged"));
        assert_true(w->state_dir.is_corrupt);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                IN_A_FOLDER(every_bit_counts),
                IN_A_FOLDER(every_length_counts),
                IN_A_FOLDER(what_is_damaged_is_named_and_left_out),
                IN_A_FOLDER(every_cell_may_hold_anything),
                cmocka_unit_test_setup_teardown(damage_that_is_met_is_told, world_on_disk, world_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
