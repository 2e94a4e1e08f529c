#include "agent/verify/compare.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source/rewind.h"
#include "proto/memory.h"
#include "proto/name.h"

#define WAITING_MAX 1000000 /* steps: 24 MB */
#define DAY         86400   /* seconds */
#define LEAST_STEPS 1440    /* of one series in one request, when the range is as long */
#define POINTS_MAX  72000   /* of one answer: about 2 MB */
#define TARGETS_MAX 50      /* of one request */

void ob_compare_init(struct ob_compare *c)
{
        const struct ob_config *config = c->config;

        c->columns = ob_alloc(config->n_managers * config->n_sources * OB_COLUMNS_MAX, sizeof(*c->columns));
        c->first_step = ob_alloc(config->n_managers * config->n_sources, sizeof(*c->first_step));
        for (size_t g = 0; g < config->n_managers * config->n_sources; g++) {
                const struct ob_manager *manager = &config->managers[g / config->n_sources];
                const struct ob_source *source = &config->sources[g % config->n_sources];

                c->first_step[g] = INT64_MAX;
                for (unsigned i = 0; i < source->n_columns; i++) {
                        struct ob_column_series *column = &c->columns[c->n_columns];

                        *column = (struct ob_column_series) { .source = source, .group = g };
                        c->n_columns += ob_rewind_series(manager, source, i, &column->pattern);
                }
        }
}

static void free_series(struct ob_compared *s)
{
        free(s->waiting);
        free(s->examples);
        free(s);
}

void ob_compare_free(struct ob_compare *c)
{
        OB_HASH_FREE_ALL(c->series, free_series);
        free(c->columns);
        free(c->first_step);
}

/* A path belongs to one column; if a user's source makes series of the same names, the first column is taken. */
static const struct ob_column_series *find_column(const struct ob_compare *c, const char *path)
{
        bool (*is_of)(const char *path, const char *prefix, const struct ob_series *series) =
                c->sink->tagged ? ob_name_is_tagged_of : ob_name_is_dotted_of;
        size_t i = 0;

        while (i + 1 < c->n_columns && !is_of(path, c->config->prefix, &c->columns[i].pattern))
                i++;
        return &c->columns[i];
}

static struct ob_compared *find_series(struct ob_compare *c, const char *path, size_t length)
{
        struct ob_compared *s;

        HASH_FIND(hh, c->series, path, length, s);
        if (s)
                return s;
        s = ob_alloc(1, sizeof(*s) + length + 1);
        memcpy(s->path, path, length);
        s->length = length;
        s->column = find_column(c, s->path);
        s->was_asked = ob_render_can_ask(s->path);
        HASH_ADD_KEYPTR(hh, c->series, s->path, length, s);
        return s;
}

static double as_double(struct ob_metric_value value)
{
        return value.is_real ? value.real : (double)value.whole;
}

/* Graphite has only doubles. */
static bool is_equal(struct ob_metric_value tables, struct ob_metric_value graphite)
{
        return as_double(tables) == as_double(graphite);
}

static bool is_zero(const struct ob_amount *a)
{
        return a->is_there && as_double(a->value) == 0;
}

/* Puts a further value into an amount, as the fold does for a step. A sum that leaves 64 bits is a double here. */
static void add(enum ob_kind kind, struct ob_amount *to, struct ob_metric_value value)
{
        struct ob_metric_value sum = value;

        if (to->is_there && kind == OB_GAUGE_MAX && ob_number_compare(value, to->value) < 0)
                sum = to->value;
        if (to->is_there && kind == OB_COUNTER) {
                sum = to->value;
                if (value.is_real || sum.is_real || !ob_number_add(&sum.whole, value.whole))
                        ob_number_from_real(as_double(to->value) + as_double(value), &sum);
        }
        *to = (struct ob_amount) { true, sum };
}

static void add_amount(enum ob_kind kind, struct ob_amount *to, const struct ob_amount *from)
{
        if (from->is_there)
                add(kind, to, from->value);
}

