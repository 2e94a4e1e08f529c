"""The agent sets its database session itself: whatever the server sets for new sessions, the agent reads the same rows."""
import re
import threading
import time

import pytest

from servers.fake_otter import FakeOtter
from servers.manager import Manager
from servers.mariadb import PASSWORD, USER, MariaDB
from servers.process import wait_until
from servers.status import Status
from servers.wiring import to_statsd

LOG_ROW = ("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES ('1', '4', 'T', 'x', NOW() - INTERVAL 5 SECOND, NOW() - INTERVAL 5 SECOND)")
SERIES = "otter.pipeline.4.title.t.log.records"


@pytest.fixture
def start_server(template, folder):
    """start_server(name, *options): returns a server for this test, with Otter's tables and the agent's user."""
    made = []

    def start(name, *options, pipelines=3):
        place = folder / name
        place.mkdir()
        made.append(MariaDB(place, template, server_id=len(made) + 1, options=options))
        server = made[-1].start()
        server.query("CREATE DATABASE otter", database=None)
        server.make_user()
        server.otter = FakeOtter(server, place)
        server.otter.do("create", "--pipelines", pipelines)
        return server

    yield start
    for server in made:
        server.stop()


# Settings that a server may give to each new session.
HOSTILE = {
    "autocommit": ["--init-connect=SET autocommit=0"],
    "autocommit of all": ["--autocommit=0"],
    "a transaction": ["--init-connect=START TRANSACTION WITH CONSISTENT SNAPSHOT"],
    "a chain of transactions": ["--init-connect=SET completion_type=CHAIN", "--autocommit=0"],
    "rows": ["--init-connect=SET sql_select_limit=1"],
    "joins": ["--init-connect=SET sql_big_selects=0, max_join_size=1"],
    "another database": ["--init-connect=USE mysql"],
}


@pytest.mark.parametrize("options", HOSTILE.values(), ids=HOSTILE)
def test_the_same_is_read(start_server, both, statsd, make_agent, options):
    server = start_server("db", *options)
    server.query("GRANT SELECT ON mysql.* TO otterbeat@'127.0.0.1'", database=None) # otherwise USE would end the session
    server.otter.do("sample")
    agent = make_agent(server, both).start()
    statsd.wait_for(server.otter.sums())
    for _ in range(3):
        server.query(LOG_ROW) # a session that kept its first snapshot would never see these rows
    statsd.wait_for({**server.otter.sums(), SERIES: 3})
    assert "event=poll_failed" not in agent.log(), agent.log()
    assert not server.query("SELECT * FROM information_schema.INNODB_TRX", database=None), "no transaction stays open"


