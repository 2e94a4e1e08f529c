"""The agent reads the fake Otter's pages: tables and pages of one world, and all faults of the pages."""
import json
import re
import socket
import time

import pytest

from servers.manager import Manager
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.sinks import gauges
from servers.wiring import to_graphite

LATE = 8  # seconds by which a value may be older than the expected value
ERRORS = {"agent": {"enabled": True, "every": 1, "start": "oldest"}}


@pytest.fixture
def past(otter):
    """Writes one hour of history, up to now."""
    otter.do("history", "--rows", 300, "--hours", 1)


def newest(mariadb, pipeline):
    """Returns the newest delay in ms, its time, and the time of the last synchronisation."""
    delay = mariadb.query("SELECT DELAY_TIME, UNIX_TIMESTAMP(GMT_MODIFIED) FROM DELAY_STAT WHERE PIPELINE_ID = %s "
                          "ORDER BY GMT_MODIFIED DESC, ID DESC LIMIT 1", pipeline)[0]
    sync = mariadb.query("SELECT UNIX_TIMESTAMP(GMT_MODIFIED) FROM THROUGHPUT_STAT WHERE PIPELINE_ID = %s AND "
                         "TYPE = 'ROW' ORDER BY END_TIME DESC, ID DESC LIMIT 1", pipeline)[0][0]
    return *delay, sync


def stage_ms(pipeline, delay):
    """Returns the time of the slowest of up to four processes in flight: see tests/otter/screens.py."""
    select, extract, transform = 1000 + delay % 1000, 100 + delay % 50, 300 + delay % 70
    whole = select + extract + transform + delay
    in_flight = pipeline % 4 + 1
    return {"select": max(select, whole - 900) if in_flight > 2 else select,
            "extract": max(extract, whole - 200 - select) if in_flight > 1 else extract,
            "transform": transform, "load": delay}


def exactly(mariadb, pipelines):
    """Returns the expected values that do not change on the pages."""
    want = {"page.zone_skew_s": 0, **{f"channel.{c}.channel_state": 2 for c in (1, 2)},
            **{f"node.{n}.node_up": 1 for n, in mariadb.query("SELECT ID FROM NODE")}}
    for p in pipelines:
        delay = newest(mariadb, p)[0]
        parameters = json.loads(mariadb.query("SELECT PARAMETERS FROM PIPELINE WHERE ID = %s", p)[0][0])
        want |= {f"pipeline.{p}.mainstem_state": 2, f"pipeline.{p}.page.delay_ms": delay,
                 f"pipeline.{p}.page.parallelism": parameters["parallelism"],
                 f"pipeline.{p}.page.alarm_rules": p % 4, f"pipeline.{p}.in_flight": p % 4 + 1}
        want |= {f"pipeline.{p}.stage.{stage}.stage_ms": ms for stage, ms in stage_ms(p, delay).items()}
    return want


def growing(mariadb, pipelines, now):
    want = {}
    for p in pipelines:
        delay, delay_at, sync = newest(mariadb, p)
        position = max(delay_at, sync)
        want[f"pipeline.{p}.last_sync_age_s"] = now - sync
        want[f"pipeline.{p}.last_position_age_s"] = now - position
        want[f"pipeline.{p}.binlog_lag_ms"] = 1000 * now - (position * 1000 - delay) // 1000 * 1000
    return want


def assert_world(got, mariadb, pipelines, now):
    want, grows = exactly(mariadb, pipelines), growing(mariadb, pipelines, now)
    assert {name: got.get(name) for name in want} == want
    for name, value in grows.items():
        unit = 1000 if name.endswith("_ms") else 1
        assert -2 * unit <= got[name] - value <= LATE * unit, name
    pages = {name for name in got if ".agent." not in name and "_age_s" not in name and not name.endswith(".delay_ms")}
    assert pages <= {*want, *grows}, "and nothing else"


def read_once(agent):
    done = agent.run("--dry-run", "--once")
    return done, gauges(done.stdout.splitlines())


