#include <time.h>

#include "proto/memory.h"
#include "tests/otter/bulk.h"
#include "tests/otter/logs.h"
#include "tests/otter/run.h"

enum {
        MOST_ROWS = 5000,     /* of one transaction, after a long hold */
        MOST_STATEMENTS = 50, /* then a statement gets more rows */
        USUAL_ROWS = 8,
};

#define LONG_SHARE  0.15 /* of the transactions, held up to --hold */
#define ROLLED_BACK 0.05
#define SHORT_HOLD  0.005

struct writer {
        struct fo_worker *worker;
        struct fo_bulk bulk;
        struct fo_log_texts texts;
};

typedef int (*add_function)(struct writer *w);

static const struct fo_stamp by_server = { 0 };

static struct fo_batch any_batch(struct writer *w)
{
        const struct fo_world *world = w->worker->run->world;
        struct fo_random *random = &w->worker->random;

        return fo_world_batch(world, random, fo_random_between(random, 1, fo_world_pairs(world)), time(NULL));
}

static int add_delay(struct writer *w)
{
        struct fo_batch batch = any_batch(w);
        struct fo_delay row = { .pipeline = batch.row.pipeline, .ms = batch.delay_ms };

        return fo_rows_delay(&w->bulk, by_server, &row);
}

static int add_throughput(struct writer *w)
{
        struct fo_batch batch = any_batch(w);
        struct fo_throughput row = fo_world_throughput(&batch);

        return fo_rows_throughput(&w->bulk, by_server, &row);
}

static int add_history(struct writer *w)
{
        struct fo_batch batch = any_batch(w);

        return fo_rows_history(&w->bulk, by_server, &batch.row);
}

static int add_log(struct writer *w)
{
        struct fo_random *random = &w->worker->random;
        size_t kind = (size_t)fo_random_between(random, 0, (int64_t)fo_logs_kinds() - 1);
        struct fo_log row = fo_logs_make(&w->texts, w->worker->run->world, kind,
                fo_world_any_pipeline(w->worker->run->world, random), random);

        return fo_rows_log(&w->bulk, by_server, &row);
}

/* Locks its row until the end of the transaction, hence a pair of this writer's own. */
static int count_up(struct writer *w)
{
        struct fo_batch batch = any_batch(w);
        int64_t number = w->worker->number;

        batch.row.pair = fo_world_pair_of_writer(number);
        batch.row.pipeline = number % w->worker->run->world->pipelines + 1;
        return fo_rows_count_up(&w->worker->link.db, &batch.row);
}

/* How often each table's turn comes. FO_TABLE has no rows to add: it is counted up. */
static const struct share {
        enum fo_table table;
        add_function add;
        int64_t weight;
} shares[] = {
        { .table = FO_DELAY, .add = add_delay, .weight = 30 },
        { .table = FO_THROUGHPUT, .add = add_throughput, .weight = 25 },
        { .table = FO_HISTORY, .add = add_history, .weight = 25 },
        { .table = FO_LOG, .add = add_log, .weight = 8 },
        { .table = FO_TABLE, .add = count_up, .weight = 12 },
};

static const struct share *any_share(struct fo_random *random)
{
        const struct share *share = shares;
        int64_t left = fo_random_between(random, 0, 99);

        while (left >= share->weight)
                left -= share++->weight;
        return share;
}

/* One statement of up to `rows` rows, all of one second. Returns how many, or -1. */
static int64_t write_statement(struct writer *w, int64_t rows)
{
        const struct share *share = any_share(&w->worker->random);

        if (share->table == FO_TABLE)
                return share->add(w) ? -1 : 1;
        fo_rows_begin(&w->bulk, &w->worker->link.db, share->table);
        for (int64_t i = 0; i < rows; i++) {
                if (share->add(w))
                        return -1;
        }
        return fo_bulk_end(&w->bulk) ? -1 : rows;
}

static int write_all(struct writer *w, int64_t rows)
{
        int64_t each = 1 + rows / MOST_STATEMENTS;
        int64_t left = rows;

        while (left > 0) {
                int64_t written = write_statement(w, left < each ? left : each);

                if (written < 0)
                        return -1;
                left -= written;
        }
        return 0;
}

static double any_hold(struct writer *w)
{
        double longest = w->worker->run->options->hold;
        struct fo_random *random = &w->worker->random;

        if (!fo_random_is(random, LONG_SHARE) && longest > SHORT_HOLD)
                longest = SHORT_HOLD;
        return longest * fo_random_unit(random);
}

static int transact(struct writer *w, int64_t rows)
{
        struct fo_worker *worker = w->worker;
        bool rolled_back = fo_random_is(&worker->random, ROLLED_BACK);
        double hold = any_hold(w);

        if (fo_db_runf(&worker->link.db, "start transaction") || write_all(w, rows))
                return -1;
        /* When the run ends meanwhile, this transaction still ends as it was meant to. */
        fo_stop_wait(worker->run->stop, fo_clock_after(hold));
        if (fo_db_runf(&worker->link.db, rolled_back ? "rollback" : "commit"))
                return -1;
        worker->rolled_back += rolled_back;
        worker->rows += rolled_back ? 0 : rows;
        return 0;
}

/*
 * A writer that held a transaction owes the rows of that time: its next transaction writes them
 * all, so that the rate is kept and still most rows are committed soon.
 */
static void work(struct writer *w)
{
        const struct fo_run *run = w->worker->run;
        double row = (double)FO_SECOND * (double)run->options->writers / run->options->rate;
        double paid = (double)fo_clock_now();
        int64_t wanted = fo_random_between(&w->worker->random, 1, USUAL_ROWS);

        while (!fo_stop_wait(run->stop, (int64_t)(paid + (double)wanted * row))) {
                double owed = ((double)fo_clock_now() - paid) / row;
                int64_t rows = owed < MOST_ROWS ? (int64_t)owed : MOST_ROWS;

                /* What an outage kept from being written is nobody's debt. */
                paid = owed < MOST_ROWS ? paid + (double)rows * row : (double)fo_clock_now();
                wanted = fo_random_between(&w->worker->random, 1, USUAL_ROWS);
                if (fo_link_is_ready(&w->worker->link) && rows && transact(w, rows))
                        fo_link_drop(&w->worker->link);
        }
}

void fo_writer_run(struct fo_worker *worker)
{
        struct writer w = { .worker = worker };

        mysql_thread_init();
        work(&w);
        fo_link_close(&worker->link);
        fo_logs_fini(&w.texts);
        fo_bulk_fini(&w.bulk);
        mysql_thread_end();
}
