#include "agent/status/view.h"

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

/* A sink that has several queues is shown as one: as its worst part, with the work of all parts. */
static void merge_sink(struct ob_view_one *all, const struct ob_view_one *part)
{
        bool is_worse = part->well > all->well ||
                        (part->well == all->well &&
                                part->numbers[OB_NUMBER_FAILING_MS] > all->numbers[OB_NUMBER_FAILING_MS]);

        for (size_t m = 0; m < OB_HEALTH_MINUTES; m++) {
                all->story.minutes[m].done += part->story.minutes[m].done;
                all->story.minutes[m].failures += part->story.minutes[m].failures;
        }
        if (part->story.error_at > all->story.error_at) {
                all->story.error_at = part->story.error_at;
                memcpy(all->story.error, part->story.error, sizeof(all->story.error));
        }
        for (int n = OB_NUMBER_BEHIND; n <= OB_NUMBER_RECONNECTS; n++)
                all->numbers[n] += part->numbers[n];
        if (!is_worse)
                return;
        all->well = part->well;
        all->numbers[OB_NUMBER_FAILING_MS] = part->numbers[OB_NUMBER_FAILING_MS];
        memcpy(all->why, part->why, sizeof(all->why));
}

static void take_sinks(struct ob_view *v, struct ob_counters *c, bool is_first)
{
        for (size_t i = 0; i < v->n_sinks; i++) {
                struct ob_view_one part;

                take_sink(v, is_first ? &v->sinks[i] : &part, &c->sinks[i]);
                if (!is_first)
                        merge_sink(&v->sinks[i], &part);
        }
}

/* What does not work at the moment has no age and no health. */
static void take_counters(struct ob_view *v)
{
        const struct ob_status_of *of = v->of;
        size_t room = 0;
        bool is_first = true;

        for (size_t i = 0; i < of->n_counters; i++)
                room += of->counters[i]->n_sources;
        v->sources = ob_alloc(room, sizeof(*v->sources));
        v->sinks = ob_alloc(of->counters[0]->n_sinks, sizeof(*v->sinks));
        v->n_sinks = of->counters[0]->n_sinks;
        for (size_t i = 0; i < of->n_counters; i++) {
                struct ob_counters *c = of->counters[i];

                if (!c->is_running)
                        continue;
                for (size_t k = 0; k < c->n_sources; k++)
                        take_source(v, &v->sources[v->n_sources++], &c->sources[k]);
                take_sinks(v, c, is_first);
                is_first = false;
                v->queue_points += c->queue_points;
                v->queue_bytes += c->queue_bytes;
        }
        if (is_first)
                v->n_sinks = 0;
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
        m->pipelines = v->of->pipelines(v->of->ctx, i, &m->n);
        for (size_t p = 0; p < m->n; p++) {
                m->by_state[m->pipelines[p].state]++;
                ob_utf8_show_in(m->pipelines[p].id, sizeof(m->pipelines[p].id));
                ob_utf8_show_in(m->pipelines[p].why, sizeof(m->pipelines[p].why));
        }
        if (m->n)
                qsort(m->pipelines, m->n, sizeof(*m->pipelines), compare);
}

static void __attribute__((format(printf, 3, 4)))
lease_is(struct ob_view *v, enum ob_wellness well, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(v->lease_why, sizeof(v->lease_why), format, args);
        va_end(args);
        ob_utf8_show_in(v->lease_why, sizeof(v->lease_why));
        v->lease_well = well;
}

static void evaluate_leases(struct ob_view *v)
{
        const struct ob_membership_story *m = &v->membership;

        if (!m->is_open)
                return;
        if (!m->may_work)
                lease_is(v, OB_ILL, "not renewed for %lld s (%s), so this agent neither reads nor sends",
                        (long long)(m->oldest_ms / 1000),
                        *m->why ? m->why : "no answer from the database of the state yet");
        else if (*m->why && !m->managers)
                lease_is(v, OB_ILL, "this agent can't take over managers: %s", m->why);
        else if (m->unowned)
                lease_is(v, OB_TROUBLED, "%zu of %zu managers have no owner", m->unowned, v->n_leases);
}

static void take_leases(struct ob_view *v)
{
        struct ob_membership *m = v->of->membership;

        if (!m)
                return;
        ob_membership_read(m, &v->membership);
        v->n_leases = v->membership.is_open ? m->n_leases : 0;
        v->leases = ob_alloc(v->n_leases, sizeof(*v->leases));
        for (size_t i = 0; i < v->n_leases; i++)
                ob_lease_read(&m->leases[i], &v->leases[i]);
        evaluate_leases(v);
}

bool ob_view_is_standby(const struct ob_view *v)
{
        return v->membership.is_open && !v->membership.managers;
}

void ob_view_take(struct ob_view *v, const struct ob_status_of *of)
{
        *v = (struct ob_view) {
                .of = of,
                .now = ob_clock_wall(),
                .clock = ob_clock_ms(),
                .is_stopping = ob_stop_is_wanted(of->stop),
                .n_managers = of->pipelines ? of->config->n_managers : 0,
        };
        take_counters(v);
        v->managers = ob_alloc(v->n_managers, sizeof(*v->managers));
        for (size_t i = 0; i < v->n_managers; i++)
                take_manager(v, i);
        take_leases(v);
}

void ob_view_free(struct ob_view *v)
{
        for (size_t i = 0; i < v->n_managers; i++)
                free(v->managers[i].pipelines);
        free(v->managers);
        free(v->sources);
        free(v->sinks);
        free(v->leases);
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
        return count(v->sources, v->n_sources, at_least) + count(v->sinks, v->n_sinks, at_least) +
               (v->lease_well >= at_least);
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
        if (v->lease_well != OB_WELL) {
                ob_cleanup(ob_free_at) char *line =
                        ob_format("the leases are %s: %s\n", ob_wellness_word(v->lease_well), v->lease_why);

                ob_bytes_add(out, line, strlen(line));
        }
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
        else if (ob_view_is_standby(v))
                add_words(h, "otterbeat stands by: it owns no manager");
        else
                add_words(h, "otterbeat is well: %zu source%s, %zu sink%s", v->n_sources, plural(v->n_sources),
                        v->n_sinks, plural(v->n_sinks));
        if (h->well == OB_WELL && !v->is_stopping && v->membership.managers)
                add_words(h, ", %zu of %zu managers", v->membership.managers, v->n_leases);
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
