#include "agent/ops/agent.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "proto/memory.h"

#define PATIENCE_MS 1000 /* --once waits for the time of a lease and this much for other agents */

static bool is_shared(const struct ob_agent *a)
{
        return a->config->state.n_hosts && !a->mode.is_dry && !a->mode.is_replay;
}

/* A lease was taken: its work begins, unless the agent is about to stop. The membership's thread. */
static void take(void *ctx, struct ob_lease *lease)
{
        struct ob_agent *a = ctx;

        pthread_mutex_lock(&a->lock);
        if (a->keepers)
                ob_keeper_begin(&a->keepers[lease - a->membership.leases]);
        pthread_mutex_unlock(&a->lock);
}

/* Opens the membership, or takes it over from the config before. */
static int join(struct ob_agent *a, struct ob_err *err)
{
        const struct ob_config *c = a->config;

        if (a->membership.is_open &&
                !(is_shared(a) && ob_membership_fits(&a->membership, &c->state, c->managers, c->n_managers)))
                ob_membership_close(&a->membership);
        if (!is_shared(a))
                return 0;
        if (a->membership.is_open)
                return ob_membership_use(&a->membership, &c->state, c->managers, err);
        a->membership = (struct ob_membership) { .taken = take, .ctx = a };
        return ob_membership_open(&a->membership, &c->state, c->managers, c->n_managers, err);
}

static void add_unit(struct ob_agent *a, enum ob_unit_part part, size_t manager)
{
        struct ob_unit *u = &a->units[a->n_units];
        struct ob_lease *lease = part == OB_UNIT_MANAGER ? &a->membership.leases[manager] : NULL;

        *u = (struct ob_unit) { .mode = &a->mode, .reading = &a->reading, .own = &a->own };
        ob_unit_init(u, part, a->config, manager, lease);
        if (is_shared(a)) /* several agents may run on one machine */
                snprintf(u->counters.host, sizeof(u->counters.host), "%s", a->config->state.agent);
        a->counters[a->n_units++] = &u->counters;
        a->reading += u->n_plans;
}

static void make_units(struct ob_agent *a)
{
        size_t n = is_shared(a) ? a->config->n_managers + 1 : 1;

        a->reading = 0;
        a->n_units = 0;
        a->units = ob_alloc(n, sizeof(*a->units));
        a->counters = ob_alloc(n, sizeof(*a->counters));
        if (!is_shared(a))
                add_unit(a, OB_UNIT_WHOLE, 0);
        while (a->n_units + 1 < n)
                add_unit(a, OB_UNIT_MANAGER, a->n_units);
        if (a->n_units < n)
                add_unit(a, OB_UNIT_OWN, 0);
        a->own = (struct ob_own_parts) { a->counters, a->n_units, &a->membership };
}

static struct ob_pipeline *list_pipelines(void *ctx, size_t manager, size_t *n)
{
        struct ob_agent *a = ctx;

        return is_shared(a) ? ob_unit_pipelines(&a->units[manager], 0, n)
                            : ob_unit_pipelines(&a->units[0], manager, n);
}

struct ob_status_of ob_agent_status_of(struct ob_agent *a)
{
        return (struct ob_status_of) {
                .config = a->config,
                .counters = a->counters,
                .n_counters = a->n_units,
                .membership = &a->membership,
                .stop = &a->ending,
                .pipelines = list_pipelines,
                .ctx = a,
        };
}

/* Only a continuous agent has a status page: --once, --dry-run and replay may run beside it. */
static int start_status(struct ob_agent *a, struct ob_err *err)
{
        const struct ob_status_of of = ob_agent_status_of(a);

        return a->mode.is_once || a->mode.is_dry || a->mode.is_replay ? 0 : ob_status_start(&a->status, &of, err);
}

/* Progress is shown while --once reads, and while the agent stops. */
static void show_progress(struct ob_agent *a)
{
        const struct ob_progress_of of = {
                .config = a->config,
                .counters = a->counters,
                .n_counters = a->n_units,
                .reading = &a->reading,
                .stop = &a->ending,
                .terminal = a->terminal,
        };

        if (!a->progress)
                a->progress = ob_progress_start(&of);
}

/* Begins the work on each manager that this agent owns, and lets the membership begin the work on others. */
static void start_keepers(struct ob_agent *a)
{
        struct ob_membership *m = &a->membership;

        pthread_mutex_lock(&a->lock);
        a->keepers = ob_alloc(m->n_leases, sizeof(*a->keepers));
        for (size_t i = 0; i < m->n_leases; i++) {
                a->keepers[i] = (struct ob_keeper) { .unit = &a->units[i], .lease = &m->leases[i] };
                if (ob_lease_state(&m->leases[i]) == OB_LEASE_HELD)
                        ob_keeper_begin(&a->keepers[i]);
                else if (ob_lease_state(&m->leases[i]) == OB_LEASE_LOST)
                        ob_lease_return(&m->leases[i], 0);
        }
        pthread_mutex_unlock(&a->lock);
}

