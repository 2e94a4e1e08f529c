"""What carbon is sent, line by line."""
import collections
import re
import time

import pytest

from servers.carbon import Carbon
from servers.process import wait_until
from servers.sinks import Datagrams, Stream


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
    """It throws away the points of new series that it has no time for."""
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


def test_dogstatsd_over_a_unix_socket(mariadb, otter, folder, make_agent):
    otter.do("sample")
    receiver = Datagrams(folder / "dsd")
    make_agent(mariadb, [{"type": "statsd", "socket": str(folder / "dsd"), "flavor": "dogstatsd"}]).once()
    counted = collections.Counter()
    for line in receiver.lines():
        match = re.fullmatch(r"otter\.throughput\.count:(\d+)\|c\|#pipeline:(\d+),type:(\w+),"
                             r"pipeline_name:[^,|]+,channel_name:[^,|]+", line)
        if match:
            counted[f"otter.pipeline.{match[2]}.type.{match[3]}.throughput.count"] += int(match[1])
    wanted = {name: value for name, value in otter.sums().items() if name.endswith("throughput.count")}
    assert counted == wanted
    assert max(map(len, receiver.received)) <= 1432
    receiver.stop()
