/*
 * What things are called, as one reading after another says, and what series get of it. A reading is a text: rows
 * with a ';', in a row kind, id, pipeline and texts with a '|', as "pair 7 3|a.b|c.d".
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/stop.h"
#include "agent/source/name_store.h"
#include "agent/source/names.h"
#include "proto/memory.h"
#include "proto/name.h"
#include "tests/unit/world.h"

#define ROWS_MAX 8
#define LONG_NAME                                                                                                  \
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"     \
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static void read_row(char *text, struct ob_name_row *row)
{
        char *rest = text, *head = strsep(&rest, "|");
        enum ob_named_kind kind = ob_name_kind_of(strsep(&head, " "));
        int64_t id = strtoll(strsep(&head, " "), NULL, 10);

        assert_int_not_equal(kind, OB_NAMED_KINDS);
        *row = (struct ob_name_row) { kind, id, strtoll(head, NULL, 10), .made = 1000 + id };
        for (unsigned i = 0; i < OB_NAME_LABELS && rest; i++)
                row->texts[i] = strsep(&rest, "|");
}

static void read_all(struct ob_names *n, const char *rows, int64_t added, int64_t renamed)
{
        ob_cleanup(ob_free_at) char *text = ob_copy(rows);
        char *rest = text, *one;

        while ((one = strsep(&rest, ";"))) {
                struct ob_name_row row;

                if (!*one)
                        continue;
                read_row(one, &row);
                ob_name_table_row(&n->table, &n->book, &row, added, renamed);
        }
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                ob_name_table_end(&n->table, kind);
        ob_name_table_sort(&n->table);
}

static struct ob_names *new_names(void)
{
        struct ob_names *n = ob_alloc(1, sizeof(*n));

        n->wants_labels = n->wants_nodes = true;
        n->may_ask = INT64_MAX;
        pthread_mutex_init(&n->lock, NULL);
        ob_cond_init(&n->changed);
        return n;
}

static void free_names(struct ob_names **n)
{
        ob_name_table_free(&(*n)->table);
        ob_name_book_free(&(*n)->book);
        pthread_cond_destroy(&(*n)->changed);
        pthread_mutex_destroy(&(*n)->lock);
        free(*n);
}

/* "pipeline 3 pair 7": a series of these, as a path of names and then its labels. */
static const char *show(struct ob_names *n, const char *of, int64_t time, char room[1024])
{
        struct ob_series s = { .name = "x" };
        struct ob_text text = ob_text_over(room, 1023);
        ob_cleanup(ob_free_at) char *words = ob_copy(of);
        char *rest = words, *key;

        while ((key = strsep(&rest, " ")))
                s.tags[s.n_tags++] = (struct ob_tag) { key, strsep(&rest, " ") };
        s.n_identity = s.n_tags;
        ob_names_add(n, &s, time);
        ob_name_dotted_by_nodes(&text, "", &s);
        for (unsigned i = s.n_identity; i < s.n_tags; i++) {
                ob_text_add_char(&text, ' ');
                ob_text_add_string(&text, s.tags[i].key);
                ob_text_add_char(&text, '=');
                ob_text_add_string(&text, s.tags[i].value);
        }
        assert_false(text.too_long);
        room[text.length] = '\0';
        return room;
}

#define READINGS_MAX 4
#define SHOWN_MAX    5

/* Reading i is at time 1000 * (i + 1), and holds from then on, but for the first: that one holds of all the past.
 */
