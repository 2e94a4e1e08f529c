#include "tests/otter/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "proto/memory.h"
#include "tests/otter/bulk.h"
#include "tests/otter/logs.h"
#include "tests/otter/random.h"
#include "tests/otter/rows.h"
#include "tests/otter/world.h"

enum { ROWS_A_TRANSACTION = 100000, GAP_ONE_IN = 16 };

struct filler {
        struct fo_db *db;
        struct fo_world world;
        struct fo_random random;
        struct fo_bulk bulk;
        struct fo_log_texts texts;
        int64_t rows;
        int64_t until;
        double seconds; /* from the oldest to the newest row */
};

/* Row `i` of the table, from 0; pipelines and pairs take turns. */
typedef int (*add_function)(struct filler *f, struct fo_stamp stamp, int64_t i);

static struct fo_batch batch_of(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        return fo_world_batch(&f->world, &f->random, i % fo_world_pairs(&f->world) + 1, stamp.at);
}

static int add_delay(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        int64_t pair = i % f->world.pipelines * f->world.tables;
        struct fo_batch batch = batch_of(f, stamp, pair);
        struct fo_delay row = { .pipeline = batch.row.pipeline, .ms = batch.delay_ms };

        return fo_rows_delay(&f->bulk, stamp, &row);
}

static int add_throughput(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        struct fo_batch batch = batch_of(f, stamp, i);
        struct fo_throughput row = fo_world_throughput(&batch);

        return fo_rows_throughput(&f->bulk, stamp, &row);
}

static int add_history(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        struct fo_batch batch = batch_of(f, stamp, i);

        return fo_rows_history(&f->bulk, stamp, &batch.row);
}

static int add_log(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        size_t kind = (size_t)(i % (int64_t)fo_logs_kinds());
        struct fo_log row =
                fo_logs_make(&f->texts, &f->world, kind, fo_world_any_pipeline(&f->world, &f->random), &f->random);

        return fo_rows_log(&f->bulk, stamp, &row);
}

/* Made when the history began, last changed now. */
static int add_table_stat(struct filler *f, struct fo_stamp stamp, int64_t i)
{
        struct fo_batch batch = batch_of(f, stamp, i);

        stamp.at = f->until;
        return fo_rows_table_stat(&f->bulk, stamp, f->until - (int64_t)f->seconds, &batch.row);
}

static const add_function adds[FO_TABLES] = {
        [FO_DELAY] = add_delay,
        [FO_THROUGHPUT] = add_throughput,
        [FO_HISTORY] = add_history,
        [FO_LOG] = add_log,
        [FO_TABLE] = add_table_stat,
};

/* TABLE_STAT has one row a pair, and none on top of what is there already. */
static int limit_rows(struct filler *f, enum fo_table table, int64_t *rows)
{
        long long present;

        *rows = f->rows;
        if (table != FO_TABLE)
                return 0;
        if (fo_db_number(f->db, "select count(*) from TABLE_STAT", &present))
                return -1;
        if (*rows > fo_world_pairs(&f->world))
                *rows = fo_world_pairs(&f->world);
        if (present)
                *rows = 0;
        return 0;
}

static int find_last_id(struct filler *f, enum fo_table table, int64_t *id)
{
        char sql[64];
        long long last;

        snprintf(sql, sizeof(sql), "select max(ID) from %s", fo_rows_table_name(table));
        if (fo_db_number(f->db, sql, &last))
                return -1;
        *id = last;
        return 0;
}

/* Odd, as from one of two masters; gaps are what was rolled back. */
static int64_t next_id(struct filler *f, int64_t id)
{
        int64_t next = (id + 1) | 1;

        if (fo_random_between(&f->random, 1, GAP_ONE_IN) == 1)
                next += 2 * fo_random_between(&f->random, 1, 5);
        return next;
}

static int insert_rows(struct filler *f, enum fo_table table, int64_t rows, int64_t id)
{
        for (int64_t i = 0; i < rows; i++) {
                double share = (double)(rows - 1 - i) / (double)rows;
                struct fo_stamp stamp = {
                        .id = next_id(f, id),
                        .at = f->until - (int64_t)(share * f->seconds),
                };

                id = stamp.id;
                if (adds[table](f, stamp, i))
                        return -1;
                if ((i + 1) % ROWS_A_TRANSACTION == 0 && (fo_bulk_end(&f->bulk) || fo_db_runf(f->db, "commit")))
                        return -1;
        }
        return fo_bulk_end(&f->bulk) || fo_db_runf(f->db, "commit") ? -1 : 0;
}

static int fill(struct filler *f, enum fo_table table)
{
        int64_t rows;
        int64_t id;

        if (limit_rows(f, table, &rows) || find_last_id(f, table, &id))
                return -1;
        fo_rows_begin(&f->bulk, f->db, table);
        if (insert_rows(f, table, rows, id))
                return -1;
        fprintf(stderr, "table=%s event=filled rows=%" PRId64 "\n", fo_rows_table_name(table), rows);
        return 0;
}

static int fill_all(struct filler *f, int64_t which)
{
        if (fo_world_complete(&f->world, f->db) || fo_db_runf(f->db, "set autocommit = 0"))
                return -1;
        for (enum fo_table table = 0; table < FO_TABLES; table++) {
                if ((which == FO_TABLES || which == (int64_t)table) && fill(f, table))
                        return -1;
        }
        return 0;
}

int fo_history_fill(struct fo_db *db, const struct fo_options *options)
{
        struct filler f = {
                .db = db,
                .world = { .seed = (uint64_t)options->seed,
                        .pipelines = options->pipelines,
                        .tables = options->tables },
                .random.state = fo_random_mix((uint64_t)options->seed, 'h', 0),
                .rows = options->rows,
                .until = options->until ? options->until : time(NULL),
                .seconds = options->hours * 3600,
        };
        int failed = fill_all(&f, options->table);

        fo_logs_fini(&f.texts);
        fo_bulk_fini(&f.bulk);
        return failed;
}
