#include "tests/unit/world.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/unit/folder.h"

static int make_world(void **state, char *folder)
{
        struct world *w = ob_alloc(1, sizeof(*w));

        w->folder = folder;
        *state = w;
        if (ob_state_dir_open(&w->state_dir, folder ? folder : "", &w->err))
                return -1;
        w->st = ob_store_open(&w->state_dir, &w->err);
        return w->st ? 0 : -1;
}

int world_on_disk(void **state)
{
        return make_world(state, folder_new());
}

int world_in_memory(void **state)
{
        return make_world(state, NULL);
}

int world_tear_down(void **state)
{
        struct world *w = *state;

        ob_store_close(w->st);
        ob_state_dir_close(&w->state_dir);
        if (w->folder)
                folder_remove(w->folder);
        free(w);
        return 0;
}

void world_ok(const struct world *w, int result)
{
        if (result < 0)
                fail_msg("%s", w->err.text);
}

struct ob_bytes world_bytes(const char *text)
{
        return (struct ob_bytes) { .data = (unsigned char *)text, .length = strlen(text) };
}
