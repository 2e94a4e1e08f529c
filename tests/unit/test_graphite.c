#include "tests/unit/unit.h"

#include <string.h>

#include "proto/graphite.h"
#include "proto/memory.h"
#include "proto/number.h"

static const struct {
        const char *path;
        struct ob_metric_value value;
        int64_t time;
        const char *want;
} lines[] = {
        { "o.pipeline.3.delay_ms", REAL(1.5), 1587312000, "o.pipeline.3.delay_ms 1.5 1587312000\n" },
        { "o.x;pipeline=3", WHOLE(0), 0, "o.x;pipeline=3 0 0\n" },
        { "x", WHOLE(-2), 60, "x -2 60\n" },
        { "x", WHOLE(INT64_MAX), 60, "x 9223372036854775807 60\n" },
};

static void a_line_is_path_value_and_time(void **state)
{
        char room[64 + OB_GRAPHITE_NUMBERS];

        (void)state;
        for (size_t i = 0; i < LENGTH(lines); i++) {
                struct ob_text t = ob_text_over(room, sizeof(room));

                ob_graphite_line(&t, lines[i].path, strlen(lines[i].path), lines[i].value, lines[i].time);
                if (t.too_long || t.length != strlen(lines[i].want) || memcmp(room, lines[i].want, t.length) != 0)
                        fail_msg("got \"%.*s\", want \"%s\"", (int)t.length, room, lines[i].want);
        }
}

static void a_line_that_does_not_fit_is_marked(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(lines); i++)
                for (size_t needed = strlen(lines[i].path) + OB_GRAPHITE_NUMBERS, room = 0; room <= needed;
                        room++) {
                        ob_cleanup(ob_free_at) char *data = ob_alloc(room, 1);
                        struct ob_text t = ob_text_over(data, room);

                        ob_graphite_line(&t, lines[i].path, strlen(lines[i].path), lines[i].value, lines[i].time);
                        if (t.too_long != (room < needed))
                                fail_msg("\"%s\" in %zu bytes", lines[i].want, room);
                }
}

/* A node is a folder, the last one a file with four bytes more; names of files end at 255 bytes. */
static const struct {
        const char *name, *before;
        size_t node; /* so many bytes more of one node */
        const char *after;
        bool want;
} paths[] = {
        { "a short one", "o.", 3, ".x", true },
        { "the longest node", "", 251, "", true },
        { "one byte more", "", 252, "", false },
        { "the longest one among others", "o.pipeline.", 251, ".delay_ms", true },
        { "a long one in the middle", "o.pipeline.", 252, ".delay_ms", false },
        { "a long one at the end", "o.", 252, "", false },
        { "many nodes, none of them long", "a.b.c.d.e.f.", 251, ".g.h.i.j", true },
        { "a tagged series is stored under a hash", "o.x;pipeline=", 500, "", true },
        { "tags do not make the name before them fit", "", 252, ";pipeline=3", false },
        { "nothing", "", 0, "", true },
};

static void carbon_can_make_a_file_of_it(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(paths); i++) {
                ob_cleanup(ob_free_at) char *node = ob_alloc(paths[i].node + 1, 1);
                ob_cleanup(ob_free_at) char *path = NULL;

                memset(node, 'n', paths[i].node);
                path = ob_format("%s%s%s", paths[i].before, node, paths[i].after);
                if (ob_graphite_path_is_storable(path, strlen(path)) != paths[i].want)
                        fail_msg("%s", paths[i].name);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_is_path_value_and_time),
                cmocka_unit_test(a_line_that_does_not_fit_is_marked),
                cmocka_unit_test(carbon_can_make_a_file_of_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
