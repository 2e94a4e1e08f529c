/* A folder of a test's own, under $TMPDIR or /tmp. */
#ifndef OB_TESTS_UNIT_FOLDER_H
#define OB_TESTS_UNIT_FOLDER_H

#include <stddef.h>

/* Its path; the caller's, by folder_remove, which takes all that is in it along. */
char *folder_new(void);
void folder_remove(char *folder);

/* A cmocka fixture whose state is such a folder. */
int folder_set_up(void **state);
int folder_tear_down(void **state);

/* Writes a file into it; the path is the caller's to free. */
char *folder_write(const char *folder, const char *name, const void *bytes, size_t length);

#endif
