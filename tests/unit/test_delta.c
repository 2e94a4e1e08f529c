/*
 * What came to pass, from what a table holds at one poll after another. Rows are written as text: cells with a
 * blank between them, rows with a ';', "-" for NULL. What is wanted is what the queue gets, a line a point.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/feed.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"

#define LINES_MAX 4096

/* A reader of rows that stand in a text. */
struct script {
        struct ob_reader reader; /* first */
        int64_t now;
        char *text; /* ours: the cells point into it */
        const char *cells[256];
        char counts[64][24];
        const char *count_cells[64];
        size_t n;
};

static void set_rows(struct script *s, const char *rows)
{
        char *rest, *row, *cell;
        size_t n = 0;

        free(s->text);
        s->text = rest = ob_copy(rows);
        while ((row = strsep(&rest, ";")))
                while ((cell = strsep(&row, " ")))
                        if (*cell)
                                s->cells[n++] = strcmp(cell, "-") != 0 ? cell : NULL;
        s->n = n / s->reader.source->n_columns;
}

static int64_t id_of(const struct script *s, size_t row)
{
        int cursor = ob_source_find(s->reader.source, OB_CURSOR);

        return cursor < 0 ? 0 : strtoll(s->cells[row * s->reader.source->n_columns + (size_t)cursor], NULL, 10);
}

static int open_script(struct ob_reader *r, struct ob_err *err)
{
        (void)r;
        (void)err;
        return 0;
}

static int look_script(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        struct script *s = (struct script *)r;

        (void)err;
        *at = (struct ob_reading) { .now = s->now, .has_rows = s->n > 0, .max_id = s->n ? id_of(s, s->n - 1) : 0 };
        return 0;
}

static int read_script(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct script *s = (struct script *)r;
        size_t first = 0, width = r->source->n_columns;

        (void)err;
        if (ob_source_find(r->source, OB_CURSOR) < 0)
                limit = (unsigned)s->n;
        else
                while (first < s->n && id_of(s, first) < from)
                        first++;
        *rows = (struct ob_rows) { .cells = s->cells + first * width, .width = width, .n = s->n - first };
        if (rows->n > limit)
                rows->n = limit;
        return 0;
}

/* As the database counts: of the rows in the text, which are in order. */
static int count_script(
        struct ob_reader *r, int64_t from, int64_t end, int64_t size, struct ob_rows *rows, struct ob_err *err)
{
        struct script *s = (struct script *)r;
        size_t n = 0;

        (void)err;
        for (size_t i = 0, rows_of_run = 0; i < s->n; i++) {
                int64_t id = id_of(s, i), next = i + 1 < s->n ? id_of(s, i + 1) : end;

                if (id < from || id >= end)
                        continue;
                rows_of_run++;
                if (next < end && next / size == id / size)
                        continue;
                snprintf(s->counts[n], sizeof(*s->counts), "%lld", (long long)(id / size));
                snprintf(s->counts[n + 1], sizeof(*s->counts), "%zu", rows_of_run);
                s->count_cells[n] = s->counts[n];
                s->count_cells[n + 1] = s->counts[n + 1];
                n += 2;
                rows_of_run = 0;
        }
        *rows = (struct ob_rows) { .cells = s->count_cells, .width = 2, .n = n / 2 };
        return 0;
}

static void free_script(struct ob_reader *r)
{
        struct script *s = (struct script *)r;

        free(s->text);
        free(s);
}

static const struct ob_reader_ops script_ops = { open_script, look_script, read_script, count_script, free_script };

/* A feed over a script, with a store in memory. */
struct world {
        struct ob_store_place place;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop;
        struct ob_feed feed;
        struct script *script;
        int64_t seq; /* of the last batch that was looked at */
};

static void restart(struct world *w, const struct ob_source *source)
{
        ob_feed_fini(&w->feed);
        w->script = ob_alloc(1, sizeof(*w->script));
        w->script->reader = (struct ob_reader) {
                .ops = &script_ops, .source = source, .identity = "db", .plan = "", .missing = ""
        };
        memset(w->script->reader.has, true, sizeof(w->script->reader.has));
        w->feed = (struct ob_feed) { .source = source,
                .manager = "",
                .name = source->name,
                .store = w->place.anchor,
                .queue = &w->queue,
                .counters = &w->counters.sources[0],
                .stop = &w->stop,
                .reader = &w->script->reader };
        ob_feed_init(&w->feed);
}

