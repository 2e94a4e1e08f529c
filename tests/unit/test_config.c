#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/demo.h"
#include "config/expand.h"
#include "proto/memory.h"
#include "proto/metric.h"
#include "tests/unit/folder.h"

/* The parts of a file, each on a line of its own; what a case leaves out is as short as it may be. */
struct parts {
        const char *top;      /* line 1 */
        const char *managers; /* line 2 */
        const char *sources;  /* line 3 */
        const char *sinks;    /* line 4 */
};

static char *put_together(const struct parts *p)
{
        return ob_format("%s\nmanagers = ( %s );\nsources = { %s };\nsinks = ( %s );\n",
                p->top ? p->top : "", p->managers ? p->managers : "{ }", p->sources ? p->sources : "",
                p->sinks ? p->sinks : "{ type = \"statsd\"; }");
}

static char *write_file(const char *folder, const char *name, const char *text)
{
        return folder_write(folder, name, text, strlen(text));
}

static struct ob_config *load_text(const char *folder, const char *text, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *path = write_file(folder, "otterbeat.cfg", text);

        *err = (struct ob_err) { .text = "" };
        return ob_config_load(path, err);
}

static struct ob_config *load(const char *folder, const struct parts *p, struct ob_err *err)
{
        ob_cleanup(ob_free_at) char *text = put_together(p);

        return load_text(folder, text, err);
}

static void free_config(struct ob_config **c)
{
        ob_config_free(*c);
}

/* Loads what must be good. */
static struct ob_config *must_load(const char *folder, const struct parts *p)
{
        struct ob_err err;
        struct ob_config *c = load(folder, p, &err);

        if (!c)
                fail_msg("%s", err.text);
        return c;
}

/* The texts as they come out: an error has no double quotes. */
#define MYSQL(setting)   .managers = "{ mysql = { " setting " }; }"
#define PAGE(setting)    .managers = "{ page = { " setting " }; }"
#define STATSD(setting)  .sinks = "{ type = \"statsd\"; " setting " }"
#define CARBON(setting)  .sinks = "{ type = \"graphite\"; " setting " }"
#define COLUMNS(columns) .sources = "s = { table = \"T\"; columns = ( " columns " ); };"

