#include "tests/otter/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"

enum { FIRST_SIZE = 256 };

void fo_text_fini(struct fo_text *text)
{
        free(text->bytes);
        memset(text, 0, sizeof(*text));
}

void fo_text_clear(struct fo_text *text)
{
        text->length = 0;
}

char *fo_text_reserve(struct fo_text *text, size_t more)
{
        size_t wanted = text->length + more + 1;
        size_t size = text->size ? text->size : FIRST_SIZE;

        while (size < wanted)
                size *= 2;
        if (size != text->size) {
                text->bytes = ob_realloc(text->bytes, size, 1);
                text->size = size;
        }
        return text->bytes + text->length;
}

void fo_text_add(struct fo_text *text, const char *what)
{
        size_t length = strlen(what);

        memcpy(fo_text_reserve(text, length), what, length + 1);
        text->length += length;
}

void fo_text_addf(struct fo_text *text, const char *format, ...)
{
        va_list args;
        va_list again;
        int length;

        va_start(args, format);
        va_copy(again, args);
        /* Most rows fit into what is there: they are formatted once. */
        fo_text_reserve(text, FIRST_SIZE);
        length = vsnprintf(text->bytes + text->length, text->size - text->length, format, args);
        if (length > 0 && (size_t)length >= text->size - text->length)
                vsnprintf(fo_text_reserve(text, (size_t)length), (size_t)length + 1, format, again);
        text->length += length > 0 ? (size_t)length : 0;
        va_end(again);
        va_end(args);
}
