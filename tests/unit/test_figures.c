/* `otterbeat top`: what is wrong comes first, lines fit the terminal, and no text of the JSON controls it. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/top/figures.h"

static const char status[] =
        "{\"version\": \"1.2.3\", \"host\": \"h\\u001b[1m\", \"now\": 1587340800, \"started\": 1587340740,"
        "\"headlines\": [{\"of\": \"otter\", \"health\": \"ill\", \"text\": \"Otter needs a look: 1 hung\"},"
        "{\"of\": \"otterbeat\", \"health\": \"troubled\", \"text\": \"otterbeat is in trouble\"}],"
        "\"queue\": {\"points\": 1234, \"bytes\": 5000, \"limit_bytes\": 67108864},"
        "\"sources\": [{\"name\": \"delay\", \"health\": \"well\", \"why\": \"\", \"age_ms\": 2000, \"rows\": 1000,"
        "\"errors\": 1, \"last_error\": \"gone\", \"last_error_at\": 1587340790, \"done_by_minute\": [0, 60, 7]},"
        "{\"name\": \"log\", \"health\": \"worse than ever\", \"why\": \"new\", \"age_ms\": 0}],"
        "\"sinks\": [{\"name\": \"graphite\", \"health\": \"troubled\", \"why\": \"has not delivered\", \"behind\": 5,"
        "\"last_error\": \"has not delivered\"}],"
        "\"pipelines\": [{\"manager\": \"\", \"pipeline\": \"9\", \"state\": \"ok\", \"why\": \"通道\", \"for_ms\": 0},"
        "{\"manager\": \"\", \"pipeline\": \"10\", \"state\": \"paused\", \"why\": \"c\", \"for_ms\": 0},"
        "{\"manager\": \"b\", \"pipeline\": \"2\", \"state\": \"hung\", \"why\": \"a\", \"for_ms\": 180000},"
        "{\"manager\": \"b\", \"pipeline\": \"1\", \"state\": \"lagging\", \"why\": \"b\", \"for_ms\": 0}]}";

static const char whole[] =
        "otterbeat 1.2.3 on h<U+001B>[1m, 2020-04-20 00:00:00 UTC, running for 60 s\n"
        "Otter needs a look: 1 hung\n"
        "otterbeat is in trouble\n"
        "Queue: 1,234 points, 5000 B of 67.1 MB\n"
        "\n"
        "HEALTH           WHAT           FIGURES\n"
        "worse than ever  source log     new; read 0 s ago, 0 rows, 0/min, 0 errors\n"
        "hung             pipeline b/2   for 3 min: a\n"
        "troubled         sink graphite  has not delivered; 5 behind, 0 lost, 0 sent, 0/min\n"
        "lagging          pipeline b/1   for 0 s: b\n"
        "well             source delay   read 2 s ago, 1,000 rows, 60/min, 1 errors; last error 10 s ago: gone\n"
        "paused           pipeline 10    for 0 s: c\n"
        "ok               pipeline 9     for 0 s: 通道";

static struct ob_figures figures;

static int read_figures(void **state)
{
        struct ob_err err;

        (void)state;
        return ob_figures_read(&figures, status, strlen(status), &err);
}

static int free_figures(void **state)
{
        (void)state;
        ob_figures_free(&figures);
        return 0;
}

/* The caller frees the text. */
static char *drawn(struct ob_figures_frame frame)
{
        struct ob_bytes out = { .length = 0 };

        frame.line_end = "\n";
        frame.note = frame.note ? frame.note : "";
        ob_figures_draw(&figures, &frame, &out);
        ob_bytes_add(&out, "", 1);
        return (char *)out.data;
}

static void assert_drawn(struct ob_figures_frame frame, const char *want)
{
        char *text = drawn(frame);

        assert_string_equal(text, want);
        free(text);
}

static void what_is_wrong_comes_first(void **state)
{
        (void)state;
        assert_drawn((struct ob_figures_frame) { .lines = 0 }, whole);
        assert_drawn((struct ob_figures_frame) { .lines = 13, .columns = 200 }, whole);
}

static void rows_without_room_are_counted(void **state)
{
        (void)state;
        for (size_t lines = 1; lines < 13; lines++) {
                char *text = drawn((struct ob_figures_frame) { .lines = lines });
                size_t n = 1;

                for (const char *c = text; *c; c++)
                        n += *c == '\n';
                assert_int_equal(n, lines);
                if (lines == 9)
                        assert_non_null(strstr(text, "a\nand 5 more, 2 of them not well"));
                if (lines == 12)
                        assert_non_null(strstr(text, "gone\nand 2 more, 0 of them not well"));
                free(text);
        }
}

/* The last character of the last line has two columns. */
static void no_line_is_wider_than_the_terminal(void **state)
{
        static const struct {
                size_t columns;
                const char *end;
        } cases[] = { { 45, "for 0 s: 通道" }, { 44, "for 0 s: 通" }, { 43, "for 0 s: 通" }, { 42, "for 0 s: " },
                { 5, "\nok   " }, { 1, "\no" } };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                char *text = drawn((struct ob_figures_frame) { .columns = cases[i].columns });
                size_t length = strlen(text), n = strlen(cases[i].end);

                if (length < n || strcmp(text + length - n, cases[i].end) != 0)
                        fail_msg("%zu columns: %s", cases[i].columns, text);
                free(text);
        }
}

static void bad_lines_are_coloured(void **state)
{
        char *text = drawn((struct ob_figures_frame) { .has_colours = true, .note = "NO ANSWER" });

        (void)state;
        assert_non_null(strstr(text, "\033[31mNO ANSWER\033[m\n\033[31mOtter needs a look: 1 hung\033[m\n"));
        assert_non_null(strstr(text, "\033[33mlagging "));
        assert_non_null(strstr(text, "\nwell "));
        free(text);
}

static void another_answer_is_refused_and_the_figures_stay(void **state)
{
        static const char *const answers[] = { "", "{}", "[]", "null", "<html>",
                "{\"version\": 1, \"sources\": []}", "{\"version\": \"1\", \"sources\": {}}",
                "{\"version\": \"1\"" };

        (void)state;
        for (size_t i = 0; i < LENGTH(answers); i++) {
                struct ob_err err;

                assert_int_equal(ob_figures_read(&figures, answers[i], strlen(answers[i]), &err), -1);
                assert_drawn((struct ob_figures_frame) { .lines = 0 }, whole);
        }
}

static void an_answer_with_little_in_it_is_drawn(void **state)
{
        static const char little[] = "{\"version\": \"1\", \"sources\": [7, {}], \"sinks\": 3, \"pipelines\": [[]],"
                                     "\"headlines\": [1, 2, 3, 4]}";
        struct ob_err err;
        char *text;

        (void)state;
        assert_int_equal(ob_figures_read(&figures, little, strlen(little), &err), 0);
        text = drawn((struct ob_figures_frame) { .lines = 0 });
        assert_non_null(strstr(text, "source "));
        free(text);
}

int main(void)
{
#define WITH_FIGURES(test) cmocka_unit_test_setup_teardown(test, read_figures, free_figures)
        static const struct CMUnitTest tests[] = {
                WITH_FIGURES(what_is_wrong_comes_first),
                WITH_FIGURES(rows_without_room_are_counted),
                WITH_FIGURES(no_line_is_wider_than_the_terminal),
                WITH_FIGURES(bad_lines_are_coloured),
                WITH_FIGURES(another_answer_is_refused_and_the_figures_stay),
                WITH_FIGURES(an_answer_with_little_in_it_is_drawn),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
