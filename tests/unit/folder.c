#include "tests/unit/folder.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/memory.h"

char *folder_new(void)
{
        const char *parent = getenv("TMPDIR");
        char *path = ob_format("%s/otterbeat-XXXXXX", parent && *parent ? parent : "/tmp");
        char *made = mkdtemp(path);

        assert(made);
        return made;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
        (void)st;
        (void)type;
        (void)at;
        return remove(path);
}

void folder_remove(char *folder)
{
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(folder);
}

char *folder_write(const char *folder, const char *name, const void *bytes, size_t length)
{
        char *path = ob_format("%s/%s", folder, name);
        FILE *f = fopen(path, "we");
        size_t written;

        assert(f);
        written = fwrite(bytes, 1, length, f);
        assert(written == length && !fclose(f));
        return path;
}
