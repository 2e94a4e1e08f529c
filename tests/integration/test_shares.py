"""Several agents divide several managers: each manager has one owner, shares are fair, and no row is lost on the way."""
import json
import re
import signal
import time

import pytest

from servers.agent import SLACK
from servers.fake_otter import FakeOtter
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.wiring import to_graphite, to_statsd

LEASE = 3
MANAGERS = [f"m{i}" for i in range(5)]
LOAD = ("--speed", 10, "--writers", 1, "--hold", 1, "--rate", 20)


@pytest.fixture
def otters(mariadb, folder):
    """A fake Otter for each manager, in databases of one server."""
    mariadb.make_user("SELECT ON *.*")
    made = []
    for name in MANAGERS:
        mariadb.query(f"CREATE OR REPLACE DATABASE {name}", database=None)
        (folder / name).mkdir()
        fake = FakeOtter(mariadb, folder / name)
        fake.command += ["--database", name]
        fake.do("create", "--pipelines", 2, "--tables", 1)
        made.append(fake)
    yield made
    for fake in made:
        fake.stop()
    for name in MANAGERS:
        mariadb.query(f"DROP DATABASE {name}", database=None)


@pytest.fixture
def agents(make_agent, mariadb, state, carbon, statsd):
    managers = [{"name": name, "mysql": {"port": mariadb.port, "user": USER, "password": PASSWORD, "database": name,
                                         "connect_timeout": 2, "query_timeout": 3}} for name in MANAGERS]
    return {name: make_agent(mariadb, [to_statsd(statsd), to_graphite(carbon, horizon=2, creates=0)], name=name, managers=managers,
                             state=state.settings(name, LEASE), drain=5, status={"listen": f"unix:{name}.sock"},
                             sources={"agent": {"every": 1}})
            for name in "abc"}


def wanted(otters):
    """The right sum of each counter: the name of the manager is a part of the series."""
    return {re.sub(r"^otter\.", f"otter.manager.{name}.", series): value
            for name, fake in zip(MANAGERS, otters) for series, value in fake.sums().items()}


def shares(state, among="abc"):
    owners = [owner for owner, _ in state.leases().values()]
    return sorted(owners.count(name) for name in among) if len(owners) == len(MANAGERS) and set(owners) <= set(among) else None


def wait_for_shares(state, fair, among, seconds):
    began = time.monotonic()
    wait_until(lambda: shares(state, among) == fair, f"agents {among} own {fair} managers", seconds, 0.05)
    return time.monotonic() - began


def owned(state, agent):
    return [manager for manager, (owner, _) in state.leases().items() if owner == agent]


def test_agents_share_managers(otters, agents, state, carbon, statsd):
    a, b, c = agents.values()
    took = {}
    a.start()
    wait_for_shares(state, [5], "a", 15)
    loads = [fake.run("--seconds", 30, *LOAD) for fake in otters]
    b.start()
    took["a second agent starts"] = wait_for_shares(state, [2, 3], "ab", 10)
    c.start()
    took["a third agent starts"] = wait_for_shares(state, [1, 2, 2], "abc", 10)
    time.sleep(2)
    before = state.leases()
    b.kill9()
    took["kill -9"] = wait_for_shares(state, [2, 3], "ac", LEASE + 5)
    stayed = [manager for manager, (owner, generation) in before.items() if owner != "b"]
    assert {manager: before[manager] for manager in stayed} == {manager: state.leases()[manager] for manager in stayed}, \
        "a manager whose owner lives stays where it is"
    b.start()
    took["it comes back"] = wait_for_shares(state, [1, 2, 2], "abc", LEASE + 10)

    manager = owned(state, "a")[0]
    done = a.run("cluster", "release", manager)
    assert done.returncode == 0 and f'agent a has released the manager "{manager}", and agent ' in done.stdout, done.stderr
    assert manager not in owned(state, "a")
    wait_for_shares(state, [1, 2, 2], "abc", 10)

    done = a.run("cluster", "release", "--all", "c")
    assert done.returncode == 0 and "agent c has released " in done.stdout, done.stderr
    took["release --all"] = int(re.search(r"(\d+) ms after", done.stdout)[1]) / 1000
    assert shares(state, "ab") == [2, 3]
    view = json.loads(b.run("cluster", "--json").stdout)
    assert {one["agent"]: one["state"] for one in view["agents"]} == {"a": "owner", "b": "owner", "c": "resting"}
    assert sorted(one["manager"] for one in view["managers"]) == MANAGERS

    a.process.send(signal.SIGSTOP)
    took["SIGSTOP"] = wait_for_shares(state, [5], "b", LEASE + 5)
    a.process.send(signal.SIGCONT)
    took["SIGCONT"] = wait_for_shares(state, [2, 3], "ab", 10)
    began = time.monotonic()
    assert b.stop() == 0
    took["SIGTERM"] = time.monotonic() - began
    took["… until another agent owns the managers"] = wait_for_shares(state, [5], "a", 3)
    print({what: f"{seconds:.2f} s" for what, seconds in took.items()})
    for load in loads:
        assert load.wait(60) == 0, load.log()
    right = wanted(otters)
    carbon.wait_for(right, 60)
    for name, (sql, got) in statsd.differences(right).items():
        assert got <= sql, f"{name}: {got} of {sql}"
    assert took["kill -9"] <= LEASE + 1 + SLACK and took["SIGSTOP"] <= LEASE + 1 + SLACK, took
    assert took["release --all"] <= 1 + SLACK and took["… until another agent owns the managers"] <= 1 + SLACK, took


def test_own_series_do_not_depend_on_an_owner(otters, agents, state, carbon, statsd):
    a, b, _ = agents.values()
    a.start()
    b.start()
    wait_for_shares(state, [2, 3], "ab", 15)

    def told(series):
        found = statsd.ask("gauges", of_agent=True)
        return [found.get(f"otter.agent.{name}.agent.{series}") for name in "ab"]
    wait_until(lambda: sorted(map(str, told("managers"))) == ["2.0", "3.0"], "each agent tells how many managers it owns", 15)
    assert told("managers_unowned") == [0, 0] and told("lease") == [1, 1]
    state.process.kill9()
    wait_until(lambda: told("lease") == [0, 0], "the agents tell that they may not work", LEASE + 10)
    state.start()
    wait_until(lambda: told("lease") == [1, 1], "they work again", LEASE + 10)
