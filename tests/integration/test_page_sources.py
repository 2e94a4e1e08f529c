"""What is read off a manager's pages, and what is said when they can't be read."""
import re
import time

import pytest

from servers import bad_manager as managers
from servers.mariadb import PASSWORD, USER
from servers.process import free_port, wait_until
from servers.sinks import Datagrams

TABLES = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log", "agent")}
NO_SERVER = type("NoServer", (), {"port": 1})


@pytest.fixture
def manager():
    made = managers.Manager()
    for channel, state in ((1, "运行"), (2, "挂起"), (3, "停止")):
        made.world.add_channel(channel, state, pipelines=2 if channel == 1 else 1)
    yield made
    made.stop()


@pytest.fixture
def sink():
    made = Datagrams()
    yield made
    made.stop()


@pytest.fixture
def page_agent(make_agent, manager, sink):
    """An agent that reads the pages alone."""
    def make(server=NO_SERVER, sources=None, name="agent", **page):
        mysql = {"port": server.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3}
        return make_agent(server, [{"type": "statsd", "port": sink.port}], name=name,
                          managers=[{"mysql": mysql, "page": {"url": manager.url, "timeout": 2, **page}}],
                          sources={**TABLES, "page": {"enabled": True, "every": 1}, **(sources or {})})
    return make


def gauges(lines):
    """name without its prefix -> last value"""
    found = (re.fullmatch(r"(?:statsd )?otter\.(\S+):(-?[\d.]+)\|g", line) for line in lines)
    return {match.group(1): float(match.group(2)) for match in found if match}


def read_once(agent):
    done = agent.run("--dry-run", "--once")
    return done, gauges(done.stdout.splitlines())


def test_every_series_of_the_pages(manager, page_agent):
    now = time.time()
    manager.world.nodes = {i: "已启动" for i in range(1, 12)}
    for p in manager.world.pipelines().values():
        p["sync"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - 90))
        p["timestamp"] = int(now - 7) * 1000
    manager.world.pipelines()[20].update(mainstem="定位中")
    manager.world.pipelines()[30].update(mainstem="未工作", delay="$pipeline.delay")
    done, got = read_once(page_agent(zone="UTC"))
    assert done.returncode == 0, done.stderr
    assert [got[f"channel.{i}.channel_state"] for i in (1, 2, 3)] == [2, 1, 0]
    assert [got[f"pipeline.{i}.mainstem_state"] for i in (10, 11, 20, 30)] == [2, 2, 1, 0]
    assert got["pipeline.10.page.delay_ms"] == 1500 and "pipeline.30.page.delay_ms" not in got
    assert got["pipeline.10.page.parallelism"] == 5 and got["pipeline.10.page.alarm_rules"] == 2
    assert 89 <= got["pipeline.11.last_sync_age_s"] <= 100 and "pipeline.11.last_position_age_s" not in got
    assert [got[f"node.{i}.node_up"] for i in range(1, 12)] == [1] * 11
    assert got["pipeline.10.stage.select.stage_ms"] == 30 and got["pipeline.10.stage.extract.stage_ms"] == 1500
    assert got["pipeline.10.in_flight"] == 2 and 6000 <= got["pipeline.10.binlog_lag_ms"] <= 20000
    assert "pipeline.20.in_flight" not in got, "only what works has stages to ask for"
    assert manager.connections == 1
    assert len(manager.requests) == len(set(manager.requests)) == 1 + 3 + 2 + 2, "each page is fetched once a round"