static const struct {
        struct parts parts;
        unsigned line;
        const char *says;
} mistakes[] = {
        /* what is no setting */
        { { .top = "evry = 15;" }, 1, "no such setting: 'evry'" },
        { { .top = "# a comment\n\nevry = 15;" }, 3, "no such setting: 'evry'" },
        { { .top = "queue = { max = 1; };" }, 1, "no such setting: 'max'" },
        { { .managers = "{ nmae = \"a\"; }" }, 2, "no such setting: 'nmae'" },
        { { MYSQL("pasword = \"a\";") }, 2, "no such setting: 'pasword'" },
        { { PAGE("uri = \"a\";") }, 2, "no such setting: 'uri'" },
        { { .sources = "delay = { evry = 15; };" }, 3, "no such setting: 'evry'" },
        { { .sources = "s = { table = \"T\"; columns = ( ); colour = 1; };" }, 3,
                "no such setting: 'colour'" },
        { { STATSD("step = 60;") }, 4, "no such setting: 'step'" },
        { { CARBON("payload = 1432;") }, 4, "no such setting: 'payload'" },

        /* the wrong type */
        { { .top = "prefix = 5;" }, 1, "'prefix' must be a text in quotes" },
        { { .top = "drain = \"10\";" }, 1, "'drain' must be a whole number" },
        { { .top = "drain = 1.5;" }, 1, "'drain' must be a whole number" },
        { { .top = "drain = true;" }, 1, "'drain' must be a whole number" },
        { { .top = "queue = 65536;" }, 1, "'queue' must be a group" },
        { { .managers = "5" }, 2, "a manager is a group" },
        { { .managers = "{ mysql = \"localhost\"; }" }, 2, "'mysql' must be a group" },
        { { MYSQL("port = \"3306\";") }, 2, "'port' must be a whole number" },
        { { MYSQL("host = 127;") }, 2, "'host' must be a text in quotes" },
        { { .sources = "delay = 15;" }, 3, "'delay' must be a group" },
        { { .sources = "delay = { enabled = 1; };" }, 3, "'enabled' must be true or false" },
        { { .sinks = "\"statsd\"" }, 4, "a sink is a group" },
        { { .sinks = "{ type = 1; }" }, 4, "'type' must be a text in quotes" },
        { { CARBON("tagged = \"yes\";") }, 4, "'tagged' must be true or false" },

        /* out of range */
        { { .top = "drain = -1;" }, 1, "'drain' must be from 0 to 3600, not -1" },
        { { .top = "drain = 3601;" }, 1, "'drain' must be from 0 to 3600, not 3601" },
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
        { { MYSQL("tls = \"on\";") }, 2,
                "'tls' must be 'off' or 'required' or 'verify', not 'on'" },
        { { STATSD("flavor = \"dog\";") }, 4, "'flavor' must be 'plain' or 'dogstatsd', not 'dog'" },
        { { STATSD("after_crash = \"\";") }, 4, "'after_crash' must be 'lose' or 'repeat', not ''" },
        { { .sinks = "{ type = \"influx\"; }" }, 4,
                "'type' must be 'statsd' or 'graphite', not 'influx'" },
        { { .sources = "delay = { start = \"yesterday\"; };" }, 3, "'start' must be 'now'" },
        { { .sources = "delay = { start = \"\"; };" }, 3, "'start' must be 'now'" },
        { { .sources = "delay = { start = \"-2\"; };" }, 3, "not '-2'" },
        { { .sources = "delay = { start = \"-2w\"; };" }, 3, "not '-2w'" },
        { { .sources = "delay = { start = \"--2h\"; };" }, 3, "not '--2h'" },
        { { .sources = "delay = { start = \"2020-04-20\"; };" }, 3, "not '2020-04-20'" },
        { { .sources = "delay = { start = \"2020-04-20 00:00:00 CST\"; };" }, 3, "CST" },
        { { .sources = "delay = { start = \"2020-13-20 00:00:00\"; };" }, 3, "not '2020-13-20" },

        /* names */
        { { .top = "prefix = \"a b\";" }, 1, "'prefix' is made of" },
        { { .top = "prefix = \"通\";" }, 1, "'prefix' is made of" },
        { { .top = "prefix = \".a\";" }, 1, "'prefix' must not begin or end with a dot" },
        { { .top = "prefix = \"a.\";" }, 1, "'prefix' must not begin or end with a dot" },
        { { .top = "prefix = \"a..b\";" }, 1, "two in a row" },
        { { .managers = "{ name = \"a/b\"; }" }, 2, "'name' is made of" },
        { { .managers = "{ name = \"a\"; }, { }" }, 2, "each needs a 'name'" },
        { { .managers = "{ },\n{ name = \"a\"; }" }, 3, "each needs a 'name'" },
        { { .managers = "{ name = \"a\"; },\n{ name = \"b\"; },\n{ name = \"a\"; }" }, 4,
                "two managers are called 'a'" },
        { { .sinks = "{ type = \"statsd\"; },\n{ type = \"statsd\"; }" }, 5,
                "two sinks are called 'statsd'" },
        { { .sinks = "{ type = \"statsd\"; name = \"a\"; },\n{ type = \"graphite\"; name = \"a\"; }" },
                5, "two sinks are called 'a'" },
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
        { { .top = "prefix = \"${OB_TEST_NOT_SET}\";" }, 1,
                "${OB_TEST_NOT_SET}: this variable is not set" },
        { { MYSQL("password = \"${OB_TEST_NOT_SET}\";") }, 2,
                "${OB_TEST_NOT_SET}: this variable is not set" },
        { { .sinks = "{ type = \"${OB_TEST_NOT_SET}\"; }" }, 4, "this variable is not set" },
        { { MYSQL("host = \"${HOST\";") }, 2, "'${' without its '}'" },
        { { .top = "prefix = \"${OB_TEST_ODD}\";" }, 1, "'prefix' is made of" },
        { { MYSQL("password_file = \"not-there\";") }, 2, "not-there: No such file or directory" },
        { { MYSQL("password_file = \"empty\";") }, 2, "empty: the file is empty" },
        { { PAGE("password_file = \"not-there\";") }, 2, "not-there: No such file or directory" },

        /* sources of one's own */
        { { .sources = "s = { };" }, 3, "'s' is no built-in source" },
        { { .sources = "s = { table = \"T\"; };" }, 3, "'s' is no built-in source" },
        { { .sources = "s = { columns = ( ( \"count\", \"\" ) ); };" }, 3, "no built-in source" },
        { { .sources = "s = { table = 5; columns = ( ( \"count\", \"\" ) ); };" }, 3,
                "'table' must be a text" },
        { { .sources = "s = { table = \"\"; columns = ( ( \"count\", \"\" ) ); };" }, 3,
                "'' is no table's name" },
        { { .sources = "s = { table = \"a`b\"; columns = ( ( \"count\", \"\" ) ); };" }, 3,
                "'a`b' is no table's name" },
        { { .sources = "s = { table = \"T\"; columns = \"ID\"; };" }, 3, "'columns' must be a list" },
        { { .sources = "S = { table = \"T\"; columns = ( ( \"value\", \"V\", \"v\" ) ); };" }, 3,
                "a source's name begins with a-z" },
        { { .sources = "delay = { table = \"T\"; };" }, 3, "'delay' is built in" },
        { { .sources = "table = { columns = ( ); };" }, 3, "'table' is built in" },
        { { .sources = "agent = { table = \"T\"; };" }, 3, "'agent' is built in" },
        { { .sources = "delay_age = { table = \"T\"; columns = ( ( \"value\", \"V\" ) ); };" }, 3,
                "'delay_age' is built in and has the settings of 'delay'" },
        { { .sources = "agent_queue = { every = 5; };" }, 3, "has the settings of 'agent'" },
        { { COLUMNS("") }, 3, "source 's' makes no metric" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"key\", \"K\" )") }, 3, "source 's' makes no metric" },
        { { COLUMNS("\"value\"") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\" )") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\", \"V\", \"v\", \"w\" )") }, 3, "a column is ( 'role', 'COLUMN' )" },
        { { COLUMNS("( \"value\", 5 )") }, 3, "'this' must be a text in quotes" },
        { { COLUMNS("( \"velue\", \"V\" )") }, 3, "no such role: 'velue'" },
        { { COLUMNS("( \"value\", \"\" )") }, 3, "role 'value' needs a column" },
        { { COLUMNS("( \"value\", \"a`b\" )") }, 3, "a column's name has no '`'" },
        { { COLUMNS("( \"value\", \"V\", \"Big\" )") }, 3, "'Big' is no name for a tag or metric" },
        { { COLUMNS("( \"value\", \"V\", \"a..b\" )") }, 3, "'a..b' is no name" },
        { { COLUMNS("( \"value\", \"V\", \"a.\" )") }, 3, "'a.' is no name" },
        { { COLUMNS("( \"value\", \"V\", \"a-b\" )") }, 3, "'a-b' is no name" },
        { { COLUMNS("( \"value\", \"V\", \"\" )") }, 3, "'' is no name" },
        { { COLUMNS("( \"key\", \"1ST\" ), ( \"value\", \"V\" )") }, 3, "'1st' is no name" },
        { { COLUMNS("( \"value\", \"V\" ),\n( \"value\", \"v\" )") }, 4, "'s.v' names two columns" },
        { { COLUMNS("( \"key\", \"A\", \"x\" ), ( \"label\", \"B\", \"x\" ), ( \"value\", \"V\" )") }, 3,
                "'x' names two columns" },
        { { COLUMNS("( \"cursor\", \"A\" ), ( \"cursor\", \"B\" ), ( \"count\", \"\" )") }, 3,
                "several columns of role 'cursor'" },
        { { COLUMNS("( \"time\", \"A\" ), ( \"time\", \"B\" ), ( \"value\", \"V\" )") }, 3,
                "several columns of role 'time'" },
        { { COLUMNS("( \"settled\", \"A\" ), ( \"settled\", \"B\" ), ( \"value\", \"V\" )") }, 3,
                "several columns of role 'settled'" },
        { { COLUMNS("( \"made\", \"A\" ), ( \"made\", \"B\" ), ( \"total\", \"V\" )") }, 3,
                "several columns of role 'made'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"age\", \"B\" )") }, 3, "several columns of role 'age'" },

        /* roles that do not go together */
        { { COLUMNS("( \"age\", \"A\" ), ( \"value\", \"V\" )") }, 3, "no use for role 'value'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"peak\", \"V\" )") }, 3, "no use for role 'peak'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"total\", \"V\" )") }, 3, "no use for role 'total'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"increment\", \"V\" )") }, 3,
                "no use for role 'increment'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"count\", \"\" )") }, 3, "no use for role 'count'" },
        { { COLUMNS("( \"age\", \"A\" ), ( \"label\", \"L\" )") }, 3, "no use for role 'label'" },
        { { COLUMNS("( \"key\", \"K\" ), ( \"increment\", \"V\" )") }, 3,
                "no use for role 'increment'" },
        { { COLUMNS("( \"key\", \"K\" ), ( \"count\", \"\" )") }, 3, "no use for role 'count'" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"total\", \"T\" ), ( \"increment\", \"V\" )") }, 3,
                "no use for role 'increment'" },
        { { COLUMNS("( \"cursor\", \"ID\" ), ( \"total\", \"T\" ), ( \"count\", \"\" )") }, 3,
                "no use for role 'count'" },
};

