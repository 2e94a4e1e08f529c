/*
 * A store that version 3 of the schema wrote is opened, and each thing that it remembers is found again; also when
 * the upgrade was killed in the middle, and when a row of it is corrupt.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/sink/totals.h"
#include "agent/source/dedup.h"
#include "agent/source/names/name_store.h"
#include "agent/source/tracked_rows.h"
#include "agent/store/connection.h"
#include "agent/store/schema.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "tests/unit/folder.h"
#include "tests/unit/must.h"
#include "tests/unit/unit.h"

#define NOW   1587312000
#define TABLE "main/table"

/*
 * Written by the program as it was with version 3, and dumped. The tracked row "c" is from later in version 3, when
 * numbers had 64 bits and a total that was not known was -2^63.
 */
static const char store_3[] =
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 1868719457; PRAGMA user_version = 3;"
        "CREATE TABLE batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, points BIGINT, bytes BIGINT, bo"
        "dy BLOB, checksum BIGINT);"
        "INSERT INTO batches VALUES(1,1,7,X'62617463682031',1589423665);"
        "INSERT INTO batches VALUES(2,2,7,X'62617463682032',2084495908);"
        "INSERT INTO batches VALUES(3,3,7,X'62617463682033',1648417239);"
        "CREATE TABLE seen (source VARCHAR(200), chunk BIGINT, newest BIGINT, bits BLOB, checksum BIG"
        "INT, PRIMARY KEY (source, chunk)) WITHOUT ROWID;"
        "INSERT INTO seen VALUES('delay',2,1587312000,X'010203000000000000000000000000000000000000000"
        "0000000000000000000',4215723161);"
        "INSERT INTO seen VALUES('delay:before',1,1587312000,X'01020300000000000000000000000000000000"
        "00000000000000000000000000',1585118728);"
        "INSERT INTO seen VALUES('delay:changed',0,1587311900,X'0000000000000000000000000000000000000"
        "000000000000000000000000000',801405101);"
        "CREATE TABLE sinks (name VARCHAR(200) PRIMARY KEY, mark BIGINT, reached BIGINT, carry BLOB, "
        "checksum BIGINT);"
        "INSERT INTO sinks VALUES('graphite',1,2,X'7374617465',492197059);"
        "INSERT INTO sinks VALUES('statsd',2,2,X'',1774266998);"
        "CREATE TABLE sources (name VARCHAR(200) PRIMARY KEY, position BIGINT, since BIGINT, floor BI"
        "GINT, again BIGINT, newest BIGINT, identity VARCHAR(255), checksum BIGINT);"
        "INSERT INTO sources VALUES('delay',700,-9223372036854775808,600,5,1587312000,'server otter',"
        "880347054);"
        "INSERT INTO sources VALUES('main/table',8,1587311940,600,5,1587312000,'server otter',2837627"
        "474);"
        "CREATE TABLE totals (source VARCHAR(200), id_key BLOB, id BIGINT, amounts BLOB, checksum BIG"
        "INT, PRIMARY KEY (source, id_key)) WITHOUT ROWID;"
        "INSERT INTO totals VALUES('main/log:told',X'616C6C',0,X'0180D6E3E90B02636C6173730053656C6563"
        "74457863657074696F6E00636C617373004C6F6164457863657074696F6E0002706970656C696E653D332000F6D5"
        "E3E90B80D6E3E90B0801230480D6E3E90B0180D6E3E90B0000006C6F67007469746C650074657874007300000000"
        "7477696E20780000FED5E3E90B020000',1760423914);"
        "INSERT INTO totals VALUES('main/otter.names',X'0106FFFFFFFFFFFFFFFFFF01',3,X'00705F330070203"
        "3006300',3550626353);"
        "INSERT INTO totals VALUES('main/otter.names',X'021280D6E3E90B',9,X'060061006200',1296090150)"
        ";"
        "INSERT INTO totals VALUES('main/states',X'33',2,X'',3442107772);"
        "INSERT INTO totals VALUES('main/states',X'34',0,X'',2496420778);"
        "INSERT INTO totals VALUES('main/table',X'003D6100',7,X'80D6E3E90B9EE084B6EA9589E1BC0114FFFFF"
        "FFFFFFFFFFFFFFFFFFFFF01',3867437456);"
        "INSERT INTO totals VALUES('main/table',X'003D6200',8,X'FED5E3E90B9EE084B6EA9589E1BC01819BEE0"
        "280808080808080808004ECD5E3E90B',1743306060);"
        "INSERT INTO totals VALUES('main/table',X'003D6300',9,X'80D6E3E90B9EE084B6EA9589E1BC0114FEFFFFFFFFFFFFFFFF03',4053783994);"
        "INSERT INTO totals VALUES('otter.names',X'021280D6E3E90B',9,X'060061006200',2671133359);"
        "INSERT INTO totals VALUES('sink:statsd',X'',2,X'0101',382147972);"
        "INSERT INTO totals VALUES('sink:statsd',X'0102726F77732E746F74616C00706970656C696E650033006E"
        "6F6465006E00',0,X'1C',2532619613);"
        "INSERT INTO totals VALUES('sink:statsd',X'0102726F77732E746F74616C00706970656C696E650034006E"
        "6F6465006E00',0,X'81ADE204',155912404);";

