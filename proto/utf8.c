#include "proto/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"

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

size_t ob_utf8_find_bad(const char *bytes, size_t length)
{
        size_t i = 0;

        while (i < length && bytes[i]) {
                size_t n = wanted((unsigned char)bytes[i]);

                if (!n || n > length - i || (n > 1 && !ob_utf8_length(bytes + i)))
                        break;
                i += n;
        }
        return i;
}

unsigned ob_utf8_code(const char *text, size_t n)
{
        static const unsigned char marks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        unsigned code = (unsigned char)*text & marks[n];

        for (size_t i = 1; i < n; i++)
                code = code << 6 | ((unsigned char)text[i] & 0x3f);
        return code;
}

size_t ob_utf8_columns(unsigned code)
{
        static const struct {
                unsigned first, last;
        } wide[] = {
                { 0x1100, 0x115f },   /* Hangul Jamo */
                { 0x2e80, 0x303e },   /* radicals and punctuation */
                { 0x3041, 0xa4cf },   /* kana, bopomofo, the unified ideographs, Yi */
                { 0xa960, 0xa97f },   /* Hangul Jamo, extended */
                { 0xac00, 0xd7a3 },   /* Hangul syllables */
                { 0xf900, 0xfaff },   /* compatibility ideographs */
                { 0xfe30, 0xfe6f },   /* forms for vertical text and small forms */
                { 0xff01, 0xff60 },   /* fullwidth forms */
                { 0xffe0, 0xffe6 },   /* fullwidth signs */
                { 0x1f300, 0x1faff }, /* pictures */
                { 0x20000, 0x3fffd }, /* further ideographs */
        };

        for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
                if (code >= wide[i].first && code <= wide[i].last)
                        return 2;
        return 1;
}

size_t ob_utf8_shown(const char *text)
{
        static const struct {
                unsigned first, last;
        } refused[] = {
                { 0x00, 0x1f },     /* C0 */
                { 0x7f, 0x9f },     /* DEL and C1 */
                { 0x61c, 0x61c },   /* Arabic letter mark */
                { 0x200e, 0x200f }, /* left-to-right and right-to-left mark */
                { 0x2028, 0x202e }, /* separators of lines and paragraphs; embeddings and overrides of direction */
                { 0x2066, 0x2069 }, /* isolates */
                { 0xfeff, 0xfeff }, /* the byte order mark */
        };
        size_t n = ob_utf8_length(text);
        unsigned code = n ? ob_utf8_code(text, n) : 0;

        for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
                if (code >= refused[i].first && code <= refused[i].last)
                        return 0;
        return n;
}

void ob_utf8_show(struct ob_text *out, const char *text, size_t most)
{
        for (size_t bytes; *text && !out->too_long; text += bytes, most -= bytes) {
                size_t n = ob_utf8_length(text);
                char escape[16];

                bytes = n ? n : 1;
                if (bytes > most)
                        return;
                if (ob_utf8_shown(text)) {
                        ob_text_add(out, text, n);
                        continue;
                }
                if (n)
                        snprintf(escape, sizeof(escape), "<U+%04X>", ob_utf8_code(text, n));
                else
                        snprintf(escape, sizeof(escape), "<%02X>", (unsigned char)*text);
                ob_text_add_string(out, escape);
        }
}

char *ob_utf8_show_copy(const char *text, size_t most)
{
        size_t length = strlen(text), some = length > most ? most : length;
        size_t room = 8 * some + sizeof("…"); /* an escape has at most 8 bytes for each byte of the text */
        char *made = ob_alloc(room, 1);
        struct ob_text shown = ob_text_over(made, room - 1);

        ob_utf8_show(&shown, text, some);
        if (some < length)
                ob_text_add_string(&shown, "…");
        return made;
}

void ob_utf8_show_in(char *text, size_t room)
{
        ob_cleanup(ob_free_at) char *as_it_was = ob_copy(text);
        struct ob_text shown = ob_text_over(text, room - 1);

        ob_utf8_show(&shown, as_it_was, room);
        text[shown.length] = '\0';
}

size_t ob_utf8_add(struct ob_text *out, const char *text, size_t most)
{
        size_t took = 0;

        while (text[took]) {
                size_t n = ob_utf8_length(text + took), bytes = n ? n : 1;
                bool is_kept = text[took] == '\n' || text[took] == '\t' || ob_utf8_shown(text + took);

                if (bytes > most - took)
                        break;
                if (is_kept)
                        ob_text_add(out, text + took, n);
                else
                        ob_text_add_char(out, '?');
                took += bytes;
        }
        return took;
}