static void every_mistake_is_told_with_file_and_line(void **state)
{
        for (size_t i = 0; i < LENGTH(mistakes); i++) {
                ob_cleanup(ob_free_at) char *text = put_together(&mistakes[i].parts);
                ob_cleanup(ob_free_at) char *where =
                        ob_format("%s/otterbeat.cfg:%u: ", (char *)*state, mistakes[i].line);
                ob_cleanup(free_config) struct ob_config *c = NULL;
                struct ob_err err;

                c = load_text(*state, text, &err);
                if (c)
                        fail_msg("taken: %s", text);
                if (strncmp(err.text, where, strlen(where)) != 0)
                        fail_msg("\"%s\" does not begin with \"%s\"\n%s", err.text, where, text);
                if (!strstr(err.text, mistakes[i].says))
                        fail_msg("\"%s\" does not say \"%s\"\n%s", err.text, mistakes[i].says, text);
        }
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
        ob_cleanup(ob_free_at) char *want =
                ob_format("%s/otterbeat.cfg:1: 'managers' is missing", (char *)*state);
        struct ob_err err;

        assert_null(load_text(*state, "", &err));
        if (strncmp(err.text, want, strlen(want)) != 0)
                fail_msg("\"%s\" does not begin with \"%s\"", err.text, want);
}

