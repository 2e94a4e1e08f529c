/*
 * A disk that spoils what is on it: whichever bit of a store's file is turned, and wherever it is cut, either its
 * content is what it was, or it is told that it is not. All bits with OB_ALL_BITS=1, which takes minutes.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/world.h"

#define BATCHES 4
#define SAMPLE  400 /* how many bits, or lengths, are tried */

static int set_up(void **state)
{
        *state = folder_new();
        return 0;
}

static int tear_down(void **state)
{
        folder_remove(*state);
        return 0;
}

static void must(int result, const struct ob_err *err)
{
        if (result < 0)
                fail_msg("%s", err->text);
}

static void fill(struct ob_store *st)
{
        const struct ob_delivery delivery = {
                .acked = 1, .sent_upto = 2, .saved_state = { (unsigned char *)"carry", 5, 5 }
        };
        const struct ob_bytes key = world_bytes("key"), amounts = world_bytes("amounts");
        struct ob_checkpoint checkpoint = {
                .cursor = 700, .since = INT64_MIN, .counted_before = 5, .newest = 1587312000
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
        must(ob_store_put_totals(st, "table", &key, 7, &amounts, &err), &err);
        must(ob_store_put_totals(st, "table", &amounts, 8, &key, &err), &err);
        for (unsigned i = 1; i <= BATCHES; i++) {
                ob_cleanup(ob_free_at) char *text = ob_format("%0300d", i);
                const struct ob_bytes body = world_bytes(text);

                must(ob_store_put_batch(st, i, &body, &err), &err);
        }
}

static int note_total(void *ctx, const void *key, size_t key_length, int64_t id, const void *amounts, size_t length)
{
        fprintf(ctx, "total %.*s %lld %.*s\n", (int)key_length, (const char *)key, (long long)id, (int)length,
                (const char *)amounts);
        return 0;
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
                fprintf(out, "source %d %lld %lld %lld %lld %s\n", s.known, (long long)s.cursor, (long long)s.since,
                        (long long)s.counted_before, (long long)s.newest, s.identity);
        }
        for (int64_t number = 1; number < 4; number++) {
                struct ob_chunk c;

                must(ob_store_get_chunk(st, "delay", number, &c, &err), &err);
                fprintf(out, "chunk %lld %d %d %d\n", (long long)c.newest, c.bits[0], c.bits[1], c.bits[2]);
        }
        must(ob_store_each_totals(st, "table", note_total, out, &err), &err);
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
        { "UPDATE sinks SET carry = x'00' WHERE name = 'graphite'", "sink graphite", .sinks = 1 },
        { "UPDATE sinks SET mark = 0 WHERE name = 'statsd'", "sink statsd", .sinks = 1 },
        { "UPDATE sinks SET name = NULL WHERE name = 'statsd'", "sink ?", .sinks = 1 },
        { "UPDATE sinks SET name = CAST(name AS BLOB) WHERE name = 'statsd'", "sink statsd", .sinks = 1 },
        { "UPDATE sources SET name = NULL WHERE name = 'delay'", "the place of source ?", .checkpoints = 1 },
        { "UPDATE seen SET newest = 1 WHERE chunk = 2", "the counted ids of source delay", .chunks = 1 },
        { "UPDATE totals SET amounts = x'00' WHERE id = 7", "a total of source table", .totals = 1 },
        { "UPDATE sources SET position = 1 WHERE name = 'delay'", "the place of source delay", .checkpoints = 1 },
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
        { "sources", "position" },
        { "sources", "since" },
        { "sources", "floor" },
        { "sources", "again" },
        { "sources", "newest" },
        { "sources", "identity" },
        { "sources", "checksum" },
        { "seen", "source" },
        { "seen", "chunk" },
        { "seen", "newest" },
        { "seen", "bits" },
        { "seen", "checksum" },
        { "totals", "source" },
        { "totals", "id_key" },
        { "totals", "id" },
        { "totals", "amounts" },
        { "totals", "checksum" },
        { "batches", "points" },
        { "batches", "bytes" },
        { "batches", "body" },
        { "batches", "checksum" },
        { "sinks", "name" },
        { "sinks", "mark" },
        { "sinks", "reached" },
        { "sinks", "carry" },
        { "sinks", "checksum" },
};

static const char *const values[] = { "NULL", "x''", "x'00ff'", "''", "'text'", "-1", "9223372036854775807",
        "-9223372036854775807 - 1", "1e300", "CAST(rowid AS BLOB)" };

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
        assert_true(tried > 200);
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

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
