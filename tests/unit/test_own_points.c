/* What the agent says of itself, and of the state of each pipeline: what the queue gets at one poll after another.
 */
#include <stdio.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/source/health_changes.h"
#include "agent/source/own_counters.h"
#include "proto/batch.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "proto/number.h"
#include "proto/text.h"
#include "tests/unit/world.h"

#define TEXT_MAX 4096

/* A queue in a store, and what it got. */
struct desk {
        struct world *w;
        struct ob_counters counters, *all;
        struct ob_own_parts parts;
        struct ob_queue queue;
        struct ob_stop stop;
        int64_t seq;
        char text[TEXT_MAX];
};

static void open_desk(struct desk *d, void **state)
{
        *d = (struct desk) { .w = *state };
        ob_counters_init(&d->counters, 1, 1);
        d->counters.sources[0].name = ob_copy("delay");
        d->counters.sinks[0].name = "graphite";
        d->counters.is_running = true;
        d->all = &d->counters;
        d->parts = (struct ob_own_parts) { .counters = &d->all, .n_counters = 1 };
        snprintf(d->counters.host, sizeof(d->counters.host), "h");
        ob_stop_init(&d->stop);
        world_ok(d->w, ob_queue_open(&d->queue, d->w->st, 1 << 20, &d->counters, &d->w->err));
}

static void close_desk(struct desk *d)
{
        ob_queue_close(&d->queue);
        ob_stop_fini(&d->stop);
        ob_counters_fini(&d->counters);
}

static struct ob_outbox outbox(struct desk *d)
{
        return (struct ob_outbox) {
                .store = d->w->st, .queue = &d->queue, .counters = &d->counters.sources[0], .stop = &d->stop
        };
}

static void add_metric(struct ob_text *out, const struct ob_metric *m)
{
        char number[OB_NUMBER_MAX];
        size_t length = ob_number_format(number, m->value);

        ob_name_dotted(out, "", m->series);
        ob_text_add_char(out, ' ');
        ob_text_add(out, number, length);
        ob_text_add_string(out, "; ");
}

/* What came since it was last asked: points as "name value; ", events as "!title (text); ". */
static const char *news(struct desk *d)
{
        struct ob_text out = ob_text_over(d->text, TEXT_MAX - 1);
        struct ob_stored_batch batch = { .seq = 0 };

        while (ob_store_next_batch(d->w->st, d->seq, &batch, &d->w->err) == 1) {
                struct ob_batch_reader r;
                struct ob_metric m;
                struct ob_event e;
                unsigned series;

                assert_true(ob_batch_open(&r, batch.body.data, batch.body.length));
                while (ob_batch_next(&r, &m, &series) == 1)
                        add_metric(&out, &m);
                ob_batch_close(&r);
                assert_true(ob_batch_open_events(&r, batch.body.data, batch.body.length));
                while (ob_batch_next_event(&r, &e) == 1) {
                        ob_text_add_string(&out, "!");
                        ob_text_add_string(&out, e.title);
                        ob_text_add_string(&out, " (");
                        ob_text_add_string(&out, e.text);
                        ob_text_add_string(&out, "); ");
                }
                d->seq = batch.seq;
        }
        ob_bytes_free(&batch.body);
        d->text[out.length] = '\0';
        return d->text;
}

static void must_say(const char *text, const char *what)
{
        if (!strstr(text, what))
                fail_msg("\"%s\" is not in \"%s\"", what, text);
}

static void a_counter_is_what_was_added_since_the_last_commit(void **state)
{
        struct desk d;
        struct ob_own_counters own;
        const char *got;

        open_desk(&d, state);
        own = (struct ob_own_counters) { .parts = &d.parts, .outbox = outbox(&d) };
        ob_own_counters_init(&own);
        d.counters.sources[0].rows = 7;
        d.counters.sources[0].poll_ms = 3;
        world_ok(d.w, ob_own_counters_poll(&own, &d.w->err));
        got = news(&d);
        must_say(got, "agent.h.source.delay.agent.rows 7; ");
        must_say(got, "agent.h.source.delay.agent.errors 0; ");
        must_say(got, "agent.h.source.delay.agent.poll_ms 3; ");
        must_say(got, "agent.h.agent.queue_points 0; ");

        d.counters.sources[0].rows = 9;
        world_ok(d.w, ob_own_counters_poll(&own, &d.w->err));
        got = news(&d);
        must_say(got, "agent.h.source.delay.agent.rows 2; ");
        assert_null(strstr(got, "agent.errors"));
        must_say(got, "agent.h.source.delay.agent.poll_ms 3; ");
        ob_own_counters_fini(&own);
        close_desk(&d);
}

/* Two queues of one process: the numbers of a sink are added up, and what is not read at the moment has no gauges.
 */
