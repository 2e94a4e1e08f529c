#include "tests/otter/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tests/otter/rows.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member)      offsetof(struct fo_options, member)
#define OF(command)     (1U << (command))
#define OF_ALL          (OF(FO_COMMANDS) - 1U)
#define OF_WORLD        (OF(FO_CREATE) | OF(FO_FILL) | OF(FO_RUN))

enum { FIRST_VALUE = 256, TABLE_NAMES_SIZE = 128 };

static const struct {
        const char *name;
        const char *help;
} commands[FO_COMMANDS] = {
        [FO_CREATE] = { "create", "make the database anew: empty tables, and names" },
        [FO_SAMPLE] = { "sample", "insert a small, fixed set of rows of 2020-04-20" },
        [FO_FILL] = { "history", "insert many rows of the past" },
        [FO_RUN] = { "run", "behave as running managers do" },
        [FO_SUMS] = { "sums", "print what the tables add up to, as JSON" },
        [FO_PAGES] = { "pages", "serve the manager's web pages on 127.0.0.1" },
};

/* Each puts the argument where the option says, or returns -1. */
struct kind;
struct setting {
        const char *name;
        const struct kind *kind;
        size_t at;
        double least;
        double most;
        unsigned commands;
        const char *help;
};

struct kind {
        const char *argument;
        int (*set)(const struct setting *setting, char *value, void *at);
};

static int set_text(const struct setting *setting, char *value, void *at)
{
        (void)setting;
        *(const char **)at = value;
        return 0;
}

static int set_count(const struct setting *setting, char *value, void *at)
{
        char *end;
        int64_t number;

        errno = 0;
        number = strtoll(value, &end, 10);
        if (errno || end == value || *end || (double)number < setting->least || (double)number > setting->most)
                return -1;
        *(int64_t *)at = number;
        return 0;
}

static int set_real(const struct setting *setting, char *value, void *at)
{
        char *end;
        double number = strtod(value, &end);

        /* Written so that a NaN is refused as well. */
        if (end == value || *end || !(number >= setting->least && number <= setting->most))
                return -1;
        *(double *)at = number;
        return 0;
}

static int set_table(const struct setting *setting, char *value, void *at)
{
        enum fo_table table = fo_rows_table(value);

        (void)setting;
        if (table == FO_TABLES && strcmp(value, "all") != 0)
                return -1;
        *(int64_t *)at = table;
        return 0;
}

/* Names go into statements between backticks. */
static int set_name(const struct setting *setting, char *value, void *at)
{
        (void)setting;
        if (!*value || strlen(value) > 64 || strchr(value, '`'))
                return -1;
        *(const char **)at = value;
        return 0;
}

static const struct kind text = { .argument = "TEXT", .set = set_text };
static const struct kind name = { .argument = "NAME", .set = set_name };
static const struct kind count = { .argument = "N", .set = set_count };
static const struct kind real = { .argument = "X", .set = set_real };
static const struct kind table = { .argument = "TABLE", .set = set_table };

static const struct setting settings[] = {
        { "socket", &text, AT(where.socket), 0, 0, OF_ALL, "connect by this socket" },
        { "host", &text, AT(where.host), 0, 0, OF_ALL, "or by TCP to this host" },
        { "port", &count, AT(port), 1, 65535, OF_ALL, "and this port (3306)" },
        { "user", &text, AT(where.user), 0, 0, OF_ALL, "as this user (root)" },
        { "password", &text, AT(where.password), 0, 0, OF_ALL, "with this password (none)" },
        { "database", &name, AT(where.database), 0, 0, OF_ALL, "the database (otter)" },
        { "pipelines", &count, AT(pipelines), 1, 1e6, OF_WORLD, "how many (create: 4; else: as the database has)" },
        { "tables", &count, AT(tables), 1, 1e4, OF_WORLD,
                "pairs of each pipeline (create: 3; else: as the database has)" },
        { "channels", &count, AT(channels), 1, 1e6, OF(FO_CREATE),
                "that the pipelines are shared out among (one for two); what is left over stays empty" },
        { "rows", &count, AT(rows), 1, 1e10, OF(FO_FILL), "how many, of each table" },
        { "until", &count, AT(until), 1, 2147483647, OF(FO_FILL), "epoch of the newest row (now)" },
        { "hours", &real, AT(hours), 0.001, 1e5, OF(FO_FILL), "from oldest to newest (24)" },
        { "table", &table, AT(table), 0, 0, OF(FO_FILL),
                "DELAY_STAT, THROUGHPUT_STAT, TABLE_HISTORY_STAT, LOG_RECORD, TABLE_STAT"
                " (one row a pair), or all (all)" },
        { "seconds", &real, AT(seconds), 0.001, 1e9, OF(FO_RUN), "how long (until a signal)" },
        { "speed", &real, AT(speed), 0.001, 6000, OF(FO_RUN), "a manager's minute takes 60/X seconds (1)" },
        { "managers", &count, AT(managers), 0, 100, OF(FO_RUN), "manager threads (2)" },
        { "masters", &count, AT(masters), 1, 100, OF(FO_RUN), "ids are shared out among this many databases (2)" },
        { "master", &count, AT(master), 0, 100, OF(FO_RUN),
                "all ids are of this one of them (0: of each in turn)" },
        { "writers", &count, AT(writers), 0, 500, OF(FO_RUN), "threads that insert in longer transactions (0)" },
        { "hold", &real, AT(hold), 0, 3600, OF(FO_RUN), "longest transaction of a writer, in seconds (2)" },
        { "rate", &real, AT(rate), 0.001, 1e6, OF(FO_RUN), "rows a second of all writers together (50)" },
        { "seed", &count, AT(seed), 0, 9e18, OF(FO_FILL) | OF(FO_RUN), "the same seed makes the same choices (1)" },
        { "prefix", &text, AT(prefix), 0, 0, OF(FO_SUMS), "first node of the keys (otter)" },
        { "listen", &count, AT(listen), 0, 65535, OF(FO_PAGES), "port; 0 is any free one, and is told (8080)" },
        { "login", &text, AT(login), 0, 0, OF(FO_PAGES), "who may log in (admin)" },
        { "login-password", &text, AT(login_password), 0, 0, OF(FO_PAGES), "with which password (admin)" },
        { "zone", &text, AT(zone), 0, 0, OF(FO_PAGES), "of the dates, by name or as +08:00 (Asia/Shanghai)" },
        { "state", &text, AT(state), 0, 0, OF(FO_PAGES), "file of what goes wrong, one order a line: state.h" },
};

