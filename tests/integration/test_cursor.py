"""otterbeat cursor: the checkpoint of each source, and rewinding a source."""
import json
import shutil
import time

import pytest

from servers.process import wait_until
from servers.wiring import to_graphite, to_statsd

pytestmark = pytest.mark.slow


@pytest.fixture
def agent(mariadb, otter, carbon, statsd, make_agent):
    otter.do("history", "--rows", 300, "--hours", 3)
    agent = make_agent(mariadb, [to_statsd(statsd), to_graphite(carbon, horizon=1, creates=0)])
    agent.start()
    carbon.wait_for(otter.sums())
    time.sleep(3)  # all has been sent again, and is passed
    agent.stop()
    return agent


def drained(agent):
    """Returns the lines of `cursor` by their first word, when StatsD has everything: the agent always sends its own counters, too."""
    done = agent.run("cursor")
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    return lines if lines["statsd"][2] == "0" else None


def test_shows_where_all_stands(mariadb, agent):
    agent.start()
    lines = wait_until(lambda: drained(agent), "nothing is behind")
    for source, table in (("log", "LOG_RECORD"), ("throughput", "THROUGHPUT_STAT")):
        (last, newest), = mariadb.query(f"SELECT MAX(ID), DATE_FORMAT(MAX(GMT_CREATE), '%Y-%m-%d') FROM {table}")
        assert lines[source][1:3] == [str(last), newest]
    assert "page" not in lines and "delay_age" not in lines


def test_exports_json(mariadb, agent):
    done = agent.run("cursor", "export")
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    sources = {o["source"]: o for o in objects if "source" in o}
    assert sources["log"]["cursor"] == mariadb.query("SELECT MAX(ID) FROM LOG_RECORD")[0][0]
    assert sources["log"]["since"] is None, "from the oldest on"
    assert {o["sink"]: o["behind"] for o in objects if "sink" in o} == {"statsd": 0, "graphite": 0}


@pytest.mark.parametrize("to", ["-5h", "1", "oldest"])
def test_what_is_rewound_is_for_graphite_only(mariadb, otter, agent, carbon, statsd, to):
    """The deleted files of Graphite come back, because no row was purged. StatsD gets nothing twice."""
    wanted = otter.sums()
    carbon.wait_for(wanted)
    carbon.stop()
    shutil.rmtree(carbon.whisper)
    carbon.start()
    done = agent.run("cursor", "rewind", "log", to)
    assert done.returncode == 0, done.stderr
    agent.once()
    rows = mariadb.query("SELECT PIPELINE_ID, TITLE, COUNT(*) FROM LOG_RECORD GROUP BY 1, 2")
    none = {"-1": "none", -1: "none", None: "none"}
    carbon.wait_for({f"otter.pipeline.{none.get(p, p)}.title.{none.get(t, t).lower()}.log.records": n for p, t, n in rows})
    statsd.wait_for(wanted)


@pytest.mark.parametrize("source", ["throughput", "history", "delay"])
def test_files_that_are_still_there_end_as_they_were(otter, agent, carbon, statsd, source):
    """Also when the rewind starts in the middle of a step, and when steps are still open."""
    wanted = otter.sums()
    carbon.wait_for(wanted)
    before = {name: carbon.points(name) for name in carbon.series() if ".agent." not in name and "_age_s" not in name}
    for to in ("-100m", "-1m"):
        done = agent.run("cursor", "rewind", source, to)
        assert done.returncode == 0 or "that is not back" in done.stderr, done.stderr
        otter.do("history", "--rows", 50, "--hours", 0.01)
        agent.once()
        wanted = otter.sums()
        carbon.wait_for(wanted)
        statsd.wait_for(wanted)
    for name, points in before.items():
        assert {t: carbon.points(name)[t] for t in list(points)[:-3]} == {t: points[t] for t in list(points)[:-3]}


@pytest.mark.parametrize("source, to, why", [
    ("nothing", "-1h", "there is no source 'nothing'"),
    ("table", "-1h", "keeps no history"),
    ("delay_age", "-1h", "keeps no history"),
    ("log", "yesterday", "'yesterday' is no time"),
    ("log", "2020-02-31 00:00:00", "'2020-02-31 00:00:00' is no time"),
    ("log", "2099-01-01 00:00:00", "that is not back"),
    ("log", "999999999", "has no row with a time from id 999999999 on"),
])
def test_what_makes_no_sense_is_refused(agent, source, to, why):
    done = agent.run("cursor", "rewind", source, to)
    assert done.returncode == 69
    assert why in done.stderr


def test_statsd_alone_is_not_rewound(mariadb, otter, statsd, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, [to_statsd(statsd)])
    agent.once()
    done = agent.run("cursor", "rewind", "log", "-1h")
    assert done.returncode == 78
    assert "StatsD would count the rows twice" in done.stderr


def test_a_running_agent_is_not_rewound(agent):
    agent.start()
    agent.wait_for_log("source=log event=plan", times=2)  # also the first run logged it
    done = agent.run("cursor", "rewind", "log", "-1h")
    assert done.returncode == 69
    assert "is used by another otterbeat" in done.stderr
