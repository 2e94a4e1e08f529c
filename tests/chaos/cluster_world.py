"""A world with agents that share a state: two agents, with the state in the same database as Otter's tables; or three agents, with
the state in a Galera cluster of three nodes."""
from chaos import namespace
from chaos.proxy import Proxy
from chaos.wire import Island, Wire, ip
from chaos.world import World
from servers.galera import Galera
from servers.mariadb import MariaDB
from servers.process import wait_until
from servers.state import State

EVERYWHERE = {"address": "0.0.0.0"}
UNREACHED = 69  # the exit code of an agent that lost its server while it started


class ClusterWorld(World):
    """Each agent has a wire to the database, and another one to the sinks. Where no network namespace is permitted, a proxy is
    its way to the database."""

    DATABASE = State
    MAY_STAND_BY = True
    NAMES = ("a", "b")
    LEASE = 3  # seconds
    BEYOND = None  # a network that the agents reach through the wire to the database

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
        seen, state = {}, self.state

        def is_renewed():
            renewals, lease = state.renewals(), state.lease()  # in this order: a takeover counts as a renewal
            return lease[0] in self.NAMES and renewals > seen.setdefault(lease, renewals) and lease
        return wait_until(is_renewed, "an agent owns the state")

    @property
    def state(self):
        """The server that keeps the state."""
        return self.database

    def member(self, name):
        return self.members[self.NAMES.index(name)]

    def owner(self):
        return self.member(self.lease()[0])

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
        self._start_state()

    def _start_state(self):
        self.database.install()

    def _settings(self, name, way):
        return self.database.settings(name, self.LEASE, (way.host,), way.port)

    def _make_agents(self):
        self.members = [self._make_member(name, 2 * i) for i, name in enumerate(self.NAMES)]

    def _make_member(self, name, wires):
        island = self._add(Island(self._room(f"island-{name}"))).start() if self.has_wires else None
        way = Wire(island, wires, self.database.port, self.BEYOND) if island else self._add(Proxy(self.database.port))
        sinks = Wire(island, wires + 1) if island else None
        agent = self._make_agent(name, {"host": way.host, "port": way.port}, {"host": sinks.host} if sinks else {},
                                 state=self._settings(name, way))
        if island:
            agent.process.command = [*island.inside(), *agent.process.command]
        self.to_database[agent], self.to_sinks[agent] = way, sinks
        return agent


class GaleraWorld(ClusterWorld):
    """Each Galera node has its own address. The agents reach these addresses through their wires. This world needs network
    namespaces."""

    DATABASE = MariaDB
    NAMES = ("a", "b", "c")
    LEASE = 5  # longer than the nodes need to find out that one of them is silent
    BEYOND = "10.78.0.0/24"
    ADDRESSES = ("10.78.0.1", "10.78.0.2", "10.78.0.3")

    @property
    def state(self):
        return self.galera

    def _start_state(self):
        for address in self.ADDRESSES:
            ip("address", "add", f"{address}/32", "dev", "lo")
        room = self._room("galera")
        for place in (self.folder.parent, self.folder):
            place.chmod(0o755)  # rsync, which transfers the data of a node, runs as the user nobody when the tests are root
        self.galera = self._add(Galera(room, self.template, self.ADDRESSES, ("--skip-name-resolve",)))
        self.galera.start()
        self.galera.nodes[0].install()

    def _settings(self, name, way):
        return self.galera.settings(name, self.LEASE)
