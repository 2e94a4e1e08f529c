/* Secrets in files of their own, as they are at each use. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/secret.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"

static void it_is_what_the_file_holds_now(void **state)
{
        static const struct {
                const char *content; /* NULL: there is no file */
                const char *want;
        } cases[] = {
                { "one\n", "one" },
                { "two", "two" },
                { "three\r\nfour\n", "three" },
                { "", "known" },
                { NULL, "known" },
                { "\n", "" },
                { "five\n", "five" },
        };
        ob_cleanup(ob_free_at) char *path = ob_format("%s/secret", (const char *)*state);
        char secret[OB_SECRET_MAX];

        for (size_t i = 0; i < LENGTH(cases); i++) {
                unlink(path);
                if (cases[i].content)
                        free(folder_write(*state, "secret", cases[i].content, strlen(cases[i].content)));
                ob_secret_now(path, "known", secret);
                assert_string_equal(secret, cases[i].want);
        }
        ob_secret_now("", "known", secret);
        assert_string_equal(secret, "known");
}

/* What would be waited for, or has no end, is no file with a secret. */
static void what_is_no_file_is_refused_at_once(void **state)
{
        ob_cleanup(ob_free_at) char *pipe = ob_format("%s/pipe", (const char *)*state);
        const char *const paths[] = { pipe, *state, "/dev/zero" };
        char secret[OB_SECRET_MAX];
        struct ob_err err;

        assert_int_equal(mkfifo(pipe, 0600), 0);
        for (size_t i = 0; i < LENGTH(paths); i++) {
                assert_int_equal(ob_secret_read(paths[i], secret, &err), -1);
                assert_non_null(strstr(err.text, "not a regular file"));
                assert_string_equal(secret, "");
                ob_secret_now(paths[i], "known", secret);
                assert_string_equal(secret, "known");
        }
}

static void a_long_line_is_refused_and_leaves_nothing(void **state)
{
        static const char zero[OB_SECRET_MAX];
        char content[OB_SECRET_MAX + 9], secret[OB_SECRET_MAX];
        struct ob_err err;
        ob_cleanup(ob_free_at) char *path = NULL;

        memset(content, 'x', sizeof(content));
        path = folder_write(*state, "long", content, sizeof(content));
        assert_int_equal(ob_secret_read(path, secret, &err), -1);
        assert_memory_equal(secret, zero, sizeof(zero));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_what_the_file_holds_now),
                cmocka_unit_test(what_is_no_file_is_refused_at_once),
                cmocka_unit_test(a_long_line_is_refused_and_leaves_nothing),
        };

        return cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
}