static void open_world(struct world *w, const struct ob_source *source)
{
        struct ob_err err;

        *w = (struct world) { .seq = 0 };
        ob_counters_init(&w->counters, 1, 0);
        ob_stop_init(&w->stop);
        assert_int_equal(ob_store_place_open(&w->place, "", &err), 0);
        assert_int_equal(ob_queue_open(&w->queue, w->place.anchor, 1 << 20, &w->counters, &err), 0);
        restart(w, source);
}

static void close_world(struct world *w)
{
        ob_feed_fini(&w->feed);
        ob_queue_close(&w->queue);
        ob_store_place_close(&w->place);
        ob_counters_fini(&w->counters);
        ob_stop_fini(&w->stop);
}

static void print_batch(struct ob_text *lines, const struct ob_stored_batch *stored)
{
        struct ob_batch_reader r;
        struct ob_metric m;
        unsigned series;

        assert_true(ob_batch_open(&r, stored->body.data, stored->body.length));
        while (ob_batch_next(&r, &m, &series) == 1) {
                if (lines->length)
                        ob_text_add_string(lines, "; ");
                ob_text_add_string(lines, m.series->telling == OB_TELL_AGAIN ? "again " : "");
                ob_name_dotted(lines, "", m.series);
                ob_text_add_char(lines, ' ');
                ob_text_add_number(lines, m.value);
                ob_text_add_char(lines, '@');
                ob_text_add_int(lines, m.time);
        }
        ob_batch_close(&r);
}

/* What the last poll put into the queue. */
static const char *new_points(struct world *w, char room[LINES_MAX])
{
        struct ob_text lines = ob_text_over(room, LINES_MAX - 1);
        ob_cleanup(ob_bytes_free) struct ob_bytes body = { .length = 0 };
        struct ob_stored_batch batch = { .body = body };
        struct ob_err err;

        while (ob_store_next_batch(w->place.anchor, w->seq, &batch, &err) == 1) {
                w->seq = batch.seq;
                print_batch(&lines, &batch);
        }
        body = batch.body;
        assert_false(lines.too_long);
        room[lines.length] = '\0';
        return room;
}

#define POLLS_MAX 6

struct story {
        const char *promise;
        struct ob_start start;
        int batch;
        struct {
                int64_t now;
                const char *rows, *want;
                const char *db;         /* where the rows are from now on; NULL: where they were */
                int64_t rewound, again; /* before this poll, to this time; 0: not */
        } polls[POLLS_MAX];
};

static void tell(const struct story *story, const struct ob_source *like, bool restarts)
{
        struct ob_source source = *like;
        struct world w;
        char room[LINES_MAX];
        const char *identity = "db";

        source.start = story->start;
        source.batch = story->batch ? story->batch : 1000;
        open_world(&w, &source);
        for (size_t i = 0; i < POLLS_MAX && story->polls[i].rows; i++) {
                struct ob_err err;
                const char *got;

                if (restarts || story->polls[i].rewound)
                        restart(&w, &source);
                if (story->polls[i].rewound && ob_store_rewind_source(w.place.anchor, "log",
                                                       story->polls[i].rewound, story->polls[i].again, &err))
                        fail_msg("%s", err.text);
                if (story->polls[i].db)
                        identity = story->polls[i].db;
                w.script->reader.identity = identity;
                w.script->now = story->polls[i].now;
                set_rows(w.script, story->polls[i].rows);
                if (ob_feed_poll(&w.feed, &err))
                        fail_msg("%s: poll %zu: %s", story->promise, i + 1, err.text);
                got = new_points(&w, room);
                if (strcmp(got, story->polls[i].want) != 0)
                        fail_msg("%s: poll %zu%s: wanted \"%s\", got \"%s\"", story->promise, i + 1,
                                restarts ? " with restarts" : "", story->polls[i].want, got);
        }
        close_world(&w);
}

static void tell_all(const struct story *stories, size_t n, const struct ob_source *source)
{
        for (size_t i = 0; i < n; i++) {
                tell(&stories[i], source, false);
                tell(&stories[i], source, true);
        }
}

#define OLDEST                                                                                                     \
        {                                                                                                          \
                .kind = OB_START_OLDEST                                                                            \
        }
#define NOW                                                                                                        \
        {                                                                                                          \
                .kind = OB_START_NOW                                                                               \
        }

/* Columns: id, time, key, amount. */
static const struct ob_source log_source = {
        .name = "log",
        .table = "T",
        .overlap = 600,
        .settle = 2,
        .n_columns = 4,
        .columns = { { OB_CURSOR, "id" }, { OB_TIME, "t" }, { OB_KEY, "k", "k" }, { OB_INCREMENT, "n", "n" } },
};

