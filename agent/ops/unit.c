#include "agent/ops/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/source/pipeline_health.h"
#include "agent/source/rewind.h"
#include "proto/memory.h"

#define DAY           86400                /* seconds */
#define OWN_QUEUE_MAX (INT64_C(4) << 20)   /* bytes that the agent's own counters may take in memory */
#define PART_MIN      (INT64_C(256) << 10) /* bytes of the smallest queue */

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

/* The permission that the lease of a shared state gives; NULL: this unit shares no state. */
static struct ob_permit *permit_of(struct ob_unit *u)
{
        return u->lease ? &u->lease->permit : NULL;
}

static bool belongs(enum ob_unit_part part, const struct ob_source *s)
{
        return part == OB_UNIT_WHOLE || (part == OB_UNIT_OWN) == (s->kind == OB_SOURCE_COUNTERS);
}

/* A limit that all units of the agents share, which is not "none" for any of them. */
static int64_t share_of(int64_t limit, size_t n)
{
        return limit && !(limit / (int64_t)n) ? 1 : limit / (int64_t)n;
}

/* Agents divide the managers among them, but together they have one carbon and one limit of the queue. */
static void narrow(struct ob_unit *u, size_t manager)
{
        struct ob_config *c = &u->config;
        size_t n = u->whole->n_managers ? u->whole->n_managers : 1;

        *c = *u->whole;
        c->sources = ob_alloc(c->n_sources, sizeof(*c->sources));
        memcpy(c->sources, u->whole->sources, c->n_sources * sizeof(*c->sources));
        c->sinks = ob_alloc(c->n_sinks, sizeof(*c->sinks));
        memcpy(c->sinks, u->whole->sinks, c->n_sinks * sizeof(*c->sinks));
        if (u->part == OB_UNIT_WHOLE)
                return;
        c->n_managers = u->part == OB_UNIT_MANAGER;
        c->managers = &u->whole->managers[c->n_managers ? manager : 0];
        for (size_t i = 0; i < c->n_sources; i++)
                c->sources[i].enabled &= belongs(u->part, &c->sources[i]);
        for (size_t i = 0; i < c->n_sinks; i++)
                c->sinks[i].creates = (int)share_of(c->sinks[i].creates, n);
        c->queue_max_bytes = u->part == OB_UNIT_OWN ? OWN_QUEUE_MAX : c->queue_max_bytes / (int64_t)n;
        if (c->queue_max_bytes < PART_MIN)
                c->queue_max_bytes = PART_MIN;
}

static void plan(struct ob_unit *u, const struct ob_manager *manager, const char *worker)
{
        const struct ob_worker w = { .manager = manager };

        u->plans[u->n_plans] = (struct ob_unit_plan) { manager, worker };
        u->counters.sources[u->n_plans++].name = ob_worker_name(&w, worker);
}

static size_t count_workers(const struct ob_config *c)
{
        size_t n = 0;

        for (size_t i = 0; i < c->n_sources; i++)
                if (makes_worker(c, i))
                        n += c->sources[i].kind == OB_SOURCE_COUNTERS ? 1 : c->n_managers;
        return n;
}

void ob_unit_init(struct ob_unit *u, enum ob_unit_part part, const struct ob_config *config, size_t manager,
        struct ob_lease *lease)
{
        const struct ob_config *c = &u->config;

        u->part = part;
        u->whole = config;
        u->lease = lease;
        narrow(u, manager);
        u->plans = ob_alloc(count_workers(c), sizeof(*u->plans));
        ob_counters_init(&u->counters, count_workers(c), c->n_sinks);
        for (size_t i = 0; i < c->n_sources; i++) {
                if (!makes_worker(c, i))
                        continue;
                if (c->sources[i].kind == OB_SOURCE_COUNTERS)
                        plan(u, NULL, c->sources[i].worker);
                for (size_t m = 0; m < c->n_managers && c->sources[i].kind != OB_SOURCE_COUNTERS; m++)
                        plan(u, &c->managers[m], c->sources[i].worker);
        }
        for (size_t i = 0; i < c->n_sinks; i++)
                u->counters.sinks[i].name = c->sinks[i].name;
        pthread_mutex_init(&u->lock, NULL);
}

