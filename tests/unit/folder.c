#include "tests/unit/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/memory.h"
#include "tests/unit/unit.h"

char *folder_new(void)
{
        const char *parent = getenv("TMPDIR");
        char *path = ob_format("%s/otterbeat-XXXXXX", parent && *parent ? parent : "/tmp");

        assert_non_null(mkdtemp(path));
        return path;
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

int folder_set_up(void **state)
{
        *state = folder_new();
        return 0;
}

int folder_tear_down(void **state)
{
        folder_remove(*state);
        return 0;
}

char *folder_write(const char *folder, const char *name, const void *bytes, size_t length)
{
        char *path = ob_format("%s/%s", folder, name);
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, length, f), length);
        assert_int_equal(fclose(f), 0);
        return path;
}
