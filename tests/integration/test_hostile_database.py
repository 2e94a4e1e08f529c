"""Servers with answers that no server should give: the agent and --check survive, and the other manager is still read."""
import concurrent.futures
import re
import resource
import signal
import threading
import time

import pytest

from servers.agent import IS_SANITIZED, SLACK, Agent, assert_no_report
from servers.foreign_text import assert_clean, assert_sound_log
from servers.hostile_mysql import AGENT_ALONE, CHECK_ALONE, SHAPES, HostileMysql, Shape
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.sinks import Datagrams

AT_ONCE = 8
GROUPS = 8
DRAIN = 2
PEAK_KILOBYTES = 64 * 1024
CEILING = 1 << 29  # bytes: an agent that reads without a limit ends before the machine has no memory
PATIENCE = 25 if IS_SANITIZED else 15  # seconds, for steps that take a second or two on an idle machine
ROW = ("INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) "
       "VALUES (1, 'ROW', 1, 1, NOW() - INTERVAL 1 MINUTE, NOW() - INTERVAL 1 MINUTE)")
COUNT = re.compile(r"otter\.manager\.healthy\.pipeline\.1\.type\.row\.throughput\.count:(\d+)\|c")


def named(value, name):
    return {"name": name, "mysql": {"port": value, "user": USER, "password": PASSWORD}}


def make_agent(folder, mariadb, server, sink):
    folder.mkdir()
    odd = named(server.port, "odd")
    odd["mysql"].update({"connect_timeout": 1, "query_timeout": 1, **server.shape.settings})
    sources = {name: {"overlap": 4} for name in ("delay", "throughput", "history", "log")}
    return Agent(folder, mariadb, [{"type": "statsd", "port": sink.port}], managers=[odd, named(mariadb.port, "healthy")],
                 sources=sources, drain=DRAIN)


def assert_no_secret(server):
    got = bytes(server.received)
    for secret in (PASSWORD.encode(), b"root:", b"the password"):
        assert secret not in got, f"the server got {secret}"


def sum_of_healthy(sink):
    return sum(int(n) for n in COUNT.findall("\n".join(sink.lines())))


def wait_for(agent, is_true, what):
    wait_until(lambda: is_true() or not agent.process.is_running(), what, PATIENCE)
    assert agent.process.is_running(), f"it ended with {agent.process.child.returncode} before {what}\n{agent.log()[-1500:]}"


def live_through(shape, folder, mariadb):
    """Runs the agent with a server of this shape and a healthy server."""
    server, sink = HostileMysql(shape).start(), Datagrams()
    agent = make_agent(folder / f"agent-{shape.name}", mariadb, server, sink)
    try:
        agent.process.start()
        if not IS_SANITIZED:
            resource.prlimit(agent.process.child.pid, resource.RLIMIT_DATA, (CEILING, CEILING))
        wait_for(agent, server.hit.is_set, "the answer was asked for")
        time.sleep(0.5)
        wanted = mariadb.query("SELECT COUNT(*) FROM THROUGHPUT_STAT")[0][0]
        wait_for(agent, lambda: sum_of_healthy(sink) >= wanted, "the healthy manager's rows arrived")
        peak = agent.peak_kilobytes()
        began = time.monotonic()
        agent.process.send(signal.SIGTERM)
        code = agent.process.wait(30)
        took = time.monotonic() - began
        assert_no_report(agent.log())
        assert code == 0, f"it ended with {code}"
        assert took < DRAIN + 1 + SLACK, f"SIGTERM was done in {took:.1f} s"
        assert IS_SANITIZED or peak < PEAK_KILOBYTES, f"it had {peak} kB"
        assert_sound_log(agent.log())
        assert_no_secret(server)
        assert not server.misunderstood, server.misunderstood[:2]
    finally:
        agent.kill9()
        server.stop()
        sink.stop()