static void print_settings(FILE *out, unsigned of)
{
        char left[32];

        for (size_t i = 0; i < COUNT_OF(settings); i++) {
                const struct setting *s = &settings[i];

                if (s->commands != of && (of == OF_ALL || s->commands == OF_ALL))
                        continue;
                if (!(s->commands & of))
                        continue;
                snprintf(left, sizeof(left), "--%s %s", s->name, s->kind->argument);
                fprintf(out, "      %-22s %s\n", left, s->help);
        }
}

static void print_help(FILE *out)
{
        fputs("usage: fake-otter [CONNECTION] COMMAND [OPTIONS]\n\n"
              "  fills the tables of a MariaDB as the managers of Alibaba Otter do, and serves their pages\n\n"
              "  CONNECTION (good with every command)\n",
                out);
        print_settings(out, OF_ALL);
        for (size_t i = 0; i < FO_COMMANDS; i++) {
                fprintf(out, "\n  %-10s %s\n", commands[i].name, commands[i].help);
                print_settings(out, OF(i));
        }
        fputs("\n  exit: 0 done, 1 a statement failed, 64 misuse, 69 no database\n", out);
}

static void __attribute__((noreturn)) misuse(const char *what, const char *which)
{
        fprintf(stderr, "fake-otter: %s%s\nTry: fake-otter --help\n", what, which);
        exit(EX_USAGE);
}

static void set(struct fo_options *options, const struct setting *s, char *value)
{
        if (s->kind->set(s, value, (char *)options + s->at)) {
                fprintf(stderr, "fake-otter: not a good --%s: %s\n", s->name, value);
                exit(EX_USAGE);
        }
}

static void describe(struct option *list)
{
        for (size_t i = 0; i < COUNT_OF(settings); i++)
                list[i] = (struct option) {
                        .name = settings[i].name,
                        .has_arg = required_argument,
                        .val = FIRST_VALUE + (int)i,
                };
        list[COUNT_OF(settings)] = (struct option) { .name = "help", .val = 'h' };
}

/* Returns the settings that were given, one bit each. */
static uint64_t read_options(struct fo_options *options, int argc, char **argv)
{
        struct option list[COUNT_OF(settings) + 2] = { { 0 } };
        uint64_t given = 0;
        int c;

        describe(list);
        while ((c = getopt_long(argc, argv, "h", list, NULL)) != -1) {
                if (c == 'h') {
                        print_help(stdout);
                        exit(EX_OK);
                }
                if (c < FIRST_VALUE)
                        misuse("that is no option of mine", "");
                set(options, &settings[c - FIRST_VALUE], optarg);
                given |= UINT64_C(1) << (c - FIRST_VALUE);
        }
        return given;
}

static enum fo_command find_command(const char *word)
{
        enum fo_command i = 0;

        while (i < FO_COMMANDS && strcmp(commands[i].name, word) != 0)
                i++;
        if (i == FO_COMMANDS)
                misuse("no such command: ", word);
        return i;
}

static void refuse_foreign(enum fo_command command, uint64_t given)
{
        for (size_t i = 0; i < COUNT_OF(settings); i++) {
                if ((given >> i & 1) && !(settings[i].commands & OF(command)))
                        misuse("not an option of this command: --", settings[i].name);
        }
}

void fo_options_parse(struct fo_options *options, int argc, char **argv)
{
        uint64_t given;

        *options = (struct fo_options) {
                .where = { .user = "root", .database = "otter" },
                .port = 3306,
                .seed = 1,
                .managers = 2,
                .masters = 2,
                .table = FO_TABLES,
                .hours = 24,
                .speed = 1,
                .hold = 2,
                .rate = 50,
                .prefix = "otter",
                .listen = 8080,
                .login = "admin",
                .login_password = "admin",
                .zone = "Asia/Shanghai",
        };
        given = read_options(options, argc, argv);
        if (optind == argc)
                misuse("which command?", "");
        options->command = find_command(argv[optind]);
        if (optind + 1 < argc)
                misuse("one command only, not also: ", argv[optind + 1]);
        refuse_foreign(options->command, given);
        if (options->command == FO_FILL && !options->rows)
                misuse("history needs --rows", "");
        if (options->where.socket && options->where.host)
                misuse("either --socket or --host", "");
        options->where.port = (unsigned)options->port;
}
