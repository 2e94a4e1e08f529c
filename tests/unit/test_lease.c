/*
 * The lease of a shared state, and the transactions that it guards. Runs on the database of OB_UNIT_STATE_PORT, as
 * all "worlds in memory" do then; see world.h. Without the variable there is nothing to try.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "agent/process/clock.h"
#include "agent/store/state_session.h"
#include "proto/memory.h"
#include "tests/unit/world.h"

#define TAKES "UPDATE leases SET owner = 'another', instance = 1, generation = generation + 1 WHERE unit = 1"

/* A session of somebody else's, with the rights of an agent. */
struct other {
        struct ob_stop never;
        struct ob_state_session session;
};

static void open_other(struct world *w, struct other *o)
{
        ob_stop_init(&o->never);
        o->session = (struct ob_state_session) { .settings = &w->settings, .stop = &o->never };
        world_ok(w, ob_state_session_open(&o->session, &w->err));
}

static void close_other(struct other *o)
{
        ob_state_session_close(&o->session);
        ob_stop_fini(&o->never);
}

static struct ob_state_answer run(struct world *w, struct other *o, const char *sql)
{
        struct ob_state_answer a;

        world_ok(w, ob_state_session_run(&o->session, sql, &a, &w->err));
        return a;
}

/* What somebody else sees: how many batches there are, their last number, and the number that was given last. */
static void assert_batches(struct world *w, const char *n, const char *last, const char *given)
{
        struct other o;
        struct ob_state_answer a;

        open_other(w, &o);
        a = run(w, &o,
                "SELECT COUNT(*), COALESCE(MAX(seq), 0), (SELECT last_batch FROM leases WHERE unit = 1) FROM batches");
        assert_string_equal(a.cells[0], n);
        assert_string_equal(a.cells[1], last);
        assert_string_equal(a.cells[2], given);
        close_other(&o);
}

static int put(struct world *w)
{
        const struct ob_bytes body = world_bytes("12345");

        return ob_store_put_batch(w->st, 10, &body, &w->err);
}

static int put_sink(struct world *w, int64_t acked)
{
        const struct ob_delivery p = { .acked = acked, .sent_upto = acked };

        return ob_store_put_delivery(w->st, "statsd", &p, &w->err);
}

static void take_away(struct world *w)
{
        struct other o;

        open_other(w, &o);
        run(w, &o, TAKES);
        close_other(&o);
}

static void a_former_owner_changes_nothing(void **state)
{
        struct world *w = *state;

        world_ok(w, put(w));
        take_away(w);
        assert_int_equal(put(w), -1);
        assert_non_null(strstr(w->err.text, "lease"));
        assert_int_equal(ob_lease_state(w->lease), OB_LEASE_LOST);
        assert_false(ob_permit_is_valid(&w->lease->permit));
        assert_batches(w, "1", "1", "1");
        assert_int_equal(put(w), -1);
        assert_batches(w, "1", "1", "1");
}

/* An owner that was frozen inside a transaction: the row of the lease is locked, so nobody could take the lease. */
static void a_lease_is_not_taken_inside_a_transaction(void **state)
{
        struct world *w = *state;
        struct other o;
        struct ob_state_answer a;

        open_other(w, &o);
        run(w, &o, "SET SESSION innodb_lock_wait_timeout = 1");
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, put(w));
        assert_int_equal(ob_state_session_run(&o.session, TAKES, &a, &w->err), -1);
        assert_int_equal(o.session.failure, OB_STATE_CONFLICT);
        world_ok(w, ob_store_commit(w->st, &w->err));
        assert_batches(w, "1", "1", "1");
        close_other(&o);
}

/* The commit of a transaction whose owner had lost the lease before it began. */
static void a_transaction_needs_the_lease(void **state)
{
        struct world *w = *state;

        take_away(w);
        assert_int_equal(ob_store_begin(w->st, &w->err), -1);
        assert_int_equal(ob_store_commit(w->st, &w->err), -1);
}

/* Holds a row for longer than a statement waits for it, and then lets it go. */
struct holder {
        struct world *w;
        int64_t until;       /* on ob_clock_ms() */
        sem_t held;          /* posted when the row is held */
        struct ob_stop stop; /* ends the hold earlier */
        pthread_t thread;
};

static void begin_holding(struct holder *h, void *(*work)(void *))
{
        ob_stop_init(&h->stop);
        sem_init(&h->held, 0, 0);
        assert_int_equal(pthread_create(&h->thread, NULL, work, h), 0);
        sem_wait(&h->held);
}

