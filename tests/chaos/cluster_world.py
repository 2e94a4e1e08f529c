"""A world with two agents that share a state. The state is in the database that has Otter's tables, too."""
from chaos import namespace
from chaos.proxy import Proxy
from chaos.wire import Island, Wire
from chaos.world import World
from servers.process import wait_until
from servers.state import State

NAMES = ("a", "b")
LEASE = 3  # seconds
EVERYWHERE = {"address": "0.0.0.0"}
UNREACHED = 69  # the exit code of an agent that lost its server while it started


class ClusterWorld(World):
    """Each agent has a wire to the database, and another one to the sinks. Where no network namespace is permitted, a proxy is
    its way to the database."""

    DATABASE = State
    MAY_STAND_BY = True

    def __init__(self, folder, template, **settings):
        self.has_wires = "network" in namespace.PERMITTED
        if self.has_wires:
            settings = {"carbon": EVERYWHERE, "statsd": EVERYWHERE, **settings}
        super().__init__(folder, template, ("agent_clock",) if "faketime" in namespace.PERMITTED else (), **settings)
        self.members, self.to_database, self.to_sinks = [], {}, {}  # the ways of each agent
        self.victim = self.kept = None  # what a fault must know when it ends
        self.kills = self.voids = 0  # dead agents; cuts into which datagrams may have been sent
        self.restarts = 0  # see check_agent

    def lease(self):
        """Returns (owner, generation) when the owner has renewed the lease meanwhile."""
        seen = {}

        def is_renewed():
            renewals, lease = self.database.renewals(), self.database.lease()  # in this order: a takeover counts as a renewal
            return lease[0] in NAMES and renewals > seen.setdefault(lease, renewals) and lease
        return wait_until(is_renewed, "an agent owns the state")

    def owner(self):
        return self.members[NAMES.index(self.lease()[0])]

    def check_agent(self):
        """An agent that lost the database while it started is started again, as systemd does."""
        for agent in self.wanted_agents:
            if agent.process.child.poll() == UNREACHED:
                self.restarts += 1
                agent.process.start()
        super().check_agent()

    def logs(self):
        return "".join(agent.log() for agent in self.members)

    def _make_database(self, name, server_id=1, options=()):
        if self.has_wires:
            options = ("--bind-address=0.0.0.0", "--skip-name-resolve", *options)
        return super()._make_database(name, server_id, options)

    def _start_databases(self):
        super()._start_databases()
        self.database.make_user(hosts=("%",))
        self.database.install()

    def _make_agents(self):
        self.members = [self._make_member(name, 2 * i) for i, name in enumerate(NAMES)]

    def _make_member(self, name, wires):
        island = self._add(Island(self._room(f"island-{name}"))).start() if self.has_wires else None
        way = Wire(island, wires, self.database.port) if island else self._add(Proxy(self.database.port))
        sinks = Wire(island, wires + 1) if island else None
        agent = self._make_agent(name, {"host": way.host, "port": way.port}, {"host": sinks.host} if sinks else {},
                                 state=self.database.settings(name, LEASE, (way.host,), way.port))
        if island:
            agent.process.command = [*island.inside(), *agent.process.command]
        self.to_database[agent], self.to_sinks[agent] = way, sinks
        return agent
