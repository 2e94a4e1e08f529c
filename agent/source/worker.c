#include "agent/source/worker.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/log_once.h"
#include "agent/process/thread.h"
#include "agent/source/names/refresh.h"
#include "agent/source/rewind.h"
#include "config/config.h"
#include "proto/memory.h"

#define RETRY_MS 500 /* between polls while young rows settle */

char *ob_worker_name(const struct ob_worker *w, const char *name)
{
        bool is_named = w->manager && *w->manager->name;

        return ob_format("%s%s%s", is_named ? w->manager->name : "", is_named ? "/" : "", name);
}

static struct ob_pages *pages(struct ob_worker *w)
{
        const struct ob_pages_setting setting = {
                .config = w->config,
                .manager = w->manager,
                .name = w->counters->sources[w->index].name,
                .counters = &w->counters->sources[w->index],
                .stop = w->stop,
                .is_patient = w->is_once,
        };

        if (!w->pages)
                w->pages = ob_pages_new(&setting);
        return w->pages;
}

static const char *manager_of(const struct ob_worker *w)
{
        return w->manager ? w->manager->name : "";
}

static struct ob_outbox make_outbox(const struct ob_worker *w)
{
        return (struct ob_outbox) {
                .store = w->store,
                .queue = w->queue,
                .counters = &w->counters->sources[w->index],
                .stop = w->stop,
        };
}

static void init_rows(struct ob_worker *w, struct ob_worker_task *wt)
{
        wt->rows = (struct ob_task) {
                .source = wt->source,
                .manager = manager_of(w),
                .name = wt->name,
                .counters = &w->counters->sources[w->index],
                .names = w->names,
                .reader = wt->source->kind == OB_SOURCE_PAGE ? ob_reader_page_new(wt->source, pages(w))
                                                             : ob_reader_mysql_new(wt->source, &w->session),
                .states = w->states,
                .step = ob_steps_multiple(w->config),
                .repeat = ob_steps_repeat(w->config),
                .outbox = make_outbox(w),
        };
        ob_task_init(&wt->rows);
}

static int poll_rows(struct ob_worker_task *wt, struct ob_err *err)
{
        int got = ob_task_poll(&wt->rows, err);

        wt->has_unsettled = wt->rows.has_unsettled;
        wt->is_partial = wt->rows.reader->is_partial;
        wt->is_shared = wt->rows.reader->is_logged;
        return got;
}

static void fini_rows(struct ob_worker_task *wt)
{
        ob_task_fini(&wt->rows);
}

static void init_counters(struct ob_worker *w, struct ob_worker_task *wt)
{
        wt->counters = (struct ob_own_counters) { .parts = w->own, .outbox = make_outbox(w) };
        ob_own_counters_init(&wt->counters);
}

static int poll_counters(struct ob_worker_task *wt, struct ob_err *err)
{
        return ob_own_counters_poll(&wt->counters, err);
}

static void fini_counters(struct ob_worker_task *wt)
{
        ob_own_counters_fini(&wt->counters);
}

static void init_zone(struct ob_worker *w, struct ob_worker_task *wt)
{
        wt->zone = (struct ob_zone_check) { .manager = manager_of(w),
                .pages = pages(w),
                .session = &w->session,
                .repeat = ob_steps_repeat(w->config),
                .outbox = make_outbox(w) };
        ob_zone_check_init(&wt->zone);
}

static int poll_zone(struct ob_worker_task *wt, struct ob_err *err)
{
        int got = ob_zone_check_poll(&wt->zone, err);

        wt->is_partial = wt->zone.is_partial;
        wt->is_shared = wt->zone.is_logged;
        return got;
}

static void fini_zone(struct ob_worker_task *wt)
{
        ob_zone_check_fini(&wt->zone);
}

static void init_health(struct ob_worker *w, struct ob_worker_task *wt)
{
        wt->health = (struct ob_health_changes) { .manager = manager_of(w),
                .name = wt->name,
                .health = w->states,
                .names = w->names,
                .repeat = ob_steps_repeat(w->config),
                .outbox = make_outbox(w) };
}

static int poll_health(struct ob_worker_task *wt, struct ob_err *err)
{
        return ob_health_changes_poll(&wt->health, err);
}

static void fini_health(struct ob_worker_task *wt)
{
        ob_health_changes_fini(&wt->health);
}

