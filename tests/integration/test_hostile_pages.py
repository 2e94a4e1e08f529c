"""Any server may answer at page.url: a bad answer costs little, is logged in one line, and does not disturb other sources."""
import re
import subprocess
import time

import pytest

from servers.agent import IS_SANITIZED, SLACK, SOURCES
from servers.hostile_pages import NEVER, SHAPES, HostilePages, always_other_cookies, answer, listing, pipelines
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.sinks import Stream, gauges

DRAIN = 1
KILOBYTES_MAX = 64 * 1024
LARGEST_MAX = 84 * 1024  # a tree of 36 MiB, a body of 4, the pages of a cycle of 8, and the rest of the agent
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
    """An agent with two managers, one of which is hostile."""
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
    assert time.monotonic() - began < DRAIN + 1 + SLACK


@pytest.mark.parametrize("name", SHAPES)
def test_a_page_that_is_none(name, hostile, two_managers, otter, mariadb, sink):
    send, says = SHAPES[name]
    if IS_SANITIZED:  # a sanitizer may be too slow for the time that parsing may take
        says += "|could not be read in page.timeout seconds"
    server = hostile(send)
    agent = two_managers(server.url).start()
    wait_until(lambda: re.search(f"source=bad/page.* event=(page_failed|budget_spent).*({says})", agent.log()),
               f"the log says {says}", 40)
    line = next(line for line in agent.log().splitlines() if "event=page_failed" in line or "budget_spent" in line)
    assert f"{server.url}/" in line or "budget_spent" in line, line
    assert_others_go_on(sink, mariadb)
    for page in ("channels:1", "nodes:1"):
        assert agent.log().count(f"event=page_failed page={page} ") <= 1, "once, not with every round"
    peak = agent.peak_kilobytes()
    asked = len(server.requests)
    wait_until(lambda: len(server.requests) > asked, "a request that is under way")
    stop_in_time(agent)
    assert IS_SANITIZED or peak < (LARGEST_MAX if name == "lists without end" else KILOBYTES_MAX), peak


@pytest.mark.parametrize("send", [NEVER, SHAPES["a byte a second"][0]])
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


def test_cookies_are_not_kept_for_ever(hostile, two_managers, otter):
    server = hostile(always_other_cookies)
    agent = two_managers(server.url).start()
    wait_until(lambda: len(server.heads) > 12, "many answers")
    stop_in_time(agent)
    sent = [head.count(b"=x") for head in server.heads]
    assert 10 <= max(sent) <= 32, sent


def test_tls_that_never_begins(hostile, two_managers, otter, mariadb, sink):
    server = hostile(NEVER)
    agent = two_managers(server.url.replace("http", "https")).start()
    wait_until(lambda: re.search("event=page_failed .*(timed out|too slow|timeout)", agent.log()), "a time-out")
    assert_others_go_on(sink, mariadb)
    stop_in_time(agent)


def test_the_largest_list_that_a_manager_may_send(hostile, two_managers, otter, mariadb, sink):
    """2,000 pipelines in one channel: the list of pipelines is not split into pages."""
    server = hostile(listing(answer(pipelines(2000))))
    agent = two_managers(server.url, timeout=20, budget=60).start()
    wait_until(lambda: "manager.bad.pipeline.2000.mainstem_state" in gauges(sink.lines()), "the last of them", 60)
    assert "event=page_failed page=pipelines" not in agent.log()
    peak = agent.peak_kilobytes()
    stop_in_time(agent)
    assert IS_SANITIZED or peak < LARGEST_MAX, peak


MUTE_NAMES = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
        int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
                dlsym(RTLD_NEXT, "getaddrinfo");
        if (name && !strcmp(name, "mute.invalid"))
                sleep(120);
        return real(name, service, hints, found);
}
"""


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer wants to be loaded first")
def test_a_name_server_that_keeps_silent(two_managers, folder, otter, mariadb, sink):
    library = folder / "mute.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-xc", "-", "-o", str(library)], input=MUTE_NAMES, text=True, check=True)
    agent = two_managers("http://mute.invalid")
    agent.process.env["LD_PRELOAD"] = str(library)
    agent.start()
    wait_until(lambda: re.search("event=page_failed .*[Rr]esolving timed out", agent.log()), "a time-out", 20)
    assert_others_go_on(sink, mariadb)
    time.sleep(1.5)  # the next request has started
    stop_in_time(agent)


@pytest.mark.parametrize("name", ["a body without end", "headers without end", "a byte a second", "silence", "noise"])
def test_events_that_are_answered_without_end(name, hostile, make_agent, otter, mariadb):
    """The hostile server takes the place of graphite-web."""
    mariadb.query("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES ('1', '1', 'before', 'x', NOW() - INTERVAL 10 SECOND, NOW() - INTERVAL 10 SECOND)")
    server, carbon = hostile(SHAPES[name][0]), Stream()
    agent = make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "events": server.url, "creates": 0}],
                       drain=DRAIN).start()
    wait_until(lambda: server.requests, "an event")
    wait_until(lambda: b"log.records" in carbon.received, "points go on")
    time.sleep(2)
    peak = agent.peak_kilobytes()
    began = time.monotonic()
    agent.stop()
    assert time.monotonic() - began < DRAIN + 1 + SLACK
    assert IS_SANITIZED or peak < KILOBYTES_MAX, peak
    carbon.stop()


def test_a_mute_database_makes_no_second_round(hostile, page_agent, manager, otter):
    """The pages' time zone is compared with the tables. However long the database takes, each page is fetched once in a cycle."""
    database = hostile(NEVER)
    mysql = {"port": int(database.url.rpartition(":")[2]), "user": USER, "password": PASSWORD, "connect_timeout": 3}
    agent = page_agent(names={"enabled": False})
    agent.write(managers=[{"mysql": mysql, "page": {"url": manager.url}}])
    agent.run("--once", "--dry-run")
    asked = [uri for _, uri, _, _ in manager.requests()]
    assert asked and sorted(asked) == sorted(set(asked)), "each page once"
    begin = len(asked)
    agent.start()
    wait_until(lambda: sum("nodeList" in uri for _, uri, _, _ in manager.requests()[begin:]) >= 3, "three rounds", 60)
    assert agent.stop() == 0
    asked = [uri for _, uri, _, _ in manager.requests()[begin:]]
    counts = {uri: asked.count(uri) for uri in asked}
    assert max(counts.values()) - min(counts.values()) <= 1, counts
