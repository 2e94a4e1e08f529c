"""Pipeline health: the state of each pipeline, from tables and pages of one world."""
import re
import time

import pytest

from servers.mariadb import PASSWORD, USER
from servers.process import wait_until

STATES = ("ok", "idle", "paused", "stopped", "locating", "lagging", "skewed", "stalled", "hung")
SETTINGS = {"lag": 30, "idle": 6, "stall": 12, "skew": 60, "hold": 1}


@pytest.fixture
def watch(mariadb, manager, sink, make_agent):
    """watch(…): starts an agent that reads every source each second."""

    def start(pages=True, **settings):
        sources = {name: {"every": 1, "start": "oldest"} for name in ("delay", "throughput", "history", "table", "log")}
        mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD}
        agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}],
                           managers=[{"mysql": mysql, "page": {"url": manager.url, "timeout": 2}}],
                           sources={**sources, "page": {"every": 1, "enabled": pages}, "state": {"every": 1}},
                           health={**SETTINGS, **settings})
        return agent.start()

    return start


def last_state(sink, pipeline):
    said = re.findall(rf"otter\.pipeline\.{pipeline}\.state:(\d)\|g", "\n".join(sink.lines()))
    return STATES[int(said[-1])] if said else None


def wait_for_state(sink, pipeline, state, seconds=30):
    wait_until(lambda: last_state(sink, pipeline) == state, f"pipeline {pipeline} is {state}", seconds)


def changes(agent, pipeline):
    return re.findall(rf"event=state pipeline={pipeline} was=(\w+) is=(\w+)", agent.log())


def now_row(mariadb, pipeline, delay=100):
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (%s, 0, %s, NOW(), NOW())", delay, pipeline)
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, "
                  "GMT_MODIFIED) VALUES ('ROW', 1, 1, %s, NOW(), NOW(), NOW(), NOW())", pipeline)


@pytest.mark.slow
def test_a_day_of_a_pipeline(mariadb, manager, sink, watch):
    channel = mariadb.query("SELECT CHANNEL_ID FROM PIPELINE WHERE ID = 1")[0][0]
    now_row(mariadb, 1)
    agent = watch()
    wait_for_state(sink, 1, "ok")
    now = int(time.time())
    manager.state(f"pipeline 1 position {now + 5}")  # the pipeline is alive, but has nothing to copy
    wait_for_state(sink, 1, "idle")
    manager.state()  # no new rows, the position does not move, and processes are in flight
    wait_for_state(sink, 1, "stalled")
    manager.state("empty analysisStageStat")
    wait_for_state(sink, 1, "hung")
    manager.state("pipeline 1 locating")
    wait_for_state(sink, 1, "locating")
    manager.state("pipeline 1 off")
    wait_for_state(sink, 1, "stalled")
    manager.state(f"channel {channel} paused")
    wait_for_state(sink, 1, "paused")
    manager.state(f"channel {channel} stopped")
    wait_for_state(sink, 1, "stopped")
    manager.state(f"pipeline 1 position {int(time.time()) + 600}")
    wait_for_state(sink, 1, "skewed")
    manager.state()
    now_row(mariadb, 1, delay=31000)
    wait_for_state(sink, 1, "lagging")
    now_row(mariadb, 1)
    wait_for_state(sink, 1, "ok")
    told = [is_ for _, is_ in changes(agent, 1)]
    assert [state for state in told if state not in ("hung", "idle")] == [
        "ok", "stalled", "locating", "stalled", "paused", "stopped", "skewed", "lagging", "ok"], "each change is logged once"


def test_without_pages_silence_is_a_stall(mariadb, sink, watch):
    now_row(mariadb, 1)
    agent = watch(pages=False)
    wait_for_state(sink, 1, "ok")
    wait_for_state(sink, 1, "stalled")
    assert "its page, which would say more, is not read" in agent.log()


def test_many_pipelines_at_once(otter, sink, watch):
    otter.do("create", "--pipelines", 300, "--tables", 1)
    otter.do("history", "--rows", 1500, "--hours", 0.01)
    agent = watch(pages=False, stall=3600)
    wait_for_state(sink, 300, "idle")
    assert len(re.findall("event=state pipeline=", agent.log())) >= 300
    assert agent.stop() == 0


def test_a_database_that_is_away_makes_no_state(own_mariadb, sink, make_agent):
    """Ages that are not read any more do not count as facts about a pipeline."""
    own_mariadb.query("CREATE TABLE DELAY_STAT (ID BIGINT PRIMARY KEY AUTO_INCREMENT, PIPELINE_ID BIGINT, "
                      "DELAY_TIME BIGINT, GMT_CREATE TIMESTAMP, GMT_MODIFIED TIMESTAMP, KEY (GMT_CREATE, ID))")
    own_mariadb.query("INSERT INTO DELAY_STAT VALUES (1, 1, 5, NOW(), NOW())")
    off = {name: {"enabled": False} for name in ("throughput", "history", "table", "log")}
    agent = make_agent(own_mariadb, [{"type": "statsd", "port": sink.port}],
                       sources={**off, "state": {"every": 1}}, health={**SETTINGS, "stall": 3600}).start()
    wait_for_state(sink, 1, "idle")
    own_mariadb.kill9()
    agent.wait_for_log("event=poll_failed")
    time.sleep(35)  # so long an age stays valid without a new reading
    before = len([line for line in sink.lines() if ".state:" in line])
    time.sleep(3)
    assert len([line for line in sink.lines() if ".state:" in line]) == before
    assert len(changes(agent, 1)) == 1