/* The kinds of source. */
static const struct {
        void (*init)(struct ob_worker *w, struct ob_worker_task *wt);
        int (*poll)(struct ob_worker_task *wt, struct ob_err *err);
        void (*fini)(struct ob_worker_task *wt);
} kinds[OB_SOURCE_KINDS] = {
        [OB_SOURCE_TABLE] = { init_rows, poll_rows, fini_rows },
        [OB_SOURCE_PAGE] = { init_rows, poll_rows, fini_rows },
        [OB_SOURCE_COUNTERS] = { init_counters, poll_counters, fini_counters },
        [OB_SOURCE_ZONE] = { init_zone, poll_zone, fini_zone },
        [OB_SOURCE_HEALTH] = { init_health, poll_health, fini_health },
};

/* Due times are multiples of the interval, so that a worker's sources stay together; missed polls are left out. */
static int64_t next_beat(const struct ob_worker *w, const struct ob_worker_task *wt, int64_t now)
{
        int64_t every = wt->source->every * INT64_C(1000);

        return w->began + ((now - w->began) / every + 1) * every;
}

static bool is_of_pages(const struct ob_worker_task *wt)
{
        return wt->source->kind == OB_SOURCE_PAGE || wt->source->kind == OB_SOURCE_ZONE;
}

/*
 * A failure that several sources share is retried for all of them at once. A source of pages waits for the next
 * cycle: a cycle of its own would fetch the same pages again.
 */
static void note_failure(struct ob_worker *w, struct ob_worker_task *wt, int64_t now, const struct ob_err *err)
{
        struct ob_err said = *err;

        if (!wt->is_shared && ob_log_change(&wt->is_logged, true))
                ob_log(OB_LOG_ERROR, "source=%s event=poll_failed err=\"%s\"", wt->name, err->text);
        wt->is_failing = true;
        wt->due = wt->is_shared || is_of_pages(wt) ? next_beat(w, wt, now)
                                                   : ob_clock_ms() + ob_backoff_next(&wt->backoff);
        w->counters->sources[w->index].errors++;
        ob_health_fail(&w->counters->sources[w->index].health, (ob_fail_in(&said, wt->name), said.text));
}

static void note_success(struct ob_worker *w, struct ob_worker_task *wt, int64_t now)
{
        if (ob_log_change(&wt->is_logged, false))
                ob_log(OB_LOG_INFO, "source=%s event=poll_recovered", wt->name);
        wt->is_failing = false;
        ob_backoff_reset(&wt->backoff);
        wt->due = next_beat(w, wt, now);
}

/* `now` is when the polls of this turn began. */
static void poll(struct ob_worker *w, struct ob_worker_task *wt, int64_t now)
{
        int64_t began = ob_clock_ms();
        struct ob_err err;
        int got;

        ob_health_promise(&w->counters->sources[w->index].health, w->counters->sources[w->index].busy_ms);
        got = kinds[wt->source->kind].poll(wt, &err);
        ob_session_rest(&w->session);
        wt->took_ms = ob_clock_ms() - began;
        if (got < 0 && ob_stop_is_wanted(w->stop)) /* the stop ended the poll early */
                got = 1;
        if (got < 0)
                note_failure(w, wt, now, &err);
        if (!got)
                note_success(w, wt, now);
}

static void count(struct ob_worker *w)
{
        struct ob_source_counters *c = &w->counters->sources[w->index];
        int64_t took = 0;
        bool is_partial = false;

        for (size_t i = 0; i < w->n_tasks; i++) {
                if (w->tasks[i].is_failing)
                        return;
                is_partial |= w->tasks[i].is_partial;
                took += w->tasks[i].took_ms;
        }
        if (is_partial) {
                ob_health_fail(&c->health, "not all pages could be read; the log says which");
                return;
        }
        ob_health_recover(&c->health);
        c->poll_ms = took;
        c->polled_at = ob_clock_ms();
}

/* Reads the manager's names if they are due. Returns when they are due next. */
static int64_t refresh_names(struct ob_worker *w)
{
        if (ob_names_refresh_due(w->names) > ob_clock_ms())
                return ob_names_refresh_due(w->names);
        ob_health_promise(&w->counters->sources[w->index].health, w->counters->sources[w->index].busy_ms);
        ob_names_refresh(w->names, &w->session, w->store);
        ob_session_rest(&w->session);
        return ob_names_refresh_due(w->names);
}

