/* What a config says, and what stands where it says nothing. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/loading.h"

static void what_is_left_out_has_its_default(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &(struct parts) { .top = "" });
        ob_cleanup(ob_free_at) char *state_dir = ob_format("%s/state", (char *)*state);

        assert_string_equal(c->prefix, "otter");
        assert_string_equal(c->state_dir, state_dir);
        assert_string_equal(c->log_file, "");
        assert_int_equal(c->log_level, OB_LOG_INFO);
        assert_int_equal(c->drain, 10);
        assert_int_equal(c->queue_max_bytes, 67108864);
        assert_string_equal(c->status.listen, "");
        assert_string_equal(c->status.user, "");
        assert_string_equal(c->status.password, "");
        assert_string_equal(c->status.password_file, "");
        assert_int_equal(c->status.patience, 60);
        assert_int_equal(c->health.lag, 60);
        assert_int_equal(c->health.idle, 180);
        assert_int_equal(c->health.stall, 300);
        assert_int_equal(c->health.skew, 60);
        assert_int_equal(c->health.hold, 30);
        assert_true(c->health.heartbeat);
        assert_true(c->names.enabled);
        assert_int_equal(c->names.every, 300);
}

static void what_is_left_out_of_a_manager_has_its_default(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &(struct parts) { .top = "" });
        const struct ob_manager *m = &c->managers[0];

        assert_int_equal(c->n_managers, 1);
        assert_string_equal(m->name, "");
        assert_string_equal(m->mysql.host, "127.0.0.1");
        assert_int_equal(m->mysql.port, 3306);
        assert_string_equal(m->mysql.socket, "");
        assert_string_equal(m->mysql.user, "otterbeat");
        assert_string_equal(m->mysql.password, "");
        assert_string_equal(m->mysql.database, "otter");
        assert_int_equal(m->mysql.connect_timeout, 5);
        assert_int_equal(m->mysql.query_timeout, 10);
        assert_int_equal(m->mysql.tls, OB_TLS_OFF);
        assert_string_equal(m->mysql.ca, "");
        assert_string_equal(m->mysql.cert, "");
        assert_string_equal(m->mysql.key, "");
        assert_string_equal(m->mysql.password_file, "");
        assert_string_equal(m->page.url, "http://127.0.0.1:8080");
        assert_string_equal(m->page.user, "");
        assert_string_equal(m->page.password, "");
        assert_string_equal(m->page.zone, "Asia/Shanghai");
        assert_int_equal(m->page.timeout, 5);
        assert_int_equal(m->page.budget, 20);
        assert_string_equal(m->page.proxy, "");
        assert_string_equal(m->page.ca, "");
        assert_string_equal(m->page.cert, "");
        assert_string_equal(m->page.key, "");
        assert_string_equal(m->page.password_file, "");
        assert_int_equal(m->page.n_words, 0);
}

static void what_is_left_out_of_a_sink_has_its_default(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(
                *state, &(struct parts) { .sinks = "{ type = \"statsd\"; }, { type = \"graphite\"; }" });

        assert_int_equal(c->n_sinks, 2);
        assert_int_equal(c->sinks[0].type, OB_SINK_STATSD);
        assert_string_equal(c->sinks[0].name, "statsd");
        assert_string_equal(c->sinks[0].host, "127.0.0.1");
        assert_int_equal(c->sinks[0].port, 8125);
        assert_int_equal(c->sinks[0].flavor, OB_FLAVOR_PLAIN);
        assert_string_equal(c->sinks[0].socket, "");
        assert_int_equal(c->sinks[0].payload, 1432);
        assert_int_equal(c->sinks[0].counters, OB_COUNTERS_COUNTER);
        assert_int_equal(c->sinks[0].after_crash, OB_AFTER_CRASH_LOSE);
        assert_int_equal(c->sinks[1].type, OB_SINK_GRAPHITE);
        assert_string_equal(c->sinks[1].name, "graphite");
        assert_string_equal(c->sinks[1].host, "127.0.0.1");
        assert_int_equal(c->sinks[1].port, 2003);
        assert_int_equal(c->sinks[1].step, 60);
        assert_false(c->sinks[1].tagged);
        assert_int_equal(c->sinks[1].horizon, 300);
        assert_int_equal(c->sinks[1].max_age, 0);
        assert_int_equal(c->sinks[1].creates, 50);
        assert_int_equal(c->sinks[0].backlog, 120);
        assert_string_equal(c->sinks[0].container, "auto");
        for (size_t i = 0; i < c->n_sinks; i++) {
                assert_int_equal(c->sinks[i].path, OB_PATH_IDS);
                assert_int_equal(c->sinks[i].n_tags, 0);
                assert_string_equal(c->sinks[i].socket, "");
                assert_string_equal(c->sinks[i].events, "");
        }
}

static const struct {
        const char *name, *worker;
        int every, overlap, settle, batch;
        enum ob_start_kind start;
} source_defaults[] = {
        { "delay", "delay", 15, 600, 2, 1000, OB_START_NOW },
        { "delay_age", "delay", 15, 600, 2, 1000, OB_START_NOW },
        { "throughput", "throughput", 15, 600, 2, 1000, OB_START_NOW },
        { "throughput_age", "throughput", 15, 600, 2, 1000, OB_START_NOW },
        { "history", "history", 15, 600, 2, 1000, OB_START_NOW },
        { "table", "table", 30, 600, 2, 1000, OB_START_NOW },
        { "log", "log", 15, 600, 2, 1000, OB_START_NOW },
        { "page_zone", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "page_channels", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "page_pipelines", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "page_nodes", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "page_progress", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "page_stages", "page", 30, 0, 0, 1000, OB_START_NOW },
        { "state", "state", 15, 0, 0, 0, OB_START_NOW },
        { "agent", "agent", 15, 0, 0, 0, OB_START_NOW },
};

static void every_built_in_source_is_read_by_default(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &(struct parts) { .top = "" });
        struct ob_err err;

        assert_int_equal(c->n_sources, LENGTH(source_defaults));
        for (size_t i = 0; i < LENGTH(source_defaults); i++) {
                const struct ob_source *s = loading_source(c, source_defaults[i].name);

                assert_string_equal(s->worker, source_defaults[i].worker);
                assert_true(s->enabled);
                assert_int_equal(s->every, source_defaults[i].every);
                assert_int_equal(s->overlap, source_defaults[i].overlap);
                assert_int_equal(s->settle, source_defaults[i].settle);
                assert_int_equal(s->batch, source_defaults[i].batch);
                assert_int_equal(s->start.kind, source_defaults[i].start);
                if (s->n_columns && ob_source_check(s, &err))
                        fail_msg("%s", err.text);
        }
}

/* Every setting there is, each with a value that is not its default. */
static const struct parts all_set = {
        .top = "prefix = \"a.b-c_D9\"; state_dir = \"/var/lib/x\"; log_file = \"/x.log\"; drain = 0; log_level = \"warn\"; "
               "queue = { max_bytes = 65536L; }; names = { enabled = false; every = 7; }; "
               "status = { listen = \"[::]:99\"; user = \"su\"; password = \"sp\"; patience = 5; };",
        .managers =
                "{ name = \"shop\"; "
                "mysql = { host = \"h\"; port = 65535; socket = \"/s\"; user = \"u\"; password = \"p\"; "
                "database = \"d\"; connect_timeout = 1; query_timeout = 3600; tls = \"verify\"; ca = \"/ca\"; }; "
                "page = { url = \"http://p\"; user = \"pu\"; password = \"pp\"; zone = \"UTC\"; timeout = 7; "
                "proxy = \"http://x:1\"; ca = \"/ca\"; cert = \"/cert\"; key = \"/key\"; budget = 9; "
                "words = ( ( \"a\", \"b\" ) ); }; }, "
                "{ name = \"bank\"; }",
        .sources =
                "delay = { enabled = false; every = 1; overlap = 0; settle = 0; batch = 1; start = \"oldest\"; };",
        .sinks = "{ type = \"statsd\"; name = \"one\"; host = \"s\"; port = 1; flavor = \"dogstatsd\"; "
                 "socket = \"/d\"; payload = 8192; after_crash = \"repeat\"; counters = \"both\"; }, "
                 "{ type = \"graphite\"; name = \"two\"; host = \"g\"; port = 2; step = 10; tagged = true; "
                 "horizon = 0; max_age = 10000000000L; }, "
                 "{ type = \"graphite\"; path = \"names\"; }",
};

