#include "agent/ops/agent.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/source/rewind.h"
#include "proto/memory.h"

#define DAY 86400 /* seconds */

/* Whether a source is the first enabled one of its worker: this source makes the worker. */
static bool makes_worker(const struct ob_config *c, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (c->sources[j].enabled && !strcmp(c->sources[j].worker, c->sources[i].worker))
                        return false;
        return c->sources[i].enabled;
}

/* How well the worker of a source is suited to read names: it has a session, or is rarely busy. */
static int suits_names(const struct ob_source *s)
{
        if (!s->enabled || s->kind == OB_SOURCE_COUNTERS)
                return 0;
        if (!strcmp(s->name, "table"))
                return 4;
        return s->kind == OB_SOURCE_TABLE ? 3 : s->kind == OB_SOURCE_ZONE ? 2 : 1;
}

/* The worker that reads the names of its manager; NULL: there is no worker of a manager. */
static const char *names_worker(const struct ob_config *c)
{
        const char *worker = NULL;
        int best = 0;

        for (size_t i = 0; i < c->n_sources; i++)
                if (suits_names(&c->sources[i]) > best) {
                        best = suits_names(&c->sources[i]);
                        worker = c->sources[i].worker;
                }
        return worker;
}

static void add_worker(struct ob_agent *a, size_t *n, const struct ob_manager *manager, const char *name)
{
        a->workers[*n] = (struct ob_worker) {
                .config = a->config,
                .manager = manager,
                .name = name,
                .counters = &a->counters,
                .index = *n,
                .queue = &a->queue,
                .names = manager && a->names ? &a->names[manager - a->config->managers] : NULL,
                .refreshes_names = manager && a->names && !strcmp(name, names_worker(a->config)),
                .state_dir = &a->state_dir,
                .states = manager ? a->states[manager - a->config->managers] : NULL,
                .turns = manager ? &a->turns[manager - a->config->managers] : NULL,
                .stop = &a->stop_workers,
                .is_once = a->is_once,
        };
        (*n)++;
}

/* Makes the workers without starting them. Returns their number. */
static size_t make_workers(struct ob_agent *a)
{
        const struct ob_config *c = a->config;
        size_t n = 0;

        a->workers = ob_alloc(c->n_sources * c->n_managers, sizeof(*a->workers));
        a->states = ob_alloc(c->n_managers, sizeof(*a->states));
        for (size_t m = 0; m < c->n_managers; m++)
                a->states[m] = ob_pipeline_health_new(&c->health);
        for (size_t i = 0; i < c->n_sources; i++) {
                if (!makes_worker(c, i))
                        continue;
                if (c->sources[i].kind == OB_SOURCE_COUNTERS)
                        add_worker(a, &n, NULL, c->sources[i].worker);
                for (size_t m = 0; m < c->n_managers && c->sources[i].kind != OB_SOURCE_COUNTERS; m++)
                        add_worker(a, &n, &c->managers[m], c->sources[i].worker);
        }
        return n;
}

/* Seconds after which the last row of a step may arrive, when no clock is set. */
static int longest_overlap(const struct ob_config *c)
{
        int longest = 0;

        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].enabled && c->sources[i].overlap > longest)
                        longest = c->sources[i].overlap;
        return longest;
}

static void make_sinks(struct ob_agent *a)
{
        const struct ob_config *c = a->config;

        a->sinks = ob_alloc(c->n_sinks, sizeof(*a->sinks));
        for (size_t i = 0; i < c->n_sinks; i++)
                a->sinks[i] = (struct ob_sink) {
                        .settings = &c->sinks[i],
                        .prefix = c->prefix,
                        .keep = longest_overlap(c) + 2 * c->sinks[i].step + OB_CLOCK_STEP,
                        .index = i,
                        .queue = &a->queue,
                        .counters = &a->counters.sinks[i],
                        .stop = &a->stop_sinks,
                        .state_dir = &a->state_dir,
                        .is_dry = a->is_dry,
                };
}

/* A dry run works on a copy of the state in memory, so that no checkpoint moves. */
static int open_state_dir(struct ob_agent *a, struct ob_err *err)
{
        const char *dir = a->config->state_dir;

        if (ob_state_dir_open(&a->state_dir, a->is_dry ? "" : dir, err))
                return -1;
        if (a->is_dry)
                return ob_state_dir_copy(&a->state_dir, dir, err);
        if (*a->state_dir.aside)
                ob_log(OB_LOG_ERROR, "store=%s event=set_aside as=%s why=\"%s\"", a->state_dir.path,
                        a->state_dir.aside, a->state_dir.why);
        if (!*dir && !a->is_replay)
                ob_log(OB_LOG_WARN,
                        "store=memory event=not_durable why=\"state_dir is empty: what is in the queue, "
                        "and where each source stands, is lost at the end\"");
        return 0;
}