/* libconfig keeps the file of each setting: a mistake is told where it is, not where it is included. */
static void a_mistake_in_an_included_file_is_told_there(void **state)
{
        ob_cleanup(ob_free_at) char *included = write_file(*state, "more.cfg", "\n\ndrain = -1;\n");
        ob_cleanup(ob_free_at) char *top = ob_format("@include \"%s\"\n", included);
        ob_cleanup(ob_free_at) char *want = ob_format("%s:3: 'drain' must be", included);
        struct ob_err err;

        assert_null(load(*state, &(struct parts) { .top = top }, &err));
        if (strncmp(err.text, want, strlen(want)) != 0)
                fail_msg("\"%s\" does not begin with \"%s\"", err.text, want);
}

static const struct ob_source *find_source(const struct ob_config *c, const char *name)
{
        for (size_t i = 0; i < c->n_sources; i++)
                if (!strcmp(c->sources[i].name, name))
                        return &c->sources[i];
        fail_msg("no source \"%s\"", name);
        return NULL;
}

static void what_is_left_out_has_its_default(void **state)
{
        ob_cleanup(free_config) struct ob_config *c = must_load(*state,
                &(struct parts) { .sinks = "{ type = \"statsd\"; }, { type = \"graphite\"; }" });
        ob_cleanup(ob_free_at) char *state_dir = ob_format("%s/state", (char *)*state);
        const struct ob_manager *m = &c->managers[0];

        assert_string_equal(c->prefix, "otter");
        assert_string_equal(c->state_dir, state_dir);
        assert_string_equal(c->log_file, "");
        assert_int_equal(c->drain, 10);
        assert_int_equal(c->queue_max_bytes, 67108864);

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
        assert_string_equal(m->page.url, "http://127.0.0.1:8080");
        assert_string_equal(m->page.user, "");
        assert_string_equal(m->page.password, "");
        assert_string_equal(m->page.zone, "Asia/Shanghai");
        assert_int_equal(m->page.timeout, 5);

        assert_int_equal(c->n_sinks, 2);
        assert_int_equal(c->sinks[0].type, OB_SINK_STATSD);
        assert_string_equal(c->sinks[0].name, "statsd");
        assert_string_equal(c->sinks[0].host, "127.0.0.1");
        assert_int_equal(c->sinks[0].port, 8125);
        assert_int_equal(c->sinks[0].flavor, OB_FLAVOR_PLAIN);
        assert_string_equal(c->sinks[0].socket, "");
        assert_int_equal(c->sinks[0].payload, 1432);
        assert_int_equal(c->sinks[0].after_crash, OB_AFTER_CRASH_LOSE);
        assert_int_equal(c->sinks[1].type, OB_SINK_GRAPHITE);
        assert_string_equal(c->sinks[1].name, "graphite");
        assert_string_equal(c->sinks[1].host, "127.0.0.1");
        assert_int_equal(c->sinks[1].port, 2003);
        assert_int_equal(c->sinks[1].step, 60);
        assert_false(c->sinks[1].tagged);
        assert_int_equal(c->sinks[1].horizon, 300);
        assert_int_equal(c->sinks[1].max_age, 0);
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
        { "page", "page", 30, 0, 0, 0, OB_START_NOW },
        { "agent_sources", "agent", 15, 0, 0, 1000, OB_START_OLDEST },
        { "agent_sinks", "agent", 15, 0, 0, 1000, OB_START_OLDEST },
        { "agent_queue", "agent", 15, 0, 0, 1000, OB_START_OLDEST },
};