@pytest.mark.parametrize("options", (["--init-connect=SET autocommit=0"], ["--autocommit=0"]), ids=("init_connect", "global"))
def test_no_alter_waits_for_us(start_server, both, statsd, make_agent, options):
    server = start_server("db", *options)
    agent = make_agent(server, both).start()
    server.query(LOG_ROW)
    statsd.wait_for({SERIES: 1})
    with server.connect("otter") as dba, dba.cursor() as cursor:
        cursor.execute("SET autocommit=1, lock_wait_timeout=3")
        for table in ("DELAY_STAT", "THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "TABLE_STAT", "LOG_RECORD", "PIPELINE"):
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN MORE INT")
    server.query(LOG_ROW)
    statsd.wait_for({SERIES: 2})
    agent.stop()


def test_rows_that_are_rolled_back_are_not_counted(start_server, both, statsd, make_agent):
    server = start_server("db", "--transaction-isolation=READ-UNCOMMITTED")
    agent = make_agent(server, both, sources={"log": {"settle": 0}}).start()
    with server.connect("otter") as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(LOG_ROW)
        server.query(LOG_ROW.replace("'x'", "'y'"))
        statsd.wait_for({SERIES: 1})
        cursor.execute("ROLLBACK")
    agent.stop()
    assert statsd.counters()[SERIES] == 1


def test_texts_are_as_they_are(start_server, both, statsd, make_agent):
    """PAD_CHAR_TO_FULL_LENGTH would pad the texts; ANSI_QUOTES and the other modes would change the SQL."""
    server = start_server("db", "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH")
    server.query("CREATE TABLE T (ID BIGINT PRIMARY KEY, K CHAR(5), N BIGINT)")
    server.query("INSERT INTO T VALUES (1, 'a', 7)")
    agent = make_agent(server, both, sources={"mine": {"table": "T", "every": 1, "start": "oldest", "columns": [
        ["cursor", "ID"], ["key", "K"], ["increment", "N"]]}})
    agent.once()
    statsd.wait_for({"otter.k.a.mine.n": 7})


def test_a_clock_that_was_stopped(start_server, both, make_agent):
    server = start_server("db", "--init-connect=SET timestamp=1000000000, time_zone='+08:00'")
    said = make_agent(server, both).run("--check").stdout
    assert re.search("^ok   clock otter: as the clock of this machine", said, re.M), said


def test_check_says_what_the_server_would_have_it(start_server, both, make_agent):
    server = start_server("db", "--autocommit=0", "--sql-mode=ANSI_QUOTES")
    said = make_agent(server, both).run("--check").stdout
    line = re.search(r"^ok   session .*", said, re.M)[0]
    assert 'autocommit = "ON" ("OFF")' in line and 'sql_mode = "" ("ANSI_QUOTES")' in line, line
    assert "sql_select_limit" not in line, "the server's own is the same"


def test_names_arrive_whole(start_server, statsd, make_agent):
    server = start_server("db", "--skip-character-set-client-handshake", "--character-set-server=latin1")
    with server.connect("otter") as connection, connection.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4")
        cursor.execute("ALTER TABLE PIPELINE MODIFY NAME VARCHAR(200) CHARACTER SET utf8mb4 NOT NULL")
        cursor.execute("UPDATE PIPELINE SET NAME = '订单同步🦦' WHERE ID = 1")
    server.otter.do("sample")
    done = make_agent(server, [{"type": "statsd", "port": statsd.port, "flavor": "dogstatsd"}]).run("--dry-run", "--once")
    assert "pipeline_name:订单同步🦦" in done.stdout, done.stdout[:2000]


def test_host_and_port_are_not_a_socket(start_server, statsd, both, make_agent, monkeypatch):
    """There are two servers, and the library's default socket belongs to the wrong server."""
    ours, other = start_server("ours"), start_server("other")
    ours.query(LOG_ROW)
    for _ in range(9):
        other.query(LOG_ROW)
    monkeypatch.setenv("MYSQL_UNIX_PORT", str(other.socket))
    agent = make_agent(ours, both, mysql={"host": "localhost", "connect_timeout": 10})
    said = agent.run("--check").stdout
    assert re.search(rf"^ok   login .* to server 10\.\S+ on \S+ at port {ours.port}, server_id 1$", said, re.M), said
    agent.once()
    statsd.wait_for({SERIES: 1})
    agent = make_agent(ours, both, name="by_socket", mysql={"host": "localhost", "socket": str(other.socket), "connect_timeout": 10})
    said = agent.run("--check").stdout
    assert re.search(rf"^ok   login .* at its socket {other.socket}, server_id 2$", said, re.M), said


def user_password(server, password):
    for host in ("127.0.0.1", "localhost"):
        server.query(f"ALTER USER {USER}@'{host}' IDENTIFIED BY '{password}'", database=None)
    for (ident,) in server.query(f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{USER}'", database=None):
        server.query(f"KILL CONNECTION {ident}", database=None)


def test_the_database_s_password_is_changed(own_mariadb, folder, statsd, both, make_agent):
    fake = FakeOtter(own_mariadb, folder)
    fake.do("create", "--pipelines", 2)
    secret = folder / "secret"
    secret.write_text(PASSWORD + "\n")
    agent = make_agent(own_mariadb, both, mysql={"password": "", "password_file": str(secret)}).start()
    own_mariadb.query(LOG_ROW)
    statsd.wait_for({SERIES: 1})
    secret.write_text("Another-Secret\n")
    user_password(own_mariadb, "Another-Secret")
    own_mariadb.query(LOG_ROW)
    statsd.wait_for({SERIES: 2})
    user_password(own_mariadb, "A-Third") # the password file changes later
    agent.wait_for_log("mysql 1045")
    secret.write_text("A-Third\n")
    own_mariadb.query(LOG_ROW)
    statsd.wait_for({SERIES: 3})
    agent.stop()
    assert "Secret" not in agent.log() and "Third" not in agent.log()


def test_the_pages_password_is_changed(page_agent, manager, sink, folder):
    secret = folder / "secret"
    secret.write_text("admin\n")
    manager.state("login required")
    agent = page_agent(user="admin", password_file=str(secret)).start()
    agent.wait_for_log("event=plan")
    manager.stop()
    manager.command[manager.command.index("--login-password=admin")] = "--login-password=changed"
    manager.start()
    manager.state("login required")
    wait_until(lambda: "method=POST uri=/login.htm status=200" in manager.process.log(), "the password is refused", 60)
    secret.write_text("changed\n")
    agent.wait_for_log("event=page_recovered", 60)


def test_the_status_page_s_password_is_changed(mariadb, folder, sink, make_agent):
    secret, status = folder / "secret", Status()
    secret.write_text("one")
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}],
                       status={"listen": status.listen, "user": "ops", "password_file": str(secret)}).start()

    def asked(password):
        return status.ask("/status.json", login=f"ops:{password}")[0]
    wait_until(status.answers, "it answers")
    assert (asked("one"), asked("two")) == (200, 401)
    secret.write_text("two")
    assert (asked("one"), asked("two")) == (401, 200)
    agent.stop()