/* `has_totals`: the store still has the totals of the rows, so that state tables need no rewind. */
static int rewind_worker(
        struct ob_agent *a, const struct ob_worker *w, int64_t since, bool has_totals, struct ob_err *err)
{
        for (size_t i = 0; i < a->config->n_sources; i++) {
                const struct ob_source *s = &a->config->sources[i];
                enum ob_shape shape = ob_source_shape(s);
                ob_cleanup(ob_free_at) char *name = ob_worker_name(w, s->name);

                if (!w->manager || strcmp(s->worker, w->name) != 0 ||
                        (shape != OB_SHAPE_LOG && (shape != OB_SHAPE_STATE || has_totals)))
                        continue;
                if (ob_rewind_source(a->state_dir.anchor, w->manager, s, name, since, OB_COUNTED_ALL, err))
                        return -1;
        }
        return 0;
}

/*
 * The store was lost, or a part of it. Graphite gets today's and yesterday's rows once more (a day begins with a
 * whole step). StatsD and the totals continue with new rows.
 */
static int rewind_all(struct ob_agent *a, size_t n_workers, bool has_totals, struct ob_err *err)
{
        int64_t since = (ob_clock_wall() / DAY - 1) * DAY;

        if (ob_store_begin(a->state_dir.anchor, err))
                return -1;
        for (size_t i = 0; i < n_workers; i++)
                if (rewind_worker(a, &a->workers[i], since, has_totals, err)) {
                        ob_store_rollback(a->state_dir.anchor);
                        return -1;
                }
        return ob_store_commit(a->state_dir.anchor, err);
}

static int begin_after_loss(struct ob_agent *a, size_t n_workers, struct ob_err *err)
{
        struct ob_corruption d;

        if (*a->state_dir.aside)
                return rewind_all(a, n_workers, false, err);
        if (ob_store_repair(a->state_dir.anchor, &d, err))
                return -1;
        if (!*d.first)
                return 0;
        ob_log(OB_LOG_ERROR,
                "store=%s event=corrupt first=\"%s\" batches=%lld points=%lld sinks=%lld chunks=%lld totals=%lld "
                "sources=%lld why=\"checksums do not match: these points are lost, Graphite is told again what the "
                "tables still have of them\"",
                a->state_dir.path, d.first, (long long)d.batches, (long long)d.points, (long long)d.sinks,
                (long long)d.chunks, (long long)d.totals, (long long)d.checkpoints);
        return rewind_all(a, n_workers, !d.totals && !d.checkpoints, err);
}

static int forget_other_sinks(struct ob_agent *a, struct ob_err *err)
{
        ob_cleanup(ob_free_at) const char **names = ob_alloc(a->config->n_sinks, sizeof(*names));
        int forgotten;

        for (size_t i = 0; i < a->config->n_sinks; i++)
                names[i] = a->config->sinks[i].name;
        forgotten = ob_store_keep_sinks(a->state_dir.anchor, names, a->config->n_sinks, err);
        if (forgotten > 0)
                ob_log(OB_LOG_WARN,
                        "store=%s event=sinks_forgotten n=%d why=\"they are not in the config any more\"",
                        a->state_dir.path, forgotten);
        return forgotten < 0 ? -1 : 0;
}

static void make_names(struct ob_agent *a)
{
        const struct ob_config *c = a->config;
        bool wants_labels = false, wants_nodes = false;

        if (!c->names.enabled)
                return;
        for (size_t i = 0; i < c->n_sinks; i++) {
                wants_labels |= ob_config_has_tags(&c->sinks[i]);
                wants_nodes |= c->sinks[i].path == OB_PATH_NAMES;
        }
        a->names = ob_alloc(c->n_managers, sizeof(*a->names));
        for (size_t i = 0; i < c->n_managers; i++)
                a->names[i] = (struct ob_names) {
                        .manager = &c->managers[i],
                        .stop = &a->stop_workers,
                        .every = c->names.every,
                        .wants_labels = wants_labels,
                        .wants_nodes = wants_nodes,
                };
}

