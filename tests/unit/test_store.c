/* The words of the store, each tried on disk and in memory. */
#include <stdlib.h>
#include <string.h>

#include "proto/memory.h"
#include "proto/number.h"
#include "tests/unit/world.h"

static void a_source_stands_where_it_was_put(void **state)
{
        struct world *w = *state;
        struct ob_checkpoint put = { .cursor = -7, .since = INT64_MIN, .newest = INT64_MAX }, got;

        memset(put.identity, 'i', sizeof(put.identity) - 1);
        world_ok(w, ob_store_get_checkpoint(w->st, "delay", &got, &w->err));
        assert_false(got.known);

        world_ok(w, ob_store_put_checkpoint(w->st, "delay", &put, &w->err));
        world_ok(w, ob_store_get_checkpoint(w->st, "delay", &got, &w->err));
        assert_true(got.known && got.cursor == -7 && got.since == INT64_MIN && got.newest == INT64_MAX);
        assert_string_equal(got.identity, put.identity);

        put.cursor = 8;
        world_ok(w, ob_store_put_checkpoint(w->st, "delay", &put, &w->err));
        world_ok(w, ob_store_get_checkpoint(w->st, "delay", &got, &w->err));
        assert_int_equal(got.cursor, 8);
        world_ok(w, ob_store_get_checkpoint(w->st, "shop/delay", &got, &w->err));
        assert_false(got.known);
}

static void a_chunk_keeps_its_bits(void **state)
{
        static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
        struct world *w = *state;
        struct ob_chunk put, got;

        for (size_t i = 0; i < LENGTH(numbers); i++) {
                world_ok(w, ob_store_get_chunk(w->st, "log", numbers[i], &got, &w->err));
                put = (struct ob_chunk) { .number = numbers[i] };
                assert_memory_equal(&got, &put, sizeof(got));

                put.newest = 1587312000;
                put.bits[0] = (unsigned char)(i + 1);
                put.bits[OB_CHUNK_IDS / 8 - 1] = 0x80;
                world_ok(w, ob_store_put_chunk(w->st, "log", &put, &w->err));
                world_ok(w, ob_store_get_chunk(w->st, "log", numbers[i], &got, &w->err));
                assert_memory_equal(&got, &put, sizeof(got));
                world_ok(w, ob_store_get_chunk(w->st, "delay", numbers[i], &got, &w->err));
                assert_int_equal(got.newest, 0);
        }
}

/* Chunks 3, 5 and 9 of one source, and one of another. */
static void put_chunks(struct world *w)
{
        static const struct ob_chunk chunks[] = {
                { .number = 3, .newest = 100 },
                { .number = 5, .newest = 300 },
                { .number = 9, .newest = 200 },
        };

        for (size_t i = 0; i < LENGTH(chunks); i++)
                world_ok(w, ob_store_put_chunk(w->st, "log", &chunks[i], &w->err));
        world_ok(w, ob_store_put_chunk(w->st, "delay", &(struct ob_chunk) { .number = 1, .newest = 900 }, &w->err));
}

static const struct {
        int64_t time, want; /* 0: there is none */
} since_cases[] = {
        { INT64_MIN, 3 },
        { 100, 3 },
        { 101, 5 },
        { 200, 5 },
        { 201, 5 },
        { 300, 5 },
        { 301, 0 },
};

static void the_first_chunk_since_a_time_is_found(void **state)
{
        struct world *w = *state;
        int64_t number;

        put_chunks(w);
        for (size_t i = 0; i < LENGTH(since_cases); i++) {
                number = 0;
                assert_int_equal(ob_store_first_chunk_since(w->st, "log", since_cases[i].time, &number, &w->err),
                        since_cases[i].want != 0);
                assert_int_equal(number, since_cases[i].want);
        }
}

static const struct {
        int (*forget)(struct ob_store *st, const char *source, int64_t number, struct ob_err *err);
        int64_t number;
        bool has_3, has_5, has_9;
} forget_cases[] = {
        { ob_store_forget_chunks_from, 10, true, true, true },
        { ob_store_forget_chunks_from, 6, true, true, false },
        { ob_store_forget_chunks_from, 5, true, false, false },
        { ob_store_forget_chunks_from, INT64_MIN, false, false, false },
        { ob_store_forget_chunks_below, 3, true, true, true },
        { ob_store_forget_chunks_below, 5, false, true, true },
        { ob_store_forget_chunks_below, 6, false, false, true },
        { ob_store_forget_chunks_below, INT64_MAX, false, false, false },
};

static bool has_chunk(struct world *w, const char *source, int64_t number)
{
        struct ob_chunk c;

        world_ok(w, ob_store_get_chunk(w->st, source, number, &c, &w->err));
        return c.newest;
}

static void chunks_are_forgotten_from_or_below(void **state)
{
        struct world *w = *state;

        for (size_t i = 0; i < LENGTH(forget_cases); i++) {
                put_chunks(w);
                world_ok(w, forget_cases[i].forget(w->st, "log", forget_cases[i].number, &w->err));
                assert_int_equal(has_chunk(w, "log", 3), forget_cases[i].has_3);
                assert_int_equal(has_chunk(w, "log", 5), forget_cases[i].has_5);
                assert_int_equal(has_chunk(w, "log", 9), forget_cases[i].has_9);
                assert_true(has_chunk(w, "delay", 1));
        }
}

/* The totals as one text: "key id amounts;". */
static int note_state(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        char **said = ctx,
             *longer = ob_format("%s%s %lld;", *said, (const char *)row[1].data, (long long)row[2].number);

        (void)err;
        free(*said);
        *said = longer;
        return 0;
}

