"""Alarms of LOG_RECORD as events, for graphite-web and DogStatsD: each event once, and no flood of events."""
import collections
import http.server
import json
import random
import re
import sqlite3
import threading
import time

import pytest

from servers.dogstatsd import Event, read_all
from servers.graphite_web import GraphiteWeb
from servers.mariadb import PASSWORD, USER
from servers.process import free_port, wait_until
from servers.sinks import Datagrams, Stream

LOG = ("INSERT INTO LOG_RECORD (NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) VALUES "
       "(%s, '1', %s, %s, %s, FROM_UNIXTIME(%s), FROM_UNIXTIME(%s))")
STACK = ("pid:3 nid:7 exception:setl:com.alibaba.otter.LoadException: java.util.concurrent.ExecutionException\n"
         "\tat com.alibaba.otter.DbLoadAction.load\nCaused by: java.sql.SQLException: Duplicate entry '订单' for key\n")


def alarm(server, message, title="EXCEPTION", pipeline="3", node="7", ago=5):
    """Inserts a row like a manager, and returns its time."""
    when = int(time.time()) - ago
    server.query(LOG, node, pipeline, title, message, when, when)
    return when


@pytest.fixture
def web(folder):
    place = folder / "web"
    place.mkdir()
    server = GraphiteWeb(place, folder / "whisper").start()
    yield server
    server.stop()


@pytest.fixture
def carbon_stream():
    server = Stream()
    yield server
    server.stop()


def to_web(carbon, url, **more):
    return [{"type": "graphite", "port": carbon.port, "events": url, "creates": 0, **more}]


def events(web, **query):
    return sorted(web.ask("events/get_data", **{"from": "-1d", "until": "+1d", **query}), key=lambda e: (e["when"], e["id"]))


def test_an_alarm_can_be_read_in_graphite_web(mariadb, otter, web, carbon_stream, make_agent):
    when = alarm(mariadb, STACK)
    make_agent(mariadb, to_web(carbon_stream, web.url, tags=["team:data x"]), names={"enabled": False}).once()
    (event,) = events(web)
    assert event["what"] == "exception: pipeline 3, channel 1, node 7, code setl, class SQLException"
    assert event["data"] == STACK and event["when"] == when
    assert event["tags"] == ["otter", "log", "error", "pipeline:3", "title:exception", "channel:1", "node:7", "code:setl",
                             "class:SQLException", "team:data_x"]
    assert events(web, tags="otter log pipeline:3", set="intersection") == [event]
    assert not events(web, tags="pipeline:4")


def test_names_of_pipelines_are_tags(mariadb, otter, web, carbon_stream, make_agent):
    otter.do("create", "--pipelines", 3, "--tables", 2)
    alarm(mariadb, STACK)
    make_agent(mariadb, to_web(carbon_stream, web.url)).once()
    (event,) = events(web)
    assert any(tag.startswith("pipeline_name:") for tag in event["tags"])


@pytest.mark.parametrize("title, message", [
    ("", ""), ("a b,c\"d'e", "\x01\r\n"), ("延迟" * 50, "订单\U0001F600" * 3000), ("x" * 100, "a" * 21845),
])
def test_any_text_can_be_an_event(mariadb, otter, web, carbon_stream, make_agent, title, message):
    mariadb.query("ALTER TABLE LOG_RECORD CONVERT TO CHARACTER SET utf8mb4, MODIFY MESSAGE MEDIUMTEXT")
    alarm(mariadb, message, title=title)
    make_agent(mariadb, to_web(carbon_stream, web.url, tagged=True)).once()
    (event,) = events(web)
    assert event["data"] == re.sub(r"[\x01\r]", "?", message[:8000].encode()[:24000].decode(errors="ignore"))
    assert len(" ".join(event["tags"])) <= 255 and len(event["what"].encode()) <= 100