def check(shape, folder, mariadb):
    server, sink = HostileMysql(shape).start(), Datagrams()
    agent = make_agent(folder / f"check-{shape.name}", mariadb, server, sink)
    try:
        done = agent.run("--check", seconds=90)
        assert done.returncode in (0, 69, 78), f"it ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert server.hit.is_set()
        assert_clean(done.stdout + done.stderr)
        assert_no_secret(server)
        assert not server.misunderstood, server.misunderstood[:2]
    finally:
        server.stop()
        sink.stop()


def each(what, shapes, folder, mariadb):
    """Runs all shapes, several at once, and returns the failures."""
    failed = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = {pool.submit(what, shape, folder, mariadb): shape.name for shape in shapes}
        for job in concurrent.futures.as_completed(jobs):
            if job.exception():
                failed[jobs[job]] = f"{type(job.exception()).__name__}: {job.exception()}"[:1500]
    assert not failed, f"{len(failed)} of {len(shapes)} shapes failed\n" + "\n".join(f"{name}: {why}" for name, why in sorted(failed.items()))


@pytest.fixture
def busy(otter, mariadb):
    """The database of a healthy manager, which gets new rows all the time."""
    over = threading.Event()

    def fill():
        with mariadb.connect("otter") as connection, connection.cursor() as cursor:
            while not over.wait(0.3):
                cursor.execute(ROW)

    filling = threading.Thread(target=fill)
    filling.start()
    yield mariadb
    over.set()
    filling.join()


def groups(shapes):
    return [pytest.param(shapes[i::GROUPS], id=str(i)) for i in range(GROUPS)]


@pytest.mark.parametrize("shapes", groups([s for s in SHAPES if not CHECK_ALONE.issuperset(s.answers)]))
def test_the_agent_lives_through_it(busy, folder, shapes):
    each(live_through, shapes, folder, busy)


CHECKED = [s for s in SHAPES if not AGENT_ALONE.issuperset(s.answers)]


@pytest.mark.parametrize("shapes", groups([s for s in CHECKED if not s.is_slow]))
def test_check_lives_through_it(busy, folder, shapes):
    each(check, shapes, folder, busy)


@pytest.mark.slow
def test_check_lives_through_what_takes_time(busy, folder):
    each(check, [s for s in CHECKED if s.is_slow], folder, busy)


def with_both_names(talk):
    """MySQL 5.7 and MariaDB 11.1 list this variable by its old and by its new name."""
    is_alone = [cells[0] for cells in talk.rows] == ["tx_read_only"]
    talk.result(talk.names, [*talk.rows, ["transaction_read_only", "ON"]] if is_alone else talk.rows)


def test_check_takes_a_variable_that_has_two_names(busy, folder):
    server, sink = HostileMysql(Shape("two_names", {"session": with_both_names}, {}, False)).start(), Datagrams()
    try:
        done = make_agent(folder / "check-two-names", busy, server, sink).run("--check", seconds=90)
        assert len(re.findall("ok   session .*: every transaction is read only", done.stdout)) == 2, done.stdout + done.stderr
    finally:
        server.stop()
        sink.stop()


def reload(shape, folder, mariadb):
    """A thread that waits for this server delays neither a reload nor the reading of the healthy server afterwards."""
    server, sink = HostileMysql(shape).start(), Datagrams()
    agent = make_agent(folder / f"reload-{shape.name}", mariadb, server, sink)
    try:
        agent.start()
        wait_for(agent, server.hit.is_set, "the answer was asked for")
        agent.reload()
        wait_for(agent, lambda: "event=reloaded" in agent.log(), "it has reloaded")
        wanted = mariadb.query("SELECT COUNT(*) FROM THROUGHPUT_STAT")[0][0]
        wait_for(agent, lambda: sum_of_healthy(sink) >= wanted, "the healthy manager's rows arrived")
    finally:
        agent.kill9()
        server.stop()
        sink.stop()


def test_a_reload_lives_through_what_takes_time(busy, folder):
    each(reload, [s for s in SHAPES if s.is_slow and not CHECK_ALONE.issuperset(s.answers)], folder, busy)
