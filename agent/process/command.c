#include "agent/process/command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/nearest.h"

const struct ob_option ob_no_options[] = { { NULL } };

#define HELP_COLUMN 28  /* where the texts of --help begin */
#define HELP_WIDTH  118 /* bytes of a line of --help */

/* A command line that is being read; `next` is the next word. */
struct reading {
        const struct ob_command *command;
        struct ob_arguments *arguments;
        int argc, next;
        char **argv;
};

/* The part of a name that is typed last: "rewind" of "cursor rewind". */
static const char *last_word(const char *name)
{
        const char *blank = strrchr(name, ' ');

        return blank ? blank + 1 : name;
}

/* Prints the error, and the usage on a second line. Returns -1. */
static int refuse(const struct ob_command *c, const struct ob_err *err)
{
        fprintf(stderr, "otterbeat%s%s: %s\n", *c->name ? " " : "", c->name, err->text);
        if (*c->name)
                fprintf(stderr, "usage: otterbeat [-c FILE] %s%s%s\n", c->name, *c->usage ? " " : "", c->usage);
        else
                fputs("usage: otterbeat --help lists all options and commands\n", stderr);
        return -1;
}

/* Names the nearest option or command: the user may have left out the dashes of an option, or put dashes before a
 * command. */
static int refuse_unknown(const struct ob_command *c, const char *word)
{
        static const struct ob_option help[] = { { "help" }, { NULL } };
        const struct ob_option *const options[] = { c->options ? c->options : help, help };
        struct ob_nearest command = { .word = word }, option = command;
        const char *kind = *word == '-' ? "option" : "command";
        struct ob_err err;

        for (size_t i = 0; c->parts && c->parts[i]; i++)
                ob_nearest_try(&command, last_word(c->parts[i]->name));
        for (size_t i = 0; i < 2; i++)
                for (const struct ob_option *o = options[i]; o->name; o++)
                        ob_nearest_try(&option, o->name);
        /* Of two equally near names, the one of the kind that was typed. */
        if (command.name && (!option.name || command.distance + (*word == '-') <= option.distance))
                ob_fail(&err, "there is no %s %s; did you mean %s?", kind, word, command.name);
        else if (option.name)
                ob_fail(&err, "there is no %s %s; did you mean --%s?", kind, word, option.name);
        else
                ob_fail(&err, "there is no %s %s", kind, word);
        return refuse(c, &err);
}

static bool is_typed(const struct ob_arguments *a, const char *name)
{
        const struct ob_option *options = a->command->options;

        for (size_t i = 0; options && options[i].name; i++)
                if (!strcmp(options[i].name, name))
                        return a->options[i] != NULL;
        return false;
}

/* The option with this name, or the only option whose name begins with it. NULL: none, or several. */
static const struct ob_option *find_long(const struct ob_command *c, const char *name, size_t length)
{
        const struct ob_option *found = NULL;
        int n = 0;

        for (const struct ob_option *o = c->options; o && o->name; o++) {
                if (strncmp(o->name, name, length) != 0)
                        continue;
                if (!o->name[length])
                        return o;
                found = o;
                n++;
        }
        return n == 1 ? found : NULL;
}

static const struct ob_option *find_letter(const struct ob_command *c, char letter)
{
        for (const struct ob_option *o = c->options; o && o->name; o++)
                if (o->letter && o->letter == letter)
                        return o;
        return NULL;
}

/* Stores the option and its argument: `value`, which was in the same word, or else the next word. */
static int take_option(struct reading *r, const struct ob_option *o, const char *value)
{
        struct ob_err err;

        if (!o->argument && value) {
                ob_fail(&err, "--%s takes no value", o->name);
                return refuse(r->command, &err);
        }
        if (o->argument && !value && r->next < r->argc)
                value = r->argv[r->next++];
        if (o->argument && (!value || !*value)) {
                ob_fail(&err, "--%s needs a value: --%s %s", o->name, o->name, o->argument);
                return refuse(r->command, &err);
        }
        r->arguments->options[o - r->command->options] = value ? value : "";
        return 0;
}

static int read_option(struct reading *r, const char *word)
{
        bool is_long = word[1] == '-';
        size_t length = is_long ? strcspn(word + 2, "=") : 0;
        ob_cleanup(ob_free_at) char *shown = ob_format("%.*s", (int)(is_long ? length + 2 : 2), word);
        const struct ob_option *o =
                is_long ? find_long(r->command, word + 2, length) : find_letter(r->command, word[1]);
        const char *value = word + 2 + length;

        if (!is_long && *value && find_long(r->command, word + 1, strlen(word + 1)))
                return refuse_unknown(r->command, word); /* -check is --check, and not the config file "heck" */
        if (!o)
                return refuse_unknown(r->command, shown);
        return take_option(r, o, *value ? value + is_long : NULL);
}

