"""The cost of many pairs and of many series."""
import contextlib
import sqlite3
import time

from servers.process import wait_until

from bench import measure
from bench.cases.polls import running
from bench.contenders import make_agent, only, to_sink
from bench.sinks import Sink

ROUND = 2  # seconds from one poll to the next poll


def tracked_rows(agent):
    """Returns the number of pairs whose totals are in the agent's store."""
    file = agent.folder / "state" / "otterbeat.db"
    if not file.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        return store.execute("SELECT COUNT(*) FROM tracked_rows").fetchone()[0]


def totals(world):
    """Between two polls every tenth pair changes two of its totals; each time it is another tenth."""
    db, pairs = world.database, world.sizes.pairs
    name = db.totals(pairs)
    used = []
    with Sink(world.fresh("sink"), "tcp") as sink:
        agent = make_agent(world, name, [to_sink("tcp", sink.port)], only("table", every=ROUND, start="now"))
        with running(agent) as watch:
            wait_until(lambda: tracked_rows(agent) == pairs, "the agent has read all pairs once", 120)
            time.sleep(ROUND)
            for number in range(10 + world.sizes.polls):  # in the first rounds each series is new
                lines, cpu = sink.counted.lines, watch.cpu()
                db.query("UPDATE TABLE_STAT SET INSERT_COUNT = INSERT_COUNT + 1, UPDATE_COUNT = UPDATE_COUNT + 2"
                         f" WHERE ID % 10 = {number % 10}", database=name)
                sink.wait_for(lines + pairs // 10 * 2)
                time.sleep(ROUND / 4)
                used.append(watch.cpu() - cpu)
                world.note("otterbeat", number + 1, cpu_s=used[-1])
            peak = watch.peak_kib()
    world.note("otterbeat", 0, peak_kib=peak)
    ms = measure.median(used[10:]) * 1000
    world.say(f"{pairs:,} pairs, a tenth of them changed", "< 38 ms CPU a poll", f"{ms:.0f} ms", ms < 38)


def series(world):
    """One transaction with a row for each of many pipelines. Measures source, queue and sink together, and the sink alone."""
    db, n = world.database, world.sizes.series
    all_threads, sink_thread = [], []
    db.create("series")
    with Sink(world.fresh("sink"), "tcp") as sink:
        agent = make_agent(world, "series", [to_sink("tcp", sink.port, step=1)],
                           only("delay", start="now", settle=0, overlap=1))
        with running(agent) as watch:
            time.sleep(2)
            for number in range(world.sizes.runs + 1):
                lines, cpu, of_sink = sink.counted.lines, watch.cpu(), watch.cpu_of_thread(1)
                db.add_delays("series", n, pipelines=n, age=0, first=number * n)
                sink.wait_for(lines + n)
                time.sleep(0.2)
                all_threads.append(watch.cpu() - cpu)
                sink_thread.append(watch.cpu_of_thread(1) - of_sink)
                world.note("otterbeat", number, cpu_s=all_threads[-1], sink_cpu_s=sink_thread[-1])
                time.sleep(2)
    whole, alone = (measure.median(used[1:]) * 1000 for used in (all_threads, sink_thread))  # in the first round all series are new
    world.say(f"{n:,} series a step into Graphite", "< 9.4 ms CPU", f"{alone:.1f} ms in the sink, {whole:.1f} ms in all",
              whole < 9.4)
