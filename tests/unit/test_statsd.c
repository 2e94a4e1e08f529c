#include "tests/unit/unit.h"

#include <string.h>

#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/number.h"
#include "proto/statsd.h"

#define PIPELINE .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } }

static const struct {
        struct ob_series series;
        struct ob_metric_value value;
        const char *plain, *dog;
} cases[] = {
        {
                .series = { .kind = OB_COUNTER, .name = "throughput.count", PIPELINE },
                .value = WHOLE(7),
                .plain = "o.pipeline.3.throughput.count:7|c\n",
                .dog = "o.throughput.count:7|c|#pipeline:3\n",
        },
        {
                .series = { .kind = OB_GAUGE, .name = "delay_ms", PIPELINE },
                .value = REAL(1.5),
                .plain = "o.pipeline.3.delay_ms:1.5|g\n",
                .dog = "o.delay_ms:1.5|g|#pipeline:3\n",
        },
        {
                .series = { .kind = OB_GAUGE_MAX, .name = "delay_ms", PIPELINE },
                .value = WHOLE(0),
                .plain = "o.pipeline.3.delay_ms:0|g\n",
                .dog = "o.delay_ms:0|g|#pipeline:3\n",
        },
        {
                /* "-5|g" would mean five less */
                .series = { .kind = OB_GAUGE, .name = "delay_ms", PIPELINE },
                .value = WHOLE(-5),
                .plain = "o.pipeline.3.delay_ms:0|g\no.pipeline.3.delay_ms:-5|g\n",
                .dog = "o.delay_ms:-5|g|#pipeline:3\n",
        },
        {
                .series = { .kind = OB_GAUGE_MAX, .name = "x" },
                .value = REAL(-0.000001),
                .plain = "o.x:0|g\no.x:-0.000001|g\n",
                .dog = "o.x:-0.000001|g\n",
        },
        {
                /* a negative counter is nothing special */
                .series = { .kind = OB_COUNTER, .name = "x" },
                .value = WHOLE(-5),
                .plain = "o.x:-5|c\n",
                .dog = "o.x:-5|c\n",
        },
        {
                /* labels are for DogStatsD alone, empty ones for nobody */
                .series = { .kind = OB_COUNTER,
                        .name = "log.records",
                        .n_identity = 2,
                        .n_tags = 5,
                        .tags = { { "pipeline", "" }, { "title", "exception" }, { "channel", "" }, { "node", "7" },
                                { "code", "E" } } },
                .value = WHOLE(1),
                .plain = "o.pipeline.none.title.exception.log.records:1|c\n",
                .dog = "o.log.records:1|c|#title:exception,node:7,code:E\n",
        },
        {
                /* what would end a tag, the tags or the line */
                .series = { .kind = OB_COUNTER,
                        .name = "x",
                        .n_identity = 1,
                        .n_tags = 1,
                        .tags = { { "k", "a|b,c\nd\x7f 通:#" } } },
                .value = WHOLE(1),
                .plain = "o.k.a_b_c_d_______.x:1|c\n",
                .dog = "o.x:1|c|#k:a_b_c_d_ 通:#\n",
        },
};

static void dog_line(struct ob_text *out, const char *prefix, const struct ob_metric *m)
{
        const struct ob_dog dog = { .prefix = prefix, .origin = "" };

        ob_dog_metric(out, &dog, m);
}

typedef void line_fn(struct ob_text *out, const char *prefix, const struct ob_metric *m);

static void assert_line(line_fn *line, size_t i, const char *want)
{
        const struct ob_metric m = { .series = &cases[i].series, .value = cases[i].value };
        char room[256];
        struct ob_text t = ob_text_over(room, sizeof(room));

        line(&t, "o", &m);
        if (t.too_long || t.length != strlen(want) || memcmp(room, want, t.length) != 0)
                fail_msg("got \"%.*s\", want \"%s\"", (int)t.length, room, want);
}

static void plain_lines_carry_the_path(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_line(ob_statsd_plain, i, cases[i].plain);
}

static void dogstatsd_lines_carry_tags(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_line(dog_line, i, cases[i].dog);
}

/* A negative gauge is written behind other lines, and its path is copied from where it stands. */
static void lines_follow_each_other(void **state)
{
        static const struct ob_series counter = { .kind = OB_COUNTER, .name = "x" };
        static const struct ob_series gauge = { .kind = OB_GAUGE, .name = "y" };
        static const char want[] = "o.x:7|c\no.y:0|g\no.y:-5|g\n";
        char room[64];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_statsd_plain(&t, "o", &(struct ob_metric) { &counter, 0, ob_whole(7) });
        ob_statsd_plain(&t, "o", &(struct ob_metric) { &gauge, 0, ob_whole(-5) });
        assert_int_equal(t.length, strlen(want));
        assert_memory_equal(room, want, t.length);
}

static void a_line_that_does_not_fit_is_marked(void **state)
{
        static line_fn *const lines[] = { ob_statsd_plain, dog_line };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct ob_metric m = { .series = &cases[i].series, .value = cases[i].value };
                const char *const wants[] = { cases[i].plain, cases[i].dog };

                for (size_t n = 0; n < LENGTH(lines); n++)
                        for (size_t room = 0; room <= strlen(wants[n]); room++) {
                                ob_cleanup(ob_free_at) char *data = ob_alloc(room, 1);
                                struct ob_text t = ob_text_over(data, room);

                                lines[n](&t, "o", &m);
                                if (t.too_long != (room < strlen(wants[n])))
                                        fail_msg("\"%s\" in %zu bytes", wants[n], room);
                        }
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain_lines_carry_the_path),
                cmocka_unit_test(dogstatsd_lines_carry_tags),
                cmocka_unit_test(lines_follow_each_other),
                cmocka_unit_test(a_line_that_does_not_fit_is_marked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
