#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/process/mysql/greeting.h"

/* The parts of a greeting behind its header, and what is made of them. */
#define VERSION                                                                                                    \
        "\x0a"                                                                                                     \
        "10.11.19-MariaDB\0"
#define THREAD   "\x05\0\0\0"
#define SCRAMBLE "abcdefgh\0"
#define WITH     "\xff\xff" /* all of the lower flags */
#define WITHOUT  "\xff\xf7" /* all but CLIENT_SSL */
#define REST     "\x2d\x02\0\xff\x81\x15"

#define BODY(text) text, sizeof(text) - 1

static const struct {
        const char *name, *body;
        size_t length;
        enum ob_greeting wanted;
} cases[] = {
        { "with TLS", BODY(VERSION THREAD SCRAMBLE WITH REST), OB_GREETING_TLS },
        { "without", BODY(VERSION THREAD SCRAMBLE WITHOUT REST), OB_GREETING_PLAIN },
        { "ends with the flags", BODY(VERSION THREAD SCRAMBLE WITH), OB_GREETING_TLS },
        { "ends in the flags", BODY(VERSION THREAD SCRAMBLE "\xff"), OB_GREETING_ODD },
        { "ends with the version", BODY(VERSION), OB_GREETING_ODD },
        { "a version without an end",
                BODY("\x0a"
                     "555555555555555555555555555555"),
                OB_GREETING_ODD },
        { "an empty version", BODY("\x0a\0" THREAD SCRAMBLE WITHOUT), OB_GREETING_PLAIN },
        { "another protocol",
                BODY("\x09"
                     "3.20\0" THREAD SCRAMBLE WITH REST),
                OB_GREETING_ODD },
        { "too many connections", BODY("\xff\x10\x04Too many connections"), OB_GREETING_ERROR },
        { "a report of progress, which is none",
                BODY("\xff\xff\xff"
                     "12345"),
                OB_GREETING_ODD },
        { "an error that is cut", BODY("\xff\x10"), OB_GREETING_ODD },
        { "nothing", "", 0, OB_GREETING_ODD },
};

/* Exactly as many bytes as there are, so that a sanitizer sees each that is read behind them. */
static enum ob_greeting read_exactly(const unsigned char *bytes, size_t n, size_t *needed)
{
        unsigned char *copy = malloc(n ? n : 1);
        enum ob_greeting got;

        assert_non_null(copy);
        memcpy(copy, bytes, n);
        got = ob_greeting_read(copy, n, needed);
        free(copy);
        return got;
}

static void a_whole_greeting_says_whether_there_is_tls(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                unsigned char bytes[200] = { (unsigned char)cases[i].length };
                size_t whole = cases[i].length + 4, needed;
                enum ob_greeting got;

                memcpy(bytes + 4, cases[i].body, cases[i].length);
                for (size_t n = 0; n < whole && (n < 4 || cases[i].length); n++)
                        if (read_exactly(bytes, n, &needed) != OB_GREETING_MORE || needed != (n < 4 ? 4 : whole))
                                fail_msg("%s: %zu bytes of it", cases[i].name, n);
                got = read_exactly(bytes, whole, &needed);
                if (got != cases[i].wanted)
                        fail_msg("%s: %d", cases[i].name, got);
        }
}

static void what_is_too_long_is_none(void **state)
{
        static const unsigned char header[4] = { 0xff, 0xff, 0xff, 0 };
        size_t needed;

        (void)state;
        assert_int_equal(ob_greeting_read(header, 4, &needed), OB_GREETING_ODD);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_greeting_says_whether_there_is_tls),
                cmocka_unit_test(what_is_too_long_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
