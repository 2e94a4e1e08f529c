/* A config out of an editor: it is taken, or refused with a reason. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a text that does not end before the file does. */
const char *__lsan_default_suppressions(void)
{
        return "leak:libconfig";
}

/* The first byte says where the others stand, so that they need not find the way there by themselves. */
static const struct {
        const char *before, *after;
} frames[] = {
        { "", "" },
        { "", "managers = ( { } ); sinks = ( { type = \"statsd\"; } );" },
        { "managers = ( { ", " } ); sinks = ( { type = \"statsd\"; } );" },
        { "managers = ( { mysql = { ", " }; } ); sinks = ( { type = \"statsd\"; } );" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; ", " } );" },
        { "managers = ( { } ); sinks = ( { type = \"graphite\"; ", " } );" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); sources = { ", " };" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); sources = { s = { table = \"T\"; columns = ( ",
                " ); }; };" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); sources = { p = { address = \"a.htm\"; columns = ( ",
                " ); }; };" },
        { "managers = ( { page = { ", " }; } ); sinks = ( { type = \"statsd\"; } );" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); health = { ", " };" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); status = { ", " };" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); prefix = \"", "\";" },
        { "managers = ( { } ); sinks = ( { type = \"statsd\"; } ); sources = { log = { start = \"", "\"; }; };" },
};

static void check_source(const struct ob_config *c, const struct ob_source *s)
{
        struct ob_err err;

        if (s->kind == OB_SOURCE_TABLE)
                assert(s->table && !ob_source_check(s, &err));
        else if (s->kind == OB_SOURCE_PAGE)
                assert(ob_page_find(c->pages, c->n_pages, s->table) && !ob_source_check(s, &err));
        else
                assert(!s->n_columns);
}

/* A config that was taken keeps what config.h promises. */
static void look_over(const struct ob_config *c)
{
        assert(c->n_managers > 0 && c->n_sinks > 0 && c->n_sources >= ob_n_builtin_sources);
        assert(c->prefix && c->state_dir && c->log_file && c->status.listen);
        for (size_t i = 0; i < c->n_sources; i++)
                check_source(c, &c->sources[i]);
        for (size_t i = 0; i < c->n_sinks; i++)
                assert(c->sinks[i].name && c->sinks[i].host && c->sinks[i].socket && c->sinks[i].events &&
                        c->sinks[i].container);
}

static void write_all(int fd, const void *data, size_t size)
{
        ssize_t written = write(fd, data, size);

        assert(written == (ssize_t)size);
}

static void load(int fd)
{
        struct ob_err err = { .text = "" };
        struct ob_config *c;
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        c = ob_config_load(path, &err);
        if (c)
                look_over(c);
        else
                assert(!strncmp(err.text, path, strlen(path)));
        ob_config_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t frame = size ? data[0] % (sizeof(frames) / sizeof(*frames)) : 0;
        int fd;

        /* A file that is named is one of this machine's: nothing that a fuzzer should go looking for. */
        if (!size || memmem(data, size, "@include", 8) || memmem(data, size, "_file", 5))
                return -1;
        fd = memfd_create("otterbeat.cfg", MFD_CLOEXEC);
        assert(fd >= 0);
        write_all(fd, frames[frame].before, strlen(frames[frame].before));
        write_all(fd, data + 1, size - 1);
        write_all(fd, frames[frame].after, strlen(frames[frame].after));
        load(fd);
        close(fd);
        return 0;
}