static void what_is_set_of_the_agent_is_taken(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &all_set);

        assert_string_equal(c->prefix, "a.b-c_D9");
        assert_string_equal(c->state_dir, "/var/lib/x");
        assert_string_equal(c->log_file, "/x.log");
        assert_int_equal(c->log_level, OB_LOG_WARN);
        assert_int_equal(c->drain, 0);
        assert_int_equal(c->queue_max_bytes, 65536);
        assert_string_equal(c->status.listen, "[::]:99");
        assert_string_equal(c->status.user, "su");
        assert_string_equal(c->status.password, "sp");
        assert_int_equal(c->status.patience, 5);
}

static void addresses_of_the_status_page(void **state)
{
        static const struct {
                const char *listen;
                int family;
                bool is_local;
        } cases[] = {
                { "127.0.0.1:8126", AF_INET, true },
                { "127.255.0.9:1", AF_INET, true },
                { "128.0.0.1:65535", AF_INET, false },
                { "[::1]:8126", AF_INET6, true },
                { "[fe80::1]:8126", AF_INET6, false },
                { "unix:/run/otterbeat/status.sock", AF_UNIX, true },
        };

        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_cleanup(ob_free_at) char *top = ob_format(
                        "status = { listen = \"%s\"; user = \"u\"; password = \"p\"; };", cases[i].listen);
                ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &(struct parts) { .top = top });

                assert_int_equal(c->status.address.at.ss_family, cases[i].family);
                assert_int_equal(c->status.address.is_local, cases[i].is_local);
        }
}

