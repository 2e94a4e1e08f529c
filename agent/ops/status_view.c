#include "agent/ops/status_view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "proto/memory.h"
#include "proto/utf8.h"

const char *ob_wellness_word(enum ob_wellness w)
{
        static const char *const words[OB_WELLNESSES] = {
                [OB_WELL] = "well",
                [OB_TROUBLED] = "troubled",
                [OB_ILL] = "ill",
                [OB_STUCK] = "stuck",
        };

        return words[w];
}

static int64_t since(const struct ob_view *v, int64_t moment)
{
        return moment && v->clock > moment ? v->clock - moment : 0;
}

static bool is_stuck(const struct ob_view *v, const struct ob_health *h)
{
        int64_t due = h->due;

        return due && v->clock > due && !h->is_waiting;
}

static void say(struct ob_view_one *one, const char *what, int64_t ms, const char *then)
{
        snprintf(one->why, sizeof(one->why), "%s %lld s%s%s%s", what, (long long)(ms / 1000), then,
                *one->story.error ? ": " : "", one->story.error);
}

static void evaluate_source(const struct ob_view *v, struct ob_view_one *one, const struct ob_source_counters *c)
{
        int64_t age = one->numbers[OB_NUMBER_AGE_MS];

        if (is_stuck(v, &c->health)) {
                one->well = OB_STUCK;
                say(one, "its thread was not heard of for", since(v, c->polled_at), "");
        } else if (age > one->numbers[OB_NUMBER_LIMIT_MS]) {
                one->well = OB_ILL;
                say(one, "not wholly read for", age,
                        c->health.is_waiting ? ", since there is no room: the queue or the disk is full" : "");
        } else if (c->health.failing_since) {
                one->well = OB_TROUBLED;
                say(one, "it fails since", since(v, c->health.failing_since), "");
        }
}

static void evaluate_sink(const struct ob_view *v, struct ob_view_one *one, const struct ob_sink_counters *c)
{
        int64_t failing = one->numbers[OB_NUMBER_FAILING_MS];

        if (is_stuck(v, &c->health)) {
                one->well = OB_STUCK;
                say(one, "its thread is over its time by", since(v, c->health.due), "");
        } else if (failing) {
                one->well = failing > one->numbers[OB_NUMBER_LIMIT_MS] ? OB_ILL : OB_TROUBLED;
                say(one, "has not delivered for", failing, "");
        }
}

/* A source is late when it has missed one poll and its patience is over. */
static void take_source(const struct ob_view *v, struct ob_view_one *one, struct ob_source_counters *c)
{
        *one = (struct ob_view_one) {
                .name = c->name,
                .numbers = { [OB_NUMBER_AGE_MS] = since(v, c->polled_at),
                        [OB_NUMBER_LIMIT_MS] = 2 * c->every_ms + v->of->config->status.patience * INT64_C(1000),
                        [OB_NUMBER_POLL_MS] = c->poll_ms,
                        [OB_NUMBER_ROWS] = c->rows,
                        [OB_NUMBER_LATE_ROWS] = c->late_rows,
                        [OB_NUMBER_ERRORS] = c->errors },
        };
        ob_health_read(&c->health, v->now, &one->story);
        ob_utf8_show_in(one->story.error, sizeof(one->story.error));
        evaluate_source(v, one, c);
}

static void take_sink(const struct ob_view *v, struct ob_view_one *one, struct ob_sink_counters *c)
{
        int64_t failing_since = c->health.failing_since;

        *one = (struct ob_view_one) {
                .name = c->name,
                .numbers = { [OB_NUMBER_FAILING_MS] = failing_since ? since(v, failing_since) + 1 : 0,
                        [OB_NUMBER_LIMIT_MS] = v->of->config->status.patience * INT64_C(1000),
                        [OB_NUMBER_BEHIND] = c->behind,
                        [OB_NUMBER_POINTS] = c->points,
                        [OB_NUMBER_SENT] = c->sent,
                        [OB_NUMBER_FOLDED] = c->folded,
                        [OB_NUMBER_LATE] = c->late,
                        [OB_NUMBER_LOST] = c->lost,
                        [OB_NUMBER_UNCERTAIN] = c->uncertain,
                        [OB_NUMBER_RECONNECTS] = c->reconnects },
        };
        ob_health_read(&c->health, v->now, &one->story);
        ob_utf8_show_in(one->story.error, sizeof(one->story.error));
        evaluate_sink(v, one, c);
}

