#include "tests/unit/unit.h"

#include "tests/unit/story.h"

/* Columns: key, state, why. */
static const struct ob_source health_source = {
        .name = "verdict",
        .table = "T",
        .n_columns = 3,
        .columns = { { OB_KEY, "k", "pipeline" }, { OB_VALUE, "s", "state" }, { OB_REASON, "why" } },
};

static const struct story health_stories[] = {
        { "a state is a gauge each time, and told in words when it is another one", NOW, 0,
                { { 50, "3 0 rows", "pipeline.3.state 0@50; ! (rows) state?0" },
                        { 65, "3 0 rows", "pipeline.3.state 0@65" },
                        { 80, "3 7 none", "pipeline.3.state 7@80; !stalled: pipeline 3 (none; it was ok) state?2" },
                        { 95, "3 7 none", "pipeline.3.state 7@95" },
                        { 99, "3 0 rows",
                                "pipeline.3.state 0@99; !ok: pipeline 3 (rows; it was stalled) state?0" } } },
        { "each pipeline by itself, and what is not known for a while has not changed", NOW, 0,
                { { 50, "3 0 a;4 2 b",
                          "pipeline.3.state 0@50; pipeline.4.state 2@50; ! (a) state?0; ! (b) state?1" },
                        { 65, "", "" }, { 80, "4 2 b", "pipeline.4.state 2@80" },
                        { 95, "3 5 c;4 2 b",
                                "pipeline.3.state 5@95; pipeline.4.state 2@95; "
                                "!lagging: pipeline 3 (c; it was ok) state?1" } } },
};

static void changes_are_told_once(void **unused)
{
        (void)unused;
        story_tell_all(health_stories, LENGTH(health_stories), &health_source);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(changes_are_told_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