static enum ob_cause find_cause(
        const struct ob_compare *c, const struct ob_compared *s, const struct ob_compared_step *at, bool is_kept)
{
        double tables = as_double(at->tables.value), graphite = as_double(at->graphite.value);

        if (!at->graphite.is_there)
                return s->has_value ? OB_CAUSE_MISSING : is_kept ? OB_CAUSE_LEADING : OB_CAUSE_BEFORE;
        if (!at->tables.is_there)
                return at->time < c->first_step[s->column->group] ? OB_CAUSE_PURGED : OB_CAUSE_NO_ROWS;
        if (graphite < tables)
                return OB_CAUSE_LESS;
        return s->column->pattern.kind == OB_COUNTER && tables > 0 && graphite >= 2 * tables ? OB_CAUSE_TWICE
                                                                                             : OB_CAUSE_MORE;
}

static void note_difference(struct ob_compared *s, const struct ob_compared_step *at, enum ob_cause cause)
{
        s->first = s->differ ? s->first : at->time;
        s->last = at->time;
        s->differ++;
        s->by[cause]++;
        if (s->n_examples == OB_EXAMPLES)
                return;
        s->examples = ob_grow(s->examples, &s->examples_room, s->n_examples, sizeof(*s->examples));
        s->examples[s->n_examples++] = *at;
}

/* `is_kept`: Graphite keeps points of this time. */
static void judge_step(
        const struct ob_compare *c, struct ob_compared *s, const struct ob_compared_step *at, bool is_kept)
{
        enum ob_kind kind = s->column->pattern.kind;

        /* Some relays write 0 into each step of a counter that gets nothing. */
        if (!at->tables.is_there && (!at->graphite.is_there || (kind == OB_COUNTER && is_zero(&at->graphite))))
                return;
        s->steps++;
        add_amount(kind, &s->tables, &at->tables);
        add_amount(kind, &s->graphite, &at->graphite);
        if (!at->tables.is_there || !at->graphite.is_there || !is_equal(at->tables.value, at->graphite.value))
                note_difference(s, at, find_cause(c, s, at, is_kept));
        else
                s->equal_positive += as_double(at->tables.value) > 0;
        s->has_value |= at->graphite.is_there;
}

/* The tables' value up to the time `end`, which is before the next step. */
static struct ob_amount take_waiting(struct ob_compared *s, int64_t end)
{
        struct ob_amount sum = { .is_there = false };

        for (; s->next < s->n_waiting && s->waiting[s->next].step < end; s->next++)
                add(s->column->pattern.kind, &sum, s->waiting[s->next].value);
        return sum;
}

static struct ob_amount take_rendered(
        const struct ob_compared *s, const struct ob_rendered *r, size_t *next, int64_t end)
{
        struct ob_amount sum = { .is_there = false };
        struct ob_metric_value value;

        for (; *next < r->n && r->points[*next].time < end; (*next)++)
                if (ob_number_from_real(r->points[*next].value, &value))
                        add(s->column->pattern.kind, &sum, value);
        return sum;
}

