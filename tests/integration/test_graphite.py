"""The lines that carbon receives."""
import collections
import re
import time

import pytest
from carbon.util import TaggedSeries

from servers.carbon import Carbon
from servers.process import wait_until
from servers.sinks import Stream


def test_each_step_is_sent_again_after_the_horizon(mariadb, otter, make_agent):
    otter.do("sample")
    carbon = Stream()
    make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "horizon": 2, "creates": 0}]).start()

    def seen_twice():
        times = collections.Counter(line for line in carbon.lines() if ".agent." not in line and "_age_s" not in line)
        return times and min(times.values()) >= 2

    wait_until(seen_twice, "each line twice")
    lines = len([line for line in carbon.lines() if ".throughput." in line])
    time.sleep(4)
    assert lines == len([line for line in carbon.lines() if ".throughput." in line]), "and not for ever"
    carbon.stop()


def test_all_is_sent_again_on_a_new_connection(mariadb, otter, make_agent):
    otter.do("sample")
    carbon = Stream()
    agent = make_agent(mariadb, [{"type": "graphite", "port": carbon.port}]).start()
    wait_until(lambda: sum(".throughput." in line for line in carbon.lines()) > 10, "lines")
    time.sleep(1)
    first = {line for line in carbon.lines() if ".throughput." in line}
    carbon.hang_up()
    carbon.received.clear()
    agent.wait_for_log("event=sink_recovered")
    wait_until(lambda: first <= set(carbon.lines()), "the same lines")
    carbon.stop()


@pytest.mark.slow
def test_carbon_that_makes_few_files_a_minute(mariadb, otter, folder, make_agent):
    """This carbon drops the points of new series above its limit."""
    (folder / "slow").mkdir()
    carbon = Carbon(folder / "slow", creates=400).start()
    try:
        otter.do("create", "--pipelines", 20, "--tables", 3)
        otter.do("history", "--rows", 2000, "--hours", 2)
        wanted = otter.sums()
        assert len(wanted) > 600
        make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "creates": 400}]).start()
        wait_until(lambda: len(carbon.series()) >= 400, "the first files")
        assert carbon.differences(wanted)
        carbon.wait_for({name: value for name, value in wanted.items() if value}, 200)
    finally:
        carbon.stop()


def test_tagged_series(mariadb, otter, make_agent):
    otter.do("sample")
    carbon = Stream()
    make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "tagged": True}]).once()
    wait_until(lambda: any(re.match(r"otter\.throughput\.count;channel_name=order-sync;pipeline=1;"
                                    r"pipeline_name=order_hz_to_sh;type=row \d+ \d+$", line)
                           for line in carbon.lines()), "a tagged line")
    wait_until(lambda: any(re.match(r"otter\.log\.records;channel=\d+;channel_name=.*;pipeline=\d+;.*title=", line)
                           for line in carbon.lines()), "labels, in order of keys")
    carbon.stop()


def test_tagged_names_are_as_carbon_would_write_them(mariadb, otter, make_agent):
    """The tags are sorted and contain only characters that carbon and relays accept: carbon's own parser changes nothing."""
    otter.do("sample")
    mariadb.query("CREATE TABLE NOTES (ID INT AUTO_INCREMENT PRIMARY KEY, NAME VARCHAR(20), ZONE VARCHAR(20), N INT)")
    mariadb.query("INSERT INTO NOTES (NAME, ZONE, N) VALUES ('~a;b=c d', '', 1), ('延迟', '~', 2), ('-1', '!^', 3)")
    columns = [["cursor", "ID"], ["key", "NAME"], ["label", "ZONE"], ["increment", "N"]]
    carbon = Stream()
    make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "tagged": True, "tags": ["env:prod", "pipeline:x"]}],
               sources={"notes": {"table": "NOTES", "columns": columns, "start": "oldest"}}).once()
    wait_until(lambda: sum("otter.notes.n" in line for line in carbon.lines()) >= 3, "lines")
    for line in carbon.lines():
        path, _, _ = line.split(" ")
        assert TaggedSeries.parse(path).path == path and "env=prod" in path
        assert path.isascii() and path.count("pipeline=") <= 1 and ";name=" not in path
    notes = {line.split(" ")[0] for line in carbon.lines() if "otter.notes.n" in line}
    assert notes == {"otter.notes.n;env=prod;name_=_a_b=c_d;pipeline=x", "otter.notes.n;env=prod;name_=none;pipeline=x;zone=!^",
                     "otter.notes.n;env=prod;name_=______;pipeline=x;zone=_"}
    carbon.stop()
