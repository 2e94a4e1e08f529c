#include "tests/otter/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/memory.h"

/* A server that answers nothing for so long is as good as gone. Longer than a lock wait. */
enum { ANSWER_SECONDS = 20 };

/* Each master's writers have numbers, and so pairs, of their own: nobody updates another one's rows. */
enum { WRITERS_MAX = 500 };

struct role {
        const char *name;
        const char *isolation;
        void *(*body)(void *worker);
};

static void *manage(void *worker)
{
        fo_manager_run(worker);
        return NULL;
}

static void *write_rows(void *worker)
{
        fo_writer_run(worker);
        return NULL;
}

/* Otter's connections are as the server makes them. */
static const struct role manager = {
        .name = "manager",
        .isolation = "repeatable read",
        .body = manage,
};

/* Held transactions must lock their own rows only, not the gaps others insert into. */
static const struct role writer = {
        .name = "writer",
        .isolation = "read committed",
        .body = write_rows,
};

static void start(struct fo_worker *worker, const struct fo_run *run, const struct role *role,
        const struct fo_where *where, int64_t number)
{
        const struct fo_options *options = run->options;

        *worker = (struct fo_worker) {
                .run = run,
                .number = number,
                .random.state = fo_random_mix((uint64_t)options->seed,
                        (uint64_t)role->name[0], (uint64_t)number),
                .link = {
                        .where = where,
                        .stop = run->stop,
                        .role = role->name,
                        .isolation = role->isolation,
                        .number = number,
                        .masters = options->masters,
                        .master = options->master,
                },
        };
        if (pthread_create(&worker->thread, NULL, role->body, worker)) {
                fputs("fake-otter: no more threads\n", stderr);
                abort();
        }
}

/* Until SIGTERM or SIGINT, which are blocked in all threads, or until the time is up. */
static void wait_for_the_end(const sigset_t *signals, double seconds)
{
        int64_t deadline = fo_clock_after(seconds);
        int64_t left = deadline - fo_clock_now();
        struct timespec timeout;

        while (seconds <= 0 || left > 0) {
                timeout.tv_sec = (time_t)(left / FO_SECOND);
                timeout.tv_nsec = (long)(left % FO_SECOND);
                if (sigtimedwait(signals, NULL, seconds > 0 ? &timeout : NULL) > 0)
                        return;
                left = deadline - fo_clock_now();
        }
}

static void join_all(struct fo_worker *workers, int64_t count)
{
        int64_t rows = 0;
        int64_t rolled_back = 0;
        int64_t breaks = 0;

        for (int64_t i = 0; i < count; i++) {
                pthread_join(workers[i].thread, NULL);
                rows += workers[i].rows;
                rolled_back += workers[i].rolled_back;
                breaks += workers[i].link.breaks;
        }
        fprintf(stderr, "event=done rows=%" PRId64 " rolled_back=%" PRId64 " breaks=%" PRId64 "\n", rows,
                rolled_back, breaks);
}

static void work(const struct fo_run *run, const struct fo_where *where, const sigset_t *signals)
{
        const struct fo_options *options = run->options;
        int64_t count = options->managers + options->writers;
        struct fo_worker *workers = ob_alloc((size_t)count, sizeof(*workers));

        for (int64_t i = 0; i < options->managers; i++)
                start(&workers[i], run, &manager, where, i);
        for (int64_t i = 0; i < options->writers; i++)
                start(&workers[options->managers + i], run, &writer, where, i + WRITERS_MAX * options->master);
        wait_for_the_end(signals, options->seconds);
        fo_stop_set(run->stop);
        join_all(workers, count);
        free(workers);
}

int fo_run_until_stopped(struct fo_db *db, const struct fo_options *options)
{
        struct fo_where where = options->where;
        struct fo_world world = {
                .seed = (uint64_t)options->seed, .pipelines = options->pipelines, .tables = options->tables
        };
        struct fo_stop stop;
        struct fo_run run = { .options = options, .world = &world, .stop = &stop };
        sigset_t signals;

        where.answer_seconds = ANSWER_SECONDS;
        if (fo_world_complete(&world, db))
                return -1;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        fo_stop_init(&stop);
        work(&run, &where, &signals);
        fo_stop_fini(&stop);
        return 0;
}
