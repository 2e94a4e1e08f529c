"""One Otter with its database, carbon, statsd, the agent, and the proxies between them."""
import copy
import os
import pathlib
import re
import signal

from chaos import accounts, arrival, ledger, replication
from chaos.clock import Clock
from chaos.disk import SmallDisk
from chaos.proxy import Proxy
from chaos.relay import Relay
from servers.agent import SOURCES, Agent
from servers.carbon import Carbon
from servers.carbon_relay import CarbonRelay
from servers.fake_otter import FakeOtter
from servers.mariadb import MariaDB
from servers.process import wait_until
from servers.statsd import Statsd
from servers.status import Status

# A killed server keeps its committed rows.
DURABLE = ("--innodb-flush-log-at-trx-commit=2", "--innodb-log-file-size=8M")
SETTINGS = {
    "step": 10, "horizon": 3, "settle": 1, "overlap": 600, "after_crash": "lose", "creates": "inf",
    "is_database_near": False, "database_zone": None, "database_offset": 0,
    "sources": {}, "agent": {}, "graphite": {}, "carbon": {}, "statsd": {},
    "pipelines": 3, "tables": 2, "seed": 1, "delay": 0, "after": 0,
    "load": {"speed": 20, "managers": 2, "masters": 2, "writers": 6, "hold": 2, "rate": 250},
}


def has_begun(process):
    """Whether main() has blocked SIGTERM, which ended the program at once before. Then it ignores SIGUSR2."""
    status = pathlib.Path(f"/proc/{process.child.pid}/status").read_text("ascii")
    return int(re.search(r"SigIgn:\s+(\w+)", status)[1], 16) >> (signal.SIGUSR2 - 1) & 1