static const struct {
        const char *promise;
        const char *readings[READINGS_MAX];
        struct {
                const char *of, *want;
                int64_t time; /* 0: at the end */
        } shown[SHOWN_MAX];
} stories[] = {
        { "a name is a label and a node",
                { "channel 1 0|shop;pipeline 3 0|orders|shop;pair 7 3|db.a|bak.a;node 2 0|hz-1" },
                { { "pipeline 3", "pipeline.orders.x pipeline_name=orders channel_name=shop" },
                        { "pipeline 3 pair 7", "pipeline.orders.pair.db_a.x pipeline_name=orders channel_name=shop "
                                               "source_table=db.a target_table=bak.a" },
                        { "channel 1", "channel.shop.x channel_name=shop" },
                        { "node 2", "node.hz-1.x node_name=hz-1" } } },
        { "ids without a name, and what is no id, stay as they are", { "pipeline 3 0|orders|shop" },
                { { "pipeline 4", "pipeline.4.x" }, { "pipeline none", "pipeline.none.x" },
                        { "shop 3", "shop.3.x" }, { "pipeline 3x", "pipeline.3x.x" } } },
        { "a text that is not there is no label", { "pipeline 3 0|orders;pair 7 3||t" },
                { { "pipeline 3", "pipeline.orders.x pipeline_name=orders" },
                        { "pipeline 3 pair 7", "pipeline.orders.pair.7.x pipeline_name=orders target_table=t" } } },
        { "what was called otherwise keeps that for its time",
                { "pipeline 3 0|a|s", "pipeline 3 0|b|s", "pipeline 3 0|b|t" },
                { { "pipeline 3", "pipeline.a.x pipeline_name=a channel_name=s", 1999 },
                        { "pipeline 3", "pipeline.b.x pipeline_name=b channel_name=s", 2000 },
                        { "pipeline 3", "pipeline.b.x pipeline_name=b channel_name=t", 3000 },
                        { "pipeline 3", "pipeline.a.x pipeline_name=a channel_name=s", 1 } } },
        { "other bytes are marks, and two that become the same are told apart by their ids",
                { "pipeline 1 0|a.b;pipeline 2 0|a b;pipeline 3 0|a_b" },
                { { "pipeline 1", "pipeline.a_b.x pipeline_name=a.b" },
                        { "pipeline 2", "pipeline.a_b_2.x pipeline_name=a b" },
                        { "pipeline 3", "pipeline.a_b_3.x pipeline_name=a_b" } } },
        { "… also from names that look like that already",
                { "pipeline 1 0|a_2;pipeline 2 0|a;pipeline 5 0|a",
                        "pipeline 1 0|a_2;pipeline 2 0|a;pipeline 5 0|a;"
                        "pipeline 7 0|a_5" },
                { { "pipeline 5", "pipeline.a_5.x pipeline_name=a" },
                        { "pipeline 7", "pipeline.a_5_7.x pipeline_name=a_5" } } },
        { "a name of marks alone is its id", { "pipeline 1 0|用户同步-主;pipeline 2 0|  " },
                { { "pipeline 1", "pipeline.1.x pipeline_name=用户同步-主" },
                        { "pipeline 2", "pipeline.2.x pipeline_name=  " } } },
        { "a name that looks like an id, or like none, is none",
                { "pipeline 1 0|2;pipeline 2 0|none;pipeline 3 0|-1" },
                { { "pipeline 1", "pipeline.2_1.x pipeline_name=2" },
                        { "pipeline 2", "pipeline.none_2.x pipeline_name=none" },
                        { "pipeline 3", "pipeline.-1_3.x pipeline_name=-1" } } },
        { "a name that is too long for a file is not cut",
                { "pipeline 1 0|" LONG_NAME "a;pipeline 2 0|" LONG_NAME },
                { { "pipeline 1", "pipeline.1.x pipeline_name=" LONG_NAME "a" },
                        { "pipeline 2", "pipeline." LONG_NAME "_2.x pipeline_name=" LONG_NAME } } },
        { "who takes another one's name does not take its path",
                { "pipeline 1 0|a;pipeline 2 0|b", "pipeline 1 0|b;pipeline 2 0|a" },
                { { "pipeline 1", "pipeline.b_1.x pipeline_name=b" },
                        { "pipeline 2", "pipeline.a_2.x pipeline_name=a" },
                        { "pipeline 1", "pipeline.a.x pipeline_name=a", 1500 } } },
        { "… nor who is made anew under the name of one that was deleted",
                { "pipeline 1 0|a", "", "pipeline 9 0|a" },
                { { "pipeline 9", "pipeline.a_9.x pipeline_name=a" },
                        { "pipeline 1", "pipeline.a.x pipeline_name=a" } } },
        { "… but who takes its own back has its path again",
                { "pipeline 1 0|a", "pipeline 1 0|b", "pipeline 1 0|a;pipeline 2 0|b" },
                { { "pipeline 1", "pipeline.a.x pipeline_name=a" },
                        { "pipeline 2", "pipeline.b_2.x pipeline_name=b" } } },
        { "tables are told apart inside of their pipeline", { "pair 7 3|a|b;pair 8 3|a|c;pair 9 4|a|b" },
                { { "pipeline 3 pair 7", "pipeline.3.pair.a.x source_table=a target_table=b" },
                        { "pipeline 3 pair 8", "pipeline.3.pair.a_8.x source_table=a target_table=c" },
                        { "pipeline 4 pair 9", "pipeline.4.pair.a.x source_table=a target_table=b" } } },
        { "… and so are ids without it", { "pair 7 3|a|b" },
                { { "pair 7", "pair.7.x source_table=a target_table=b" },
                        { "pipeline 4 pair 7", "pipeline.4.pair.7.x source_table=a target_table=b" } } },
        { "a name that is not there any more stays", { "pipeline 3 0|orders|shop", "pipeline 3 0|orders", "" },
                { { "pipeline 3", "pipeline.orders.x pipeline_name=orders channel_name=shop" } } },
};

