#include <errno.h>
#include <malloc.h>
#include <mysql.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/cluster/cluster.h"
#include "agent/cluster/migrate.h"
#include "agent/dashboards/datadog.h"
#include "agent/dashboards/grafana.h"
#include "agent/ops/agent.h"
#include "agent/ops/check.h"
#include "agent/ops/cursor.h"
#include "agent/ops/exit.h"
#include "agent/ops/init.h"
#include "agent/ops/page.h"
#include "agent/ops/replay.h"
#include "agent/ops/supervise.h"
#include "agent/process/clock.h"
#include "agent/process/log.h"
#include "agent/process/stream.h"
#include "agent/process/terminal.h"
#include "agent/source/web/fetch.h"
#include "agent/top/top.h"
#include "agent/verify/verify.h"
#include "config/load.h"

#define LOOK_MS    100   /* how often --once checks whether all work is done */
#define RESTART_MS 10000 /* the shortest time between two starts after a corruption of the store */

/* The rows of the options. */
enum {
        CONFIG,
        INIT,
        DATABASE,
        PASSWORD_FILE,
        MANAGER,
        STATSD,
        GRAPHITE,
        CHECK,
        JSON,
        ONCE,
        DRY_RUN,
        VERSION,
        HELP
};

static const struct ob_option option_table[] = {
        [CONFIG] = { "config", .letter = 'c', .argument = "FILE", .is_for_parts = true,
                .help = "the config file (default: ./otterbeat.cfg, then /etc/otterbeat/otterbeat.cfg)" },
        [INIT] = { "init",
                .help = "write otterbeat.cfg, otterbeat.cfg.example and ctl into DIR (default: the current folder); never "
                        "overwrite a file" },
        [DATABASE] = { "mysql", .argument = "URL", .with = "init",
                .help = "with --init: the manager's database, mysql://USER@HOST:PORT/DATABASE" },
        [PASSWORD_FILE] = { "password-file", .argument = "FILE", .with = "init",
                .help = "with --init: the file with the password of that user (default: the variable OTTERBEAT_PASSWORD)" },
        [MANAGER] = { "manager", .argument = "URL", .with = "init",
                .help = "with --init: the manager's pages, http://HOST:PORT" },
        [STATSD] = { "statsd", .argument = "HOST:PORT", .with = "init", .help = "with --init: the StatsD server" },
        [GRAPHITE] = { "graphite", .argument = "HOST:PORT", .with = "init",
                .help = "with --init: carbon's line receiver" },
        [CHECK] = { "check", .help = "check config, databases, pages and sinks, and say what helps" },
        [JSON] = { "json", .with = "check", .help = "print the findings of --check as JSON" },
        [ONCE] = { "once",
                .help = "read every source up to its newest row, deliver, and exit; 0 only if all was read and sent" },
        [DRY_RUN] = { "dry-run", .help = "print the lines instead of sending them; no checkpoint moves" },
        [VERSION] = { "version", .help = "print the version" },
        [HELP] = { "help", .letter = 'h',
                .help = "print this text; behind the name of a command: the help of that command" },
        { NULL },
};

static const struct ob_command program = {
        .name = "",
        .usage =
                "[-c FILE] [--check [--json] | --once] [--dry-run]\n"
                "--init [DIR] [--mysql URL] [--password-file FILE] [--manager URL] [--statsd HOST:PORT] [--graphite HOST:PORT]",
        .help = "Reads the statistics of Alibaba Otter's managers and sends what changed to StatsD and Graphite.",
        .notes =
                "Exit codes: 0 success, 64 wrong usage, 69 something could not be reached or read, 70 internal error, 78 wrong\n"
                "config. SIGTERM and SIGINT stop the agent; SIGHUP reads the config again and opens the log file again.\n"
                "More: man otterbeat, man otterbeat.cfg.",
        .options = option_table,
        .parts = (const struct ob_command *const[]) { &ob_cursor_command, &ob_replay_command, &ob_verify_command,
                &ob_page_command, &ob_top_command, &ob_cluster_command, &ob_migrate_command, &ob_grafana_command,
                &ob_datadog_command, NULL },
        .words_with = "init",
        .max_words = 1,
};

struct options {
        struct ob_arguments typed; /* of the program */
        struct ob_arguments part;  /* of the command that was named */
        const char *file;          /* the config; NULL: none was named */
        sigset_t signals;          /* the signals that end the program or make it read the config again; blocked */
};

static bool has(const struct options *o, int option)
{
        return o->typed.options[option] != NULL;
}

/* The command that was typed: the program itself, or a command. */
static const struct ob_arguments *command_of(const struct options *o)
{
        return o->part.command ? &o->part : &o->typed;
}

/* Reads the program's options, then those of the command, then those of its part. -1: the error was printed. */
static int read_all(int argc, char **argv, struct options *o)
{
        struct ob_arguments *at = &o->typed;

        if (ob_command_read(&program, argc - 1, argv + 1, at))
                return -1;
        while (at->part) {
                const struct ob_arguments above = *at;

                at = &o->part;
                if (ob_command_read(above.part, above.argc, above.argv, at))
                        return -1;
        }
        o->part.signals = &o->signals;
        o->file = o->typed.options[CONFIG];
        return 0;
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

/* Each source and sink has open files and a connection; the soft limit is only low for select(2). */
static void raise_descriptors(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files))
                return;
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files); /* on failure the limit stays, and the start logs that it is low */
}