static void every_built_in_source_is_read_by_default(void **state)
{
        ob_cleanup(free_config) struct ob_config *c = must_load(*state, &(struct parts) { .top = "" });
        struct ob_err err;

        assert_int_equal(c->n_sources, LENGTH(source_defaults));
        for (size_t i = 0; i < LENGTH(source_defaults); i++) {
                const struct ob_source *s = find_source(c, source_defaults[i].name);

                assert_string_equal(s->worker, source_defaults[i].worker);
                assert_true(s->enabled);
                assert_int_equal(s->every, source_defaults[i].every);
                assert_int_equal(s->overlap, source_defaults[i].overlap);
                assert_int_equal(s->settle, source_defaults[i].settle);
                assert_int_equal(s->batch, source_defaults[i].batch);
                assert_int_equal(s->start.kind, source_defaults[i].start);
                if (s->reader != OB_READER_PAGE && ob_source_check(s, &err))
                        fail_msg("%s", err.text);
        }
}

static void what_is_set_is_taken(void **state)
{
        ob_cleanup(free_config) struct ob_config *c = must_load(*state,
                &(struct parts) {
                        .top = "prefix = \"a.b-c_D9\"; state_dir = \"/var/lib/x\"; log_file = \"/x.log\"; "
                               "drain = 0; queue = { max_bytes = 65536L; };",
                        .managers = "{ name = \"shop\"; "
                                    "mysql = { host = \"h\"; port = 65535; socket = \"/s\"; user = \"u\"; "
                                    "password = \"p\"; database = \"d\"; connect_timeout = 1; "
                                    "query_timeout = 3600; tls = \"verify\"; ca = \"/ca\"; }; "
                                    "page = { url = \"http://p\"; user = \"pu\"; password = \"pp\"; "
                                    "zone = \"UTC\"; timeout = 7; }; }, { name = \"bank\"; }",
                        .sources = "delay = { enabled = false; every = 1; overlap = 0; settle = 0; "
                                   "batch = 1; start = \"oldest\"; };",
                        .sinks = "{ type = \"statsd\"; name = \"one\"; host = \"s\"; port = 1; "
                                 "flavor = \"dogstatsd\"; socket = \"/d\"; payload = 8192; "
                                 "after_crash = \"repeat\"; }, "
                                 "{ type = \"graphite\"; name = \"two\"; host = \"g\"; port = 2; "
                                 "step = 10; tagged = true; horizon = 0; max_age = 10000000000L; }",
                });
        const struct ob_manager *m = &c->managers[0];

        assert_string_equal(c->prefix, "a.b-c_D9");
        assert_string_equal(c->state_dir, "/var/lib/x");
        assert_string_equal(c->log_file, "/x.log");
        assert_int_equal(c->drain, 0);
        assert_int_equal(c->queue_max_bytes, 65536);

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
        assert_string_equal(c->managers[1].name, "bank");
        assert_string_equal(c->managers[1].mysql.host, "127.0.0.1");

        for (size_t i = 0; i < 2; i++) { /* both sources of the worker */
                const struct ob_source *s = find_source(c, i ? "delay_age" : "delay");

                assert_false(s->enabled);
                assert_int_equal(s->every, 1);
                assert_int_equal(s->overlap, 0);
                assert_int_equal(s->settle, 0);
                assert_int_equal(s->batch, 1);
                assert_int_equal(s->start.kind, OB_START_OLDEST);
        }
        assert_true(find_source(c, "throughput")->enabled);

        assert_string_equal(c->sinks[0].name, "one");
        assert_string_equal(c->sinks[0].host, "s");
        assert_int_equal(c->sinks[0].port, 1);
        assert_int_equal(c->sinks[0].flavor, OB_FLAVOR_DOGSTATSD);
        assert_string_equal(c->sinks[0].socket, "/d");
        assert_int_equal(c->sinks[0].payload, 8192);
        assert_int_equal(c->sinks[0].after_crash, OB_AFTER_CRASH_REPEAT);
        assert_string_equal(c->sinks[1].name, "two");
        assert_string_equal(c->sinks[1].host, "g");
        assert_int_equal(c->sinks[1].port, 2);
        assert_int_equal(c->sinks[1].step, 10);
        assert_true(c->sinks[1].tagged);
        assert_int_equal(c->sinks[1].horizon, 0);
        assert_int_equal(c->sinks[1].max_age, INT64_C(10000000000));
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
                ob_cleanup(ob_free_at) char *sources =
                        ob_format("log = { start = \"%s\"; };", starts[i].text);
                ob_cleanup(free_config) struct ob_config *c =
                        must_load(*state, &(struct parts) { .sources = sources });
                const struct ob_start *s = &find_source(c, "log")->start;

                if (s->kind != starts[i].kind || s->seconds != starts[i].seconds)
                        fail_msg("\"%s\": kind %d, %lld seconds", starts[i].text, s->kind,
                                (long long)s->seconds);
        }
        unsetenv("TZ");
}

