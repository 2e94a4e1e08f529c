"""otterbeat replay: sends a part of the tables' history again, beside a running agent."""
import shutil
import time

import pytest

from servers.process import wait_until
from servers.wiring import to_graphite, to_statsd

pytestmark = pytest.mark.slow

SHORT = {name: {"overlap": 5} for name in ("delay", "throughput", "history", "log")}


@pytest.fixture
def agent(mariadb, otter, carbon, statsd, make_agent):
    """An agent with rows up to three minutes ago, so that no step is open any more."""
    otter.do("history", "--rows", 300, "--hours", 2, "--until", int(time.time()) - 200)
    made = make_agent(mariadb, [to_statsd(statsd), to_graphite(carbon, horizon=2, creates=0)], sources=SHORT)
    made.start()
    carbon.wait_for(otter.sums())
    return made


def without_totals(sums):
    return {name: value for name, value in sums.items() if ".table." not in name}


def test_beside_a_running_agent(otter, carbon, statsd, agent):
    wanted = otter.sums()
    statsd.wait_for(wanted)
    before = {name: carbon.points(name) for name in carbon.series() if "delay_ms" in name}
    time.sleep(4)  # all has been sent again, and is passed
    carbon.stop()
    shutil.rmtree(carbon.whisper)
    carbon.start()
    done = agent.run("replay", "--since", "oldest")
    assert done.returncode == 0, done.stderr
    assert "all of them sent" in done.stdout
    # A part of the oldest step may have been purged, so carbon's old value of this step stays.
    first = min(min(points) for points in before.values())
    wait_until(lambda: all({t: v for t, v in points.items() if t > first} ==
                           {t: v for t, v in carbon.points(name).items() if t > first}
                           for name, points in before.items()), "readings")
    statsd.wait_for(wanted)


def test_a_purge_takes_nothing_from_graphite(mariadb, otter, carbon, agent):
    wanted = otter.sums()
    for table in ("DELAY_STAT", "THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "LOG_RECORD"):
        mariadb.query(f"DELETE FROM {table} WHERE GMT_CREATE < NOW() - INTERVAL 3630 SECOND")
    done = agent.run("replay", "--since", "-3h")
    assert done.returncode == 0, done.stderr
    time.sleep(2)
    assert carbon.differences(wanted) == {}


def test_a_range(mariadb, otter, carbon, agent):
    """Only the steps in the range come back."""
    carbon.wait_for(otter.sums())
    before = {name: carbon.points(name) for name in carbon.series() if ".throughput.count" in name}
    time.sleep(4)  # all has been sent again, and is passed
    carbon.stop()
    shutil.rmtree(carbon.whisper)
    carbon.start()
    since, until = int(time.time()) // 60 * 60 - 6000, int(time.time()) // 60 * 60 - 3000
    text = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t)) for t in (since, until)]
    done = agent.run("replay", "--since", text[0], "--until", text[1])
    assert done.returncode == 0, done.stderr
    for name, points in before.items():
        wait_until(lambda: carbon.points(name) == {t: v for t, v in points.items() if since <= t < until}, name)


@pytest.mark.parametrize("words, code, why", [
    (["--since", "-1h", "--until", "-1s"], 64, "a running agent may still be sending"),
    (["--since", "-1s"], 64, "there is nothing between"),
    (["--since", "soon"], 64, "'soon' is no time"),
    (["--since", "2020-04-31 00:00:00"], 64, "'2020-04-31 00:00:00' is no time"),
    (["--until", "-1h"], 64, "usage:"),
    (["--since", "-1h", "more"], 64, "usage:"),
])
def test_refused(agent, words, code, why):
    done = agent.run("replay", *words)
    assert done.returncode == code
    assert why in done.stderr


def test_nothing_is_sent_to_statsd_again(mariadb, statsd, make_agent):
    done = make_agent(mariadb, [to_statsd(statsd)]).run("replay", "--since", "-1h")
    assert done.returncode == 78
    assert "has no Graphite sink" in done.stderr
