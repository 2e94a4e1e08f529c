#include "tests/otter/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *never_null(void *block)
{
        if (!block) {
                fputs("fake-otter: out of memory\n", stderr);
                abort();
        }
        return block;
}

void *fo_alloc(size_t n, size_t size)
{
        return never_null(calloc(n ? n : 1, size));
}

void *fo_grow(void *block, size_t size)
{
        return never_null(realloc(block, size));
}
