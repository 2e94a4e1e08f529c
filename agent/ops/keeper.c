#include "agent/ops/keeper.h"

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/thread.h"
#include "agent/store/lease_rows.h"

#define WATCH_MS   5000
#define RESTART_MS 10000 /* the shortest time between two starts after a corruption of the store */

static bool is_over(struct ob_keeper *k)
{
        return k->is_done || ob_lease_is_ending(k->lease);
}

/* Works until the lease ends, the agent stops, or the store is found corrupt. */
static void work(struct ob_keeper *k)
{
        while (!is_over(k) && !ob_unit_is_corrupt(k->unit)) {
                ob_unit_watch(k->unit);
                ob_lease_wait(k->lease, &k->is_done, ob_clock_ms() + WATCH_MS);
        }
}

/* A corrupt store gives no points: the next start repairs the store. Nor does a store that others own. */
static void stop(struct ob_keeper *k)
{
        bool may_send = !ob_lease_is_ending(k->lease) && !ob_unit_is_corrupt(k->unit);

        k->is_clean = ob_unit_stop(k->unit, may_send && k->is_done ? k->drain_ms : 0);
}

/* Returns how long this agent leaves the lease to others, in milliseconds. */
static int64_t keep(struct ob_keeper *k)
{
        const struct ob_state_settings *settings = k->lease->holder->settings;

        while (!is_over(k)) {
                int64_t began = ob_clock_ms();
                bool was_corrupt;
                struct ob_err err;

                if (ob_unit_start(k->unit, &err)) {
                        ob_log(OB_LOG_ERROR, "manager=\"%s\" event=start_failed err=\"%s\"", k->lease->manager,
                                err.text);
                        return ob_lease_ms(settings);
                }
                work(k);
                was_corrupt = ob_unit_is_corrupt(k->unit);
                stop(k);
                if (!was_corrupt)
                        continue;
                ob_log(OB_LOG_ERROR, "manager=\"%s\" event=restarting why=\"the store is damaged\"",
                        k->lease->manager);
                ob_lease_wait(k->lease, &k->is_done, began + RESTART_MS);
        }
        return ob_lease_state(k->lease) == OB_LEASE_HELD ? ob_lease_ms(settings) : 0;
}

static void *run(void *arg)
{
        struct ob_keeper *k = arg;
        int64_t rest = keep(k);

        if (!k->is_done)
                ob_lease_return(k->lease, rest);
        return NULL;
}

void ob_keeper_join(struct ob_keeper *k)
{
        if (k->thread)
                pthread_join(k->thread, NULL);
        k->thread = 0;
}

/* A lease that was taken again has another generation: then the thread has returned the former one, and ends. */
void ob_keeper_begin(struct ob_keeper *k)
{
        struct ob_lease_story story;
        struct ob_err err;

        ob_lease_read(k->lease, &story);
        if (k->thread && k->generation == story.generation)
                return;
        ob_keeper_join(k);
        k->generation = story.generation;
        k->is_clean = false;
        if (!ob_thread_start(&k->thread, run, k, k->lease->manager, &err))
                return;
        k->thread = 0;
        ob_log(OB_LOG_ERROR, "manager=\"%s\" event=start_failed err=\"%s\"", k->lease->manager, err.text);
        ob_lease_return(k->lease, ob_lease_ms(k->lease->holder->settings));
}

void ob_keeper_end(struct ob_keeper *k, int64_t drain_ms)
{
        k->drain_ms = drain_ms;
        k->is_done = true;
        ob_lease_wake(k->lease->holder);
}