static void end_holding(struct holder *h)
{
        pthread_join(h->thread, NULL);
        sem_destroy(&h->held);
        ob_stop_fini(&h->stop);
}

static void *hold(void *arg)
{
        struct holder *h = arg;
        struct other o;

        open_other(h->w, &o);
        run(h->w, &o, "START TRANSACTION; SELECT acked FROM sinks WHERE unit = 1 AND name = 'statsd' FOR UPDATE");
        sem_post(&h->held);
        ob_stop_wait(&h->stop, h->until);
        run(h->w, &o, "ROLLBACK");
        close_other(&o);
        return NULL;
}

/* The lock is waited for 7 s, a fourth of the lease; then the whole transaction is done again. */
static void a_conflict_repeats_the_whole_transaction(void **state)
{
        struct world *w = *state;
        struct holder h = { .w = w, .until = ob_clock_ms() + 10000 };

        world_ok(w, put_sink(w, 0));
        world_ok(w, put(w));
        begin_holding(&h, hold);
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, put(w));
        world_ok(w, put(w));
        world_ok(w, put_sink(w, 3));
        world_ok(w, put(w));
        world_ok(w, ob_store_commit(w->st, &w->err));
        end_holding(&h);
        assert_true(ob_clock_ms() >= h.until);
        assert_batches(w, "4", "4", "4");
}

/*
 * Another thread of the owner, which puts a batch. Its transaction and that of the test wait for each other, and it
 * is the larger one, so the server rolls the other one back.
 */
static void *put_beside(void *arg)
{
        struct holder *h = arg;
        struct other o;

        open_other(h->w, &o);
        run(h->w, &o,
                "START TRANSACTION; INSERT INTO event_values (unit, source, tag, value, checksum) VALUES (1, 'a', 'a', 'a', 0),"
                " (1, 'a', 'a', 'b', 0), (1, 'a', 'a', 'c', 0), (1, 'a', 'a', 'd', 0), (1, 'a', 'a', 'e', 0),"
                " (1, 'a', 'a', 'f', 0), (1, 'a', 'a', 'g', 0), (1, 'a', 'a', 'h', 0), (1, 'a', 'a', 'i', 0),"
                " (1, 'a', 'a', 'j', 0), (1, 'a', 'a', 'k', 0), (1, 'a', 'a', 'l', 0), (1, 'a', 'a', 'm', 0);"
                "SELECT acked FROM sinks WHERE unit = 1 AND name = 'statsd' FOR UPDATE");
        sem_post(&h->held);
        run(h->w, &o,
                "UPDATE leases SET last_batch = last_batch + 1 WHERE unit = 1;"
                "INSERT INTO batches (unit, seq, points, bytes, body, checksum)"
                " SELECT 1, last_batch, 1, 1, 'x', 0 FROM leases WHERE unit = 1; DELETE FROM batches WHERE unit = 1; COMMIT");
        close_other(&o);
        return NULL;
}

/* Otherwise a sink that has acknowledged the other batch would never send the batch with the same number. */
static void a_number_that_was_given_is_not_given_again(void **state)
{
        struct world *w = *state;
        struct holder h = { .w = w };

        world_ok(w, put_sink(w, 0));
        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, put(w));
        begin_holding(&h, put_beside);
        assert_int_equal(put_sink(w, 3), -1);
        assert_non_null(strstr(w->err.text, "other batches have got the numbers"));
        ob_store_rollback(w->st);
        end_holding(&h);
        world_ok(w, put(w));
        assert_batches(w, "1", "2", "2");
}

/* Puts batches of more bytes than are kept for another try. */
static void put_much(struct world *w)
{
        const struct ob_bytes body = { .data = ob_alloc(15, 1 << 20), .length = 15 << 20 };

        for (int i = 0; i < 5; i++)
                world_ok(w, ob_store_put_batch(w->st, 1, &body, &w->err));
        free(body.data);
}

