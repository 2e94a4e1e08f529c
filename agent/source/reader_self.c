#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/reader.h"
#include "proto/memory.h"

#define CELL_MAX 24 /* a 64-bit number */

struct reader_self {
        struct ob_reader reader; /* first */
        struct ob_counters *counters;
        struct ob_queue *queue;
        const struct subject *subject;
        const char **cells;      /* ours */
        char (*texts)[CELL_MAX]; /* ours: the numbers among the cells */
};

/* Where the number behind a column's name comes from. `i`: the row. */
struct number {
        const char *column;
        int64_t (*get)(struct reader_self *s, size_t i);
};

/* What can be read: rows and their numbers. The text column `key` is the row's name. */
struct subject {
        const char *table, *key;
        size_t (*count)(struct reader_self *s);
        const char *(*name)(struct reader_self *s, size_t i);
        struct number numbers[10];
};

#define GETTER(called, from)                                                                                       \
        static int64_t called(struct reader_self *s, size_t i)                                                     \
        {                                                                                                          \
                (void)i;                                                                                           \
                return from;                                                                                       \
        }

GETTER(get_started, s->counters->started)
GETTER(get_poll_ms, s->counters->sources[i].poll_ms)
GETTER(get_age, (ob_clock_ms() - s->counters->sources[i].polled_at) / 1000)
GETTER(get_rows, s->counters->sources[i].rows)
GETTER(get_late_rows, s->counters->sources[i].late_rows)
GETTER(get_errors, s->counters->sources[i].errors)
GETTER(get_sent, s->counters->sinks[i].sent)
GETTER(get_points_in, s->counters->sinks[i].points)
GETTER(get_folded, s->counters->sinks[i].folded)
GETTER(get_late, s->counters->sinks[i].late)
GETTER(get_uncertain, s->counters->sinks[i].uncertain)
GETTER(get_lost, s->counters->sinks[i].lost)
GETTER(get_reconnects, s->counters->sinks[i].reconnects)
GETTER(get_behind, s->counters->sinks[i].behind)

static int64_t get_points(struct reader_self *s, size_t i)
{
        int64_t points, bytes;

        (void)i;
        ob_queue_size(s->queue, &points, &bytes);
        return points;
}

static int64_t get_bytes(struct reader_self *s, size_t i)
{
        int64_t points, bytes;

        (void)i;
        ob_queue_size(s->queue, &points, &bytes);
        return bytes;
}

static size_t count_sources(struct reader_self *s)
{
        return s->counters->n_sources;
}

static const char *name_source(struct reader_self *s, size_t i)
{
        return s->counters->sources[i].name;
}

static size_t count_sinks(struct reader_self *s)
{
        return s->counters->n_sinks;
}

static const char *name_sink(struct reader_self *s, size_t i)
{
        return s->counters->sinks[i].name;
}

static size_t count_one(struct reader_self *s)
{
        (void)s;
        return 1;
}

static const char *name_none(struct reader_self *s, size_t i)
{
        (void)s;
        (void)i;
        return NULL;
}

static const struct subject subjects[] = {
        { "sources", "source", count_sources, name_source,
                { { "started", get_started }, { "poll_ms", get_poll_ms }, { "age_s", get_age },
                        { "rows", get_rows }, { "late_rows", get_late_rows }, { "errors", get_errors },
                        { NULL } } },
        { "sinks", "sink", count_sinks, name_sink,
                { { "started", get_started }, { "points", get_points_in }, { "sent", get_sent },
                        { "folded", get_folded }, { "late", get_late }, { "lost", get_lost },
                        { "uncertain", get_uncertain }, { "reconnects", get_reconnects }, { "behind", get_behind },
                        { NULL } } },
        { "queue", "", count_one, name_none, { { "points", get_points }, { "bytes", get_bytes }, { NULL } } },
};

static struct reader_self *self(struct ob_reader *r)
{
        return (struct reader_self *)r;
}

static int open_self(struct ob_reader *r, struct ob_err *err)
{
        (void)r;
        (void)err;
        return 0;
}

static int read_clock_self(struct ob_reader *r, struct ob_reading *at, struct ob_err *err)
{
        (void)r;
        (void)err;
        *at = (struct ob_reading) { .now = ob_clock_wall(), .has_rows = true };
        return 0;
}

static const char *make_cell(struct reader_self *s, const char *column, size_t i, char text[CELL_MAX])
{
        if (!strcmp(column, "agent"))
                return s->counters->host;
        if (!strcmp(column, s->subject->key))
                return s->subject->name(s, i);
        for (const struct number *n = s->subject->numbers; n->column; n++)
                if (!strcmp(n->column, column)) {
                        snprintf(text, CELL_MAX, "%" PRId64, n->get(s, i));
                        return text;
                }
        return NULL;
}

static int read_self(struct ob_reader *r, int64_t from, unsigned limit, struct ob_rows *rows, struct ob_err *err)
{
        struct reader_self *s = self(r);
        size_t width = r->source->n_columns, n = s->subject->count(s);

        (void)from;
        (void)limit;
        (void)err;
        s->cells = ob_realloc(s->cells, n * width, sizeof(*s->cells));
        s->texts = ob_realloc(s->texts, n * width, sizeof(*s->texts));
        for (size_t i = 0; i < n * width; i++)
                s->cells[i] = make_cell(s, r->source->columns[i % width].column, i / width, s->texts[i]);
        *rows = (struct ob_rows) { .cells = s->cells, .n = n, .width = width };
        return 0;
}

static void free_self(struct ob_reader *r)
{
        struct reader_self *s = self(r);

        free(s->cells);
        free(s->texts);
        free(s);
}

static const struct ob_reader_ops ops = {
        .open = open_self,
        .read_clock = read_clock_self,
        .read = read_self,
        .free = free_self,
};

struct ob_reader *ob_reader_self_new(
        const struct ob_source *source, struct ob_counters *counters, struct ob_queue *queue)
{
        struct reader_self *s = ob_alloc(1, sizeof(*s));

        s->reader = (struct ob_reader) {
                .ops = &ops, .source = source, .identity = "", .plan = "our own counters", .missing = ""
        };
        memset(s->reader.has, true, sizeof(s->reader.has));
        s->counters = counters;
        s->queue = queue;
        for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
                if (!strcmp(subjects[i].table, source->table))
                        s->subject = &subjects[i];
        return &s->reader;
}
