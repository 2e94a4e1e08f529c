/* A config out of an editor: it is taken, or refused with a reason. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken makes sense throughout. */
static void look_over(const struct ob_config *c)
{
        struct ob_err err;

        assert(c->n_managers > 0 && c->n_sinks > 0 && c->n_sources >= ob_n_builtin_sources);
        assert(c->prefix && c->state_dir && c->log_file);
        for (size_t i = 0; i < c->n_sources; i++)
                if (c->sources[i].reader == OB_READER_MYSQL)
                        assert(c->sources[i].table && !ob_source_check(&c->sources[i], &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int fd = memfd_create("otterbeat.cfg", MFD_CLOEXEC);
        struct ob_err err = { .text = "" };
        struct ob_config *c;
        char path[64];

        /* An included file is a file of this machine's: nothing that a fuzzer should go looking for. */
        if (fd < 0 || memmem(data, size, "@include", 8) || memmem(data, size, "_file", 5)) {
                close(fd);
                return -1;
        }
        assert(write(fd, data, size) == (ssize_t)size);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        c = ob_config_load(path, &err);
        if (c)
                look_over(c);
        else
                assert(!strncmp(err.text, path, strlen(path)));
        ob_config_free(c);
        close(fd);
        return 0;
}
