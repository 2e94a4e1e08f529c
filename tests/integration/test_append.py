"""The lines for a receiver that keeps each value: each step comes once, or again with the same value."""
import collections
import re
import time

from servers.process import wait_until
from servers.sinks import Stream
from servers.wiring import to_graphite


def steps(receiver):
    """Returns {(path, time): values} of Otter's own counters."""
    found = collections.defaultdict(list)
    for line in receiver.lines():
        path, value, at = line.split()
        if re.search(r"\.(throughput|history|table|log)\.", path) and ".agent." not in path:
            found[path, int(at)].append(int(value))
    return found


def sums(found):
    got = collections.Counter()
    for (path, _), values in found.items():
        got[path] += sum(set(values))
    return got


def differences(wanted, found):
    got = sums(found)
    return {path: (value, got[path]) for path, value in wanted.items() if got[path] != value}


def assert_balanced(agent):
    """Each run that ended has an account in which no point is missing."""
    accounts = re.findall(r"event=account points=(\d+) sent=(\d+) folded=(\d+) late=(\d+) lost=(\d+) behind=(\d+)", agent.log())
    assert accounts
    for points, *parts in accounts:
        assert int(points) == sum(map(int, parts)), accounts


def test_each_step_comes_once(mariadb, otter, make_agent):
    """Also over several runs, after a rewind, and with late rows; a replay leaves the sink out."""
    otter.do("history", "--rows", 300, "--hours", 2)
    receiver = Stream()
    agent = make_agent(mariadb, [to_graphite(receiver, receiver="append", hold=3, step=5)])
    lines = agent.run("--once", "--dry-run").stdout.splitlines()
    assert len(lines) == len({tuple(line.split()[1::2]) for line in lines}) > 300, "a dry run closes all steps"
    agent.once()
    assert 300 < len(steps(receiver)) < len(lines)
    agent.run("cursor", "rewind", "throughput", "-1h")
    for when in range(120, 3720, 600):
        mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, GMT_MODIFIED) "
                      f"VALUES ('ROW', 7, 70, 1, NOW(), NOW(), NOW() - INTERVAL {when} SECOND, NOW())")
    wanted = otter.sums()
    wait_until(lambda: agent.once() and not differences(wanted, steps(receiver)), "sums", 30, 0.5)
    assert max(map(len, steps(receiver).values())) == 1
    assert "event=late points=" in agent.log() and "event=lost" not in agent.log()
    assert_balanced(agent)
    done = agent.run("replay", "--since", "-2h")
    assert done.returncode == 78 and "the sink graphite is left out: its receiver appends" in done.stderr
    agent.write(sinks=[to_graphite(receiver, receiver="append", hold=1)])
    done = agent.run("--check")
    assert "ok   receiver graphite: assumed, since no receiver answers: each value that arrives is kept" in done.stdout
    assert "warn hold graphite: a step is closed 1 s after its end, but rows of source" in done.stdout
    receiver.stop()


def test_a_restart_repeats_equal_values(mariadb, otter, make_agent):
    otter.do("sample")
    receiver = Stream()
    agent = make_agent(mariadb, [to_graphite(receiver, receiver="append", hold=5, after_crash="repeat")])
    agent.once()
    first = steps(receiver)
    assert not differences(otter.sums(), first)
    agent.once()
    again = wait_until(lambda: len(steps(receiver)) and max(map(len, steps(receiver).values())) == 2 and steps(receiver), "all again")
    assert again == {key: 2 * values for key, values in first.items()}
    agent.write(sinks=[to_graphite(receiver, receiver="append", hold=5, after_crash="repeat", horizon=0)])
    agent.once()
    agent.once()
    assert max(map(len, steps(receiver).values())) == 3, "after the horizon nothing is kept"
    assert_balanced(agent)
    receiver.stop()


