/*
 * The command line as data: a command is a row with its options, its words and its parts (subcommands). These rows
 * give the help, the check of the command line, and the suggestion for an unknown name. Main thread.
 */
#ifndef OB_PROCESS_COMMAND_H
#define OB_PROCESS_COMMAND_H

#include <signal.h>
#include <stdbool.h>

#include "config/config.h"

#define OB_OPTIONS_MAX 16
#define OB_WORDS_MAX   2

struct ob_option {
        const char *name;     /* without the dashes */
        const char *argument; /* how the help names its argument, such as DIR; NULL: the option takes none */
        const char *help;
        const char *with; /* the option that this option needs; NULL: none */
        char letter;      /* 'c': the option is also -c; '\0': it has no letter */
        bool is_needed;
        bool is_for_parts; /* may stand before the name of a part */
};

struct ob_arguments;

struct ob_command {
        const char *name;                /* after the name of the command that it is a part of: "cursor rewind" */
        const char *usage;               /* the words after the name, such as "--out DIR [--replace]" */
        const char *help;                /* what it does, in a paragraph */
        const char *notes;               /* the end of its own help; NULL: nothing */
        const char *missing;             /* how the error names a missing word; NULL: no word is needed */
        const struct ob_option *options; /* a NULL name ends them; NULL: no options, so "-2h" is a word */
        const struct ob_command *const *parts; /* a NULL ends them; NULL: none */
        const char *words_with; /* a command with parts takes words only with this option; NULL: never */
        int min_words, max_words;
        bool is_config_optional;     /* without -c no config is read */
        const char *replaces_config; /* with this option no config is read unless -c names one; NULL: none */
        bool ends_in_order; /* signals are left to `run`, by ob_arguments.signals; else they end the program at once
                             */

        /* Returns the exit code. `config` is NULL when the command needs no config and -c named none. */
        int (*run)(const struct ob_config *config, const struct ob_arguments *arguments);
};

/* For a command that has no options, and refuses a word that begins with a dash. */
extern const struct ob_option ob_no_options[];

/* What was typed. Every text is borrowed from the command line. */
struct ob_arguments {
        const struct ob_command *command;
        const char *options[OB_OPTIONS_MAX]; /* by the row of the option; NULL: not typed; "": typed, and takes no
                                                argument */
        const char *words[OB_WORDS_MAX];
        int n_words;
        bool wants_help;               /* --help or -h, which each command has */
        const struct ob_command *part; /* the part that was named; NULL: none */
        int argc;                      /* the words of the part, without its name */
        char **argv;
        const sigset_t *signals; /* the caller's, blocked: each of them ends a wait of the command */
};

/*
 * Reads the words after the name of a command, up to the name of one of its parts. -1: wrong usage; two lines on
 * standard error give the error and the usage.
 */
int ob_command_read(const struct ob_command *c, int argc, char **argv, struct ob_arguments *a);

/* Whether the command works without a config when none is named. */
bool ob_command_needs_no_config(const struct ob_arguments *a);

/* Prints the help of a command and the list of its parts on standard output. */
void ob_command_help(const struct ob_command *c);

#endif
