"""StatsD's counters as gauges with their totals, on real servers and with all faults in between."""
import random
import re
import signal
import sqlite3
import time

import pytest

from servers.process import wait_until
from servers.sinks import Datagrams
from servers.wiring import to_statsd

pytestmark = pytest.mark.slow

FAST = ("--speed", 20, "--writers", 6, "--hold", 3, "--rate", 200)
ROUND = 60  # seconds after which each total is sent again
IN_DOUBT = re.compile(r"event=in_doubt points=(\d+)")
TOTALS = "SELECT COUNT(*) FROM sink_totals WHERE sink = 'statsd'"


def totals(statsd):
    """Returns the totals by the name of the counter."""
    return {name.removesuffix(".total"): value for name, value in statsd.gauges().items() if name.endswith(".total")}


def unequal(wanted, got):
    return {name: (value, got.get(name, 0)) for name, value in wanted.items() if got.get(name, 0) != value}


def wait_for_totals(statsd, wanted, seconds=15):
    """Waits until statsd has exactly these totals."""
    try:
        wait_until(lambda: not unequal(wanted, totals(statsd)), "totals", seconds, 0.2)
    except AssertionError:
        assert not unequal(wanted, totals(statsd)), "totals: (wanted, got)"
    assert not unequal(totals(statsd), wanted), "totals of what SQL has none of"


def stored(agent, query=TOTALS):
    store = sqlite3.connect(agent.folder / "state/otterbeat.db")
    try:
        return store.execute(query).fetchone()[0]
    finally:
        store.close()


def test_counters_and_totals_both_equal_sql(mariadb, otter, statsd, make_agent):
    """The totals also continue after a restart of the agent, and of a statsd that forgets everything."""
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both")])
    otter.do("sample")
    agent.once()
    statsd.wait_for(otter.sums())
    wait_for_totals(statsd, otter.sums())
    otter.do("history", "--rows", 500, "--hours", 1)
    agent.once()
    statsd.wait_for(otter.sums())
    wait_for_totals(statsd, otter.sums())
    statsd.kill9()
    statsd.start()
    agent.once()
    wait_for_totals(statsd, otter.sums())
    assert not statsd.counters()


def test_totals_alone_are_sent_in_place_of_counters(mariadb, otter, statsd, make_agent):
    otter.do("sample")
    done = make_agent(mariadb, [to_statsd(statsd, counters="gauge")]).once()
    wait_for_totals(statsd, otter.sums())
    assert not statsd.counters() and not statsd.ask("counters", of_agent=True)
    assert "otter.pipeline.1.delay_ms" in statsd.gauges()
    assert re.search(r"sink=statsd event=account points=\d+ sent=\d+ folded=[1-9]\d* late=0 lost=0 behind=0", done.stderr)


def test_tags_stay_tags(mariadb, otter, make_agent):
    """With DogStatsD the name of the metric gets the ending .total, and each set of tags has a total of its own."""
    server = Datagrams()
    otter.do("sample")
    make_agent(mariadb, [{"type": "statsd", "flavor": "dogstatsd", "port": server.port, "counters": "gauge"}]).once()
    wanted = sum(value for name, value in otter.sums().items() if name.endswith(".log.records"))
    line = re.compile(r"otter\.log\.records\.total:(\d+)\|g(\|#.+)?")
    found = {m[2]: int(m[1]) for m in map(line.fullmatch, server.lines()) if m}
    server.stop()
    assert found and sum(found.values()) == wanted
    assert any("node:" in tags for tags in found), "labels too"