/* Only the store knows since when a name is valid: a replay reads the store of the running agent. */
static int open_names(struct ob_agent *a, struct ob_err *err)
{
        struct ob_state_dir copy = { .lock_fd = -1 };
        struct ob_store *stored = a->state_dir.anchor;
        int got = 0;

        if (a->names && a->names_dir) {
                got = ob_state_dir_open(&copy, "", err) || ob_state_dir_copy(&copy, a->names_dir, err) ? -1 : 0;
                stored = copy.anchor;
        }
        while (!got && a->names && a->n_names < a->config->n_managers)
                got = ob_names_open(&a->names[a->n_names++], stored, err);
        ob_state_dir_close(&copy);
        return got;
}

struct ob_status_of ob_agent_status_of(struct ob_agent *a)
{
        return (struct ob_status_of) {
                .config = a->config,
                .counters = &a->counters,
                .queue = &a->queue,
                .states = a->states,
                .stop = &a->stop_workers,
        };
}

/* Only a continuous agent has a status page: --once, --dry-run and replay may run beside it. */
static int start_status(struct ob_agent *a, struct ob_err *err)
{
        const struct ob_status_of of = ob_agent_status_of(a);

        return a->is_once || a->is_dry || a->is_replay ? 0 : ob_status_start(&a->status, &of, err);
}

/* Progress is shown while --once reads, and while the agent stops. */
static void show_progress(struct ob_agent *a)
{
        const struct ob_progress_of of = { a->config, &a->counters, &a->stop_sinks, a->terminal };

        if (!a->progress)
                a->progress = ob_progress_start(&of);
}

static int start_all(struct ob_agent *a, struct ob_err *err)
{
        size_t n_workers;

        a->turns = ob_alloc(a->config->n_managers, sizeof(*a->turns));
        for (size_t m = 0; m < a->config->n_managers; m++)
                ob_session_turns_init(&a->turns[m], a->config, &a->config->managers[m]);
        make_names(a);
        n_workers = make_workers(a);

        ob_counters_init(&a->counters, n_workers, a->config->n_sinks);
        for (size_t i = 0; i < n_workers; i++)
                a->counters.sources[i].name = ob_worker_name(&a->workers[i], a->workers[i].name);
        if (open_state_dir(a, err) || begin_after_loss(a, n_workers, err) || forget_other_sinks(a, err) ||
                ob_queue_open(&a->queue, a->state_dir.anchor, a->config->queue_max_bytes, &a->counters, err))
                return -1;
        ob_agent_watch(a);
        a->counters.reading = n_workers;
        make_sinks(a);
        while (a->n_sinks < a->config->n_sinks)
                if (ob_sink_start(&a->sinks[a->n_sinks++], err))
                        return -1;
        if (open_names(a, err))
                return -1;
        if (a->is_once)
                show_progress(a);
        while (a->n_workers < n_workers)
                if (ob_worker_start(&a->workers[a->n_workers++], err))
                        return -1;
        return start_status(a, err);
}

int ob_agent_start(struct ob_agent *a, const struct ob_config *config, struct ob_err *err)
{
        a->config = config;
        a->n_names = a->n_workers = a->n_sinks = 0;
        a->names = NULL;
        a->turns = NULL;
        a->status = NULL;
        a->progress = NULL;
        a->state_dir = (struct ob_state_dir) { .lock_fd = -1 };
        a->queue = (struct ob_queue) { .max_bytes = 0 };
        ob_stop_init(&a->stop_workers);
        ob_stop_init(&a->stop_sinks);
        if (!start_all(a, err))
                return 0;
        ob_stop_want(&a->stop_sinks, ob_clock_ms());
        ob_agent_stop(a);
        return -1;
}

static void watch_disk(struct ob_agent *a, bool is_waited_for)
{
        bool is_low;
        int64_t room;

        if (!ob_state_dir_room(&a->state_dir, &room))
                return;
        ob_queue_set_room(&a->queue, room);
        /* The limit for recovery is higher, so that the log does not change each second. */
        is_low = is_waited_for || room < (a->is_disk_low ? OB_STORE_MARGIN / 16 : 0);
        if (!ob_log_change(&a->is_disk_low, is_low))
                return;
        if (is_low)
                ob_log(OB_LOG_ERROR,
                        "store=%s event=disk_low margin=%lld why=\"sinks deliver, and reading waits until there is "
                        "more room: the tables keep the rows\"",
                        a->state_dir.path, (long long)OB_STORE_MARGIN);
        else
                ob_log(OB_LOG_INFO, "store=%s event=disk_recovered", a->state_dir.path);
}

