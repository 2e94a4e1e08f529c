/*
 * What the things of one manager are called: its channels, pipelines, pairs of tables and nodes.
 *
 * Ids tell series apart. A name becomes a label, which is a tag on the wires that have tags, and a node of the path
 * where a sink has `path = "names"`.
 *
 * All names stand in a snapshot, which never changes. A reader takes the newest snapshot when it has read a page of
 * rows, makes its points of them, and releases the snapshot. One worker of the manager reads the names again every
 * few minutes and publishes a new snapshot (names/refresh.h).
 *
 * A row that is read twice, after a rewind or by a replay, must make a point of the same series both times: under
 * two names Graphite would count it twice. So a name holds from a time on (`since`, by the database's clock), and a
 * point has the name that holds at its own time. Two rules keep the names of a time the same for ever:
 * - a new name holds from some seconds after its reading on, and is stored and published before that time;
 * - a reader takes the snapshot after it has read its rows, so that none of these rows is younger than the names of
 *   the next snapshot.
 * An id that is not in the snapshot has no name yet. Its points are sent under the id; points from `since` on have
 * the name. Only the first names that are ever read of a kind hold for all the past, since no point was made before
 * them.
 *
 * Any thread may take and release snapshots.
 */
#ifndef OB_SOURCE_NAMES_H
#define OB_SOURCE_NAMES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/process/backoff.h"
#include "agent/process/log_once.h"
#include "agent/process/stop.h"
#include "agent/source/names/name_table.h"
#include "agent/store/store.h"
#include "config/config.h"
#include "proto/metric.h"

struct ob_names;

struct ob_names_snapshot {
        struct ob_names *names; /* the names that this is a snapshot of */
        struct ob_name_table table;
        int64_t pipelines_read_at; /* seconds since 1970, by the database's clock; INT64_MIN: never */
        unsigned users;            /* under the lock: readers, and `newest` */
        uint64_t version;          /* of a published snapshot: above 0, and above that of every earlier one */
};

struct ob_names {
        /* Set before ob_names_open; borrowed. */
        const struct ob_manager *manager;
        struct ob_stop *stop;           /* ends the wait for the first names */
        int every;                      /* seconds from reading to reading */
        bool wants_labels, wants_nodes; /* whether any sink uses them */

        /* Of the worker that reads the names. */
        char *name; /* ours: in the store and the log; no source has this name */
        struct ob_name_book book;
        struct ob_backoff backoff;
        int64_t tried_at, due; /* the last reading and the next one, on ob_clock_ms() */
        bool is_failing, is_refusal_logged;
        struct ob_log_once bad_ids; /* rows that were left out, since their ids are too large */

        pthread_mutex_t lock;
        /* Under the lock. */
        struct ob_names_snapshot *newest;
        uint64_t version;   /* of the newest one */
        bool is_in_use;     /* workers have begun: an id without a name may have been sent */
        bool is_publishing; /* the names that were just read are being stored */

        atomic_bool has_met_new_id; /* a reader met an id above all that have names */
};

/* Loads the names that are stored; `stored` may be the store of another agent. */
int ob_names_open(struct ob_names *n, struct ob_store *stored, struct ob_err *err);

/* Frees everything. No snapshot may be in use any more, and no point with a name. */
void ob_names_close(struct ob_names *n);

/* Waits until the names were read, or could not be read, since the start; at most some seconds. */
void ob_names_wait(struct ob_names *n);

/* The newest snapshot, which the caller releases. NULL when `n` is NULL. */
const struct ob_names_snapshot *ob_names_take(struct ob_names *n);

/* Does nothing to NULL. What ob_names_add has put into a series stays valid until ob_names_close. */
void ob_names_release(const struct ob_names_snapshot *s);

/* For the worker that reads the names: makes `s` the newest snapshot, and `n` its owner. */
void ob_names_publish(struct ob_names *n, struct ob_names_snapshot *s);

/*
 * The functions below take no lock, and do nothing, or answer "unknown", when the snapshot is NULL.
 */

/* 0: there is no snapshot. */
uint64_t ob_names_version(const struct ob_names_snapshot *s);

/*
 * Adds labels and nodes to the ids of a series, as they are at `time`: seconds since 1970. Returns the time since
 * when the ids have their newest names; if it is later than `time`, an id had an older name at `time`.
 */
int64_t ob_names_add(const struct ob_names_snapshot *s, struct ob_series *series, int64_t time);

/* Whether a pipeline exists. */
enum ob_presence { OB_PRESENCE_UNKNOWN, OB_PRESENCE_THERE, OB_PRESENCE_GONE };

/* `seen`: when the pipeline last gave a sign. A pipeline that was added after the names were read is not gone. */
enum ob_presence ob_names_presence(const struct ob_names_snapshot *s, int64_t pipeline, int64_t seen);

/*
 * The existing pipeline with the next higher id, and when it was made (0: not known). Begin with INT64_MIN. False:
 * there is no other.
 */
bool ob_names_next_pipeline(const struct ob_names_snapshot *s, int64_t *pipeline, int64_t *made);

#endif
