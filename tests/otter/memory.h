/*
 * Memory that is never refused, and freeing by declaration.
 */
#ifndef FO_MEMORY_H
#define FO_MEMORY_H

#include <stddef.h>

#define fo_cleanup(how) __attribute__((cleanup(how)))

/* Zeroed. Ends the process when there is none: a fake has nothing to save. */
void *fo_alloc(size_t n, size_t size);

/* Grows (or makes) a block; the new part is not zeroed. */
void *fo_grow(void *block, size_t size);

#endif
