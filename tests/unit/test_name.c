#include "tests/unit/unit.h"

#include <string.h>

#include "proto/memory.h"
#include "proto/name.h"

static const struct {
        const char *prefix;
        struct ob_series series;
        const char *dotted, *bare, *tagged;
        const char *by_nodes; /* NULL: as dotted */
} cases[] = {
        {
                .prefix = "otter",
                .series = { .name = "delay_ms", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } } },
                .dotted = "otter.pipeline.3.delay_ms",
                .bare = "otter.delay_ms",
                .tagged = "otter.delay_ms;pipeline=3",
        },
        {
                .prefix = "",
                .series = { .name = "queue" },
                .dotted = "queue",
                .bare = "queue",
                .tagged = "queue",
        },
        {
                .prefix = "a.b-c",
                .series = { .name = "throughput.count",
                        .n_identity = 3,
                        .n_tags = 3,
                        .tags = { { "manager", "shop" }, { "pipeline", "3" }, { "type", "row" } } },
                .dotted = "a.b-c.manager.shop.pipeline.3.type.row.throughput.count",
                .bare = "a.b-c.throughput.count",
                .tagged = "a.b-c.throughput.count;manager=shop;pipeline=3;type=row",
        },
        {
                /* labels do not tell series apart, and tags go by their keys */
                .prefix = "o",
                .series = { .name = "log.records",
                        .n_identity = 2,
                        .n_tags = 5,
                        .tags = { { "pipeline", "3" }, { "title", "exception" }, { "node", "7" },
                                { "channel", "1" }, { "code", "E" } } },
                .dotted = "o.pipeline.3.title.exception.log.records",
                .bare = "o.log.records",
                .tagged = "o.log.records;channel=1;code=E;node=7;pipeline=3;title=exception",
        },
        {
                /* a node stands for the value of an identity tag in paths of names alone */
                .prefix = "o",
                .series = { .name = "x",
                        .n_identity = 2,
                        .n_tags = 3,
                        .tags = { { "pipeline", "3", .node = "orders" }, { "pair", "7" }, { "node", "1", "n" } } },
                .dotted = "o.pipeline.3.pair.7.x",
                .bare = "o.x",
                .tagged = "o.x;node=1;pair=7;pipeline=3",
                .by_nodes = "o.pipeline.orders.pair.7.x",
        },
        {
                /* an empty value is a node of its own in a path, and no tag */
                .prefix = "o",
                .series = { .name = "x",
                        .n_identity = 1,
                        .n_tags = 2,
                        .tags = { { "pipeline", "" }, { "node", "" } } },
                .dotted = "o.pipeline.none.x",
                .bare = "o.x",
                .tagged = "o.x",
        },
        {
                /* what would be syntax */
                .prefix = "o",
                .series = { .name = "x", .n_identity = 1, .n_tags = 1, .tags = { { "k", "a.b c;d=e~f/g:h|i" } } },
                .dotted = "o.k.a_b_c_d_e_f_g_h_i.x",
                .bare = "o.x",
                .tagged = "o.x;k=a.b_c_d=e_f/g:h|i",
        },
        {
                /* control bytes, and those above ASCII one by one */
                .prefix = "o",
                .series = { .name = "x",
                        .n_identity = 1,
                        .n_tags = 1,
                        .tags = { { "k", "\n\r\t\x01\x7f-通\xff" } } },
                .dotted = "o.k._____-____.x",
                .bare = "o.x",
                .tagged = "o.x;k=_____-____",
        },
        {
                .prefix = "o",
                .series = { .name = "x", .n_identity = 1, .n_tags = 1, .tags = { { "k", "~AZaz09_-" } } },
                .dotted = "o.k._AZaz09_-.x",
                .bare = "o.x",
                .tagged = "o.x;k=_AZaz09_-",
        },
};

typedef void name_fn(struct ob_text *out, const char *prefix, const struct ob_series *series);

static void assert_named(name_fn *name, size_t i, const char *want)
{
        char room[256];
        struct ob_text t = ob_text_over(room, sizeof(room));

        name(&t, cases[i].prefix, &cases[i].series);
        if (t.too_long || t.length != strlen(want) || memcmp(room, want, t.length) != 0)
                fail_msg("got \"%.*s\", want \"%s\"", (int)t.length, room, want);
}

static void a_path_has_prefix_identity_and_name(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_named(ob_name_dotted, i, cases[i].dotted);
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_named(ob_name_dotted_by_nodes, i, cases[i].by_nodes ? cases[i].by_nodes : cases[i].dotted);
}

static void a_bare_name_has_no_tags(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_named(ob_name_bare, i, cases[i].bare);
}

static void tags_stand_in_order_of_their_keys(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_named(ob_name_tagged, i, cases[i].tagged);
}

