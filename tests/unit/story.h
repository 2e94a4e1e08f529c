/*
 * What came to pass, from what a table holds at one poll after another. Rows are written as text: cells with a
 * blank between them, rows with a ';', "-" for NULL. What is wanted is what the queue gets, a line a point.
 */
#ifndef OB_TESTS_UNIT_STORY_H
#define OB_TESTS_UNIT_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/source.h"

#define STORY_POLLS 8

struct story {
        const char *promise;
        struct ob_start start;
        int batch;
        struct {
                int64_t now;
                const char *rows, *want;
                const char *db;                  /* where the rows are from now on; NULL: where they were */
                int64_t rewound, counted_before; /* before this poll, to this time; 0: not */
                bool restarts, fails;            /* the agent, before this poll; the commit of this poll, once */
        } polls[STORY_POLLS];
        int64_t repeat; /* as in ob_task; above 0: the agent restarts only where `restarts` says so */
};

#define OLDEST                                                                                                     \
        {                                                                                                          \
                .kind = OB_START_OLDEST                                                                            \
        }
#define NOW                                                                                                        \
        {                                                                                                          \
                .kind = OB_START_NOW                                                                               \
        }

/* Runs each story. A story without `repeat` runs twice: without a restart, and with a restart before each poll. */
void story_tell_all(const struct story *stories, size_t n, const struct ob_source *source);

#endif
