#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "agent/source/pipeline_health.h"

#define VALID 10000 /* ms */
#define START 1600000000

/* A case is a little story: what is seen at which second, and what is judged then. */
enum verb { END, SEE, LIST, JUDGE }; /* LIST: the list of pipelines was wholly read */

struct line {
        enum verb verb;
        int64_t at;         /* seconds since the start */
        const char *series; /* SEE */
        const char *id;
        int64_t value;    /* of a date: seconds since the start */
        const char *want; /* JUDGE: "pipeline:state" of each */
};

static const struct ob_health_settings settings = {
        .lag = 60, .idle = 180, .stall = 300, .skew = 60, .hold = 30, .heartbeat = true
};

static const struct {
        const char *name;
        struct line lines[16];
} stories[] = {
        { "a state is told when it has lasted",
                { { SEE, 0, "throughput_age_s", "3", 5 }, { JUDGE, 0, .want = "" },
                        { SEE, 29, "throughput_age_s", "3", 5 }, { JUDGE, 29, .want = "" },
                        { SEE, 30, "throughput_age_s", "3", 5 }, { JUDGE, 30, .want = "3:ok" },
                        { JUDGE, 31, .want = "3:ok" } } },
        { "what passes is not told",
                { { SEE, 0, "mainstem_state", "3", 2 }, { SEE, 0, "throughput_age_s", "3", 5 },
                        { JUDGE, 0, .want = "" }, { SEE, 30, "throughput_age_s", "3", 5 },
                        { JUDGE, 30, .want = "3:ok" }, { SEE, 40, "mainstem_state", "3", 1 },
                        { SEE, 40, "throughput_age_s", "3", 5 }, { JUDGE, 40, .want = "3:ok" },
                        { SEE, 60, "mainstem_state", "3", 2 }, { SEE, 60, "throughput_age_s", "3", 5 },
                        { JUDGE, 60, .want = "3:ok" }, { SEE, 80, "mainstem_state", "3", 1 },
                        { JUDGE, 80, .want = "3:ok" }, { JUDGE, 110, .want = "3:locating" } } },
        { "a channel's state is that of its pipelines",
                { { SEE, 0, "channel", "3", 7 }, { SEE, 0, "channel", "4", 8 }, { SEE, 0, "channel_state", "7", 0 },
                        { SEE, 0, "channel_state", "8", 1 }, { JUDGE, 0, .want = "" },
                        { JUDGE, 30, .want = "3:stopped 4:paused" } } },
        { "an age grows by itself, and only as long as it holds",
                { { SEE, 0, "throughput_age_s", "3", 175 }, { JUDGE, 0, .want = "" },
                        { SEE, 25, "throughput_age_s", "3", 172 }, { JUDGE, 30, .want = "3:ok" },
                        { JUDGE, 33, .want = "3:ok" }, { JUDGE, 36, .want = "" } } },
        { "dates become ages", { { SEE, 0, "mainstem_state", "3", 2 }, { SEE, 0, "last_position", "3", -400 },
                                       { JUDGE, 0, .want = "" }, { SEE, 30, "last_position", "3", -400 },
                                       { SEE, 30, "mainstem_state", "3", 2 }, { JUDGE, 30, .want = "3:hung" } } },
        { "what is on no page any more was deleted",
                { { SEE, 0, "mainstem_state", "3", 0 }, { SEE, 0, "mainstem_state", "4", 0 },
                        { JUDGE, 0, .want = "" }, { JUDGE, 30, .want = "3:stalled 4:stalled" },
                        { SEE, 31, "mainstem_state", "4", 0 }, { JUDGE, 31, .want = "3:stalled 4:stalled" },
                        { LIST, 31 }, { JUDGE, 31, .want = "4:stalled" } } },
        { "where a page of the list could not be read nobody is gone, however long",
                { { SEE, 0, "mainstem_state", "3", 0 }, { SEE, 0, "mainstem_state", "4", 0 }, { LIST, 0 },
                        { JUDGE, 0, .want = "" }, { JUDGE, 30, .want = "3:stalled 4:stalled" },
                        { SEE, 999, "mainstem_state", "4", 0 }, { JUDGE, 999, .want = "3:stalled 4:stalled" } } },
        { "but when no page can be read, what was last read stands",
                { { SEE, 0, "mainstem_state", "3", 0 }, { JUDGE, 0, .want = "" },
                        { JUDGE, 30, .want = "3:stalled" }, { JUDGE, 900, .want = "3:stalled" } } },
        { "an older row changes nothing",
                { { SEE, 50, "delay_ms", "3", 1 }, { SEE, 40, "delay_ms", "3", 90000 },
                        { SEE, 50, "delay_age_s", "3", 1 }, { JUDGE, 50, .want = "" },
                        { SEE, 80, "delay_age_s", "3", 1 }, { JUDGE, 80, .want = "3:idle" } } },
        { "what belongs to no pipeline is nobody's",
                { { SEE, 0, "delay_ms", "none", 1 }, { JUDGE, 60, .want = "" } } },
};

static void note(struct ob_pipeline_health *s, const struct ob_series *series, const struct ob_sighting *at)
{
        const struct ob_fact_source *source = ob_fact_source_find(series->name);

        assert_non_null(source);
        ob_pipeline_health_note(s, ob_pipeline_health_subject(s, source, series), source, at);
}