WRONGS = {
    "status": (managers.status(404), "HTTP 404: no such page, or, as this manager says it, trouble"),
    "error": (managers.status(500), "HTTP 500"),
    "login": (managers.redirect("login.htm?done=x"), "HTTP 302: the manager sends us to its login"),
    "forbidden": (managers.redirect("forbidden.htm?done=x"), "HTTP 302: the manager sends us to 'forbidden'"),
    "elsewhere": (managers.redirect("else.htm"), "which is not followed"),
    "login page": (managers.raw(b"<html><input name='_fm.l._0.n'/></html>"), "it is the login page"),
    "silent": (managers.silence, "timed out"),
    "slow": (managers.drip, "timed out|too slow"),
    "half": (managers.half, "transfer closed with \\d+ bytes remaining"),
    "cut": (managers.change(lambda text: text[:len(text) // 2]), "cut short"),
    "bomb": (managers.bomb, "larger than 4194304 bytes"),
    "huge": (managers.raw(b"<html>" + b" " * (5 << 20) + b"</html>"), "larger than 4194304 bytes"),
    "gbk": (managers.raw("<html>管理</html>".encode("gbk")), "no UTF-8: byte 7"),
    "heading": (managers.change(lambda text: text.replace("Pipeline管理", "管理")), "its heading is '管理'"),
    "id": (managers.change(lambda text: text.replace("序号", "号")), "no pipeline_id that could be read: column 序号"),
    "cells": (managers.change(lambda text: text.replace("<td>false</td>", "", 1)), "no whole rows"),
    "empty": (managers.raw(b""), "cut short"),
}


@pytest.mark.parametrize("name", WRONGS)
def test_a_page_that_can_not_be_read_is_told_of_and_the_others_go_on(name, manager, page_agent, sink):
    wrong, says = WRONGS[name]
    agent = page_agent(timeout=1).start()
    wait_until(lambda: "pipeline.20.mainstem_state" in gauges(sink.lines()), "the first round")
    manager.wrong["/pipelineList.htm?channelId=2"] = wrong
    agent.wait_for_log("event=page_failed page=pipelines:2 ")
    line, = [line for line in agent.log().splitlines() if "event=page_failed" in line]
    assert re.search(says, line), line
    sink.received.clear()
    wait_until(lambda: sum("pipeline.10.mainstem_state" in line for line in sink.lines()) > 2, "the good pages")
    assert not any("pipeline.20." in line for line in sink.lines()[-20:]), "nothing is repeated"
    assert agent.log().count("event=page_failed") == 1, "once, not with every round"
    manager.wrong.clear()
    agent.wait_for_log("event=page_recovered page=pipelines:2")
    wait_until(lambda: any("pipeline.20.mainstem_state" in line for line in sink.lines()), "it is back")


def test_a_failure_is_counted_and_the_age_grows(manager, page_agent, sink):
    manager.wrong["/pipelineList.htm?channelId=2"] = managers.status(404)
    agent = page_agent(sources={"agent": {"enabled": True, "every": 1, "start": "oldest"}}).start()
    wait_until(lambda: any("source.page.agent.source_age_s:4" in line for line in sink.lines()), "an age that grows")
    assert any(re.search(r"source\.page\.agent\.errors:[1-9]", line) for line in sink.lines())
    assert agent.stop() == 0


def test_a_column_that_is_gone_is_named_and_the_others_stay(manager, page_agent, sink):
    manager.wrong["/pipelineList.htm"] = managers.change(lambda text: text.replace("监控数", "规则"))
    agent = page_agent().start()
    agent.wait_for_log('event=layout_drift page=pipelines err="the layout has changed: there is no column \'监控数\'')
    wait_until(lambda: "pipeline.20.mainstem_state" in gauges(sink.lines()), "the other columns")
    assert not any("alarm_rules" in line for line in sink.lines())
    assert page_agent(name="renamed").run("--once").returncode == 69
    done, got = read_once(page_agent(words=[["监控数", "规则"]]))
    assert done.returncode == 0 and got["pipeline.20.page.alarm_rules"] == 2


def test_a_list_that_is_suddenly_empty_is_told_of(manager, page_agent, sink):
    agent = page_agent().start()
    wait_until(lambda: "pipeline.20.mainstem_state" in gauges(sink.lines()), "the first round")
    manager.world.channels[2] = ("挂起", [])
    agent.wait_for_log("event=page_empty page=pipelines:2 had=1")


def test_nobody_there_does_not_stop_the_tables(mariadb, otter, make_agent, sink):
    otter.do("sample")
    url = f"http://127.0.0.1:{free_port()}"
    mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD}
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}], sources={"page": {"enabled": True}},
                       managers=[{"mysql": mysql, "page": {"url": url}}])
    done = agent.run("--dry-run", "--once")
    assert done.returncode == 69 and done.stderr.count("failed") == 1, "one line for six sources"
    assert "source=page event=page_failed page=channels:1 err=\"channelList.htm?pageIndex=1: Failed to " in done.stderr
    assert "otter.pipeline.1.delay_ms" in done.stdout
    check = agent.run("--check")
    assert check.returncode == 69 and "BAD  source page_channels: " in check.stdout