static int read_word(struct reading *r, const char *word)
{
        const struct ob_command *c = r->command;
        struct ob_arguments *a = r->arguments;
        bool is_ours = !c->parts || (c->words_with && is_typed(a, c->words_with));
        struct ob_err err;

        for (size_t i = 0; !is_ours && c->parts[i]; i++)
                if (!strcmp(word, last_word(c->parts[i]->name))) {
                        a->part = c->parts[i];
                        a->argc = r->argc - r->next;
                        a->argv = r->argv + r->next;
                        return 0;
                }
        if (!is_ours)
                return refuse_unknown(c, word);
        if (a->n_words == c->max_words) {
                ob_fail(&err, "%s is one word too many", word);
                return refuse(c, &err);
        }
        a->words[a->n_words++] = word;
        return 0;
}

/* Checks what depends on the whole line: what is missing, and which options do not go together. */
static int check_whole(const struct ob_command *c, const struct ob_arguments *a)
{
        struct ob_err err;

        for (size_t i = 0; c->options && c->options[i].name; i++) {
                const struct ob_option *o = &c->options[i];

                if (o->is_needed && !a->options[i]) {
                        ob_fail(&err, "--%s %s is missing", o->name, o->argument);
                        return refuse(c, &err);
                }
                if (o->with && a->options[i] && !is_typed(a, o->with)) {
                        ob_fail(&err, "--%s works only together with --%s", o->name, o->with);
                        return refuse(c, &err);
                }
                if (a->part && a->options[i] && !o->is_for_parts) {
                        ob_fail(&err, "--%s and the command %s do not go together", o->name, a->part->name);
                        return refuse(c, &err);
                }
        }
        if (a->part || a->n_words >= c->min_words)
                return 0;
        ob_fail(&err, "%s is missing", c->missing);
        return refuse(c, &err);
}

int ob_command_read(const struct ob_command *c, int argc, char **argv, struct ob_arguments *a)
{
        struct reading r = { .command = c, .arguments = a, .argc = argc, .argv = argv };
        bool has_options = true;

        assert(c->max_words <= OB_WORDS_MAX);
        *a = (struct ob_arguments) { .command = c };
        while (r.next < argc && !a->part) {
                const char *word = argv[r.next++];

                if (has_options && (!strcmp(word, "--help") || !strcmp(word, "-h"))) {
                        a->wants_help = true;
                        return 0;
                }
                if (has_options && !strcmp(word, "--"))
                        has_options = false;
                else if (has_options && *word == '-' && word[1] && c->options ? read_option(&r, word)
                                                                              : read_word(&r, word))
                        return -1;
        }
        return check_whole(c, a);
}

bool ob_command_needs_no_config(const struct ob_arguments *a)
{
        const struct ob_command *c = a->command;

        return c->is_config_optional || (c->replaces_config && is_typed(a, c->replaces_config));
}

/* Prints `text` from column `at` on, broken between words; further lines begin at `column`. */
static void print_text(const char *text, int at, int column)
{
        while (*text) {
                int length = (int)strcspn(text, " ");

                if (at + length >= HELP_WIDTH) {
                        printf("\n%*s", column, "");
                        at = column;
                }
                printf("%s%.*s", at > column ? " " : "", length, text);
                at += length + (at > column);
                text += length + (text[length] == ' ');
        }
        putchar('\n');
}

static void print_row(const char *left, const char *text)
{
        printf("%-*s", HELP_COLUMN, left);
        print_text(text, HELP_COLUMN, HELP_COLUMN);
}

static void print_usage(const struct ob_command *c, const char *before)
{
        for (const char *line = c->usage; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                printf("%sotterbeat%s%s%s%.*s\n", before, *c->name ? " [-c FILE] " : "", c->name, *line ? " " : "",
                        (int)strcspn(line, "\n"), line);
                before = "       ";
        }
}

static void print_options(const struct ob_command *c)
{
        for (const struct ob_option *o = c->options; o && o->name; o++) {
                ob_cleanup(ob_free_at) char *letter =
                        o->letter ? ob_format("-%c, ", o->letter) : ob_copy(*c->name ? "" : "    ");
                ob_cleanup(ob_free_at) char *left = ob_format(
                        "  %s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");

                print_row(left, o->help);
        }
}

void ob_command_help(const struct ob_command *c)
{
        print_usage(c, "usage: ");
        for (size_t i = 0; c->parts && c->parts[i] && !*c->name; i++)
                print_usage(c->parts[i], "       ");
        putchar('\n');
        print_text(c->help, 0, 0);
        if (c->options && c->options->name)
                putchar('\n');
        print_options(c);
        for (size_t i = 0; c->parts && c->parts[i]; i++) {
                ob_cleanup(ob_free_at) char *left = ob_format("  %s", last_word(c->parts[i]->name));

                if (!i)
                        putchar('\n');
                print_row(left, c->parts[i]->help);
        }
        if (c->notes)
                printf("\n%s\n", c->notes);
}
