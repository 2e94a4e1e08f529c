#include "proto/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/text.h"
#include "proto/utf8.h"

int ob_fail(struct ob_err *err, const char *format, ...)
{
        static const char more[] = "…";
        struct ob_text shown = ob_text_over(err->text, sizeof(err->text) - 1);
        char said[OB_ERR_MAX];
        va_list args;
        int length;

        va_start(args, format);
        length = vsnprintf(said, sizeof(said), format, args); /* not into `err`: `args` may point there */
        va_end(args);
        if (length < 0)
                said[0] = '\0';
        for (char *quote = said; (quote = strchr(quote, '"'));)
                *quote = '\'';
        ob_utf8_show(&shown, said, sizeof(said));
        if (shown.too_long || length >= (int)sizeof(said)) {
                shown = ob_text_over(err->text, sizeof(err->text) - sizeof(more));
                ob_utf8_show(&shown, said, sizeof(said));
                shown.room += sizeof(more) - 1;
                shown.too_long = false;
                ob_text_add_string(&shown, more);
        }
        err->text[shown.length] = '\0';
        return -1;
}

int ob_fail_in(struct ob_err *err, const char *what)
{
        ob_cleanup(ob_free_at) char *said = ob_copy(err->text);

        return ob_fail(err, "%s: %s", what, said);
}