def test_a_storm_is_two_events(mariadb, otter, web, carbon_stream, make_agent):
    """One event has the text, and one event has the number of the other alarms; the counter counts all alarms."""
    server = Datagrams()
    for n in range(40):
        alarm(mariadb, f"{STACK} {n}", ago=90 - n // 4)
    sinks = to_web(carbon_stream, web.url) + [{"type": "statsd", "flavor": "dogstatsd", "port": server.port, "container": ""}]
    agent = make_agent(mariadb, sinks, names={"enabled": False})
    agent.once()
    agent.once()
    first, second = events(web)
    assert first["data"] == f"{STACK} 0" and second["when"] == first["when"] + 60
    assert second["data"] == "39 more like this within the minute\n" + STACK.split("\n")[0]
    found = read_all(server.received)
    found_events = [one for one in found if isinstance(one, Event)]
    assert [one.text.replace("\\n", "\n") for one in found_events] == [first["data"], second["data"]]
    assert len({one.fields["k"] for one in found_events}) == 1 and {one.fields["t"] for one in found_events} == {"error"}
    assert sum(one.value for one in found if not isinstance(one, Event) and one.name == "otter.log.records") == 40
    assert found_events[0].tags == ("event:log", "pipeline:3", "title:exception", "channel:1", "node:7", "code:setl",
                            "class:SQLException")
    server.stop()


def test_the_count_of_the_others_outlives_a_kill(mariadb, otter, web, carbon_stream, make_agent):
    agent = make_agent(mariadb, to_web(carbon_stream, web.url), sources={"log": {"settle": 0}})
    agent.start()
    begun = alarm(mariadb, STACK, ago=50)
    wait_until(lambda: len(events(web)) == 1, "the first")
    for _ in range(3):
        alarm(mariadb, STACK, ago=45)
        wait_until(lambda: "log" in agent.log(), "a poll")
        time.sleep(1.5)
        agent.kill9()
        agent.start()
    wait_until(lambda: len(events(web)) == 2, "the rest", 60)
    assert [event["when"] for event in events(web)] == [begun, begun + 60]
    assert events(web)[1]["data"].startswith("3 more like this")


def test_alarms_that_differ_are_not_alike(mariadb, otter, web, carbon_stream, make_agent):
    for pipeline, node, message in (("1", "7", STACK), ("2", "7", STACK), ("1", "8", STACK), ("1", "7", "pid:1 x"),
                                    ("1", "7", STACK.replace("SQLException", "IOException"))):
        alarm(mariadb, message, pipeline=pipeline, node=node)
    make_agent(mariadb, to_web(carbon_stream, web.url)).once()
    assert len({event["what"] for event in events(web)}) == 5


def test_numbers_in_alarms_are_gauges(mariadb, otter, statsd, both, carbon, make_agent):
    for title, message in (("DELAYTIME", "pid:4 delay_time:99 seconds, but delay 33 seconds no update"),
                           ("PIPELINETIMEOUT", "pid:4 elapsed 600 seconds no sync"),
                           ("PROCESSTIMEOUT", "pid:4 processIds:18,19 elapsed 61 seconds"),
                           ("POSITIONTIMEOUT", "pid:4 position 90 seconds no update"),
                           ("POSITIONTIMEOUT", "pid:4 position 70 seconds no update"),
                           ("PIPELINETIMEOUT", "pid:5 elapsed 1525422593 seconds no sync")):
        alarm(mariadb, message, title=title, pipeline=message[4], node="-1", ago=300)
    make_agent(mariadb, both).once()
    wanted = {"delaytime.log.delay_s": 99, "delaytime.log.no_delay_s": 33, "pipelinetimeout.log.no_sync_s": 600,
              "processtimeout.log.process_s": 61, "positiontimeout.log.position_s": 90}
    carbon.wait_for({f"otter.pipeline.4.title.{name}": value for name, value in wanted.items()})
    assert not [name for name in carbon.series() if "pipeline.5" in name and name.endswith("_s")], "since 1970"


def test_there_is_an_end_to_titles_and_classes(mariadb, otter, statsd, make_agent):
    sink = [{"type": "statsd", "port": statsd.port}]
    agent = make_agent(mariadb, sink, sources={"log": {"limit": 3}})
    for n in range(6):
        alarm(mariadb, "x", title=f"T{n}", pipeline="4")
    agent.once()
    wanted = {**{f"otter.pipeline.4.title.t{n}.log.records": 1 for n in range(3)},
              "otter.pipeline.4.title.other.log.records": 3}
    statsd.wait_for(wanted)
    assert agent.log().count("event=tag_limit tag=title limit=3") == 1, "logged once"
    alarm(mariadb, "x", title="T1", pipeline="4")
    alarm(mariadb, "x", title="T7", pipeline="4")
    agent.once()
    wanted["otter.pipeline.4.title.t1.log.records"] += 1
    wanted["otter.pipeline.4.title.other.log.records"] += 1
    statsd.wait_for(wanted)
    assert len([name for name in statsd.counters() if name.endswith("log.records")]) == 4, "also after a restart"


@pytest.mark.parametrize("merge, counted", [(0, 8), (115, 5)])
def test_what_two_managers_write_counts_once(mariadb, otter, statsd, make_agent, merge, counted):
    """Each manager writes every two minutes, at another second and with other numbers; a node reports to one manager only."""
    for ago in (360, 240, 120):
        alarm(mariadb, f"pid:4 position {ago} seconds no update", "POSITIONTIMEOUT", "4", "-1", ago)
        alarm(mariadb, f"pid:4 position {ago + 50} seconds no update", "POSITIONTIMEOUT", "4", "-1", ago - 50)
    for _ in range(2):
        alarm(mariadb, STACK, pipeline="4", node="2", ago=100)
    make_agent(mariadb, [{"type": "statsd", "port": statsd.port}], sources={"log": {"merge": merge}}).once()
    wait_until(statsd.counters, "counters")
    assert sum(value for name, value in statsd.counters().items() if name.endswith("log.records")) == counted


def test_two_masters_with_different_alarms_are_not_merged(mariadb, otter, statsd, make_agent):
    alarm(mariadb, "pid:4 delay_time:99 seconds", "DELAYTIME", "4", "-1")
    alarm(mariadb, "pid:4 delay 99 seconds no update", "DELAYTIME", "4", "-1")
    make_agent(mariadb, [{"type": "statsd", "port": statsd.port}], sources={"log": {"merge": 115}}).once()
    statsd.wait_for({"otter.pipeline.4.title.delaytime.log.records": 2})


def test_graphite_web_that_is_away_holds_up_nothing(mariadb, otter, folder, carbon, make_agent):
    otter.do("sample")
    alarm(mariadb, STACK)
    place = folder / "late"
    place.mkdir()
    late = GraphiteWeb(place, folder / "none")
    agent = make_agent(mariadb, to_web(carbon, late.url)).start()
    carbon.wait_for(otter.sums())
    agent.wait_for_log("sink=graphite.events event=sink_failed")
    assert "sink=graphite event=sink_failed" not in agent.log()
    late.start()
    try:
        agent.wait_for_log("sink=graphite.events event=sink_recovered", 60)
        wait_until(lambda: any(event["data"] == STACK for event in events(late)), "the alarm")
    finally:
        late.stop()


class Answers(http.server.BaseHTTPRequestHandler):
    """A web server that gives the answers the test chooses, and keeps the requests."""

    def do_POST(self):
        time.sleep(self.server.pause)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        code = self.server.codes.get(body["data"], 200)
        if code == 200:
            self.server.taken.append(body)
        else:
            self.server.refused.append(body)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def answers():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.codes, server.taken, server.refused, server.pause = {}, [], [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_an_event_that_is_refused_holds_up_no_other(mariadb, otter, answers, carbon_stream, make_agent):
    answers.codes["pid:1 bad"] = 400
    for n in (1, 2, 3):
        alarm(mariadb, "pid:1 bad" if n == 2 else f"pid:1 {n}", pipeline=str(n))
    done = make_agent(mariadb, to_web(carbon_stream, f"http://127.0.0.1:{answers.server_port}/")).run("--once")
    assert done.returncode == 69 and "sink=graphite.events event=lost points=1" in done.stderr
    assert [body["data"] for body in answers.taken] == ["pid:1 1", "pid:1 3"] and len(answers.refused) == 1


def test_a_server_that_takes_its_time_over_each_event_is_waited_for(mariadb, otter, answers, carbon_stream, make_agent):
    """--once gives up when nothing moves: a batch of events takes longer than all time-outs, and each of them moves."""
    answers.pause = 0.5
    for n in range(25):
        alarm(mariadb, f"pid:1 {n}", pipeline=str(n))
    manager = {"mysql": {"port": mariadb.port, "user": USER, "password": PASSWORD, "connect_timeout": 1, "query_timeout": 2},
               "page": {"timeout": 1}}
    make_agent(mariadb, to_web(carbon_stream, f"http://127.0.0.1:{answers.server_port}/"), managers=[manager], drain=1).once()
    assert len(answers.taken) == 25


def test_an_event_at_which_the_server_fails_is_tried_again(mariadb, otter, answers, carbon_stream, make_agent):
    answers.codes["pid:1 bad"] = 500
    alarm(mariadb, "pid:1 bad")
    agent = make_agent(mariadb, to_web(carbon_stream, f"http://127.0.0.1:{answers.server_port}")).start()
    wait_until(lambda: len(answers.refused) >= 2, "again")
    answers.codes.clear()
    wait_until(lambda: len(answers.taken) == 1, "and taken")
    assert agent.log().count("sink=graphite.events event=sink_failed") == 1


def test_kills_double_one_event_each_and_lose_none(mariadb, otter, web, carbon_stream, make_agent):
    agent = make_agent(mariadb, to_web(carbon_stream, web.url), sources={"log": {"settle": 0}})
    kills, number = 12, 0
    for _ in range(kills):
        agent.start()
        for _ in range(12):  # on a busy machine graphite-web takes a quarter of a second for an event
            number += 1
            alarm(mariadb, f"pid:1 number {number}", pipeline=str(number))
        time.sleep(random.uniform(0.1, 1.2))
        agent.kill9()
    agent.once()
    found_events = collections.Counter(event["data"] for event in events(web))
    assert set(found_events) == {f"pid:1 number {n + 1}" for n in range(number)}, "none is lost"
    doubled = sum(found_events.values()) - number
    assert doubled <= kills, "each kill repeats at most the event that was on its way"


def test_a_restart_tells_nothing_again(mariadb, otter, web, carbon_stream, make_agent):
    for n in range(5):
        alarm(mariadb, f"pid:1 {n}", pipeline=str(n))
    agent = make_agent(mariadb, to_web(carbon_stream, web.url), sources={"log": {"settle": 0}})
    for _ in range(3):
        agent.start()
        time.sleep(1.5)
        assert agent.stop() == 0
    assert len(events(web)) == 5
    agent.run("cursor", "rewind", "log", "-1h")
    agent.once()
    assert len(events(web)) == 5, "only steps are sent again, and no events"


def test_batches_without_events_are_acknowledged(mariadb, otter, carbon_stream, answers, make_agent):
    """The sink of events must acknowledge batches without an event, so that they do not stay in the queue."""
    otter.do("history", "--rows", 3000, "--hours", 1)
    agent = make_agent(mariadb, to_web(carbon_stream, f"http://127.0.0.1:{answers.server_port}", horizon=0))
    agent.once()
    agent.once()
    store = sqlite3.connect(agent.folder / "state/otterbeat.db")
    mark = dict(store.execute("SELECT name, acked FROM sinks"))
    last = store.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").fetchone()[0]
    store.close()
    assert mark["graphite.events"] == last


def test_dry_run_prints_events(mariadb, otter, carbon_stream, make_agent):
    alarm(mariadb, STACK)
    done = make_agent(mariadb, to_web(carbon_stream, "http://127.0.0.1:1")).run("--once", "--dry-run")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("graphite POST /events/ ")]
    assert json.loads(line.removeprefix("graphite POST /events/ "))["data"] == STACK


def test_check_says_whether_graphite_web_is_there(mariadb, otter, web, carbon_stream, make_agent):
    done = make_agent(mariadb, to_web(carbon_stream, web.url)).run("--check")
    assert "ok   sink graphite.events: a server listens" in done.stdout
    done = make_agent(mariadb, to_web(carbon_stream, f"http://127.0.0.1:{free_port()}"), "other").run("--check")
    assert "BAD  sink graphite.events: events: " in done.stdout and done.returncode == 69


def test_a_source_of_ones_own_has_events(mariadb, otter, web, carbon_stream, make_agent):
    mariadb.query("CREATE TABLE NOTES (ID INT AUTO_INCREMENT PRIMARY KEY, SHOP VARCHAR(20), NOTE TEXT)")
    mariadb.query("INSERT INTO NOTES (SHOP, NOTE) VALUES ('a', 'first'), ('b', NULL)")
    columns = [["cursor", "ID"], ["key", "SHOP"], ["event", "NOTE"], ["count", "", "notes.made"]]
    make_agent(mariadb, to_web(carbon_stream, web.url),
               sources={"notes": {"table": "NOTES", "columns": columns, "start": "oldest"}}).once()
    assert {(event["what"], event["data"]) for event in events(web)} == {("notes: shop a", "first"), ("notes: shop b", "")}
