"""Names: as labels and in paths, renames, and names that the user may not read."""
import collections
import re
import time

import pytest

from servers.carbon import Carbon
from servers.process import free_port, wait_until
from servers.sinks import Datagrams, Stream
from servers.wiring import to_graphite, to_statsd

pytestmark = pytest.mark.slow

OFTEN = {"every": 1}
RENAMED_AFTER = 13  # seconds: a new name is valid ten seconds after it was read
PIPELINES = "SELECT p.ID, p.NAME, c.NAME FROM PIPELINE p JOIN CHANNEL c ON c.ID = p.CHANNEL_ID"
PAIRS = ("SELECT p.ID, CONCAT(s.NAMESPACE, '.', s.NAME), CONCAT(t.NAMESPACE, '.', t.NAME) FROM DATA_MEDIA_PAIR p "
         "JOIN DATA_MEDIA s ON s.ID = p.SOURCE_DATA_MEDIA_ID JOIN DATA_MEDIA t ON t.ID = p.TARGET_DATA_MEDIA_ID")
ROW = ("INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) "
       "VALUES (%s, 'ROW', %s, 1, NOW() - INTERVAL %s SECOND, NOW() - INTERVAL %s SECOND)")


def add(server, pipeline, number, age=3):
    server.query(ROW, pipeline, number, age, age)


def rename(server, pipeline, name):
    server.query("UPDATE PIPELINE SET NAME = %s WHERE ID = %s", name, pipeline)


def tag(text):
    return text.replace("|", "_").replace(",", "_")


def node(text):
    return re.sub("[^A-Za-z0-9_-]", "_", text.encode().decode("latin1"))


def tags_of(lines, metric):
    """Returns the tags of each DogStatsD line of a metric."""
    found = [line.split("|#")[1].split("|")[0] for line in lines if line.startswith(f"otter.{metric}:")]
    return [dict(one.split(":", 1) for one in tags.split(",")) for tags in found]


def of_pipeline(lines, pipeline, label="pipeline_name"):
    """Returns the labels of a pipeline's lines, in order, each label once."""
    labels = [tags.get(label) for tags in tags_of(lines, "throughput.count") if tags["pipeline"] == str(pipeline)]
    return list(dict.fromkeys(labels))


@pytest.fixture
def receiver():
    made = Datagrams()
    yield made
    made.stop()


def dog(receiver):
    return {"type": "statsd", "port": receiver.port, "flavor": "dogstatsd"}


def test_every_line_is_labelled(mariadb, otter, receiver, make_agent):
    otter.do("sample")
    make_agent(mariadb, [dog(receiver)]).once()
    lines = receiver.lines()
    pipelines = {str(i): {"pipeline_name": tag(name), "channel_name": tag(channel)}
                 for i, name, channel in mariadb.query(PIPELINES)}
    pairs = {str(i): {"source_table": tag(source), "target_table": tag(target)}
             for i, source, target in mariadb.query(PAIRS)}
    assert len(pipelines) == 3 and len(pairs) == 6
    for metric in ("delay_ms", "delay_age_s", "throughput.count", "history.inserts", "table.bytes", "log.records"):
        told = tags_of(lines, metric)
        assert told, metric
        for tags in told:
            wanted = {**pipelines.get(tags["pipeline"], {}), **pairs.get(tags.get("pair"), {})}
            labels = {k: v for k, v in tags.items() if k.endswith(("_name", "_table")) and k != "node_name"}
            if tags["pipeline"] in pipelines:
                assert labels == wanted, (metric, tags)
    nodes = dict(mariadb.query("SELECT CAST(ID AS CHAR), NAME FROM NODE"))
    named = [tags for tags in tags_of(lines, "log.records") if tags.get("node") in nodes]
    assert named and all(tags["node_name"] == tag(nodes[tags["node"]]) for tags in named)


