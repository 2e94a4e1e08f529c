#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/process/log.h"

/* The line that `say` logs, behind its time and level and without its newline; static. */
static const char *line_of(void (*say)(const char *text), const char *text)
{
        static char line[8192];
        char path[] = "/tmp/otterbeat_log_XXXXXX";
        struct ob_err err;
        size_t length;
        FILE *file;

        close(mkstemp(path));
        assert_int_equal(ob_log_open(path, OB_LOG_INFO, &err), 0);
        say(text);
        assert_int_equal(ob_log_open("", OB_LOG_INFO, &err), 0);
        file = fopen(path, "re");
        length = fread(line, 1, sizeof(line) - 1, file);
        fclose(file);
        unlink(path);
        line[length] = '\0';
        assert_true(length > 31);
        assert_ptr_equal(strchr(line, '\n'), line + length - 1); /* one line, whatever there is in it */
        line[length - 1] = '\0';
        return line + strlen("2020-04-20T00:00:00.000Z info ");
}

static void say_in_quotes(const char *text)
{
        ob_log(OB_LOG_INFO, "event=x err=\"%s\" n=%d", text, 7);
}

static void say_bare(const char *text)
{
        ob_log(OB_LOG_INFO, "event=x was=%s n=%lld", text, -7LL);
}

static void say_short(const char *text)
{
        ob_log(OB_LOG_INFO, "event=x id=%.4s n=%zu", text, (size_t)7);
}

static void no_text_can_end_its_quotes_or_its_line(void **state)
{
        static const struct {
                const char *text, *want;
        } cases[] = {
                { "plain words", "event=x err=\"plain words\" n=7" },
                { "", "event=x err=\"\" n=7" },
                { "a\" event=forged b=\"", "event=x err=\"a\\\" event=forged b=\\\"\" n=7" },
                { "\\\" event=forged", "event=x err=\"\\\\\\\" event=forged\" n=7" },
                { "\n2020-04-20T00:00:00.000Z error event=forged",
                        "event=x err=\"<U+000A>2020-04-20T00:00:00.000Z error event=forged\" n=7" },
                { "\x1b[2J\u202e\u2028\xc2\x9b\xff",
                        "event=x err=\"<U+001B>[2J<U+202E><U+2028><U+009B><FF>\" n=7" },
                { "通道 %s%n", "event=x err=\"通道 %s%n\" n=7" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(line_of(say_in_quotes, cases[i].text), cases[i].want);
}

static void no_text_can_end_its_field(void **state)
{
        static const struct {
                const char *text, *want;
        } cases[] = {
                { "plain/通道@7", "event=x was=plain/通道@7 n=-7" },
                { "", "event=x was=\"\" n=-7" },
                { "a event=forged", "event=x was=\"a event=forged\" n=-7" },
                { "event=forged", "event=x was=\"event=forged\" n=-7" },
                { "\"a", "event=x was=\"\\\"a\" n=-7" },
                { "a\\", "event=x was=\"a\\\\\" n=-7" },
                { "a\n", "event=x was=\"a<U+000A>\" n=-7" },
                { "a\u2028b", "event=x was=\"a<U+2028>b\" n=-7" },
                { "\xff", "event=x was=\"<FF>\" n=-7" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(line_of(say_bare, cases[i].text), cases[i].want);
}

static void a_text_that_may_be_cut_is_cut_between_characters(void **state)
{
        (void)state;
        assert_string_equal(line_of(say_short, "12345"), "event=x id=1234 n=7");
        assert_string_equal(line_of(say_short, "通道"), "event=x id=通 n=7");
        assert_string_equal(line_of(say_short, "1\"\n345"), "event=x id=\"1\\\"<U+000A>3\" n=7");
}

static void a_line_that_is_too_long_still_ends_its_quotes(void **state)
{
        char text[6000];
        const char *line;
        size_t length;

        (void)state;
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = '\n';
        text[sizeof(text) - 1] = '\0';
        line = line_of(say_in_quotes, text);
        length = strlen(line);
        assert_in_range(length, 4000, 4096 - strlen("2020-04-20T00:00:00.000Z info "));
        assert_string_equal(line + length - strlen(">…\""), ">…\"");

        line = line_of(say_bare, text);
        assert_string_equal(line + strlen(line) - strlen(">…\""), ">…\"");

        memset(text, 'x', sizeof(text) - 1);
        line = line_of(say_bare, text);
        assert_string_equal(line + strlen(line) - strlen("x…"), "x…");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_text_can_end_its_quotes_or_its_line),
                cmocka_unit_test(no_text_can_end_its_field),
                cmocka_unit_test(a_text_that_may_be_cut_is_cut_between_characters),
                cmocka_unit_test(a_line_that_is_too_long_still_ends_its_quotes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
