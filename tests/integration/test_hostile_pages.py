"""What answers at page.url may be anything: it costs little, ends in one line of the log, and nobody else suffers."""
import os
import re
import time

import pytest

from servers.agent import SOURCES
from servers.hostile_pages import SHAPES, HostilePages
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until

DRAIN = 1
KILOBYTES_MAX = 64 * 1024
IS_SANITIZED = os.environ.get("OB_PRESET", "dev") in ("asan", "tsan")
TABLES = {name: {"enabled": False} for name in (*SOURCES, "agent")}


@pytest.fixture
def hostile():
    made = []

    def make(send):
        made.append(HostilePages(send))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def two_managers(make_agent, mariadb, manager, sink):
    """An agent of two managers, of which one is hostile."""
    def make(url, **page):
        mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD}
        return make_agent(mariadb, [{"type": "statsd", "port": sink.port}], drain=DRAIN, managers=[
            {"name": "good", "mysql": mysql, "page": {"url": manager.url}},
            {"name": "bad", "mysql": mysql, "page": {"url": url, "timeout": 2, "budget": 5, **page}}],
            sources={**TABLES, "log": {"enabled": True}, "page": {"enabled": True, "every": 1}})
    return make


def assert_others_go_on(sink, mariadb):
    sink.received.clear()
    mariadb.query("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES ('1', '1', 'after', 'x', NOW(), NOW())")
    for name in ("good.*title.after.log.records", "bad.*title.after.log.records", "good.*channel_state"):
        wait_until(lambda: any(re.search(name, line) for line in sink.lines()), name)


def stop_in_time(agent):
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < DRAIN + 2


@pytest.mark.parametrize("name", SHAPES)
def test_a_page_that_is_none(name, hostile, two_managers, otter, mariadb, sink):
    send, says = SHAPES[name]
    server = hostile(send)
    agent = two_managers(server.url).start()
    wait_until(lambda: re.search(f"source=bad/page.* event=(page_failed|budget_spent).*({says})", agent.log()),
               f"the log says {says}", 40)
    line = next(line for line in agent.log().splitlines() if "event=page_failed" in line or "budget_spent" in line)
    assert f"url={server.url}/" in line or "budget_spent" in line, line
    assert_others_go_on(sink, mariadb)
    for page in ("channels:1", "nodes:1"):
        assert agent.log().count(f"event=page_failed page={page} ") <= 1, "once, not with every round"
    peak = agent.peak_kilobytes()
    print(f"peak {name}: {peak} kB")
    asked = len(server.requests)
    wait_until(lambda: len(server.requests) > asked, "a request that is under way")
    stop_in_time(agent)
    assert IS_SANITIZED or peak < KILOBYTES_MAX, peak


@pytest.mark.parametrize("send", [b"", SHAPES["a byte a second"][0]])
def test_a_stop_does_not_wait_for_a_page(send, hostile, two_managers, otter):
    server = hostile(send)
    agent = two_managers(server.url, timeout=60).start()
    wait_until(lambda: server.requests, "a request that is under way")
    stop_in_time(agent)


def test_a_login_without_end(hostile, two_managers, otter, mariadb, sink):
    server = hostile(SHAPES["a body without end"][0])
    agent = two_managers(server.url, user="admin", password="admin").start()
    agent.wait_for_log("login.htm: the answer is larger than 4194304 bytes")
    assert_others_go_on(sink, mariadb)
    stop_in_time(agent)


def test_tls_that_never_begins(hostile, two_managers, otter, mariadb, sink):
    server = hostile(b"")
    agent = two_managers(server.url.replace("http", "https")).start()
    wait_until(lambda: re.search("event=page_failed .*(timed out|too slow|timeout)", agent.log()), "a time-out")
    assert_others_go_on(sink, mariadb)
    stop_in_time(agent)
