/* The two configs that --init writes. Of the commented one: "The values are the defaults, commented out or not." */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "config/all_settings.h"
#include "config/demo.h"
#include "config/expand.h"
#include "proto/memory.h"
#include "tests/unit/loading.h"

#define INDENT_MAX 16 /* further to the right are comments that go on */

/* Takes the '#' from before each setting of the demo; what is meant as an alternative stays out. */
static char *uncomment(const char *demo)
{
        static const char *const alternatives[] = { "password_file" };
        char *made = ob_copy(demo);
        bool is_open = false; /* a group goes on in the next line */

        for (char *line = made, *next; *line; line = next) {
                char *hash = line + strspn(line, " "), *name = hash + 1;
                size_t length = *hash == '#' ? strspn(name, "abcdefghijklmnopqrstuvwxyz_") : 0;
                bool is_setting = length && name[length + strspn(name + length, " ")] == '=';

                next = line + strcspn(line, "\n");
                next += *next == '\n';
                for (size_t i = 0; i < LENGTH(alternatives); i++)
                        if (length == strlen(alternatives[i]) && !strncmp(name, alternatives[i], length))
                                is_setting = false;
                if (*hash != '#' || hash - line > INDENT_MAX || (!is_setting && !is_open && *name != '}'))
                        continue;
                *hash = ' ';
                is_open = (is_open || memmem(hash, (size_t)(next - hash), " = {", 4)) &&
                          !memmem(hash, (size_t)(next - hash), "};", 2);
        }
        return made;
}

/* The demo's comment on what each source takes also shows values: the lines "#   name = value;" as a config. */
static char *source_lines(const char *demo)
{
        const char *from = strstr(demo, "Each source also has these settings"),
                   *end = strstr(demo, "\nsources = {");
        char *made = ob_alloc(strlen(demo) + 1, 1), *to = made;

        assert_true(from && end && from < end);
        for (const char *line = strchr(from, '\n') + 1; line < end; line = strchr(line, '\n') + 1) {
                size_t length = !strncmp(line, "#   ", 4) ? strspn(line + 4, "abcdefghijklmnopqrstuvwxyz_") : 0;

                if (length && line[4 + length + strspn(line + 4 + length, " ")] == '=')
                        to = mempcpy(to, line + 1, strcspn(line, "\n"));
        }
        return made;
}

/* The groups of the demo, and the tables of their settings. */
static const struct {
        const char *path;
        const struct ob_setting *table;
} groups[] = {
        { NULL, ob_top_settings },
        { "state", ob_state_settings },
        { "state.mysql", ob_state_mysql_settings },
        { "managers.[0]", ob_manager_settings },
        { "managers.[0].mysql", ob_mysql_settings },
        { "managers.[0].page", ob_page_settings },
        { "health", ob_health_settings },
        { "names", ob_names_settings },
        { "queue", ob_queue_settings },
        { "status", ob_status_settings },
        { "sinks.[0]", ob_statsd_settings },
        { "sinks.[1]", ob_graphite_settings },
};

static bool is_default_text(const config_setting_t *at, const char *want)
{
        const char *raw = config_setting_get_string(at);
        ob_cleanup(ob_free_at) char *text = NULL;
        struct ob_err err;

        text = raw ? ob_expand(raw, &err) : NULL;
        return text && !strcmp(text, want);
}

static bool is_default(const config_setting_t *at, const struct ob_setting *s)
{
        switch (s->type) {
        case OB_SET_INT:
        case OB_SET_LONG:
                assert_in_range(s->number, s->min, s->max);
                return config_setting_is_number(at) && config_setting_get_int64(at) == s->number;
        case OB_SET_BOOL:
                return config_setting_type(at) == CONFIG_TYPE_BOOL && config_setting_get_bool(at) == s->number;
        case OB_SET_CHOICE:
                return is_default_text(at, s->choices[s->number]);
        default:
                return is_default_text(at, s->text ? s->text : "");
        }
}

static void assert_shows_defaults(const char *path, const config_setting_t *group, const struct ob_setting *table)
{
        for (const struct ob_setting *s = table; s->name; s++) {
                const config_setting_t *at = group ? config_setting_get_member(group, s->name) : NULL;

                if (s->type == OB_SET_FILE) /* the demo shows the secret itself */
                        continue;
                if (!at)
                        fail_msg("the demo does not show %s.%s", path ? path : "", s->name);
                if (s->type != OB_SET_GROUP && !is_default(at, s))
                        fail_msg("the demo shows another default of %s.%s, in line %u of it", path ? path : "",
                                s->name, config_setting_source_line(at));
        }
}

static void every_setting_is_shown_with_its_default(void **state)
{
        ob_cleanup(ob_free_at) char *all = uncomment(ob_config_demo);
        ob_cleanup(config_destroy) config_t file;

        (void)state;
        config_init(&file);
        if (config_read_string(&file, all) != CONFIG_TRUE)
                fail_msg("line %d: %s", config_error_line(&file), config_error_text(&file));
        for (size_t i = 0; i < LENGTH(groups); i++)
                assert_shows_defaults(groups[i].path,
                        groups[i].path ? config_lookup(&file, groups[i].path) : config_root_setting(&file),
                        groups[i].table);
}