static const struct {
        const char *given;
        const char *want; /* NULL: refused */
} texts[] = {
        { "", "" },
        { "plain", "plain" },
        { "${OB_TEST_SET}", "value" },
        { "a${OB_TEST_SET}b${OB_TEST_SET}c", "avaluebvaluec" },
        { "${OB_TEST_SET:-other}", "value" },
        { "${OB_TEST_NOT_SET:-other}", "other" },
        { "${OB_TEST_NOT_SET:-}", "" },
        { "${OB_TEST_NOT_SET:-a:-b}", "a:-b" },
        { "${OB_TEST_NOT_SET:-${x}", "${x" },
        { "${OB_TEST_EMPTY}", "" },
        { "${OB_TEST_EMPTY:-other}", "other" },
        { "${OB_TEST_LOOKS_LIKE_ONE}", "${OB_TEST_SET}" }, /* what is put in is not looked at again */
        { "$", "$" },
        { "$OB_TEST_SET", "$OB_TEST_SET" },
        { "{}$}", "{}$}" },
        { "${OB_TEST_NOT_SET}", NULL },
        { "${OB_TEST_SET", NULL },
        { "${}", NULL },
        { "a ${", NULL },
};

static void variables_are_put_in(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(texts); i++) {
                struct ob_err err = { .text = "" };
                ob_cleanup(ob_free_at) char *got = ob_expand(texts[i].given, &err);

                if (!texts[i].want != !got || (got && strcmp(got, texts[i].want) != 0))
                        fail_msg("\"%s\": \"%s\" %s", texts[i].given, got ? got : "refused", err.text);
                assert_true(got || *err.text);
        }
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
        for (size_t i = 0; i < LENGTH(secrets); i++) {
                ob_cleanup(ob_free_at) char *path = write_file(*state, "secret", secrets[i].content);
                ob_cleanup(free_config) struct ob_config *c = must_load(*state,
                        &(struct parts) { .managers = "{ mysql = { password_file = \"secret\"; }; "
                                                      "page = { password_file = \"secret\"; }; }" });

                if (strcmp(c->managers[0].mysql.password, secrets[i].want) != 0)
                        fail_msg("%s: \"%s\"", secrets[i].name, c->managers[0].mysql.password);
                assert_string_equal(c->managers[0].page.password, secrets[i].want);
        }
}

static void relative_paths_begin_at_the_file(void **state)
{
        ob_cleanup(free_config) struct ob_config *c = must_load(*state,
                &(struct parts) {
                        .top = "state_dir = \"./s\"; log_file = \"../l\";",
                        MYSQL("socket = \"my.sock\"; ca = \"${OB_TEST_SET}.pem\";"),
                        STATSD("socket = \"dog.sock\";"),
                });
        const struct {
                const char *got, *want;
        } paths[] = {
                { c->state_dir, "./s" },
                { c->log_file, "../l" },
                { c->managers[0].mysql.socket, "my.sock" },
                { c->managers[0].mysql.ca, "value.pem" },
                { c->sinks[0].socket, "dog.sock" },
        };

        for (size_t i = 0; i < LENGTH(paths); i++) {
                ob_cleanup(ob_free_at) char *want =
                        ob_format("%s/%s", (char *)*state, paths[i].want);

                assert_string_equal(paths[i].got, want);
        }
}

static void no_state_dir_stays_none(void **state)
{
        ob_cleanup(free_config) struct ob_config *c =
                must_load(*state, &(struct parts) { .top = "state_dir = \"\";" });

        assert_string_equal(c->state_dir, "");
}

