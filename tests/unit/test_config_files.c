/* A config in several files: @include, and the files in include_dir in the order of their names. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/loading.h"

#define FILES_MAX 4

static const char managers[] = "managers = ( { name = \"a\"; } );", sinks[] = "sinks = ( { type = \"statsd\"; } );",
                  main_text[] = "prefix = \"main\";\ninclude_dir = \"conf.d\";\n";

/* The config in FOLDER/otterbeat.cfg, and files in FOLDER/conf.d. */
struct layout {
        const char *top; /* NULL: main_text */
        struct {
                const char *name, *text;
        } files[FILES_MAX];
};

/* Loads a layout from a folder of its own, whose path replaces the "@" of each "@/" in `want`: the error must be
 * this text. If `want` ends in "…", the error must begin with the text before it. If `want` is NULL, the config
 * must be good, and the caller frees it. */
static struct ob_config *load(const struct layout *l, const char *want)
{
        ob_cleanup(ob_free_at) char *folder = folder_new(), *conf_d = ob_format("%s/conf.d", folder), *text = NULL;
        struct ob_config *c;
        struct ob_err err;

        assert_int_equal(mkdir(conf_d, 0755), 0);
        for (size_t i = 0; i < FILES_MAX && l->files[i].name; i++)
                free(folder_write(conf_d, l->files[i].name, l->files[i].text, strlen(l->files[i].text)));
        c = loading_try(folder, l->top ? l->top : main_text, &err);
        folder_remove(ob_take(folder));
        if (!c != !!want)
                fail_msg("%s", c ? want : err.text);
        if (!want)
                return c;
        for (const char *at = want; *at; at++)
                if (!strncmp(at, "@/", 2))
                        ob_append(&text, "", "%.*s", (int)(strlen(conf_d) - strlen("/conf.d")), conf_d);
                else
                        ob_append(&text, "", "%c", *at);
        if (strncmp(err.text, text, strcspn(text, "\xe2")) != 0 ||
                (!strstr(text, "…") && strcmp(err.text, text) != 0))
                fail_msg("\"%s\" is not \"%s\"", err.text, text);
        return NULL;
}

static void the_files_are_one_config(void **state)
{
        const struct layout l = { .files = { { "20-sinks.cfg", sinks }, { "10-managers.cfg", managers },
                                          { "30.cfg", "drain = 7; status = { listen = \"unix:s\"; };" } } };
        ob_cleanup(loading_free) struct ob_config *c = load(&l, NULL);

        (void)state;
        assert_string_equal(c->prefix, "main");
        assert_string_equal(c->managers[0].name, "a");
        assert_int_equal(c->n_sinks, 1);
        assert_int_equal(c->drain, 7);
        assert_non_null(strstr(c->file, "/otterbeat.cfg"));
        assert_non_null(strstr(c->state_dir, "/state"));
}

static void other_files_in_the_folder_are_left_alone(void **state)
{
        static const char *const names[] = { "x.cfg~", "x.cfg.dpkg-old", ".x.cfg", "x.cfg.example", "README",
                ".cfg" };

        (void)state;
        for (size_t i = 0; i < LENGTH(names); i++) {
                const struct layout l = { .files = { { "a.cfg", managers }, { "b.cfg", sinks },
                                                  { names[i], "nonsense" } } };
                ob_cleanup(loading_free) struct ob_config *c = load(&l, NULL);

                assert_string_equal(c->prefix, "main");
        }
}

static void a_path_in_a_file_begins_at_its_folder(void **state)
{
        const struct layout l = {
                .files = { { "a.cfg", managers }, { "b.cfg", sinks }, { "secret", "hush\n" },
                        { "c.cfg", "status = { user = \"u\"; password_file = \"secret\"; };" } }
        };
        ob_cleanup(loading_free) struct ob_config *c = load(&l, NULL);

        (void)state;
        assert_string_equal(c->status.password, "hush");
        assert_non_null(strstr(c->status.password_file, "/conf.d/secret"));
}

