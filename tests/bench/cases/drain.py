"""Sends a whole table, and compares this with the peers and the limits."""
import time

from servers.process import wait_until

from bench import contenders, measure
from bench.contenders import make_agent, only, to_sink
from bench.sinks import Sink
from bench.world import middle, ratios

MIB = 1024


def rows_per_s(figures):
    return figures.rows / figures.wall


def lines_per_cpu(figures):
    return figures.lines / figures.cpu


def report(world, found):
    for name, runs in found.items():
        text = f"{middle(runs, rows_per_s) / 1e3:,.0f} k rows/s, {middle(runs, lambda f: f.cpu):.2f} CPU s, peak " \
               f"{middle(runs, lambda f: f.peak_kib) / MIB:,.1f} MiB; {middle(runs, lines_per_cpu) / 1e3:,.0f} k lines/CPU s"
        world.say(f"{name}, {runs[0].rows:,} rows", "", text)


def judge(world, found, what, figure, ours, theirs, least):
    middle_one, low, high = ratios(found, figure, ours, theirs)
    world.say(f"{what}: {ours} / {theirs}", f">= {least}", f"{middle_one:.2f} ({low:.2f}..{high:.2f})",
              middle_one >= least)


def drain(world):
    """Compares rows per second with the fetch loop and all peers, and CPU time to Graphite."""
    rows = world.sizes.rows
    database = world.database.delays(rows)
    peers = {"fetch loop": contenders.fetch_loop, "otterbeat": contenders.otterbeat,
             "otterbeat, 1 line": contenders.built_in, "script": contenders.script, "script, mawk": mawk,
             "collectd": contenders.collectd, "prometheus-sql-exporter": contenders.prometheus}
    subjects = {name: lambda run=run: run(world, database, rows) for name, run in peers.items()}
    subjects["push loop"] = lambda: contenders.push_loop(world, contenders.LINES * rows)
    found = world.compare(subjects)
    report(world, found)
    for ours in "otterbeat", "otterbeat, 1 line":
        judge(world, found, f"rows/s, {rows:,} rows", rows_per_s, ours, "fetch loop", 0.5)
        judge(world, found, f"rows/s, {rows:,} rows", rows_per_s, ours, "collectd", 5)
    judge_cpu(world, found, "Graphite", {"collectd": 16, "script": 1.5, "script, mawk": 1.5})


def mawk(world, database, rows, kind="tcp"):
    """The script with Debian's other awk, which is much faster."""
    return contenders.script(world, database, rows, kind, "mawk")


def judge_cpu(world, found, sink, peers):
    for theirs, least in peers.items():
        judge(world, found, f"lines per CPU s, {sink}", lines_per_cpu, "otterbeat", theirs, least)


def many(world):
    """Ten million rows. collectd would need ten times its memory for a million rows, so collectd is measured with a million only."""
    rows = world.sizes.many
    database = world.database.delays(rows)
    found = world.compare({"fetch loop": lambda: contenders.fetch_loop(world, database, rows),
                           "otterbeat, 1 line": lambda: contenders.built_in(world, database, rows)})
    report(world, found)
    judge(world, found, f"rows/s, {rows:,} rows", rows_per_s, "otterbeat, 1 line", "fetch loop", 0.5)


def cpu(world):
    """CPU time to StatsD. collectd has no plugin that sends to StatsD, so its lines to Graphite are used."""
    rows = world.sizes.rows
    database = world.database.delays(rows)
    found = world.compare({"otterbeat": lambda: contenders.otterbeat(world, database, rows, "udp"),
                           "script": lambda: contenders.script(world, database, rows, "udp"),
                           "script, mawk": lambda: mawk(world, database, rows, "udp"),
                           "collectd": lambda: contenders.collectd(world, database, rows)})
    report(world, found)
    judge_cpu(world, found, "StatsD", {"collectd": 16, "script": 1.2, "script, mawk": 1.2})


def blocked_peak(world, database, rows):
    """The peak memory while carbon accepts connections and reads nothing, and rows wait."""
    with Sink(world.fresh("sink"), "still") as sink:
        agent = make_agent(world, database, [to_sink("tcp", sink.port)], only("delay")).start()
        watch = measure.Watch(agent.process)
        progress = []

        def has_settled():
            time.sleep(1)
            progress.append(watch.cpu())
            return len(progress) > 5 and progress[-1] - progress[-4] < 0.03

        wait_until(has_settled, "the queue is full, or all is in it", 300)
        peak = watch.peak_kib()
        agent.kill9()
        return peak


def memory(world):
    few, lot = world.database.delays(100_000), world.database.delays(world.sizes.many)
    found = world.compare({"100 k rows": lambda: contenders.built_in(world, few, 100_000),
                           "all rows": lambda: contenders.built_in(world, lot, world.sizes.many)}, 3)
    small, large = (middle(found[name], lambda f: f.peak_kib) / MIB for name in found)
    still = blocked_peak(world, lot, world.sizes.many) / MIB
    world.note("blocked", 1, peak_kib=still * MIB)
    world.say(f"peak RSS, {world.sizes.many:,} rows", "<= 24 MiB", f"{large:.1f} MiB", large <= 24)
    world.say("peak RSS more than with 100 k rows", "<= 1 MiB", f"{large - small:.1f} MiB", large - small <= 1)
    world.say("peak RSS while carbon blocks", "<= 24 MiB", f"{still:.1f} MiB", still <= 24)
