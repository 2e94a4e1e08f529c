"""The tables with the names of channels, pipelines, nodes, data sources and tables. Most names are usual names; some names
contain characters that break dashboards."""
import json

from database import BY_SERVER, insert, run_file
from world import World

# This password is in every JSON of a data source. An agent that ever shows this password reads too much.
CLEAR_PASSWORD = "clear-text-password-do-not-leak"

CHANNELS = ["order-sync", "用户中心", "billing|archive", "O'Brien's shop", "logistics.eu", "search index (full)",
            "<i>retail</i> & café"]
PIPELINES = ["order_hz_to_sh", "order|sh_to_hz", "用户同步-主", "user \"profile\" back", "bill.daily", "bill|monthly",
             "o'brien/stock", "to:es@8", "shop→warehouse"]
SCHEMAS = ["trade", "member", "billing_[1-4]", "warehouse"]
TABLES = ["order_[1-32]", "order_item", ".*", "user_profile", "订单明细", "o'neil_refunds", "pay|refund",
          "(invoice|receipt)_.*", "audit log"]
# Name, address, port, and an external address that replaces the first address.
NODES = [("node-hz-1", "10.20.0.11", 2088, ""), ("node-hz-2", "10.20.0.12", 2088, ""), ("上海一号", "10.30.0.11", 2088, ""),
         ("node.sh|2", "10.30.0.12", 2090, "203.0.113.9")]


def name_of(names, i):
    """Returns a unique name: first the names of the list, and then the same names with a number."""
    rounds, place = divmod(i, len(names))
    return f"{names[place]}_{rounds + 1}" if rounds else names[place]


def compact(**members):
    return json.dumps(members, separators=(",", ":"))


def channel(world, i):
    return (name_of(CHANNELS, i - 1), "both directions",
            compact(enableRemedy=False, syncConsistency="BASE", syncMode="FIELD"))


def pipeline(world, i):
    description = "" if i % 3 else "ask the order team\nbefore stopping"  # people write several lines
    parameters = compact(arbitrateMode="AUTOMATIC", ddlSync=True, destinationName=f"canal-{i}", home=i % 2 == 1,
                         mainstemClientId=1000 + i, parallelism=3 + i % 5, pipelineId=i)
    return name_of(PIPELINES, i - 1), description, parameters, world.channel_of(i)


def node(world, i):
    name, address, port, external = NODES[i - 1]
    return name, address, compact(downloadPort=9090, externalIp=external, mbeanPort=9091,
                                  useExternalIp=external != ""), port


def describe_source(i):
    return compact(driver="com.mysql.jdbc.Driver", encode="UTF8", id=i, password=CLEAR_PASSWORD, type="MYSQL",
                   url=f"jdbc:mysql://10.40.0.{i % 250 + 1}:3306", username="otter")


def source(world, i):
    """Returns a data source. Each pipeline has two: it reads from the odd one and writes to the even one."""
    return f"mysql-{(i + 1) // 2}-{'read' if i % 2 else 'write'}", "MYSQL", describe_source(i)


def media(world, i):
    """Returns a row of DATA_MEDIA. Each pair has two: an odd one to read from and an even one to write to."""
    of_pair = (i + 1) // 2
    of_pipeline = world.pipeline_of(of_pair)
    of_source = 2 * of_pipeline - i % 2
    return (name_of(TABLES, (of_pair - 1) % world.tables), name_of(SCHEMAS, of_pipeline - 1),
            describe_source(of_source), of_source)


def pair(world, i):
    return "INCLUDE", 2 * i - 1, 2 * i, world.pipeline_of(i), None, 1 + i % 9


def create(db, options):
    """Creates the database again, with empty tables and with names."""
    db.query(f"drop database if exists `{options.database}`")
    db.query(f"create database `{options.database}` default charset utf8")
    db.select_db(options.database)
    run_file(db, "schema.sql")
    world = World(options.pipelines, options.tables, options.channels)
    for table, count, make in (("CHANNEL", options.channels or world.channel_of(world.pipelines), channel),
                               ("PIPELINE", world.pipelines, pipeline), ("NODE", len(NODES), node),
                               ("DATA_MEDIA_SOURCE", 2 * world.pipelines, source),
                               ("DATA_MEDIA", 2 * world.pairs, media), ("DATA_MEDIA_PAIR", world.pairs, pair)):
        insert(db, table, [(i, *BY_SERVER[1:], *make(world, i)) for i in range(1, count + 1)])
