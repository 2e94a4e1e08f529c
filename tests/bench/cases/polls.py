"""The cost of a poll for the server, and the cost of polls for the agent when nothing is new."""
import contextlib
import time

from servers.manager import Manager

from bench import measure
from bench.contenders import make_agent, only, to_sink
from bench.database import PIPELINES
from bench.sinks import Sink

OB_CHUNK_IDS = 256
YOUNG = 500  # rows inside the overlap
HOUR = 3600


@contextlib.contextmanager
def running(agent):
    agent.start()
    try:
        yield measure.Watch(agent.process)
    finally:
        agent.stop()


def reads_a_poll(world, rows):
    """Returns Handler_read of one poll of DELAY_STAT, with some rows inside the overlap and no new row."""
    db = world.database
    name = db.delays(rows)
    db.add_delays(name, YOUNG, age=60, first=rows)
    with Sink(world.fresh("sink"), "tcp") as sink:
        agent = make_agent(world, name, [to_sink("tcp", sink.port)], only("delay", start="-300s"))
        with running(agent):
            sink.wait_for(YOUNG)
            time.sleep(2)
            before, itself = db.handler_reads(), db.handler_reads()
            began = time.monotonic()
            time.sleep(world.sizes.polls)
            polls = round(time.monotonic() - began)
            got = (db.handler_reads() - itself - (itself - before)) / polls
    db.query("DELETE FROM DELAY_STAT WHERE ID > %s", rows, database=name)
    world.note(f"{rows} rows", 1, handler_reads=got)
    return got


def reads(world):
    few, many = 10_000, world.sizes.many
    small, large = reads_a_poll(world, few), reads_a_poll(world, many)
    # Seen ids are stored in chunks, and a whole chunk is read again; delay_age_s makes two index lookups per pipeline.
    most = YOUNG + OB_CHUNK_IDS + 1 + 2 * PIPELINES + 1
    world.say(f"rows read a poll, {few:,} rows ({YOUNG} inside the overlap)",
              f"<= {YOUNG} + a chunk's {OB_CHUNK_IDS} + 1, + {2 * PIPELINES + 1} for the ages", f"{small:.1f}", small <= most)
    world.say(f"rows read a poll, {many:,} rows", "the same", f"{large:.1f}", abs(large - small) <= OB_CHUNK_IDS)


def idle_cost(world, name, sources, **mysql):
    """Returns (CPU seconds per hour, context switches per second) while nothing is new."""
    with Sink(world.fresh("sink"), "tcp") as tcp, Sink(world.fresh("sink"), "udp") as udp:
        agent = make_agent(world, "idle", [to_sink("udp", udp.port), to_sink("tcp", tcp.port)], sources, **mysql)
        with running(agent) as watch:
            time.sleep(6)
            began, cpu, switches = time.monotonic(), watch.cpu(), watch.switches()
            time.sleep(world.sizes.idle)
            took = time.monotonic() - began
            found = (watch.cpu() - cpu) * HOUR / took, (watch.switches() - switches) / took
    world.note(name, 1, cpu_s_an_hour=found[0], switches_a_s=found[1])
    return found


def idle(world):
    db = world.database
    fake = db.create("idle")
    fake.do("history", "--rows", 10_000, "--until", int(time.time()) - 2 * HOUR)
    tables = only("delay", "throughput", "history", "table", "log", every=1, start="now")
    manager = Manager(fake, world.fresh("manager")).start()
    server = db.server
    with_page = [{"mysql": {"port": server.port, "user": "otterbeat", "password": "a-Secret-of-tests",
                            "database": "idle"}, "page": {"url": manager.url}}]
    cpu, switches = idle_cost(world, "five tables", tables)
    world.say("idle, five tables each second", "2.5 CPU s an hour", f"{cpu:.2f} CPU s an hour", cpu <= 2.5)
    world.say("idle, five tables each second", "10 switches a round", f"{switches:.1f} a round", switches <= 10)
    cpu, switches = idle_cost(world, "six sources", {**tables, "page": {"enabled": True, "every": 1}},
                              managers=with_page)
    world.say("idle, with the pages (4 pipelines) each second", "10 CPU s an hour", f"{cpu:.2f} CPU s an hour", cpu <= 10)
    world.say("idle, with the pages each second", "10 switches a round", f"{switches:.1f} a round", switches <= 10)
    cpu, switches = idle_cost(world, "nothing due", only("delay", "throughput", "history", "table", "log", every=3600))
    world.say("wake-ups while nothing is due but our own counters, each 15 s", "none beside", f"{switches:.2f} a second, {cpu:.3f} CPU s an hour",
              switches < 2)
    manager.stop()
