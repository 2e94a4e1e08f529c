"""Real servers, and what they lose of a large amount of lines."""
import threading
import time

from servers.carbon import Carbon, written_points
from servers.mariadb import USER
from servers.process import wait_until
from servers.statsd import Statsd

from bench import measure
from bench.contenders import LARGE_QUEUE, make_agent, only, run_agent, to_sink
from bench.sinks import Sink

SUMS = {"inserts": "INSERT_COUNT", "updates": "UPDATE_COUNT", "deletes": "DELETE_COUNT", "files": "FILE_COUNT",
        "bytes": "FILE_SIZE"}


def wanted(world, name):
    """Returns {series: sum} of a database of histories."""
    rows = world.database.query(
        f"SELECT PIPELINE_ID, DATA_MEDIA_PAIR_ID, {', '.join(f'SUM({c})' for c in SUMS.values())}"
        " FROM TABLE_HISTORY_STAT GROUP BY 1, 2", database=name)
    return {f"otter.pipeline.{pipeline}.pair.{pair}.history.{word}": int(value)
            for pipeline, pair, *values in rows for word, value in zip(SUMS, values)}


class Open:
    """Checks ten times per second how long the agent's current statement has been open."""

    def __init__(self, database):
        self.database, self.longest, self.ended = database, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.ended.wait(0.1):
            self.longest = max(self.longest, self.database.longest_query_ms(USER))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def whisper_sums(carbon):
    return {name: sum(written_points(carbon.whisper / (name.replace(".", "/") + ".wsp")).values())
            for name in carbon.series() if ".agent." not in name}


def wait_until_written(carbon):
    """Waits until carbon has written everything that it received."""
    watch = measure.Watch(carbon.process)
    used = [watch.cpu()]

    def rests():
        time.sleep(2)
        used.append(watch.cpu())
        return used[-1] - used[-2] < 0.1

    wait_until(rests, "carbon has written all", 600)


def backlog(world):
    lines = world.sizes.backlog
    name = world.database.histories(lines // 5)
    carbon = Carbon(world.fresh("carbon")).start()
    agent = make_agent(world, name, [to_sink("tcp", carbon.port)], only("history"), queue=LARGE_QUEUE)
    with Open(world.database) as statements:
        used = run_agent(agent)
    wait_until_written(carbon)
    sums, right = whisper_sums(carbon), wanted(world, name)
    carbon.stop()
    wrong = sum(sums.get(series, 0) != value for series, value in right.items())
    world.note("otterbeat", 1, wall_s=used.wall, cpu_s=used.cpu, peak_kib=used.peak_kib, series=len(right), wrong=wrong,
               longest_query_ms=statements.longest)
    world.say(f"{lines:,} lines into carbon-cache", "0 lost", f"{wrong} of {len(right)} series differ from SQL;"
              f" {lines / used.wall / 1e3:,.0f} k lines/s, {used.cpu:.1f} CPU s", not wrong)
    world.say("… peak RSS", "<= 24 MiB", f"{used.peak_kib / 1024:.1f} MiB", used.peak_kib <= 24 * 1024)
    world.say("… longest open statement", "a page's", f"{statements.longest:.0f} ms", statements.longest < 1000)


def burst(world):
    lines = world.sizes.burst
    name = world.database.histories(lines // 5)
    right = wanted(world, name)
    for number in range(world.sizes.runs):
        statsd = Statsd(world.fresh("statsd")).start()
        used = run_agent(make_agent(world, name, [to_sink("udp", statsd.port)], only("history")))
        time.sleep(0.5)
        wrong = len(statsd.differences(right))
        statsd.stop()
        with Sink(world.fresh("sink"), "udp") as sink:
            run_agent(make_agent(world, name, [to_sink("udp", sink.port)], only("history")))
            time.sleep(0.2)
            dropped = sink.dropped()
            world.note("statsd", number + 1, series=len(right), wrong=wrong, wall_s=used.wall)
            world.note("default buffer", number + 1, dropped=dropped, lines=sink.counted.lines)
    worst = max(float(value) for case, _, _, figure, value, _ in world.raw
                if case == "burst" and figure in ("wrong", "dropped"))
    world.say(f"{lines:,} lines at once into npm statsd and a default buffer", "0 lost",
              "nothing" if not worst else f"up to {worst:.0f} series or datagrams", not worst)
