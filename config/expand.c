#include "config/expand.h"

#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/memory.h"

/* Adds the value of a variable. `inside` is the text between the braces: VAR or VAR:-default. */
static int add_variable(struct ob_bytes *out, const char *inside, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *name = ob_copy(inside);
        char *fallback = strstr(name, ":-");
        const char *value;

        if (fallback) {
                *fallback = '\0';
                fallback += 2;
        }
        value = getenv(name);
        if (!value || (!*value && fallback))
                value = fallback;
        if (!value)
                return ob_fail(err,
                        "${%s}: this variable is not set; set the variable or give a default: ${%s:-value}", name,
                        name);
        ob_bytes_add(out, value, strlen(value));
        return 0;
}

char *ob_expand(const char *text, struct ob_err *err)
{
        ob_cleanup(ob_bytes_free) struct ob_bytes out = { .length = 0 };
        const char *open, *close;

        while ((open = strstr(text, "${"))) {
                ob_cleanup(ob_free_at) char *inside = NULL;

                close = strchr(open, '}');
                if (!close) {
                        ob_fail(err, "\"${\" has no closing \"}\"");
                        return NULL;
                }
                inside = ob_format("%.*s", (int)(close - open - 2), open + 2);
                ob_bytes_add(&out, text, (size_t)(open - text));
                if (add_variable(&out, inside, err))
                        return NULL;
                text = close + 1;
        }
        ob_bytes_add(&out, text, strlen(text) + 1);
        return (char *)ob_take(out.data);
}