static void a_socket_s_path_begins_at_the_config(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c =
                loading_must(*state, &(struct parts) { .top = "status = { listen = \"unix:s.sock\"; };" });
        ob_cleanup(ob_free_at) char *want = ob_format("%s/s.sock", (char *)*state);

        assert_string_equal(((struct sockaddr_un *)&c->status.address.at)->sun_path, want);
}

static void what_is_set_of_a_manager_is_taken(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &all_set);
        const struct ob_manager *m = &c->managers[0];

        assert_int_equal(c->n_managers, 2);
        assert_string_equal(m->name, "shop");
        assert_string_equal(m->mysql.host, "h");
        assert_int_equal(m->mysql.port, 65535);
        assert_string_equal(m->mysql.socket, "/s");
        assert_string_equal(m->mysql.user, "u");
        assert_string_equal(m->mysql.password, "p");
        assert_string_equal(m->mysql.database, "d");
        assert_int_equal(m->mysql.connect_timeout, 1);
        assert_int_equal(m->mysql.query_timeout, 3600);
        assert_int_equal(m->mysql.tls, OB_TLS_VERIFY);
        assert_string_equal(m->mysql.ca, "/ca");
        assert_string_equal(m->page.url, "http://p");
        assert_string_equal(m->page.user, "pu");
        assert_string_equal(m->page.password, "pp");
        assert_string_equal(m->page.zone, "UTC");
        assert_int_equal(m->page.timeout, 7);
        assert_int_equal(m->page.budget, 9);
        assert_string_equal(m->page.proxy, "http://x:1");
        assert_string_equal(m->page.ca, "/ca");
        assert_string_equal(m->page.cert, "/cert");
        assert_string_equal(m->page.key, "/key");
        assert_int_equal(m->page.n_words, 1);
        assert_string_equal(m->page.words[0].ours, "a");
        assert_string_equal(m->page.words[0].theirs, "b");
        assert_string_equal(c->managers[1].name, "bank");
        assert_string_equal(c->managers[1].mysql.host, "127.0.0.1");
}

