/*
 * A text that is written piece by piece into a buffer of fixed size. A piece that does not fit is not cut: the text
 * is marked as too long and stays as it was. A text belongs to one thread.
 */
#ifndef OB_PROTO_TEXT_H
#define OB_PROTO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "proto/number.h"

struct ob_text {
        char *data; /* borrowed; not NUL-terminated */
        size_t length, room;
        bool too_long; /* a piece did not fit; true until ob_text_reset() */
};

/* An empty text over `data`. */
static inline struct ob_text ob_text_over(char *data, size_t room)
{
        return (struct ob_text) { .data = data, .room = room };
}

static inline void ob_text_add(struct ob_text *t, const char *piece, size_t length)
{
        if (t->too_long || length > t->room - t->length) {
                t->too_long = true;
                return;
        }
        memcpy(t->data + t->length, piece, length);
        t->length += length;
}

static inline void ob_text_add_char(struct ob_text *t, char c)
{
        ob_text_add(t, &c, 1);
}

void ob_text_add_string(struct ob_text *t, const char *piece);
void ob_text_add_number(struct ob_text *t, struct ob_metric_value value);
void ob_text_add_int(struct ob_text *t, long long number);

/* Adds `piece` byte by byte, with '_' instead of every byte that `allowed` refuses. */
void ob_text_add_mapped(struct ob_text *t, const char *piece, bool (*allowed)(char c));

/* Cuts the text back to an earlier length; it is not too long any more. */
void ob_text_reset(struct ob_text *t, size_t length);

#endif