def test_check_reads_every_page_once(manager, page_agent):
    done = page_agent(server=NO_SERVER).run("--check")
    assert "ok   source page_pipelines: 4 rows read: pipelineList.htm?channelId={}, one for each row of page channels" \
        in done.stdout
    assert "ok   source page_stages: 8 rows read" in done.stdout
    assert len(manager.requests) == len(set(manager.requests))


def test_login_and_again_when_the_session_ends(manager, page_agent, sink):
    manager.user = ("reader", "p&ss=wörd")
    agent = page_agent(user="reader", password="p&ss=wörd").start()
    wait_until(lambda: "channel.1.channel_state" in gauges(sink.lines()), "the first round")
    assert manager.requests.count("POST /login.htm") == 1
    manager.sessions.clear()
    wait_until(lambda: manager.requests.count("POST /login.htm") == 2, "a second login")
    assert agent.stop() == 0
    assert "failed" not in agent.log() and "p&ss" not in agent.log()
    done, _ = read_once(page_agent(user="reader", password="wrong"))
    assert done.returncode == 69 and "does not accept page.user and its password" in done.stderr
    assert "wrong" not in done.stderr.replace("event=", "")


def test_what_there_was_no_time_for_comes_first(manager, page_agent, sink):
    for channel in range(1, 41):
        manager.world.add_channel(channel, pipelines=0)
    manager.seconds = 0.1
    agent = page_agent(budget=1).start()
    agent.wait_for_log("event=budget_spent")
    wait_until(lambda: "GET /pipelineList.htm?channelId=40" in manager.requests, "the last channel", 60)
    asked = [line for line in manager.requests if "pipelineList" in line]
    assert len(set(asked)) == 40
    assert len(asked) < 2 * 40, "it began where it had ended"


def test_only_known_addresses_and_no_stray_bytes(manager, page_agent):
    manager.wrong["/"] = managers.packed
    done, got = read_once(page_agent())
    assert done.returncode == 0 and got["channel.1.channel_state"] == 2
    known = re.compile(r"GET /(channelList|nodeList)\.htm\?pageIndex=\d+|GET /pipelineList\.htm\?channelId=\d+|"
                       r"GET /analysisStageStat\.htm\?pipelineId=\d+")
    assert all(known.fullmatch(request) for request in manager.requests)


def test_a_page_of_ones_own(manager, page_agent):
    own = {"every": 1, "address": "pipelineList.htm?channelId={channel}", "heading": "Pipeline管理",
           "columns": [["key", "序号", "pipeline"], ["value", "延迟时间", "own.delay", "duration"],
                       ["value", "mainstem状态", "own.works", "工作中=1 定位中=0 未工作=0"]]}
    done, got = read_once(page_agent(sources={"own": own, "page": {"enabled": False}}))
    assert done.returncode == 0, done.stderr
    assert got["pipeline.20.own.delay"] == 1500 and got["pipeline.20.own.works"] == 1
    assert "channel.1.channel_state" not in got
    own["columns"][1].append("//td[")
    done, _ = read_once(page_agent(sources={"own": own, "page": {"enabled": False}}))
    assert done.returncode == 69 and "'//td[' is no XPath" in done.stderr


@pytest.mark.parametrize("zone, offset, want", [("UTC", 0, 0), ("UTC", 28800, 28800), ("auto", 0, -28800),
                                                ("auto", 28800, 0), ("Asia/Shanghai", 28800, 0)])
def test_the_zone_is_compared_with_the_table(zone, offset, want, mariadb, otter, manager, page_agent):
    when = int(time.time()) - 50
    mariadb.query("SET time_zone = '+00:00'")
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE,"
                  f" GMT_MODIFIED) VALUES ('ROW', 1, 1, 10, NOW(), NOW(), FROM_UNIXTIME({when}), FROM_UNIXTIME({when}))")
    manager.world.pipelines()[10]["sync"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when + offset))
    done, got = read_once(page_agent(server=mariadb, zone=zone))
    assert done.returncode == 0, done.stderr
    assert got["page.zone_skew_s"] == want
    assert ("event=zone_skew" in done.stderr) == (zone == "auto" or want != 0)
    if zone == "auto" or not want:
        assert 49 <= got["pipeline.10.last_sync_age_s"] <= 70