static const struct {
        const char *columns;
        enum ob_shape shape;
        struct ob_column want[4];
} sources[] = {
        { "( \"cursor\", \"ID\" ), ( \"time\", \"AT\" ), ( \"key\", \"Shop\" ), ( \"increment\", \"Amount\" )",
                OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_TIME, "AT" }, { OB_KEY, "Shop", "shop" },
                        { OB_INCREMENT, "Amount", "s.amount" } } },
        { "( \"cursor\", \"ID\" ), ( \"count\", \"\" )", OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_COUNT, NULL, "s.rows" } } },
        { "( \"cursor\", \"ID\" ), ( \"count\", \"\", \"orders.made\" ), ( \"value\", \"V\" )",
                OB_SHAPE_LOG,
                { { OB_CURSOR, "ID" }, { OB_COUNT, NULL, "orders.made" }, { OB_VALUE, "V", "s.v" } } },
        { "[ \"enum\", \"E\", \"kind\" ], [ \"label\", \"L\" ], [ \"peak\", \"P\", \"p\" ]",
                OB_SHAPE_STATE,
                { { OB_ENUM, "E", "kind" }, { OB_LABEL, "L", "l" }, { OB_PEAK, "P", "p" } } },
        { "( \"cursor\", \"ID\" ), ( \"made\", \"M\" ), ( \"total\", \"T\" )", OB_SHAPE_STATE,
                { { OB_CURSOR, "ID" }, { OB_MADE, "M" }, { OB_TOTAL, "T", "s.t" } } },
        { "( \"key\", \"K\" ), ( \"age\", \"A\", \"age_s\" )", OB_SHAPE_NEWEST,
                { { OB_KEY, "K", "k" }, { OB_AGE, "A", "age_s" } } },
};

static void assert_same_text(const char *got, const char *want)
{
        if (!want)
                assert_null(got);
        else
                assert_string_equal(got, want);
}

static void a_source_of_ones_own_is_roles_and_columns(void **state)
{
        for (size_t i = 0; i < LENGTH(sources); i++) {
                ob_cleanup(ob_free_at) char *text = ob_format("s = { table = \"${OB_TEST_SET}\"; "
                        "every = 60; columns = ( %s ); };", sources[i].columns);
                ob_cleanup(free_config) struct ob_config *c =
                        must_load(*state, &(struct parts) { .sources = text });
                const struct ob_source *s = find_source(c, "s");

                assert_string_equal(s->worker, "s");
                assert_string_equal(s->table, "value");
                assert_int_equal(s->reader, OB_READER_MYSQL);
                assert_true(s->enabled);
                assert_int_equal(s->every, 60);
                assert_int_equal(s->overlap, 600);
                assert_int_equal(s->settle, 2);
                assert_int_equal(s->batch, 1000);
                assert_int_equal(s->start.kind, OB_START_NOW);
                assert_int_equal(ob_source_shape(s), sources[i].shape);
                for (unsigned n = 0; n < s->n_columns; n++) {
                        assert_int_equal(s->columns[n].role, sources[i].want[n].role);
                        assert_same_text(s->columns[n].column, sources[i].want[n].column);
                        assert_same_text(s->columns[n].name, sources[i].want[n].name);
                        assert_null(s->columns[n].expression);
                }
                assert_true(s->n_columns == LENGTH(sources[i].want) ||
                        !sources[i].want[s->n_columns].column);
        }
}

static void a_source_has_an_end(void **state)
{
        static const struct {
                int tags, times; /* times: further columns that are no tags */
                const char *says;
        } ends[] = {
                { OB_TAGS_MAX - 1, 0, NULL },
                { OB_TAGS_MAX, 0, "source 's' has more than 11 tags" },
                { 0, OB_COLUMNS_MAX - 1, NULL },
                { 0, OB_COLUMNS_MAX, "more than 24 columns" },
        };

        for (size_t i = 0; i < LENGTH(ends); i++) {
                ob_cleanup(ob_free_at) char *text =
                        ob_copy("s = { table = \"T\"; columns = ( ( \"peak\", \"P\" )");
                ob_cleanup(ob_free_at) char *closed = NULL;
                ob_cleanup(free_config) struct ob_config *c = NULL;
                struct ob_err err;

                for (int n = 0; n < ends[i].tags + ends[i].times; n++) {
                        char *longer = ob_format("%s, ( \"%s\", \"C%d\" )", text,
                                n < ends[i].tags ? "key" : "value", n);

                        free(text);
                        text = longer;
                }
                closed = ob_format("%s ); };", text);
                c = load(*state, &(struct parts) { .sources = closed }, &err);
                if (!c != !!ends[i].says || (!c && !strstr(err.text, ends[i].says)))
                        fail_msg("%d tags, %d others: %s", ends[i].tags, ends[i].times,
                                c ? "taken" : err.text);
        }
}

