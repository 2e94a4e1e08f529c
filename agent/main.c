#include <errno.h>
#include <getopt.h>
#include <mysql.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/dashboards/datadog.h"
#include "agent/dashboards/grafana.h"
#include "agent/ops/agent.h"
#include "agent/ops/check.h"
#include "agent/ops/cursor.h"
#include "agent/ops/exit.h"
#include "agent/ops/outfile.h"
#include "agent/ops/page.h"
#include "agent/ops/replay.h"
#include "agent/ops/supervise.h"
#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/stream.h"
#include "agent/process/terminal.h"
#include "agent/source/web/fetch.h"
#include "config/load.h"

#define LOOK_MS    100   /* how often --once checks whether all work is done */
#define RESTART_MS 10000 /* the shortest time between two starts after a corruption of the store */

static const char usage[] =
        "usage: otterbeat [-c FILE] [--check [--json] | --once] [--dry-run]\n"
        "       otterbeat --init [DIR]\n"
        "       otterbeat [-c FILE] cursor [show | export | rewind SOURCE TIME|ID]\n"
        "       otterbeat [-c FILE] replay --since TIME [--until TIME]\n"
        "       otterbeat [-c FILE] page PAGE\n"
        "       otterbeat [-c FILE] grafana | datadog --out DIR\n"
        "\n"
        "Reads the statistics of Alibaba Otter's managers and sends what changed to StatsD and Graphite.\n"
        "\n"
        "  -c, --config FILE   the config file (default: ./otterbeat.cfg, then /etc/otterbeat/otterbeat.cfg)\n"
        "      --init          write otterbeat.cfg and ctl into DIR (default: the current folder); never overwrite a file\n"
        "      --check         check config, databases, pages and sinks, and say what helps; --json: print JSON\n"
        "      --once          read every source up to its newest row, deliver, and exit; 0 only if all was read and sent\n"
        "      --dry-run       print the lines instead of sending them; no checkpoint moves\n"
        "      page PAGE       print what is read from one of a manager's pages; PAGE is a saved file or an address\n"
        "      --version\n"
        "      --help\n"
        "\n"
        "  cursor              show the checkpoints of sources and sinks, or export them as JSON; or rewind a source of a\n"
        "                      stopped agent: its rows are sent to Graphite again, and not to StatsD\n"
        "  replay              send a part of the tables' history to Graphite again, also while the agent runs\n"
        "  grafana, datadog    write dashboards and alerts for the series of this config\n"
        "\n"
        "Exit codes: 0 success, 64 wrong usage, 69 something could not be reached or read, 70 internal error, 78 wrong\n"
        "config. SIGTERM and SIGINT stop the agent; SIGHUP reads the config again and opens the log file again.\n"
        "More: man otterbeat, man otterbeat.cfg.\n";

enum action {
        ACTION_RUN,
        ACTION_INIT,
        ACTION_CHECK,
        ACTION_HELP,
        ACTION_VERSION,
        ACTION_CURSOR,
        ACTION_REPLAY,
        ACTION_PAGE,
        ACTION_GRAFANA,
        ACTION_DATADOG
};

struct options {
        int action; /* enum action */
        int is_once, is_dry, is_json;
        const char *file;
        int argc; /* the words behind the options */
        char **argv;
        sigset_t signals; /* the signals that end the program or make it read the config again; blocked */
};

/* An unknown first word, or a word with options that do not belong to it, is wrong usage. */
static int read_words(struct options *o)
{
        static const struct {
                const char *word;
                enum action action;
        } words[] = { { "cursor", ACTION_CURSOR }, { "datadog", ACTION_DATADOG }, { "grafana", ACTION_GRAFANA },
                { "page", ACTION_PAGE }, { "replay", ACTION_REPLAY } };

        if (o->is_json && o->action != ACTION_CHECK)
                return -1;
        if (o->action == ACTION_INIT)
                return o->argc > 1 ? -1 : 0;
        if (!o->argc)
                return 0;
        if (o->action != ACTION_RUN || o->is_once || o->is_dry)
                return -1;
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (!strcmp(o->argv[0], words[i].word))
                        o->action = (int)words[i].action;
        if (o->action == ACTION_PAGE)
                return o->argc == 2 ? 0 : -1;
        return o->action == ACTION_RUN ? -1 : 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
        const struct option table[] = {
                { "init", no_argument, &o->action, ACTION_INIT },
                { "check", no_argument, &o->action, ACTION_CHECK },
                { "help", no_argument, &o->action, ACTION_HELP },
                { "version", no_argument, &o->action, ACTION_VERSION },
                { "once", no_argument, &o->is_once, 1 },
                { "dry-run", no_argument, &o->is_dry, 1 },
                { "json", no_argument, &o->is_json, 1 },
                { "config", required_argument, NULL, 'c' },
                { NULL },
        };
        int c;

        while ((c = getopt_long(argc, argv, "+c:h", table, NULL)) != -1) {
                if (c == 'c')
                        o->file = optarg;
                else if (c == 'h')
                        o->action = ACTION_HELP;
                else if (c)
                        return -1;
        }
        o->argc = argc - optind;
        o->argv = argv + optind;
        return read_words(o);
}