def test_a_rename_keeps_the_ids_and_the_sums(mariadb, otter, receiver, statsd, make_agent):
    agent = make_agent(mariadb, [dog(receiver), to_statsd(statsd, name="plain")], names=OFTEN).start()
    add(mariadb, 1, 5)
    wait_until(lambda: of_pipeline(receiver.lines(), 1) == ["order_hz_to_sh"], "the old name")
    rename(mariadb, 1, "orders")
    mariadb.query("UPDATE CHANNEL SET NAME = 'shop' WHERE ID = 1")
    time.sleep(RENAMED_AFTER)
    add(mariadb, 1, 7, age=0)
    wait_until(lambda: of_pipeline(receiver.lines(), 1) == ["order_hz_to_sh", "orders"], "the new name")
    assert of_pipeline(receiver.lines(), 1, "channel_name") == ["order-sync", "shop"]
    statsd.wait_for({"otter.pipeline.1.type.row.throughput.count": 12})
    assert "poll_failed" not in agent.log()


def totals(stream):
    """Returns the totals of pipeline 1 in carbon, which keeps the last value of each series and step."""
    last = {}
    for line in stream.lines():
        path, value, step = line.split()
        last[path, step] = float(value)
    sums = collections.Counter()
    for (path, _), value in last.items():
        if path.startswith("otter.throughput.count;") and ";pipeline=1;" in path:
            sums[path] += value
    return sums


def test_a_rename_of_tagged_series_loses_nothing_and_a_replay_doubles_nothing(mariadb, otter, make_agent):
    """A series continues under another name; rows from the time before the rename go to the old name."""
    carbon = Stream()
    sink = {"type": "graphite", "port": carbon.port, "tagged": True, "step": 1, "horizon": 1, "creates": 0}
    short = {name: {"overlap": 5} for name in ("delay", "throughput", "history", "table", "log")}
    add(mariadb, 2, 1, age=9000)  # the hour of the oldest row is not sent again: a purge may have removed a part of its rows
    agent = make_agent(mariadb, [sink], names=OFTEN, sources=short).start()
    add(mariadb, 1, 5)
    old, new = (f"otter.throughput.count;channel_name=order-sync;pipeline=1;pipeline_name={name};type=row"
                for name in ("order_hz_to_sh", "orders"))
    wait_until(lambda: totals(carbon) == {old: 5}, "the old name")
    rename(mariadb, 1, "orders")
    time.sleep(RENAMED_AFTER)
    add(mariadb, 1, 7, age=0)
    wait_until(lambda: totals(carbon) == {old: 5, new: 7}, "the new name")
    add(mariadb, 1, 2, age=14)
    wait_until(lambda: totals(carbon) == {old: 7, new: 7}, "late: under the name of then")
    time.sleep(10)
    done = agent.run("replay", "--since", "-1h")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"(?s).*\b3 rows", done.stdout), done.stdout
    assert totals(carbon) == {old: 7, new: 7}, "the rows are sent again under the names of their time"
    agent.stop()
    carbon.hang_up()
    carbon.received.clear()
    done = agent.run("cursor", "rewind", "throughput", "-10m")
    assert done.returncode == 0, done.stdout + done.stderr
    agent.start()
    wait_until(lambda: totals(carbon) == {old: 7, new: 7}, "also when the source is rewound")
    carbon.stop()


