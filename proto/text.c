#include "proto/text.h"

#include <string.h>

void ob_text_add_string(struct ob_text *t, const char *piece)
{
        ob_text_add(t, piece, strlen(piece));
}

/* Whether every number fits, so that a number can be written into the text directly. */
static bool has_number_room(const struct ob_text *t)
{
        return !t->too_long && t->room - t->length >= OB_NUMBER_MAX;
}

void ob_text_add_number(struct ob_text *t, struct ob_metric_value value)
{
        char digits[OB_NUMBER_MAX];

        if (has_number_room(t))
                t->length += ob_number_format(t->data + t->length, value);
        else
                ob_text_add(t, digits, ob_number_format(digits, value));
}

void ob_text_add_int(struct ob_text *t, long long number)
{
        ob_text_add_number(t, ob_whole(number));
}

void ob_text_add_mapped(struct ob_text *t, const char *piece, bool (*allowed)(char c))
{
        for (; *piece; piece++)
                ob_text_add(t, allowed(*piece) ? piece : "_", 1);
}

void ob_text_reset(struct ob_text *t, size_t length)
{
        t->length = length;
        t->too_long = false;
}
