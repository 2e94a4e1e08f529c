/*
 * A live system: managers that behave, writers that do not, until the time is up.
 */
#ifndef FO_RUN_H
#define FO_RUN_H

#include <pthread.h>
#include <stdint.h>

#include "tests/otter/db.h"
#include "tests/otter/link.h"
#include "tests/otter/options.h"
#include "tests/otter/random.h"
#include "tests/otter/stop.h"
#include "tests/otter/world.h"

/* What all workers look at; const but for the stop, which has its own lock. */
struct fo_run {
        const struct fo_options *options;
        const struct fo_world *world;
        struct fo_stop *stop;
};

/* One thread and what is its own; main looks at it again when the thread has ended. */
struct fo_worker {
        const struct fo_run *run;
        pthread_t thread;
        int64_t number; /* among its kind, from 0 */
        struct fo_random random;
        struct fo_link link;
        int64_t rows;
        int64_t rolled_back; /* transactions */
};

/* Runs the whole thing; -1 and db->error when it could not begin. */
int fo_run_until_stopped(struct fo_db *db, const struct fo_options *options);

/* The bodies of the threads. */
void fo_manager_run(struct fo_worker *worker);
void fo_writer_run(struct fo_worker *worker);

#endif