def test_the_receiver_is_another_one(mariadb, otter, make_agent):
    """A step that was sent is not sent again to a receiver that appends; a step that is held goes to one that overwrites."""
    receiver = Stream()
    overwrite, append = ([to_graphite(receiver, step=5, **more)] for more in ({}, {"receiver": "append", "hold": 60}))
    otter.do("history", "--rows", 100, "--hours", 1, "--until", int(time.time()) - 600)
    agent = make_agent(mariadb, overwrite)
    agent.once()
    before = steps(receiver)
    assert not differences(otter.sums(), before)
    agent.write(sinks=append)
    agent.once()
    assert steps(receiver) == before
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, GMT_MODIFIED) "
                  "SELECT TYPE, 7, 70, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, NOW() FROM THROUGHPUT_STAT")
    agent.once()
    late = steps(receiver)
    assert not differences(otter.sums(), late) and {key: late[key] for key in before} == before
    otter.do("history", "--rows", 50, "--hours", 0.005, "--until", int(time.time()) - 5)
    agent.once()
    assert steps(receiver) == late
    agent.write(sinks=overwrite)
    agent.run("--once")  # the agent's own points of a step that was closed a moment ago are late
    assert_balanced(agent)
    assert not differences(otter.sums(), steps(receiver))
    receiver.stop()


def totals_in(receiver, is_once):
    found = collections.defaultdict(list)
    for (path, at), values in sorted(steps(receiver).items()):
        assert path.endswith(".total") or path.rpartition(".")[2].endswith(("_ms", "_s")), path
        found[path.removesuffix(".total")] += values
        assert not is_once or len(values) == 1, (path, at, values)
    return found


def test_totals_grow_through_kills(mariadb, otter, make_agent):
    """A smaller total would be a reset for nonNegativeDerivative(); a step that appends gets one total."""
    otter.do("history", "--rows", 100, "--hours", 2)
    appends, overwrites = receivers = [Stream(), Stream()]
    agent = make_agent(mariadb, [
        to_graphite(appends, name="a", step=1, counters="gauge", receiver="append", hold=1),
        to_graphite(overwrites, name="b", step=1, counters="gauge", horizon=1, creates=0)]).start()
    managers = otter.run("--seconds", 2.5, "--writers", 3, "--rate", 60, "--hold", 1)
    for _ in range(2):
        time.sleep(1)
        agent.kill9()
        agent.start()
    assert managers.wait(30) == 0, managers.log()
    wanted = otter.sums()

    def all_totals():
        return [totals_in(receiver, receiver is appends) for receiver in receivers]
    wait_until(lambda: all(found[path][-1:] == [value] for found in all_totals() for path, value in wanted.items()),
               "totals", 15, 0.3)
    assert agent.stop() == 0
    agent.once()
    before = all_totals()
    for found in before:
        for path, value in wanted.items():
            assert found[path] == sorted(found[path]) and found[path][-1] == value, path
    assert_balanced(agent)
    agent.run("replay", "--since", "-2h")
    assert [{path: found[path] for path in wanted} for found in before] == \
        [{path: found[path] for path in wanted} for found in all_totals()], "a replay has no totals"
    for receiver in receivers:
        receiver.stop()


def test_lines_in_doubt(mariadb, otter, make_agent):
    """The receiver takes no bytes, and the agent is killed: the lines that were on their way are lost, and no others."""
    otter.do("history", "--rows", 2500)
    deaf, receiver = Stream(reads=False), Stream()
    agent = make_agent(mariadb, [to_graphite(deaf, receiver="append", hold=5)]).start()
    wait_until(lambda: deaf.connections, "a connection")
    time.sleep(1.5)
    agent.kill9()
    deaf.stop()
    agent.write(sinks=[to_graphite(receiver, receiver="append", hold=5)])
    assert agent.run("--once").returncode == 69, "points were lost"
    points = int(re.search(r"event=in_doubt points=(\d+) after_crash=lose", agent.log()).group(1))
    account = dict(re.findall(r"(\w+)=(\d+)", agent.log().rpartition("event=account")[2]))
    assert points > 0 and int(account["lost"]) == int(account["uncertain"]) == points
    assert_balanced(agent)
    assert all(got < value for value, got in differences(otter.sums(), steps(receiver)).values())
    assert max(map(len, steps(receiver).values())) == 1
    receiver.stop()
