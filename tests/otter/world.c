#include "tests/otter/world.h"

enum {
        SLOT_MINUTES = 5, /* an idle time, a fail-over to another manager */
        IDLE_ONE_IN = 16,
        ELSEWHERE_ONE_IN = 8,
        SPLIT_EVERY = 4,
        USUAL_SHARE = 2,
        FILES_EVERY = 5,
        BATCHES_A_PAIR = 6,
        BATCHES_MOST = 600,
        FIRST_PAIR_OF_WRITERS = 1000001,
};

/* What a decision is about, so that two decisions with the same numbers differ. */
enum { ABOUT_IDLE = 1, ABOUT_MANAGER, ABOUT_DELAY, ABOUT_SIZE };

int fo_world_complete(struct fo_world *world, struct fo_db *db)
{
        long long pipelines;
        long long pairs;
        long long channels;

        if (fo_db_number(db, "select count(*) from PIPELINE", &pipelines) ||
                fo_db_number(db, "select count(*) from DATA_MEDIA_PAIR", &pairs) ||
                fo_db_number(db, "select count(*) from CHANNEL", &channels))
                return -1;
        if (!world->tables)
                world->tables = pipelines && pairs >= pipelines ? pairs / pipelines : 1;
        if (!world->pipelines)
                world->pipelines = pipelines ? pipelines : 1;
        fo_world_share(world, pipelines, channels);
        return 0;
}

int64_t fo_world_pairs(const struct fo_world *world)
{
        return world->pipelines * world->tables;
}

int64_t fo_world_pipeline_of(const struct fo_world *world, int64_t pair)
{
        return (pair - 1) / world->tables % world->pipelines + 1;
}

void fo_world_share(struct fo_world *world, int64_t pipelines, int64_t channels)
{
        world->share = pipelines && channels ? (pipelines + channels - 1) / channels : USUAL_SHARE;
}

int64_t fo_world_channel_of(const struct fo_world *world, int64_t pipeline)
{
        return (pipeline - 1) / world->share + 1;
}

int64_t fo_world_any_pipeline(const struct fo_world *world, struct fo_random *random)
{
        return fo_random_between(random, 1, world->pipelines);
}

int64_t fo_world_pair_of_writer(int64_t writer)
{
        return FIRST_PAIR_OF_WRITERS + writer;
}

int64_t fo_world_batches(const struct fo_world *world)
{
        int64_t batches = fo_world_pairs(world) * BATCHES_A_PAIR;

        return batches < BATCHES_MOST ? batches : BATCHES_MOST;
}

static uint64_t decide(const struct fo_world *world, uint64_t about, int64_t pipeline, int64_t minute)
{
        return fo_random_mix(world->seed * 8 + about, (uint64_t)pipeline, (uint64_t)(minute / SLOT_MINUTES));
}

bool fo_world_is_idle(const struct fo_world *world, int64_t pipeline, int64_t minute)
{
        return minute >= SLOT_MINUTES && decide(world, ABOUT_IDLE, pipeline, minute) % IDLE_ONE_IN == 0;
}

bool fo_world_is_split(int64_t pipeline)
{
        return pipeline % SPLIT_EVERY == 3;
}

int64_t fo_world_manager_of(const struct fo_world *world, int64_t pipeline, int64_t minute, int64_t managers)
{
        uint64_t elsewhere = decide(world, ABOUT_MANAGER, pipeline, minute) % ELSEWHERE_ONE_IN;

        return (pipeline + (elsewhere == 0)) % managers;
}

/* Milliseconds, a few hundred, with a spike of many seconds now and then. */
static int64_t delay_of(const struct fo_world *world, struct fo_random *random, int64_t pipeline)
{
        int64_t usual = 150 + (int64_t)(decide(world, ABOUT_DELAY, pipeline, 0) % 500);

        if (fo_random_is(random, 0.01))
                return fo_random_between(random, 5000, 60000);
        return fo_random_between(random, usual / 2, usual * 3 / 2);
}

static struct fo_counts counts_of(struct fo_random *random, int64_t pair)
{
        struct fo_counts c = {
                .inserts = fo_random_between(random, 1, 400),
                .updates = fo_random_between(random, 0, 200),
                .deletes = fo_random_is(random, 0.3) ? fo_random_between(random, 1, 40) : 0,
        };

        if (pair % FILES_EVERY == 2) {
                c.files = fo_random_between(random, 1, 8);
                c.file_bytes = c.files * fo_random_between(random, 20000, 900000);
        }
        return c;
}

struct fo_batch fo_world_batch(const struct fo_world *world, struct fo_random *random, int64_t pair, int64_t at)
{
        struct fo_batch batch = {
                .row.pair = pair,
                .row.pipeline = fo_world_pipeline_of(world, pair),
                .row.counts = counts_of(random, pair),
                .row.end = at,
                .row.start = at - fo_random_between(random, 0, 3),
        };
        const struct fo_counts *c = &batch.row.counts;
        int64_t row_bytes =
                200 + (int64_t)(decide(world, ABOUT_SIZE, pair, 0) % 800) + fo_random_between(random, 0, 100);

        batch.bytes = (c->inserts + c->updates + c->deletes) * row_bytes;
        batch.delay_ms = delay_of(world, random, batch.row.pipeline);
        return batch;
}

struct fo_throughput fo_world_throughput(const struct fo_batch *batch)
{
        const struct fo_counts *c = &batch->row.counts;

        return (struct fo_throughput) {
                .pipeline = batch->row.pipeline,
                .type = c->files ? "FILE" : "ROW",
                .number = c->files ? c->files : c->inserts + c->updates + c->deletes,
                .size = c->files ? c->file_bytes : batch->bytes,
                .start = batch->row.start,
                .end = batch->row.end,
        };
}