def allow(server, n):
    for host in ("127.0.0.1", "localhost"):
        server.query(f"ALTER USER {USER}@'{host}' WITH MAX_USER_CONNECTIONS {n}", database=None)


@pytest.mark.parametrize("sessions", (1, 3))
def test_fewer_sessions_than_sources(own_mariadb, folder, statsd, sink, make_agent, sessions):
    """All tables, names and the time zone are read in turns, and without turns again when there are enough sessions."""
    fake = FakeOtter(own_mariadb, folder)
    fake.do("create", "--pipelines", 3, "--tables", 2)
    allow(own_mariadb, sessions)
    own_mariadb.query("UPDATE PIPELINE SET NAME = 'orders' WHERE ID = 1")
    place = folder / "manager"
    place.mkdir()
    manager = Manager(fake, place).start()
    try:
        status = Status()
        dog = {"type": "statsd", "name": "dog", "flavor": "dogstatsd", "port": sink.port}
        agent = make_agent(own_mariadb, [to_statsd(statsd), dog], status={"listen": status.listen},
                           managers=[{"mysql": {"port": own_mariadb.port, "user": USER, "password": PASSWORD},
                                      "page": {"url": manager.url}}],
                           sources={"page": {"enabled": True, "every": 1}})
        said = agent.run("--check")
        assert re.search(rf"^warn sessions otter: {sessions} at once, and a run needs 6: .*mysql 1226", said.stdout, re.M), said.stdout
        assert "BAD" not in said.stdout and said.returncode == 0, said.stdout
        fake.do("sample")
        agent.start()
        statsd.wait_for(fake.sums(), 60)
        wait_until(lambda: [line for line in sink.lines() if ".page.zone_skew_s:0|g" in line], "the zone", 30)
        assert [line for line in sink.lines() if "pipeline_name:orders" in line], "names"
        for n in range(1, 4):
            own_mariadb.query(LOG_ROW)
            statsd.wait_for({**fake.sums(), SERIES: n}, 30)
        wait_until(lambda: status.health()[0] == 200, "all are well", 30)
        assert agent.log().count("event=sessions_shared allowed=") == 1 and "event=poll_failed" not in agent.log(), agent.log()
        assert agent.stop() == 0
        done = agent.run("--dry-run", "--once")
        assert done.returncode == 0 and "poll_failed" not in done.stderr, done.stderr
    finally:
        manager.stop()