static void a_source_and_its_age_are_set_together(void **state)
{
        static const char *const names[] = { "delay", "delay_age" };
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &all_set);

        for (size_t i = 0; i < LENGTH(names); i++) {
                const struct ob_source *s = loading_source(c, names[i]);

                assert_false(s->enabled);
                assert_int_equal(s->every, 1);
                assert_int_equal(s->overlap, 0);
                assert_int_equal(s->settle, 0);
                assert_int_equal(s->batch, 1);
                assert_int_equal(s->start.kind, OB_START_OLDEST);
        }
        assert_true(loading_source(c, "throughput")->enabled);
}

static void what_is_set_of_a_sink_is_taken(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &all_set);
        const struct ob_sink_settings *one = &c->sinks[0], *two = &c->sinks[1];

        assert_int_equal(c->n_sinks, 3);
        assert_string_equal(one->name, "one");
        assert_string_equal(one->host, "s");
        assert_int_equal(one->port, 1);
        assert_int_equal(one->flavor, OB_FLAVOR_DOGSTATSD);
        assert_string_equal(one->socket, "/d");
        assert_int_equal(one->payload, 8192);
        assert_int_equal(one->counters, OB_COUNTERS_BOTH);
        assert_int_equal(one->after_crash, OB_AFTER_CRASH_REPEAT);
        assert_string_equal(two->name, "two");
        assert_string_equal(two->host, "g");
        assert_int_equal(two->port, 2);
        assert_int_equal(two->step, 10);
        assert_true(two->tagged);
        assert_int_equal(two->horizon, 0);
        assert_int_equal(two->max_age, INT64_C(10000000000));
        assert_int_equal(c->sinks[2].path, OB_PATH_NAMES);
        assert_false(c->names.enabled);
        assert_int_equal(c->names.every, 7);
}

static const struct {
        const char *text;
        enum ob_start_kind kind;
        int64_t seconds;
} starts[] = {
        { "now", OB_START_NOW, 0 },
        { "oldest", OB_START_OLDEST, 0 },
        { "-0s", OB_START_AGO, 0 },
        { "-90s", OB_START_AGO, 90 },
        { "-5m", OB_START_AGO, 300 },
        { "-2h", OB_START_AGO, 7200 },
        { "-7d", OB_START_AGO, 604800 },
        { "1970-01-01 00:00:00", OB_START_AT, 0 },
        { "2020-04-20 00:00:00", OB_START_AT, 1587340800 },
        { "2020-04-20 12:34:56", OB_START_AT, 1587386096 },
};

/* A date is in UTC, wherever we are. */
static void a_start_is_a_word_a_date_or_a_way_back(void **state)
{
        setenv("TZ", "Asia/Shanghai", 1);
        for (size_t i = 0; i < LENGTH(starts); i++) {
                ob_cleanup(ob_free_at) char *sources = ob_format("log = { start = \"%s\"; };", starts[i].text);
                ob_cleanup(loading_free) struct ob_config *c =
                        loading_must(*state, &(struct parts) { .sources = sources });
                const struct ob_start *s = &loading_source(c, "log")->start;

                if (s->kind != starts[i].kind || s->seconds != starts[i].seconds)
                        fail_msg("\"%s\": kind %d, %lld seconds", starts[i].text, s->kind, (long long)s->seconds);
        }
        unsetenv("TZ");
}

static const struct {
        const char *name, *content, *want;
} secrets[] = {
        { "with a newline", "secret\n", "secret" },
        { "without one", "secret", "secret" },
        { "with blanks", " se cret \n", " se cret " },
        { "written on Windows", "secret\r\n", "secret" },
        { "and a line behind it", "secret\nnote\n", "secret" },
        { "what looks like a variable", "${OB_TEST_NOT_SET}\n", "${OB_TEST_NOT_SET}" },
        { "quotes and backslashes", "\"\\'\n", "\"\\'" },
};

