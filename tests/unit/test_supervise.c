/* When something is called well, troubled, ill or stuck, and what the service manager hears of that. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ops/supervise.h"
#include "agent/process/clock.h"
#include "agent/process/notify.h"
#include "agent/status/draw.h"
#include "proto/memory.h"
#include "tests/unit/folder.h"

#define PATIENCE 60 /* seconds */
#define EVERY    15

/* An agent of one source and one sink, without threads. */
struct agent {
        struct ob_config config;
        struct ob_counters counters, *all;
        struct ob_stop stop;
        struct ob_status_of of;
};

static void begin(struct agent *a)
{
        *a = (struct agent) { .config = { .status = { .patience = PATIENCE }, .queue_max_bytes = 65536 } };
        ob_counters_init(&a->counters, 1, 1);
        a->counters.sources[0].name = ob_copy("s");
        a->counters.sources[0].every_ms = EVERY * 1000;
        a->counters.sinks[0].name = "k";
        a->counters.is_running = true;
        a->all = &a->counters;
        ob_stop_init(&a->stop);
        a->of = (struct ob_status_of) {
                .config = &a->config, .counters = &a->all, .n_counters = 1, .stop = &a->stop
        };
}

static void end(struct agent *a)
{
        ob_counters_fini(&a->counters);
        ob_stop_fini(&a->stop);
}

/* Seconds ago; 0: never, or not. */
static const struct {
        const char *name;
        int polled, failing, overdue;
        bool is_waiting;
        int sink_failing, sink_overdue;
        enum ob_wellness source, sink;
} cases[] = {
        { "just read", .polled = 1 },
        { "a poll missed, patience left", .polled = 2 * EVERY + PATIENCE - 2 },
        { "patience is over", .polled = 2 * EVERY + PATIENCE + 1, .source = OB_ILL },
        { "fails, but is not late", .polled = 20, .failing = 5, .source = OB_TROUBLED },
        { "fails, and is late", .polled = 200, .failing = 190, .source = OB_ILL },
        { "not heard of", .polled = 200, .overdue = 1, .source = OB_STUCK },
        { "not heard of, but it waits for room", .polled = 200, .overdue = 1, .is_waiting = true,
                .source = OB_ILL },
        { "a sink that fails", .polled = 1, .sink_failing = 1, .sink = OB_TROUBLED },
        { "… for as long as patience lasts", .polled = 1, .sink_failing = PATIENCE - 2, .sink = OB_TROUBLED },
        { "… and longer", .polled = 1, .sink_failing = PATIENCE + 1, .sink = OB_ILL },
        { "a sink not heard of", .polled = 1, .sink_overdue = 1, .sink = OB_STUCK },
        { "both", .polled = 300, .sink_failing = 300, .source = OB_ILL, .sink = OB_ILL },
};

static void set(struct agent *a, size_t i)
{
        struct ob_source_counters *s = &a->counters.sources[0];
        struct ob_sink_counters *k = &a->counters.sinks[0];

        s->polled_at = ob_clock_ms() - cases[i].polled * 1000;
        s->health.failing_since = cases[i].failing ? ob_clock_ms() - cases[i].failing * 1000 : 0;
        s->health.due = cases[i].overdue ? ob_clock_ms() - cases[i].overdue * 1000 : 0;
        s->health.is_waiting = cases[i].is_waiting;
        k->health.failing_since = cases[i].sink_failing ? ob_clock_ms() - cases[i].sink_failing * 1000 : 0;
        k->health.due = cases[i].sink_overdue ? ob_clock_ms() - cases[i].sink_overdue * 1000 : 0;
}

static void what_is_called_how(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_bytes text = { .length = 0 };
                struct agent a;
                struct ob_view v;

                begin(&a);
                set(&a, i);
                ob_view_take(&v, &a.of);
                if (v.sources[0].well != cases[i].source || v.sinks[0].well != cases[i].sink)
                        fail_msg("%s: source %s, sink %s", cases[i].name, ob_wellness_word(v.sources[0].well),
                                ob_wellness_word(v.sinks[0].well));
                ob_status_health(&v, &text);
                ob_bytes_add(&text, "", 1);
                assert_int_equal(!strncmp((char *)text.data, "ill\n", 4),
                        cases[i].source >= OB_ILL || cases[i].sink >= OB_ILL);
                assert_int_equal(strstr((char *)text.data, "source s is ") != NULL, cases[i].source > OB_WELL);
                assert_int_equal(strstr((char *)text.data, "sink k is ") != NULL, cases[i].sink > OB_WELL);
                ob_bytes_free(&text);
                ob_view_free(&v);
                end(&a);
        }
}

static int listen_in(const char *folder)
{
        ob_cleanup(ob_free_at) char *path = ob_format("%s/notify", folder);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

        snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
        unlink(path);
        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        setenv("NOTIFY_SOCKET", path, 1);
        setenv("WATCHDOG_USEC", "8000000", 1);
        return fd;
}

/* What is logged goes to a pipe; its text, up to now. */
static void logged(int reading, char text[4096])
{
        ssize_t n = read(reading, text, 4095);

        text[n > 0 ? n : 0] = '\0';
}

/* Also where no service manager listens: the log is what there is to read. */
static void that_a_thread_is_stuck_is_logged_once(void **state)
{
        int ends[2], before = dup(STDERR_FILENO);
        struct ob_supervise s = { .beat_at = 0 };
        char text[4096];
        struct agent a;

        (void)state;
        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
        dup2(ends[1], STDERR_FILENO);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                bool is_stuck = cases[i].source == OB_STUCK || cases[i].sink == OB_STUCK;

                begin(&a);
                set(&a, i);
                ob_supervise_tick(&s, &a.of);
                logged(ends[0], text);
                assert_int_equal(strstr(text, " error event=stuck why=") != NULL, is_stuck);
                ob_supervise_tick(&s, &a.of);
                logged(ends[0], text);
                assert_string_equal(text, "");
                end(&a);
        }
        dup2(before, STDERR_FILENO);
        close(before);
        close(ends[0]);
        close(ends[1]);
}

/* The watchdog hears nothing only when a thread is stuck. */
static void the_watchdog_hears_of_threads_not_of_the_world(void **state)
{
        int fd = listen_in(*state);

        if (!ob_notify_is_wanted())
                skip(); /* built without libsystemd */
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct ob_supervise s = { .beat_at = 0 };
                bool is_fed = false, is_told = false;
                char heard[1024];
                struct agent a;
                ssize_t n;

                begin(&a);
                set(&a, i);
                s.beat_at = ob_clock_ms() - 8000;
                ob_supervise_tick(&s, &a.of);
                while ((n = recv(fd, heard, sizeof(heard) - 1, 0)) > 0) {
                        heard[n] = '\0';
                        is_fed |= !strcmp(heard, "WATCHDOG=1");
                        is_told |= !strncmp(heard, "STATUS=", 7);
                }
                if (is_fed != (cases[i].source != OB_STUCK && cases[i].sink != OB_STUCK))
                        fail_msg("%s: %s", cases[i].name, is_fed ? "fed" : "not fed");
                assert_true(is_told);
                end(&a);
        }
        close(fd);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_called_how),
                cmocka_unit_test(that_a_thread_is_stuck_is_logged_once),
                cmocka_unit_test(the_watchdog_hears_of_threads_not_of_the_world),
        };

        return cmocka_run_group_tests(tests, folder_set_up, folder_tear_down);
}