static void run_sql(const char *path, const char *sql)
{
        sqlite3 *db;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                fail_msg("%s", sqlite3_errmsg(db));
        sqlite3_close(db);
}

static char *make_store_3(const char *dir)
{
        char *path = ob_format("%s/otterbeat.db", dir);

        run_sql(path, store_3);
        return path;
}

static int64_t number(const char *path, const char *sql)
{
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        struct ob_err err;
        int64_t n;

        must(ob_connection_open(path, &db, &err), &err);
        must(ob_connection_number(db, sql, &n, &err), &err);
        return n;
}

static void check_queue(struct ob_store *st)
{
        struct ob_delivery p = { .acked = 0 };
        struct ob_stored_batch b = { .seq = 0 };
        struct ob_err err;

        for (unsigned i = 1; i <= 3; i++) {
                ob_cleanup(ob_free_at) char *want = ob_format("batch %u", i);

                assert_int_equal(ob_store_next_batch(st, b.seq, &b, &err), 1);
                assert_true(b.seq == i && b.points == i && b.body.length == strlen(want));
                assert_memory_equal(b.body.data, want, b.body.length);
        }
        ob_bytes_free(&b.body);
        must(ob_store_get_delivery(st, "graphite", &p, &err), &err);
        assert_true(p.acked == 1 && p.sent_upto == 2 && p.saved_state.length == 5);
        assert_memory_equal(p.saved_state.data, "state", 5);
        must(ob_store_get_delivery(st, "statsd", &p, &err), &err);
        assert_true(p.acked == 2 && p.sent_upto == 2 && !p.saved_state.length);
        ob_bytes_free(&p.saved_state);
}

static void check_sources(struct ob_store *st)
{
        struct ob_checkpoint c;
        struct ob_chunk chunk;
        struct ob_err err;

        must(ob_store_get_checkpoint(st, "delay", &c, &err), &err);
        assert_true(c.known && c.cursor == 700 && c.since == INT64_MIN && c.floor == 600 && c.counted_before == 5 &&
                    c.newest == NOW && c.changed == NOW - 100);
        assert_string_equal(c.identity, "server otter");
        must(ob_store_get_checkpoint(st, TABLE, &c, &err), &err);
        assert_true(c.known && c.cursor == 8 && c.since == NOW - 60 && c.changed == 0);
        assert_int_equal(ob_store_get_chunk(st, "delay", 2, &chunk, &err), 1);
        assert_true(chunk.newest == NOW && chunk.bits[0] == 1 && chunk.bits[2] == 3);
        assert_int_equal(ob_store_get_chunk(st, "delay" OB_BEFORE_REWIND, 1, &chunk, &err), 1);
        assert_int_equal(ob_store_get_chunk(st, "delay:changed", 0, &chunk, &err), 0);
}

/* Twice: the first load gives the totals the names of their columns. */
static void check_tracked_rows(struct ob_store *st)
{
        for (int i = 0; i < 2; i++) {
                struct ob_tracked_rows rows = { .n_totals = 0 };
                struct ob_bytes a = { (unsigned char *)"\0=a", 4, 4 }, b = { (unsigned char *)"\0=b", 4, 4 },
                                c = { (unsigned char *)"\0=c", 4, 4 };
                struct ob_tracked_row *e;
                struct ob_err err;

                ob_tracked_rows_add_total(&rows, "INSERT_COUNT");
                ob_tracked_rows_add_total(&rows, "UPDATE_COUNT");
                must(ob_tracked_rows_load(&rows, st, TABLE, &err), &err);
                e = ob_tracked_rows_find(&rows, &a);
                assert_non_null(e);
                assert_true(e->id == 7 && e->made == NOW && !e->below_since && e->totals[0] == 5 &&
                            e->totals[1] == OB_TOTAL_UNKNOWN);
                e = ob_tracked_rows_find(&rows, &b);
                assert_non_null(e);
                assert_true(e->id == 8 && e->made == NOW - 1 && e->below_since == NOW - 10 && e->totals[0] == 1);
                assert_true(e->totals[1] == INT64_MAX); /* it was one more */
                e = ob_tracked_rows_find(&rows, &c);
                assert_non_null(e);
                assert_true(e->id == 9 && e->totals[0] == 5 && e->totals[1] == OB_TOTAL_UNKNOWN);
                assert_int_equal(rows.n_changed, 0);
                ob_tracked_rows_free(&rows);
        }
}