class World:
    """`parts`: carbon_proxy, mysql_proxy, relay, carbon_relay, replica, masters, *_clock, small_disk."""

    DATABASE = MariaDB
    MAY_STAND_BY = False  # whether an agent may end that had nothing to do

    def __init__(self, folder, template, parts=(), **settings):
        folder.mkdir(parents=True)
        self.folder, self.template, self.parts = folder, template, set(parts)
        self.settings = copy.deepcopy(SETTINGS)
        self.settings["load"].update(settings.pop("load", {}))
        self.settings.update(settings)
        self.settings["horizon"] = int(os.environ.get("OB_CHAOS_HORIZON", self.settings["horizon"]))
        self.servers, self.agent_starts, self.wanted_agents = [], 0, set()
        self.carbon_relay = self.replica = self.carbon_proxy = self.mysql_proxy = self.relay = None
        self.database_clock = self.disk = self.second = None
        self.loads, self.rows, self.current, self.wanted = [], None, None, {}

    def start(self):
        self._start_databases()
        self.carbon = self._add(Carbon(self._room("carbon"), self.settings["step"], self.settings["creates"],
                                       **self.settings["carbon"])).start()
        self.statsd = self._add(Statsd(self._room("statsd"), **self.settings["statsd"])).start()
        self._start_between()
        self._start_otter()
        self._make_agents()
        return self

    def stop(self):
        for server in [*self.loads, *reversed(self.servers)]:
            try:
                server.stop()
            except Exception as error:  # the other servers must end, too
                print(f"{self.folder.name}: {error}", flush=True)

    def start_load(self, **more):
        """Starts managers, and writers that hold transactions open, until stop_load()."""
        options = {**self.settings["load"], "seed": self.settings["seed"], **more}
        if self.second:
            options = {**options, "master": 1}
            self._run_otter(self.second_otter, {**options, "master": 2, "managers": 0})
        self._run_otter(self.otter, options)

    def _run_otter(self, otter, options):
        otter.run(*(word for name, value in options.items() for word in (f"--{name}", value)))
        self.loads.append(otter.process)

    def stop_load(self):
        """Stops the load; every transaction has ended and is replicated."""
        for load in self.loads:
            code = load.stop(60)
            assert code == 0, f"fake-otter ended with {code}\n{load.log()[-2000:]}"
        self.loads.clear()
        if self.second:
            replication.wait(self.database, self.second)

    def write(self, server=None):
        """Writes some rows itself, for cases in which the fake Otter's sums are not enough."""
        server, before = server or self.current, dict(self.wanted)
        self.rows.write(server, self.wanted)
        if self.replica:  # with two servers only the part of a total above the highest counted total counts
            self.wanted.update({name: max(before.get(name, 0), total)
                                for name, total in self.rows.totals(server).items()})

    def has_counted(self):
        """Waits until all of these rows have arrived."""
        return not arrival.wait_for(self, ledger.Truth(self.wanted))

    def start_agent(self, agent=None):
        agent = agent or self.agent
        self.agent_starts += 1
        self.wanted_agents.add(agent)
        agent.process.start()

    def kill_agent(self, agent=None):
        agent = agent or self.agent
        self.wanted_agents.discard(agent)
        agent.kill9()

    def stop_agent(self, agent=None):
        agent = agent or self.agent
        self.wanted_agents.discard(agent)
        wait_until(lambda: has_begun(agent.process) or not agent.process.is_running(), "the agent's main() has begun")
        code = agent.stop()
        assert code == 0, f"the agent ended with {code}"
        accounts.check(agent.log(), self.MAY_STAND_BY)

    def end(self):
        """Stops the agents that still run, and checks what they log at their end, too."""
        for agent in list(self.wanted_agents):
            self.stop_agent(agent)

    def behind(self, sink):
        """Returns how many points the agents still have to send to this sink."""
        return sum(one["behind"] for agent in self.wanted_agents for one in agent.status.json()["sinks"] if one["name"] == sink)

    def check_agent(self):
        for agent in self.wanted_agents:
            if not agent.process.is_running():
                raise AssertionError(f"the agent ended by itself\n{agent.log()[-3000:]}")

    def _add(self, server):
        self.servers.append(server)
        return server

    def _room(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _make_database(self, name, server_id=1, options=()):
        server = self._add(self.DATABASE(self._room(name), self.template, server_id, (*DURABLE, *options)))
        if self.settings["database_zone"]:
            server.process.env["TZ"] = self.settings["database_zone"]
        if name == "db" and "database_clock" in self.parts:
            offset = self.settings["database_offset"]
            self.database_clock = Clock(self.folder / "database-clock", offset() if callable(offset) else offset)
            server.process.env.update(self.database_clock.environment())
        return server.start()

    def _start_databases(self):
        is_master = self.parts & {"replica", "masters"}
        self.database = self._make_database("db", 1, replication.OPTIONS if is_master else ())
        self.database.query("CREATE DATABASE otter", database=None)
        self.database.make_user()
        if "replica" in self.parts:
            self.replica = self._make_database("replica", 2, replication.OPTIONS)
            replication.follow(self.replica, self.database)
            self.replica.make_user()

    def _start_otter(self):
        self.otter = FakeOtter(self.database, self.folder)
        world = ("--pipelines", self.settings["pipelines"], "--tables", self.settings["tables"])
        self.otter.do("create", *world)
        if "masters" in self.parts:
            self.second = self._make_database("second", 2, replication.OPTIONS)
            self.second_otter = FakeOtter(self.second, self._room("second-otter"))
            self.second_otter.do("create", *world)
            replication.follow(self.database, self.second, self.settings["delay"])

    def _start_between(self):
        if "carbon_proxy" in self.parts:
            self.carbon_proxy = self._add(Proxy(self.carbon.port))
        if "mysql_proxy" in self.parts:
            self.mysql_proxy = self._add(Proxy(self.database.port))
        if "carbon_relay" in self.parts:
            self.carbon_relay = self._add(CarbonRelay(self._room("relay"), self.carbon.port)).start()
        if "relay" in self.parts:
            self.relay = self._add(Relay(self.statsd.port))
        if "small_disk" in self.parts:
            self.disk = self._add(SmallDisk(self.folder / "disk"))

    def _make_agents(self):
        self.agent = self._make_agent("agent")

    def _make_agent(self, name, to_database=None, to_sinks=None, **top):
        """The settings `to_database` and `to_sinks` lead the agent to servers elsewhere."""
        s, elsewhere = self.settings, to_sinks or {}
        carbon = self.carbon_relay or self.carbon_proxy or self.carbon
        sinks = [
            {"type": "statsd", "port": (self.relay or self.statsd).port, "after_crash": s["after_crash"], **elsewhere},
            {"type": "graphite", "port": carbon.port, "step": s["step"],
             "horizon": s["horizon"], "creates": 0 if s["creates"] == "inf" else s["creates"], **elsewhere,
             **s["graphite"]}]
        sources = {name: {"settle": s["settle"], "overlap": s["overlap"], **s["sources"].get(name, {})}
                   for name in SOURCES}
        more = {"state_dir": str(self.disk.folder / "state")} if self.disk else {}
        room = self._room(name)
        status = Status(room / "status")
        agent = self._add(Agent(
            room, self.mysql_proxy or self.database, sinks, sources,
            {"query_timeout": 2, "connect_timeout": 1, **self._by_socket(), **(to_database or {})},
            **{"status": {"listen": status.listen}, **more, **s["agent"], **top}))
        agent.status = status
        if "agent_clock" in self.parts:
            agent.clock = Clock(self.folder / f"{name}-clock")
            agent.process.env.update(agent.clock.environment())
        return agent

    def _by_socket(self):
        """Connects the agent to the database by a unix socket: only the agent's points go through the network."""
        return {"socket": str(self.database.socket)} if self.settings["is_database_near"] else {}

    @property
    def state_file(self):
        return (self.disk.folder if self.disk else self.agent.folder) / "state" / "otterbeat.db"
