#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/dogstatsd.h"
#include "proto/memory.h"
#include "proto/number.h"

#define TIME 1587312000

static const struct ob_tag more[] = { { "env", "prod" }, { "pipeline", "no" }, { "flag", NULL } };
static const struct ob_dog bare = { .prefix = "o", .origin = "" };
static const struct ob_dog full = { .prefix = "o", .tags = more, .n_tags = 3, .origin = "ci-abc" };

static const struct ob_series delay = { .kind = OB_GAUGE,
        .name = "delay_ms",
        .n_identity = 1,
        .n_tags = 2,
        .tags = { { "pipeline", "3" }, { "x", "" } } };

#define EVENT .time = TIME, .kind = "log", .signature = "", .check = ""

static void assert_text(const struct ob_text *t, const char *want)
{
        if (t->too_long || t->length != strlen(want) || memcmp(t->data, want, t->length) != 0)
                fail_msg("got  \"%.*s\"\nwant \"%s\"", (int)t->length, t->data, want);
}

static void tags_of_everything_stand_behind_those_of_the_series(void **state)
{
        const struct ob_metric m = { &delay, TIME, ob_whole(-5) };
        char room[256];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_dog_metric(&t, &full, &m);
        assert_text(&t, "o.delay_ms:-5|g|#pipeline:3,env:prod,flag|c:ci-abc\n");
}

static void bytes_that_are_no_utf8_are_not_told(void **state)
{
        static const struct ob_series odd = { .name = "n",
                .n_tags = 1,
                .tags = { { "k", "a\xff"
                                 "通\xe9\x80|,\n\x01" } } };
        const struct ob_metric m = { &odd, TIME, ob_whole(1) };
        char room[256];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_dog_metric(&t, &bare, &m);
        assert_text(&t, "o.n:1|c|#k:a_通______\n");
}

static void a_time_stands_behind_the_tags(void **state)
{
        const struct ob_series counter = { .kind = OB_COUNTER, .name = "n" };
        char path_room[256], room[256];
        struct ob_text path = ob_text_over(path_room, sizeof(path_room)), t = ob_text_over(room, sizeof(room));

        (void)state;
        ob_dog_path(&path, &full, &delay);
        ob_dog_stamped(&t, &full, path.data, path.length, (struct ob_metric_value)REAL(1.5), TIME);
        assert_text(&t, "o.delay_ms:1.5|g|#pipeline:3,env:prod,flag|T1587312000|c:ci-abc\n");
        ob_text_reset(&path, 0);
        ob_text_reset(&t, 0);
        ob_dog_path(&path, &bare, &counter);
        ob_dog_stamped(&t, &bare, path.data, path.length, ob_whole(7), TIME);
        assert_text(&t, "o.n:7|c|T1587312000\n");
}

static const struct {
        struct ob_event event;
        const char *want_event, *want_check;
} cases[] = {
        { { EVENT, .title = "t", .text = "x" }, "_e{1,1}:t|x|d:1587312000|t:info|#event:log\n", "" },
        { { EVENT, .title = "t", .text = "" }, "_e{1,0}:t||d:1587312000|t:info|#event:log\n", "" },
        { { EVENT, .title = "", .text = "x" }, "", "" },
        /* a newline is two bytes on the wire, and counts as two */
        { { EVENT, .title = "a\nb", .text = "c\r\nd\n" }, "_e{4,6}:a\\nb|c\\nd\\n|d:1587312000|t:info|#event:log\n",
                "" },
        /* bytes are counted, not characters; a bar is a bar */
        { { EVENT, .title = "通", .text = "é|x" }, "_e{3,4}:通|é|x|d:1587312000|t:info|#event:log\n", "" },
        { { EVENT, .title = "t", .text = "a\xff\x01" }, "_e{1,3}:t|a??|d:1587312000|t:info|#event:log\n", "" },
        { { .time = 0,
                  .kind = "log",
                  .title = "t",
                  .text = "",
                  .signature = "0f",
                  .alert = OB_ALERT_ERROR,
                  .check = "",
                  .n_tags = 2,
                  .tags = { { "pipeline", "3" }, { "title", "a,b" } } },
                "_e{1,0}:t||k:0f|t:error|#event:log,pipeline:3,title:a_b\n", "" },
        { { .time = TIME,
                  .kind = "state",
                  .title = "",
                  .text = "a|b\nm:c",
                  .signature = "",
                  .check = "pipeline",
                  .status = OB_CHECK_CRITICAL,
                  .n_tags = 1,
                  .tags = { { "pipeline", "3" } } },
                "", "_sc|o.pipeline|2|d:1587312000|#pipeline:3|m:a_b\\nm\\:c\n" },
        { { .time = TIME,
                  .kind = "state",
                  .title = "t",
                  .text = "",
                  .signature = "",
                  .check = "pipeline",
                  .status = OB_CHECK_OK },
                "_e{1,0}:t||d:1587312000|t:info|#event:state\n", "_sc|o.pipeline|0|d:1587312000\n" },
};

