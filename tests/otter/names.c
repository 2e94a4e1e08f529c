#include "tests/otter/names.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/memory.h"
#include "tests/otter/bulk.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* In every JSON that holds a data source. An agent that ever shows this reads too much. */
#define CLEAR_PASSWORD "clear-text-password-do-not-leak"

enum { NAME_SIZE = 128, JSON_SIZE = 512 };

static const char *const channels[] = { "order-sync", "用户中心", "billing|archive", "O'Brien's shop",
        "logistics.eu", "search index (full)", "<i>retail</i> & café" };

static const char *const pipelines[] = { "order_hz_to_sh", "order|sh_to_hz", "用户同步-主", "user \"profile\" back",
        "bill.daily", "bill|monthly", "o'brien/stock", "to:es@8", "shop→warehouse" };

static const char *const schemas[] = { "trade", "member", "billing_[1-4]", "warehouse" };

static const char *const tables[] = { "order_[1-32]", "order_item", ".*", "user_profile", "订单明细",
        "o'neil_refunds", "pay|refund", "(invoice|receipt)_.*", "audit log" };

static const struct {
        const char *name;
        const char *ip;
        int port;
        const char *external; /* an address that is used in place of the other */
} nodes[] = {
        { .name = "node-hz-1", .ip = "10.20.0.11", .port = 2088 },
        { .name = "node-hz-2", .ip = "10.20.0.12", .port = 2088 },
        { .name = "上海一号", .ip = "10.30.0.11", .port = 2088 },
        { .name = "node.sh|2", .ip = "10.30.0.12", .port = 2090, .external = "203.0.113.9" },
};

/* The first of each are the plain list; later ones get a number. Made names are unique. */
static void name_of(char *name, const char *const *list, size_t count, int64_t i)
{
        int64_t round = i / (int64_t)count;
        const char *plain = list[i % (int64_t)count];

        if (round)
                snprintf(name, NAME_SIZE, "%s_%" PRId64, plain, round + 1);
        else
                snprintf(name, NAME_SIZE, "%s", plain);
}

static int add_row(struct fo_bulk *bulk, int64_t id, const char *const *texts, size_t count, const char *numbers)
{
        struct fo_text *sql = fo_bulk_row_begin(bulk);

        fo_text_addf(sql, "(%" PRId64, id);
        for (size_t i = 0; i < count; i++) {
                fo_text_add(sql, ", ");
                fo_db_quote(bulk->db, sql, texts[i]);
        }
        fo_text_addf(sql, "%s, now(), now())", numbers);
        return fo_bulk_row_end(bulk);
}

static int add_channel(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        char name[NAME_SIZE];
        const char *texts[] = { name, "both directions",
                "{\"enableRemedy\":false,\"syncConsistency\":\"BASE\",\"syncMode\":\"FIELD\"}" };

        (void)world;
        name_of(name, channels, COUNT_OF(channels), id - 1);
        return add_row(bulk, id, texts, COUNT_OF(texts), "");
}

static int add_pipeline(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        char name[NAME_SIZE];
        char json[JSON_SIZE];
        char numbers[NAME_SIZE];
        /* Descriptions are free text, with the lines people give them. */
        const char *texts[] = { name, id % 3 ? "" : "ask the order team\nbefore stopping", json };

        name_of(name, pipelines, COUNT_OF(pipelines), id - 1);
        snprintf(json, sizeof(json),
                "{\"arbitrateMode\":\"AUTOMATIC\",\"ddlSync\":true,\"destinationName\":"
                "\"canal-%" PRId64 "\",\"home\":%s,\"mainstemClientId\":%" PRId64 ",\"parallelism\":%" PRId64
                ",\"pipelineId\":%" PRId64 "}",
                id, id % 2 ? "true" : "false", 1000 + id, 3 + id % 5, id);
        snprintf(numbers, sizeof(numbers), ", %" PRId64, fo_world_channel_of(world, id));
        return add_row(bulk, id, texts, COUNT_OF(texts), numbers);
}

static int add_node(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        char numbers[NAME_SIZE];
        char json[JSON_SIZE];
        const char *external = nodes[id - 1].external;
        const char *texts[] = { nodes[id - 1].name, nodes[id - 1].ip, json };

        (void)world;
        snprintf(json, sizeof(json),
                "{\"downloadPort\":9090,\"externalIp\":\"%s\",\"mbeanPort\":9091,\"useExternalIp\":%s}",
                external ? external : "", external ? "true" : "false");
        snprintf(numbers, sizeof(numbers), ", %d", nodes[id - 1].port);
        return add_row(bulk, id, texts, COUNT_OF(texts), numbers);
}

