"""The same address leads to another server: after a fail-over, or through a balancer over replicas, one of which is behind."""
import random
import time

import pytest

from chaos import replication
from chaos.proxy import Proxy
from chaos.rows import Rows
from servers.fake_otter import FakeOtter
from servers.mariadb import MariaDB
from servers.process import wait_until

TABLES = ("THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "LOG_RECORD", "TABLE_STAT")


class Pair:
    """A server and its replica behind one address, and the amounts that were written to them."""

    def __init__(self, master, replica):
        self.master, self.replica = master, replica
        self.proxy = Proxy(master.port)
        self.port = self.proxy.port
        self.rows, self.wanted = Rows(random.Random(18), each=15), {}

    def write(self):
        self.rows.write(self.master, self.wanted)

    def lag(self):
        replication.pause(self.replica)

    def catch_up(self):
        replication.resume(self.replica)
        replication.wait(self.replica, self.master)

    def lead_to(self, server, agent):
        """Leads the address to a server, and waits until TABLE_STAT was read there; the other tables are read at the same time."""
        change = "source=table event=database_changed"
        changes = agent.log().count(change)
        self.proxy.retarget(server.port)
        agent.wait_for_log(change, 60, times=changes + 1)
        time.sleep(1.5)

    def stop(self):
        self.proxy.stop()


@pytest.fixture(name="pair")
def master_and_replica(template, folder):
    servers = []
    for number, name in ((1, "master"), (2, "replica")):
        (folder / name).mkdir()
        servers.append(MariaDB(folder / name, template, number, replication.OPTIONS))
    made = None
    try:
        for server in servers:
            server.start()
        servers[0].query("CREATE DATABASE otter", database=None)
        servers[0].make_user()
        replication.follow(servers[1], servers[0])
        servers[1].make_user()
        made = Pair(*servers)
        yield made
    finally:
        if made:
            made.stop()
        for server in servers:
            server.stop()


@pytest.fixture(name="agent")
def agent_of_pair(pair, folder, both, make_agent):
    fake = FakeOtter(pair.master, folder)
    fake.do("create", "--pipelines", 3, "--tables", 2)
    replication.wait(pair.replica, pair.master)
    off = {name: {"enabled": False} for name in ("delay", "state")}
    yield make_agent(pair, both, sources={**off, **{name: {"settle": 0} for name in ("throughput", "history", "log")}})
    fake.stop()


def arrived(pair, carbon, statsd):
    statsd.wait_for(pair.wanted, 30)
    carbon.wait_for(pair.wanted)


def test_a_replica_that_is_behind_and_catches_up(pair, agent, carbon, statsd):
    """Counted amounts are not counted again, new amounts are counted, and a restart in between changes nothing."""
    agent.start()
    pair.write()
    arrived(pair, carbon, statsd)
    pair.lag()
    pair.write()
    arrived(pair, carbon, statsd)
    pair.lead_to(pair.replica, agent)
    agent.kill9()
    agent.start()
    pair.write()
    pair.catch_up()
    arrived(pair, carbon, statsd)
    pair.write()
    arrived(pair, carbon, statsd)
    assert "event=reset" not in agent.log()


def test_two_replicas_that_take_turns(pair, agent, carbon, statsd):
    agent.start()
    for _ in range(3):
        pair.lag()
        pair.write()
        arrived(pair, carbon, statsd)
        pair.lead_to(pair.replica, agent)
        pair.lead_to(pair.master, agent)
        pair.write()
        pair.lead_to(pair.replica, agent)
        pair.catch_up()
        arrived(pair, carbon, statsd)
        pair.lead_to(pair.master, agent)
    pair.write()
    arrived(pair, carbon, statsd)
    assert "event=behind" in agent.log() and "event=reset" not in agent.log()


def test_a_table_that_was_made_anew_on_the_other_server(pair, agent, carbon, statsd):
    """The rows of the new table are younger than all counted rows, so no part of them was counted."""
    agent.start()
    pair.write()
    arrived(pair, carbon, statsd)
    replication.wait(pair.replica, pair.master)
    replication.leave(pair.replica)
    for table in TABLES:
        pair.replica.query(f"TRUNCATE {table}")
    wait_until(lambda: pair.replica.query("SELECT UNIX_TIMESTAMP()") > pair.master.query(
        "SELECT MAX(UNIX_TIMESTAMP(GMT_MODIFIED)) FROM TABLE_STAT"), "the clock is past what was counted")
    pair.rows.write(pair.replica, pair.wanted)
    pair.lead_to(pair.replica, agent)
    arrived(pair, carbon, statsd)