static int start_all(struct ob_agent *a, struct ob_err *err)
{
        int64_t patience = ob_clock_ms() + PATIENCE_MS + a->config->state.lease * INT64_C(1000);

        if (join(a, err))
                return -1;
        make_units(a);
        if (a->mode.is_once)
                show_progress(a);
        if (ob_unit_start(&a->units[a->n_units - 1], err))
                return -1;
        a->single = &a->units[a->n_units - 1];
        if (is_shared(a)) {
                start_keepers(a);
                if (a->mode.is_once && !ob_membership_wait(&a->membership, patience))
                        return ob_membership_explain(&a->membership, err);
        }
        return start_status(a, err);
}

int ob_agent_start(struct ob_agent *a, const struct ob_config *config, struct ob_err *err)
{
        a->config = config;
        a->status = NULL;
        a->progress = NULL;
        a->units = a->single = NULL;
        a->counters = NULL;
        a->n_units = 0;
        if (!a->has_lock)
                pthread_mutex_init(&a->lock, NULL);
        a->has_lock = true;
        ob_stop_init(&a->ending);
        if (!start_all(a, err))
                return 0;
        ob_stop_want(&a->ending, ob_clock_ms());
        ob_agent_stop(a);
        return -1;
}

bool ob_agent_has_lost(struct ob_agent *a)
{
        for (size_t i = 0; i < a->membership.n_leases; i++)
                if (ob_lease_is_ending(&a->membership.leases[i]))
                        return true;
        return false;
}

void ob_agent_release(struct ob_agent *a)
{
        ob_membership_close(&a->membership);
}

void ob_agent_watch(struct ob_agent *a)
{
        if (a->single)
                ob_unit_watch(a->single);
}

bool ob_agent_is_corrupt(const struct ob_agent *a)
{
        return a->single && ob_unit_is_corrupt(a->single);
}

int64_t ob_agent_rows(const struct ob_agent *a)
{
        int64_t rows = 0;

        for (size_t u = 0; u < a->n_units; u++)
                for (size_t i = 0; i < a->counters[u]->n_sources; i++)
                        rows += a->counters[u]->sources[i].rows;
        return rows;
}

int64_t ob_agent_queued(const struct ob_agent *a)
{
        int64_t points = 0;

        for (size_t u = 0; u < a->n_units; u++)
                points += a->counters[u]->queue_points;
        return points;
}

int64_t ob_agent_progress(const struct ob_agent *a)
{
        int64_t sum = ob_agent_rows(a) - (int64_t)a->reading;

        for (size_t u = 0; u < a->n_units; u++)
                for (size_t i = 0; i < a->counters[u]->n_sinks; i++) {
                        const struct ob_sink_counters *c = &a->counters[u]->sinks[i];

                        sum += c->points - c->behind + c->sent;
                }
        return sum;
}

bool ob_agent_is_drained(struct ob_agent *a)
{
        for (size_t u = 0; u < a->n_units; u++)
                if (!ob_unit_is_drained(&a->units[u]))
                        return false;
        return true;
}

/* Ends the work of all keepers at once. False: some points were not sent, or some rows were not read. */
static bool stop_keepers(struct ob_agent *a, int64_t drain_ms)
{
        struct ob_keeper *keepers = a->keepers;
        bool is_clean = true;

        pthread_mutex_lock(&a->lock);
        a->keepers = NULL;
        pthread_mutex_unlock(&a->lock);
        for (size_t i = 0; keepers && i < a->membership.n_leases; i++)
                ob_keeper_end(&keepers[i], drain_ms);
        for (size_t i = 0; keepers && i < a->membership.n_leases; i++) {
                ob_keeper_join(&keepers[i]);
                is_clean &= keepers[i].is_clean;
        }
        free(keepers);
        return is_clean;
}

bool ob_agent_stop(struct ob_agent *a)
{
        int64_t now = ob_clock_ms(), drain_ms;
        bool is_clean;

        if (a->single)
                show_progress(a);
        ob_stop_want(&a->ending, now + (ob_agent_is_corrupt(a) ? 0 : a->config->drain * INT64_C(1000)));
        drain_ms = ob_stop_deadline(&a->ending) - now;
        drain_ms = drain_ms > 0 ? drain_ms : 0;
        is_clean = stop_keepers(a, drain_ms);
        if (a->single)
                is_clean &= ob_unit_stop(a->single, drain_ms);
        a->single = NULL;
        ob_progress_stop(a->progress);
        a->progress = NULL;
        ob_status_stop(a->status);
        for (size_t i = 0; i < a->n_units; i++)
                ob_unit_fini(&a->units[i]);
        free(a->units);
        free(a->counters);
        a->units = NULL;
        a->counters = NULL;
        a->n_units = 0;
        ob_stop_fini(&a->ending);
        return is_clean;
}
