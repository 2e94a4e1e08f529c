"""Many managers on several agents that share a state: shares, takeover, and what it costs. No row may be lost or counted twice."""
import re
import selectors
import socket
import threading
import time

from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.state import State

from bench import measure
from bench.cases.scale import EVERY, EVERY_TOTALS, Writer, percent
from bench.contenders import make_agent, only

AGENTS = 10
PIPELINES = 20
LEASE = 10
PATIENCE = 5  # seconds beyond the lease until the shares are fair
LINE = re.compile(rb"(\S+) (-?\d+) (\d+)")


class Steps:
    """A Graphite server: of each series and step it keeps the value that came last."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0), backlog=500)
        self.port = self.server.getsockname()[1]
        self.last, self.is_over = {}, threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        with selectors.DefaultSelector() as waits:
            waits.register(self.server, selectors.EVENT_READ, None)
            while not self.is_over.is_set():
                for key, _ in waits.select(0.5):
                    if key.data is None:
                        connection, _ = self.server.accept()
                        waits.register(connection, selectors.EVENT_READ, [b""])
                    elif not self._read(key.fileobj, key.data):
                        waits.unregister(key.fileobj)
                        key.fileobj.close()

    def _read(self, connection, left):
        try:
            got = connection.recv(1 << 18)
        except ConnectionError:
            return False
        *lines, left[0] = (left[0] + got).split(b"\n")
        for line in lines:
            name, value, step = LINE.fullmatch(line).groups()
            self.last[name, step] = int(value)
        return bool(got)

    def sums(self):
        sums = {}
        for (name, _), value in dict(self.last).items():
            sums[name] = sums.get(name, 0) + value
        return sums

    def stop(self):
        self.is_over.set()
        self.thread.join()
        self.server.close()


def wanted(db, names):
    """The sum of each counter of the tables to which rows are added, by its series."""
    sums = {}
    for name in names:
        path = f"otter.manager.{name}.pipeline".encode()
        for kind, word in (("ROW", "row"), ("FILE", "file")):
            for pipeline, records, size in db.query(
                    "SELECT PIPELINE_ID, SUM(NUMBER), SUM(SIZE) FROM THROUGHPUT_STAT WHERE TYPE = %s GROUP BY 1", kind, database=name):
                of = path + f".{pipeline}.type.{word}.throughput.".encode()
                sums[of + b"count"], sums[of + b"bytes"] = int(records), int(size)
    return sums


def shares(state):
    owners = [owner for owner, in state.ask(
        "SELECT CONVERT(owner USING utf8mb4) FROM leases WHERE owner <> '' AND expires >= UNIX_TIMESTAMP(NOW(3)) * 1000")]
    return sorted(owners.count(owner) for owner in set(owners))


def fair(managers, agents):
    return sorted(managers // agents + (i < managers % agents) for i in range(agents))


def wait_for_shares(state, managers, agents, seconds):
    began = time.monotonic()
    wait_until(lambda: shares(state) == fair(managers, agents), f"{agents} agents have fair shares", seconds, 0.1)
    return time.monotonic() - began


def counters(state):
    rows = dict(state.ask("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_commit', 'Threads_connected')"))
    return int(rows["Questions"]), int(rows["Com_commit"]), int(rows["Threads_connected"])


def costs(world, state, agents):
    """What each agent and the database of the state cost while nothing happens but the rows of each minute."""
    watches = [measure.Watch(agent.process) for agent in agents]
    server = measure.Watch(state.process)
    began, before = time.monotonic(), counters(state)
    cpu, of_server = [watch.cpu() for watch in watches], server.cpu()
    time.sleep(world.sizes.idle)
    seconds, after = time.monotonic() - began, counters(state)
    cpu = sorted((watch.cpu() - was) / seconds for watch, was in zip(watches, cpu))
    peaks = sorted(watch.peak_kib() / 1024 for watch in watches)
    world.say("… the database of the state", "", f"{(after[0] - before[0]) / seconds:.0f} statements and"
              f" {(after[1] - before[1]) / seconds:.0f} commits a second, {(server.cpu() - of_server) / seconds * 100:.0f} % of a core,"
              f" {after[2]} sessions, peak {server.peak_kib() / 1024:.0f} MiB")
    world.say("… an agent, median and largest", "", f"{percent(cpu, 50) * 100:.1f} and {cpu[-1] * 100:.1f} % of a core,"
              f" peak {percent(peaks, 50):.0f} and {peaks[-1]:.0f} MiB")


def cluster(world):
    db, number = world.database, world.sizes.shared
    names = db.managers(number, PIPELINES)
    managers = [{"name": name, "mysql": {"port": db.server.port, "user": USER, "password": PASSWORD, "database": name}}
                for name in names]
    sources = only("delay", "throughput", "history", "log", every=EVERY, start="oldest")
    sources["table"] = {"enabled": True, "every": EVERY_TOTALS}
    state = State(world.fresh("state"), world.folder / "template", options=("--max-connections=10000",)).start()
    steps = Steps()
    agents = []
    try:
        state.install()
        agents += [make_agent(world, names[0], [{"type": "graphite", "port": steps.port, "creates": 0, "horizon": 60}], sources,
                              managers=managers, state=state.settings(f"agent{i}", LEASE), drain=5) for i in range(AGENTS)]
        with Writer(db, names, PIPELINES):
            run(world, state, agents, number)
        right = wanted(db, names)
        differ = wait_until_equal(steps, right)
        world.say("… series of THROUGHPUT_STAT that differ from SQL", "0", f"{differ} of {len(right)}", differ == 0)
    finally:
        for agent in agents:
            agent.stop()
        steps.stop()
        state.stop()


def wait_until_equal(steps, right, seconds=180):
    deadline = time.monotonic() + seconds
    while True:
        sums = steps.sums()
        differ = sum(sums.get(name, 0) != value for name, value in right.items())
        if not differ or time.monotonic() > deadline:
            return differ
        time.sleep(2)


def run(world, state, agents, number):
    what = f"{number} managers, {PIPELINES} pipelines each, {len(agents)} agents, lease {LEASE} s"
    for agent in agents:
        agent.start()
    took = wait_for_shares(state, number, len(agents), 180)
    world.say(what, "", f"shares of {fair(number, len(agents))[0]} to {fair(number, len(agents))[-1]} after {took:.1f} s")
    time.sleep(2 * EVERY_TOTALS)
    costs(world, state, agents)
    victim = agents[3]
    victim.kill9()
    low, *_, high = fair(number, len(agents) - 1)
    took = wait_for_shares(state, number, len(agents) - 1, LEASE + 60)
    world.say(f"… one agent is killed: {low} or {high} each", f"<= {LEASE + PATIENCE} s", f"{took:.1f} s", took <= LEASE + PATIENCE)
    victim.start()
    took = wait_for_shares(state, number, len(agents), LEASE + 60)
    world.say("… it starts again: fair shares", "", f"{took:.1f} s")
    time.sleep(EVERY_TOTALS)
