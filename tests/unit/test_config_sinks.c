/* What sinks say of tags, of the past and of events, and what the environment says in their place. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "tests/unit/loading.h"

static const char *const variables[] = { "DD_DOGSTATSD_URL", "DD_AGENT_HOST", "DD_DOGSTATSD_PORT", "DD_ENV",
        "DD_SERVICE", "DD_VERSION", "DD_TAGS", "DATADOG_TAGS", "DD_ENTITY_ID", "DD_ORIGIN_DETECTION_ENABLED",
        "DD_DOGSTATSD_SOCKET" };

static int set_up(void **state)
{
        for (size_t i = 0; i < LENGTH(variables); i++)
                unsetenv(variables[i]);
        return loading_set_up(state);
}

static int forget_environment(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(variables); i++)
                unsetenv(variables[i]);
        return 0;
}

static void assert_tag(const struct ob_sink_settings *s, unsigned i, const char *key, const char *value)
{
        assert_true(i < s->n_tags);
        assert_string_equal(s->tags[i].key, key);
        if (value)
                assert_string_equal(s->tags[i].value, value);
        else
                assert_null(s->tags[i].value);
}

static void tags_and_times_are_taken(void **state)
{
        static const struct parts parts = {
                .sinks =
                        "{ type = \"statsd\"; flavor = \"dogstatsd\"; tags = ( \"team:a:b\", \"flag\" ); backlog = 7; "
                        "container = \"c0\"; }, { type = \"statsd\"; name = \"b\"; flavor = \"dogstatsd\"; }"
        };
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &parts);

        assert_int_equal(c->sinks[0].n_tags, 2);
        assert_tag(&c->sinks[0], 0, "team", "a:b");
        assert_tag(&c->sinks[0], 1, "flag", NULL);
        assert_int_equal(c->sinks[0].backlog, 7);
        assert_string_equal(c->sinks[0].container, "c0");
        assert_int_equal(c->sinks[1].n_tags, 0);
        assert_int_equal(c->sinks[1].backlog, 120);
        assert_string_equal(c->sinks[1].container, "auto");
}

static void a_socket_of_dogstatsd_takes_an_agents_buffer(void **state)
{
        static const struct parts parts = {
                .sinks =
                        "{ type = \"statsd\"; name = \"a\"; flavor = \"dogstatsd\"; socket = \"/s\"; }, "
                        "{ type = \"statsd\"; name = \"b\"; flavor = \"dogstatsd\"; socket = \"/s\"; payload = 512; }, "
                        "{ type = \"statsd\"; name = \"c\"; socket = \"/s\"; }"
        };
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &parts);

        assert_int_equal(c->sinks[0].payload, OB_PAYLOAD_MAX);
        assert_int_equal(c->sinks[1].payload, 512);
        assert_int_equal(c->sinks[2].payload, 1432);
}

static void events_have_a_sink_of_their_own(void **state)
{
        static const struct parts parts = { .sinks = "{ type = \"graphite\"; name = \"g\"; events = \"http://w\"; "
                                                     "tags = ( \"a:b\" ); }, { type = \"graphite\"; }" };
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &parts);

        assert_int_equal(c->n_sinks, 3);
        assert_int_equal(c->sinks[0].type, OB_SINK_GRAPHITE);
        assert_int_equal(c->sinks[1].type, OB_SINK_EVENTS);
        assert_string_equal(c->sinks[1].name, "g.events");
        assert_string_equal(c->sinks[1].url, "http://w");
        assert_tag(&c->sinks[1], 0, "a", "b");
        assert_string_equal(c->sinks[2].name, "graphite");
}

#define DOG(setting)                                                                                               \
        {                                                                                                          \
                .sinks = "{ type = \"statsd\"; flavor = \"dogstatsd\"; " setting " }"                              \
        }

/* The environment is laid under what the config says. */
static const struct {
        struct parts parts;
        const char *variable, *value;
        const char *host, *socket;
        int port;
} addresses[] = {
        { DOG(""), "DD_AGENT_HOST", "h", "h", "", 8125 },
        { DOG("host = \"mine\";"), "DD_AGENT_HOST", "h", "mine", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_PORT", "99", "127.0.0.1", "", 99 },
        { DOG("port = 7;"), "DD_DOGSTATSD_PORT", "99", "127.0.0.1", "", 7 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h:99", "h", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h", "h", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "UDP://h", "h", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://[::1]:99", "::1", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://[::1]", "::1", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "unix:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "unixgram:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "unixstream:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h:99/", "h", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h/", "h", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://[::1]:99/", "::1", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://[::1]/", "::1", "", 8125 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h:99/path?query#fragment", "h", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "udp://h:99?query", "h", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "UDP://h:99", "h", "", 99 },
        { DOG(""), "DD_DOGSTATSD_URL", "UNIX:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG(""), "DD_AGENT_HOST", "h:99", "h", "", 99 },
        { DOG(""), "DD_AGENT_HOST", "::1", "::1", "", 8125 },
        { DOG(""), "DD_AGENT_HOST", "[::1]:99", "::1", "", 99 },
        { DOG(""), "DD_AGENT_HOST", "[::1]", "::1", "", 8125 },
        { DOG(""), "DD_AGENT_HOST", "unix:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG(""), "DD_AGENT_HOST", "unixstream:///run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG("port = 7;"), "DD_AGENT_HOST", "h:99", "h", "", 7 },
        { DOG(""), "DD_DOGSTATSD_SOCKET", "/run/dsd", "127.0.0.1", "/run/dsd", 8125 },
        { DOG("host = \"h\";"), "DD_DOGSTATSD_SOCKET", "/run/dsd", "h", "", 8125 },
        { DOG("port = 7;"), "DD_DOGSTATSD_URL", "udp://h:99", "127.0.0.1", "", 7 },
        { DOG("socket = \"/s\";"), "DD_AGENT_HOST", "h", "127.0.0.1", "/s", 8125 },
        { { .sinks = "{ type = \"statsd\"; }" }, "DD_AGENT_HOST", "h", "127.0.0.1", "", 8125 },
};

static void addresses_of_the_environment(void **state)
{
        for (size_t i = 0; i < LENGTH(addresses); i++) {
                ob_cleanup(loading_free) struct ob_config *c = NULL;

                setenv(addresses[i].variable, addresses[i].value, 1);
                c = loading_must(*state, &addresses[i].parts);
                if (strcmp(c->sinks[0].host, addresses[i].host) != 0 ||
                        strcmp(c->sinks[0].socket, addresses[i].socket) != 0 ||
                        c->sinks[0].port != addresses[i].port)
                        fail_msg("%s=%s: %s, %s, %d", addresses[i].variable, addresses[i].value, c->sinks[0].host,
                                c->sinks[0].socket, c->sinks[0].port);
                unsetenv(addresses[i].variable);
        }
}

/* Which of two variables stands. */
static const struct {
        const char *variables[2], *values[2];
        const char *host, *socket;
        int port;
} ranks[] = {
        { { "DD_DOGSTATSD_URL", "DD_AGENT_HOST" }, { "udp://a:1/", "b" }, "a", "", 1 },
        { { "DD_DOGSTATSD_URL", "DD_DOGSTATSD_PORT" }, { "udp://a", "2" }, "a", "", 8125 },
        { { "DD_DOGSTATSD_URL", "DD_DOGSTATSD_SOCKET" }, { "udp://a:1", "/b" }, "a", "", 1 },
        { { "DD_AGENT_HOST", "DD_DOGSTATSD_PORT" }, { "a", "2" }, "a", "", 2 },
        { { "DD_AGENT_HOST", "DD_DOGSTATSD_PORT" }, { "::1", "2" }, "::1", "", 2 },
        { { "DD_AGENT_HOST", "DD_DOGSTATSD_PORT" }, { "a:1", "2" }, "a", "", 1 },
        { { "DD_AGENT_HOST", "DD_DOGSTATSD_PORT" }, { "unix:///a", "2" }, "127.0.0.1", "/a", 2 },
        { { "DD_AGENT_HOST", "DD_DOGSTATSD_SOCKET" }, { "a", "/b" }, "a", "", 8125 },
        { { "DD_DOGSTATSD_PORT", "DD_DOGSTATSD_SOCKET" }, { "2", "/b" }, "127.0.0.1", "", 2 },
};

static void the_first_of_two_variables_stands(void **state)
{
        static const struct parts parts = DOG("");

        for (size_t i = 0; i < LENGTH(ranks); i++) {
                ob_cleanup(loading_free) struct ob_config *c = NULL;

                for (size_t k = 0; k < 2; k++)
                        setenv(ranks[i].variables[k], ranks[i].values[k], 1);
                c = loading_must(*state, &parts);
                if (strcmp(c->sinks[0].host, ranks[i].host) != 0 ||
                        strcmp(c->sinks[0].socket, ranks[i].socket) != 0 || c->sinks[0].port != ranks[i].port)
                        fail_msg("%s=%s %s=%s: %s, %s, %d", ranks[i].variables[0], ranks[i].values[0],
                                ranks[i].variables[1], ranks[i].values[1], c->sinks[0].host, c->sinks[0].socket,
                                c->sinks[0].port);
                for (size_t k = 0; k < 2; k++)
                        unsetenv(ranks[i].variables[k]);
        }
}

static void words_of_the_environment(void **state)
{
        static const struct parts parts = DOG("");
        static const struct {
                const char *value, *container;
        } switches[] = { { "false", "" }, { "False", "" }, { "F", "" }, { "0", "" }, { "no", "" }, { "n", "" },
                { "OFF", "" }, { "true", "auto" }, { "1", "auto" }, { "", "auto" }, { "nonsense", "auto" } };

        for (size_t i = 0; i < LENGTH(switches); i++) {
                ob_cleanup(loading_free) struct ob_config *c = NULL;

                setenv("DD_ORIGIN_DETECTION_ENABLED", switches[i].value, 1);
                setenv("DATADOG_TAGS", "team:b,zone:a", 1);
                setenv("DD_TAGS", "team:a", 1);
                c = loading_must(*state, &parts);
                assert_string_equal(c->sinks[0].container, switches[i].container);
                assert_int_equal(c->sinks[0].n_tags, 2);
                assert_tag(&c->sinks[0], 0, "team", "a");
                assert_tag(&c->sinks[0], 1, "zone", "a");
        }
}

static void tags_of_the_environment_stand_behind_the_configs(void **state)
{
        static const struct parts parts = DOG("tags = ( \"env:mine\" );");
        ob_cleanup(loading_free) struct ob_config *c = NULL;

        setenv("DD_ENV", "prod", 1);
        setenv("DD_SERVICE", "shop", 1);
        setenv("DD_TAGS", "service:other, zone:a flag", 1);
        setenv("DD_ENTITY_ID", "uid", 1);
        setenv("DD_ORIGIN_DETECTION_ENABLED", "false", 1);
        c = loading_must(*state, &parts);
        assert_int_equal(c->sinks[0].n_tags, 5);
        assert_tag(&c->sinks[0], 0, "env", "mine");
        assert_tag(&c->sinks[0], 1, "service", "shop");
        assert_tag(&c->sinks[0], 2, "dd.internal.entity_id", "uid");
        assert_tag(&c->sinks[0], 3, "zone", "a");
        assert_tag(&c->sinks[0], 4, "flag", NULL);
        assert_string_equal(c->sinks[0].container, "");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(tags_and_times_are_taken),
                cmocka_unit_test(a_socket_of_dogstatsd_takes_an_agents_buffer),
                cmocka_unit_test(events_have_a_sink_of_their_own),
                cmocka_unit_test_teardown(addresses_of_the_environment, forget_environment),
                cmocka_unit_test_teardown(the_first_of_two_variables_stands, forget_environment),
                cmocka_unit_test_teardown(words_of_the_environment, forget_environment),
                cmocka_unit_test_teardown(tags_of_the_environment_stand_behind_the_configs, forget_environment),
        };

        return cmocka_run_group_tests(tests, set_up, loading_tear_down);
}
