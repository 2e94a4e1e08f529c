/*
 * What things are called, as one reading after another says, and what series get of it. A reading is a text: rows
 * with a ';', in a row kind, id, pipeline and texts with a '|', as "pair 7 3|a.b|c.d".
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source/names/name_store.h"
#include "agent/source/names/names.h"
#include "agent/source/names/refresh.h"
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

/* What is new, but at first, holds from `since` on. */
static void read_all(struct ob_names *n, const char *rows, bool is_first, int64_t since)
{
        ob_cleanup(ob_free_at) char *text = ob_copy(rows);
        struct ob_name_table *table = &n->newest->table;
        size_t known = n->book.n;
        char *rest = text, *one;

        while ((one = strsep(&rest, ";"))) {
                struct ob_name_row row;

                if (!*one)
                        continue;
                read_row(one, &row);
                ob_name_table_row(table, &n->book, &row, is_first);
        }
        for (enum ob_named_kind kind = 0; kind < OB_NAMED_KINDS; kind++)
                ob_name_table_end(table, kind);
        ob_name_table_sort(table);
        ob_name_book_date(&n->book, known, since);
}

static const struct ob_manager manager = { .name = "m" };

static struct ob_names *open_names(struct world *w)
{
        struct ob_names *n = ob_alloc(1, sizeof(*n));

        n->manager = &manager;
        n->wants_labels = n->wants_nodes = true;
        world_ok(w, ob_names_open(n, w->st, &w->err));
        return n;
}

static void close_names(struct ob_names **n)
{
        ob_names_close(*n);
        free(*n);
}

/* "pipeline 3 pair 7": a series of these, as a path of names and then its labels. */
static const char *show(const struct ob_names *n, const char *of, int64_t time, char room[1024])
{
        struct ob_series s = { .name = "x" };
        struct ob_text text = ob_text_over(room, 1023);
        ob_cleanup(ob_free_at) char *words = ob_copy(of);
        char *rest = words, *key;

        while ((key = strsep(&rest, " ")))
                s.tags[s.n_tags++] = (struct ob_tag) { key, strsep(&rest, " ") };
        s.n_identity = s.n_tags;
        ob_names_add(n->newest, &s, time);
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

static void tell(struct world *w, size_t i, bool is_restarted)
{
        struct ob_names *n = open_names(w);
        char room[1024];

        for (int64_t r = 0; r < READINGS_MAX && stories[i].readings[r]; r++) {
                size_t known = n->book.n;

                read_all(n, stories[i].readings[r], !r, 1000 * (r + 1));
                world_ok(w, ob_name_store_keep(w->st, n->manager->name, &n->book, known, &w->err));
                if (is_restarted) {
                        close_names(&n);
                        n = open_names(w);
                }
        }
        for (size_t k = 0; k < SHOWN_MAX && stories[i].shown[k].of; k++) {
                int64_t time = stories[i].shown[k].time ? stories[i].shown[k].time : 9000;
                const char *got = show(n, stories[i].shown[k].of, time, room);

                if (strcmp(got, stories[i].shown[k].want) != 0)
                        fail_msg("%s%s: wanted \"%s\", got \"%s\"", stories[i].promise,
                                is_restarted ? ", with restarts" : "", stories[i].shown[k].want, got);
        }
        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_NAMES, manager.name, &w->err));
        close_names(&n);
}

static void names_that_come_and_go(void **state)
{
        for (size_t i = 0; i < LENGTH(stories); i++) {
                tell(*state, i, false);
                tell(*state, i, true);
        }
}

/* The database's clock may go back: then a name holds no earlier than the one that it replaces. */
static void names_hold_in_the_order_in_which_they_were_read(void **state)
{
        ob_cleanup(close_names) struct ob_names *n = open_names(*state);
        char room[1024];

        read_all(n, "pipeline 1 0|a", true, 1000);
        read_all(n, "pipeline 1 0|b", false, 3000);
        read_all(n, "pipeline 1 0|c", false, 2000);
        assert_string_equal(show(n, "pipeline 1", 2999, room), "pipeline.a.x pipeline_name=a");
        assert_string_equal(show(n, "pipeline 1", 3000, room), "pipeline.c.x pipeline_name=c");
}

