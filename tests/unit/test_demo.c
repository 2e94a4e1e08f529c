/* The demo config, as --init writes it. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "config/demo.h"
#include "proto/memory.h"
#include "tests/unit/loading.h"

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
                if (*hash != '#' || (!is_setting && !is_open))
                        continue;
                *hash = ' ';
                is_open = (is_open || memmem(hash, (size_t)(next - hash), " = {", 4)) &&
                          !memmem(hash, (size_t)(next - hash), "};", 2);
        }
        return made;
}

static void assert_same_sink(const struct ob_sink_settings *s, const struct ob_sink_settings *t)
{
        assert_int_equal(s->type, t->type);
        assert_string_equal(s->name, t->name);
        assert_string_equal(s->host, t->host);
        assert_int_equal(s->port, t->port);
        assert_int_equal(s->flavor, t->flavor);
        assert_string_equal(s->socket, t->socket);
        assert_int_equal(s->payload, t->payload);
        assert_int_equal(s->counters, t->counters);
        assert_int_equal(s->after_crash, t->after_crash);
        assert_int_equal(s->step, t->step);
        assert_int_equal(s->tagged, t->tagged);
        assert_int_equal(s->horizon, t->horizon);
        assert_int_equal(s->max_age, t->max_age);
        assert_int_equal(s->n_tags, t->n_tags);
        assert_int_equal(s->backlog, t->backlog);
        assert_string_equal(s->events, t->events);
        if (s->type == OB_SINK_STATSD)
                assert_string_equal(s->container, t->container);
}

static void assert_same_config(const struct ob_config *a, const struct ob_config *b)
{
        assert_string_equal(a->prefix, b->prefix);
        assert_string_equal(a->log_file, b->log_file);
        assert_int_equal(a->log_level, b->log_level);
        assert_int_equal(a->drain, b->drain);
        assert_int_equal(a->queue_max_bytes, b->queue_max_bytes);
        assert_int_equal(a->n_managers, b->n_managers);
        for (size_t i = 0; i < a->n_managers; i++) {
                const struct ob_manager *m = &a->managers[i], *n = &b->managers[i];

                assert_string_equal(m->name, n->name);
                assert_string_equal(m->mysql.host, n->mysql.host);
                assert_int_equal(m->mysql.port, n->mysql.port);
                assert_string_equal(m->mysql.socket, n->mysql.socket);
                assert_string_equal(m->mysql.user, n->mysql.user);
                assert_string_equal(m->mysql.password, n->mysql.password);
                assert_string_equal(m->mysql.database, n->mysql.database);
                assert_int_equal(m->mysql.connect_timeout, n->mysql.connect_timeout);
                assert_int_equal(m->mysql.query_timeout, n->mysql.query_timeout);
                assert_int_equal(m->mysql.tls, n->mysql.tls);
                assert_string_equal(m->mysql.ca, n->mysql.ca);
                assert_string_equal(m->page.url, n->page.url);
                assert_string_equal(m->page.user, n->page.user);
                assert_string_equal(m->page.password, n->page.password);
                assert_string_equal(m->page.zone, n->page.zone);
                assert_int_equal(m->page.timeout, n->page.timeout);
                assert_int_equal(m->page.budget, n->page.budget);
                assert_string_equal(m->page.proxy, n->page.proxy);
                assert_string_equal(m->page.ca, n->page.ca);
                assert_string_equal(m->page.cert, n->page.cert);
                assert_string_equal(m->page.key, n->page.key);
                assert_int_equal(m->page.n_words, n->page.n_words);
        }
        for (size_t i = 0; i < ob_n_builtin_sources; i++) {
                const struct ob_source *s = &a->sources[i], *t = &b->sources[i];

                assert_string_equal(s->name, t->name);
                assert_int_equal(s->enabled, t->enabled);
                assert_int_equal(s->every, t->every);
        }
        assert_int_equal(a->n_sinks, b->n_sinks);
        for (size_t i = 0; i < a->n_sinks; i++)
                assert_same_sink(&a->sinks[i], &b->sinks[i]);
}

/* "The values are the defaults, commented out or not." */
static void the_demo_loads_and_shows_the_defaults(void **state)
{
        ob_cleanup(ob_free_at) char *all = uncomment(ob_config_demo);
        ob_cleanup(loading_free) struct ob_config *as_it_is = NULL, *uncommented = NULL, *defaults = NULL;
        struct ob_err err;

        unsetenv("OTTERBEAT_PASSWORD");
        unsetenv("STATE_DIRECTORY");
        as_it_is = loading_try(*state, ob_config_demo, &err);
        if (!as_it_is)
                fail_msg("%s", err.text);
        uncommented = loading_try(*state, all, &err);
        if (!uncommented)
                fail_msg("%s", err.text);
        defaults = loading_must(
                *state, &(struct parts) { .sinks = "{ type = \"statsd\"; }, { type = \"graphite\"; }" });

        assert_same_config(as_it_is, defaults);
        assert_same_config(uncommented, defaults);
        assert_int_equal(as_it_is->n_sources, ob_n_builtin_sources);
        assert_int_equal(uncommented->n_sources, ob_n_builtin_sources + 2);
        assert_string_equal(loading_source(uncommented, "busy")->worker, "page");
        assert_string_equal(loading_source(uncommented, "orders")->table, "ORDERS");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_demo_loads_and_shows_the_defaults),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
