/* What a config must not say, and how that is told. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"
#include "tests/unit/loading.h"

/* The texts as they come out: an error has no double quotes. */
#define MYSQL(setting)  .managers = "{ mysql = { " setting " }; }"
#define PAGE(setting)   .managers = "{ page = { " setting " }; }"
#define STATSD(setting) .sinks = "{ type = \"statsd\"; " setting " }"
#define DOG(setting)    .sinks = "{ type = \"statsd\"; flavor = \"dogstatsd\"; " setting " }"
#define CARBON(setting) .sinks = "{ type = \"graphite\"; " setting " }"

static const struct {
        struct parts parts;
        unsigned line;
        const char *says;
} mistakes[] = {
        /* what is no setting */
        { { .top = "evry = 15;" }, 1, "no such setting: 'evry'" },
        { { .top = "# a comment\n\nevry = 15;" }, 3, "no such setting: 'evry'" },
        { { .top = "queue = { max = 1; };" }, 1, "no such setting: 'max'" },
        { { .managers = "{ nmae = \"a\"; }" }, 2, "no such setting: 'nmae'; did you mean 'name'?" },
        { { MYSQL("pasword = \"a\";") }, 2, "no such setting: 'pasword'; did you mean 'password'?" },
        { { PAGE("uri = \"a\";") }, 2, "no such setting: 'uri'" },
        { { .sources = "delay = { evry = 15; };" }, 3, "no such setting: 'evry'; did you mean 'every'?" },
        { { .sources = "s = { table = \"T\"; columns = ( ); colour = 1; };" }, 3, "no such setting: 'colour'" },
        { { STATSD("step = 60;") }, 4, "no such setting: 'step'" },
        { { CARBON("payload = 1432;") }, 4, "no such setting: 'payload'" },
        { { CARBON("backlog = 1;") }, 4, "no such setting: 'backlog'" },
        { { STATSD("events = \"http://a\";") }, 4, "no such setting: 'events'" },

        /* where the state is */
        { { .top = "state_dir = \"s\"; state = { mysql = { hosts = ( \"a\" ); }; };" }, 1,
                "'state' and 'state_dir' are both set" },
        { { .top = "\nstate = { };" }, 2, "'state' needs 'mysql'" },
        { { .top = "state = { mysql = { }; };" }, 1, "'hosts' is missing or empty" },
        { { .top = "state = { mysql = { hosts = ( ); }; };" }, 1, "'hosts' is missing or empty" },
        { { .top = "state = { mysql = { hosts = \"a\"; }; };" }, 1, "'hosts' is missing or empty" },
        { { .top = "state = { mysql = { hosts = ( \"\" ); }; };" }, 1, "a host must not be empty" },
        { { .top = "state = { mysql = { hosts = ( 1 ); }; };" }, 1, "must be a text in quotes" },
        { { .top = "state = { mysql = { host = \"a\"; }; };" }, 1,
                "no such setting: 'host'; did you mean 'hosts'?" },
        { { .top = "state = { mysql = { hosts = ( \"a\" ); ca = \"x\"; }; };" }, 1, "need tls" },
        { { .top = "state = { mysql = { hosts = ( \"a\" ); }; lease = 2; };" }, 1, "'lease' must be from 3" },
        { { .top = "state = { mysql = { hosts = ( \"a\" ); }; agent = \"a b\"; };" }, 1,
                "'agent' may contain only" },

        /* tags of everything, and where events go */
        { { STATSD("tags = ( \"a:b\" );") }, 4, "this sink sends no tags" },
        { { CARBON("tags = ( \"a:b\" );") }, 4, "this sink sends no tags" },
        { { DOG("tags = \"a:b\";") }, 4, "'tags' must be a list" },
        { { DOG("tags = ( 1 );") }, 4, "must be a text in quotes" },
        { { DOG("tags = ( \"\" );") }, 4, "'' is not a tag" },
        { { DOG("tags = ( \"1a:b\" );") }, 4, "'1a:b' is not a tag" },
        { { DOG("tags = ( \"a:\" );") }, 4, "'a:' is not a tag" },
        { { DOG("tags = ( \"a:b,c\" );") }, 4, "'a:b,c' is not a tag" },
        { { DOG("tags = ( \"a:b|c\" );") }, 4, "is not a tag" },
        { { DOG("tags = ( \"a:b\", \"a:c\" );") }, 4, "two tags have the key of 'a:c'" },
        { { CARBON("tagged = true; tags = ( \"a\" );") }, 4, "tag 'a' has no value" },
        { { DOG("container = \"a|b\";") }, 4, "'container' must be an id" },
        { { DOG("backlog = -1;") }, 4, "'backlog' must be from 0" },
        { { CARBON("receiver = \"vm\";") }, 4, "'receiver' must be 'overwrite' or 'append', not 'vm'" },
        { { CARBON("hold = 5;") }, 4, "'hold' has no effect without receiver = 'append'" },
        { { CARBON("after_crash = \"lose\"; receiver = \"overwrite\";") }, 4, "'after_crash' has no effect" },
        { { CARBON("receiver = \"append\"; hold = 0;") }, 4, "'hold' must be from 1" },
        { { CARBON("events = \"graphite:8080\";") }, 4, "'events' must be the address of graphite-web" },
        { { .sinks = "{ type = \"graphite\"; events = \"http://a\"; }, "
                     "{ type = \"statsd\"; name = \"graphite.events\"; }" },
                4, "two sinks are called 'graphite.events'" },
        { { .sources = "log = { limit = 0; };" }, 3, "'limit' must be from 1" },
        { { .sources = "log = { merge = -1; };" }, 3, "'merge' must be from 0" },
        { { .sources = "s = { table = \"T\"; columns = ( ( \"key\", \"K\" ), ( \"age\", \"A\" ), "
                       "( \"event\", \"E\" ) ); };" },
                3, "cannot have a column of role 'event'" },

        { { .top = "status = { port = 8126; };" }, 1, "no such setting: 'port'" },

        /* where the status page is served */
        { { .top = "status = \"127.0.0.1:8126\";" }, 1, "'status' must be a group" },
        { { .top = "status = { listen = \"8126\"; };" }, 1, "'listen' must be like '127.0.0.1:8126'" },
        { { .top = "status = { listen = \"localhost:8126\"; };" }, 1, "'listen' must be like '127.0.0.1:8126'" },
        { { .top = "status = { listen = \"127.0.0.1:0\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"127.0.0.1:65536\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"127.0.0.1:\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"::1:8126\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"[::1:8126\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \":8126\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"]:8126\"; };" }, 1, "'listen' must be" },
        { { .top = "status = { listen = \"unix:\"; };" }, 1,
                "'listen': the path of a unix socket must have 1 to 107" },
        { { .top = "status = { listen = \"0.0.0.0:8126\"; };" }, 1,
                "other machines can reach '0.0.0.0:8126', so 'user' and 'password' must be set" },
        { { .top = "status = { listen = \"192.0.2.1:8126\"; };" }, 1, "other machines can reach '192.0.2.1:8126'" },
        { { .top = "status = { listen = \"[::]:8126\"; };" }, 1, "other machines can reach '[::]:8126'" },
        { { .top = "status = { user = \"a\"; };" }, 1, "'user' and 'password' must be set together" },
        { { .top = "status = { password = \"a\"; };" }, 1, "'user' and 'password' must be set together" },
        { { .top = "status = { user = \"a:b\"; password = \"c\"; };" }, 1, "'user' cannot contain a colon" },
        { { .top = "status = { patience = 0; };" }, 1, "'patience' must be from 1 to 86400, not 0" },

        /* the wrong type */
        { { .top = "prefix = 5;" }, 1, "'prefix' must be a text in quotes" },
        { { .top = "drain = \"10\";" }, 1, "'drain' must be a whole number" },
        { { .top = "drain = 1.5;" }, 1, "'drain' must be a whole number" },
        { { .top = "drain = true;" }, 1, "'drain' must be a whole number" },
        { { .top = "queue = 65536;" }, 1, "'queue' must be a group" },
        { { .managers = "5" }, 2, "a manager must be a group" },
        { { .managers = "{ mysql = \"localhost\"; }" }, 2, "'mysql' must be a group" },
        { { MYSQL("port = \"3306\";") }, 2, "'port' must be a whole number" },
        { { MYSQL("host = 127;") }, 2, "'host' must be a text in quotes" },
        { { .sources = "delay = 15;" }, 3, "'delay' must be a group" },
        { { .sources = "delay = { enabled = 1; };" }, 3, "'enabled' must be true or false" },
        { { .sinks = "\"statsd\"" }, 4, "a sink must be a group" },
        { { .sinks = "{ type = 1; }" }, 4, "'type' must be a text in quotes" },
        { { CARBON("tagged = \"yes\";") }, 4, "'tagged' must be true or false" },

        { { .top = "names = 5;" }, 1, "'names' must be a group" },
        { { CARBON("path = \"name\";") }, 4, "'path' must be 'ids' or 'names', not 'name'" },
        { { CARBON("tagged = true; path = \"names\";") }, 4,
                "'path' applies to dotted names only, and this sink sends tags" },
        { { STATSD("path = \"names\"; flavor = \"dogstatsd\";") }, 4, "'path' applies to dotted names" },

        /* out of range */
        { { .top = "names = { every = 0; };" }, 1, "'every' must be from 1 to 86400, not 0" },
        { { .top = "drain = -1;" }, 1, "'drain' must be from 0 to 60, not -1" },
        { { .top = "drain = 61;" }, 1, "'drain' must be from 0 to 60, not 61" },
        { { .top = "queue = { max_bytes = 65535L; };" }, 1, "'max_bytes' must be from 65536" },
        { { MYSQL("port = 0;") }, 2, "'port' must be from 1 to 65535, not 0" },
        { { MYSQL("port = 65536;") }, 2, "'port' must be from 1 to 65535, not 65536" },
        { { MYSQL("port = 4294970602L;") }, 2, "not 4294970602" },
        { { MYSQL("query_timeout = 0;") }, 2, "'query_timeout' must be from 1" },
        { { PAGE("timeout = 0;") }, 2, "'timeout' must be from 1" },
        { { .sources = "delay = { every = 0; };" }, 3, "'every' must be from 1 to 86400, not 0" },
        { { .sources = "delay = { overlap = -1; };" }, 3, "'overlap' must be from 0" },
        { { .sources = "delay = { settle = 3601; };" }, 3, "'settle' must be from 0 to 3600" },
        { { .sources = "delay = { batch = 0; };" }, 3, "'batch' must be from 1" },
        { { STATSD("payload = 63;") }, 4, "'payload' must be from 64" },
        { { CARBON("step = 0;") }, 4, "'step' must be from 1 to 86400, not 0" },
        { { CARBON("horizon = -1;") }, 4, "'horizon' must be from 0" },
        { { CARBON("max_age = -1;") }, 4, "'max_age' must be from 0" },

        /* none of the choices */
        { { MYSQL("tls = \"on\";") }, 2, "'tls' must be 'off' or 'required' or 'verify', not 'on'" },
        { { STATSD("flavor = \"dog\";") }, 4, "'flavor' must be 'plain' or 'dogstatsd', not 'dog'" },
        { { STATSD("counters = \"gauges\";") }, 4,
                "'counters' must be 'counter' or 'gauge' or 'both', not 'gauges'" },
        { { STATSD("counters = true;") }, 4, "'counters'" },
        { { CARBON("counters = \"gauges\";") }, 4, "'counters' must be 'counter' or 'gauge' or 'both'" },
        { { STATSD("after_crash = \"\";") }, 4, "'after_crash' must be 'lose' or 'repeat', not ''" },
        { { .sinks = "{ type = \"influx\"; }" }, 4, "'type' must be 'statsd' or 'graphite', not 'influx'" },
        { { .sources = "delay = { start = \"yesterday\"; };" }, 3, "'start' must be 'now'" },
        { { .sources = "delay = { start = \"\"; };" }, 3, "'start' must be 'now'" },
        { { .sources = "delay = { start = \"-2\"; };" }, 3, "not '-2'" },
        { { .sources = "delay = { start = \"-2w\"; };" }, 3, "not '-2w'" },
        { { .sources = "delay = { start = \"--2h\"; };" }, 3, "not '--2h'" },
        { { .sources = "delay = { start = \"2020-04-20\"; };" }, 3, "not '2020-04-20'" },
        { { .sources = "delay = { start = \"2020-04-20 00:00:00 CST\"; };" }, 3, "CST" },
        { { .sources = "delay = { start = \"2020-13-20 00:00:00\"; };" }, 3, "not '2020-13-20" },
        { { .sources = "delay = { start = \"2020-02-31 00:00:00\"; };" }, 3, "not '2020-02-31" },
        { { .sources = "delay = { start = \"2019-02-29 00:00:00\"; };" }, 3, "not '2019-02-29" },
        { { .sources = "delay = { start = \"2020-04-20 23:59:60\"; };" }, 3, "not '2020-04-20 23" },

        /* names */
        { { .top = "prefix = \"a b\";" }, 1, "'prefix' may contain only" },
        { { .top = "prefix = \"通\";" }, 1, "'prefix' may contain only" },
        { { .top = "prefix = \".a\";" }, 1, "'prefix' must not begin or end with a dot" },
        { { .top = "prefix = \"a.\";" }, 1, "'prefix' must not begin or end with a dot" },
        { { .top = "prefix = \"a..b\";" }, 1, "two dots in a row" },
        { { .managers = "{ name = \"a/b\"; }" }, 2, "'name' may contain only" },
        { { .managers = "{ name = \"a\"; }, { }" }, 2, "each manager needs a 'name'" },
        { { .managers = "{ },\n{ name = \"a\"; }" }, 3, "each manager needs a 'name'" },
        { { .managers = "{ name = \"a\"; },\n{ name = \"b\"; },\n{ name = \"a\"; }" }, 4,
                "two managers are called 'a'" },
        { { .managers = "{ name = \"a.b\"; }, { name = \"a_b\"; }" }, 2, "two managers are called 'a_b'" },
        { { .sinks = "{ type = \"statsd\"; },\n{ type = \"statsd\"; }" }, 5, "two sinks are called 'statsd'" },
        { { .sinks = "{ type = \"statsd\"; name = \"a\"; },\n{ type = \"graphite\"; name = \"a\"; }" }, 5,
                "two sinks are called 'a'" },
        { { .sinks = "{ type = \"statsd\"; name = \"graphite\"; }, { type = \"graphite\"; }" }, 4,
                "two sinks are called 'graphite'" },

        /* twice, missing, or not to be read at all */
        { { .top = "prefix = \"a\";\nprefix = \"b\";" }, 2, "duplicate setting name" },
        { { .sources = "delay = { };\ndelay = { };" }, 4, "duplicate setting name" },
        { { .managers = "" }, 2, "'managers' is missing or empty" },
        { { .sinks = "" }, 4, "'sinks' is missing or empty" },
        { { .sinks = "{ host = \"localhost\"; }" }, 4, "a sink needs a 'type'" },
        { { .top = "prefix = ;" }, 1, "syntax error" },
        { { .top = "drain = 10;\n}" }, 2, "syntax error" },

        /* what is taken from elsewhere */
        { { .top = "prefix = \"${OB_TEST_NOT_SET}\";" }, 1, "${OB_TEST_NOT_SET}: this variable is not set" },
        { { MYSQL("password = \"${OB_TEST_NOT_SET}\";") }, 2, "${OB_TEST_NOT_SET}: this variable is not set" },
        { { .sinks = "{ type = \"${OB_TEST_NOT_SET}\"; }" }, 4, "this variable is not set" },
        { { MYSQL("host = \"${HOST\";") }, 2, "'${' has no closing '}'" },
        { { .top = "prefix = \"${OB_TEST_ODD}\";" }, 1, "'prefix' may contain only" },
        { { MYSQL("password_file = \"not-there\";") }, 2, "not-there: No such file or directory" },
        { { MYSQL("password = \"a\"; password_file = \"secret\";") }, 2,
                "'password' and 'password_file' are both set: remove one of the two" },
        { { MYSQL("password_file = \"secret\"; password = \"${OB_TEST_SET}\";") }, 2, "are both set" },
        { { PAGE("user = \"u\"; password = \"a\"; password_file = \"secret\";") }, 2, "are both set" },
        { { .top = "status = { user = \"u\"; password = \"a\"; password_file = \"secret\"; };" }, 1,
                "are both set" },
        { { PAGE("password = \"a\";") }, 2, "'password' needs a 'user'" },
        { { PAGE("key = \"a\";") }, 2, "'key' needs a 'cert'" },
        { { MYSQL("password_file = \".\";") }, 2, "not a regular file" },
        { { MYSQL("password_file = \"empty\";") }, 2, "empty: the file is empty" },
        { { PAGE("password_file = \"not-there\";") }, 2, "not-there: No such file or directory" },
};

static void every_mistake_is_told_with_file_and_line(void **state)
{
        free(folder_write(*state, "empty", "", 0));
        setenv("OB_TEST_ODD", "a b", 1);
        for (size_t i = 0; i < LENGTH(mistakes); i++)
                loading_must_fail(*state, &mistakes[i].parts, mistakes[i].line, mistakes[i].says);
}

static void a_file_that_is_not_there_is_told(void **state)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/none.cfg", (char *)*state);
        ob_cleanup(ob_free_at) char *want = ob_format("%s: No such file or directory", path);
        struct ob_err err;

        assert_null(ob_config_load(path, &err));
        assert_string_equal(err.text, want);
}

static void an_empty_file_lacks_managers(void **state)
{
        ob_cleanup(ob_free_at) char *want = ob_format("%s/otterbeat.cfg:1: 'managers' is missing", (char *)*state);
        struct ob_err err;

        assert_null(loading_try(*state, "", &err));
        if (strncmp(err.text, want, strlen(want)) != 0)
                fail_msg("\"%s\" does not begin with \"%s\"", err.text, want);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_mistake_is_told_with_file_and_line),
                cmocka_unit_test(a_file_that_is_not_there_is_told),
                cmocka_unit_test(an_empty_file_lacks_managers),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