static const struct story log_stories[] = {
        { "each row once", OLDEST, 0,
                { { 5000, "1 4000 a 5;2 4001 b 6", "k.a.n 5@4000; k.b.n 6@4001" },
                        { 5015, "1 4000 a 5;2 4001 b 6", "" },
                        { 5030, "1 4000 a 5;2 4001 b 6;3 5020 a 7", "k.a.n 7@5020" } } },
        { "page by page", OLDEST, 2,
                { { 5000, "1 4000 a 1;2 4000 a 2;3 4000 a 3;4 4000 a 4;5 4000 a 5",
                          "k.a.n 1@4000; k.a.n 2@4000; k.a.n 3@4000; k.a.n 4@4000; k.a.n 5@4000" },
                        { 5015, "5 4000 a 5;6 4000 a 6", "k.a.n 6@4000" } } },
        { "a lower id that becomes visible later", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3", "k.a.n 1@4990; k.a.n 3@4991" },
                        { 5015, "1 4990 a 1;2 4989 a 2;3 4991 a 3", "k.a.n 2@4989" },
                        { 5030, "1 4990 a 1;2 4989 a 2;3 4991 a 3", "" } } },
        { "a lower id behind far higher ones", OLDEST, 0,
                { { 5000, "10 4990 a 1;99000 4991 a 3", "k.a.n 1@4990; k.a.n 3@4991" },
                        { 5015, "10 4990 a 1;500 4992 a 2;99000 4991 a 3", "k.a.n 2@4992" } } },
        { "a young row waits until it is settled", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4999 a 2", "k.a.n 1@4990" },
                        { 5001, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 2@4999; k.a.n 3@4995" },
                        { 5015, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "" } } },
        { "… also when the next poll is long after", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 1@4990; k.a.n 3@4995" },
                        { 9000, "1 4990 a 1;2 4999 a 2;3 4995 a 3", "k.a.n 2@4999" } } },
        { "a row of a wrong clock does not wait for its time", OLDEST, 0,
                { { 5000, "1 9999 a 1", "k.a.n 1@9999" }, { 5015, "1 9999 a 1;2 5001 a 2", "k.a.n 2@5001" } } },
        { "from now on", NOW, 0,
                { { 5000, "1 4000 a 1;2 4990 a 2;3 4999 a 3", "" },
                        { 5015, "1 4000 a 1;2 4990 a 2;3 4999 a 3;4 5010 a 4", "k.a.n 4@5010" } } },
        { "from a time on", { .kind = OB_START_AT, .seconds = 4500 }, 0,
                { { 5000, "1 100 a 1;2 4000 a 2;3 4499 a 3;4 4500 a 4;5 4600 a 5",
                        "k.a.n 4@4500; k.a.n 5@4600" } } },
        { "from a time ago on", { .kind = OB_START_AGO, .seconds = 100 }, 0,
                { { 5000, "1 4899 a 1;2 4900 a 2", "k.a.n 2@4900" } } },
        { "an empty table that fills", NOW, 0, { { 5000, "", "" }, { 5015, "1 5010 a 1", "k.a.n 1@5010" } } },
        { "a table that was emptied and began anew", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2;3 4002 a 3", "k.a.n 1@4000; k.a.n 2@4001; k.a.n 3@4002" },
                        { 5015, "", "" }, { 5030, "1 5020 a 7", "k.a.n 7@5020" },
                        { 5045, "1 5020 a 7;2 5031 a 8", "k.a.n 8@5031" } } },
        { "… and was restored: what is older than what was counted last is not counted again", OLDEST, 0,
                { { 5000, "10 4000 a 1;11 4002 a 2", "k.a.n 1@4000; k.a.n 2@4002" },
                        { 5015, "5 4000 a 1;6 4001 a 2;7 5010 a 3", "k.a.n 3@5010" } } },
        { "… and is as long as before already", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2", "k.a.n 1@4000; k.a.n 2@4001" },
                        { 5015, "1 5001 a 7;2 5002 a 8;3 5003 a 9", "k.a.n 7@5001; k.a.n 8@5002; k.a.n 9@5003" },
                        { 5030, "1 5001 a 7;2 5002 a 8;3 5003 a 9", "" } } },
        { "the newest rows deleted, which is nothing to count", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2;3 4002 a 3", "k.a.n 1@4000; k.a.n 2@4001; k.a.n 3@4002" },
                        { 5015, "1 4000 a 1", "" }, { 5030, "1 4000 a 1;4 5020 a 4", "k.a.n 4@5020" } } },
        { "cells that can not be read cost themselves only", OLDEST, 0,
                { { 5000, "1 4000 a -;2 4001 a x;3 4002 a 1.5;4 0 a 4;5 - a 5;6 4003 - 6;7 4004 -1 7",
                        "k.a.n 4@5000; k.a.n 5@5000; k.none.n 6@4003; k.none.n 7@4004" } } },
        { "a clock that is set back: ids tell that rows are new", NOW, 0,
                { { 5000, "1 4000 a 1", "" }, { 5015, "1 4000 a 1;2 5010 a 2", "k.a.n 2@5010" },
                        { 1430, "1 4000 a 1;2 5010 a 2;3 1425 a 3", "k.a.n 3@1425" },
                        { 1445, "1 4000 a 1;2 5010 a 2;3 1425 a 3;4 1440 a 4", "k.a.n 4@1440" } } },
        { "a clock that is set forth, and back", NOW, 0,
                { { 5000, "1 4000 a 1", "" }, { 8615, "1 4000 a 1;2 8610 a 2", "k.a.n 2@8610" },
                        { 5030, "1 4000 a 1;2 8610 a 2;3 5025 a 3", "k.a.n 3@5025" } } },
        { "a replica that lags: nothing twice, and nothing that comes late is taken for old", OLDEST, 0,
                { { 5000, "1 4990 a 1;2 4991 a 2;4 4993 a 4", "k.a.n 1@4990; k.a.n 2@4991; k.a.n 4@4993" },
                        { 5015, "1 4990 a 1;2 4991 a 2", "", .db = "replica" },
                        { 5030, "1 4990 a 1;2 4991 a 2;3 4992 a 3;4 4993 a 4;5 5020 a 5",
                                "k.a.n 3@4992; k.a.n 5@5020" } } },
        { "another database: what is older than what was counted last is not counted", OLDEST, 0,
                { { 5000, "1 4000 a 1;2 4001 a 2", "k.a.n 1@4000; k.a.n 2@4001" },
                        { 5015, "11 4000 a 1;12 4001 a 2;13 4002 a 3", "k.a.n 3@4002", .db = "other" },
                        { 5030, "11 4000 a 1;12 4001 a 2;13 4002 a 3;14 5020 a 4", "k.a.n 4@5020" } } },
        { "what comes behind the overlap is found by counting", OLDEST, 0,
                { { 5000, "1 4990 a 1;3 4991 a 3;700 4992 a 7", "k.a.n 1@4990; k.a.n 3@4991; k.a.n 7@4992" },
                        { 6000, "1 4990 a 1;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 8@5990" },
                        { 6700, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "k.a.n 2@4990" },
                        { 6800, "1 4990 a 1;2 4990 a 2;3 4991 a 3;700 4992 a 7;701 5990 a 8", "" } } },
        { "rewound: what was counted is only for who may be told again", OLDEST, 0,
                { { 5000, "1 3999 a 1;2 4000 a 2;3 4800 a 3", "k.a.n 1@3999; k.a.n 2@4000; k.a.n 3@4800" },
                        { 5015, "1 3999 a 1;2 4000 a 2;3 4800 a 3;4 4995 a 4",
                                "again k.a.n 2@4000; again k.a.n 3@4800; k.a.n 4@4995", .rewound = 4000,
                                .again = 4801 },
                        { 5030, "1 3999 a 1;2 4000 a 2;3 4800 a 3;4 4995 a 4;5 5010 a 5", "k.a.n 5@5010" } } },
        { "… and what there is by now", OLDEST, 0,
                { { 5000, "1 3000 a 9;2 4000 a 1;3 4800 a 2", "again k.a.n 1@4000; again k.a.n 2@4800",
                          .rewound = 4000, .again = OB_AGAIN_ALL },
                        { 5015, "1 3000 a 9;2 4000 a 1;3 4800 a 2;4 5001 a 3", "k.a.n 3@5001" } } },
        { "… but not the hour that may be purged in part", OLDEST, 0,
                { { 9000, "1 4000 a 9;2 7199 a 1;3 7200 a 2", "again k.a.n 2@7200", .rewound = 4000,
                        .again = OB_AGAIN_ALL } } },
        { "… what was not seen then is new", OLDEST, 0,
                { { 5000, "1 3000 a 9;3 4800 a 3", "k.a.n 9@3000; k.a.n 3@4800" },
                        { 5015, "1 3000 a 9;2 4700 a 2;3 4800 a 3;900 4750 a 4",
                                "k.a.n 2@4700; again k.a.n 3@4800; k.a.n 4@4750", .rewound = 4000,
                                .again = 4801 } } },
        { "an amount of nothing is a point", OLDEST, 0, { { 5000, "1 4000 a 0", "k.a.n 0@4000" } } },
};