static void a_large_transaction_is_not_repeated(void **state)
{
        struct world *w = *state;
        struct holder h = { .w = w, .until = INT64_MAX };

        world_ok(w, put_sink(w, 0));
        begin_holding(&h, hold);
        world_ok(w, ob_store_begin(w->st, &w->err));
        put_much(w);
        assert_int_equal(put_sink(w, 3), -1);
        assert_non_null(strstr(w->err.text, "large transaction"));
        ob_store_rollback(w->st);
        ob_stop_want(&h.stop, 0);
        end_holding(&h);
        assert_batches(w, "0", "0", "0");
        world_ok(w, ob_store_begin(w->st, &w->err));
        put_much(w);
        world_ok(w, put_sink(w, 3));
        world_ok(w, ob_store_commit(w->st, &w->err));
        assert_batches(w, "5", "5", "5");
}

static void a_rolled_back_number_is_given_again(void **state)
{
        struct world *w = *state;

        world_ok(w, ob_store_begin(w->st, &w->err));
        world_ok(w, put(w));
        ob_store_rollback(w->st);
        assert_batches(w, "0", "0", "0");
        world_ok(w, put(w));
        assert_int_equal(ob_store_last_put(w->st), 1);
        assert_batches(w, "1", "1", "1");
}

static void the_permission_ends_before_the_lease(void **state)
{
        struct world *w = *state;
        int64_t left = w->lease->permit.until - ob_clock_boot_ms();

        assert_in_range(left, 1, w->settings.lease * 1000 * OB_LEASE_SENDS_PERCENT / 100);
}

/* A process of the same name lives, for example since this one was frozen: it must not keep the lease from others.
 */
static void an_agent_whose_name_was_taken_gives_way(void **state)
{
        struct world *w = *state;
        int64_t deadline =
                ob_clock_ms() + w->settings.lease * 1000 / 2; /* the lease is renewed five times in its time */
        struct other o;

        open_other(w, &o);
        run(w, &o, "UPDATE agents SET instance = 1, expires = expires + 3600000");
        while (ob_lease_state(w->lease) == OB_LEASE_HELD && ob_clock_ms() < deadline)
                ob_stop_wait(&o.never, ob_clock_ms() + 50);
        assert_int_equal(ob_lease_state(w->lease), OB_LEASE_LOST);
        assert_false(ob_permit_is_valid(&w->lease->permit));
        close_other(&o);
}

static void a_closed_lease_is_free(void **state)
{
        struct world *w = *state;
        struct ob_membership second = { .is_open = false };

        ob_store_close(w->st);
        w->st = NULL;
        ob_state_dir_close(&w->state_dir);
        ob_membership_close(&w->membership);
        w->settings.agent = "second";
        world_ok(w, ob_membership_open(&second, &w->settings, &w->manager, 1, &w->err));
        assert_true(ob_membership_wait(&second, ob_clock_ms() + 1000));
        assert_true(second.leases[0].generation > 1);
        ob_membership_close(&second);
}

static void a_copy_has_the_same_batches_and_numbers(void **state)
{
        struct world *w = *state;
        struct ob_stored_batch b = { .seq = 0 };
        struct ob_state_dir copy;

        for (int i = 0; i < 3; i++)
                world_ok(w, put(w));
        world_ok(w, put_sink(w, 2));
        world_ok(w, ob_state_dir_open(&copy, "", &w->err));
        world_ok(w, ob_state_dir_copy_shared(&copy, &w->settings, &w->manager, 1, &w->err));
        assert_int_equal(ob_store_next_batch(copy.anchor, 2, &b, &w->err), 1);
        assert_int_equal(b.seq, 3);
        assert_int_equal(b.body.length, 5);
        world_ok(w, ob_store_put_batch(copy.anchor, 1, &b.body, &w->err));
        assert_int_equal(ob_store_last_put(copy.anchor), 4);
        assert_batches(w, "3", "3", "3");
        ob_stored_batch_free(&b);
        ob_state_dir_close(&copy);
}

#define TRY(test) cmocka_unit_test_setup_teardown(test, world_in_memory, world_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TRY(a_former_owner_changes_nothing),
                TRY(a_lease_is_not_taken_inside_a_transaction),
                TRY(a_transaction_needs_the_lease),
                TRY(a_conflict_repeats_the_whole_transaction),
                TRY(a_number_that_was_given_is_not_given_again),
                TRY(a_large_transaction_is_not_repeated),
                TRY(a_rolled_back_number_is_given_again),
                TRY(the_permission_ends_before_the_lease),
                TRY(an_agent_whose_name_was_taken_gives_way),
                TRY(a_closed_lease_is_free),
                TRY(a_copy_has_the_same_batches_and_numbers),
        };

        if (!getenv("OB_UNIT_STATE_PORT")) {
                print_message("SKIPPED: there is no database\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
