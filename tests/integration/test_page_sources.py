"""Sources that read a manager's pages: one wrong page among good pages, budgets, settings, pages that the user defines."""
import re

import pytest

from servers import way as ways
from servers.process import free_port, wait_until
from servers.sinks import gauges
from test_pages_agent import read_once

ONE = "/pipelineList.htm?channelId=2"
WRONGS = {
    "status": (ways.status(404), "HTTP 404: no such page, or, as this manager says it, trouble"),
    "login": (ways.redirect("login.htm?done=x"), "HTTP 302: the manager sends us to its login"),
    "forbidden": (ways.redirect("forbidden.htm?done=x"), "HTTP 302: the manager sends us to 'forbidden'"),
    "elsewhere": (ways.redirect("else.htm"), "which is not followed"),
    "login page": (ways.raw(b"<html><input name='_fm.l._0.n'/></html>"), "it is the login page"),
    "silent": (ways.silence, "timed out"),
    "cut": (ways.change(lambda text: text[:len(text) // 2]), "cut short"),
    "cells": (ways.change(lambda text: re.sub(r"<td[^>]*>true</td>", "", text, count=1)), "no whole rows"),
    "empty": (ways.raw(b""), "cut short"),
}


@pytest.mark.parametrize("name", WRONGS)
def test_one_page_that_cannot_be_read_is_logged_and_the_others_go_on(name, way, page_agent, sink):
    wrong, says = WRONGS[name]
    agent = page_agent(url=way.url, timeout=1).start()
    wait_until(lambda: "pipeline.3.mainstem_state" in gauges(sink.lines()), "the first round")
    way.wrong[ONE] = wrong
    agent.wait_for_log("event=page_failed page=pipelines:2 ")
    line, = [line for line in agent.log().splitlines() if "event=page_failed" in line]
    assert re.search(says, line), line
    sink.received.clear()
    wait_until(lambda: sum("pipeline.1.mainstem_state" in line for line in sink.lines()) > 1, "the good pages", 60)
    assert not any("pipeline.3." in line for line in sink.lines()[-20:]), "nothing is repeated"
    assert agent.log().count("event=page_failed") == 1, "once, not with every round"
    way.wrong.clear()
    agent.wait_for_log("event=page_recovered page=pipelines:2")
    wait_until(lambda: any("pipeline.3.mainstem_state" in line for line in sink.lines()), "it is back")


def test_other_words_for_a_column(manager, page_agent):
    manager.state("drift pipelineList 监控数 规则")
    done, got = read_once(page_agent())
    assert done.returncode == 69 and "pipeline.3.page.alarm_rules" not in got
    assert got["pipeline.3.mainstem_state"] == 2, "the other columns"
    done, got = read_once(page_agent(words=[["监控数", "规则"]]))
    assert done.returncode == 0 and got["pipeline.3.page.alarm_rules"] == 3


def test_a_list_that_is_suddenly_empty_is_logged(mariadb, page_agent, sink):
    agent = page_agent().start()
    wait_until(lambda: "pipeline.3.mainstem_state" in gauges(sink.lines()), "the first round")
    mariadb.query("DELETE FROM PIPELINE WHERE ID = 3")
    agent.wait_for_log("event=page_empty page=pipelines:2 had=1")


def test_nobody_there_does_not_stop_the_tables(mariadb, otter, page_agent):
    otter.do("sample")
    agent = page_agent(sources={"delay": {"enabled": True}}, url=f"http://127.0.0.1:{free_port()}")
    done = agent.run("--dry-run", "--once")
    assert done.returncode == 69 and done.stderr.count("event=page_failed") == 1, "one line for six sources"
    assert "source=page event=page_failed page=channels:1 err=\"channelList.htm?pageIndex=1: Failed to " in done.stderr
    assert "otter.pipeline.1.delay_ms" in done.stdout
    check = agent.run("--check")
    assert check.returncode == 69 and check.stdout.count("BAD  ") == check.stdout.count("BAD  manager otter: ") == 1


@pytest.mark.parametrize("zone, code", [("UTC", 0), ("auto", 69)])
def test_without_the_tables_only_a_zone_that_shall_be_found_out_is_missing(zone, code, mariadb, otter, manager, way,
                                                                           page_agent):
    otter.do("history", "--rows", 100, "--hours", 1)
    agent = page_agent(zone=zone)
    agent.write(managers=[{"mysql": {"port": free_port()}, "page": {"url": manager.url, "zone": zone}}])
    done, got = read_once(agent)
    assert done.returncode == code and got["channel.1.channel_state"] == 2, done.stderr
    assert ("source=page_zone event=poll_failed" in done.stderr) == (code != 0)


def test_what_there_was_no_time_for_comes_first(otter, manager, page_agent):
    otter.do("create", "--channels", 40, "--pipelines", 1, "--tables", 1)
    manager.state("latency 100")
    agent = page_agent(budget=1).start()
    agent.wait_for_log("event=budget_spent")
    last = ("GET", "/pipelineList.htm?channelId=40", 200)
    wait_until(lambda: last in [request[:3] for request in manager.requests()], "the last channel", 60)
    asked = [uri for _, uri, _, _ in manager.requests() if "pipelineList" in uri]
    assert len(set(asked)) == 40
    assert len(asked) < 2 * 40, "it began where it had ended"


def test_a_page_of_ones_own(otter, page_agent):
    otter.do("sample")
    own = {"every": 1, "address": "pipelineList.htm?channelId={channel}", "heading": "Pipeline管理",
           "columns": [["key", "序号", "pipeline"], ["value", "延迟时间", "own.delay", "duration"],
                       ["value", "mainstem状态", "own.works", "工作中=1 定位中=0 未工作=0"]]}
    done, got = read_once(page_agent(sources={"own": own, "page": {"enabled": False}}))
    assert done.returncode == 0, done.stderr
    assert got["pipeline.1.own.delay"] == 302 and got["pipeline.3.own.works"] == 1
    assert "channel.1.channel_state" not in got
    own["columns"][1].append("//td[")
    done, _ = read_once(page_agent(sources={"own": own, "page": {"enabled": False}}))
    assert done.returncode == 69 and "'//td[' is no XPath" in done.stderr
