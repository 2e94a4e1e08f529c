#include "proto/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/memory.h"

/* One error is one line of the log, whatever a server put into its message. */
static void make_one_line(char *text)
{
        for (char *c = text; *c; c++)
                if ((unsigned char)*c < ' ' || *c == '"')
                        *c = *c == '"' ? '\'' : ' ';
}

int ob_fail(struct ob_err *err, const char *format, ...)
{
        static const char more[] = "…";
        va_list args;
        int length;

        va_start(args, format);
        length = vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
        if (length < 0)
                err->text[0] = '\0';
        if (length >= (int)sizeof(err->text))
                memcpy(err->text + sizeof(err->text) - sizeof(more), more, sizeof(more));
        make_one_line(err->text);
        return -1;
}

int ob_fail_in(struct ob_err *err, const char *what)
{
        ob_cleanup(ob_free_at) char *said = ob_copy(err->text);

        return ob_fail(err, "%s: %s", what, said);
}
