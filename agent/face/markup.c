#include "agent/face/markup.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void add(struct ob_bytes *out, const char *piece)
{
        ob_bytes_add(out, piece, strlen(piece));
}

static void add_escaped(struct ob_bytes *out, const char *text)
{
        static const struct {
                char c;
                const char *as;
        } escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };

        for (; *text; text++) {
                size_t i = 0;

                while (i < sizeof(escapes) / sizeof(*escapes) && escapes[i].c != *text)
                        i++;
                if (i < sizeof(escapes) / sizeof(*escapes))
                        add(out, escapes[i].as);
                else
                        ob_bytes_add(out, text, 1);
        }
}

static void add_number(struct ob_bytes *out, long long number)
{
        char text[24];

        snprintf(text, sizeof(text), "%lld", number);
        add(out, text);
}

void ob_markup(struct ob_bytes *out, const char *format, ...)
{
        const char *at;
        va_list args;

        va_start(args, format);
        for (; (at = strchr(format, '%')); format = at) {
                ob_bytes_add(out, format, (size_t)(at - format));
                if (!strncmp(at, "%s", 2)) {
                        add_escaped(out, va_arg(args, const char *));
                        at += 2;
                } else if (!strncmp(at, "%lld", 4)) {
                        add_number(out, va_arg(args, long long));
                        at += 4;
                } else {
                        assert(!strncmp(at, "%%", 2));
                        add(out, "%");
                        at += 2;
                }
        }
        va_end(args);
        add(out, format);
}

/* The bytes of the character at `c`, 0: it is none. Overlong forms and surrogates are none. */
static size_t character(const unsigned char *c)
{
        static const struct {
                unsigned char mask, head;
                unsigned long least;
        } lengths[] = { { 0x80, 0x00, 0x20 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
                { 0xf8, 0xf0, 0x10000 } };
        unsigned long code;
        size_t n = 0;

        while (n < 4 && (*c & lengths[n].mask) != lengths[n].head)
                n++;
        if (n == 4)
                return 0;
        code = *c & (unsigned char)~lengths[n].mask;
        for (size_t i = 1; i <= n; i++) {
                if ((c[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (c[i] & 0x3f);
        }
        if (code < lengths[n].least || code == 0x7f || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        return n + 1;
}

void ob_markup_clean(char *text)
{
        while (*text) {
                size_t n = character((const unsigned char *)text);

                if (!n)
                        *text = '?';
                text += n ? n : 1;
        }
}