/* The table of states stands for all tables of typed rows. */
static void put_state(struct world *w, const char *source, const char *pipeline, int64_t state)
{
        world_ok(w, OB_PUT_ROW(w->st, OB_TABLE_PIPELINE_STATES, &w->err, ob_value_text(source),
                            ob_value_text(pipeline), ob_value_number(state)));
}

static void assert_states(struct world *w, const char *source, const char *want)
{
        ob_cleanup(ob_free_at) char *said = ob_copy("");

        world_ok(w, ob_store_each_row(w->st, OB_TABLE_PIPELINE_STATES, source, note_state, &said, &w->err));
        assert_string_equal(said, want);
}

static void rows_are_kept_by_key(void **state)
{
        struct world *w = *state;

        assert_states(w, "table", "");
        put_state(w, "table", "1/2", 7);
        put_state(w, "table", "1/3", -8);
        put_state(w, "other", "1/2", 9);
        put_state(w, "table", "", INT64_MAX);
        assert_states(w, "table", " 9223372036854775807;1/2 7;1/3 -8;");
        put_state(w, "table", "1/2", 10);
        assert_states(w, "table", " 9223372036854775807;1/2 10;1/3 -8;");
        assert_states(w, "other", "1/2 9;");
}

static int refuse(void *ctx, const struct ob_value *row, struct ob_err *err)
{
        ++*(int *)ctx;
        return ob_fail(err, "%s is refused", (const char *)row[1].data);
}

static void whoever_reads_rows_may_end_it(void **state)
{
        struct world *w = *state;
        int called = 0;

        put_state(w, "table", "a", 1);
        put_state(w, "table", "b", 2);
        assert_int_equal(ob_store_each_row(w->st, OB_TABLE_PIPELINE_STATES, "table", refuse, &called, &w->err), -1);
        assert_int_equal(called, 1);
        assert_string_equal(w->err.text, "a is refused");
        assert_states(w, "table", "a 1;b 2;");
}

static void forgotten_rows_leave_the_others(void **state)
{
        const struct ob_value key[] = { ob_value_text("delay"), ob_value_text("a") };
        struct world *w = *state;

        put_state(w, "log", "a", 1);
        put_state(w, "log", "b", 1);
        put_state(w, "delay", "a", 2);
        put_state(w, "delay", "b", 3);
        world_ok(w, ob_store_forget_rows(w->st, OB_TABLE_PIPELINE_STATES, "log", &w->err));
        assert_states(w, "log", "");
        assert_states(w, "delay", "a 2;b 3;");
        world_ok(w, ob_store_forget_row(w->st, OB_TABLE_PIPELINE_STATES, key, &w->err));
        assert_states(w, "delay", "b 3;");
}

static void what_is_rolled_back_never_was(void **state)
{
        struct world *w = *state;

        put_state(w, "table", "a", 1);
        world_ok(w, ob_store_begin(w->st, &w->err));
        put_state(w, "table", "a", 2);
        put_state(w, "table", "b", 3);
        ob_store_rollback(w->st);
        assert_states(w, "table", "a 1;");
        ob_store_rollback(w->st);

        world_ok(w, ob_store_begin(w->st, &w->err));
        put_state(w, "table", "a", 4);
        world_ok(w, ob_store_commit(w->st, &w->err));
        assert_states(w, "table", "a 4;");
}

static void connections_see_each_others_commits(void **state)
{
        struct world *w = *state;
        struct ob_store *mine = w->st, *other = ob_store_open(&w->state_dir, &w->err);

        assert_non_null(other);
        world_ok(w, ob_store_begin(mine, &w->err));
        put_state(w, "table", "a", 1);
        w->st = other;
        if (w->folder) /* memory has no snapshots: a reader would have to wait */
                assert_states(w, "table", "");
        world_ok(w, ob_store_commit(mine, &w->err));
        assert_states(w, "table", "a 1;");
        w->st = mine;
        ob_store_close(other);
}

static void closing_nothing_is_nothing(void **state)
{
        (void)state;
        ob_store_close(NULL);
}

static void when_the_database_changed_is_kept_of_each_source(void **state)
{
        const struct ob_checkpoint log = { .changed = 1587312060 }, delay = { .cursor = 7 };
        struct world *w = *state;
        struct ob_checkpoint got;

        world_ok(w, ob_store_put_checkpoint(w->st, "log", &log, &w->err));
        world_ok(w, ob_store_put_checkpoint(w->st, "delay", &delay, &w->err));
        world_ok(w, ob_store_rewind_source(w->st, "log", 5, 6, &w->err)); /* a rewind does not change that */
        world_ok(w, ob_store_get_checkpoint(w->st, "log", &got, &w->err));
        assert_int_equal(got.changed, 1587312060);
        world_ok(w, ob_store_get_checkpoint(w->st, "delay", &got, &w->err));
        assert_int_equal(got.changed, 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                EVERYWHERE(a_source_stands_where_it_was_put),
                EVERYWHERE(a_chunk_keeps_its_bits),
                EVERYWHERE(the_first_chunk_since_a_time_is_found),
                EVERYWHERE(chunks_are_forgotten_from_or_below),
                EVERYWHERE(when_the_database_changed_is_kept_of_each_source),
                EVERYWHERE(rows_are_kept_by_key),
                EVERYWHERE(whoever_reads_rows_may_end_it),
                EVERYWHERE(forgotten_rows_leave_the_others),
                EVERYWHERE(what_is_rolled_back_never_was),
                EVERYWHERE(connections_see_each_others_commits),
                cmocka_unit_test(closing_nothing_is_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
