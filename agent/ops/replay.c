/*
 * A replay is an agent of its own, beside an agent that may be running. Its store is in memory, its sources are the
 * tables that keep a history, its sinks are the Graphite sinks. The replay ends when each step has been sent, and
 * once more after the horizon. Steps that a running agent may still be sending are left to that agent.
 */
#include "agent/ops/replay.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/ops/agent.h"
#include "agent/ops/exit.h"
#include "agent/ops/history.h"
#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/stream.h"
#include "agent/process/terminal.h"
#include "agent/source/rewind.h"
#include "proto/date.h"
#include "proto/memory.h"

#define LOOK_NS 100000000L /* how often the replay looks whether all points were sent */

static const char usage[] =
        "usage: otterbeat [-c FILE] replay --since TIME [--until TIME]\n"
        "  TIME: a date in UTC such as '2020-04-20 00:00:00', a time before now such as '-2h' (s, m, h, d), or "
        "'oldest'\n";

struct range {
        const char *since_text, *until_text;
        int64_t step, since, until;
};

static int read_options(int argc, char **argv, struct range *r)
{
        static const struct option table[] = {
                { "since", required_argument, NULL, 's' },
                { "until", required_argument, NULL, 'u' },
                { NULL },
        };
        int c;

        optind = 1;
        while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
                if (c == 's')
                        r->since_text = optarg;
                else if (c == 'u')
                        r->until_text = optarg;
                else
                        return -1;
        }
        return optind == argc && r->since_text ? 0 : -1;
}

/* Returns an exit code; EXIT_FINE: the range can be replayed. */
static int read_range(const struct ob_config *config, struct range *r)
{
        int64_t now = ob_clock_wall(), end;
        char until[OB_DATE_MAX], last[OB_DATE_MAX];

        r->step = ob_rewind_step(config);
        if (!r->step) {
                fputs("otterbeat: the config has no Graphite sink, and StatsD can't be told anything twice\n",
                        stderr);
                return EXIT_CONFIG;
        }
        end = r->until = ob_history_end(config, now);
        if (!ob_history_time(r->since_text, now, r->step, &r->since) ||
                (r->until_text && !ob_history_time(r->until_text, now, r->step, &r->until)))
                return EXIT_USAGE;
        if (r->until > end) {
                fprintf(stderr,
                        "otterbeat: --until %s is too late: a running agent may still be sending steps from %s (UTC) "
                        "on; leave it out, or wait\n",
                        ob_date_format(until, r->until, ' '), ob_date_format(last, end, ' '));
                return EXIT_USAGE;
        }
        if (r->since >= r->until) {
                fprintf(stderr, "otterbeat: there is nothing between --since and %s (UTC)\n",
                        ob_date_format(until, r->until, ' '));
                return EXIT_USAGE;
        }
        return EXIT_FINE;
}

/* A config with only those sources and sinks that are replayed. The caller frees its two arrays. */
static struct ob_config narrow(const struct ob_config *from, const struct range *r)
{
        struct ob_config c = *from;

        c.state_dir = "";
        c.sources = ob_alloc(from->n_sources, sizeof(*c.sources));
        c.sinks = ob_alloc(from->n_sinks, sizeof(*c.sinks));
        c.n_sources = c.n_sinks = 0;
        for (size_t i = 0; i < from->n_sources; i++) {
                struct ob_source *s = &c.sources[c.n_sources];

                if (!ob_rewind_has_history(&from->sources[i]))
                        continue;
                *s = from->sources[i];
                s->start = (struct ob_start) { r->since == INT64_MIN ? OB_START_OLDEST : OB_START_AT, r->since };
                s->until = r->until;
                c.n_sources++;
        }
        for (size_t i = 0; i < from->n_sinks; i++)
                if (from->sinks[i].type == OB_SINK_GRAPHITE)
                        c.sinks[c.n_sinks++] = from->sinks[i];
        return c;
}

/* Waits until all points are sent and acknowledged. False: a signal came first. */
static bool wait_for_all(struct ob_agent *a, const sigset_t *signals)
{
        const struct timespec look = { .tv_nsec = LOOK_NS };
        bool is_said = false;
        int64_t points, bytes;

        for (;;) {
                ob_queue_size(&a->queue, &points, &bytes);
                if (ob_agent_is_drained(a) && !points)
                        return true;
                if (ob_agent_is_drained(a) && !is_said)
                        printf("%sAll is sent; all points are sent once more after the horizon. Ctrl-C ends the replay without that.\n",
                                ob_terminal_wipe(STDOUT_FILENO));
                is_said |= ob_agent_is_drained(a);
                fflush(stdout);
                if (sigtimedwait(signals, NULL, &look) > 0)
                        return false;
        }
}

static int64_t sum_rows(const struct ob_agent *a)
{
        int64_t rows = 0;

        for (size_t i = 0; i < a->counters.n_sources; i++)
                rows += a->counters.sources[i].rows;
        return rows;
}

static int run(
        const struct ob_config *config, const char *names_dir, const struct range *r, const sigset_t *signals)
{
        struct ob_agent agent = {
                .is_once = true, .is_replay = true, .terminal = ob_terminal_keep(), .names_dir = names_dir
        };
        struct ob_err err;
        bool is_whole;
        char since[OB_DATE_MAX], until[OB_DATE_MAX];
        int64_t rows;

        if (ob_agent_start(&agent, config, &err)) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_UNREACHED;
        }
        is_whole = wait_for_all(&agent, signals);
        rows = sum_rows(&agent);
        is_whole &= ob_agent_stop(&agent);
        printf("%lld rows from %s up to %s (UTC), %s\n", (long long)rows, ob_date_format(since, r->since, ' '),
                ob_date_format(until, r->until, ' '),
                is_whole ? "all of them sent" : "NOT all of them sent and read soundly: the log says why");
        return is_whole ? EXIT_FINE : EXIT_UNREACHED;
}

int ob_replay(const struct ob_config *config, int argc, char **argv, const sigset_t *signals)
{
        struct range range = { .step = 0 };
        struct ob_config narrowed;
        int code;

        if (read_options(argc, argv, &range)) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        code = read_range(config, &range);
        if (code)
                return code;
        narrowed = narrow(config, &range);
        ob_stream_own(STDOUT_FILENO); /* signals are blocked, so no write may wait for a reader */
        code = run(&narrowed, config->state_dir, &range, signals);
        free(narrowed.sources);
        free(narrowed.sinks);
        return code;
}
