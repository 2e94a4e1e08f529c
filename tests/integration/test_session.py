"""The session with the database: closed by the server, slow, or with an attacker in between; and rows of any size."""
import subprocess
import time

import pytest

from servers.agent import IS_SANITIZED, SLACK
from servers.mariadb import PASSWORD, USER, MariaDB
from servers.process import wait_until
from servers.wire import Wire
from servers.wiring import to_graphite, to_statsd

DRAIN = 2
ROW = ("INSERT INTO THROUGHPUT_STAT (PIPELINE_ID, TYPE, NUMBER, SIZE, GMT_CREATE, GMT_MODIFIED) "
       "VALUES (1, 'ROW', 1, 1, NOW() - INTERVAL 1 MINUTE, NOW() - INTERVAL 1 MINUTE)")
COUNT = "pipeline.1.type.row.throughput.count"
OFF = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log")}
MINE = {"table": "T", "every": 1, "start": "oldest", "columns": [["cursor", "ID"], ["increment", "N"]]}


def named(name, port, **more):
    return {"name": name, "mysql": {"port": port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 2, **more}}


@pytest.fixture(name="wire")
def make_wire():
    made = []

    def make(*words, **more):
        made.append(Wire(*words, **more))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def fill(server):
    server.query("CREATE DATABASE otter", database=None)
    server.make_user()
    server.query("CREATE TABLE T (ID BIGINT PRIMARY KEY AUTO_INCREMENT, N BIGINT)")
    server.query("INSERT INTO T (N) VALUES (1), (1), (1)")


def complaints(agent):
    return [line for line in agent.log().splitlines() if " error " in line or "poll_failed" in line]


def test_a_server_that_ends_idle_sessions(template, folder, make_agent, statsd):
    """Each poll finds its session closed, opens it again, and logs nothing."""
    server = MariaDB(folder / "db", template)
    try:
        (folder / "db").mkdir(exist_ok=True)
        server.start()
        fill(server)
        agent = make_agent(server, [to_statsd(statsd)], sources={**OFF, "mine": {**MINE, "every": 3}}).start()
        agent.wait_for_log("source=mine event=plan")
        time.sleep(1)
        for n in range(4):
            server.query("INSERT INTO T (N) VALUES (1)")
            server.query(f"KILL USER {USER}")  # it lets them rest: the agent sets their wait_timeout itself
            time.sleep(3)
        statsd.wait_for({"otter.mine.n": 7}, 20)
        assert not complaints(agent), agent.log()
        agent.stop()
    finally:
        server.stop()


def test_a_firewall_that_ends_sessions(otter, mariadb, make_agent, statsd, wire):
    """The agent connects again without a log line when the server answers; otherwise there is an error with one line."""
    between = wire(mariadb.port)
    agent = make_agent(mariadb, [to_statsd(statsd)], mysql={"port": between.port}).start()
    agent.wait_for_log("event=plan", times=7)
    time.sleep(1)  # the names are read, too: all sessions are there, and rest
    had = len(mariadb.query("SELECT 1 FROM THROUGHPUT_STAT WHERE PIPELINE_ID = 1 AND TYPE = 'ROW'"))
    for n in range(1, 6):
        time.sleep(0.5)  # a session that is cut in the middle of a query is another matter
        between.cut()
        mariadb.query(ROW)
        wait_until(lambda n=n: statsd.counters().get("otter." + COUNT, 0) >= n, "the row arrived")
    assert had == 0 and not complaints(agent), agent.log()
    between.stop()
    agent.wait_for_log("event=poll_failed")
    agent.stop()


# The greeting has about 100 bytes, TLS and the log-in have some thousand bytes, and then the session is ready.
PLACES = [("greeting", 10, "off"), ("log-in", 105, "off"), ("session", 160, "off"), ("rows", 2000, "off"),
          ("greeting", 10, "required"), ("handshake", 300, "required"), ("log-in", 2700, "required"), ("rows", 6000, "required")]


@pytest.mark.parametrize("place, byte, tls", PLACES, ids=[f"{place}-{tls}" for place, _, tls in PLACES])
def test_a_byte_every_half_second(template, folder, make_agent, sink, wire, place, byte, tls):
    """Such an answer ends by the agent's deadline, does not delay other sources, and does not delay a stop."""
    (folder / "db").mkdir()
    server = MariaDB(folder / "db", template, options=tls_files(folder / "db") if tls != "off" else ())
    try:
        server.start()
        fill(server)
        slow = wire(server.port, slow_from=byte)
        agent = make_agent(server, [{"type": "statsd", "port": sink.port}], drain=DRAIN,
                           managers=[named("slow", slow.port, tls=tls), named("healthy", server.port, tls=tls)],
                           sources={**OFF, "mine": MINE}).start()
        assert slow.slowed.wait(20), "the wire was never slow"
        wait_until(lambda: any(line.startswith("otter.manager.healthy.mine.n:") for line in sink.lines()), "the other manager's rows")
        agent.wait_for_log("source=slow/", 20)
        server.query("INSERT INTO T (N) VALUES (1000)")
        agent.reload()
        wait_until(lambda: any(line.startswith("otter.manager.healthy.mine.n:1000|") for line in sink.lines()), "the row after the reload", 8)
        began = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - began < DRAIN + 1 + SLACK, agent.log()
    finally:
        server.stop()