static void check_sink_totals(struct ob_store *st)
{
        struct ob_totals *t;
        struct ob_err err;
        struct ob_series s;
        const struct ob_total *one;

        assert_int_equal(ob_totals_open(&t, st, "statsd", OB_BY_TAGS, 0, &err), 1);
        assert_int_equal(ob_totals_count(t), 2);
        one = ob_totals_next(t, NULL);
        assert_true(ob_total_gauge(one, &s).value.whole == 7);
        assert_true(s.n_identity == 1 && s.n_tags == 2);
        assert_string_equal(s.name, "rows.total");
        assert_string_equal(s.tags[0].value, "3");
        assert_string_equal(s.tags[1].key, "node");
        assert_true(ob_total_gauge(ob_totals_next(t, one), &s).value.whole == 2);
        ob_totals_free(t);
}

static int note_state(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        int *states = ctx;

        (void)err;
        states[*(const char *)row[1].data - '0'] = (int)row[2].number + 1;
        return 0;
}

static void check_names_and_events(struct ob_store *st)
{
        ob_cleanup(ob_dedup_free) struct ob_dedup a = { .clock = 0 };
        struct ob_name_book book = { .n = 0 };
        struct ob_dedup_item *one;
        struct ob_event e;
        int states[10] = { 0 };
        struct ob_err err;

        must(ob_name_store_load(st, "main", &book, &err), &err);
        assert_int_equal(book.n, 2);
        assert_true(book.names[0]->kind == OB_NAMED_PIPELINE && book.names[0]->id == 3 &&
                    book.names[0]->since == INT64_MIN && book.names[1]->parent == 3 && book.names[1]->since == NOW);
        assert_string_equal(book.names[0]->node, "p_3");
        assert_string_equal(book.names[1]->texts[1], "b");
        must(ob_name_store_load(st, "", &book, &err), &err);
        assert_int_equal(book.n, 3);
        ob_name_book_free(&book);
        must(ob_dedup_load(&a, st, "main/log", &err), &err);
        one = ob_dedup_find(&a, "pipeline=3 ", NOW);
        assert_true(one->since == NOW - 5 && one->last == NOW && one->count == 4 && one->is_told);
        assert_true(ob_dedup_item_kept(one, &e));
        assert_string_equal(e.title, "title");
        one = ob_dedup_find(&a, "twin x", NOW);
        assert_true(one->last == NOW - 1 && one->count == 1 && !one->is_told);
        assert_true(ob_dedup_admit(&a, "class", "SelectException", 2));
        assert_true(ob_dedup_admit(&a, "class", "LoadException", 2));
        assert_false(ob_dedup_admit(&a, "class", "another", 2));
        must(ob_store_each_row(st, OB_TABLE_PIPELINE_STATES, "main/states", note_state, states, &err), &err);
        assert_true(states[3] == 2 + 1 && states[4] == 0 + 1);
}

static void check_all(struct ob_store *st)
{
        struct ob_corruption d;
        struct ob_err err;

        must(ob_store_repair(st, &d, &err), &err);
        assert_string_equal(d.first, "");
        check_queue(st);
        check_sources(st);
        check_tracked_rows(st);
        check_sink_totals(st);
        check_names_and_events(st);
}

static void each_thing_is_found_again(void **state)
{
        ob_cleanup(ob_free_at) char *path = make_store_3(*state);
        struct ob_state_dir state_dir;
        struct ob_err err;

        must(ob_state_dir_open(&state_dir, *state, &err), &err);
        assert_string_equal(state_dir.aside, "");
        check_all(state_dir.anchor);
        ob_state_dir_close(&state_dir);
        assert_int_equal(number(path, "PRAGMA user_version"), 4);
        assert_int_equal(number(path, "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE '%_3'"), 0);
        must(ob_state_dir_open(&state_dir, *state, &err), &err);
        assert_string_equal(state_dir.aside, "");
        check_all(state_dir.anchor);
        ob_state_dir_close(&state_dir);
}

/* As `cursor show`, --dry-run and replay read it, and --check looks at it: the file stays as it is. */
static void a_copy_is_upgraded_alone(void **state)
{
        ob_cleanup(ob_free_at) char *path = make_store_3(*state);
        ob_cleanup(ob_connection_close) sqlite3 *db = NULL;
        struct ob_state_dir copy;
        struct ob_err err;

        must(ob_state_dir_open(&copy, "", &err), &err);
        must(ob_state_dir_copy(&copy, *state, &err), &err);
        check_all(copy.anchor);
        ob_state_dir_close(&copy);
        must(ob_connection_open(path, &db, &err), &err);
        assert_int_equal(ob_schema_check(db, &err), 0);
        assert_int_equal(number(path, "PRAGMA user_version"), 3);
}

