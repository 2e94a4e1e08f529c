"""Agents that share their state in a Galera cluster: nodes die, freeze, are cut off, lag and are restarted, and the sums stay exact."""
import pathlib
import re
import shutil
import signal
import tempfile
import threading
import time

import pymysql
import pytest

from servers.galera import ADDRESSES, Galera, Lag
from servers.process import wait_until
from test_cluster import LOAD, Member, begin, end

FIRST, SECOND, THIRD = ADDRESSES
LEASE = 5  # seconds: longer than the nodes need to find out that one of them is silent


@pytest.fixture(scope="module", name="nodes")
def shared_nodes(template):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-galera-"))
    galera = Galera(folder, template)
    try:
        yield galera.start()
    finally:
        galera.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def galera(nodes):
    nodes.heal()
    return nodes


@pytest.fixture
def make_member(make_agent, mariadb, galera, carbon, statsd):
    """make_member(name, hosts): an agent that tries the nodes in this order."""
    made = []

    def make(name, hosts=ADDRESSES):
        made.append(Member(name, make_agent, mariadb, galera, carbon, statsd))
        made[-1].agent.write(state=galera.settings(name, LEASE, hosts))
        return made[-1]

    yield make
    for member in made:
        member.tcp.stop()
        member.udp.stop()


@pytest.fixture
def pair(make_member):
    return make_member("a"), make_member("b")


def sent(members):
    return sum(member.tcp.bytes for member in members)


def go_on(members, galera, broken):
    """Returns the node that the agents use in place of the broken one, and how long it took until they sent again."""
    began = time.monotonic()
    others = [node for node in galera.nodes if node is not broken]
    used = wait_until(lambda: next((node for node in others if node.sessions() > 4), None), "the owner uses another node")
    before = sent(members)
    wait_until(lambda: sent(members) > before, "the owner sends")
    return used, round(time.monotonic() - began, 2)


def owner_and_standby(pair):
    """Asks the agents, since a node that was frozen shows an old owner at first."""
    def found():
        said = {member.ask("/healthz"): member for member in pair}
        return said.keys() == {(200, "ok\n"), (200, "standby\n")} and (said[200, "ok\n"], said[200, "standby\n"])
    return wait_until(found, "one agent owns the state, and the other one stands by")


def count(members, event):
    return sum(member.agent.log().count(f"event={event}") for member in members)


def test_nodes_die_and_freeze_and_lose_the_quorum(otter, galera, pair, make_member, carbon, statsd):
    """The owner goes on with the next node each time, and at last it dies itself."""
    tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'otterbeat'"
    assert {node.ask(tables) for node in galera.nodes} == {((16,),)}, "the script runs on one node, and reaches all"
    begin(pair)
    load = otter.run("--seconds", 300, *LOAD)
    time.sleep(1)
    took, used = {}, galera.nodes[0]
    used.kill9()
    killed, (used, took["killed"]) = used, go_on(pair, galera, used)
    killed.start()
    used.isolate(True)
    alone, (used, took["cut off"]) = used, go_on(pair, galera, used)
    lonely = make_member("lonely", (alone.address,)).start()
    lonely.agent.wait_for_log(f"event=lease_not_taken agent=lonely err=\"{alone.address}: mysql")
    wait_until(lambda: "has no quorum" in lonely.ask("/healthz")[1], "an agent that reaches only this node says why it stands by")
    assert lonely.ask("/healthz")[0] == 503 and lonely.sent() == 0
    assert lonely.agent.stop() == 0
    alone.isolate(False)
    alone.wait()
    used.process.send(signal.SIGSTOP)
    frozen, (used, took["frozen"]) = used, go_on(pair, galera, used)
    frozen.process.send(signal.SIGCONT)
    frozen.wait()
    print("the agents go on after", took, "and have lost the lease", count(pair, "lease_lost"), "times")
    owner, standby = owner_and_standby(pair)
    owner.agent.kill9()
    seconds = standby.wait_until_sending(LEASE + 5)
    print(f"kill -9: another agent sends after {seconds:.2f} s")
    assert seconds <= LEASE + 1
    load.send(signal.SIGTERM)  # a clean end
    end(otter, load, carbon, statsd, standby.agent)


def test_a_rolling_restart(otter, galera, pair, carbon, statsd):
    owner, _ = begin(pair)
    load = otter.run("--seconds", 300, *LOAD)
    for node in galera.nodes:
        time.sleep(0.5)
        node.stop()
        node.start()
    load.send(signal.SIGTERM)  # a clean end
    end(otter, load, carbon, statsd, owner.agent)


class Interference(threading.Thread):
    """Changes the row of the lease on one node, again and again, so that transactions on other nodes fail their certification."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.done = node, threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.03):
            try:
                self.node.ask("UPDATE leases SET beats = beats + 1")
            except pymysql.Error:  # it is the loser sometimes
                pass

    def stop(self):
        self.done.set()
        self.join()


def conflicts(node):
    return sum(int(node.status(f"wsrep_local_{kind}")) for kind in ("cert_failures", "bf_aborts"))


def test_agents_on_different_nodes_are_in_conflict(otter, galera, make_member, carbon, statsd):
    """They ask for the lease at the same moment, twice; in between each transaction of the owner may fail, also at COMMIT."""
    orders = (ADDRESSES, (SECOND, THIRD, FIRST), (THIRD, FIRST, SECOND))
    members = [make_member(name, hosts) for name, hosts in zip("abc", orders)]
    for member in members:
        member.agent.process.start()
    for member in members:
        member.agent.wait_for_log("event=started")
    wait_until(lambda: galera.lease()[0], "one of them owns the state")
    at = [member.name for member in members].index(galera.lease()[0])
    owner, others = members[at], members[:at] + members[at + 1:]
    load = otter.run("--seconds", 300, *LOAD)
    before, interference = conflicts(galera.nodes[at]), Interference(galera.nodes[at - 1])
    time.sleep(4)
    interference.stop()
    print("conflicts:", conflicts(galera.nodes[at]) - before)
    assert conflicts(galera.nodes[at]) > before
    assert count(members, "lease_taken") == galera.lease()[1] == 1 and count(members, "lease_lost") == 0
    owner.agent.kill9()
    wait_until(lambda: sum(member.tcp.bytes for member in others) > 0, "another agent sends", LEASE + 1, 0.01)
    load.send(signal.SIGTERM)  # a clean end
    end(otter, load, carbon, statsd, owner.agent)
    assert count(members, "lease_taken") == galera.lease()[1] == 2 and count(members, "lease_lost") == 0


def test_a_node_that_lags_is_never_believed(otter, galera, pair, make_member, carbon, statsd):
    first, second, _ = galera.nodes
    reader = make_member("reader", (SECOND,)).agent
    with Lag(second, first) as lag:
        owner, _ = begin(pair)
        otter.do("sample")
        carbon.wait_for(otter.sums())
        for words in (("cluster",), ("cursor",)):
            done = reader.run(*words)
            assert done.returncode == 69 and "no whole answer about the state in time" in done.stderr, done.stdout + done.stderr
        threading.Timer(0.7, lag.end).start()
        done = reader.run("cluster")
        assert re.search(r'^"" +a +1 ', done.stdout, re.M), done.stdout + done.stderr
    load = otter.run("--seconds", 300, *LOAD)
    with Lag(second, first):
        time.sleep(1)
        first.kill9()
        print("killed, and the next node lags: the owner goes on after", go_on(pair, galera, first)[1], "s")
    load.send(signal.SIGTERM)  # a clean end
    end(otter, load, carbon, statsd, owner.agent)
