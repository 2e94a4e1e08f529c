/* Sessions in turn: a server of the test's that allows so many at once, and threads that want one. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/process/stop.h"
#include "agent/source/mysql/session_turns.h"
#include "proto/memory.h"
#include "tests/unit/loading.h"

#define THREADS   6
#define OFF       " = { enabled = false; }; "
#define NO_TABLES "delay" OFF "throughput" OFF "history" OFF "table" OFF "log" OFF "page" OFF

static atomic_int allowed, open_now, most;

static int open_it(void *session, struct ob_err *err)
{
        int n = ++open_now;

        if (n > allowed) {
                open_now--;
                ob_fail(err, "mysql 1226: too many");
                return 1;
        }
        if (n > most)
                most = n;
        *(bool *)session = true;
        return 0;
}

static void close_it(void *session)
{
        if (*(bool *)session)
                open_now--;
        *(bool *)session = false;
}

static struct ob_session_turns turns;

struct one {
        struct ob_turn turn;
        bool is_open;
        atomic_int worked;
        int rounds, work_ms;
        struct ob_err err;
        pthread_t thread;
};

static struct one ones[THREADS];

static void *work(void *context)
{
        struct one *o = context;

        for (int i = 0; i < o->rounds; i++) {
                if (ob_turn_open(&o->turn, &o->err))
                        return NULL;
                assert_true(o->is_open);
                for (int64_t end = ob_clock_ms() + o->work_ms; ob_clock_ms() < end;)
                        if (ob_turn_is_over(&o->turn))
                                break;
                o->worked++;
                ob_turn_rest(&o->turn);
        }
        return NULL;
}

static void begin(int n)
{
        static const struct ob_manager manager = { .name = "m" };
        static const struct ob_config config = { .names = { .enabled = true } };

        ob_session_turns_init(&turns, &config, &manager);
        turns.needed = THREADS;
        turns.wait_ms = 5000;
        allowed = n;
        open_now = most = 0;
        memset(ones, 0, sizeof(ones));
        for (int i = 0; i < THREADS; i++) {
                ones[i].rounds = 20;
                ones[i].turn = (struct ob_turn) {
                        .turns = &turns, .session = &ones[i].is_open, .open_it = open_it, .close_it = close_it
                };
        }
}

static void start(struct one *o)
{
        assert_int_equal(pthread_create(&o->thread, NULL, work, o), 0);
}

static void end(void)
{
        for (int i = 0; i < THREADS; i++)
                if (ones[i].thread)
                        pthread_join(ones[i].thread, NULL);
        for (int i = 0; i < THREADS; i++)
                ob_turn_close(&ones[i].turn);
        assert_int_equal(open_now, 0);
        assert_int_equal(turns.taken, 0);
        ob_session_turns_fini(&turns);
}

static void all_work_with_however_few(void **state)
{
        static const int cases[] = { 1, 2, 3, THREADS - 1, THREADS };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                begin(cases[i]);
                for (int t = 0; t < THREADS; t++)
                        start(&ones[t]);
                for (int t = 0; t < THREADS; t++) {
                        pthread_join(ones[t].thread, NULL);
                        ones[t].thread = 0;
                        if (ones[t].worked != 20)
                                fail_msg("%d allowed: thread %d worked %d times: %s", cases[i], t, ones[t].worked,
                                        ones[t].err.text);
                }
                assert_true(most <= cases[i]);
                end();
        }
}

static void a_session_that_rests_is_closed_for_one_who_waits(void **state)
{
        (void)state;
        begin(1);
        assert_int_equal(ob_turn_open(&ones[0].turn, &ones[0].err), 0);
        ob_turn_rest(&ones[0].turn);
        assert_true(ones[0].is_open);
        assert_int_equal(ob_turn_open(&ones[1].turn, &ones[1].err), 0);
        assert_false(ones[0].is_open);
        assert_int_equal(ob_session_turns_limit(&turns), 1);
        end();
}

static void alone_nobody_waits_for_oneself(void **state)
{
        (void)state;
        begin(0);
        assert_int_equal(ob_turn_open(&ones[0].turn, &ones[0].err), -1);
        assert_non_null(strstr(ones[0].err.text, "1226"));
        assert_int_equal(ob_session_turns_limit(&turns), 0);
        end();
}

static void waiting_ends_at_its_deadline_and_at_the_stop(void **state)
{
        (void)state;
        begin(1);
        turns.wait_ms = 200;
        assert_int_equal(ob_turn_open(&ones[0].turn, &ones[0].err), 0);
        assert_int_equal(ob_turn_open(&ones[1].turn, &ones[1].err), -1);
        assert_non_null(strstr(ones[1].err.text, "none came free"));
        turns.wait_ms = 60000;
        ones[2].rounds = 1;
        start(&ones[2]);
        ob_session_turns_stop(&turns);
        pthread_join(ones[2].thread, NULL);
        ones[2].thread = 0;
        assert_non_null(strstr(ones[2].err.text, "stops"));
        end();
}

static void who_works_long_gives_way(void **state)
{
        (void)state;
        begin(1);
        turns.hold_ms = 50;
        ones[0].rounds = ones[1].rounds = 1;
        ones[0].work_ms = 60000;
        assert_int_equal(ob_turn_open(&ones[0].turn, &ones[0].err), 0);
        start(&ones[1]);
        work(&ones[0]);
        pthread_join(ones[1].thread, NULL);
        ones[1].thread = 0;
        assert_int_equal(ones[1].worked, 1);
        end();
}

static void more_are_tried_again_until_all_have_one(void **state)
{
        (void)state;
        begin(2);
        turns.raise_ms = 1;
        for (int i = 0; i < 3; i++)
                if (i < 2)
                        assert_int_equal(ob_turn_open(&ones[i].turn, &ones[i].err), 0);
        turns.wait_ms = 100;
        assert_int_equal(ob_turn_open(&ones[2].turn, &ones[2].err), -1);
        assert_int_equal(ob_session_turns_limit(&turns), 2);
        allowed = THREADS;
        for (int i = 2; i < THREADS; i++)
                assert_int_equal(ob_turn_open(&ones[i].turn, &ones[i].err), 0);
        assert_int_equal(open_now, THREADS);
        assert_int_equal(ob_session_turns_limit(&turns), 0);
        end();
}

static void a_refusal_is_told_from_other_limits(void **state)
{
        static const struct {
                unsigned number;
                const char *text;
                bool want;
        } cases[] = {
                { 1040, "mysql 1040: Too many connections", true },
                { 1203, "mysql 1203: User u already has more than 'max_user_connections' active connections",
                        true },
                { 1226, "mysql 1226: User 'u' has exceeded the 'max_user_connections' resource", true },
                { 1226, "mysql 1226: User 'u' has exceeded the 'max_queries_per_hour' resource", false },
                { 1045, "mysql 1045: Access denied for user 'max_user_connections'@'h'", false },
                { 2002, "mysql 2002: Can't connect", false },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                if (ob_session_turns_is_refusal(cases[i].number, cases[i].text) != cases[i].want)
                        fail_msg("%s", cases[i].text);
}

static void a_config_needs_a_session_for_each_worker_that_reads_the_database(void **state)
{
        static const struct {
                struct parts parts;
                unsigned want;
        } cases[] = {
                { { .top = "" }, 6 }, /* delay, throughput, history, table, log, page */
                { { .top = "names = { enabled = false; };" }, 6 },
                { { .sources = "page = { enabled = false; };" }, 5 },
                { { .sources = "log = { enabled = false; };" }, 5 },
                { { .sources = NO_TABLES }, 1 }, /* names */
                { { .sources = NO_TABLES, .top = "names = { enabled = false; };" }, 0 },
                { { .sources = "s = { table = \"T\"; columns = ( ( \"cursor\", \"ID\" ), ( \"value\", \"V\" ) ); };" },
                        7 },
        };

        for (size_t i = 0; i < LENGTH(cases); i++) {
                ob_cleanup(loading_free) struct ob_config *c = loading_must(*state, &cases[i].parts);

                if (ob_session_turns_needed(c) != cases[i].want)
                        fail_msg("case %zu: %u", i, ob_session_turns_needed(c));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_work_with_however_few),
                cmocka_unit_test(a_session_that_rests_is_closed_for_one_who_waits),
                cmocka_unit_test(alone_nobody_waits_for_oneself),
                cmocka_unit_test(waiting_ends_at_its_deadline_and_at_the_stop),
                cmocka_unit_test(who_works_long_gives_way),
                cmocka_unit_test(more_are_tried_again_until_all_have_one),
                cmocka_unit_test(a_refusal_is_told_from_other_limits),
                cmocka_unit_test(a_config_needs_a_session_for_each_worker_that_reads_the_database),
        };

        return cmocka_run_group_tests(tests, loading_set_up, loading_tear_down);
}