/* What a restart knows: what was kept. */
static void restart(struct ob_names *n, struct world *w)
{
        ob_name_table_free(&n->table);
        ob_name_book_free(&n->book);
        world_ok(w, ob_name_store_load(w->st, "n", &n->book, &w->err));
        ob_name_table_fill(&n->table, &n->book);
}

static void tell(struct world *w, size_t i, bool is_restarted)
{
        ob_cleanup(free_names) struct ob_names *n = new_names();
        char room[1024];

        for (int64_t r = 0; r < READINGS_MAX && stories[i].readings[r]; r++) {
                size_t known = n->book.n;

                read_all(n, stories[i].readings[r], INT64_MIN, 1000 * (r + 1));
                world_ok(w, ob_name_store_keep(w->st, "n", &n->book, known, &w->err));
                if (is_restarted)
                        restart(n, w);
        }
        for (size_t k = 0; k < SHOWN_MAX && stories[i].shown[k].of; k++) {
                int64_t time = stories[i].shown[k].time ? stories[i].shown[k].time : 9000;
                const char *got = show(n, stories[i].shown[k].of, time, room);

                if (strcmp(got, stories[i].shown[k].want) != 0)
                        fail_msg("%s%s: wanted \"%s\", got \"%s\"", stories[i].promise,
                                is_restarted ? ", with restarts" : "", stories[i].shown[k].want, got);
        }
        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_NAMES, "n", &w->err));
}

static void names_that_come_and_go(void **state)
{
        for (size_t i = 0; i < LENGTH(stories); i++) {
                tell(*state, i, false);
                tell(*state, i, true);
        }
}

static void who_was_told_of_without_a_name_has_it_only_from_then_on(void **state)
{
        ob_cleanup(free_names) struct ob_names *n = new_names();
        char room[1024];

        (void)state;
        read_all(n, "pipeline 1 0|a", INT64_MIN, 1000);
        assert_string_equal(show(n, "pipeline 3", 1500, room), "pipeline.3.x");
        assert_int_equal(n->n_missed, 1);
        assert_string_equal(show(n, "pipeline 3", 1600, room), "pipeline.3.x");
        assert_int_equal(n->n_missed, 1); /* once is enough */
        ob_name_table_miss(&n->table, &n->book, n->missed[0].kind, n->missed[0].id);
        ob_name_table_sort(&n->table);
        read_all(n, "pipeline 1 0|a;pipeline 3 0|c;pipeline 4 0|d", INT64_MIN, 2000);
        assert_string_equal(show(n, "pipeline 3", 1999, room), "pipeline.3.x");
        assert_string_equal(show(n, "pipeline 3", 2000, room), "pipeline.c.x pipeline_name=c");
        assert_string_equal(show(n, "pipeline 4", 1, room), "pipeline.d.x pipeline_name=d");
}

