"""What carbon is sent, line by line."""
import collections
import re
import time

from servers.process import wait_until
from servers.sinks import Datagrams, Stream


def test_each_step_is_sent_again_after_the_horizon(mariadb, otter, make_agent):
    otter.do("sample")
    carbon = Stream()
    make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "horizon": 2}]).start()

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


def test_tagged_series(mariadb, otter, make_agent):
    otter.do("sample")
    carbon = Stream()
    make_agent(mariadb, [{"type": "graphite", "port": carbon.port, "tagged": True}]).once()
    wait_until(lambda: any(re.match(r"otter\.throughput\.count;pipeline=1;type=row \d+ \d+$", line)
                           for line in carbon.lines()), "a tagged line")
    wait_until(lambda: any(re.match(r"otter\.log\.records;channel=\d+;.*pipeline=\d+;title=", line)
                           for line in carbon.lines()), "labels, in order of keys")
    carbon.stop()


def test_dogstatsd_over_a_unix_socket(mariadb, otter, folder, make_agent):
    otter.do("sample")
    receiver = Datagrams(folder / "dsd")
    make_agent(mariadb, [{"type": "statsd", "socket": str(folder / "dsd"), "flavor": "dogstatsd"}]).once()
    counted = collections.Counter()
    for line in receiver.lines():
        match = re.fullmatch(r"otter\.throughput\.count:(\d+)\|c\|#pipeline:(\d+),type:(\w+)", line)
        if match:
            counted[f"otter.pipeline.{match[2]}.type.{match[3]}.throughput.count"] += int(match[1])
    wanted = {name: value for name, value in otter.sums().items() if name.endswith("throughput.count")}
    assert counted == wanted
    assert max(map(len, receiver.received)) <= 1432
    receiver.stop()