static void describe_source(char *json, int64_t source)
{
        snprintf(json, JSON_SIZE,
                "{\"driver\":\"com.mysql.jdbc.Driver\",\"encode\":\"UTF8\",\"id\":%" PRId64
                ",\"password\":\"" CLEAR_PASSWORD "\",\"type\":\"MYSQL\","
                "\"url\":\"jdbc:mysql://10.40.0.%" PRId64 ":3306\",\"username\":\"otter\"}",
                source, source % 250 + 1);
}

/* Two of each pipeline: odd ones are read, even ones are written. */
static int add_source(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        char name[NAME_SIZE];
        char json[JSON_SIZE];
        const char *texts[] = { name, "MYSQL", json };

        (void)world;
        snprintf(name, sizeof(name), "mysql-%" PRId64 "-%s", (id + 1) / 2, id % 2 ? "read" : "write");
        describe_source(json, id);
        return add_row(bulk, id, texts, COUNT_OF(texts), "");
}

/* Two of each pair, as with the sources. */
static int add_media(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        int64_t pair = (id + 1) / 2;
        int64_t pipeline = fo_world_pipeline_of(world, pair);
        int64_t source = 2 * pipeline - id % 2;
        char name[NAME_SIZE];
        char schema[NAME_SIZE];
        char json[JSON_SIZE];
        char numbers[NAME_SIZE];
        const char *texts[] = { name, schema, json };

        name_of(name, tables, COUNT_OF(tables), (pair - 1) % world->tables);
        name_of(schema, schemas, COUNT_OF(schemas), pipeline - 1);
        describe_source(json, source);
        snprintf(numbers, sizeof(numbers), ", %" PRId64, source);
        return add_row(bulk, id, texts, COUNT_OF(texts), numbers);
}

static int add_pair(struct fo_bulk *bulk, const struct fo_world *world, int64_t id)
{
        char numbers[NAME_SIZE];
        const char *texts[] = { "INCLUDE" };

        snprintf(numbers, sizeof(numbers), ", %" PRId64 ", %" PRId64 ", %" PRId64 ", NULL, %" PRId64, 2 * id - 1,
                2 * id, fo_world_pipeline_of(world, id), 1 + id % 9);
        return add_row(bulk, id, texts, COUNT_OF(texts), numbers);
}

struct kind {
        const char *head;
        int64_t count;
        int (*add)(struct fo_bulk *bulk, const struct fo_world *world, int64_t id);
};

static int fill(struct fo_db *db, const struct fo_world *world, const struct kind *kind)
{
        ob_cleanup(fo_bulk_fini) struct fo_bulk bulk = { 0 };

        fo_bulk_begin(&bulk, db, kind->head);
        for (int64_t id = 1; id <= kind->count; id++) {
                if (kind->add(&bulk, world, id))
                        return -1;
        }
        return fo_bulk_end(&bulk);
}

int fo_names_create(struct fo_db *db, const struct fo_world *world, int64_t channel_count)
{
        const struct kind kinds[] = {
                { .head = "insert into CHANNEL (ID, NAME, DESCRIPTION, PARAMETERS,"
                          " GMT_CREATE, GMT_MODIFIED) values ",
                        .count = channel_count ? channel_count : fo_world_channel_of(world, world->pipelines),
                        .add = add_channel },
                { .head = "insert into PIPELINE (ID, NAME, DESCRIPTION, PARAMETERS, CHANNEL_ID,"
                          " GMT_CREATE, GMT_MODIFIED) values ",
                        .count = world->pipelines,
                        .add = add_pipeline },
                { .head = "insert into NODE (ID, NAME, IP, PARAMETERS, PORT,"
                          " GMT_CREATE, GMT_MODIFIED) values ",
                        .count = COUNT_OF(nodes),
                        .add = add_node },
                { .head = "insert into DATA_MEDIA_SOURCE (ID, NAME, TYPE, PROPERTIES,"
                          " GMT_CREATE, GMT_MODIFIED) values ",
                        .count = 2 * world->pipelines,
                        .add = add_source },
                { .head = "insert into DATA_MEDIA (ID, NAME, NAMESPACE, PROPERTIES,"
                          " DATA_MEDIA_SOURCE_ID, GMT_CREATE, GMT_MODIFIED) values ",
                        .count = 2 * fo_world_pairs(world),
                        .add = add_media },
                { .head = "insert into DATA_MEDIA_PAIR (ID, COLUMN_PAIR_MODE,"
                          " SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID, PIPELINE_ID,"
                          " PULLWEIGHT, PUSHWEIGHT, GMT_CREATE, GMT_MODIFIED) values ",
                        .count = fo_world_pairs(world),
                        .add = add_pair },
        };

        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
                if (fill(db, world, &kinds[i]))
                        return -1;
        }
        return 0;
}