def test_without_the_grants_there_are_ids(mariadb, otter, receiver, make_agent):
    """The log says once which grant helps, and this grant helps."""
    otter.do("sample")
    mariadb.make_user("USAGE ON *.*")
    for table in ("DELAY_STAT", "THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "TABLE_STAT", "LOG_RECORD"):
        for host in ("127.0.0.1", "localhost"):
            mariadb.query(f"GRANT SELECT ON otter.{table} TO otterbeat@'{host}'", database=None)
    agent = make_agent(mariadb, [dog(receiver)], names=OFTEN)
    checked = agent.run("--check")
    assert checked.returncode == 0 and "warn names node: shown by ids alone" in checked.stdout, checked.stdout
    assert ("CREATE OR REPLACE SQL SECURITY DEFINER VIEW `otter`.otterbeat_DATA_MEDIA AS SELECT ID, NAMESPACE, NAME FROM "
            "`otter`.DATA_MEDIA; GRANT SELECT ON `otter`.otterbeat_DATA_MEDIA TO 'otterbeat'@") in checked.stdout
    agent.start()
    agent.wait_for_log("event=names_refused")
    wait_until(lambda: tags_of(receiver.lines(), "throughput.count"), "lines")
    assert all("pipeline" in tags and "pipeline_name" not in tags
               for tags in tags_of(receiver.lines(), "throughput.count"))
    time.sleep(3)
    assert agent.log().count("names_refused") == 1
    assert "PROPERTIES" not in agent.log() and "DATA_MEDIA_SOURCE" not in agent.log()
    grants = re.search(r'grant="([^"]+)"', agent.log())[1]
    assert grants.count("GRANT") == 5
    for grant in grants.rstrip(";").split("; "):
        mariadb.query(grant, database=None)
    time.sleep(RENAMED_AFTER)
    add(mariadb, 1, 7, age=0)
    wait_until(lambda: of_pipeline(receiver.lines(), 1) == [None, "order_hz_to_sh"], "a label")


def test_paths_made_of_names(mariadb, otter, carbon, statsd, make_agent):
    """With any names each series has a file of its own, and all sums are right."""
    otter.do("sample")
    sinks = [to_graphite(carbon, path="names"), to_statsd(statsd, path="names")]
    make_agent(mariadb, sinks).once()
    names = {str(i): node(name) for i, name, _ in mariadb.query(PIPELINES)}
    assert names["1"] == "order_hz_to_sh" and not re.search("[A-Za-z0-9]", names["3"])
    names["3"] = "3"  # only underscores are left of this name
    inside = dict(mariadb.query("SELECT ID, PIPELINE_ID FROM DATA_MEDIA_PAIR"))
    pairs = {(str(inside[i]), str(i)): node(source) for i, source, _ in mariadb.query(PAIRS)}

    def path_of(name):
        """Returns the path. The sample has rows whose pair belongs to another pipeline: these pairs keep their ids."""
        name = re.sub(r"\.pipeline\.(\d+)\.pair\.(\d+)\.",
                      lambda m: f".pipeline.{m[1]}.pair.{pairs.get((m[1], m[2]), m[2])}.", name)
        return re.sub(r"\.pipeline\.(\d+)\.", lambda m: f".pipeline.{names.get(m[1], m[1])}.", name)

    wanted = {path_of(name): value for name, value in otter.sums().items()}
    assert len(wanted) == len(otter.sums()), "no two are one"
    assert any(".pair.trade_order_" in name for name in wanted)
    carbon.wait_for(wanted)
    statsd.wait_for(wanted)


def test_names_that_meet(mariadb, otter, folder, make_agent):
    """Two names that are equal in a path, a pipeline that takes another pipeline's name, a pipeline that is created again: no series are mixed."""
    (folder / "fine").mkdir()
    carbon = Carbon(folder / "fine", step=1).start()
    series = "otter.pipeline.{}.type.row.throughput.count"

    def wait_for(**sums):
        wanted = {series.format(name): value for name, value in sums.items()}
        carbon.wait_for(wanted)
        assert {name for name in carbon.series() if "throughput.count" in name} == set(wanted)

    try:
        for pipeline, name in ((1, "a b"), (2, "a.b"), (3, "7")):
            rename(mariadb, pipeline, name)
            add(mariadb, pipeline, pipeline)
        agent = make_agent(mariadb, [to_graphite(carbon, path="names", step=1, creates=0)], names=OFTEN).start()
        wait_for(a_b=1, a_b_2=2, **{"7_3": 3})
        rename(mariadb, 1, "c")
        rename(mariadb, 2, "a b")
        rename(mariadb, 3, "c")
        agent.stop()
        agent.start()
        time.sleep(RENAMED_AFTER)
        for pipeline in (1, 2, 3):
            add(mariadb, pipeline, 10 * pipeline, age=0)
        wait_for(a_b=1, a_b_2=22, c=10, c_3=30, **{"7_3": 3})
        mariadb.query("DELETE FROM PIPELINE WHERE ID = 1")
        mariadb.query("INSERT INTO PIPELINE (ID, NAME, CHANNEL_ID, GMT_CREATE) VALUES (9, 'c', 1, NOW())")
        time.sleep(RENAMED_AFTER)
        add(mariadb, 9, 100, age=0)
        wait_for(a_b=1, a_b_2=22, c=10, c_3=30, c_9=100, **{"7_3": 3})
    finally:
        carbon.stop()


def test_a_pipeline_that_is_added_while_we_run(mariadb, otter, receiver, make_agent):
    """Its first rows have no name yet, and make us read the names soon, though they are not due for minutes."""
    make_agent(mariadb, [dog(receiver)]).start()
    add(mariadb, 1, 1)
    wait_until(lambda: of_pipeline(receiver.lines(), 1), "the first")
    time.sleep(61)
    mariadb.query("INSERT INTO PIPELINE (ID, NAME, CHANNEL_ID, GMT_CREATE) VALUES (77, 'late', 1, NOW())")
    add(mariadb, 77, 5)
    wait_until(lambda: of_pipeline(receiver.lines(), 77) == [None], "its line")
    time.sleep(RENAMED_AFTER)
    add(mariadb, 77, 6, age=0)
    wait_until(lambda: of_pipeline(receiver.lines(), 77) == [None, "late"], "its name")


def test_ages_are_sent_for_all_pipelines_that_exist(mariadb, otter, statsd, make_agent):
    """The age of a pipeline that never reported is the age of the pipeline; a deleted pipeline has no age any more."""
    mariadb.query("UPDATE PIPELINE SET GMT_CREATE = NOW() - INTERVAL 5000 SECOND WHERE ID = 1")
    add(mariadb, 2, 1, age=100)
    add(mariadb, 2, 1, age=300)
    add(mariadb, 8, 1, age=100)
    make_agent(mariadb, [to_statsd(statsd)], names=OFTEN).start()

    def age(pipeline, metric):
        return statsd.gauges().get(f"otter.pipeline.{pipeline}.{metric}_age_s", -1)

    wait_until(lambda: 5000 <= age(1, "delay") <= 5030 and 5000 <= age(1, "throughput") <= 5030, "since it was made")
    assert 100 <= age(2, "throughput") <= 130 and 0 <= age(2, "delay") <= 60
    assert age(8, "throughput") == -1, "no such pipeline"
    add(mariadb, 1, 1, age=0)
    wait_until(lambda: age(1, "throughput") < 30, "it has reported")
    mariadb.query("DELETE FROM PIPELINE WHERE ID = 2")
    time.sleep(3)
    last = age(2, "throughput"), age(2, "delay")
    time.sleep(3)
    assert (age(2, "throughput"), age(2, "delay")) == last, "nothing comes any more"
    wait_until(lambda: age(3, "delay") > 0, "an age that only grew is sent once in ten seconds")


def test_names_are_known_while_the_database_is_away(otter, manager, mariadb, receiver, make_agent):
    """The store keeps the names, so that series from the pages keep their names."""
    agent = make_agent(mariadb, [dog(receiver)], names=OFTEN, sources={"page": {"enabled": True, "every": 1}})
    agent.top["managers"][0]["page"] = {"url": manager.url}
    agent.write()

    def are_named():
        channels, nodes = tags_of(receiver.lines(), "channel_state"), tags_of(receiver.lines(), "node_up")
        return channels and nodes and all("channel_name" in t for t in channels) and all("node_name" in t for t in nodes)

    agent.start()
    wait_until(are_named, "names")
    agent.stop()
    receiver.received.clear()
    agent.top["managers"][0]["mysql"]["port"] = free_port()
    agent.write()
    agent.start()
    agent.wait_for_log("source=otter.names event=poll_failed")
    wait_until(are_named, "names, without a database")


def test_a_name_with_an_id_above_two_to_the_63_is_left_out_and_logged(mariadb, otter, carbon, make_agent):
    mariadb.query("ALTER TABLE PIPELINE MODIFY ID BIGINT UNSIGNED NOT NULL")
    mariadb.query("ALTER TABLE THROUGHPUT_STAT MODIFY PIPELINE_ID BIGINT UNSIGNED NOT NULL")
    mariadb.query("INSERT IGNORE INTO PIPELINE (ID, NAME, CHANNEL_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (%s, 'far', 1, NOW(), NOW())", (1 << 63) + 9)
    add(mariadb, 1, 5)
    add(mariadb, (1 << 63) + 9, 7)
    agent = make_agent(mariadb, [to_graphite(carbon, path="names")])
    agent.once()
    [(name,)] = mariadb.query("SELECT NAME FROM PIPELINE WHERE ID = 1")
    carbon.wait_for({f"otter.pipeline.{node(name)}.type.row.throughput.count": 5,
                     f"otter.pipeline.{(1 << 63) + 9}.type.row.throughput.count": 7})
    assert f"event=bad_cell table=PIPELINE column=ID id={(1 << 63) + 9}" in agent.log()