static const char *find_config(void)
{
        static const char here[] = "./otterbeat.cfg", installed[] = "/etc/otterbeat/otterbeat.cfg";

        return access(here, F_OK) && !access(installed, F_OK) ? installed : here;
}

/*
 * Called first, since each thread inherits the mask: a signal that comes while the config is read is kept until
 * the program waits for it. A closed pipe (SIGPIPE), a file size limit (SIGXFSZ), and a signal without a meaning
 * here must not end the program.
 */
static void block_signals(struct options *o)
{
        static const int blocked[] = { SIGTERM, SIGINT, SIGHUP },
                         ignored[] = { SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2 };

        sigemptyset(&o->signals);
        for (size_t i = 0; i < sizeof(blocked) / sizeof(*blocked); i++)
                sigaddset(&o->signals, blocked[i]);
        pthread_sigmask(SIG_BLOCK, &o->signals, NULL);
        for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
                signal(ignored[i], SIG_IGN);
}

/* For a command that waits for no signal: signals end it. */
static void unblock_signals(const struct options *o)
{
        pthread_sigmask(SIG_UNBLOCK, &o->signals, NULL);
}

/* Each source and sink has open files and a connection; the soft limit is only low for select(2). */
static void raise_descriptors(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files))
                return;
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* on failure the limit stays, and the start logs that it is low */
}

/* A config and the agent that runs by it. */
struct run {
        const struct options *options;
        struct ob_config *config; /* ours */
        struct ob_agent agent;
        struct ob_supervise supervise;
        bool is_running;
};

static int start(struct run *r, struct ob_config *config, struct ob_err *err)
{
        struct ob_exposed exposed;
        struct rlimit files;
        size_t i = 0;

        if (ob_log_open(config->log_file, (enum ob_level)config->log_level, err))
                return -1;
        ob_log(OB_LOG_INFO, "event=started version=" OB_VERSION " config=%s", r->options->file);
        if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < (rlim_t)ob_config_descriptors(config))
                ob_log(OB_LOG_WARN,
                        "event=few_descriptors limit=%lld wanted=%lld why=\"not every source and sink may get its files "
                        "and connections: raise the hard limit (ulimit -Hn, LimitNOFILE)\"",
                        (long long)files.rlim_cur, (long long)ob_config_descriptors(config));
        while (ob_config_exposed(config, &i, &exposed))
                ob_log(OB_LOG_WARN, "event=exposed file=%s why=\"%s: %s\"", exposed.file, exposed.why, exposed.fix);
        r->is_running = !ob_agent_start(&r->agent, config, err);
        return r->is_running ? 0 : -1;
}

