#include "tests/unit/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source/poll.h"
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
        char *text;   /* ours: the cells point into it */
        char *before; /* ours: the rows of the last read, each between two ';' */
        bool is_same[100];
        bool compares; /* says which rows are the same as at the last read, as the reader of pages does */
        const char *cells[256];
        char list[100][24]; /* the cells of a list of ids */
        const char *list_cells[100];
        size_t n;
};

static void set_rows(struct script *s, const char *rows)
{
        char *rest, *row, *cell;
        size_t n = 0;
        ob_cleanup(ob_free_at) char *before = s->before;

        free(s->text);
        s->text = rest = ob_copy(rows);
        s->before = ob_format(";%s;", rows);
        for (size_t i = 0; (row = strsep(&rest, ";")); i++) {
                ob_cleanup(ob_free_at) char *whole = ob_format(";%s;", row);

                s->is_same[i] = before && strstr(before, whole);
                while ((cell = strsep(&row, " ")))
                        if (*cell)
                                s->cells[n++] = strcmp(cell, "-") != 0 ? cell : NULL;
        }
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
        if (s->compares)
                rows->is_same = s->is_same + first;
        rows->has_more = ob_source_find(r->source, OB_CURSOR) >= 0 && rows->n >= limit;
        if (rows->n > limit)
                rows->n = limit;
        return 0;
}

static int read_with_clock_script(struct ob_reader *r, int64_t from, unsigned limit, struct ob_reading *at,
        struct ob_rows *rows, struct ob_err *err)
{
        struct script *s = (struct script *)r;

        if (ob_source_find(r->source, OB_CURSOR) < 0 || read_script(r, from, limit, rows, err) || !rows->n)
                return 1;
        *at = (struct ob_reading) { .now = s->now,
                .has_rows = true,
                .max_id = id_of(s, (size_t)(rows->cells - s->cells) / rows->width + rows->n - 1) };
        return 0;
}

/* As the database lists them: of the rows in the text, which are in order. */
static int list_script(struct ob_reader *r, int64_t from, int64_t end, struct ob_rows *rows, struct ob_err *err)
{
        struct script *s = (struct script *)r;
        uint64_t words[OB_LIST_WORDS] = { 0 };
        size_t n = 0;

        (void)err;
        for (size_t i = 0; i < s->n; i++) {
                int64_t id = id_of(s, i), next = i + 1 < s->n ? id_of(s, i + 1) : end;

                if (id < from || id >= end)
                        continue;
                words[id % OB_CHUNK_IDS / 64] |= UINT64_C(1) << id % 64;
                if (next < end && next / OB_CHUNK_IDS == id / OB_CHUNK_IDS)
                        continue;
                snprintf(s->list[n++], sizeof(*s->list), "%lld", (long long)(id / OB_CHUNK_IDS));
                for (size_t word = 0; word < OB_LIST_WORDS; word++)
                        snprintf(s->list[n++], sizeof(*s->list), "%llu", (unsigned long long)words[word]);
                memset(words, 0, sizeof(words));
        }
        for (size_t i = 0; i < n; i++)
                s->list_cells[i] = s->list[i];
        *rows = (struct ob_rows) {
                .cells = s->list_cells, .width = 1 + OB_LIST_WORDS, .n = n / (1 + OB_LIST_WORDS)
        };
        return 0;
}

static void free_script(struct ob_reader *r)
{
        struct script *s = (struct script *)r;

        free(s->text);
        free(s->before);
        free(s);
}

static const struct ob_reader_ops script_ops = { open_script, look_script, read_script, read_with_clock_script,
        list_script, free_script };

/* A feed over a script, with a store in memory. */
struct world {
        struct ob_state_dir state_dir;
        struct ob_counters counters;
        struct ob_queue queue;
        struct ob_stop stop;
        struct ob_task task;
        struct script *script;
        int64_t seq; /* of the last batch that was looked at */
};

static void restart(struct world *w, const struct ob_source *source)
{
        ob_task_fini(&w->task);
        w->script = ob_alloc(1, sizeof(*w->script));
        w->script->reader = (struct ob_reader) {
                .ops = &script_ops, .source = source, .identity = "db", .plan = "", .missing = ""
        };
        memset(w->script->reader.has, true, sizeof(w->script->reader.has));
        w->task = (struct ob_task) { .source = source,
                .manager = "",
                .name = source->name,
                .counters = &w->counters.sources[0],
                .reader = &w->script->reader,
                .step = 3600,
                .outbox = { .store = w->state_dir.anchor,
                        .queue = &w->queue,
                        .counters = &w->counters.sources[0],
                        .stop = &w->stop } };
        ob_task_init(&w->task);
}

static void open_world(struct world *w, const struct ob_source *source)
{
        struct ob_err err;

        *w = (struct world) { .seq = 0 };
        ob_counters_init(&w->counters, 1, 0);
        ob_stop_init(&w->stop);
        assert_int_equal(ob_state_dir_open(&w->state_dir, "", &err), 0);
        assert_int_equal(ob_queue_open(&w->queue, w->state_dir.anchor, 1 << 20, &w->counters, &err), 0);
        restart(w, source);
}

static void close_world(struct world *w)
{
        ob_task_fini(&w->task);
        ob_queue_close(&w->queue);
        ob_state_dir_close(&w->state_dir);
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
                ob_text_add_string(lines, m.series->deliver_to == OB_TO_IDEMPOTENT ? "again " : "");
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

        while (ob_store_next_batch(w->state_dir.anchor, w->seq, &batch, &err) == 1) {
                w->seq = batch.seq;
                print_batch(&lines, &batch);
                print_events(&lines, &batch);
        }
        body = batch.body;
        assert_false(lines.too_long);
        room[lines.length] = '\0';
        return room;
}

/* A poll whose commit fails, because another transaction is open. */
static void fail_commit(struct world *w)
{
        struct ob_err err;

        assert_int_equal(ob_store_begin(w->state_dir.anchor, &err), 0);
        assert_int_equal(ob_task_poll(&w->task, &err), -1);
        ob_store_rollback(w->state_dir.anchor);
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

                if (restarts || story->polls[i].rewound || story->polls[i].restarts)
                        restart(&w, &source);
                w.task.repeat = story->repeat;
                w.script->compares = story->repeat != 0;
                if (story->polls[i].rewound &&
                        ob_store_rewind_source(w.state_dir.anchor, source.name, story->polls[i].rewound,
                                story->polls[i].counted_before, &err))
                        fail_msg("%s", err.text);
                if (story->polls[i].db)
                        identity = story->polls[i].db;
                w.script->reader.identity = identity;
                w.script->now = story->polls[i].now;
                set_rows(w.script, story->polls[i].rows);
                if (story->polls[i].fails)
                        fail_commit(&w);
                if (ob_task_poll(&w.task, &err))
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
                if (!stories[i].repeat)
                        tell(&stories[i], source, true);
        }
}