#define FIRST_LINES_MAX 20

static void the_first_config_is_short_and_has_the_defaults(void **state)
{
        ob_cleanup(config_destroy) config_t file;
        ob_cleanup(loading_free) struct ob_config *first = NULL;
        unsigned lines = 0, shown = 0;
        struct ob_err err;

        config_init(&file);
        assert_int_equal(config_read_string(&file, ob_config_first), CONFIG_TRUE);
        for (size_t i = 0; i < LENGTH(groups); i++) {
                const config_setting_t *group =
                        groups[i].path ? config_lookup(&file, groups[i].path) : config_root_setting(&file);

                for (const struct ob_setting *s = groups[i].table; s->name; s++) {
                        const config_setting_t *at = group ? config_setting_get_member(group, s->name) : NULL;

                        shown += at != NULL;
                        if (at && s->type != OB_SET_GROUP && !is_default(at, s))
                                fail_msg("line %u shows another default", config_setting_source_line(at));
                }
        }
        for (const char *c = ob_config_first; *c; c++)
                lines += *c == '\n';
        assert_in_range(lines, 15, FIRST_LINES_MAX);
        assert_true(shown >= 15);
        first = loading_try(*state, ob_config_first, &err);
        if (!first)
                fail_msg("%s", err.text);
        assert_int_equal(first->n_managers, 1);
        assert_int_equal(first->n_sinks, 2);
}

static void every_setting_of_a_source_is_shown_with_its_default(void **state)
{
        ob_cleanup(ob_free_at) char *lines = source_lines(ob_config_demo);
        ob_cleanup(config_destroy) config_t file;

        (void)state;
        config_init(&file);
        if (config_read_string(&file, lines) != CONFIG_TRUE)
                fail_msg("line %d: %s\n%s", config_error_line(&file), config_error_text(&file), lines);
        for (const struct ob_setting *s = ob_source_settings; s->name; s++) {
                const config_setting_t *at = config_lookup(&file, s->name);

                if (s->type != OB_SET_GROUP && (!at || !is_default(at, s)))
                        fail_msg("the demo does not show the default of \"%s\"", s->name);
        }
}

/* The built-in sources have literals of their own, and the demo shows how often each of them is read. */
static void assert_same_sources(const struct ob_config *c)
{
        for (size_t i = 0; i < ob_n_builtin_sources; i++) {
                const struct ob_source *s = &c->sources[i], *t = &ob_builtin_sources[i];

                assert_string_equal(s->name, t->name);
                assert_int_equal(s->enabled, t->enabled);
                assert_int_equal(s->every, t->every);
        }
}

static void the_demo_loads_as_it_is_and_uncommented(void **state)
{
        ob_cleanup(ob_free_at) char *all = uncomment(ob_config_demo);
        ob_cleanup(loading_free) struct ob_config *as_it_is = NULL, *uncommented = NULL;
        struct ob_err err;

        as_it_is = loading_try(*state, ob_config_demo, &err);
        if (!as_it_is)
                fail_msg("%s", err.text);
        strstr(all, "\nstate_dir = ")[1] = '#'; /* the alternative to the group `state` */
        memcpy(strstr(all, "\"overwrite\";"), "\"append\";   ",
                12); /* without it, `hold` and `after_crash` are refused */
        uncommented = loading_try(*state, all, &err);
        if (!uncommented)
                fail_msg("%s", err.text);
        assert_same_sources(as_it_is);
        assert_same_sources(uncommented);
        assert_int_equal(as_it_is->n_sources, ob_n_builtin_sources);
        assert_int_equal(uncommented->n_sources, ob_n_builtin_sources + 2);
        assert_int_equal(as_it_is->state.n_hosts, 0);
        assert_int_equal(uncommented->state.n_hosts, 2);
        assert_string_equal(loading_source(uncommented, "busy")->worker, "page");
        assert_string_equal(loading_source(uncommented, "orders")->table, "ORDERS");
}

static int set_up(void **state)
{
        static const char *const variables[] = { "OTTERBEAT_PASSWORD", "OTTERBEAT_STATUS", "OTTERBEAT_LOG",
                "STATE_DIRECTORY" };

        for (size_t i = 0; i < LENGTH(variables); i++)
                unsetenv(variables[i]);
        return loading_set_up(state);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_setting_is_shown_with_its_default),
                cmocka_unit_test(the_first_config_is_short_and_has_the_defaults),
                cmocka_unit_test(every_setting_of_a_source_is_shown_with_its_default),
                cmocka_unit_test(the_demo_loads_as_it_is_and_uncommented),
        };

        return cmocka_run_group_tests(tests, set_up, loading_tear_down);
}