def test_every_series_is_that_of_the_world(mariadb, past, otter, manager, carbon, make_agent):
    """Tables and pages together, into a real carbon."""
    mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD}
    agent = make_agent(mariadb, [to_graphite(carbon, creates=0)], sources={"page": {"enabled": True}},
                       managers=[{"mysql": mysql, "page": {"url": manager.url}}]).start()
    carbon.wait_for(otter.sums())
    wait_until(lambda: "otter.pipeline.3.binlog_lag_ms" in carbon.series(), "the last of the pages")
    wait_until(lambda: "otter.pipeline.3.stage.load.stage_ms" in carbon.series(), "and their stages")
    now = int(time.time())
    assert agent.stop() == 0
    carbon.stop()
    names = [name for name in carbon.series() if "count" not in name and "bytes" not in name]
    got = {name.removeprefix("otter."): list(sorted(carbon.points(name).items()))[-1][1] for name in names}
    want, grows = exactly(mariadb, (1, 2, 3)), growing(mariadb, (1, 2, 3), now)
    assert {name: got.get(name) for name in want} == want
    assert all(abs(got[name] - value) <= 1000 * LATE for name, value in grows.items())
    assert "failed" not in agent.log() and "drift" not in agent.log()


def test_what_a_page_says_again_is_sent_once_in_ten_seconds(past, manager, page_agent, sink):
    """A change is sent at once. The page is read each second."""
    def told(name):
        return [line for line in sink.lines() if line.startswith(f"otter.{name}:")]

    page_agent().start()
    same = ("channel.1.channel_state", "pipeline.1.page.parallelism", "pipeline.1.last_sync_age_s", "pipeline.2.in_flight",
            "node.1.node_up", "page.zone_skew_s")
    wait_until(lambda: all(map(told, same)), "all of them")
    time.sleep(1)
    before = {name: len(told(name)) for name in same}
    time.sleep(5)
    assert all(len(told(name)) - before[name] <= 1 for name in same), before
    manager.state("channel 1 paused")
    wait_until(lambda: told("channel.1.channel_state")[-1].endswith(":1|g"), "the change")
    manager.state()
    wait_until(lambda: told("channel.1.channel_state")[-1].endswith(":2|g"), "the other change")


def test_a_round(mariadb, past, way, manager, page_agent):
    """In one cycle the agent fetches each page once, over one connection, and asks only for known addresses, which change nothing."""
    mariadb.query("INSERT INTO NODE (ID, NAME, IP, PORT, GMT_CREATE, GMT_MODIFIED) SELECT ID + seq * 100, "
                  "CONCAT(NAME, seq), IP, PORT, NOW(), NOW() FROM NODE, seq_1_to_2")
    done, got = read_once(page_agent(url=way.url))
    assert done.returncode == 0, done.stderr
    assert_world(got, mariadb, (1, 2, 3), int(time.time()))
    asked = sorted(uri for _, uri, status, _ in manager.requests() if status == 200)
    assert asked == sorted(["/channelList.htm?pageIndex=1", "/nodeList.htm?pageIndex=1", "/nodeList.htm?pageIndex=2",
                            *(f"/pipelineList.htm?channelId={c}" for c in (1, 2)),
                            *(f"/analysisStageStat.htm?pipelineId={p}" for p in (1, 2, 3))])
    assert way.connections == 1


@pytest.mark.parametrize("orders, want, without", [
    (["channel 1 stopped", "channel 2 paused"],
     {"channel.1.channel_state": 0, "channel.2.channel_state": 1, "pipeline.1.mainstem_state": 0,
      "pipeline.2.mainstem_state": 0, "pipeline.3.mainstem_state": 2, "pipeline.3.in_flight": 4},
     ["pipeline.1.in_flight", "pipeline.2.binlog_lag_ms", "pipeline.1.stage.select.stage_ms"]),
    (["pipeline 2 locating", "node 3 down"],
     {"pipeline.1.mainstem_state": 2, "pipeline.2.mainstem_state": 1, "node.2.node_up": 1, "node.3.node_up": 0},
     ["pipeline.2.in_flight"]),
    (["pipeline 1 position 0"], {"pipeline.1.mainstem_state": 2, "pipeline.1.in_flight": 2},
     ["pipeline.1.last_position_age_s", "pipeline.1.binlog_lag_ms"]),
    (["empty analysisStageStat"], {"pipeline.1.in_flight": 0}, ["pipeline.1.stage.select.stage_ms"])])
