/*
 * What came to pass, from what a table holds at one poll after another. Rows are written as text: cells with a
 * blank between them, rows with a ';', "-" for NULL. What is wanted is what the queue gets, a line a point.
 */
#ifndef OB_TESTS_UNIT_STORY_H
#define OB_TESTS_UNIT_STORY_H

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
        } polls[STORY_POLLS];
};

#define OLDEST                                                                                                     \
        {                                                                                                          \
                .kind = OB_START_OLDEST                                                                            \
        }
#define NOW                                                                                                        \
        {                                                                                                          \
                .kind = OB_START_NOW                                                                               \
        }

/* Each of them twice: once in one go, and once with the agent started anew before each poll. */
void story_tell_all(const struct story *stories, size_t n, const struct ob_source *source);

#endif
