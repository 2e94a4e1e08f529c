#include "agent/ops/markup.h"

#include <assert.h>
#include <stdarg.h>
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
