"""Real receivers, which differ in what they do with a second value of one step. The sums in each equal SQL's, whatever is killed."""
import collections
import concurrent.futures
import re
import time

import pytest

from servers.agent import IS_SANITIZED
from servers.carbon import Carbon
from servers.carbon_relay import CarbonRelay, PythonRelay
from servers.collectd import Collectd
from servers.influxdb import InfluxDB
from servers.netdata import Netdata
from servers.process import wait_until
from servers.statsd import Statsd
from servers.victoria_metrics import VictoriaMetrics

STEP = 2
REST = 3  # seconds after which carbon, statsd and collectd have written what they got
OVERWRITE = {"horizon": 2}
APPEND = {"receiver": "append", "hold": 2}
REPEAT = {**APPEND, "after_crash": "repeat", "horizon": 20}
STATSD = {"type": "statsd"}
LOAD = ("--writers", 3, "--rate", 60, "--hold", 1)


class Behind:
    """A receiver that hands on to a carbon, in which the sums are, with another prefix."""

    def __init__(self, front, carbon, prefix=""):
        self.front, self.carbon, self.prefix, self.port = front, carbon, prefix, front.port

    def start(self):
        if not self.carbon.process.is_running():
            self.carbon.start()
        self.front.start()

    def sums(self):
        return {name[len(self.prefix):]: value for name, value in self.carbon.sums().items() if name.startswith(self.prefix)}

    def kill9(self):
        self.front.kill9()
        self.carbon.kill9()


def carbon_and_c_relay(at):
    carbon = Carbon(at / "carbon", step=STEP)
    return {"carbon-cache": carbon, "carbon-c-relay": Behind(CarbonRelay(at, carbon.port, "relay."), carbon, "relay.")}


def carbon_relay(at):
    carbon = Carbon(at / "carbon", step=STEP)
    return {"carbon-relay": Behind(PythonRelay(at, carbon.pickle_port), carbon)}


def aggregator_and_statsd(at):
    """Each flush of statsd is a value of its own in this carbon."""
    carbon = Carbon(at / "carbon", step=STEP, schemas="[statsd]\npattern = ^stats\nretentions = 1s:1d\n")
    return {"carbon-aggregator": Behind(PythonRelay(at, carbon.pickle_port, STEP), carbon),
            "statsd": Behind(Statsd(at, carbon=carbon, flush_ms=1500), carbon, "stats_counts.")}


class NetdataSums(Netdata):
    """Netdata has a chart for each series, whose name has _ in the place of each dot."""

    def __init__(self, folder):
        super().__init__(folder / "netdata")
        self.names = []

    def sums(self, chart=None):
        return super().sums(chart) if chart else {name: self.counter(name) for name in self.names}

    def kill9(self):
        self.process.kill9()


def one(name, make, **more):
    return lambda at: {name: make(at, **more)}


# Makers of receivers; the settings of the sinks for them; whether a kill may cost what they have in memory. None:
# a kill may cost more, so it is not tested: a VictoriaMetrics may lose values that are older than six seconds, and netdata loses all.
FAST = [
    (one("vm-dedup", VictoriaMetrics, dedup="1ms"), [{**REPEAT, "counters": "both"}], False),
    (one("vm", VictoriaMetrics), [{**APPEND, "counters": "both"}], None),
]
OTHERS = [
    (carbon_and_c_relay, [OVERWRITE, OVERWRITE], False),
    (carbon_relay, [OVERWRITE], False),
    (one("influxdb", InfluxDB), [OVERWRITE], False),
    (one("vm-dedup-tagged", VictoriaMetrics, dedup="1ms"), [{**REPEAT, "tagged": True}], False),
    (one("vm-tagged", VictoriaMetrics), [{**APPEND, "tagged": True}], None),
    (aggregator_and_statsd, [APPEND, STATSD], True),
    (one("collectd", Collectd), [STATSD], True),
    (one("netdata", NetdataSums), [STATSD], None),
]


RECEIVERS = FAST if IS_SANITIZED else FAST + OTHERS  # the sanitizers look at the agent


def by_metric(sums):
    """Returns the sums as tagged series have them: otter.throughput.count for all pipelines together."""
    found = collections.Counter()
    for name, value in sums.items():
        found[".".join(["otter", *name.split(".")[-2:]])] += value
    return found


