"""The messages to the service manager, received by a unix datagram socket of the test, like that of systemd."""
import re
import time

import pytest

from servers.notified import Notified
from servers.process import free_port, wait_until
from servers.wiring import to_graphite

WATCHDOG_SECONDS = 4


@pytest.fixture
def notified(folder):
    made = Notified(folder / "notify")
    yield made
    made.stop()


def supervised(make_agent, notified, server, sinks, **settings):
    agent = make_agent(server, sinks, **settings)
    agent.process.env.update(NOTIFY_SOCKET=str(notified.path), WATCHDOG_USEC=str(WATCHDOG_SECONDS * 1000000))
    return agent


def test_from_start_to_stop(mariadb, otter, both, make_agent, notified):
    agent = supervised(make_agent, notified, mariadb, both).start()
    wait_until(lambda: notified.lines("READY=1"), "it is ready")
    wait_until(lambda: notified.lines("STATUS=otterbeat is well: 7 sources, 2 sinks; "), "how it gets on")
    agent.reload()
    wait_until(lambda: len(notified.lines("READY=1")) == 2, "it is ready again")
    order = [line for line in notified.lines() if line in ("READY=1", "RELOADING=1")]
    assert order == ["READY=1", "RELOADING=1", "READY=1"]
    asked = int(notified.lines("MONOTONIC_USEC=")[0].split("=")[1]) / 1e6
    assert 0 <= time.monotonic() - asked < 60
    agent.write(drain=-1)
    agent.reload()
    wait_until(lambda: len(notified.lines("READY=1")) == 3, "the old config goes on")
    assert agent.stop() == 0
    wait_until(lambda: notified.lines("STOPPING=1"), "it said that it stops")
    assert notified.lines()[-2:] == ["STOPPING=1", "STATUS=sends what is left"]


def test_the_watchdog_is_fed_whatever_the_world_does(own_mariadb, carbon, make_agent, notified):
    own_mariadb.query("CREATE TABLE T (ID BIGINT PRIMARY KEY, N BIGINT)")
    off = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log")}
    mine = {"table": "T", "every": 1, "columns": [["cursor", "ID"], ["increment", "N"]]}
    agent = supervised(make_agent, notified, own_mariadb, [to_graphite(carbon)],
                       sources={**off, "mine": mine, "agent": {"every": 1}}).start()
    wait_until(lambda: notified.lines("STATUS=otterbeat is well: 3 sources, 1 sink; "), "all is well")
    own_mariadb.kill9()
    carbon.kill9()
    wait_until(lambda: [line for line in notified.lines("STATUS=otterbeat is in trouble: 2 fail, none past the deadline; ")
                        if "; source mine is troubled: " in line and "mysql 2002" in line], "it says what is wrong")
    time.sleep(2 * WATCHDOG_SECONDS)
    carbon.start()
    own_mariadb.start()
    wait_until(lambda: notified.lines("STATUS=")[-1].startswith("STATUS=otterbeat is well"), "all is well again", 90)
    beats = notified.times("WATCHDOG=1")
    assert len(beats) > 4
    gaps = [later - earlier for earlier, later in zip(beats, beats[1:])]
    assert max(gaps) < WATCHDOG_SECONDS, "a real systemd would not have ended it"
    assert agent.stop() == 0


def test_the_watchdog_is_fed_while_a_reload_takes_its_time(mariadb, otter, make_agent, notified):
    """A reload waits for a sink that is down as long as `drain`, which is longer here than the watchdog's time."""
    otter.do("history", "--rows", 300)
    nobody = {"type": "graphite", "port": free_port()}
    agent = supervised(make_agent, notified, mariadb, [nobody], drain=3 * WATCHDOG_SECONDS).start()
    agent.wait_for_log("event=sink_failed")
    agent.reload()
    agent.wait_for_log("event=reloaded", 60)
    wait_until(lambda: len(notified.lines("READY=1")) == 2, "it is ready again")
    begin, end = notified.times("RELOADING=1")[0], notified.times("READY=1")[1]
    assert end - begin > 2 * WATCHDOG_SECONDS, "it took its time"
    beats = [begin, *(at for at in notified.times("WATCHDOG=1") if begin <= at <= end), end]
    assert max(later - earlier for earlier, later in zip(beats, beats[1:])) < WATCHDOG_SECONDS
    agent.write(drain=1)


def test_an_end_that_is_wanted_during_a_reload_starts_nothing(mariadb, otter, make_agent, notified):
    otter.do("history", "--rows", 300)
    agent = supervised(make_agent, notified, mariadb, [{"type": "graphite", "port": free_port()}], drain=4).start()
    agent.wait_for_log("event=sink_failed")
    agent.reload()
    wait_until(lambda: notified.lines("RELOADING=1"), "it reloads")
    time.sleep(1)
    assert agent.stop() == 0
    assert agent.log().count("event=started") == 1 and "event=stopped" in agent.log()


def test_no_message_comes_too_early_or_from_others(mariadb, otter, both, make_agent, notified):
    agent = supervised(make_agent, notified, mariadb, both)
    agent.write(drain=-1)
    assert agent.process.start().wait() == 78 and not notified.lines()
    agent.write(drain=5, log_file="none/there.log")
    assert agent.process.start().wait() == 69 and not notified.lines("READY")
    agent.write(log_file="")
    agent.process.env["WATCHDOG_PID"] = "1"
    agent.start()
    wait_until(lambda: notified.lines("READY=1"), "it is ready")
    time.sleep(WATCHDOG_SECONDS)
    assert not notified.lines("WATCHDOG"), "it is another's watchdog"


def test_status_is_not_repeated(mariadb, otter, both, make_agent, notified):
    supervised(make_agent, notified, mariadb, both).start()
    wait_until(lambda: notified.lines("STATUS="), "said once")
    time.sleep(3)
    assert len(notified.lines("STATUS=")) == 1
    assert not re.search("[\r\0]", "".join(notified.lines()))