def tls_files(place):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout", "key.pem",
                    "-out", "cert.pem"], cwd=place, check=True, capture_output=True)
    return [f"--ssl-cert={place}/cert.pem", f"--ssl-key={place}/key.pem"]


def test_somebody_between_who_hides_tls(encrypted, make_agent, sink, wire):
    """When the config requires TLS, the agent sends nothing to a server without TLS, not even the user's name."""
    encrypted.query("ALTER USER otterbeat@'127.0.0.1' REQUIRE NONE", database=None)
    for tls in ("required", "verify"):
        between = wire(encrypted.port, hides_tls=True)
        ca = {"ca": str(encrypted.socket.parent / "cert.pem")} if tls == "verify" else {}
        agent = make_agent(encrypted, [{"type": "statsd", "port": sink.port}], name=tls, mysql={"port": between.port, "tls": tls, **ca},
                           sources={**OFF, "mine": MINE})
        done = agent.run("--check")
        assert done.returncode == 69 and "the server offers no TLS, and mysql.tls requires TLS" in done.stdout, done.stdout
        agent.start()
        agent.wait_for_log("the server offers no TLS")
        assert agent.stop() == 0
        assert between.connections and not between.said, bytes(between.said)
    between = wire(encrypted.port)
    agent = make_agent(encrypted, [{"type": "statsd", "port": sink.port}], name="honest", mysql={"port": between.port, "tls": "required"},
                       sources={**OFF, "mine": MINE})
    agent.start()
    wait_until(lambda: any(line.startswith("otter.mine.n:") for line in sink.lines()), "rows, by TLS")
    assert USER.encode() not in between.said


def test_plugins(mariadb, folder, make_agent, sink, wire):
    """ed25519 does not reveal the password, so it is allowed also without TLS."""
    mariadb.query("INSTALL SONAME 'auth_ed25519'", database=None)
    try:
        mariadb.query(f"ALTER USER {USER}@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')", database=None)
        mariadb.query("CREATE TABLE T (ID BIGINT PRIMARY KEY, N BIGINT)")
        mariadb.query("INSERT INTO T VALUES (1, 1)")
        between = wire(mariadb.port)
        make_agent(mariadb, [{"type": "statsd", "port": sink.port}], mysql={"port": between.port}, sources={**OFF, "mine": MINE}).once()
        assert "otter.mine.n:1|c" in sink.lines()
        assert USER.encode() in between.said and PASSWORD.encode() not in between.said
    finally:
        mariadb.query(f"DROP USER {USER}@'127.0.0.1'", database=None)
        mariadb.query("UNINSTALL SONAME 'auth_ed25519'", database=None)


def test_rows_of_any_size(mariadb, make_agent, carbon, statsd):
    """A page of rows that is too large is read in smaller parts; a row that is too large is left out and logged once."""
    mariadb.query("CREATE TABLE T (ID BIGINT PRIMARY KEY AUTO_INCREMENT, N BIGINT, WORD LONGTEXT)")
    sizes = [50_000] * 400 + [10] * 3000 + [700_000] * 12 + [3_000_000] + [10] * 5 + [2_000_000] * 2 + [900_000]
    with mariadb.connect("otter") as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        for size in sizes:
            cursor.execute("INSERT INTO T (N, WORD) VALUES (1, REPEAT('x', %s))", (size,))
    agent = make_agent(mariadb, [to_statsd(statsd), to_graphite(carbon)],
                       sources={**OFF, "mine": {**MINE, "batch": 1000, "columns": [*MINE["columns"], ["label", "WORD"]]}}).start()
    wanted = {"otter.mine.n": sum(size < 1_000_000 for size in sizes)}
    statsd.wait_for(wanted, 40)
    time.sleep(3)
    statsd.wait_for(wanted)
    assert IS_SANITIZED or agent.peak_kilobytes() < 64 * 1024
    assert agent.log().count("the row is larger than 1 MB; it is left out") == 1 and not complaints(agent), agent.log()
    mariadb.query("INSERT INTO T (N) VALUES (1)")
    statsd.wait_for({"otter.mine.n": wanted["otter.mine.n"] + 1}, 20)
    agent.stop()


@pytest.fixture(name="encrypted")
def server_with_tls(template, folder):
    (folder / "db").mkdir()
    server = MariaDB(folder / "db", template, options=tls_files(folder / "db"))
    try:
        server.start()
        fill(server)
        yield server
    finally:
        server.stop()