static void kinds_that_were_never_read_are_remembered_as_such(void **state)
{
        ob_cleanup(free_names) struct ob_names *n = new_names();
        char room[1024];

        (void)state;
        n->read_at[OB_NAMED_PIPELINE] = INT64_MIN;
        assert_string_equal(show(n, "pipeline 3", 1, room), "pipeline.3.x");
        assert_true(n->was_told[OB_NAMED_PIPELINE]);
        assert_int_equal(n->n_missed, 0);
}

static void a_sink_gets_what_it_can_use(void **state)
{
        ob_cleanup(free_names) struct ob_names *n = new_names();
        char room[1024];

        (void)state;
        read_all(n, "pipeline 3 0|orders|shop", INT64_MIN, 1000);
        n->wants_labels = false;
        assert_string_equal(show(n, "pipeline 3", 1, room), "pipeline.orders.x");
        n->wants_nodes = false;
        assert_string_equal(show(n, "pipeline 3", 1, room), "pipeline.3.x");
        n->wants_labels = true;
        assert_string_equal(show(n, "pipeline 3", 1, room), "pipeline.3.x pipeline_name=orders channel_name=shop");
        assert_string_equal(show(n, "channel_name x pipeline 3 a 1 b 1 c 1 d 1 e 1 f 1 g 1 h 1 i 1 j 1", 1, room),
                "channel_name.x.pipeline.3.a.1.b.1.c.1.d.1.e.1.f.1.g.1.h.1.i.1.j.1.x"); /* there is no more room */
        assert_string_equal(show(n, "channel_name x pipeline 3", 1, room),
                "channel_name.x.pipeline.3.x pipeline_name=orders"); /* no tag twice */
}

static void who_is_there_and_who_is_gone(void **state)
{
        ob_cleanup(free_names) struct ob_names *n = new_names();
        int64_t id = INT64_MIN, made = 0;

        (void)state;
        assert_int_equal(ob_names_presence(NULL, 1, 1), OB_PRESENCE_UNKNOWN);
        assert_false(ob_names_next_pipeline(NULL, &id, &made));
        read_all(n, "channel 1 0|c;pipeline 1 0|a;pipeline 2 0|b;pipeline 5 0|c;node 1 0|n", INT64_MIN, 1000);
        read_all(n, "channel 1 0|c;pipeline 1 0|a;pipeline 5 0|c;node 1 0|n", INT64_MIN, 2000);
        n->read_at[OB_NAMED_PIPELINE] = 2000;
        assert_int_equal(ob_names_presence(n, 1, 1), OB_PRESENCE_THERE);
        assert_int_equal(ob_names_presence(n, 2, 1999), OB_PRESENCE_GONE);
        assert_int_equal(ob_names_presence(n, 9, 1999), OB_PRESENCE_GONE);
        assert_int_equal(ob_names_presence(n, 9, 2000), OB_PRESENCE_UNKNOWN);
        assert_true(ob_names_next_pipeline(n, &id, &made));
        assert_true(id == 1 && made == 1001);
        assert_true(ob_names_next_pipeline(n, &id, &made));
        assert_true(id == 5 && made == 1005);
        assert_false(ob_names_next_pipeline(n, &id, &made));
        id = INT64_MAX;
        assert_false(ob_names_next_pipeline(n, &id, &made));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                EVERYWHERE(names_that_come_and_go),
                cmocka_unit_test(who_was_told_of_without_a_name_has_it_only_from_then_on),
                cmocka_unit_test(kinds_that_were_never_read_are_remembered_as_such),
                cmocka_unit_test(a_sink_gets_what_it_can_use),
                cmocka_unit_test(who_is_there_and_who_is_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