static void rows_that_are_added(void **unused)
{
        (void)unused;
        tell_all(log_stories, LENGTH(log_stories), &log_source);
}

/* Columns: id, made, time, key, total. */
static const struct ob_source state_source = {
        .name = "state",
        .table = "T",
        .n_columns = 5,
        .columns = { { OB_CURSOR, "id" }, { OB_MADE, "m" }, { OB_TIME, "t" }, { OB_KEY, "k", "k" },
                { OB_TOTAL, "n", "n" } },
};

static const struct story state_stories[] = {
        { "differences", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 10 4000 b 0", "k.a.n 100@4000; k.b.n 0@4000" },
                        { 5015, "1 10 4000 a 100;2 10 4000 b 0", "" },
                        { 5030, "1 10 5020 a 107;2 10 4000 b 0", "k.a.n 7@5020" } } },
        { "the first sight of an old row is the baseline", NOW, 0,
                { { 5000, "1 10 4000 a 100", "" }, { 5015, "1 10 5010 a 101", "k.a.n 1@5010" } } },
        { "a row made after the start counts whole", NOW, 0,
                { { 5000, "1 10 4000 a 100", "" }, { 5015, "1 10 4000 a 100;2 5005 5010 b 9", "k.b.n 9@5010" } } },
        { "a smaller total is a reset", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "1 10 5010 a 3", "" },
                        { 5030, "1 10 5020 a 5", "k.a.n 2@5020" } } },
        { "a row made anew counts whole", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" },
                        { 5015, "1 5001 5010 a 200", "k.a.n 200@5010" } } },
        { "of two rows of a key the lowest is followed", OLDEST, 1,
                { { 5000, "1 10 4000 a 100;2 10 4000 a 100", "k.a.n 100@4000" },
                        { 5015, "1 10 5010 a 110;2 10 5010 a 110", "k.a.n 10@5010" },
                        { 5030, "0 10 5010 a 50;1 10 5020 a 115;2 10 5020 a 115", "k.a.n 5@5020" } } },
        { "its heir is a new baseline", OLDEST, 0,
                { { 5000, "1 10 4000 a 100;2 10 4000 a 90", "k.a.n 100@4000" }, { 5015, "2 10 4000 a 95", "" },
                        { 5030, "2 10 5020 a 99", "k.a.n 4@5020" } } },
        { "a key that went and came back as a new row", OLDEST, 0,
                { { 5000, "1 10 4000 a 100", "k.a.n 100@4000" }, { 5015, "2 10 4000 b 1", "k.b.n 1@4000" },
                        { 5030, "2 10 4000 b 1;7 5020 5021 a 30", "k.a.n 30@5021" } } },
        { "page by page", OLDEST, 1,
                { { 5000, "1 10 4000 a 1;2 10 4000 b 2", "k.a.n 1@4000; k.b.n 2@4000" },
                        { 5015, "1 10 4000 a 2;2 10 4000 b 4", "k.a.n 1@4000; k.b.n 2@4000" } } },
};

