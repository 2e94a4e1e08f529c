"""carbon and the programs in front of it: caches, limits, old totals, names, retentions."""
import pathlib
import signal
import socket
import time

import whisper

from chaos import arrival, growth, ledger, rounds
from chaos.accept.case import Case
from chaos.fault import AT_MOST
from chaos.faults import network
from servers.process import wait_until

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
DAY = 86400
LOG = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
       "VALUES ('1', '1', %s, 'x', NOW() - INTERVAL %s SECOND, NOW())")
NAMES = ("a\nb 1 2", "tab\there", "../../etc/passwd", "name with spaces", "喵獺", "x" * 120, "y" * 300, "z" * 1000, "nan",
         "1e400", ".", "..", "a..b", ";semi=colon", "Ünïcödé", "-", "*[]{}", "")


def in_the_cache(trial):
    """carbon writes few points per second, so that it has many seconds of points in memory when it is killed."""
    world = trial.world
    series, updates = trial.scaled((400, 100), (2000, 100))
    world.otter.do("history", "--rows", series * 3, "--hours", 0.01)
    world.start_agent()
    world.start_load()
    time.sleep(trial.scaled(12, 45))
    world.carbon.kill9()
    held = sum(map(len, ledger.whisper(world.carbon).values()))
    world.carbon.start()
    time.sleep(2)
    world.stop_load()
    trial.say(f"about {series} series, {updates} updates a second, {held} points on disk at the kill")
    trial.count()


def behind_a_relay(trial):
    """The relay accepts all lines, also while carbon is down."""
    world = trial.world
    world.start_agent()
    world.start_load()
    for _ in range(trial.scaled(4, 12)):
        time.sleep(trial.chance.uniform(1, 4))
        world.carbon.kill9()
        time.sleep(trial.chance.uniform(0.2, 1.5))
        world.carbon.start()
    time.sleep(1)
    world.stop_load()
    trial.say(f"the agent connected anew {world.agent.log().count('event=sink_failed')} times")
    trial.count()


def few_creates(trial):
    """There are more new series than files that carbon creates in a minute; carbon does not report that."""
    world = trial.world
    world.otter.do("history", "--rows", 2500, "--hours", 1)
    world.start_agent()
    truth = rounds.truth_of(world)
    began = time.monotonic()
    assert not arrival.wait_for(world, truth, trial.scaled(240, 1500)), "series are missing"
    trial.say(f"{len(truth.sums)} series at {world.settings['creates']} a minute: all there after "
              f"{time.monotonic() - began:.0f} s")
    trial.count(truth)


def stale_totals(trial):
    """carbon reads old lines from the connection of a killed agent after the new lines of the running agent."""
    world = trial.world
    world.start_agent()
    for i in range(8):
        world.start_load()
        time.sleep(1.5)
        world.carbon.process.send(signal.SIGSTOP)
        time.sleep(1.5)
        world.kill_agent()
        world.start_agent()
        time.sleep(2)
        world.carbon.process.send(signal.SIGCONT)
        world.stop_load()
        found = arrival.wait_for(world, rounds.truth_of(world))
        assert not found, f"time {i + 1} of 8: {len(found)} differ\n{rounds.describe(found)}"
    trial.say("the newest total won 8 of 8 times")
    trial.count()


def lost(world):
    """Returns the value of agent.lost for the sink."""
    return sum(sum(world.carbon.points(name).values()) for name in world.carbon.series()
               if name.endswith(".sink.graphite.agent.lost"))


def names(trial):
    """Uses every unusual name as a title: the connection stays, and all other lines arrive."""
    world = trial.world
    world.start_agent()
    world.start_load()
    time.sleep(2)
    for name in NAMES:
        world.database.query(LOG, name, 0)
    time.sleep(2)
    world.stop_load()
    truth = rounds.truth_of(world)
    log_of = {name for name in truth.sums if name.endswith(".log.records")}
    records = world.database.query("SELECT COUNT(*) FROM LOG_RECORD")[0][0]
    rest = ledger.Truth({n: v for n, v in truth.sums.items() if n not in log_of},
                        {n: v for n, v in truth.steps.items() if n not in log_of})
    wait_until(lambda: not [n for n in rest.differences(ledger.whisper(world.carbon)) if ".log." not in n], "the rest")
    wait_until(lambda: lost(world) > 0, "agent.lost", 40, 1)  # the agent sends its own counters every 15 s
    arrived = sum(sum(steps.values()) for name, steps in ledger.whisper(world.carbon).items() if ".log." in name)
    trial.say(f"{len(NAMES)} names; {records} records in SQL, {arrived:.0f} in Graphite, agent.lost {lost(world):.0f}")
    trial.row.rows, trial.row.sql, trial.row.whisper = ledger.rows_written(world.database), records, int(arrived)
    assert "sink=graphite event=sink_failed" not in world.agent.log(), "the connection was closed"
    assert "event=lost" in world.agent.log(), "nobody said that a name is too long"
    assert arrived + lost(world) == records, "a record neither arrived nor is counted as lost"


def send(port, text):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(text.encode())


