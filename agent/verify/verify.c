/*
 * A verification is an agent of its own, as a replay is: its store is in memory, its sources are the tables that
 * keep a history. The points of the Graphite sink are not sent, but compared with what Graphite has. So rows are
 * read, named and folded by the code that an agent runs.
 */
#include "agent/verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ops/agent.h"
#include "agent/ops/exit.h"
#include "agent/ops/history.h"
#include "agent/ops/progress.h"
#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/terminal.h"
#include "agent/process/thread.h"
#include "agent/verify/compare.h"
#include "agent/verify/render.h"
#include "agent/verify/report.h"
#include "config/config.h"
#include "proto/memory.h"

#define LOOK_NS 100000000L /* how often the end of the reading is looked for */
#define DRAW_MS 500

enum { SINCE, UNTIL, RENDER, SINK, JSON };

struct verification {
        const struct ob_config *config, *narrowed;
        const char *names_dir;
        bool is_json;
        int terminal; /* 0: no progress is shown */
        int64_t drawn;
        struct ob_history_range range;
        struct ob_render render;
        struct ob_compare compare;
        struct ob_collect collect;
};

/* The sink to compare with: the named one, or the only one. NULL: there is no such sink. */
static const struct ob_sink_settings *choose_sink(const struct ob_config *c, const char *name, struct ob_err *err)
{
        const struct ob_sink_settings *chosen = NULL;
        ob_cleanup(ob_free_at) char *all = NULL;
        size_t n = 0, n_meant = 0;

        for (size_t i = 0; i < c->n_sinks; i++) {
                if (c->sinks[i].type != OB_SINK_GRAPHITE)
                        continue;
                n++;
                ob_append(&all, ", ", "%s", c->sinks[i].name);
                if (name && strcmp(name, c->sinks[i].name) != 0)
                        continue;
                chosen = &c->sinks[i];
                n_meant++;
        }
        if (n_meant == 1)
                return chosen;
        if (!n)
                ob_fail(err, "the config has no Graphite sink, so there is nothing to compare");
        else if (name)
                ob_fail(err, "the config has no Graphite sink '%s': its Graphite sinks are %s", name, all);
        else
                ob_fail(err, "there are several Graphite sinks: choose one with --sink: %s", all);
        return NULL;
}

static void draw(struct verification *v, const char *text)
{
        if (!v->terminal || (*text && ob_clock_ms() - v->drawn < DRAW_MS))
                return;
        v->drawn = ob_clock_ms();
        ob_progress_put(v->terminal, text);
}

static void draw_reading(struct verification *v, const struct ob_agent *a)
{
        ob_cleanup(ob_free_at) char *text = NULL;

        text = ob_format("reading the tables: %lld rows; %lld requests to Graphite", (long long)ob_agent_rows(a),
                (long long)v->compare.compared);
        draw(v, text);
}

/* Reads the tables to their ends, or until Graphite can't be asked. True: they were read soundly. */
static bool read_tables(struct verification *v, struct ob_err *err)
{
        const struct timespec look = { .tv_nsec = LOOK_NS };
        struct ob_agent agent = {
                .mode = { .is_once = true, .is_replay = true, .names_dir = v->names_dir, .collect = &v->collect }
        };
        bool is_whole;

        if (ob_agent_start(&agent, v->narrowed, err))
                return false;
        while (!v->compare.has_failed && (ob_agent_queued(&agent) || !ob_agent_is_drained(&agent))) {
                nanosleep(&look, NULL);
                draw_reading(v, &agent);
        }
        is_whole = ob_agent_stop(&agent);
        if (v->compare.has_failed) {
                *err = v->compare.err;
                return false;
        }
        return is_whole || ob_fail(err, "not all rows could be read: the lines above say why") == 0;
}

struct finish {
        struct verification *v;
        struct ob_err *err;
        int got;
        struct ob_stop done;
};

static void *finish(void *arg)
{
        struct finish *f = arg;

        f->got = ob_compare_finish(&f->v->compare, f->err);
        ob_stop_want(&f->done, 0);
        return NULL;
}