#define OPCODES 25 /* of SQLite's machine, between two looks at whether to be killed */

static int left; /* looks until the kill */

static int kill_in_time(void *ctx)
{
        (void)ctx;
        return --left ? 0 : raise(SIGKILL);
}

static int watch(sqlite3 *db, char **message, const void *api)
{
        (void)message;
        (void)api;
        sqlite3_progress_handler(db, OPCODES, kill_in_time, NULL);
        return SQLITE_OK;
}

/* Opens the store in a process of its own. True: that was killed after `looks`. */
static bool is_killed(const char *dir, int looks)
{
        int status = 0;
        pid_t child = fork();

        if (!child) {
                struct ob_state_dir state_dir;
                struct ob_err err;

                left = looks;
                sqlite3_auto_extension((void (*)(void))(void *)watch);
                _exit(ob_state_dir_open(&state_dir, dir, &err) ? 1 : 0);
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child);
        assert_true(WIFSIGNALED(status) || !WEXITSTATUS(status));
        return WIFSIGNALED(status);
}

static void a_kill_leaves_one_of_the_two(void **state)
{
        int n[5] = { 0 };
        bool was_killed = true;

        for (int looks = 1; was_killed; looks += 8) {
                ob_cleanup(ob_free_at) char *dir = ob_format("%s/%d", (char *)*state, looks);
                ob_cleanup(ob_free_at) char *path = NULL;
                struct ob_state_dir state_dir;
                struct ob_err err;
                int64_t version;

                must(ob_state_dir_open(&state_dir, dir, &err), &err); /* makes the folder */
                ob_state_dir_close(&state_dir);
                path = ob_format("%s/otterbeat.db", dir);
                unlink(path);
                free(make_store_3(dir));
                was_killed = is_killed(dir, looks);
                version = number(path, "PRAGMA user_version");
                assert_true(version == 3 || version == 4);
                n[version]++;
                must(ob_state_dir_open(&state_dir, dir, &err), &err);
                assert_string_equal(state_dir.aside, "");
                check_all(state_dir.anchor);
                ob_state_dir_close(&state_dir);
        }
        print_message("killed %d times before and %d times after the commit\n", n[3], n[4]);
        assert_true(n[3] > 5 && n[4] > 1);
}

/* What was corrupt in the old store is found in the new one; what is not a store of version 3 is set aside. */
static const struct {
        const char *sql, *first;
} corrupt[] = {
        { "UPDATE sources SET position = 1 WHERE name = 'delay'", "the checkpoint of source delay" },
        { "UPDATE sources SET name = NULL WHERE name = 'delay'", "the checkpoint of source ?" },
        { "UPDATE totals SET id = 1 WHERE source = '" TABLE "'", "a tracked row of source " TABLE },
        { "UPDATE totals SET amounts = 'x' WHERE source = 'main/log:told'",
                "a tracked row of source main/log:told" },
        { "UPDATE totals SET amounts = NULL WHERE source = 'sink:statsd'", "a tracked row of source sink:statsd" },
        { "UPDATE seen SET bits = x'' WHERE chunk = 2", "the seen ids of source delay" },
        { "UPDATE sinks SET mark = 3 WHERE name = 'graphite'", "the position of sink graphite" },
        { "UPDATE sinks SET name = NULL WHERE name = 'graphite'", "the position of sink ?" },
        { "UPDATE batches SET body = x'' WHERE seq = 2", "batch 2" },
        { "ALTER TABLE totals RENAME TO others", NULL },
        { "ALTER TABLE totals RENAME COLUMN id TO others", NULL },
};

static void what_is_corrupt_stays_so(void **state)
{
        for (size_t i = 0; i < LENGTH(corrupt); i++) {
                ob_cleanup(ob_free_at) char *path = make_store_3(*state);
                struct ob_state_dir state_dir;
                struct ob_corruption d;
                struct ob_err err;

                run_sql(path, corrupt[i].sql);
                must(ob_state_dir_open(&state_dir, *state, &err), &err);
                must(ob_store_repair(state_dir.anchor, &d, &err), &err);
                if (strcmp(d.first, corrupt[i].first ? corrupt[i].first : "") != 0)
                        fail_msg("%s: first is \"%s\"", corrupt[i].sql, d.first);
                assert_int_equal(!*state_dir.aside, corrupt[i].first != NULL);
                must(ob_store_repair(state_dir.anchor, &d, &err), &err);
                assert_string_equal(d.first, "");
                ob_state_dir_close(&state_dir);
                unlink(path);
        }
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_set_up, folder_tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                IN_A_FOLDER(each_thing_is_found_again),
                IN_A_FOLDER(a_copy_is_upgraded_alone),
                IN_A_FOLDER(a_kill_leaves_one_of_the_two),
                IN_A_FOLDER(what_is_corrupt_stays_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