/* The worst state first, then by id. */
static int compare(const void *a, const void *b)
{
        const struct ob_pipeline *x = a, *y = b;
        size_t nx = strlen(x->id), ny = strlen(y->id);

        if (x->state != y->state)
                return x->state > y->state ? -1 : 1;
        if (nx != ny)
                return nx > ny ? 1 : -1; /* ids are numbers: a longer one is larger */
        return strcmp(x->id, y->id);
}

static void take_manager(const struct ob_view *v, size_t i)
{
        struct ob_view_manager *m = &v->managers[i];

        m->name = v->of->config->managers[i].name;
        m->pipelines = ob_pipeline_health_list(v->of->states[i], &m->n);
        for (size_t p = 0; p < m->n; p++) {
                m->by_state[m->pipelines[p].state]++;
                ob_utf8_show_in(m->pipelines[p].id, sizeof(m->pipelines[p].id));
                ob_utf8_show_in(m->pipelines[p].why, sizeof(m->pipelines[p].why));
        }
        if (m->n)
                qsort(m->pipelines, m->n, sizeof(*m->pipelines), compare);
}

void ob_view_take(struct ob_view *v, const struct ob_status_of *of)
{
        *v = (struct ob_view) {
                .of = of,
                .now = ob_clock_wall(),
                .clock = ob_clock_ms(),
                .is_stopping = ob_stop_is_wanted(of->stop),
                .n_sources = of->counters->n_sources,
                .n_sinks = of->counters->n_sinks,
                .n_managers = of->config->n_managers,
        };
        v->sources = ob_alloc(v->n_sources, sizeof(*v->sources));
        v->sinks = ob_alloc(v->n_sinks, sizeof(*v->sinks));
        v->managers = ob_alloc(v->n_managers, sizeof(*v->managers));
        for (size_t i = 0; i < v->n_sources; i++)
                take_source(v, &v->sources[i], &of->counters->sources[i]);
        for (size_t i = 0; i < v->n_sinks; i++)
                take_sink(v, &v->sinks[i], &of->counters->sinks[i]);
        for (size_t i = 0; i < v->n_managers; i++)
                take_manager(v, i);
        ob_queue_size(of->queue, &v->queue_points, &v->queue_bytes);
}

void ob_view_free(struct ob_view *v)
{
        for (size_t i = 0; i < v->n_managers; i++)
                free(v->managers[i].pipelines);
        free(v->managers);
        free(v->sources);
        free(v->sinks);
}

static size_t count(const struct ob_view_one *all, size_t n, enum ob_wellness at_least)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++)
                found += all[i].well >= at_least;
        return found;
}

size_t ob_view_count(const struct ob_view *v, enum ob_wellness at_least)
{
        return count(v->sources, v->n_sources, at_least) + count(v->sinks, v->n_sinks, at_least);
}

static void add_problems(const char *what, const struct ob_view_one *all, size_t n, struct ob_bytes *out)
{
        for (size_t i = 0; i < n; i++) {
                ob_cleanup(ob_free_at) char *line = NULL;

                if (all[i].well == OB_WELL)
                        continue;
                line = ob_format("%s %s is %s: %s\n", what, all[i].name, ob_wellness_word(all[i].well), all[i].why);
                ob_bytes_add(out, line, strlen(line));
        }
}

void ob_view_add_problems(const struct ob_view *v, struct ob_bytes *out)
{
        add_problems("source", v->sources, v->n_sources, out);
        add_problems("sink", v->sinks, v->n_sinks, out);
}