def too_old(trial):
    """A row from two days ago does not change the coarser archive."""
    world = trial.world
    series = "otter.pipeline.1.title.old.log.records"
    file = world.carbon.whisper / "otter/pipeline/1/title/old/log/records.wsp"
    then = int(time.time()) // 300 * 300 - 2 * DAY
    send(world.carbon.port, f"{series} 50 {then}\n")
    wait_until(file.exists, "the file")
    wait_until(lambda: value_at(file, then, 300) == 50, "a total of long ago")
    world.database.query(LOG, "OLD", int(time.time()) - then - 5)
    world.database.query(LOG, "NEW", 0)
    world.start_agent()
    wait_until((world.carbon.whisper / "otter/pipeline/1/title/new/log/records.wsp").exists, "the new row")
    time.sleep(6)
    assert value_at(file, then, 300) == 50, f"the slot of two days ago holds {value_at(file, then, 300)}"
    assert "older than max_age" in world.agent.log(), "nobody said that a row was too old"
    trial.row.sql = trial.row.whisper = 50


def value_at(file, moment, seconds):
    found = whisper.fetch(str(file), moment - seconds, moment + seconds, archiveToSelect=seconds)
    (begin, end, step), values = found
    return values[(moment - begin) // step] if begin <= moment < end else None


def archive_sum(file, seconds):
    now = int(time.time())
    return sum(value or 0 for value in whisper.fetch(str(file), now - 4 * 3600, now, archiveToSelect=seconds)[1])


def rolled_up(trial):
    """With the aggregation in deploy/carbon the coarse archive has the same sums as the fine archive."""
    world = trial.world
    hour = int(time.time()) // 600 * 600
    world.otter.do("history", "--rows", 3000, "--hours", 2, "--until", hour - 1200)
    world.start_agent()
    truth = rounds.truth_of(world)
    files = {name: world.carbon.whisper / (name.replace(".", "/") + ".wsp") for name in truth.sums if truth.sums[name]
             and ".table." not in name}

    def wrong():
        return [(name, seconds) for name, file in files.items() for seconds in (60, 600)
                if not file.exists() or archive_sum(file, seconds) != truth.sums[name]]

    try:
        wait_until(lambda: not wrong(), "both archives", 40, 1)
    except AssertionError:
        raise AssertionError(f"{len(wrong())} of {2 * len(files)} archives are wrong: {wrong()[:5]}") from None
    trial.say(f"{len(files)} series: 60 s and 10 min add up to the same")
    trial.row.rows = ledger.rows_written(world.database)


def away_for_long(trial):
    """The back-log waits in the queue, costs little, and is delivered soon afterwards."""
    world = trial.world
    world.otter.do("history", "--rows", 2500, "--hours", 1)
    world.start_agent()
    assert not arrival.wait_for(world, rounds.truth_of(world)), "the beginning"
    pid = world.agent.process.child.pid
    before = growth.resident(pid)
    world.carbon_proxy.refuse()
    world.start_load()
    time.sleep(trial.scaled(45, 3600))
    world.stop_load()
    after = growth.resident(pid)
    world.carbon_proxy.heal()
    began, truth = time.monotonic(), rounds.truth_of(world)
    assert not arrival.wait_for(world, truth, 130), "carbon is back, and something is missing"
    seconds = time.monotonic() - began
    trial.say(f"{len(truth.sums)} series; memory {before} -> {after} kB; drained {seconds:.0f} s after carbon was back "
              "(up to 60 s of them the agent's pause between tries)")
    assert after - before <= 16 << 10, "it grew by more than 16 MB"
    assert seconds <= 120, "the backlog took too long"
    trial.count(truth)


def cut_off_for_longer_than_the_horizon(trial):
    """The lines that are sent meanwhile wait in the socket, and carbon never gets them."""
    world = trial.world
    world.start_agent()
    world.start_load()
    time.sleep(3)
    network.link("down")
    time.sleep(trial.scaled(110, 700))
    network.come_back_without_carbon(world)
    time.sleep(2)
    world.stop_load()
    trial.count()


LITTLE = {"rate": 20, "writers": 2, "managers": 1, "speed": 2}
NEAR = {"is_database_near": True, "load": LITTLE}
MANY = {"pipelines": 20, "tables": 3}
DAY_AND_MONTH = "[otter]\npattern = ^otter\nretentions = 60s:1d,300s:30d\n"
SUM = "[all]\npattern = .*\nxFilesFactor = 0\naggregationMethod = sum\n"
SHIPPED = {"schemas": (DEPLOY / "carbon/storage-schemas.conf").read_text(),
           "aggregation": (DEPLOY / "carbon/storage-aggregation.conf").read_text()}

CASES = [
    Case("residency", in_the_cache, settings={"pipelines": 13, "tables": 3, "horizon": 12, "carbon": {"updates": 100}},
         real={"pipelines": 60, "tables": 3, "horizon": 30, "carbon": {"updates": 100}}),
    Case("relay", behind_a_relay, ("carbon_relay",), {"horizon": 4}),
    Case("creates", few_creates, settings={**MANY, "creates": 700}, real={**MANY, "creates": 50}),
    Case("stale", stale_totals, settings={"load": {"rate": 1500}, "step": 60}, statsd=AT_MOST),
    Case("poison", names),
    Case("old", too_old, settings={"step": 60, "carbon": {"schemas": DAY_AND_MONTH, "aggregation": SUM},
                                   "graphite": {"max_age": DAY - 120}}),
    Case("rollup", rolled_up, settings={"step": 60, "carbon": SHIPPED}),
    Case("partition", cut_off_for_longer_than_the_horizon, (), {**NEAR, "horizon": 40}, {**NEAR, "horizon": 300},
         needs=("network",), statsd=AT_MOST),
    Case("outage", away_for_long, ("carbon_proxy",), MANY),
]