def test_dry_run_prints_them_and_keeps_nothing(mariadb, otter, statsd, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both")])
    agent.once()
    before = stored(agent), stored(agent, "SELECT MAX(seq) FROM sink_totals_upto WHERE sink = 'statsd'")
    otter.do("history", "--rows", 300, "--hours", 1)
    done = agent.run("--dry-run", "--once")
    assert done.returncode == 0, done.stderr
    printed = dict(re.findall(r"^statsd ([^ ]+)\.total:(\d+)\|g$", done.stdout, re.M))
    assert not unequal(otter.sums(), {name: int(value) for name, value in printed.items()})
    assert before == (stored(agent), stored(agent, "SELECT MAX(seq) FROM sink_totals_upto WHERE sink = 'statsd'"))
    agent.once()
    wait_for_totals(statsd, otter.sums())


def test_switching_over_while_it_runs(mariadb, otter, statsd, make_agent):
    """Totals begin at 0 when they are switched on; the counters lose nothing and double nothing by that."""
    otter.do("sample")
    agent = make_agent(mariadb, [to_statsd(statsd)]).start()
    before = otter.sums()
    statsd.wait_for(before)
    for times, counters in enumerate(("both", "counter", "both"), 1):
        agent.write(sinks=[to_statsd(statsd, counters=counters)])
        agent.reload()
        agent.wait_for_log("event=reloaded", times=times)
        begun = otter.sums()
        otter.do("history", "--rows", 200, "--hours", 1)
        statsd.wait_for(otter.sums())
        if counters == "counter":
            assert stored(agent, TOTALS) == 0
        else:
            since = {name: value - begun.get(name, 0) for name, value in otter.sums().items()
                     if ".history." in name and value != begun.get(name, 0)}
            wait_until(lambda: not unequal(since, totals(statsd)), "totals of what came since")
    assert agent.log().count("event=totals_begin") == 2


@pytest.mark.parametrize("counters", ["gauge", "both"])
@pytest.mark.parametrize("after_crash", ["lose", "repeat"])
def test_kills_under_load(mariadb, otter, statsd, make_agent, counters, after_crash):
    """Totals are exact. The log gives the largest amount that a counter may miss or have twice."""
    agent = make_agent(mariadb, [to_statsd(statsd, counters=counters, after_crash=after_crash)])
    managers = otter.run("--seconds", 12, *FAST)
    for _ in range(8):
        agent.start()
        time.sleep(random.uniform(0.2, 1.5))
        agent.kill9()
    assert managers.wait(60) == 0, managers.log()
    last = agent.run("--once")
    assert last.returncode == 0 or IN_DOUBT.search(last.stderr), last.stderr
    wanted = otter.sums()
    wait_for_totals(statsd, wanted)
    in_doubt = sum(map(int, IN_DOUBT.findall(agent.log())))
    series = statsd.gauges() | statsd.counters()
    if counters == "gauge":
        assert in_doubt == 0 and not statsd.counters() and series
        return
    off = statsd.differences(wanted)
    assert len(off) <= in_doubt
    for name, (sql, got) in off.items():
        assert got < sql if after_crash == "lose" else got > sql, name


def test_a_crash_in_the_middle_of_a_batch_is_logged(mariadb, otter, statsd, make_agent):
    """agent.uncertain equals the points in doubt in the log, for lost and for repeated points."""
    for after_crash in ("lose", "repeat"):
        sinks = [to_statsd(statsd, counters="both", after_crash=after_crash, payload=64)]
        agent = make_agent(mariadb, sinks, name=after_crash, sources={"agent": {"every": 1}}).start()
        agent.wait_for_log("event=plan", times=5)
        agent.process.send(signal.SIGSTOP)
        otter.do("history", "--rows", 1000, "--hours", 1)
        agent.process.send(signal.SIGCONT)
        wait_until(lambda: stored(agent, "SELECT sent_upto > acked FROM sinks"), "a batch is being sent", every=0.001)
        agent.kill9()
        assert stored(agent, "SELECT sent_upto > acked FROM sinks"), "killed in time"
        agent.start()
        agent.wait_for_log(f"after_crash={after_crash}")
        in_doubt = int(IN_DOUBT.findall(agent.log())[0])
        wait_until(lambda: [value for name, value in statsd.ask("gauges", of_agent=True).items()
                            if name.endswith(".sink.statsd.agent.uncertain.total")] == [in_doubt], "agent.uncertain")
        assert 0 < in_doubt <= 1000
        wait_for_totals(statsd, otter.sums(), 60)
        agent.stop()
        statsd.kill9()
        statsd.start()


def test_a_closed_port_heals(mariadb, otter, statsd, make_agent):
    """statsd stops for some seconds, twice, and loses its values."""
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both")]).start()
    managers = otter.run("--seconds", 10, *FAST)
    for _ in range(2):
        time.sleep(2)
        statsd.kill9()
        time.sleep(2)
        statsd.start()
    assert managers.wait(60) == 0, managers.log()
    wait_for_totals(statsd, otter.sums(), 30)
    assert statsd.differences(otter.sums()), "the counters were lost"
    assert "event=sink_failed" in agent.log() and "event=sink_recovered" in agent.log()


@pytest.mark.slow
def test_a_loss_without_a_message_is_corrected_within_a_round(mariadb, otter, statsd, make_agent):
    """A statsd that does not read: the kernel drops datagrams without room, and reports nothing."""
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both")]).start()
    agent.wait_for_log("event=plan", times=5)
    statsd.process.send(signal.SIGSTOP)
    otter.do("history", "--rows", 20000, "--hours", 1)
    store = sqlite3.connect(agent.folder / "state/otterbeat.db")
    wait_until(lambda: not store.execute("SELECT COUNT(*) FROM batches").fetchone()[0] and
               store.execute("SELECT MAX(seq) FROM sink_totals_upto WHERE sink = 'statsd'").fetchone()[0], "all went out")
    time.sleep(5)
    store.close()
    statsd.process.send(signal.SIGCONT)
    lost = statsd.differences(otter.sums())
    wait_for_totals(statsd, otter.sums(), ROUND + 15)
    assert lost and statsd.differences(otter.sums()), "something was lost, or this shows nothing"
    assert "event=lost" not in agent.log() and "event=sink_failed" not in agent.log()


def test_a_stop_with_nobody_there_doubles_and_loses_nothing(mariadb, otter, statsd, make_agent):
    statsd.kill9()
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both", payload=64)], drain=1).start()
    otter.do("history", "--rows", 500, "--hours", 1)
    agent.wait_for_log("event=sink_failed")
    assert agent.stop() == 0
    statsd.start()
    agent.once()
    statsd.wait_for(otter.sums())
    wait_for_totals(statsd, otter.sums())


def test_the_store_holds_one_row_a_series(mariadb, otter, statsd, make_agent):
    agent = make_agent(mariadb, [to_statsd(statsd, counters="both")])
    series = 0
    for _ in range(3):
        otter.do("history", "--rows", 500, "--hours", 1)
        agent.once()
        series = len(totals(statsd)) + len([name for name in statsd.ask("gauges", of_agent=True)
                                            if name.endswith(".total")])
        assert stored(agent) == series
    agent.write(sinks=[to_statsd(statsd, counters="both", name="other")])
    agent.once()
    assert stored(agent) == 0, "a sink that is gone leaves none"