class World:
    def __init__(self, folder, otter):
        self.folder, self.otter = folder, otter
        self.receivers, self.sinks, self.lossy, self.makers = {}, {}, set(), []
        self.pool = concurrent.futures.ThreadPoolExecutor(10)  # a child ends with the thread that started it

    def start(self, table):
        for number, (make, settings, is_lossy) in enumerate(table):
            at = self.folder / f"receiver{number}"
            at.mkdir()
            made = make(at)
            self.makers.append((list(made.values()), is_lossy))
            for (name, receiver), sink in zip(made.items(), settings):
                kind = {} if "type" in sink else {"type": "graphite", "step": STEP, "creates": 0}
                self.sinks[name] = {**kind, "name": name, "port": receiver.port, **sink}
                self.receivers[name] = receiver
                self.lossy.update({name} if is_lossy is not False else ())
        self.each("start")
        return list(self.sinks.values())

    def each(self, verb, are_lossy=(False, True, None)):
        list(self.pool.map(lambda made: [getattr(one, verb)() for one in made],
                           [made for made, is_lossy in self.makers if is_lossy in are_lossy]))

    def load(self, seconds):
        return self.otter.run("--seconds", seconds, *LOAD)

    def wrong(self, wanted, agent):
        """Returns {receiver: differences}, without points that the agent has logged as lost or in doubt."""
        logged = set(re.findall(r"sink=(\S+) event=(?:in_doubt|lost)", agent.log())) & self.lossy
        found = {}
        for name, receiver in self.receivers.items():
            right, got = by_metric(wanted) if self.sinks[name].get("tagged") else wanted, receiver.sums()
            rounds = 2e-7 if name == "netdata" else 0  # it keeps 24 bits of a value
            differ = {path: (value, got.get(path, 0)) for path, value in right.items()
                      if abs(got.get(path, 0) - value) > rounds * value}
            if differ and not (name in logged and all(more > less for more, less in differ.values())):
                found[name] = dict(list(differ.items())[:3])
        return found

    def wait_until_equal(self, agent):
        wanted = self.otter.sums()
        assert len(wanted) > 20
        if "netdata" in self.receivers:
            self.receivers["netdata"].names = list(wanted)
        try:
            wait_until(lambda: not self.wrong(wanted, agent), "sums", 30, 0.5)
        except AssertionError:
            found = self.wrong(wanted, agent)
            assert not found, f"receiver: series: (wanted, got) {found}"


@pytest.fixture(name="world")
def make_world(folder, otter):
    made = World(folder, otter)
    yield made
    made.each("kill9")


def totals(store):
    """Returns the last total of each counter, after a look at the totals before: a smaller one would be a reset for increase()."""
    last = {}
    for labels, values, times in store.series():
        name = labels["__name__"]
        if name.endswith(".total"):
            assert values == sorted(values) and times == sorted(set(times)), (name, values, times)
            last[name.removesuffix(".total")] = values[-1]
    return last


def test_sums(world, mariadb, make_agent):
    """Under load the agent is killed, then each receiver that gets again what it had in memory; then at rest the others."""
    agent = make_agent(mariadb, world.start(RECEIVERS)).start()
    managers = world.load(6.5)
    time.sleep(4.5)  # the first steps were closed and sent
    agent.kill9()
    agent.start()
    time.sleep(1.5)
    world.each("kill9", [False])
    world.each("start", [False])
    assert managers.wait(30) == 0, managers.log()
    world.wait_until_equal(agent)
    is_late = "event=late" in agent.log()
    time.sleep(REST)
    world.each("kill9", [True])
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, GMT_MODIFIED) "
                  "SELECT TYPE, 7, 70, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, NOW() FROM THROUGHPUT_STAT ORDER BY ID LIMIT 2")
    managers = world.load(0.5)
    assert managers.wait(30) == 0, managers.log()
    world.each("start", [True])
    world.wait_until_equal(agent)
    for name in ("vm", "vm-dedup"):
        assert is_late or re.search(rf"sink={name} event=late points=[24] .*a longer hold", agent.log()), name
    wanted = world.otter.sums()
    wait_until(lambda: all({**wanted, **totals(world.receivers[name])} == {**totals(world.receivers[name]), **wanted}
                           for name in ("vm", "vm-dedup")), "totals", 10, 0.5)
    agent.kill9()