/* The twelve tags are sorted from whichever order they come in. */
static void as_many_tags_as_there_may_be(void **state)
{
        static const char *const keys[OB_TAGS_MAX] = { "l", "a", "k", "b", "j", "c", "i", "d", "h", "e", "g", "f" };
        static const char want[] = "o.x;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1";
        struct ob_series s = { .name = "x", .n_identity = OB_TAGS_MAX, .n_tags = OB_TAGS_MAX };
        char room[256];
        struct ob_text t = ob_text_over(room, sizeof(room));

        (void)state;
        for (unsigned i = 0; i < OB_TAGS_MAX; i++)
                s.tags[i] = (struct ob_tag) { keys[i], "1" };
        ob_name_tagged(&t, "o", &s);
        assert_int_equal(t.length, strlen(want));
        assert_memory_equal(room, want, t.length);
}

static void a_name_that_does_not_fit_is_marked(void **state)
{
        static name_fn *const names[] = { ob_name_dotted, ob_name_bare, ob_name_tagged };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const char *const wants[] = { cases[i].dotted, cases[i].bare, cases[i].tagged };

                for (size_t n = 0; n < LENGTH(names); n++)
                        for (size_t room = 0; room <= strlen(wants[n]); room++) {
                                ob_cleanup(ob_free_at) char *data = ob_alloc(room, 1);
                                struct ob_text t = ob_text_over(data, room);

                                names[n](&t, cases[i].prefix, &cases[i].series);
                                if (t.too_long != (room < strlen(wants[n])))
                                        fail_msg("\"%s\" in %zu bytes", wants[n], room);
                        }
        }
}

/* Whether a path is one of the series; in `of` an empty value stands for any. */
static const struct {
        const char *dotted, *tagged;
        struct ob_series of;
        bool is;
} members[] = {
        { "o.pipeline.3.type.row.n", "o.n;pipeline=3;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "3" }, { "type", "row" } } },
                true },
        { "o.pipeline.3.type.row.n", "o.n;pipeline=3;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "" }, { "type", "row" } } },
                true },
        { "o.pipeline.3.type.row.n", "o.n;pipeline=3;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "3" }, { "type", "" } } },
                true },
        { "o.pipeline.3.type.row.n", "o.n;pipeline=3;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "4" }, { "type", "" } } },
                false },
        { "o.pipeline.33.type.row.n", "o.n;pipeline=33;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "3" }, { "type", "" } } },
                false },
        { "o.pipeline.3.type.row.n", "o.n;pipeline=3;type=row",
                { .name = "m", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "3" }, { "type", "" } } },
                false },
        { "o.pipeline.3.type.row.n.n", "o.n.n;pipeline=3;type=row",
                { .name = "n", .n_identity = 2, .n_tags = 2, .tags = { { "pipeline", "3" }, { "type", "" } } },
                false },
        { "p.pipeline.3.n", "p.n;pipeline=3",
                { .name = "n", .n_identity = 1, .n_tags = 1, .tags = { { "pipeline", "3" } } }, false },
        { "o.n", "o.n", { .name = "n" }, true },
        { "o.nn", "o.nn", { .name = "n" }, false },
        { "o.k.a_b.n", "o.n;k=a.b", { .name = "n", .n_identity = 1, .n_tags = 1, .tags = { { "k", "a.b" } } },
                true },
};

static void a_path_is_known_for_one_of_a_series(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(members); i++) {
                if (ob_name_is_dotted_of(members[i].dotted, "o", &members[i].of) != members[i].is)
                        fail_msg("%zu: %s", i, members[i].dotted);
                if (ob_name_is_tagged_of(members[i].tagged, "o", &members[i].of) != members[i].is)
                        fail_msg("%zu: %s", i, members[i].tagged);
        }
}

static void a_path_is_known_to_be_under_a_tag(void **state)
{
        static const struct {
                const char *dotted, *tagged;
                bool is;
        } paths[] = {
                { "o.manager.a_b.pipeline.3.n", "o.n;manager=a.b;pipeline=3", true },
                { "o.manager.a_b.n", "o.n;manager=a.b", true },
                { "o.manager.a_bc.n", "o.n;manager=a.bc", false },
                { "o.pipeline.3.n", "o.n;pipeline=3", false },
                { "o.agent.x.source.a_b_t.n", "o.n;agent=x;source=a.b/t", false },
                { "p.manager.a_b.n", "p.n;the_manager=a.b", false },
                { "o.manager.a_b", "o.manager.a.b", false },
        };
        static const struct ob_tag tag = { "manager", "a.b", NULL };

        (void)state;
        for (size_t i = 0; i < LENGTH(paths); i++) {
                if (ob_name_is_dotted_under(paths[i].dotted, "o", &tag) != paths[i].is)
                        fail_msg("%s", paths[i].dotted);
                if (ob_name_is_tagged_with(paths[i].tagged, &tag) != paths[i].is)
                        fail_msg("%s", paths[i].tagged);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_path_is_known_for_one_of_a_series),
                cmocka_unit_test(a_path_is_known_to_be_under_a_tag),
                cmocka_unit_test(a_path_has_prefix_identity_and_name),
                cmocka_unit_test(a_bare_name_has_no_tags),
                cmocka_unit_test(tags_stand_in_order_of_their_keys),
                cmocka_unit_test(as_many_tags_as_there_may_be),
                cmocka_unit_test(a_name_that_does_not_fit_is_marked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
