#include "proto/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void end_out_of_memory(void)
{
        static const char said[] = "otterbeat: out of memory\n";

        fwrite(said, 1, sizeof(said) - 1, stderr);
        abort();
}

void *ob_alloc(size_t count, size_t size)
{
        void *made = calloc(count ? count : 1, size ? size : 1);

        if (!made)
                end_out_of_memory();
        return made;
}

void *ob_realloc(void *old, size_t count, size_t size)
{
        void *made = reallocarray(old, count ? count : 1, size ? size : 1);

        if (!made)
                end_out_of_memory();
        return made;
}

char *ob_copy(const char *text)
{
        size_t length = strlen(text) + 1;

        return memcpy(ob_alloc(length, 1), text, length);
}

char *ob_format(const char *format, ...)
{
        char *made = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&made, format, args) < 0)
                end_out_of_memory();
        va_end(args);
        return made;
}

void ob_append(char **text, const char *between, const char *format, ...)
{
        size_t length = *text ? strlen(*text) : 0, gap = length ? strlen(between) : 0;
        ob_cleanup(ob_free_at) char *piece = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&piece, format, args) < 0)
                end_out_of_memory();
        va_end(args);
        *text = ob_realloc(*text, length + gap + strlen(piece) + 1, 1);
        memcpy(*text + length, between, gap);
        memcpy(*text + length + gap, piece, strlen(piece) + 1);
}

void *ob_grow(void *array, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return array;
        *room = *room ? *room * 2 : 16;
        if (*room <= count)
                *room = count + 1;
        return ob_realloc(array, *room, size);
}

void ob_free_at(void *at)
{
        void *owned;

        memcpy(&owned, at, sizeof(owned));
        free(owned);
}
