/*
 * What there is to be synchronised: channels of (mostly) two pipelines, pipelines of `tables` pairs, all
 * numbered from 1 without gaps. Const once made, so every thread may look at it; what changes
 * over time (who is idle, who reports to whom) is computed from the seed, not stored.
 */
#ifndef FO_WORLD_H
#define FO_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/otter/db.h"
#include "tests/otter/random.h"
#include "tests/otter/rows.h"

struct fo_world {
        uint64_t seed;
        int64_t pipelines;
        int64_t tables; /* of each pipeline */
        int64_t share;  /* pipelines of each channel */
};

/* One batch of one pair, loaded by a node. */
struct fo_batch {
        struct fo_history row; /* its counts, and when it was selected and loaded */
        int64_t bytes;         /* of its rows, in the binlog */
        int64_t delay_ms;
};

/* Fills in what is 0: as many pipelines and tables as the database has names for. */
int fo_world_complete(struct fo_world *world, struct fo_db *db);

/* So many pipelines are shared out among so many channels (0: one for two of them). */
void fo_world_share(struct fo_world *world, int64_t pipelines, int64_t channels);

int64_t fo_world_pairs(const struct fo_world *world);
int64_t fo_world_pipeline_of(const struct fo_world *world, int64_t pair);
int64_t fo_world_channel_of(const struct fo_world *world, int64_t pipeline);
int64_t fo_world_any_pipeline(const struct fo_world *world, struct fo_random *random);

/* A pair that only this writer counts up, outside of the numbered ones (and without a name). */
int64_t fo_world_pair_of_writer(int64_t writer);

/* The batches that all pairs together have in a minute. */
int64_t fo_world_batches(const struct fo_world *world);

/* A pipeline without traffic writes nothing at all, for some minutes in a row. */
bool fo_world_is_idle(const struct fo_world *world, int64_t pipeline, int64_t minute);

/* The load nodes of some pipelines have different managers: those report to all of them. */
bool fo_world_is_split(int64_t pipeline);

/* The one manager that the nodes of an unsplit pipeline report to in this minute. */
int64_t fo_world_manager_of(const struct fo_world *world, int64_t pipeline, int64_t minute, int64_t managers);

/* A batch that ends now; `at` is that by the node's clock (epoch). */
struct fo_batch fo_world_batch(const struct fo_world *world, struct fo_random *random, int64_t pair, int64_t at);

/* The same as THROUGHPUT_STAT would count it: as files if it has any, as rows otherwise. */
struct fo_throughput fo_world_throughput(const struct fo_batch *batch);

#endif
