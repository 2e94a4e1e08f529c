/*
 * A replay is an agent of its own, beside an agent that may be running. Its store is in memory, its sources are the
 * tables that keep a history, its sinks are the Graphite sinks whose receivers overwrite. The replay ends when each
 * step has been sent, and once more after the horizon. Steps that a running agent may still be sending are left to
 * that agent.
 */
#include "agent/ops/replay.h"

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
#include "config/config.h"
#include "proto/date.h"

#define LOOK_NS 100000000L /* how often the replay looks whether all points were sent */

enum { SINCE, UNTIL };

/* Waits until all points are sent and acknowledged. False: a signal came first. */
static bool wait_for_all(struct ob_agent *a, const sigset_t *signals)
{
        const struct timespec look = { .tv_nsec = LOOK_NS };
        bool is_said = false;

        for (;;) {
                if (ob_agent_is_drained(a) && !ob_agent_queued(a))
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

static int run(const struct ob_config *config, const char *names_dir, const struct ob_history_range *r,
        const sigset_t *signals)
{
        struct ob_agent agent = { .mode = { .is_once = true, .is_replay = true, .names_dir = names_dir },
                .terminal = ob_terminal_keep() };
        struct ob_err err;
        bool is_whole;
        char since[OB_DATE_MAX], until[OB_DATE_MAX];
        int64_t rows;

        if (ob_agent_start(&agent, config, &err)) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return EXIT_UNREACHED;
        }
        is_whole = wait_for_all(&agent, signals);
        rows = ob_agent_rows(&agent);
        is_whole &= ob_agent_stop(&agent);
        printf("%lld rows from %s up to %s (UTC), %s\n", (long long)rows, ob_date_format(since, r->since, ' '),
                ob_date_format(until, r->until, ' '),
                is_whole ? "all of them sent" : "NOT all of them sent and read soundly: the log says why");
        return is_whole ? EXIT_FINE : EXIT_UNREACHED;
}

/* Names the Graphite sinks that are left out. Returns whether a sink is left. */
static bool print_left_out(const struct ob_config *config)
{
        bool has_sink = false;

        for (size_t i = 0; i < config->n_sinks; i++) {
                const struct ob_sink_settings *s = &config->sinks[i];

                has_sink |= ob_history_is_replayable(s);
                if (s->type == OB_SINK_GRAPHITE && !ob_history_is_replayable(s))
                        fprintf(stderr,
                                "otterbeat: the sink %s is left out: its receiver appends, so what is sent again counts "
                                "again\n",
                                s->name);
        }
        return has_sink;
}

static int replay(const struct ob_config *config, const struct ob_arguments *a)
{
        struct ob_history_range range = { .since_text = a->options[SINCE], .until_text = a->options[UNTIL] };
        struct ob_config narrowed;
        int code;

        if (!ob_steps_multiple(config)) {
                fputs("otterbeat: the config has no Graphite sink, and StatsD can't be told anything twice\n",
                        stderr);
                return EXIT_CONFIG;
        }
        if (!print_left_out(config))
                return EXIT_CONFIG;
        if (!ob_history_read_range(config, ob_clock_wall(), &range))
                return EXIT_USAGE;
        narrowed = ob_history_narrow(config, &range, NULL);
        ob_stream_own(STDOUT_FILENO); /* signals are blocked, so no write may wait for a reader */
        code = run(&narrowed, config->state_dir, &range, a->signals);
        free(narrowed.sources);
        free(narrowed.sinks);
        return code;
}

static const struct ob_option option_table[] = {
        [SINCE] = { "since", .argument = "TIME", .help = "the time of the first row that is sent",
                .is_needed = true },
        [UNTIL] = { "until", .argument = "TIME",
                .help = "the time up to which rows are sent (default: the steps that a running agent still sends are left out)" },
        { NULL },
};

const struct ob_command ob_replay_command = {
        .name = "replay",
        .usage = "--since TIME [--until TIME]",
        .help = "send a part of the tables' history to Graphite again, also while the agent runs",
        .notes = ob_history_notes,
        .options = option_table,
        .ends_in_order = true,
        .run = replay,
};
