/* Configs for the tests of config/: files put together from parts, in a folder that is the group's state. */
#ifndef OB_TESTS_UNIT_LOADING_H
#define OB_TESTS_UNIT_LOADING_H

#include "config/config.h"

/* Each stands on a line of its own; what is left out is as short as it may be. */
struct parts {
        const char *top;      /* line 1 */
        const char *managers; /* line 2 */
        const char *sources;  /* line 3 */
        const char *sinks;    /* line 4 */
};

/* The text of such a file; the caller's to free. */
char *loading_text(const struct parts *parts);

/* Loads a text from FOLDER/otterbeat.cfg; NULL and `err` when it is refused. */
struct ob_config *loading_try(const char *folder, const char *text, struct ob_err *err);

/* Loads what must be good, or fails the test. */
struct ob_config *loading_must(const char *folder, const struct parts *parts);

/* The text must be refused at this line, in words that hold these. */
void loading_must_fail(const char *folder, const struct parts *parts, unsigned line, const char *says);

/* A source by its name, or fails the test. */
const struct ob_source *loading_source(const struct ob_config *c, const char *name);

/* For ob_cleanup. */
void loading_free(struct ob_config **c);

/* Of a group: the folder, and OB_TEST_SET ("value"), OB_TEST_EMPTY and no OB_TEST_NOT_SET in the environment. */
int loading_set_up(void **state);
int loading_tear_down(void **state);

#endif