/* Only an id above all known ones asks for a reading: the others were deleted, and no reading would help. */
static void a_new_id_asks_for_names(void **state)
{
        ob_cleanup(close_names) struct ob_names *n = open_names(*state);
        char room[1024];

        n->tried_at = 1000;
        n->due = 300000;
        show(n, "pipeline 9", 1, room);
        assert_int_equal(ob_names_refresh_due(n), 300000); /* no pipeline could be read at all */
        read_all(n, "pipeline 4 0|a;pipeline 6 0|a", true, 1000);
        show(n, "pipeline 3 pair 9", 1, room);
        show(n, "pipeline 5", 1, room);
        assert_int_equal(ob_names_refresh_due(n), 300000);
        show(n, "pipeline 7", 1, room);
        assert_int_equal(ob_names_refresh_due(n), 61000);
        n->due = 2000;
        assert_int_equal(ob_names_refresh_due(n), 2000);
}

static void a_snapshot_stays_as_it_is_until_its_last_reader_releases_it(void **state)
{
        ob_cleanup(close_names) struct ob_names *n = open_names(*state);
        const struct ob_names_snapshot *first = ob_names_take(n), *again = ob_names_take(n);
        struct ob_names_snapshot *next = ob_alloc(1, sizeof(*next));

        assert_ptr_equal(first, again);
        assert_int_equal(first->users, 3);
        *next = (struct ob_names_snapshot) { .names = n, .pipelines_read_at = 7 };
        ob_names_publish(n, next);
        assert_int_equal(first->users, 2);
        assert_true(first->pipelines_read_at == INT64_MIN);
        ob_names_release(first);
        assert_int_equal(again->users, 1);
        ob_names_release(again);
        again = ob_names_take(n);
        assert_ptr_equal(again, next);
        ob_names_release(again);
        assert_null(ob_names_take(NULL));
        ob_names_release(NULL);
}

static void a_sink_gets_what_it_can_use(void **state)
{
        ob_cleanup(close_names) struct ob_names *n = open_names(*state);
        char room[1024];

        read_all(n, "pipeline 3 0|orders|shop", true, 1000);
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
        ob_cleanup(close_names) struct ob_names *n = open_names(*state);
        int64_t id = INT64_MIN, made = 0;

        assert_int_equal(ob_names_presence(NULL, 1, 1), OB_PRESENCE_UNKNOWN);
        assert_false(ob_names_next_pipeline(NULL, &id, &made));
        read_all(n, "channel 1 0|c;pipeline 1 0|a;pipeline 2 0|b;pipeline 5 0|c;node 1 0|n", true, 1000);
        read_all(n, "channel 1 0|c;pipeline 1 0|a;pipeline 5 0|c;node 1 0|n", false, 2000);
        n->newest->pipelines_read_at = 2000;
        assert_int_equal(ob_names_presence(n->newest, 1, 1), OB_PRESENCE_THERE);
        assert_int_equal(ob_names_presence(n->newest, 2, 1999), OB_PRESENCE_GONE);
        assert_int_equal(ob_names_presence(n->newest, 9, 1999), OB_PRESENCE_GONE);
        assert_int_equal(ob_names_presence(n->newest, 9, 2000), OB_PRESENCE_UNKNOWN);
        assert_true(ob_names_next_pipeline(n->newest, &id, &made));
        assert_true(id == 1 && made == 1001);
        assert_true(ob_names_next_pipeline(n->newest, &id, &made));
        assert_true(id == 5 && made == 1005);
        assert_false(ob_names_next_pipeline(n->newest, &id, &made));
        id = INT64_MAX;
        assert_false(ob_names_next_pipeline(n->newest, &id, &made));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                EVERYWHERE(names_that_come_and_go),
                EVERYWHERE(names_hold_in_the_order_in_which_they_were_read),
                EVERYWHERE(a_new_id_asks_for_names),
                EVERYWHERE(a_snapshot_stays_as_it_is_until_its_last_reader_releases_it),
                EVERYWHERE(a_sink_gets_what_it_can_use),
                EVERYWHERE(who_is_there_and_who_is_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