/* Takes the '#' from before each setting of the demo; what is meant as an alternative stays out. */
static char *uncomment(const char *demo)
{
        static const char *const alternatives[] = { "password_file" };
        char *made = ob_copy(demo);
        bool is_open = false; /* a group or list goes on in the next line */

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
                is_open = next - line > 2 && next[-2] == '(';
        }
        return made;
}

static void assert_same_config(const struct ob_config *a, const struct ob_config *b)
{
        assert_string_equal(a->prefix, b->prefix);
        assert_string_equal(a->log_file, b->log_file);
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
        }
        for (size_t i = 0; i < ob_n_builtin_sources; i++) {
                const struct ob_source *s = &a->sources[i], *t = &b->sources[i];

                assert_string_equal(s->name, t->name);
                assert_int_equal(s->enabled, t->enabled);
                assert_int_equal(s->every, t->every);
        }
        assert_int_equal(a->n_sinks, b->n_sinks);
        for (size_t i = 0; i < a->n_sinks; i++) {
                const struct ob_sink_settings *s = &a->sinks[i], *t = &b->sinks[i];

                assert_int_equal(s->type, t->type);
                assert_string_equal(s->name, t->name);
                assert_string_equal(s->host, t->host);
                assert_int_equal(s->port, t->port);
                assert_int_equal(s->flavor, t->flavor);
                assert_string_equal(s->socket, t->socket);
                assert_int_equal(s->payload, t->payload);
                assert_int_equal(s->after_crash, t->after_crash);
                assert_int_equal(s->step, t->step);
                assert_int_equal(s->tagged, t->tagged);
                assert_int_equal(s->horizon, t->horizon);
                assert_int_equal(s->max_age, t->max_age);
        }
}

/* "Everything that is commented out shows its default." */
static void the_demo_loads_and_shows_the_defaults(void **state)
{
        ob_cleanup(ob_free_at) char *all = uncomment(ob_config_demo);
        ob_cleanup(free_config) struct ob_config *as_it_is = NULL, *uncommented = NULL, *defaults = NULL;
        struct ob_err err;

        unsetenv("OTTERBEAT_PASSWORD");
        unsetenv("STATE_DIRECTORY");
        as_it_is = load_text(*state, ob_config_demo, &err);
        if (!as_it_is)
                fail_msg("%s", err.text);
        uncommented = load_text(*state, all, &err);
        if (!uncommented)
                fail_msg("%s", err.text);
        defaults = must_load(*state,
                &(struct parts) { .sinks = "{ type = \"statsd\"; }, { type = \"graphite\"; }" });

        assert_same_config(as_it_is, defaults);
        assert_same_config(uncommented, defaults);
        assert_int_equal(as_it_is->n_sources, ob_n_builtin_sources);
        assert_int_equal(uncommented->n_sources, ob_n_builtin_sources + 1);
        assert_string_equal(find_source(uncommented, "orders")->table, "ORDERS");
}

static void freeing_nothing_is_nothing(void **state)
{
        (void)state;
        ob_config_free(NULL);
}

static int set_up(void **state)
{
        char *folder = folder_new();

        free(write_file(folder, "empty", ""));
        setenv("OB_TEST_SET", "value", 1);
        setenv("OB_TEST_EMPTY", "", 1);
        setenv("OB_TEST_ODD", "a b", 1);
        setenv("OB_TEST_LOOKS_LIKE_ONE", "${OB_TEST_SET}", 1);
        unsetenv("OB_TEST_NOT_SET");
        *state = folder;
        return 0;
}

static int tear_down(void **state)
{
        folder_remove(*state);
        return 0;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_mistake_is_told_with_file_and_line),
                cmocka_unit_test(a_file_that_is_not_there_is_told),
                cmocka_unit_test(an_empty_file_lacks_managers),
                cmocka_unit_test(a_mistake_in_an_included_file_is_told_there),
                cmocka_unit_test(what_is_left_out_has_its_default),
                cmocka_unit_test(every_built_in_source_is_read_by_default),
                cmocka_unit_test(what_is_set_is_taken),
                cmocka_unit_test(a_start_is_a_word_a_date_or_a_way_back),
                cmocka_unit_test(variables_are_put_in),
                cmocka_unit_test(a_password_is_the_first_line_of_its_file),
                cmocka_unit_test(relative_paths_begin_at_the_file),
                cmocka_unit_test(no_state_dir_stays_none),
                cmocka_unit_test(a_source_of_ones_own_is_roles_and_columns),
                cmocka_unit_test(a_source_has_an_end),
                cmocka_unit_test(the_demo_loads_and_shows_the_defaults),
                cmocka_unit_test(freeing_nothing_is_nothing),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
