"""A pipeline whose state changes: one event in graphite-web, one event and one service check of DogStatsD."""
import time

import pytest

from integration.test_events import carbon_stream, events, to_web, web  # noqa: F401: fixtures
from servers.dogstatsd import Check, Event, read_all
from servers.process import wait_until
from servers.sinks import Datagrams

SETTINGS = {"lag": 30, "idle": 3600, "stall": 3600, "hold": 1}


@pytest.fixture
def datagrams():
    server = Datagrams()
    yield server
    server.stop()


@pytest.fixture
def agent(mariadb, otter, web, carbon_stream, datagrams, make_agent):  # noqa: F811
    otter.do("create", "--pipelines", 2, "--tables", 1)
    sinks = [*to_web(carbon_stream, web.url), {"type": "statsd", "flavor": "dogstatsd", "port": datagrams.port}]
    sources = {"delay": {"every": 1, "settle": 0}, "throughput": {"every": 1, "settle": 0}, "state": {"every": 1}}
    return make_agent(mariadb, sinks, sources=sources, health=SETTINGS)


def is_now(mariadb, agent, state, delay):
    """Inserts rows with this delay until the agent reports the state."""
    said = agent.log().count(f" is={state} ")
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (%s, 0, 1, NOW(), NOW())", delay)
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, "
                  "GMT_MODIFIED) VALUES ('ROW', 1, 1, 1, NOW(), NOW(), NOW(), NOW())")
    wait_until(lambda: agent.log().count(f" is={state} ") > said, f"it is {state}", 30)


def words(found):
    return [one["what"].split(":")[0] for one in found]


def test_each_change_is_sent_once(mariadb, web, datagrams, agent):  # noqa: F811
    agent.start()
    is_now(mariadb, agent, "ok", 5)
    is_now(mariadb, agent, "lagging", 40000)
    wait_until(lambda: words(events(web)) == ["lagging"], "the event of a change; there is none at first sight")
    (event,) = events(web)
    assert event["tags"][:4] == ["otter", "state", "warning", "pipeline:1"]
    assert any(tag.startswith("pipeline_name:") for tag in event["tags"])
    assert event["data"] == "a delay of 40000 ms; it was ok" and event["what"].startswith("lagging: pipeline 1, ")
    is_now(mariadb, agent, "ok", 5)
    wait_until(lambda: words(events(web)) == ["lagging", "ok"], "the second")
    assert agent.stop() == 0
    found = read_all(datagrams.received)
    found_events = [one for one in found if isinstance(one, Event)]
    checks = [one for one in found if isinstance(one, Check) and "pipeline:1" in one.tags]
    assert [(one.title.split(":")[0], one.fields["t"]) for one in found_events] == [("lagging", "warning"), ("ok", "success")]
    assert [(one.name, one.status) for one in checks] == [("otter.state", status) for status in (0, 1, 0)]
    assert len({one.tags for one in checks}) == 1, "or they were three checks"
    assert checks[1].fields["m"] == "a delay of 40000 ms; it was ok"


def test_no_restart_and_no_kill_sends_a_change_again(mariadb, web, datagrams, agent):  # noqa: F811
    agent.start()
    is_now(mariadb, agent, "ok", 5)
    is_now(mariadb, agent, "lagging", 40000)
    wait_until(lambda: words(events(web)) == ["lagging"], "the first")
    for end in (agent.kill9, agent.stop, agent.kill9):
        time.sleep(1)
        end()
        agent.start()
        mariadb.query("UPDATE DELAY_STAT SET GMT_MODIFIED = NOW()")
    time.sleep(4)
    assert words(events(web)) == ["lagging"]
    agent.kill9()
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (5, 0, 1, NOW(), NOW())")
    agent.start()
    wait_until(lambda: words(events(web)) == ["lagging", "ok"], "a change while the agent was down is sent, too")
    agent.stop()
    assert len([one for one in read_all(datagrams.received) if isinstance(one, Event)]) == 2
