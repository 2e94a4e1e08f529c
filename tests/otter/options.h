/*
 * The command line.
 */
#ifndef FO_OPTIONS_H
#define FO_OPTIONS_H

#include <stdint.h>

#include "tests/otter/db.h"

enum fo_command { FO_CREATE, FO_SAMPLE, FO_FILL, FO_RUN, FO_SUMS, FO_PAGES, FO_COMMANDS };

struct fo_options {
        enum fo_command command;
        struct fo_where where;
        int64_t port;
        int64_t pipelines; /* 0: as the database has them */
        int64_t tables;
        int64_t channels; /* 0: one for two pipelines */
        int64_t rows;
        int64_t until; /* epoch; 0: now */
        int64_t seed;
        int64_t managers;
        int64_t masters;
        int64_t master;
        int64_t writers;
        int64_t table; /* an fo_table; FO_TABLES: all */
        double hours;
        double seconds; /* 0: until a signal */
        double speed;
        double hold; /* seconds */
        double rate; /* rows a second */
        const char *prefix;
        int64_t listen; /* port; 0: any */
        const char *login;
        const char *login_password;
        const char *zone;
        const char *state; /* a file; NULL: none */
};

/* Fills `options` (texts stay in argv), or ends the process: 0 after --help, 64 on misuse. */
void fo_options_parse(struct fo_options *options, int argc, char **argv);

#endif
