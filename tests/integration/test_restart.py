"""Restarts lose nothing and repeat nothing, also after a kill."""
import random
import time

import pytest

FAST = ("--speed", 20, "--writers", 6, "--hold", 3, "--rate", 200)


def test_goes_on_where_it_was(mariadb, otter, carbon, statsd, both, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, both)
    agent.once()
    otter.do("history", "--rows", 500, "--hours", 1)
    agent.once()
    wanted = otter.sums()
    carbon.wait_for(wanted)
    statsd.wait_for(wanted)


@pytest.mark.slow
def test_ten_kills_under_load(mariadb, otter, carbon, statsd, both, make_agent):
    """At the end Graphite equals SQL; StatsD, which counts at most once, never has more."""
    agent = make_agent(mariadb, both)
    managers = otter.run("--seconds", 25, *FAST)
    for _ in range(10):
        agent.start()
        time.sleep(random.uniform(0.3, 2.5))
        agent.kill9()
    assert managers.wait(60) == 0, managers.log()
    assert agent.run("--once").returncode in (0, 69), "points that the last kill left in doubt are lost, and logged"
    wanted = otter.sums()
    carbon.wait_for(wanted)
    for name, (sql, got) in statsd.differences(wanted).items():
        assert got <= sql, name


@pytest.mark.slow
def test_carbon_killed_under_load(mariadb, otter, carbon, make_agent):
    """The points in the cache of the killed carbon are sent again."""
    agent = make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "horizon": 2}]).start()
    managers = otter.run("--seconds", 15, *FAST)
    for _ in range(3):
        time.sleep(random.uniform(2, 4))
        carbon.kill9()
        time.sleep(0.5)
        carbon.start()
    assert managers.wait(60) == 0, managers.log()
    agent.wait_for_log("event=sink_recovered")
    time.sleep(5)
    agent.stop()
    agent.once()
    carbon.wait_for(otter.sums())
