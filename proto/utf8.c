#include "proto/utf8.h"

#include <stdbool.h>

static size_t wanted(unsigned char first)
{
        if (first < 0x80)
                return 1;
        if (first < 0xc2 || first > 0xf4)
                return 0;
        return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t ob_utf8_length(const char *text)
{
        const unsigned char *at = (const unsigned char *)text;
        size_t n = wanted(*at);

        for (size_t i = 1; i < n; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
                (at[0] == 0xf4 && at[1] > 0x8f))
                return 0;
        return n;
}

static bool is_control(char c)
{
        return ((unsigned char)c < ' ' && c != '\n' && c != '\t') || c == 0x7f;
}

size_t ob_utf8_add(struct ob_text *out, const char *text, size_t most)
{
        size_t took = 0;

        while (text[took]) {
                size_t n = ob_utf8_length(text + took), bytes = n ? n : 1;

                if (bytes > most - took)
                        break;
                if (!n || is_control(text[took]))
                        ob_text_add_char(out, '?');
                else
                        ob_text_add(out, text + took, n);
                took += bytes;
        }
        return took;
}