enum ob_wellness ob_headline_wellness(enum ob_state state)
{
        if (!ob_state_is_bad(state))
                return OB_WELL;
        return state >= OB_STATE_STALLED ? OB_ILL : OB_TROUBLED;
}

static size_t count_state(const struct ob_view *v, enum ob_state state)
{
        size_t n = 0;

        for (size_t i = 0; i < v->n_managers; i++)
                n += v->managers[i].by_state[state];
        return n;
}

size_t ob_headline_pipelines(const struct ob_view *v, enum ob_wellness at_least)
{
        size_t n = 0;

        for (int state = 0; state < OB_STATES; state++)
                if (ob_headline_wellness((enum ob_state)state) >= at_least)
                        n += count_state(v, (enum ob_state)state);
        return n;
}

/* The room is enough for the longest text: each state once, with a number. */
static void __attribute__((format(printf, 2, 3))) add_words(struct ob_headline *h, const char *format, ...)
{
        size_t length = strlen(h->text);
        va_list args;

        va_start(args, format);
        vsnprintf(h->text + length, sizeof(h->text) - length, format, args);
        va_end(args);
}

static const char *plural(size_t n)
{
        return n == 1 ? "" : "s";
}

static void say_agent(const struct ob_view *v, struct ob_headline *h)
{
        size_t ill = ob_view_count(v, OB_ILL), troubled = ob_view_count(v, OB_TROUBLED);

        h->well = ill ? OB_ILL : troubled ? OB_TROUBLED : OB_WELL;
        if (v->is_stopping)
                add_words(h, "otterbeat is stopping");
        else if (ill)
                add_words(h, "otterbeat is ill: %zu past the deadline", ill);
        else if (troubled)
                add_words(h, "otterbeat is in trouble: %zu fail%s, none past the deadline", troubled,
                        troubled == 1 ? "s" : "");
        else
                add_words(h, "otterbeat is well: %zu source%s, %zu sink%s", v->n_sources, plural(v->n_sources),
                        v->n_sinks, plural(v->n_sinks));
}

/* What was read last stands while a source can't be read, and that is said. */
static bool is_old(const struct ob_view *v)
{
        for (size_t i = 0; i < v->n_sources; i++)
                if (v->sources[i].well >= OB_ILL)
                        return true;
        return false;
}

static void say_otter(const struct ob_view *v, struct ob_headline *h)
{
        size_t all = ob_headline_pipelines(v, OB_WELL), bad = ob_headline_pipelines(v, OB_TROUBLED);
        const char *between = "";

        h->is_known = all != 0;
        if (!all) {
                add_words(h, "How Otter does is not known: no pipeline was looked at");
                return;
        }
        if (!bad) {
                add_words(h, "Otter is well: %zu pipeline%s", all, plural(all));
        } else {
                h->well = ob_headline_pipelines(v, OB_ILL) ? OB_ILL : OB_TROUBLED;
                add_words(h, "Otter needs a look: ");
                for (int state = OB_STATES - 1; state >= 0; state--) {
                        size_t n = ob_state_is_bad((enum ob_state)state) ? count_state(v, (enum ob_state)state) : 0;

                        if (!n)
                                continue;
                        add_words(h, "%s%zu %s", between, n, ob_state_word((enum ob_state)state));
                        between = ", ";
                }
                add_words(h, " of %zu pipeline%s", all, plural(all));
        }
        if (is_old(v))
                add_words(h, ", when it was last read");
}

void ob_headlines(const struct ob_view *v, struct ob_headline lines[OB_HEADLINES])
{
        struct ob_headline agent = { .of = OB_HEADLINE_AGENT, .is_known = true },
                           otter = { .of = OB_HEADLINE_OTTER };
        bool is_otter_worse;

        say_agent(v, &agent);
        say_otter(v, &otter);
        is_otter_worse = otter.well > agent.well; /* else the agent, which all that is said of Otter hangs on */
        lines[is_otter_worse] = agent;
        lines[!is_otter_worse] = otter;
}