static void every_mistake_is_told_with_its_file_and_line(void **state)
{
        static const struct {
                struct layout layout;
                const char *want;
        } cases[] = {
                { { .files = { { "a.cfg", "\n\ndrain = -1;\n" }, { "b.cfg", managers }, { "c.cfg", sinks } } },
                        "@/conf.d/a.cfg:3: 'drain' must be from 0 to 60, not -1" },
                { { .files = { { "a.cfg", managers }, { "b.cfg", "\nprefix = ;\n" } } },
                        "@/conf.d/b.cfg:2: syntax error" },
                { { .files = { { "a.cfg", "\n\nevry = 1;" }, { "b.cfg", managers }, { "c.cfg", sinks } } },
                        "@/conf.d/a.cfg:3: no such setting: 'evry'" },
                { { .files = { { "a.cfg", "drain = 1;\ndrain = 2;" } } },
                        "@/conf.d/a.cfg:2: duplicate setting name: the setting of this line is already set in the same group" },
                { { .files = { { "a.cfg", "\n@include \"none.cfg\"\n" } } },
                        "@/conf.d/a.cfg:2: cannot open include file: a relative path in @include is relative to "
                        "the working directory, not to this file" },
                /* two files */
                { { .files = { { "a.cfg", sinks }, { "b.cfg", managers }, { "c.cfg", "\n\nsinks = ( );" } } },
                        "@/conf.d/c.cfg:3: 'sinks' is set at @/conf.d/a.cfg:1, too" },
                { { .files = { { "a.cfg", "\nprefix = \"b\";" } } },
                        "@/conf.d/a.cfg:2: 'prefix' is set at @/otterbeat.cfg:1, too" },
                { { .files = { { "a.cfg", "include_dir = \"more\";" } } },
                        "@/conf.d/a.cfg:1: 'include_dir' is set at @/otterbeat.cfg:2, too" },
                /* the order of the bytes of the names, so the second of them has the mistake */
                { { .files = { { "9.cfg", "drain = 1;" }, { "10.cfg", "drain = 2;" } } },
                        "@/conf.d/9.cfg:1: 'drain' is set at @/conf.d/10.cfg:1, too" },
                { { .files = { { "a.cfg", "drain = 1;" }, { "B.cfg", "drain = 2;" } } },
                        "@/conf.d/a.cfg:1: 'drain' is set at @/conf.d/B.cfg:1, too" },
                /* what is missing in all of them */
                { { .files = { { "a.cfg", sinks } } }, "@/otterbeat.cfg:1: 'managers' is missing …" },
                { { .files = { { NULL } } }, "@/otterbeat.cfg:1: 'managers' is missing …" },
                /* the folder */
                { { .top = "\ninclude_dir = \"none\";\n" },
                        "@/otterbeat.cfg:2: @/none: No such file or directory" },
                { { .top = "include_dir = \"otterbeat.cfg\";" },
                        "@/otterbeat.cfg:1: @/otterbeat.cfg: Not a directory" },
                { { .top = "include_dir = 1;" }, "@/otterbeat.cfg:1: 'include_dir' must be a text in quotes" },
                { { .top = "include_dir = \"${OB_TEST_NOT_SET}\";" },
                        "@/otterbeat.cfg:1: ${OB_TEST_NOT_SET}: this variable is not set…" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                load(&cases[i].layout, cases[i].want);
}

/* A pipe with such a name would make libconfig wait; a link that leads nowhere is a file that the operator wants.
 */
static void what_is_no_file_is_refused(void **state)
{
        ob_cleanup(ob_free_at) char *pipe = ob_format("%s/a.cfg", (char *)*state);
        ob_cleanup(ob_free_at) char *text = ob_format("include_dir = \"%s\";", (char *)*state);
        ob_cleanup(ob_free_at) char *no_file = ob_format("%s: it is a pipe, not a regular file", pipe);
        ob_cleanup(ob_free_at) char *nothing = ob_format("%s: No such file or directory", pipe);
        struct ob_err err;

        assert_int_equal(mkfifo(pipe, 0600), 0);
        load(&(struct layout) { .top = text }, no_file);
        unlink(pipe);
        assert_int_equal(symlink("none", pipe), 0);
        load(&(struct layout) { .top = text }, nothing);
        unlink(pipe);
        assert_null(loading_try(*state, "include_dir = \".\";", &err));
        if (!strstr(err.text, "/otterbeat.cfg:1: 'include_dir' is set at "))
                fail_msg("%s", err.text); /* the config is among its own files */
}

static void a_name_may_have_any_character(void **state)
{
        const struct layout l = { .files = { { "a \"b\\c'.cfg", managers }, { "通.cfg", sinks } } };
        ob_cleanup(loading_free) struct ob_config *c = load(&l, NULL);

        (void)state;
        assert_int_equal(c->n_sinks, 1);
}

/* libconfig keeps the file of each setting: a mistake is told where it is, not where it is included. */
static void a_mistake_behind_an_include_is_told_there(void **state)
{
        static const char mistake[] = "\n\ndrain = -1;\n";
        ob_cleanup(ob_free_at) char *included = folder_write(*state, "more.inc", mistake, strlen(mistake));
        ob_cleanup(ob_free_at) char *want = ob_format("%s:3: 'drain' must be from 0 to 60, not -1", included);
        ob_cleanup(ob_free_at) char *top = ob_format("@include \"%s\"\n%s\n%s\n", included, managers, sinks);
        ob_cleanup(ob_free_at) char *more = ob_format("@include \"%s\"\n", included);

        load(&(struct layout) { .top = top }, want);
        load(&(struct layout) { .files = { { "a.cfg", more }, { "b.cfg", managers }, { "c.cfg", sinks } } }, want);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_files_are_one_config),
                cmocka_unit_test(other_files_in_the_folder_are_left_alone),
                cmocka_unit_test(a_path_in_a_file_begins_at_its_folder),
                cmocka_unit_test(every_mistake_is_told_with_its_file_and_line),
                cmocka_unit_test(what_is_no_file_is_refused),
                cmocka_unit_test(a_name_may_have_any_character),
                cmocka_unit_test(a_mistake_behind_an_include_is_told_there),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