static void watch_queue(struct ob_agent *a, bool is_waited_for)
{
        int64_t max = a->config->queue_max_bytes, points, bytes;
        bool is_full;

        ob_queue_size(&a->queue, &points, &bytes);
        is_full = is_waited_for || (a->is_queue_full && bytes > max / 2);
        if (!ob_log_change(&a->is_queue_full, is_full))
                return;
        if (is_full)
                ob_log(OB_LOG_WARN,
                        "sink=%s event=queue_full max_bytes=%lld why=\"reading waits until this sink has acknowledged its "
                        "oldest points, which Graphite does one horizon after they were sent; the tables keep the rows\"",
                        a->counters.sinks[ob_queue_keeper(&a->queue)].name, (long long)max);
        else
                ob_log(OB_LOG_INFO, "event=queue_recovered");
}

void ob_agent_watch(struct ob_agent *a)
{
        struct ob_queue_waits waits = ob_queue_take_waits(&a->queue);

        watch_disk(a, waits.disk);
        watch_queue(a, waits.sinks);
}

int64_t ob_agent_progress(const struct ob_agent *a)
{
        int64_t sum = 0;

        for (size_t i = 0; i < a->n_workers; i++)
                sum += a->counters.sources[i].rows + a->workers[i].is_done;
        for (size_t i = 0; i < a->n_sinks; i++)
                sum += a->counters.sinks[i].points - a->counters.sinks[i].behind + a->counters.sinks[i].sent;
        return sum;
}

bool ob_agent_is_corrupt(const struct ob_agent *a)
{
        return a->state_dir.is_corrupt;
}

bool ob_agent_is_drained(struct ob_agent *a)
{
        for (size_t i = 0; i < a->n_workers; i++)
                if (!a->workers[i].is_done)
                        return false;
        for (size_t i = 0; i < a->n_sinks; i++)
                if (a->counters.sinks[i].behind)
                        return false;
        return true;
}

static bool join_workers(struct ob_agent *a)
{
        bool is_clean = true;

        for (size_t i = 0; i < a->n_workers; i++) {
                ob_worker_join(&a->workers[i]);
                is_clean &= a->workers[i].is_clean || !a->is_once;
        }
        return is_clean;
}

static bool join_sinks(struct ob_agent *a)
{
        bool is_clean = true;

        for (size_t i = 0; i < a->n_sinks; i++) {
                ob_sink_join(&a->sinks[i]);
                is_clean &= a->sinks[i].is_clean && !a->counters.sinks[i].lost && !a->counters.sinks[i].late;
        }
        return is_clean;
}

bool ob_agent_stop(struct ob_agent *a)
{
        bool is_clean;

        show_progress(a);
        ob_stop_want(&a->stop_workers, ob_clock_ms());
        for (size_t m = 0; a->turns && m < a->config->n_managers; m++)
                ob_session_turns_stop(&a->turns[m]);
        is_clean = join_workers(a);
        for (size_t i = 0; i < a->n_names; i++)
                ob_names_close(&a->names[i]);
        /* A corrupt store gives no points: the next start repairs the store. */
        ob_stop_want(
                &a->stop_sinks, ob_clock_ms() + (ob_agent_is_corrupt(a) ? 0 : a->config->drain * INT64_C(1000)));
        if (a->queue.sinks)
                ob_queue_wake(&a->queue);
        is_clean &= join_sinks(a);
        ob_progress_stop(a->progress);
        a->progress = NULL;
        ob_status_stop(a->status);
        ob_queue_close(&a->queue);
        ob_counters_fini(&a->counters);
        ob_state_dir_close(&a->state_dir);
        ob_stop_fini(&a->stop_workers);
        ob_stop_fini(&a->stop_sinks);
        for (size_t m = 0; a->turns && m < a->config->n_managers; m++) {
                ob_pipeline_health_free(a->states[m]);
                ob_session_turns_fini(&a->turns[m]);
        }
        free(a->turns);
        free(a->names);
        free(a->states);
        free(a->workers);
        free(a->sinks);
        a->names = NULL;
        a->turns = NULL;
        a->states = NULL;
        a->workers = NULL;
        a->sinks = NULL;
        return is_clean;
}