def test_states(orders, want, without, past, manager, page_agent):
    manager.state(*orders)
    done, got = read_once(page_agent())
    assert done.returncode == 0, done.stderr
    assert {name: got.get(name) for name in want} == want
    assert not [name for name in without if name in got]


def test_what_was_never_synchronised_has_no_age(mariadb, otter, manager, page_agent):
    done, got = read_once(page_agent())
    assert done.returncode == 0, done.stderr
    assert got["pipeline.1.mainstem_state"] == 2 and got["pipeline.1.in_flight"] == 0
    assert not [name for name in got if "_age_s" in name or "binlog" in name or "zone_skew" in name]


def test_decimal_commas_and_long_delays(mariadb, past, manager, page_agent):
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (3723456, 0, 1, NOW(), NOW())")
    for order in ("latency 0", "decimal comma"):
        manager.state(order)
        _, got = read_once(page_agent())
        assert got["pipeline.1.page.delay_ms"] == 3723456
        assert got["pipeline.1.stage.load.stage_ms"] == 3723456


PIPELINES = "page_failed page=pipelines:1 "
WRONGS = {
    "error 404 pipelineList": (PIPELINES, "HTTP 404: no such page, or, as this manager says it, trouble"),
    "error 500 pipelineList": (PIPELINES, "HTTP 500"),
    "hang pipelineList": (PIPELINES, "timed out.* \\(a manager that has lost its ZooKeeper does not answer\\)"),
    "slow body pipelineList": (PIPELINES, "timed out|too slow"),
    "truncate pipelineList": (PIPELINES, "transfer closed with \\d+ bytes remaining"),
    "huge pipelineList": (PIPELINES, "larger than 4194304 bytes"),
    "bomb pipelineList": (PIPELINES, "larger than 4194304 bytes"),
    "gbk pipelineList": (PIPELINES, "no UTF-8: byte \\d+"),
    "latin1 pipelineList": (PIPELINES, "no UTF-8: byte \\d+"),
    "drift pipelineList Pipeline管理 管理": (PIPELINES, "its heading is '管理'"),
    "drift pipelineList 序号 号": (PIPELINES, "no pipeline_id that could be read: column 序号"),
    "drift pipelineList 监控数</th> 监控数</th><th></th>": (PIPELINES, "no whole rows"),
    "drift pipelineList mainstem状态 主站": ("layout_drift page=pipelines ", "the page has no column 'mainstem状态'"),
    "empty pipelineList": ("page_empty page=pipelines:1 ", "had=2"),
}


@pytest.mark.parametrize("order", WRONGS)
def test_faults_are_logged_and_counted_and_the_good_pages_go_on(order, past, manager, page_agent, sink):
    event, says = WRONGS[order]
    agent = page_agent(timeout=1, sources=ERRORS).start()
    wait_until(lambda: "pipeline.3.stage.load.stage_ms" in gauges(sink.lines()), "the first round")
    manager.state(order)
    agent.wait_for_log(f"event={event}")
    line, = [line for line in agent.log().splitlines() if f"event={event}" in line]
    assert re.search(says, line), line
    sink.received.clear()
    wait_until(lambda: sum("channel.1.channel_state" in line for line in sink.lines()) > 1, "the good page", 60)
    lines = sink.lines()
    assert not any("mainstem_state" in line for line in lines[4:]), "the last values are not repeated"
    if "empty" not in order:  # an empty page is no error
        wait_until(lambda: gauges(sink.lines()).get(agent_series("source_age_s"), 0) > 3, "an age that grows")
        wait_until(lambda: any(f"{agent_series('errors')}:" in line for line in sink.lines()), "errors are counted")
    assert agent.log().count(f"event={event}") == 1, "once, not with every round"
    manager.state()
    sink.received.clear()
    wait_until(lambda: "pipeline.3.mainstem_state" in gauges(sink.lines()), "it is back", 60)
    if "empty" not in order:
        agent.wait_for_log(f"event=page_recovered {event.split()[1]}")
        wait_until(lambda: gauges(sink.lines()).get(agent_series("source_age_s"), 9) < 3, "it is read whole again")
    assert agent.stop() == 0


