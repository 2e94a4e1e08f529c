#include "tests/unit/loading.h"

#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

char *loading_text(const struct parts *p)
{
        return ob_format("%s\nmanagers = ( %s );\nsources = { %s };\nsinks = ( %s );\n", p->top ? p->top : "",
                p->managers ? p->managers : "{ }", p->sources ? p->sources : "",
                p->sinks ? p->sinks : "{ type = \"statsd\"; }");
}

struct ob_config *loading_try(const char *folder, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = folder_write(folder, "otterbeat.cfg", text, strlen(text));

        *err = (struct ob_err) { .text = "" };
        return ob_config_load(path, err);
}

struct ob_config *loading_must(const char *folder, const struct parts *parts)
{
        ob_cleanup(ob_free_at) char *text = loading_text(parts);
        struct ob_err err;
        struct ob_config *c = loading_try(folder, text, &err);

        if (!c)
                fail_msg("%s", err.text);
        return c;
}

void loading_must_fail(const char *folder, const struct parts *parts, unsigned line, const char *says)
{
        ob_cleanup(ob_free_at) char *text = loading_text(parts);
        ob_cleanup(ob_free_at) char *where = ob_format("%s/otterbeat.cfg:%u: ", folder, line);
        ob_cleanup(loading_free) struct ob_config *c = NULL;
        struct ob_err err;

        c = loading_try(folder, text, &err);
        if (c)
                fail_msg("taken, and should say \"%s\":\n%s", says, text);
        if (strncmp(err.text, where, strlen(where)) != 0)
                fail_msg("\"%s\" does not begin with \"%s\":\n%s", err.text, where, text);
        if (!strstr(err.text, says))
                fail_msg("\"%s\" does not say \"%s\":\n%s", err.text, says, text);
}

const struct ob_source *loading_source(const struct ob_config *c, const char *name)
{
        for (size_t i = 0; i < c->n_sources; i++)
                if (!strcmp(c->sources[i].name, name))
                        return &c->sources[i];
        fail_msg("no source \"%s\"", name);
        return NULL;
}

void loading_free(struct ob_config **c)
{
        ob_config_free(*c);
}

int loading_set_up(void **state)
{
        setenv("OB_TEST_SET", "value", 1);
        setenv("OB_TEST_EMPTY", "", 1);
        unsetenv("OB_TEST_NOT_SET");
        *state = folder_new();
        return 0;
}

int loading_tear_down(void **state)
{
        folder_remove(*state);
        return 0;
}
