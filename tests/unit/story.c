#include "tests/unit/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/feed.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"
#include "tests/unit/unit.h"

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
        rows->has_more = ob_source_find(r->source, OB_CURSOR) >= 0 && rows->n >= limit;
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
                .reader = &w->script->reader,
                .step = 3600 };
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

/* A '!' stands before an event: its title, its text in brackets, and a '?' before the status of its check. */
static void print_events(struct ob_text *lines, const struct ob_stored_batch *stored)
{
        struct ob_batch_reader r;
        struct ob_event e;

        assert_true(ob_batch_open_events(&r, stored->body.data, stored->body.length));
        while (ob_batch_next_event(&r, &e) == 1) {
                ob_text_add_string(lines, lines->length ? "; !" : "!");
                ob_text_add_string(lines, e.title);
                ob_text_add_string(lines, " (");
                ob_text_add_string(lines, e.text);
                ob_text_add_string(lines, ")");
                if (!*e.check)
                        continue;
                ob_text_add_string(lines, " ");
                ob_text_add_string(lines, e.check);
                ob_text_add_char(lines, '?');
                ob_text_add_int(lines, e.status);
        }
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
                print_events(&lines, &batch);
        }
        body = batch.body;
        assert_false(lines.too_long);
        room[lines.length] = '\0';
        return room;
}

static void tell(const struct story *story, const struct ob_source *like, bool restarts)
{
        struct ob_source source = *like;
        struct world w;
        char room[LINES_MAX];
        const char *identity = "db";

        source.start = story->start;
        source.batch = story->batch ? story->batch : 1000;
        open_world(&w, &source);
        for (size_t i = 0; i < STORY_POLLS && story->polls[i].rows; i++) {
                struct ob_err err;
                const char *got;

                if (restarts || story->polls[i].rewound)
                        restart(&w, &source);
                if (story->polls[i].rewound && ob_store_rewind_source(w.place.anchor, source.name,
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

void story_tell_all(const struct story *stories, size_t n, const struct ob_source *source)
{
        for (size_t i = 0; i < n; i++) {
                tell(&stories[i], source, false);
                tell(&stories[i], source, true);
        }
}