def agent_series(name):
    host = re.sub(r"[^A-Za-z0-9_-]", "_", socket.gethostname())
    return f"agent.{host}.source.page.agent.{name}"


def failures(agent):
    return [line for line in agent.log().splitlines() if "failed" in line]


def test_zookeeper_down(past, manager, page_agent, sink):
    """Without ZooKeeper only the list of nodes answers."""
    agent = page_agent(timeout=1).start()
    wait_until(lambda: "pipeline.3.stage.load.stage_ms" in gauges(sink.lines()), "the first round")
    manager.state("zookeeper down")
    agent.wait_for_log("event=page_failed page=channels:1 err=\"channelList.htm?pageIndex=1: Operation timed out")
    sink.received.clear()
    wait_until(lambda: sum("node.1.node_up" in line for line in sink.lines()) > 2, "the nodes", 60)
    assert not [line for line in sink.lines() if "channel_state" in line or "mainstem" in line]
    assert len(failures(agent)) == 1, failures(agent)
    manager.state()
    agent.wait_for_log("event=page_recovered page=channels:1")
    assert agent.stop() == 0


def test_a_manager_that_is_gone_makes_one_line_and_comes_back_in_step(past, manager, page_agent, sink):
    agent = page_agent().start()
    wait_until(lambda: "pipeline.3.stage.load.stage_ms" in gauges(sink.lines()), "the first round")
    manager.kill9()
    agent.wait_for_log("event=page_failed page=channels:1")
    time.sleep(3)
    told = [line for line in failures(agent) if "Recv failure" not in line]  # perhaps an answer was cut off by the kill
    assert len(told) == 1 and "the rest of this cycle is left out" in told[0], failures(agent)
    begin = len(manager.requests())
    manager.start()
    agent.wait_for_log("event=page_recovered page=channels:1")
    time.sleep(4)
    assert agent.stop() == 0
    asked = [uri for _, uri, _, _ in manager.requests()[begin:]]
    rounds = asked.count("/nodeList.htm?pageIndex=1")
    assert rounds > 2 and abs(asked.count("/channelList.htm?pageIndex=1") - rounds) <= 1, "each page once a round"


def test_login_and_again_when_the_session_ends(past, otter, folder, page_agent, sink):
    manager = Manager(otter, folder, user="reader", password="p&ss=wörd").start()
    manager.state("login required")
    page = {"url": manager.url, "user": "reader"}
    done, got = read_once(page_agent(url=manager.url))
    assert done.returncode == 69 and "HTTP 302: the manager sends us to its login: set page.user" in done.stderr
    assert not got
    done, _ = read_once(page_agent(**page, password="wrong"))
    assert done.returncode == 69
    assert done.stderr.count("login.htm: HTTP 200: the manager does not accept page.user and its password") == 1
    begin = len(manager.requests())
    agent = page_agent(name="reader", **page, password="p&ss=wörd").start()
    wait_until(lambda: "channel.1.channel_state" in gauges(sink.lines()), "the first round")
    manager.state("login required", "session expired")
    logins = ("POST", "/login.htm", 302)
    wait_until(lambda: [r[:3] for r in manager.requests()[begin:]].count(logins) == 2, "a second login")
    sink.received.clear()
    wait_until(lambda: "pipeline.3.mainstem_state" in gauges(sink.lines()), "and it goes on")
    assert agent.stop() == 0 and manager.stop() == 0
    assert not failures(agent) and "p&ss" not in agent.log()