void ob_unit_fini(struct ob_unit *u)
{
        pthread_mutex_destroy(&u->lock);
        ob_counters_fini(&u->counters);
        free(u->plans);
        free(u->config.sources);
        free(u->config.sinks);
}

static void make_workers(struct ob_unit *u)
{
        const struct ob_config *c = &u->config;
        struct ob_pipeline_health **states = ob_alloc(c->n_managers, sizeof(*states));

        for (size_t m = 0; m < c->n_managers; m++)
                states[m] = ob_pipeline_health_new(&c->health);
        pthread_mutex_lock(&u->lock);
        u->states = states;
        pthread_mutex_unlock(&u->lock);
        u->workers = ob_alloc(u->n_plans, sizeof(*u->workers));
        for (size_t i = 0; i < u->n_plans; i++) {
                const struct ob_manager *manager = u->plans[i].manager;
                size_t m = manager ? (size_t)(manager - c->managers) : 0;

                u->workers[i] = (struct ob_worker) {
                        .config = c,
                        .manager = manager,
                        .name = u->plans[i].worker,
                        .counters = &u->counters,
                        .index = i,
                        .queue = &u->queue,
                        .names = manager && u->names ? &u->names[m] : NULL,
                        .refreshes_names = manager && u->names && !strcmp(u->plans[i].worker, names_worker(c)),
                        .state_dir = &u->state_dir,
                        .states = manager ? states[m] : NULL,
                        .turns = manager ? &u->turns[m] : NULL,
                        .stop = &u->stop_workers,
                        .permit = permit_of(u),
                        .reading = u->reading,
                        .own = u->own,
                        .is_once = u->mode->is_once,
                };
        }
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

/* A dry run works on a copy of the state in memory, so that no checkpoint moves. */
static bool is_in_memory(const struct ob_unit *u)
{
        return u->mode->is_dry || u->part == OB_UNIT_OWN;
}

static void make_sinks(struct ob_unit *u)
{
        const struct ob_config *c = &u->config;

        u->sinks = ob_alloc(c->n_sinks, sizeof(*u->sinks));
        for (size_t i = 0; i < c->n_sinks; i++)
                u->sinks[i] = (struct ob_sink) {
                        .settings = &c->sinks[i],
                        .prefix = c->prefix,
                        .keep = longest_overlap(c) + 2 * c->sinks[i].step + OB_CLOCK_STEP,
                        .index = i,
                        .queue = &u->queue,
                        .counters = &u->counters.sinks[i],
                        .stop = &u->stop_sinks,
                        .state_dir = &u->state_dir,
                        .permit = permit_of(u),
                        .is_dry = u->mode->is_dry,
                        .is_once = u->mode->is_once,
                        .is_forgotten = !u->lease && (is_in_memory(u) || !*c->state_dir),
                        .collect = u->mode->collect,
                };
}

static int open_state_dir(struct ob_unit *u, struct ob_err *err)
{
        const char *dir = u->config.state_dir;

        if (u->lease)
                return ob_state_dir_share(&u->state_dir, u->lease, err);
        if (ob_state_dir_open(&u->state_dir, is_in_memory(u) ? "" : dir, err))
                return -1;
        if (is_in_memory(u))
                return u->mode->is_dry ? ob_state_dir_copy_of(&u->state_dir, dir, &u->config, err) : 0;
        if (*u->state_dir.aside)
                ob_log(OB_LOG_ERROR, "store=%s event=set_aside as=%s why=\"%s\"", u->state_dir.path,
                        u->state_dir.aside, u->state_dir.why);
        if (!*dir && !u->mode->is_replay)
                ob_log(OB_LOG_WARN,
                        "store=memory event=not_durable why=\"state_dir is empty: what is in the queue, "
                        "and where each source stands, is lost at the end\"");
        return 0;
}

/* `has_totals`: the store still has the totals of the rows, so that state tables need no rewind. */
static int rewind_worker(
        struct ob_unit *u, const struct ob_worker *w, int64_t since, bool has_totals, struct ob_err *err)
{
        for (size_t i = 0; i < u->config.n_sources; i++) {
                const struct ob_source *s = &u->config.sources[i];
                enum ob_shape shape = ob_source_shape(s);
                ob_cleanup(ob_free_at) char *name = ob_worker_name(w, s->name);

                if (!w->manager || strcmp(s->worker, w->name) != 0 ||
                        (shape != OB_SHAPE_LOG && (shape != OB_SHAPE_STATE || has_totals)))
                        continue;
                if (ob_rewind_source(u->state_dir.anchor, w->manager, s, name, since, OB_COUNTED_ALL, err))
                        return -1;
        }
        return 0;
}

/*
 * The store was lost, or a part of it. Graphite gets today's and yesterday's rows once more (a day begins with a
 * whole step). StatsD and the totals continue with new rows.
 */
static int rewind_all(struct ob_unit *u, bool has_totals, struct ob_err *err)
{
        int64_t since = (ob_clock_wall() / DAY - 1) * DAY;

        if (ob_store_begin(u->state_dir.anchor, err))
                return -1;
        for (size_t i = 0; i < u->n_plans; i++)
                if (rewind_worker(u, &u->workers[i], since, has_totals, err)) {
                        ob_store_rollback(u->state_dir.anchor);
                        return -1;
                }
        return ob_store_commit(u->state_dir.anchor, err);
}

static int begin_after_loss(struct ob_unit *u, struct ob_err *err)
{
        struct ob_corruption d;

        if (*u->state_dir.aside)
                return rewind_all(u, false, err);
        if (ob_store_repair(u->state_dir.anchor, &d, err))
                return -1;
        if (!*d.first)
                return 0;
        ob_log(OB_LOG_ERROR,
                "store=%s event=corrupt first=\"%s\" batches=%lld points=%lld sinks=%lld chunks=%lld totals=%lld "
                "sources=%lld why=\"checksums do not match: these points are lost, Graphite is told again what the "
                "tables still have of them\"",
                u->state_dir.path, d.first, (long long)d.batches, (long long)d.points, (long long)d.sinks,
                (long long)d.chunks, (long long)d.totals, (long long)d.checkpoints);
        return rewind_all(u, !d.totals && !d.checkpoints, err);
}

static int forget_other_sinks(struct ob_unit *u, struct ob_err *err)
{
        ob_cleanup(ob_free_at) const char **names = ob_alloc(u->config.n_sinks, sizeof(*names));
        int forgotten;

        for (size_t i = 0; i < u->config.n_sinks; i++)
                names[i] = u->config.sinks[i].name;
        forgotten = ob_store_keep_sinks(u->state_dir.anchor, names, u->config.n_sinks, err);
        if (forgotten > 0)
                ob_log(OB_LOG_WARN,
                        "store=%s event=sinks_forgotten n=%d why=\"they are not in the config any more\"",
                        u->state_dir.path, forgotten);
        return forgotten < 0 ? -1 : 0;
}

static void make_names(struct ob_unit *u)
{
        const struct ob_config *c = &u->config;
        bool wants_labels = false, wants_nodes = false;

        if (!c->names.enabled)
                return;
        for (size_t i = 0; i < c->n_sinks; i++) {
                wants_labels |= ob_config_has_tags(&c->sinks[i]);
                wants_nodes |= c->sinks[i].path == OB_PATH_NAMES;
        }
        u->names = ob_alloc(c->n_managers, sizeof(*u->names));
        for (size_t i = 0; i < c->n_managers; i++)
                u->names[i] = (struct ob_names) {
                        .manager = &c->managers[i],
                        .stop = &u->stop_workers,
                        .every = c->names.every,
                        .wants_labels = wants_labels,
                        .wants_nodes = wants_nodes,
                };
}

/* Only the store knows since when a name is valid: a replay reads the store of the running agent. */
static int open_names(struct ob_unit *u, struct ob_err *err)
{
        struct ob_state_dir copy = { .lock_fd = -1 };
        struct ob_store *stored = u->state_dir.anchor;
        int got = 0;

        if (u->names && u->mode->names_dir) {
                got = ob_state_dir_open(&copy, "", err) ||
                                      ob_state_dir_copy_of(&copy, u->mode->names_dir, &u->config, err)
                              ? -1
                              : 0;
                stored = copy.anchor;
        }
        while (!got && u->names && u->n_names < u->config.n_managers)
                got = ob_names_open(&u->names[u->n_names++], stored, err);
        ob_state_dir_close(&copy);
        return got;
}

static void begin(struct ob_unit *u)
{
        u->n_names = u->n_workers = u->n_sinks = 0;
        u->state_dir = (struct ob_state_dir) { .lock_fd = -1 };
        u->queue = (struct ob_queue) { .max_bytes = 0 };
        ob_stop_init(&u->stop_workers);
        ob_stop_init(&u->stop_sinks);
        u->turns = ob_alloc(u->config.n_managers, sizeof(*u->turns));
        for (size_t m = 0; m < u->config.n_managers; m++)
                ob_session_turns_init(&u->turns[m], &u->config, &u->config.managers[m]);
        make_names(u);
        make_workers(u);
        ob_counters_begin(&u->counters);
}

static int start_all(struct ob_unit *u, struct ob_err *err)
{
        if (open_state_dir(u, err) || begin_after_loss(u, err) || forget_other_sinks(u, err) ||
                ob_queue_open(&u->queue, u->state_dir.anchor, u->config.queue_max_bytes, &u->counters, err))
                return -1;
        ob_unit_watch(u);
        make_sinks(u);
        while (u->n_sinks < u->config.n_sinks)
                if (ob_sink_start(&u->sinks[u->n_sinks++], err))
                        return -1;
        if (open_names(u, err))
                return -1;
        while (u->n_workers < u->n_plans)
                if (ob_worker_start(&u->workers[u->n_workers++], err))
                        return -1;
        return 0;
}

static void set_started(struct ob_unit *u, bool is_started)
{
        pthread_mutex_lock(&u->lock);
        u->is_started = is_started;
        u->counters.is_running = is_started;
        pthread_mutex_unlock(&u->lock);
}

int ob_unit_start(struct ob_unit *u, struct ob_err *err)
{
        begin(u);
        if (!start_all(u, err)) {
                set_started(u, true);
                return 0;
        }
        ob_unit_stop(u, 0);
        return -1;
}

static void watch_disk(struct ob_unit *u, bool is_waited_for)
{
        bool is_low;
        int64_t room;

        if (!ob_state_dir_room(&u->state_dir, &room))
                return;
        ob_queue_set_room(&u->queue, room);
        /* The limit for recovery is higher, so that the log does not change each second. */
        is_low = is_waited_for || room < (u->is_disk_low ? OB_STORE_MARGIN / 16 : 0);
        if (!ob_log_change(&u->is_disk_low, is_low))
                return;
        if (is_low)
                ob_log(OB_LOG_ERROR,
                        "store=%s event=disk_low margin=%lld why=\"sinks deliver, and reading waits until there is "
                        "more room: the tables keep the rows\"",
                        u->state_dir.path, (long long)OB_STORE_MARGIN);
        else
                ob_log(OB_LOG_INFO, "store=%s event=disk_recovered", u->state_dir.path);
}

static void watch_queue(struct ob_unit *u, bool is_waited_for)
{
        int64_t max = u->config.queue_max_bytes, points, bytes;
        bool is_full;

        ob_queue_size(&u->queue, &points, &bytes);
        is_full = is_waited_for || (u->is_queue_full && bytes > max / 2);
        if (!ob_log_change(&u->is_queue_full, is_full))
                return;
        if (is_full)
                ob_log(OB_LOG_WARN,
                        "sink=%s event=queue_full max_bytes=%lld why=\"reading waits until this sink has acknowledged its "
                        "oldest points, which Graphite does one horizon after they were sent; the tables keep the rows\"",
                        u->counters.sinks[ob_queue_keeper(&u->queue)].name, (long long)max);
        else
                ob_log(OB_LOG_INFO, "event=queue_recovered");
}

void ob_unit_watch(struct ob_unit *u)
{
        struct ob_queue_waits waits = ob_queue_take_waits(&u->queue);

        watch_disk(u, waits.disk);
        watch_queue(u, waits.sinks);
}

bool ob_unit_is_corrupt(const struct ob_unit *u)
{
        return u->state_dir.is_corrupt;
}

/* With the lock held. */
static bool is_drained(const struct ob_unit *u)
{
        for (size_t i = 0; i < u->n_workers; i++)
                if (!u->workers[i].is_done)
                        return false;
        for (size_t i = 0; i < u->n_sinks; i++)
                if (u->counters.sinks[i].behind)
                        return false;
        return u->is_started;
}

bool ob_unit_is_drained(struct ob_unit *u)
{
        bool is;

        pthread_mutex_lock(&u->lock);
        is = u->is_started && is_drained(u);
        pthread_mutex_unlock(&u->lock);
        return is;
}

struct ob_pipeline *ob_unit_pipelines(struct ob_unit *u, size_t manager, size_t *n)
{
        struct ob_pipeline *pipelines = NULL;

        *n = 0;
        pthread_mutex_lock(&u->lock);
        if (u->states && manager < u->config.n_managers)
                pipelines = ob_pipeline_health_list(u->states[manager], n);
        pthread_mutex_unlock(&u->lock);
        return pipelines;
}

static bool join_workers(struct ob_unit *u)
{
        bool is_clean = true;

        for (size_t i = 0; i < u->n_workers; i++) {
                ob_worker_join(&u->workers[i]);
                is_clean &= u->workers[i].is_clean || !u->mode->is_once;
        }
        return is_clean;
}

static bool join_sinks(struct ob_unit *u)
{
        bool is_clean = true;

        for (size_t i = 0; i < u->n_sinks; i++) {
                ob_sink_join(&u->sinks[i]);
                is_clean &= u->sinks[i].is_clean && !u->counters.sinks[i].lost &&
                            (!u->counters.sinks[i].late || u->sinks[i].settings->receiver == OB_RECEIVER_APPEND);
        }
        return is_clean;
}

static void stop_reading(struct ob_unit *u)
{
        ob_stop_want(&u->stop_workers, ob_clock_ms());
        for (size_t m = 0; m < u->config.n_managers; m++)
                ob_session_turns_stop(&u->turns[m]);
}

static void end(struct ob_unit *u)
{
        struct ob_pipeline_health **states = u->states;

        ob_queue_close(&u->queue);
        ob_state_dir_close(&u->state_dir);
        ob_stop_fini(&u->stop_workers);
        ob_stop_fini(&u->stop_sinks);
        pthread_mutex_lock(&u->lock);
        u->states = NULL;
        pthread_mutex_unlock(&u->lock);
        for (size_t m = 0; m < u->config.n_managers; m++) {
                ob_pipeline_health_free(states[m]);
                ob_session_turns_fini(&u->turns[m]);
        }
        free(states);
        free(u->turns);
        free(u->names);
        free(u->workers);
        free(u->sinks);
        u->turns = NULL;
        u->names = NULL;
        u->workers = NULL;
        u->sinks = NULL;
}

bool ob_unit_stop(struct ob_unit *u, int64_t drain_ms)
{
        bool is_clean;

        stop_reading(u);
        is_clean = join_workers(u);
        for (size_t i = 0; i < u->n_names; i++)
                ob_names_close(&u->names[i]);
        ob_stop_want(&u->stop_sinks, ob_clock_ms() + drain_ms);
        if (u->queue.sinks)
                ob_queue_wake(&u->queue);
        is_clean &= join_sinks(u);
        set_started(u, false);
        end(u);
        return is_clean;
}