static int64_t later(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t round_down(int64_t time, int64_t step)
{
        return time - (time % step + step) % step;
}

/*
 * Compares the steps from `from` up to `end`. Where Graphite's steps are longer than ours, the tables' values are
 * folded into Graphite's steps, and a step that is not whole in this range is not compared.
 */
static void judge(
        const struct ob_compare *c, struct ob_compared *s, const struct ob_rendered *r, int64_t from, int64_t end)
{
        int64_t step = c->sink->step, width = r->step > step ? r->step : step;
        int64_t first = round_down(from + width - 1, width), last = round_down(end, width);
        size_t next = 0;

        s->is_found |= r->is_found;
        if (r->is_found && r->step && s->width < r->step)
                s->width = r->step;
        take_waiting(s, first);
        take_rendered(s, r, &next, first);
        for (int64_t at = first; at < last; at += width) {
                struct ob_compared_step one = { .time = at };

                one.tables = take_waiting(s, at + width);
                one.graphite = take_rendered(s, r, &next, at + width);
                judge_step(c, s, &one, r->n && at + width > r->points[0].time);
        }
        take_waiting(s, end);
}

/* A part of the range that is asked for in one request. */
struct part {
        int64_t from, end;
        struct ob_compared *series[TARGETS_MAX];
        size_t n;
};

static int ask(struct ob_compare *c, struct part *p, struct ob_err *err)
{
        struct ob_rendered found[TARGETS_MAX];
        const char *paths[TARGETS_MAX];

        if (!p->n)
                return 0;
        for (size_t i = 0; i < p->n; i++)
                paths[i] = p->series[i]->path;
        if (ob_render_ask(c->render, paths, p->n, p->from, p->end, found, err))
                return -1;
        for (size_t i = 0; i < p->n; i++) {
                struct ob_compared *s = p->series[i];

                judge(c, s, &found[i], later(s->from, p->from), earlier(s->upto, p->end));
        }
        ob_rendered_free(found, p->n);
        c->compared++;
        p->n = 0;
        return 0;
}

/* Sets what can be compared now of a series: the steps up to the last one that has come are closed. */
static void set_range(const struct ob_compare *c, struct ob_compared *s, bool is_end)
{
        if (!s->has_begun)
                s->from = s->upto = c->since == INT64_MIN ? c->first_step[s->column->group] : c->since;
        s->has_begun = true;
        if (is_end)
                s->upto = c->until;
        else if (s->n_waiting)
                s->upto = s->waiting[s->n_waiting - 1].step + c->sink->step;
}

static int compare_part(struct ob_compare *c, struct part *p, size_t n_targets, struct ob_err *err)
{
        struct ob_compared *s, *next;

        HASH_ITER (hh, c->series, s, next) {
                if (!s->was_asked || s->from >= p->end || s->upto <= p->from)
                        continue;
                p->series[p->n++] = s;
                if (p->n == n_targets && ask(c, p, err))
                        return -1;
        }
        return ask(c, p, err);
}

/*
 * The end of the part of a range that begins at `at`. A range is not cut when it is short enough, else at whole
 * days, since a step of Graphite that is longer than ours is compared only when it is whole in a part.
 */
static int64_t end_of_part(int64_t at, int64_t end, int64_t span)
{
        return end - at <= span ? end : round_down(at, span) + span;
}

static void set_ranges(struct ob_compare *c, bool is_end, int64_t *from, int64_t *end)
{
        struct ob_compared *s, *next;

        *from = INT64_MAX;
        *end = INT64_MIN;
        HASH_ITER (hh, c->series, s, next) {
                set_range(c, s, is_end);
                *from = earlier(*from, s->from);
                *end = later(*end, s->upto);
        }
}

/* Compares what can be compared now. */
static int compare_waiting(struct ob_compare *c, bool is_end, struct ob_err *err)
{
        int64_t step = c->sink->step, span = step * later(LEAST_STEPS, DAY / step), from, end;
        int64_t n_targets = earlier(TARGETS_MAX, later(1, POINTS_MAX / (span / step)));
        int64_t n_lists = (HASH_COUNT(c->series) + n_targets - 1) / n_targets;
        struct ob_compared *s, *next;

        set_ranges(c, is_end, &from, &end);
        c->to_compare = c->compared;
        for (int64_t at = from; at < end; at = end_of_part(at, end, span))
                c->to_compare += n_lists;
        for (int64_t at = from; at < end; at = end_of_part(at, end, span)) {
                struct part p = { .from = at, .end = end_of_part(at, end, span) };

                if (compare_part(c, &p, (size_t)n_targets, err))
                        return -1;
        }
        HASH_ITER (hh, c->series, s, next) {
                s->from = s->upto;
                s->n_waiting = s->next = 0;
        }
        c->n_waiting = 0;
        return 0;
}

void ob_compare_take(void *compare, const struct ob_fold_value *v)
{
        struct ob_compare *c = compare;
        struct ob_compared *s;

        if (c->has_failed)
                return;
        s = find_series(c, v->path, v->length);
        s->waiting = ob_grow(s->waiting, &s->room, s->n_waiting, sizeof(*s->waiting));
        s->waiting[s->n_waiting++] = (struct ob_waiting_step) { v->step, v->value };
        c->first_step[s->column->group] = earlier(c->first_step[s->column->group], v->step);
        if (++c->n_waiting >= WAITING_MAX && compare_waiting(c, false, &c->err))
                c->has_failed = true;
}

static int by_path(const struct ob_compared *a, const struct ob_compared *b)
{
        return strcmp(a->path, b->path);
}

int ob_compare_finish(struct ob_compare *c, struct ob_err *err)
{
        if (c->has_failed) {
                *err = c->err;
                return -1;
        }
        HASH_SORT(c->series, by_path);
        return compare_waiting(c, true, err);
}

bool ob_compared_is_equal(const struct ob_compared *s)
{
        return s->steps && !s->differ;
}