/* Compares the rest in a thread, so that the progress can be drawn meanwhile. */
static int compare_rest(struct verification *v, struct ob_err *err)
{
        struct finish f = { .v = v, .err = err };
        pthread_t thread;

        ob_stop_init(&f.done);
        if (ob_thread_start(&thread, finish, &f, "the comparison", err)) {
                ob_stop_fini(&f.done);
                return -1;
        }
        while (!ob_stop_wait(&f.done, ob_clock_ms() + DRAW_MS)) {
                ob_cleanup(ob_free_at) char *text = ob_format("comparing with Graphite: request %lld of about %lld",
                        (long long)v->compare.compared, (long long)v->compare.to_compare);

                draw(v, text);
        }
        pthread_join(thread, NULL);
        ob_stop_fini(&f.done);
        return f.got;
}

static int compare_all(struct verification *v)
{
        struct ob_err err;
        bool is_equal;
        int got = -1;

        ob_compare_init(&v->compare);
        v->collect = (struct ob_collect) { .take = ob_compare_take, .ctx = &v->compare };
        if (!ob_render_find(&v->render, &err) && read_tables(v, &err))
                got = compare_rest(v, &err);
        draw(v, "");
        if (!got && !v->compare.series)
                got = ob_fail(&err, "the tables have no row in this time, so nothing was compared");
        if (got) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_UNREACHED;
        }
        is_equal = ob_verify_report(&(struct ob_verify_report) { v->config, &v->compare, &v->collect, v->is_json });
        return is_equal ? EXIT_FINE : EXIT_DIFFERS;
}

static int run(struct verification *v)
{
        struct ob_sink_settings *sink = v->narrowed->sinks;
        int code;

        if (!v->narrowed->n_sources) {
                fputs("otterbeat: the config has no enabled source whose table keeps a history\n", stderr);
                return EXIT_CONFIG;
        }
        sink->max_age = 0; /* here no row is too old */
        v->compare = (struct ob_compare) { .config = v->narrowed,
                .sink = sink,
                .render = &v->render,
                .since = v->range.since,
                .until = v->range.until };
        code = compare_all(v);
        for (size_t i = 0; i < OB_LOSSES; i++)
                free(v->collect.first[i]);
        ob_compare_free(&v->compare);
        return code;
}

static int verify(const struct ob_config *config, const struct ob_arguments *a)
{
        struct verification v = { .config = config,
                .names_dir = config->state_dir,
                .is_json = a->options[JSON] != NULL,
                .range = { .since_text = a->options[SINCE], .until_text = a->options[UNTIL] } };
        struct ob_err err;
        const struct ob_sink_settings *sink = choose_sink(config, a->options[SINK], &err);
        struct ob_config narrowed;
        int code;

        if (!sink) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return a->options[SINK] ? EXIT_USAGE : EXIT_CONFIG;
        }
        if (!ob_history_read_range(config, ob_clock_wall(), &v.range))
                return EXIT_USAGE;
        if (ob_render_open(&v.render, a->options[RENDER], sink->step, &err)) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_USAGE;
        }
        ob_log_open("", OB_LOG_WARN, &err); /* standard error can always be opened */
        v.terminal = ob_terminal_keep();
        narrowed = ob_history_narrow(config, &v.range, sink);
        v.narrowed = &narrowed;
        code = run(&v);
        free(narrowed.sources);
        free(narrowed.sinks);
        ob_render_close(&v.render);
        return code;
}

static const struct ob_option option_table[] = {
        [SINCE] = { "since", .argument = "TIME", .help = "the time of the first step that is compared",
                .is_needed = true },
        [UNTIL] = { "until", .argument = "TIME",
                .help = "compare the steps before this time (default: the latest time for which a running agent sends no more steps)" },
        [RENDER] = { "render", .argument = "URL", .is_needed = true,
                .help = "the address of graphite-web or VictoriaMetrics, such as http://HOST:PORT, without /render" },
        [SINK] = { "sink", .argument = "NAME", .help = "the Graphite sink, when the config has several" },
        [JSON] = { "json", .help = "print JSON: an object a line for each series, and one for the summary" },
        { NULL },
};

const struct ob_command ob_verify_command = {
        .name = "verify",
        .usage = "--since TIME [--until TIME] --render URL [--sink NAME] [--json]",
        .help = "add up what the tables have for each series and step, compare it with what Graphite has, and name the "
                "likely reason of each difference. The exit status is 0 when all series are equal, and 1 when a series differs or a point could not be compared.",
        .notes = ob_history_notes,
        .options = option_table,
        .run = verify,
};