/* Whether the program has to end already: then no agent is started that would only be stopped again. */
static bool is_ending(void)
{
        sigset_t pending;

        return !sigpending(&pending) && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* On SIGHUP: runs the new config if it is valid, else continues with the old one. */
static int reload(struct run *r)
{
        struct ob_err err, again;
        struct ob_config *fresh = ob_config_load(r->options->file, &err), *old = r->config;

        if (!fresh) {
                ob_log(OB_LOG_ERROR, "event=reload_failed err=\"%s\" why=\"the old config stays\"", err.text);
                if (ob_log_open(old->log_file, (enum ob_level)old->log_level, &again))
                        ob_log(OB_LOG_ERROR, "event=log_failed err=\"%s\"", again.text);
                return 0;
        }
        ob_agent_stop(&r->agent);
        r->is_running = false;
        if (is_ending()) {
                ob_config_free(fresh);
                return 0;
        }
        if (!start(r, fresh, &err)) {
                r->config = fresh;
                ob_config_free(old);
                ob_log(OB_LOG_INFO, "event=reloaded");
                return 0;
        }
        ob_log(OB_LOG_ERROR, "event=reload_failed err=\"%s\" why=\"the old config stays\"", err.text);
        ob_config_free(fresh);
        if (!start(r, old, &err))
                return 0;
        ob_log(OB_LOG_ERROR, "event=start_failed err=\"%s\"", err.text);
        return -1;
}

/* The sum of all time-outs in seconds: nothing that works needs longer. */
static int64_t longest_wait(const struct ob_config *c)
{
        int64_t seconds = c->drain;

        for (size_t i = 0; i < c->n_managers; i++)
                seconds += c->managers[i].mysql.connect_timeout + c->managers[i].mysql.query_timeout +
                           2 * c->managers[i].page.timeout;
        return seconds;
}

/* Waits for the end of --once, and returns its reason: a signal, or no progress for too long; NULL: done. */
static const char *wait_until_drained(struct run *r, const sigset_t *signals)
{
        const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
        int64_t progress = -1, moved = ob_clock_ms(), patience = longest_wait(r->config);

        while (!ob_agent_is_drained(&r->agent)) {
                if (sigtimedwait(signals, NULL, &look) > 0)
                        return "a signal ended it";
                ob_agent_watch(&r->agent);
                if (ob_agent_is_corrupt(&r->agent))
                        return "the store is damaged: the next start repairs it";
                if (progress != ob_agent_progress(&r->agent)) {
                        progress = ob_agent_progress(&r->agent);
                        moved = ob_clock_ms();
                }
                if (ob_clock_ms() - moved > patience * 1000)
                        return "nothing moved for longer than all time-outs together";
        }
        return NULL;
}

/* A start checks the whole store, and repairs it. */
static int start_again(struct run *r)
{
        struct ob_err err;

        ob_log(OB_LOG_ERROR, "event=restarting why=\"the store is damaged\"");
        ob_agent_stop(&r->agent);
        r->is_running = false;
        if (is_ending() || !start(r, r->config, &err))
                return 0;
        ob_log(OB_LOG_ERROR, "event=start_failed err=\"%s\"", err.text);
        return -1;
}

/* Keeps the watchdog satisfied meanwhile, since checking a large store and waiting for sinks take time. */
static int restart(struct run *r, int (*how)(struct run *r))
{
        int got;

        ob_supervise_busy(&r->supervise, longest_wait(r->config) * 1000);
        got = how(r);
        ob_supervise_idle(&r->supervise);
        return got;
}

static int run_until_signal(struct run *r, const sigset_t *signals)
{
        int64_t began = ob_clock_ms() - RESTART_MS;

        ob_supervise_ready(&r->supervise);
        for (;;) {
                int64_t wait = ob_supervise_wait_ms();
                const struct timespec look = { wait / 1000, wait % 1000 * 1000000 };
                int signal_number = sigtimedwait(signals, NULL, &look);
                struct ob_status_of of;

                if (!r->is_running) { /* the program had to end when a reload had stopped the agent */
                        ob_log(OB_LOG_INFO, "event=stopped");
                        return EXIT_FINE;
                }
                of = ob_agent_status_of(&r->agent);
                ob_agent_watch(&r->agent);
                if (signal_number < 0) { /* the wait is over, or the process was stopped and continued */
                        ob_supervise_tick(&r->supervise, &of);
                        if (!ob_agent_is_corrupt(&r->agent) || ob_clock_ms() - began < RESTART_MS)
                                continue;
                        began = ob_clock_ms();
                        if (restart(r, start_again))
                                return EXIT_OUR_FAULT;
                        continue;
                }
                if (signal_number != SIGHUP)
                        return EXIT_FINE;
                ob_supervise_reloading(&r->supervise);
                if (restart(r, reload))
                        return EXIT_OUR_FAULT;
                ob_supervise_ready(&r->supervise);
        }
}

static int run(const struct options *o, struct ob_config *config)
{
        bool is_printing = o->is_dry && isatty(STDOUT_FILENO);
        struct run r = { .options = o,
                .config = config,
                .agent = { .is_once = o->is_once,
                        .is_dry = o->is_dry,
                        .terminal = is_printing ? 0 : ob_terminal_keep() } };
        const char *why = NULL;
        struct ob_err err;
        bool is_clean = true;
        int code = EXIT_FINE;

        if (start(&r, config, &err)) {
                ob_log(OB_LOG_ERROR, "event=start_failed err=\"%s\"", err.text);
                code = EXIT_UNREACHED;
        } else if (o->is_once) {
                why = wait_until_drained(&r, &o->signals);
        } else {
                code = run_until_signal(&r, &o->signals);
        }
        if (r.is_running) {
                if (!o->is_once)
                        ob_supervise_stopping(&r.supervise);
                is_clean = ob_agent_stop(&r.agent);
                ob_log(OB_LOG_INFO, "event=stopped");
        }
        ob_config_free(r.config);
        if (!o->is_once || is_clean || code != EXIT_FINE)
                return code;
        ob_log(OB_LOG_ERROR, "event=once_failed why=\"not all was read and sent: %s\"",
                why ? why : "the lines before say what went wrong");
        return EXIT_UNREACHED;
}

static int init(const char *dir)
{
        struct ob_err err;

        if (!ob_init(dir, &err))
                return EXIT_FINE;
        fprintf(stderr, "otterbeat: %s\n", err.text);
        return EXIT_OUR_FAULT;
}

static int show_page(const struct options *o, struct ob_config *config)
{
        struct ob_err err;
        int got = ob_page_show(config, o->argv[1], &err);

        ob_config_free(config);
        if (!got)
                return EXIT_FINE;
        fflush(stdout);
        fprintf(stderr, "otterbeat: %s\n", err.text);
        return EXIT_UNREACHED;
}

static int with_config(struct options *o)
{
        struct ob_config *config;
        struct ob_err err;
        int code;

        ob_fetch_begin();
        if (o->action == ACTION_PAGE && !o->file)
                return show_page(o, NULL);
        if (!o->file)
                o->file = find_config();
        config = ob_config_load(o->file, &err);
        if (!config) {
                fprintf(stderr, "otterbeat: %s\n", err.text);
                return o->action == ACTION_CHECK ? ob_check_config_failed(o->file, &err, o->is_json) : EXIT_CONFIG;
        }
        mysql_library_init(0, NULL, NULL); /* before there are threads */
        switch ((enum action)o->action) {
        case ACTION_CHECK:
                code = ob_check(config, o->is_json);
                break;
        case ACTION_PAGE:
                return show_page(o, config);
        case ACTION_CURSOR:
                code = ob_cursor(config, o->argc, o->argv);
                break;
        case ACTION_GRAFANA:
                code = ob_grafana(config, o->argc, o->argv);
                break;
        case ACTION_DATADOG:
                code = ob_datadog(config, o->argc, o->argv);
                break;
        case ACTION_REPLAY:
                code = ob_replay(config, o->argc, o->argv, &o->signals);
                break;
        default:
                return run(o, config);
        }
        ob_config_free(config);
        return code;
}

/* A core dump would hold passwords. (This refuses debuggers of other users than root, too.) */
static void forbid_core_dumps(void)
{
        const struct rlimit none = { 0, 0 };

        setrlimit(RLIMIT_CORE, &none);
        prctl(PR_SET_DUMPABLE, 0);
}

/* Output that was not written is an error. */
static int flushed(int code)
{
        if (!fflush(stdout) && !ferror(stdout))
                return code;
        fprintf(stderr, "otterbeat: standard output: %m\n");
        return code ? code : EXIT_UNREACHED;
}

int main(int argc, char **argv)
{
        struct options o = { .action = ACTION_RUN };
        int code;

        block_signals(&o);
        ob_stream_own(STDERR_FILENO);
        if (read_options(argc, argv, &o)) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        if (o.action != ACTION_RUN && o.action != ACTION_REPLAY)
                unblock_signals(&o);
        if (o.action == ACTION_INIT)
                return flushed(init(o.argc ? o.argv[0] : "."));
        if (o.action == ACTION_HELP)
                return fputs(usage, stdout), flushed(EXIT_FINE);
        if (o.action == ACTION_VERSION)
                return puts("otterbeat " OB_VERSION), flushed(EXIT_FINE);
        forbid_core_dumps();
        raise_descriptors();
        code = with_config(&o);
        mysql_library_end();
        ob_fetch_end();
        return flushed(code);
}
