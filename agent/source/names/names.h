/*
 * What a manager's things are called, for all who tell of them: read at first, every few minutes, and when an id
 * comes up that was never heard of, but for that at most once a minute. One thread reads and writes; any other may
 * ask.
 *
 * Ids tell series apart. Names become labels, which is a tag on the wires that have tags, and nodes of paths where
 * a sink wants those. What was read stays known when it can't be read any more, also by the next start.
 */
#ifndef OB_SOURCE_NAMES_H
#define OB_SOURCE_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/backoff.h"
#include "agent/process/log_once.h"
#include "agent/process/stop.h"
#include "agent/source/mysql/session.h"
#include "agent/source/names/name_table.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/metric.h"

#define OB_NAMES_MISSED 256

struct ob_names {
        /* Set before the start; borrowed. */
        const struct ob_manager *manager;
        struct ob_state_dir *state_dir;
        struct ob_session_turns *turns; /* of the manager's sessions */
        struct ob_stop *stop;           /* ends waits for the database */
        int every;                      /* seconds */
        bool wants_labels, wants_nodes;

        /* The thread's own. */
        char *name; /* ours: in the store and the log; no source can be called so */
        struct ob_store *store;
        struct ob_session session;
        struct ob_name_book book;
        struct ob_backoff backoff;
        bool is_failing, is_refusal_told;
        struct ob_log_once bad_ids; /* rows left out, whose ids are too large */
        pthread_t thread;

        /* Everybody's, under the lock. */
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct ob_name_table table;
        int64_t read_at[OB_NAMED_KINDS]; /* by the database's clock; INT64_MIN: never */
        bool was_told[OB_NAMED_KINDS];   /* something of a kind was told of before it could be read */
        struct ob_names_missed {
                enum ob_named_kind kind;
                int64_t id;
        } missed[OB_NAMES_MISSED]; /* told of without a name since the last reading */
        size_t n_missed;
        uint64_t tries;  /* how often it was read, or could not be */
        int64_t may_ask; /* ob_clock_ms(): from then on somebody may ask for a reading out of turn */
        bool is_asked, is_stopping;
        bool is_settled; /* a new table is about to come: nothing can be missed before */
};

/* Loads what is kept, from a store that may be another one's, then reads on. */
int ob_names_start(struct ob_names *n, struct ob_store *kept, struct ob_err *err);

/* For the thread: one reading, and telling what went wrong. Returns when to do so again, on ob_clock_ms(). */
int64_t ob_names_read(struct ob_names *n);

/* Waits for the thread; frees what it had. Nobody may ask any more. */
void ob_names_stop(struct ob_names *n);

/* Waits until it was tried to read names, but not for long. */
void ob_names_wait(struct ob_names *n);

/* Adds the labels and nodes of what a series is of, at a time. They live as long as `n`, which may be NULL. */
void ob_names_add(struct ob_names *n, struct ob_series *series, int64_t time);

/* What a pipeline is known to be. */
enum ob_presence { OB_PRESENCE_UNKNOWN, OB_PRESENCE_THERE, OB_PRESENCE_GONE };

/* `seen`: when there was a sign of it. One that was added since the names were read is not gone. */
enum ob_presence ob_names_presence(struct ob_names *n, int64_t pipeline, int64_t seen);

/* The next pipeline that is there, in order of ids, and when it was made (0: not known). False: that was all. */
bool ob_names_next_pipeline(struct ob_names *n, int64_t *pipeline, int64_t *made);

#endif