static void a_password_is_the_first_line_of_its_file(void **state)
{
        static const struct parts with_secret = {
                .managers = "{ mysql = { password = \"${OB_TEST_EMPTY}\"; password_file = \"secret\"; }; "
                            "page = { user = \"a\"; password_file = \"secret\"; password = \"\"; }; }"
        };

        for (size_t i = 0; i < LENGTH(secrets); i++) {
                ob_cleanup(loading_free) struct ob_config *c = NULL;
                const struct ob_manager *m;

                free(folder_write(*state, "secret", secrets[i].content, strlen(secrets[i].content)));
                c = loading_must(*state, &with_secret);
                m = &c->managers[0];
                if (strcmp(m->mysql.password, secrets[i].want) != 0)
                        fail_msg("%s: \"%s\"", secrets[i].name, m->mysql.password);
                assert_string_equal(m->page.password, secrets[i].want);
        }
}

static void relative_paths_begin_at_the_file(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state,
                &(struct parts) {
                        .top = "state_dir = \"./s\"; log_file = \"../l\";",
                        .managers =
                                "{ mysql = { tls = \"required\"; socket = \"my.sock\"; ca = \"${OB_TEST_SET}.pem\"; }; }",
                        .sinks = "{ type = \"statsd\"; socket = \"dog.sock\"; }",
                });
        const struct {
                const char *got, *want;
        } paths[] = {
                { c->state_dir, "s" },
                { c->log_file, "../l" },
                { c->managers[0].mysql.socket, "my.sock" },
                { c->managers[0].mysql.ca, "value.pem" },
                { c->sinks[0].socket, "dog.sock" },
        };

        for (size_t i = 0; i < LENGTH(paths); i++) {
                ob_cleanup(ob_free_at) char *want = ob_format("%s/%s", (char *)*state, paths[i].want);

                assert_string_equal(paths[i].got, want);
        }
}

static void the_state_may_be_in_a_database(void **state)
{
        static const char top[] =
                "state = { mysql = { hosts = ( \"db1\", \"db2\" ); user = \"u\"; }; lease = 20; };";
        ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &(struct parts) { .top = top });

        assert_string_equal(c->state_dir, "");
        assert_int_equal(c->state.n_hosts, 2);
        assert_string_equal(c->state.hosts[1], "db2");
        assert_string_equal(c->state.mysql.user, "u");
        assert_string_equal(c->state.mysql.database, "otterbeat");
        assert_int_equal(c->state.lease, 20);
        assert_true(*c->state.agent);
        assert_true(c->state.mysql.query_timeout * 100 < c->state.lease * 60);
}

static void no_state_dir_stays_none(void **state)
{
        ob_cleanup(loading_free) struct ob_config *c =
                loading_must(*state, &(struct parts) { .top = "state_dir = \"\";" });

        assert_string_equal(c->state_dir, "");
}

static void freeing_nothing_is_nothing(void **state)
{
        (void)state;
        ob_config_free(NULL);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_left_out_has_its_default),
                cmocka_unit_test(what_is_left_out_of_a_manager_has_its_default),
                cmocka_unit_test(what_is_left_out_of_a_sink_has_its_default),
                cmocka_unit_test(every_built_in_source_is_read_by_default),
                cmocka_unit_test(what_is_set_of_the_agent_is_taken),
                cmocka_unit_test(addresses_of_the_status_page),
                cmocka_unit_test(a_socket_s_path_begins_at_the_config),
                cmocka_unit_test(what_is_set_of_a_manager_is_taken),
                cmocka_unit_test(a_source_and_its_age_are_set_together),
                cmocka_unit_test(what_is_set_of_a_sink_is_taken),
                cmocka_unit_test(a_start_is_a_word_a_date_or_a_way_back),
                cmocka_unit_test(a_password_is_the_first_line_of_its_file),
                cmocka_unit_test(relative_paths_begin_at_the_file),
                cmocka_unit_test(the_state_may_be_in_a_database),
                cmocka_unit_test(no_state_dir_stays_none),
                cmocka_unit_test(freeing_nothing_is_nothing),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