/* Polls all due sources. Returns when the next one is due. */
static int64_t poll_due(struct ob_worker *w)
{
        struct ob_source_counters *c = &w->counters->sources[w->index];
        int64_t next = INT64_MAX, now, rows = c->rows;
        bool polled = false;

        if (!ob_permit_is_valid(w->permit)) {
                ob_health_promise(&c->health, c->busy_ms);
                return ob_clock_ms() + RETRY_MS;
        }
        if (w->refreshes_names)
                next = refresh_names(w);
        now = ob_clock_ms();
        if (w->pages)
                ob_pages_begin(w->pages);
        for (size_t i = 0; i < w->n_tasks && !ob_stop_is_wanted(w->stop); i++) {
                if (w->tasks[i].due <= now) {
                        poll(w, &w->tasks[i], now);
                        polled = true;
                }
                if (w->tasks[i].due < next)
                        next = w->tasks[i].due;
        }
        if (polled) {
                count(w);
                ob_health_add(&c->health, c->rows - rows);
        }
        if (next != INT64_MAX) /* else a stop came before the first task */
                ob_health_promise(&c->health, next - ob_clock_ms() + OB_HEALTH_SPARE);
        return next;
}

/* Polls every source until no rows are left, and waits for rows that are too young. */
static bool poll_once(struct ob_worker *w)
{
        if (w->pages)
                ob_pages_begin(w->pages);
        for (size_t i = 0; i < w->n_tasks && !ob_stop_is_wanted(w->stop); i++) {
                struct ob_worker_task *wt = &w->tasks[i];
                int64_t enough = ob_clock_ms() + (wt->source->settle + 1) * INT64_C(1000);

                do {
                        poll(w, wt, ob_clock_ms());
                } while (!wt->is_failing && wt->has_unsettled && ob_clock_ms() < enough &&
                         !ob_stop_wait(w->stop, ob_clock_ms() + RETRY_MS));
        }
        count(w);
        return !ob_stop_is_wanted(w->stop) && !w->counters->sources[w->index].errors;
}

/* With --once, own counters are read last: earlier they would be empty. */
static void wait_for_others(struct ob_worker *w)
{
        while (*w->reading > 1 && !ob_stop_wait(w->stop, ob_clock_ms() + RETRY_MS / 10))
                ;
}

static void *run(void *arg)
{
        struct ob_worker *w = arg;

        if (w->refreshes_names)
                refresh_names(w);
        else if (w->names)
                ob_names_wait(w->names); /* else series would begin without their names */
        if (w->is_once) {
                if (!w->manager)
                        wait_for_others(w);
                w->is_clean = poll_once(w);
                w->counters->sources[w->index].read_upto = OB_READ_UPTO_ALL;
        } else {
                while (!ob_stop_wait(w->stop, poll_due(w)))
                        ;
        }
        w->is_done = true;
        --*w->reading;
        return NULL;
}

static void add_task(struct ob_worker *w, const struct ob_source *source)
{
        struct ob_worker_task *wt = &w->tasks[w->n_tasks++];

        wt->source = source;
        wt->name = ob_worker_name(w, source->name);
        kinds[source->kind].init(w, wt);
        wt->due = w->began;
        if (w->counters->sources[w->index].every_ms < source->every * INT64_C(1000))
                w->counters->sources[w->index].every_ms = source->every * INT64_C(1000);
}

/*
 * Each query and each commit renews the promise of health. Between two renewals is at most one query, or a cycle
 * of pages with its queries; each of these has a deadline.
 */
static int64_t longest_silence(const struct ob_worker *w)
{
        return 2 * OB_HEALTH_SPARE + (w->manager ? ob_session_longest_ms(&w->manager->mysql) : 0) +
               (w->pages ? ob_pages_longest(w->pages) : 0);
}

int ob_worker_start(struct ob_worker *w, struct ob_err *err)
{
        w->store = ob_store_open(w->state_dir, err);
        if (!w->store)
                return -1;
        if (w->manager) {
                ob_session_init(&w->session, &w->manager->mysql, w->stop);
                w->session.turn.turns = w->turns;
                w->session.health = &w->counters->sources[w->index].health;
        }
        w->began = ob_clock_ms();
        w->tasks = ob_alloc(w->config->n_sources, sizeof(*w->tasks));
        for (size_t i = 0; i < w->config->n_sources; i++)
                if (w->config->sources[i].enabled && !strcmp(w->config->sources[i].worker, w->name))
                        add_task(w, &w->config->sources[i]);
        w->counters->sources[w->index].busy_ms = longest_silence(w);
        return ob_thread_start(&w->thread, run, w, w->counters->sources[w->index].name, err);
}

void ob_worker_join(struct ob_worker *w)
{
        if (w->thread)
                pthread_join(w->thread, NULL);
        for (size_t i = 0; i < w->n_tasks; i++) {
                kinds[w->tasks[i].source->kind].fini(&w->tasks[i]);
                free(w->tasks[i].name);
        }
        ob_pages_free(w->pages);
        ob_session_fini(&w->session);
        ob_store_close(w->store);
        free(w->tasks);
        w->thread = 0;
}