static void events_and_checks_are_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char room[256];
                struct ob_text t = ob_text_over(room, sizeof(room));

                ob_dog_event(&t, &bare, &cases[i].event);
                assert_text(&t, cases[i].want_event);
                ob_text_reset(&t, 0);
                ob_dog_check(&t, &bare, &cases[i].event);
                assert_text(&t, cases[i].want_check);
        }
}

/* What is announced is what is there, whatever the room; a character and an escape are never cut. */
static void a_long_text_is_cut_to_the_room(void **state)
{
        const struct ob_event e = { EVENT, .title = "title", .text = "通\n通\n通\n通\n通\n通\n通\n通\n" };
        size_t longest = 0, shortest = 0;
        char data[256];

        (void)state;
        for (size_t room = 0; room < sizeof(data); room++) {
                struct ob_text t = ob_text_over(data, room);
                unsigned title, text;
                const char *end;
                char *at;

                ob_dog_event(&t, &full, &e);
                if (t.too_long)
                        continue;
                shortest = shortest ? shortest : room;
                assert_true(t.length <= room);
                title = (unsigned)strtoul(data + 3, &at, 10);
                text = (unsigned)strtoul(at + 1, NULL, 10);
                assert_int_equal(title, 5);
                assert_true(text % 5 == 0 || text % 5 == 3); /* 通 is three bytes, \n two */
                end = (const char *)memchr(data, ':', t.length) + 1 + title + 1 + text;
                assert_memory_equal(end, "|d:1587312000|t:info|#event:log,env:prod,", 41);
                assert_true(text >= longest);
                longest = text;
        }
        assert_int_equal(longest, 40);
        assert_true(shortest > 60 && shortest < 110);
}

static void a_text_is_no_longer_than_the_agent_takes(void **state)
{
        ob_cleanup(ob_free_at) char *text = ob_alloc(30001, 1), *room = ob_alloc(20000, 1);
        struct ob_text t = ob_text_over(room, 20000);
        const struct ob_event e = { EVENT, .title = text, .text = text };

        (void)state;
        memset(text, 'x', 30000);
        ob_dog_event(&t, &bare, &e);
        assert_false(t.too_long);
        assert_memory_equal(room, "_e{100,4000}:", 13);
}

static void a_check_leaves_out_what_does_not_fit_of_its_message(void **state)
{
        const struct ob_event e = {
                .time = TIME, .kind = "k", .title = "", .text = "通|通|通|通", .signature = "", .check = "c"
        };
        static const char least[] = "_sc|o.c|0|d:1587312000\n";
        char data[64];

        (void)state;
        for (size_t room = 0; room < sizeof(data); room++) {
                struct ob_text t = ob_text_over(data, room);

                ob_dog_check(&t, &bare, &e);
                assert_int_equal(t.too_long, room < sizeof(least) - 1);
                if (!t.too_long)
                        assert_true(t.length <= room && data[t.length - 1] == '\n');
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(tags_of_everything_stand_behind_those_of_the_series),
                cmocka_unit_test(bytes_that_are_no_utf8_are_not_told),
                cmocka_unit_test(a_time_stands_behind_the_tags),
                cmocka_unit_test(events_and_checks_are_lines),
                cmocka_unit_test(a_long_text_is_cut_to_the_room),
                cmocka_unit_test(a_text_is_no_longer_than_the_agent_takes),
                cmocka_unit_test(a_check_leaves_out_what_does_not_fit_of_its_message),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