static void see(struct ob_pipeline_health *s, const struct line *l)
{
        bool is_channel = !strcmp(l->series, "channel_state");
        bool is_date = !strncmp(l->series, "last_", 5);
        const struct ob_series series = { .name = l->series,
                .n_identity = 1,
                .n_tags = 1,
                .tags = { { is_channel ? "channel" : "pipeline", l->id } } };
        const struct ob_sighting at = { .time = START + l->at - !strcmp(l->series, "delay_ms"), /* a row is older */
                .clock = START + l->at,
                .now = l->at * 1000,
                .valid = VALID,
                .value = is_date ? START + l->value : l->value };

        note(s, &series, &at);
}

static void judge(struct ob_pipeline_health *s, const struct line *l, const char *story)
{
        const struct ob_evaluation *v;
        char said[200] = "";
        size_t n;

        v = ob_pipeline_health_evaluate(s, l->at * 1000, &n);
        for (size_t i = 0; i < n; i++)
                snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s:%s", i ? " " : "", v[i].pipeline,
                        ob_state_word(v[i].state));
        if (strcmp(said, l->want) != 0)
                fail_msg("%s: at %lld: \"%s\", want \"%s\"", story, (long long)l->at, said, l->want);
}

static void stories_are_evaluated(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(stories); i++) {
                struct ob_pipeline_health *s = ob_pipeline_health_new(&settings);

                for (const struct line *l = stories[i].lines; l->verb != END; l++) {
                        if (l->verb == SEE)
                                see(s, l);
                        else if (l->verb == LIST)
                                ob_pipeline_health_list_is_whole(s, l->at * 1000);
                        else
                                judge(s, l, stories[i].name);
                }
                ob_pipeline_health_free(s);
        }
}

static void only_alarms_about_time_are_facts(void **state)
{
        static const struct {
                const char *title;
                const char *want;
        } cases[] = { { "positiontimeout", "stalled" }, { "exception", "ok" }, { "delaytime", "ok" } };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_pipeline_health *s = ob_pipeline_health_new(
                        &(struct ob_health_settings) { .lag = 60, .idle = 180, .stall = 300 });
                const struct ob_series log = { .name = "log.records",
                        .n_identity = 2,
                        .n_tags = 2,
                        .tags = { { "pipeline", "3" }, { "title", cases[i].title } } };
                const struct line age = { SEE, 0, "throughput_age_s", "3", 70 };
                size_t n;

                see(s, &age);
                note(s, &log, &(struct ob_sighting) { START - 9, START, 0, VALID, 1 });
                assert_string_equal(ob_state_word(ob_pipeline_health_evaluate(s, 0, &n)->state), cases[i].want);
                assert_int_equal(n, 1);
                ob_pipeline_health_free(s);
        }
        assert_null(ob_fact_source_find("page.delay_ms"));
        assert_null(ob_fact_source_find(NULL));
}

/* What is read now is newer than what was read before, whatever the clock was then. */
static void a_clock_that_was_set_back_makes_nothing_old(void **state)
{
        struct ob_pipeline_health *s =
                ob_pipeline_health_new(&(struct ob_health_settings) { .lag = 60, .idle = 180, .stall = 300 });
        const struct ob_series series = {
                .name = "mainstem_state", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } }
        };
        size_t n;

        (void)state;
        note(s, &series, &(struct ob_sighting) { START, START, 1000, VALID, 0 });
        assert_string_equal(ob_state_word(ob_pipeline_health_evaluate(s, 1000, &n)->state), "stalled");
        note(s, &series, &(struct ob_sighting) { START - 3600, START - 3600, 2000, VALID, 1 });
        ob_pipeline_health_list_is_whole(s, 2000);
        assert_string_equal(ob_state_word(ob_pipeline_health_evaluate(s, 2000, &n)->state), "locating");
        assert_int_equal(n, 1);
        ob_pipeline_health_free(s);
}

/* All of them are first met in one round. */
static void many_pipelines_at_once(void **state)
{
        enum { MANY = 5000 };
        struct ob_pipeline_health *s =
                ob_pipeline_health_new(&(struct ob_health_settings) { .lag = 60, .idle = 180, .stall = 300 });
        const struct ob_evaluation *v;
        char id[16];
        size_t n;

        (void)state;
        for (int i = 0; i < MANY; i++) {
                snprintf(id, sizeof(id), "%d", i);
                see(s, &(struct line) { SEE, 0, "throughput_age_s", id, 5 });
        }
        v = ob_pipeline_health_evaluate(s, 0, &n);
        assert_int_equal(n, MANY);
        for (size_t i = 0; i < n; i++)
                assert_string_equal(ob_state_word(v[i].state), "ok");
        ob_pipeline_health_free(s);
}

/* A page that names other pipelines at each read does not fill the memory, and the known ones are followed on. */
static void pipelines_without_end(void **state)
{
        enum { MANY = 12000, KEPT = 10000 };
        struct ob_pipeline_health *s =
                ob_pipeline_health_new(&(struct ob_health_settings) { .lag = 60, .idle = 180, .stall = 300 });
        char id[16];
        size_t n;

        (void)state;
        for (int at = 0; at < 2; at++)
                for (int i = 0; i < MANY; i++) {
                        snprintf(id, sizeof(id), "%d", i);
                        see(s, &(struct line) { SEE, at * 60, "throughput_age_s", id, 5 });
                        see(s, &(struct line) { SEE, at * 60, "channel_state", id, 1 });
                }
        ob_pipeline_health_evaluate(s, 60000, &n);
        assert_int_equal(n, KEPT);
        ob_pipeline_health_free(s);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(stories_are_evaluated),
                cmocka_unit_test(only_alarms_about_time_are_facts),
                cmocka_unit_test(a_clock_that_was_set_back_makes_nothing_old),
                cmocka_unit_test(many_pipelines_at_once),
                cmocka_unit_test(pipelines_without_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