static void rows_that_change_in_place(void **unused)
{
        (void)unused;
        tell_all(state_stories, LENGTH(state_stories), &state_source);
}

/* Columns: key, newest time. */
static const struct ob_source newest_source = {
        .name = "newest",
        .table = "T",
        .n_columns = 2,
        .columns = { { OB_KEY, "k", "k" }, { OB_AGE, "t", "age_s" } },
};

static const struct story newest_stories[] = {
        { "ages", NOW, 0,
                { { 5000, "a 4990;b 4000", "k.a.age_s 10@5000; k.b.age_s 1000@5000" },
                        { 5015, "a 4990", "k.a.age_s 25@5015" }, { 5030, "", "" } } },
        { "the youngest of a key, whatever else the index groups by", NOW, 0,
                { { 5000, "a 4000;a 4990;a 4500;b 4999", "k.a.age_s 10@5000; k.b.age_s 1@5000" } } },
        { "never negative, and nothing of a zero date", NOW, 0,
                { { 5000, "a 5003;b 0;c -", "k.a.age_s 0@5000" } } },
};

static void ages_of_the_newest_rows(void **unused)
{
        (void)unused;
        tell_all(newest_stories, LENGTH(newest_stories), &newest_source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_that_are_added),
                cmocka_unit_test(rows_that_change_in_place),
                cmocka_unit_test(ages_of_the_newest_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
