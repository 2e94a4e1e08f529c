/*
 * Memory and who owns it. Any thread.
 *
 * A failed allocation ends the process: all that matters is in the store, in transactions, and a supervisor
 * restarts the agent.
 */
#ifndef OB_PROTO_MEMORY_H
#define OB_PROTO_MEMORY_H

#include <stddef.h>

/* `count` zeroed objects of `size` bytes; never NULL, also for none. */
void *ob_alloc(size_t count, size_t size);

/* `old` (or NULL) with room for `count` objects; new ones are not zeroed. */
void *ob_realloc(void *old, size_t count, size_t size);

/* Copies that are the caller's to free. ob_format is asprintf that never fails. */
char *ob_copy(const char *text);
char *ob_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Adds a formatted piece to the end of the heap text `*text`, which belongs to the caller and may move. `between`
 * stands before the piece, unless `*text` is still empty or NULL. No argument may point into `*text`.
 */
void ob_append(char **text, const char *between, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Makes room for one more object after the first `count`, in an array of `*room` objects. */
void *ob_grow(void *array, size_t *room, size_t count, size_t size);

/* Calls release(&variable) when the variable goes out of scope. */
#define ob_cleanup(release) __attribute__((cleanup(release)))

/* Hands over what a variable owns: the variable is NULL from here on. */
#define ob_take(variable)                                                                                          \
        ({                                                                                                         \
                __typeof__(variable) taken_ = (variable);                                                          \
                (variable) = NULL;                                                                                 \
                taken_;                                                                                            \
        })

/* For ob_cleanup: frees the pointer that `at` points to. */
void ob_free_at(void *at);

#endif
