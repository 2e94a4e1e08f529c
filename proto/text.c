#include "proto/text.h"

#include <string.h>

struct ob_text ob_text_over(char *data, size_t room)
{
        return (struct ob_text) { .data = data, .room = room };
}

void ob_text_add(struct ob_text *t, const char *piece, size_t length)
{
        if (t->too_long || length > t->room - t->length) {
                t->too_long = true;
                return;
        }
        memcpy(t->data + t->length, piece, length);
        t->length += length;
}

void ob_text_add_string(struct ob_text *t, const char *piece)
{
        ob_text_add(t, piece, strlen(piece));
}

void ob_text_add_char(struct ob_text *t, char c)
{
        ob_text_add(t, &c, 1);
}

void ob_text_add_number(struct ob_text *t, struct ob_metric_value value)
{
        char digits[OB_NUMBER_MAX];

        ob_text_add(t, digits, ob_number_format(digits, value));
}

void ob_text_add_int(struct ob_text *t, long long number)
{
        char digits[OB_NUMBER_MAX];

        ob_text_add(t, digits, ob_number_format_int(digits, number));
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