static void several_queues_are_counted_together(void **state)
{
        struct ob_counters other, *all[2];
        struct ob_own_counters own;
        struct desk d;
        const char *got;

        open_desk(&d, state);
        ob_counters_init(&other, 1, 1);
        other.sources[0].name = ob_copy("east/delay");
        other.sinks[0].name = "graphite";
        all[0] = &d.counters;
        all[1] = &other;
        d.parts = (struct ob_own_parts) { .counters = all, .n_counters = 2 };
        own = (struct ob_own_counters) { .parts = &d.parts, .outbox = outbox(&d) };
        ob_own_counters_init(&own);
        d.counters.sinks[0].sent = 2;
        other.sinks[0].sent = 3;
        d.counters.sinks[0].behind = 4;
        other.sinks[0].behind = 5;
        other.queue_points = 6;
        world_ok(d.w, ob_own_counters_poll(&own, &d.w->err));
        got = news(&d);
        must_say(got, "agent.h.sink.graphite.agent.sent 5; ");
        must_say(got, "agent.h.sink.graphite.agent.behind 4; ");
        must_say(got, "agent.h.agent.queue_points 0; ");
        assert_null(strstr(got, "east/delay.agent.poll_ms"));

        other.is_running = true;
        other.sinks[0].sent = 10;
        d.counters.sinks[0].behind = 4; /* what the first poll put into the queue was sent */
        d.counters.queue_points = 0;
        world_ok(d.w, ob_own_counters_poll(&own, &d.w->err));
        got = news(&d);
        must_say(got, "agent.h.sink.graphite.agent.sent 7; ");
        must_say(got, "agent.h.sink.graphite.agent.behind 9; ");
        must_say(got, "agent.h.agent.queue_points 6; ");
        ob_own_counters_fini(&own);
        ob_counters_fini(&other);
        close_desk(&d);
}

static void what_could_not_be_committed_comes_with_the_next_poll(void **state)
{
        struct desk d;
        struct ob_own_counters own;

        open_desk(&d, state);
        own = (struct ob_own_counters) { .parts = &d.parts, .outbox = outbox(&d) };
        ob_own_counters_init(&own);
        d.counters.sources[0].rows = 7;
        assert_true(ob_queue_reserve(&d.queue, 1, &d.stop)); /* an empty queue takes anything */
        ob_queue_set_room(&d.queue, 0);                      /* a commit waits for room, and a stop ends that */
        ob_stop_want(&d.stop, ob_clock_ms());
        assert_int_equal(ob_own_counters_poll(&own, &d.w->err), 1);
        assert_string_equal(news(&d), "");
        ob_queue_set_room(&d.queue, INT64_C(1) << 30);
        ob_stop_fini(&d.stop);
        ob_stop_init(&d.stop);
        world_ok(d.w, ob_own_counters_poll(&own, &d.w->err));
        must_say(news(&d), "agent.h.source.delay.agent.rows 7; ");
        ob_own_counters_fini(&own);
        close_desk(&d);
}

static const struct ob_health_settings settings = { .lag = 60, .idle = 180, .stall = 300, .skew = 60 };

static void see_mainstem(struct ob_pipeline_health *health, int64_t value)
{
        const struct ob_series series = {
                .name = "mainstem_state", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } }
        };

        ob_pipeline_health_note(health,
                ob_pipeline_health_subject(health, ob_fact_source_find("mainstem_state"), &series),
                ob_fact_source_find("mainstem_state"),
                &(struct ob_sighting) {
                        .time = 1, .clock = 1, .now = ob_clock_ms(), .valid = 1000, .value = value });
}

static void a_change_of_a_state_is_told_once_also_by_the_next_start(void **state)
{
        struct ob_pipeline_health *health = ob_pipeline_health_new(&settings);
        struct desk d;
        struct ob_health_changes h;

        open_desk(&d, state);
        h = (struct ob_health_changes) { .manager = "", .name = "state", .health = health, .outbox = outbox(&d) };
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "");
        see_mainstem(health, 1);
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "pipeline.3.state 4; ! (it looks for its position); ");
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "pipeline.3.state 4; ");
        ob_health_changes_fini(&h);

        h = (struct ob_health_changes) { .manager = "", .name = "state", .health = health, .outbox = outbox(&d) };
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "pipeline.3.state 4; ");
        see_mainstem(health, 0);
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d),
                "pipeline.3.state 7; !stalled: pipeline 3 (its channel runs, and no node works on it; it was locating); ");
        ob_health_changes_fini(&h);
        ob_pipeline_health_free(health);
        close_desk(&d);
}

static void a_state_that_did_not_change_is_not_sent_at_each_poll(void **state)
{
        struct ob_pipeline_health *health = ob_pipeline_health_new(&settings);
        struct desk d;
        struct ob_health_changes h;

        open_desk(&d, state);
        h = (struct ob_health_changes) { .manager = "",
                .name = "state",
                .health = health,
                .repeat = INT64_MAX, /* no state is due again */
                .outbox = outbox(&d) };
        see_mainstem(health, 1);
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        must_say(news(&d), "pipeline.3.state 4; ");
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "");
        see_mainstem(health, 0);
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        must_say(news(&d), "pipeline.3.state 7; !stalled");
        h.repeat = 1;
        for (int64_t sent = ob_clock_wall(); ob_clock_wall() == sent;)
                ob_stop_wait(&d.stop, ob_clock_ms() + 10);
        world_ok(d.w, ob_health_changes_poll(&h, &d.w->err));
        assert_string_equal(news(&d), "pipeline.3.state 7; ");
        ob_health_changes_fini(&h);
        ob_pipeline_health_free(health);
        close_desk(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                EVERYWHERE(a_counter_is_what_was_added_since_the_last_commit),
                EVERYWHERE(several_queues_are_counted_together),
                EVERYWHERE(what_could_not_be_committed_comes_with_the_next_poll),
                EVERYWHERE(a_change_of_a_state_is_told_once_also_by_the_next_start),
                EVERYWHERE(a_state_that_did_not_change_is_not_sent_at_each_poll),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
