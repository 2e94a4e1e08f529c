"""A Galera cluster of three MariaDB nodes. Each node has its own address on loopback, and all of them have the same ports."""
import os
import re
import signal
import subprocess
import time

import pymysql

from servers.process import free_port, wait_until
from servers.state import State

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
PATIENCE = 15  # seconds that bring_back() waits for any synced node before it calls bootstrap()
# The others go on without a silent node after two seconds. By default it is five.
TIMES = ("evs.suspect_timeout=PT2S", "evs.inactive_timeout=PT4S", "evs.keepalive_period=PT0.3S", "evs.inactive_check_period=PT0.3S")


class Ports:
    def __init__(self):
        self.mysql, self.group, self.ist, self.sst = (free_port() for _ in range(4))


class Node(State):
    def __init__(self, folder, template, address, ports, cluster, options=()):
        folder.mkdir()
        provider = (f"gmcast.listen_addr=tcp://{address}:{ports.group}", f"ist.recv_addr={address}:{ports.ist}", "gcache.size=16M", *TIMES)
        super().__init__(folder, template, address=address, port=ports.mysql, options=(
            "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}",
            f"--wsrep-cluster-name=otterbeat-{ports.group}", f"--wsrep-node-name={address}", f"--wsrep-node-address={address}",
            "--wsrep-cluster-address=gcomm://" + ",".join(f"{one}:{ports.group}" for one in cluster),
            "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address={address}:{ports.sst}",
            f"--wsrep-provider-options={';'.join(provider)}", *options))
        self.address, self.command = address, self.process.command
        for place in (folder.parent, folder, folder / "data"):
            place.chmod(0o777)  # the script for a transfer starts rsync, which is the user nobody when the tests are root
        self.position = folder / "data/grastate.dat"

    def launch(self, *options):
        """Starts the process only: a node is ready when it has found the others."""
        self.process.command = [*self.command, *options]
        self.process.start()
        try:  # on a busy machine the nodes would take each other for dead
            os.setpriority(os.PRIO_PROCESS, self.process.child.pid, -15)
        except PermissionError:
            pass

    def wait(self):
        wait_until(self.is_synced, f"node {self.address} is synced", 60)
        return self

    def start(self):
        self.launch(*self.last_position())
        return self.wait()

    def last_position(self):
        """A node that was killed has not noted its last transaction, and would copy all data of another node."""
        if not re.search(r"seqno: +-1\n", self.position.read_text()):
            return ()
        done = subprocess.run([*self.command, "--wsrep-recover"], capture_output=True, text=True, timeout=30)
        return (f"--wsrep-start-position={re.search(r'Recovered position: (.+)', done.stderr).group(1)}",)

    def status(self, name):
        return self.query("SHOW GLOBAL STATUS LIKE %s", name, database=None)[0][1]

    def is_synced(self):
        try:
            return self.process.is_running() and (self.status("wsrep_ready"), self.status("wsrep_local_state_comment")) == ("ON", "Synced")
        except pymysql.Error:
            return False

    def isolate(self, is_alone):
        """Cuts the node off from the others, so that it has no quorum; or ends the cut."""
        self.query(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(is_alone)}'", database=None)

    def sessions(self):
        """Returns how many sessions of agents there are."""
        return self.query("SELECT COUNT(*) FROM information_schema.processlist WHERE user LIKE 'otterbeat%'", database=None)[0][0]


class Lag:
    """While it lasts, a node applies nothing of what the others commit, as behind a long transaction. The others do not wait."""

    def __init__(self, node, other):
        self.node, self.holder = node, None
        other.query("CREATE OR REPLACE DATABASE held", database=None)
        other.query("CREATE TABLE held.held (id INT PRIMARY KEY)", database=None)
        self.other = other

    def __enter__(self):
        self.node.query("SET GLOBAL wsrep_desync = ON", database=None)
        self.holder = self.node.connect("held")
        self.holder.cursor().execute("LOCK TABLES held READ")
        self.other.query("INSERT INTO held.held VALUES (1)", database=None)
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        if not self.holder:
            return
        self.holder.close()
        self.holder = None
        self.node.query("SET GLOBAL wsrep_desync = OFF", database=None)


class Galera:
    def __init__(self, folder, template, addresses=ADDRESSES, options=()):
        self.folder, self.addresses, self.options, self.ports = folder, addresses, options, Ports()
        self.nodes = [self._node(0, template)]

    def _node(self, i, template):
        return Node(self.folder / self.addresses[i], template, self.addresses[i], self.ports, self.addresses, self.options)

    def start(self):
        """The other nodes begin with the data of the first one, so they have to fetch only what was changed since."""
        first = self.nodes[0]
        first.launch("--wsrep-new-cluster")
        first.wait().stop()
        self.nodes += [self._node(i, self.folder / first.address / "data") for i in (1, 2)]
        for node in self.nodes:
            node.launch(*(["--wsrep-new-cluster"] if node is first else []))
        for node in self.nodes:
            node.wait()
        return self

    def bring_back(self, node):
        """Starts the node if it does not run, and waits until the node is synced. If no node is synced for PATIENCE seconds, it
        bootstraps the cluster."""
        began = time.monotonic()

        def is_back():
            if node.is_synced():
                return True
            if not node.process.is_running():
                node.launch(*node.last_position())
            elif time.monotonic() > began + PATIENCE and not any(one.is_synced() for one in self.nodes):
                self.bootstrap()
            return False
        wait_until(is_back, f"node {node.address} is back", 180, 1)

    def bootstrap(self):
        """For the case that the nodes have lost each other, and no node has a quorum. Makes the node with the newest transaction the
        cluster, as an administrator would."""
        positions = {}
        for node in self.nodes:
            try:
                positions[node] = int(node.status("wsrep_last_committed"))
            except pymysql.Error:
                pass
        if positions:
            try:
                max(positions, key=positions.get).query("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'", database=None)
            except pymysql.Error:  # the nodes are just about to find each other
                pass

    def heal(self):
        """Ends all that a test has done to the nodes, and their tables of the state."""
        for node in self.nodes:
            if node.process.is_running():
                node.process.send(signal.SIGCONT)
                node.isolate(False)
            else:
                node.launch(*node.last_position())
        for node in self.nodes:
            node.wait()
        self.nodes[0].query("DROP DATABASE IF EXISTS otterbeat", database=None)
        self.nodes[0].install()

    def settings(self, agent, lease, hosts=None):
        return self.nodes[0].settings(agent, lease, hosts or self.addresses)

    def ask_any(self, question):
        """Returns question(node) of a node that is part of the cluster, and waits for one if there is none."""
        def answered():
            for node in self.nodes:
                try:
                    if node.is_synced():
                        return (question(node),)
                except pymysql.Error:  # it has just left the cluster
                    pass
            return None
        return wait_until(answered, "a node is synced")[0]

    def lease(self):
        return self.ask_any(State.lease)

    def renewals(self):
        return self.ask_any(State.renewals)

    def stop(self):
        """The data is not needed any more."""
        for node in self.nodes:
            node.process.kill9()