/*
 * Each manager has several threads, each with a session and a store connection, which mostly wait; so memory that
 * only one thread may use again is memory for nothing. libmariadb allocates 256 KiB for each session and uses
 * little of them: in a mapping of their own the rest takes no memory. SQLite would fill twenty pages for each
 * connection when the connection is opened.
 */
static void share_memory(void)
{
        mallopt(M_ARENA_MAX, 2);
        mallopt(M_MMAP_THRESHOLD, 256 << 10);
        sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
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
        if (start(r, old, &err)) {
                ob_log(OB_LOG_ERROR, "event=start_failed err=\"%s\"", err.text);
                ob_agent_release(&r->agent);
        }
        ob_config_free(fresh); /* the membership uses its settings until the old config is started */
        return r->is_running ? 0 : -1;
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
                if (ob_agent_has_lost(&r->agent))
                        return "the lease of a manager was lost, or was asked for";
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
        bool is_printing = has(o, DRY_RUN) && isatty(STDOUT_FILENO);
        struct run r = { .options = o,
                .config = config,
                .agent = { .mode = { .is_once = has(o, ONCE), .is_dry = has(o, DRY_RUN) },
                        .terminal = is_printing ? 0 : ob_terminal_keep() } };
        const char *why = NULL;
        struct ob_err err;
        bool is_clean = true;
        int code = EXIT_FINE;

        if (start(&r, config, &err)) {
                ob_log(OB_LOG_ERROR, "event=start_failed err=\"%s\"", err.text);
                code = EXIT_UNREACHED;
        } else if (has(o, ONCE)) {
                why = wait_until_drained(&r, &o->signals);
        } else {
                code = run_until_signal(&r, &o->signals);
        }
        if (r.is_running) {
                if (!has(o, ONCE))
                        ob_supervise_stopping(&r.supervise);
                is_clean = ob_agent_stop(&r.agent);
                ob_log(OB_LOG_INFO, "event=stopped");
        }
        ob_agent_release(&r.agent);
        ob_config_free(r.config);
        if (!has(o, ONCE) || is_clean || code != EXIT_FINE)
                return code;
        ob_log(OB_LOG_ERROR, "event=once_failed why=\"not all was read and sent: %s\"",
                why ? why : "the lines before say what went wrong");
        return EXIT_UNREACHED;
}

static int init(const struct options *o)
{
        static const int codes[] = { [OB_INIT_WRITTEN] = EXIT_FINE,
                [OB_INIT_WRONG] = EXIT_USAGE,
                [OB_INIT_KEPT] = EXIT_CONFIG,
                [OB_INIT_FAILED] = EXIT_OUR_FAULT };
        const char *const *typed = o->typed.options;
        const struct ob_init wanted = { .mysql = typed[DATABASE],
                .password_file = typed[PASSWORD_FILE],
                .manager = typed[MANAGER],
                .statsd = typed[STATSD],
                .graphite = typed[GRAPHITE] };
        struct ob_err err;
        enum ob_init_result result = ob_init(o->typed.n_words ? o->typed.words[0] : ".", &wanted, &err);

        if (result != OB_INIT_WRITTEN)
                fprintf(stderr, "otterbeat: %s\n", err.text);
        return codes[result];
}

static int with_config(struct options *o)
{
        const struct ob_command *command = o->part.command;
        struct ob_config *config;
        struct ob_err err;
        int code;

        if (command && !o->file && ob_command_needs_no_config(&o->part))
                return command->run(NULL, &o->part);
        if (!o->file)
                o->file = find_config();
        config = ob_config_load(o->file, &err);
        if (!config && has(o, CHECK))
                return ob_check_config_failed(o->file, &err, has(o, JSON));
        if (!config) {
                fprintf(stderr, "otterbeat: %s%s\n", err.text,
                        access(o->file, F_OK) && errno == ENOENT ? "; `otterbeat --init` writes a config" : "");
                return EXIT_CONFIG;
        }
        mysql_library_init(0, NULL, NULL); /* before there are threads */
        if (!command && !has(o, CHECK))
                return run(o, config);
        code = command ? command->run(config, &o->part) : ob_check(config, has(o, JSON));
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

/* What needs no config. Returns the exit code; -1: something else is wanted. */
static int without_config(const struct options *o)
{
        if (command_of(o)->wants_help)
                return ob_command_help(command_of(o)->command), EXIT_FINE;
        if (has(o, VERSION))
                return puts("otterbeat " OB_VERSION), EXIT_FINE;
        return has(o, INIT) ? init(o) : -1;
}

/* The agent and some commands end in order when a signal comes; a signal ends everything else at once. */
static bool waits_for_signals(const struct options *o)
{
        if (o->part.command)
                return o->part.command->ends_in_order;
        return !has(o, CHECK) && !has(o, INIT) && !has(o, VERSION) && !o->typed.wants_help;
}

int main(int argc, char **argv)
{
        struct options o = { .file = NULL };
        int code;

        block_signals(&o);
        ob_stream_own(STDERR_FILENO);
        if (read_all(argc, argv, &o))
                return EXIT_USAGE;
        if (!waits_for_signals(&o))
                pthread_sigmask(SIG_UNBLOCK, &o.signals, NULL);
        code = without_config(&o);
        if (code >= 0)
                return flushed(code);
        forbid_core_dumps();
        raise_descriptors();
        share_memory();
        ob_fetch_begin();
        code = with_config(&o);
        mysql_library_end();
        ob_fetch_end();
        return flushed(code);
}
