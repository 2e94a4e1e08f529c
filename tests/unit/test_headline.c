/* The two lines that all is said in: which comes first, and what they say. */
#include <stdlib.h>
#include <string.h>

#include "agent/status/draw.h"
#include "agent/status/view.h"
#include "proto/memory.h"
#include "tests/unit/unit.h"

#define NONE OB_STATES

static const struct {
        const char *name;
        enum ob_wellness source, sink;
        bool is_stopping;
        enum ob_state pipelines[4]; /* those up to NONE */
        const char *lines[OB_HEADLINES];
        const char *css[OB_HEADLINES];
} cases[] = {
        { "both are well", .pipelines = { OB_STATE_OK, OB_STATE_IDLE, OB_STATE_PAUSED, NONE },
                .lines = { "otterbeat is well: 1 source, 1 sink", "Otter is well: 3 pipelines" },
                .css = { "well", "well" } },
        { "one stalls and one lags while we are well",
                .pipelines = { OB_STATE_OK, OB_STATE_LAGGING, OB_STATE_STALLED, NONE },
                .lines = { "Otter needs a look: 1 stalled, 1 lagging of 3 pipelines",
                        "otterbeat is well: 1 source, 1 sink" },
                .css = { "ill", "well" } },
        { "one lags while a sink fails", .sink = OB_TROUBLED, .pipelines = { OB_STATE_LAGGING, NONE },
                .lines = { "otterbeat is in trouble: 1 fails, none past the deadline",
                        "Otter needs a look: 1 lagging of 1 pipeline" },
                .css = { "troubled", "troubled" } },
        { "one hangs while a sink fails", .sink = OB_TROUBLED, .pipelines = { OB_STATE_HUNG, NONE },
                .lines = { "Otter needs a look: 1 hung of 1 pipeline",
                        "otterbeat is in trouble: 1 fails, none past the deadline" },
                .css = { "ill", "troubled" } },
        { "both are ill", .sink = OB_ILL, .pipelines = { OB_STATE_HUNG, OB_STATE_HUNG, NONE },
                .lines = { "otterbeat is ill: 1 past the deadline", "Otter needs a look: 2 hung of 2 pipelines" },
                .css = { "ill", "ill" } },
        { "what can't be read was well", .source = OB_ILL, .pipelines = { OB_STATE_OK, NONE },
                .lines = { "otterbeat is ill: 1 past the deadline",
                        "Otter is well: 1 pipeline, when it was last read" },
                .css = { "ill", "well" } },
        { "a thread is stuck", .source = OB_STUCK, .sink = OB_ILL, .pipelines = { OB_STATE_SKEWED, NONE },
                .lines = { "otterbeat is ill: 2 past the deadline",
                        "Otter needs a look: 1 skewed of 1 pipeline, when it was last read" },
                .css = { "ill", "troubled" } },
        { "nothing is known of Otter", .pipelines = { NONE },
                .lines = { "otterbeat is well: 1 source, 1 sink",
                        "How Otter does is not known: no pipeline was looked at" },
                .css = { "well", "unknown" } },
        { "it stops", .is_stopping = true, .pipelines = { OB_STATE_LOCATING, NONE },
                .lines = { "Otter needs a look: 1 locating of 1 pipeline", "otterbeat is stopping" },
                .css = { "troubled", "well" } },
};

/* A view of one source, one sink, one manager. */
struct world {
        struct ob_config config;
        struct ob_counters counters, *all;
        struct ob_status_of of;
        struct ob_view_one source, sink;
        struct ob_view_manager manager;
        struct ob_pipeline pipelines[4];
        struct ob_view view;
};

static void make(struct world *w, size_t i)
{
        *w = (struct world) { .config = { .queue_max_bytes = 1 } };
        w->all = &w->counters;
        w->of = (struct ob_status_of) { .config = &w->config, .counters = &w->all, .n_counters = 1 };
        w->source = (struct ob_view_one) { .name = "s", .well = cases[i].source };
        w->sink = (struct ob_view_one) { .name = "k", .well = cases[i].sink };
        w->manager = (struct ob_view_manager) { .name = "", .pipelines = w->pipelines };
        for (size_t p = 0; cases[i].pipelines[p] != NONE; p++) {
                w->pipelines[p] = (struct ob_pipeline) { .id = "7", .state = cases[i].pipelines[p], .why = "so" };
                w->manager.by_state[cases[i].pipelines[p]]++;
                w->manager.n++;
        }
        w->view = (struct ob_view) { .of = &w->of,
                .is_stopping = cases[i].is_stopping,
                .sources = &w->source,
                .n_sources = 1,
                .sinks = &w->sink,
                .n_sinks = 1,
                .managers = &w->manager,
                .n_managers = 1 };
}

static void the_worse_one_is_first(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_headline lines[OB_HEADLINES];
                struct world w;

                make(&w, i);
                ob_headlines(&w.view, lines);
                for (size_t k = 0; k < OB_HEADLINES; k++)
                        if (strcmp(lines[k].text, cases[i].lines[k]) != 0)
                                fail_msg("%s: \"%s\", not \"%s\"", cases[i].name, lines[k].text, cases[i].lines[k]);
        }
}

/* That both stand in what is drawn, in their order. */
static void must_follow(const struct ob_bytes *drawn, const char *name, char *first, char *second)
{
        const char *text = (const char *)drawn->data, *at = strstr(text, first);

        if (!at || !strstr(at, second))
                fail_msg("%s: no %s before %s in %s", name, first, second, text);
        free(first);
        free(second);
}

static void page_and_json_say_both(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_bytes page = { .length = 0 }, json = { .length = 0 };
                struct world w;

                make(&w, i);
                ob_status_html(&w.view, &page);
                ob_status_json(&w.view, &json);
                ob_bytes_add(&page, "", 1);
                ob_bytes_add(&json, "", 1);
                must_follow(&page, cases[i].name,
                        ob_format("<div class=\"headline %s\"><p>%s</p>", cases[i].css[0], cases[i].lines[0]),
                        ob_format("<div class=\"headline %s\"><p>%s</p>", cases[i].css[1], cases[i].lines[1]));
                must_follow(&json, cases[i].name,
                        ob_format("\"health\":\"%s\",\"text\":\"%s\"", cases[i].css[0], cases[i].lines[0]),
                        ob_format("\"health\":\"%s\",\"text\":\"%s\"", cases[i].css[1], cases[i].lines[1]));
                assert_null(strstr((char *)page.data, "All is well"));
                ob_bytes_free(&page);
                ob_bytes_free(&json);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_worse_one_is_first),
                cmocka_unit_test(page_and_json_say_both),
        };

        return cmocka_run_group_tests_name("headline", tests, NULL, NULL);
}
