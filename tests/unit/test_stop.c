#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/process/clock.h"
#include "agent/process/stop.h"

#define LONG 60000 /* ms: a test that waits so long has failed */

/* A socket that somebody waits on, and its other end. */
struct pair {
        struct ob_stop stop;
        struct ob_stop_socket socket;
        int ends[2];
};

static int set_up(void **state)
{
        static struct pair p;
        struct ob_err err;

        ob_stop_init(&p.stop);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, p.ends) || ob_stop_add_socket(&p.stop, &p.socket, p.ends[0], &err))
                return -1;
        *state = &p;
        return 0;
}

static int tear_down(void **state)
{
        struct pair *p = *state;

        ob_stop_remove_socket(&p->stop, &p->socket);
        ob_stop_remove_socket(&p->stop, &p->socket);
        ob_stop_fini(&p->stop);
        close(p->ends[0]);
        close(p->ends[1]);
        return 0;
}

/* Waits as a library does that knows of nothing: until a byte comes, or the end. */
static ssize_t wait_for_byte(const struct pair *p)
{
        char byte;

        return recv(p->ends[0], &byte, 1, 0);
}

static void let_the_guard_run(void)
{
        poll(NULL, 0, 100);
}

static void a_deadline_ends_a_wait(void **state)
{
        struct pair *p = *state;
        int64_t began = ob_clock_ms();

        assert_true(ob_stop_begin_wait(&p->stop, &p->socket, began + 50));
        assert_int_equal(wait_for_byte(p), 0);
        assert_true(ob_clock_ms() - began >= 50);
        assert_int_equal(p->socket.shut, OB_SHUT_BY_DEADLINE);
}

static void *want_soon(void *arg)
{
        struct pair *p = arg;

        ob_stop_wait(&p->stop, ob_clock_ms() + 50);
        ob_stop_want(&p->stop, ob_clock_ms());
        return NULL;
}

static void a_stop_ends_a_wait_and_forbids_the_next(void **state)
{
        struct pair *p = *state;
        int64_t began = ob_clock_ms();
        pthread_t other;

        assert_true(ob_stop_begin_wait(&p->stop, &p->socket, began + LONG));
        assert_int_equal(pthread_create(&other, NULL, want_soon, p), 0);
        assert_int_equal(wait_for_byte(p), 0);
        pthread_join(other, NULL);
        assert_true(ob_clock_ms() - began < LONG / 2);
        assert_int_equal(p->socket.shut, OB_SHUT_BY_STOP);
        ob_stop_end_wait(&p->stop, &p->socket);
        assert_false(ob_stop_begin_wait(&p->stop, &p->socket, began + LONG));
}

/* One on which nobody waits is left alone, so that its owner may still say goodbye. */
static void what_nobody_waits_on_is_not_shut(void **state)
{
        struct pair *p = *state;

        assert_true(ob_stop_begin_wait(&p->stop, &p->socket, ob_clock_ms() + 50));
        ob_stop_end_wait(&p->stop, &p->socket);
        ob_stop_want(&p->stop, ob_clock_ms());
        let_the_guard_run();
        assert_int_equal(p->socket.shut, OB_SHUT_NOT);
        assert_int_equal(send(p->ends[1], "x", 1, MSG_NOSIGNAL), 1);
        assert_int_equal(wait_for_byte(p), 1);
}

/* A deadline that is sooner than what the guard sleeps for wakes it. */
static void an_earlier_deadline_is_kept(void **state)
{
        struct pair *p = *state;
        struct ob_stop_socket late;
        struct ob_err err;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        assert_int_equal(ob_stop_add_socket(&p->stop, &late, ends[0], &err), 0);
        assert_true(ob_stop_begin_wait(&p->stop, &late, ob_clock_ms() + LONG));
        let_the_guard_run();
        a_deadline_ends_a_wait(state);
        assert_int_equal(late.shut, OB_SHUT_NOT);
        ob_stop_remove_socket(&p->stop, &late);
        close(ends[0]);
        close(ends[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_deadline_ends_a_wait, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_stop_ends_a_wait_and_forbids_the_next, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_nobody_waits_on_is_not_shut, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_earlier_deadline_is_kept, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