@pytest.mark.parametrize("of, zone, want", [
    ("UTC", "UTC", 0), ("Asia/Shanghai", "Asia/Shanghai", 0), ("Asia/Shanghai", "UTC", 28800),
    ("Asia/Shanghai", "auto", 0), ("UTC", "auto", -28800), ("+05:45", "auto", -8100), ("America/New_York", "auto", None)])
def test_zones(of, zone, want, mariadb, past, otter, folder, page_agent):
    manager = Manager(otter, folder, zone=of).start()
    done, got = read_once(page_agent(url=manager.url, zone=zone))
    assert done.returncode == 0, done.stderr
    assert want is None or got["page.zone_skew_s"] == want
    assert ("event=zone_skew" in done.stderr) == (zone == "auto" or want != 0)
    if zone == "auto" or not want:
        for name, value in growing(mariadb, (1, 2, 3), int(time.time())).items():
            unit = 1000 if name.endswith("_ms") else 1
            assert -2 * unit <= got[name] - value <= LATE * unit, name
    assert manager.stop() == 0


def test_a_skew_that_begins_is_logged(past, manager, page_agent, sink):
    agent = page_agent(zone="Asia/Shanghai").start()
    wait_until(lambda: gauges(sink.lines()).get("page.zone_skew_s") == 0, "none")
    assert "zone_skew" not in agent.log()
    manager.state("skew -28800")
    agent.wait_for_log("event=zone_skew zone=Asia/Shanghai seconds=-28800")
    wait_until(lambda: gauges(sink.lines())["page.zone_skew_s"] == -28800, "it is a series")


def test_check_says_what_each_page_holds(past, manager, page_agent):
    done = page_agent().run("--check")
    assert "ok   source page_channels: 2 rows read: channelList.htm?pageIndex={}, all pages of the list" in done.stdout
    assert "ok   source page_pipelines: 3 rows read: pipelineList.htm?channelId={}, one for each row" in done.stdout
    assert "ok   source page_stages: 12 rows read" in done.stdout
    asked = [uri for _, uri, _, _ in manager.requests()]
    assert len(asked) == len(set(asked)) == 7, "each page once"
    manager.state("drift channelList 运行状态 状态")
    done = page_agent().run("--check")
    assert done.returncode == 69 and "BAD  page channels: the layout has changed: the page has no column '运行状态'" in done.stdout
    manager.state("login required")
    done = page_agent().run("--check")
    assert done.returncode == 69
    assert "BAD  manager otter: channelList.htm?pageIndex=1: HTTP 302: the manager sends us to its login" in done.stdout
    assert "ok   source page_stages: 12 rows" in page_agent(user="admin", password="admin").run("--check").stdout


def test_tables_do_not_wait_for_a_slow_manager(mariadb, past, manager, page_agent, sink):
    manager.state("latency 1500")
    agent = page_agent(sources={"log": {"enabled": True}}).start()
    agent.wait_for_log("source=log event=plan")
    for i in range(4):
        mariadb.query("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
                      "VALUES ('1', '1', %s, 'x', NOW(), NOW())", f"T{i}")
        wait_until(lambda: any(f"title.t{i}.log.records" in line for line in sink.lines()), f"row {i}", 5)
    assert not any("mainstem" in line for line in sink.lines()), "the first round is still under way"
    assert agent.stop() == 0


def test_pages_are_no_history(otter, past, page_agent):
    """Pages have no history: `cursor`, `rewind` and `replay` do nothing for them, and a lost store changes nothing."""
    agent = page_agent(sources={"log": {"enabled": True}})
    assert agent.run("--once").returncode == 0
    (agent.folder / "state/otterbeat.db").write_bytes(b"noise" * 10000)
    done = agent.run("--once")
    assert done.returncode == 0 and "event=set_aside" in done.stderr
    assert done.stderr.count("event=rewound") == 1 and "source=log event=rewound" in done.stderr
    shown = agent.run("cursor")
    assert shown.returncode == 0 and "log" in shown.stdout and "page" not in shown.stdout
    done = agent.run("cursor", "rewind", "page_pipelines", "-1h")
    assert done.returncode != 0
