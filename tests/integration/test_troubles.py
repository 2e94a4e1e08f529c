"""What goes wrong, kind by kind: what --check says before it does, what /healthz says then, and what the log says.
OB_TROUBLES=FILE writes it down as a table."""
import json
import os
import pathlib
import re
import socket
import subprocess
from typing import Callable, NamedTuple

import pytest

from servers.agent import ENVIRONMENT, PROGRAM
from servers.fake_otter import FakeOtter
from servers.mariadb import PASSWORD, USER, MariaDB
from servers.process import free_port, wait_until
from servers.sinks import Stream
from servers.status import Status

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOWHERE = "no-such-host.invalid"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class World:
    """All is well in it, until a trouble changes something before the agent starts."""

    def __init__(self, mariadb, manager, carbon, statsd, folder):
        self.server, self.manager, self.carbon, self.statsd, self.folder = mariadb, manager, carbon, statsd, folder
        self.mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD, "connect_timeout": 1, "query_timeout": 2}
        self.page = {"url": manager.url, "timeout": 1, "budget": 2}
        self.graphite = {"type": "graphite", "port": carbon.port}
        self.to_statsd = {"type": "statsd", "port": statsd.port}
        self.sources = {"page": {"enabled": True, "every": 1}, "agent": {"every": 1}, "state": {"every": 1}}
        self.top, self.more, self.mode, self.undo = {"health": {"hold": 0}}, "", 0o600, []
        self.status = Status()

    def query(self, *statements, database="otter"):
        for sql in statements:
            self.server.query(sql, database=database)

    def user(self, words):
        self.query(*(f"ALTER USER {USER}@'{host}' {words}" for host in ("127.0.0.1", "localhost")), database=None)

    def grant(self, words):
        self.query(*(f"{words} {USER}@'{host}'" for host in ("127.0.0.1", "localhost")), database=None)

    def stand_in(self, **options):
        """A port at which somebody accepts, and says nothing."""
        stream = Stream(**options)
        self.undo.append(stream.stop)
        return stream.port


def silent_pages(w):
    w.page["url"] = f"http://127.0.0.1:{w.stand_in(reads=True)}"


def granted_but_one(w):
    w.grant("REVOKE ALL, GRANT OPTION FROM")
    for table in ("DELAY_STAT", "THROUGHPUT_STAT", "TABLE_HISTORY_STAT", "TABLE_STAT"):
        w.grant(f"GRANT SELECT ON otter.{table} TO")


def without_index(w):
    w.query("CREATE TABLE T (ID BIGINT, N BIGINT)", "INSERT INTO T SELECT seq, 1 FROM seq_1_to_120000",
            "ANALYZE TABLE T")
    w.sources["mine"] = {"table": "T", "every": 1, "columns": [["cursor", "ID"], ["increment", "N"]]}


def other_clock(w):
    """A server of its own: a session's clock is always the server's."""
    place = w.folder / "behind"
    place.mkdir()
    server = MariaDB(place, w.template)
    server.process.env.update({"LD_PRELOAD": FAKETIME, "FAKETIME": "-3600", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    w.undo.append(server.stop)
    server.start()
    server.query("CREATE DATABASE otter", database=None)
    server.make_user()
    FakeOtter(server, place).do("create", "--pipelines", 3, "--tables", 2)
    w.mysql["port"] = server.port


def state_is_a_file(w):
    (w.folder / "agent").mkdir()
    (w.folder / "agent/state").write_text("")


def open_state(w):
    (w.folder / "agent/state").mkdir(parents=True)
    (w.folder / "agent/state").chmod(0o777)


def piped_password(w):
    (w.folder / "agent").mkdir()
    os.mkfifo(w.folder / "agent/password")
    w.mysql.update(password_file="password", password="")


def linked_log(w):
    (w.folder / "agent").mkdir()
    (w.folder / "agent/link.log").symlink_to(w.folder / "elsewhere")
    w.top["log_file"] = "link.log"


def spoilt_store(w):
    (w.folder / "agent/state").mkdir(parents=True)
    (w.folder / "agent/state/otterbeat.db").write_bytes(b"noise" * 10000)


def disk(kilobytes, left):
    """An `arrange` that puts the state on a disk of that size, of which so many kilobytes are left."""
    def arrange(w):
        state = w.folder / "agent/state"
        state.mkdir(parents=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", state],
                          capture_output=True).returncode:
            pytest.skip("no mount here")
        w.undo.append(lambda: subprocess.run(["umount", "-l", state], check=True))
        (state / "others").write_bytes(bytes((kilobytes - left) << 10))
    return arrange


def larger_than_the_queue(w):
    w.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
            "SELECT seq, 0, 1, now() - INTERVAL seq SECOND, now() FROM seq_1_to_40000")
    w.top["queue"] = {"max_bytes": 65536}


def taken_port(w):
    taken = socket.create_server(("127.0.0.1", w.status.port))
    w.undo.append(taken.close)


class Trouble(NamedTuple):
    name: str
    arrange: Callable
    check: str        # of a line; with " -> …" the fix, too
    code: int = 69    # of --check
    health: str = ""  # of a line of /healthz; "": it stays ok
    log: str = ""     # …; "": nothing besides
    exits: int = 0    # the agent does not start: with this code


TROUBLES = [
    Trouble("a setting that there is not", lambda w: setattr(w, "more", "evry = 1;\n"),
            r"otterbeat.cfg:\d+: no such setting: 'evry'", 78, log="no such setting: 'evry'", exits=78),
    Trouble("a value out of range", lambda w: w.top.update(drain=-1), r"otterbeat.cfg:\d+: 'drain' must be from 0 to 60",
            78, log="'drain' must be", exits=78),
    Trouble("a config that everybody can read", lambda w: setattr(w, "mode", 0o644),
            r"warn config .*otterbeat.cfg: everybody on this machine can read it.* -> chmod o-r", 0, log="event=exposed"),
    Trouble("a state folder that everybody can write to", open_state,
            r"warn config .*/state: everybody on this machine can replace the files in it -> chmod o-w", 0, log="event=exposed"),
    Trouble("a pipe in the place of a password file", piped_password,
            r"otterbeat.cfg:\d+: .*password: it is a pipe, not a regular file", 78, log="it is a pipe", exits=78),
    Trouble("a log file that is a symbolic link", linked_log, r"BAD  log .*link.log: it is a symbolic link, which is not followed",
            log="event=start_failed", exits=69),
    Trouble("a state folder that is none", state_is_a_file, r"BAD  state .*/state: Not a directory -> who does the agent run as",
            log="event=start_failed", exits=69),
    Trouble("a damaged store", spoilt_store, r"warn store .*otterbeat.db: .* -> nothing to do: it is set aside", 0,
            log="event=set_aside"),
    Trouble("a full disk", disk(512, 0), r"BAD  disk .*: 0 MB free.* -> make room", 69, log="event=start_failed", exits=69),
    Trouble("a disk that has little room left", disk(16384, 8192), r"BAD  disk .*: [78] MB free.* -> make room", 69,
            health="is ill: not wholly read .*, since there is no room: .* the disk is full", log="event=disk_low"),
    Trouble("a back-log that is larger than the queue", larger_than_the_queue, r"ok   source delay:", 0,
            health="source delay is ill: not wholly read .*, since there is no room: the queue",
            log="sink=graphite event=queue_full"),
    Trouble("a log file in a folder that is not there", lambda w: w.top.update(log_file="none/otterbeat.log"),
            r"BAD  log .*none/otterbeat.log: No such file or directory -> make its folder", log="event=start_failed", exits=69),
    Trouble("a port of the status page that is taken", taken_port,
            r"warn status 127.0.0.1:\d+: Address already in use -> well, if an agent runs", 0, log="event=start_failed",
            exits=69),

    Trouble("a database whose name is not known", lambda w: w.mysql.update(host=NOWHERE),
            rf"BAD  dns otter: {NOWHERE}: .* -> is the name right\?", health="source delay is ill: .*mysql 2005",
            log="source=delay event=poll_failed"),
    Trouble("a database that is down", lambda w: w.mysql.update(port=free_port()),
            r"BAD  tcp otter: 127.0.0.1 port \d+: Connection refused -> nobody listens there",
            health="source delay is ill: .*mysql 2002", log="source=delay event=poll_failed"),
    Trouble("something else at the database's port", lambda w: w.mysql.update(port=w.stand_in(reads=True)),
            r"BAD  login otter: mysql 20(12|13): .* -> it accepts connections, but does not speak", health="source delay is ill",
            log="source=delay event=poll_failed"),
    Trouble("a wrong password", lambda w: w.mysql.update(password="guessed"),
            r"BAD  login otter: mysql 1045: Access denied .* -> user, password, or the host",
            health="source delay is ill: .*mysql 1045", log="mysql 1045"),
    Trouble("a user that may not have the database", lambda w: w.mysql.update(database="other"),
            r"BAD  login other: mysql 104[49]: .* -> deploy/grants.sql", health="source delay is ill: .*mysql 104[49]", log="mysql 104[49]"),
    Trouble("a locked account", lambda w: w.user("ACCOUNT LOCK"),
            r"BAD  login otter: mysql 4151: .* -> the account is locked: ALTER USER … ACCOUNT UNLOCK",
            health="source delay is ill: .*mysql 4151", log="mysql 4151"),
    Trouble("a user that has used up what it may", lambda w: w.user("WITH MAX_QUERIES_PER_HOUR 1"),
            r"BAD  login otter: mysql 1226: .* -> the user has used up", health="source delay is ill: .*mysql 1226",
            log="mysql 1226"),
    Trouble("fewer sessions than there are sources", lambda w: w.user("WITH MAX_USER_CONNECTIONS 3"),
            r"warn sessions otter: 3 at once, and a run needs 7: .*mysql 1226.* -> raise the user's MAX_USER_CONNECTIONS", 0,
            log="event=sessions_shared"),
    Trouble("a plugin that logs in by the unix socket alone", lambda w: w.user("IDENTIFIED VIA unix_socket"),
            r"BAD  login otter: mysql 1698: .* -> the user logs in by the unix socket alone",
            health="source delay is ill: .*mysql 1698", log="mysql 1698"),
    Trouble("a server without TLS", lambda w: w.mysql.update(tls="required"),
            r"BAD  login otter: mysql 2026: .* -> mysql.tls, ca, cert", health="source delay is ill: .*mysql 2026",
            log="mysql 2026"),
    Trouble("a user that may write", lambda w: w.grant("GRANT ALL ON otter.* TO"),
            r"warn grants otter: otterbeat may do more than read; .* -> deploy/grants.sql", 0),
    Trouble("a user that may read passwords", lambda w: w.server.make_user("SELECT ON otter.*"),
            r"warn secrets otter: otterbeat can read passwords .* -> deploy/grants.sql", 0),
    Trouble("a clock that is an hour behind", other_clock, r"warn clock otter: the server is 3\d\d\d s behind us -> let both", 0),

    Trouble("a table that is not there", lambda w: w.query("DROP TABLE LOG_RECORD"),
            r"BAD  source log: there is no table LOG_RECORD .* -> deploy/grants.sql", health="source log is ill: .*no table",
            log="source=log event=poll_failed"),
    Trouble("a table that the user may not read", granted_but_one,
            r"BAD  source log: .*user otterbeat may not read it -> deploy/grants.sql", health="source log is ill: .*may not read",
            log="source=log event=poll_failed"),
    Trouble("a key that is missing",
            lambda w: w.query("ALTER TABLE DELAY_STAT CHANGE PIPELINE_ID PIPELINE BIGINT NOT NULL"),
            r"BAD  source delay: table DELAY_STAT has no column PIPELINE_ID", health="source delay is ill: .*PIPELINE_ID",
            log="source=delay event=poll_failed"),
    Trouble("a number that is missing", lambda w: w.query("ALTER TABLE TABLE_STAT DROP FILE_SIZE"),
            r"BAD  source table: table TABLE_STAT has none of these columns: FILE_SIZE -> another version", 69,
            log="source=table event=columns_missing"),
    Trouble("a schema of before 2018", lambda w: w.query("ALTER TABLE DELAY_STAT MODIFY DELAY_TIME INT(21)"),
            r"warn schema otter: 5 of Otter's 5 tables.*DELAY_TIME can't hold.* -> .*ALTER TABLE DELAY_STAT", 0),
    Trouble("a large table without an index", without_index,
            r"BAD  source mine: table T: no index leads with ID, .*ALTER TABLE `T` ADD INDEX \(`ID`\)",
            health="source mine is ill: .*no index leads", log="source=mine event=poll_failed"),

    Trouble("a manager that is down", lambda w: w.page.update(url=f"http://127.0.0.1:{free_port()}"),
            r"BAD  source page_channels: .* -> is the manager running, at page.url\?", health="source page is ill",
            log="source=page event=.*onnect"),
    Trouble("a manager that keeps silent", silent_pages, r"BAD  source page_channels: .*imed out.* -> a manager that has lost",
            health="source page is ill: .*imed out", log="source=page event=.*imed out"),
    Trouble("pages that want a login", lambda w: w.manager.state("login required"),
            r"BAD  source page_channels: .*HTTP 302.* -> page.user and its password", health="source page is ill: .*HTTP 302",
            log="source=page event=.*HTTP 302"),
    Trouble("a wrong password for the pages", lambda w: w.page.update(user="admin", password="guessed"),
            r"BAD  source page_channels: .*does not accept page.user.* -> page.user and its password are those",
            health="source page is ill: .*does not accept", log="source=page event=.*does not accept"),
    Trouble("pages that say it in other words", lambda w: w.manager.state("drift channelList 运行状态 状态"),
            r"BAD  source page_channels: not all pages could be read.* -> the lines before say why",
            health="source page is ill: .*not all pages", log="event=layout_drift page=channels"),

    Trouble("a Graphite that is down", lambda w: w.graphite.update(port=free_port()),
            r"BAD  sink graphite: .*refused -> is carbon running", health="sink graphite is ill: .*refused",
            log="sink=graphite event=sink_failed"),
    Trouble("a Graphite whose name is not known", lambda w: w.graphite.update(host=NOWHERE),
            rf"BAD  sink graphite: {NOWHERE}.* -> is carbon running", health=f"sink graphite is ill: .*{NOWHERE}",
            log="sink=graphite event=sink_failed"),
    Trouble("a statsd that is down", lambda w: w.to_statsd.update(port=free_port()),
            r"BAD  sink statsd: nobody listens on 127.0.0.1:\d+ -> is the statsd", health="sink statsd is ill: .*nobody listens",
            log="sink=statsd event=sink_failed"),
    Trouble("a statsd's socket that is not there", lambda w: w.to_statsd.update(socket="/nowhere/s.sock"),
            r"BAD  sink statsd: socket /nowhere/s.sock: No such file", health="sink statsd is ill: .*No such file",
            log="sink=statsd event=sink_failed"),
]
told = []


@pytest.fixture
def world(mariadb, manager, carbon, statsd, folder, template):
    made = World(mariadb, manager, carbon, statsd, folder)
    made.template = template
    yield made
    for undo in made.undo:
        undo()


def make(world, make_agent):
    agent = make_agent(world.server, [world.to_statsd, world.graphite], sources=world.sources,
                       managers=[{"mysql": world.mysql, "page": world.page}],
                       status={"listen": world.status.listen, "patience": 1}, **world.top)
    with agent.config.open("a") as config:
        config.write(world.more)
    agent.config.chmod(world.mode)
    return agent


def first(pattern, text, folder):
    """The line that it is found in, without what differs from run to run."""
    found = re.search(f".*(?:{pattern}).*", text)
    assert found, f"no line has {pattern}:\n{text}"
    line = re.sub(r"^\S+Z ", "", found[0]).replace(str(folder), "/etc/otterbeat").replace("/agent/", "/")
    return re.sub(r"(127\.0\.0\.1(?::| port ))\d+", r"\1N", line)


def see(agent, world, trouble):
    """What /healthz says, and the log."""
    if trouble.exits:
        assert agent.process.start().wait() == trouble.exits, agent.log()
        return "does not start", first(trouble.log, agent.log(), world.folder)
    agent.start()
    wait_until(world.status.answers, "the status page answers")
    if trouble.health:
        wait_until(lambda: re.search(trouble.health, world.status.health()[1]) and world.status.health()[0] == 503,
                   f"/healthz says {trouble.health}", 40)
        health = "503: " + first(trouble.health, world.status.health()[1], world.folder)
    else:
        wait_until(lambda: all(one["poll_ms"] or one["rows"] for one in world.status.json()["sources"]
                               if one["name"] in ("delay", "page")), "all was read", 20)
        assert world.status.health()[0] == 200, world.status.health()
        health = "200"
    if not trouble.log:
        return health, ""
    wait_until(lambda: re.search(trouble.log, agent.log()), f"log says {trouble.log}")
    return health, first(trouble.log, agent.log(), world.folder)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.name)
def test_trouble(world, make_agent, trouble):
    trouble.arrange(world)
    agent = make(world, make_agent)
    done = agent.run("--check")
    assert done.returncode == trouble.code, done.stdout + done.stderr
    check = first(trouble.check, done.stdout + done.stderr, world.folder)
    assert trouble.code != 0 or "BAD " not in done.stdout
    health, log = see(agent, world, trouble)
    assert PASSWORD not in done.stdout + done.stderr + agent.log() and "guessed" not in done.stdout + agent.log()
    told.append((trouble.name, check, trouble.code, health, log))


def test_all_is_well(world, make_agent):
    """As text and as JSON: the same, and nothing but ok."""
    world.server.grant_as_we_say()
    agent = make(world, make_agent)
    done = agent.run("--check")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines and all(line.startswith("ok   ") for line in lines), done.stdout
    for what in ("config", "state", "disk", "tcp", "login", "tls", "session", "sessions", "grants", "secrets", "clock", "schema",
                 "names", "mtu"):
        assert re.search(rf"^ok   {what} ", done.stdout, re.M), what
    assert "mysql_native_password" in done.stdout and "every transaction is read only" in done.stdout
    found = json.loads(agent.run("--check", "--json").stdout)
    assert found["worst"] == "ok" and len(found["findings"]) == len(lines)
    assert {tuple(sorted(one)) for one in found["findings"]} == {("fix", "grade", "name", "said", "what")}


def test_json_says_what_is_bad_and_what_helps(world, make_agent):
    world.mysql["password"] = "guessed"
    agent = make(world, make_agent)
    done = agent.run("--check", "--json")
    bad = [one for one in json.loads(done.stdout)["findings"] if one["grade"] == "bad"]
    assert done.returncode == 69 and bad[0]["what"] == "login" and bad[0]["fix"], bad
    agent.config.write_text("evry = 1;\n")
    done = agent.run("--check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 78 and found["worst"] == "bad" and "no such setting" in found["findings"][0]["said"]


def test_json_is_of_check_alone(folder):
    for words in (["--json"], ["--once", "--json"], ["--json", "--init"], ["--json", "cursor"]):
        assert subprocess.run([str(PROGRAM), *words], cwd=folder, capture_output=True).returncode == 64, words


def test_every_session_is_read_only(mariadb, otter, make_agent, statsd, folder):
    """Of the running agent, as the server tells: no statement but SELECT, SET and SHOW, after READ ONLY was asked for, and what makes sure that it is the
    right database, and that nothing was begun."""
    log = folder / "general.log"
    mariadb.query(f"SET GLOBAL general_log_file = '{log}'", database=None)
    mariadb.query("SET GLOBAL general_log = 1", database=None)
    try:
        otter.do("sample")
        agent = make_agent(mariadb, [{"type": "statsd", "port": statsd.port}])
        agent.start()
        statsd.wait_for(otter.sums())
        agent.stop()
    finally:
        mariadb.query("SET GLOBAL general_log = 0", database=None)
    said = {}
    for line in log.read_text("utf-8", "replace").splitlines():
        found = re.match(r"(?:\d{6}\s+[\d:]+)?\s+(\d+) (Connect|Query)\s+(.*)", line)
        if found:
            said.setdefault(found[1], []).append((found[2], found[3]))
    ours = [lines for lines in said.values() if lines[0][0] == "Connect" and lines[0][1].startswith(f"{USER}@")]
    assert len(ours) >= 5, "a session each worker"
    for lines in ours:
        queries = [text for what, text in lines if what == "Query"]
        assert queries[0] == "ROLLBACK AND NO CHAIN NO RELEASE" and queries[2] == "USE `otter`", queries
        assert [text for text in queries if text.startswith("SET SESSION") and "tx_read_only = 'ON'" in text], queries
        rest = [queries[1], *queries[3:]]
        assert not [text for text in rest if not text.upper().startswith(("SELECT", "SET", "SHOW"))], queries


def test_datagrams_that_do_not_fit_the_way(mariadb, otter, make_agent, folder):
    """In a network of its own, whose only way is narrow."""
    off = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log", "page")}
    agent = make_agent(mariadb, [{"type": "statsd", "port": 8125}], sources=off)
    command = f"ip link set lo up mtu 1280 && exec {PROGRAM} -c {agent.config} --check"
    done = subprocess.run(["unshare", "-n", "sh", "-c", command], capture_output=True, text=True, cwd=folder,
                          env={**os.environ, **ENVIRONMENT})
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network of our own here")
    assert "warn mtu statsd: datagrams of 1432 bytes do not fit into an MTU of 1280, which takes 1252 -> make payload" in done.stdout


def test_the_table_is_told():
    """Last: what was seen, for those who read."""
    if "OB_TROUBLES" not in os.environ:
        return
    rows = [f"| {name} | `` {check} `` ({code}) | {health if health in ('200', 'does not start') else f'`` {health} ``'} | "
            + (f"`` {log} `` |" if log else "|") for name, check, code, health, log in told]
    (ROOT / os.environ["OB_TROUBLES"]).write_text(
        "# What can go wrong, and what you'll see\n\nEach was made to happen, and seen: `tests/integration/test_troubles.py`. "
        "`patience` was 1 second. Behind a line of\n`--check` is its exit code; behind its arrow stands what helps.\n\n"
        "| trouble | `--check` | `/healthz` | log |\n|---|---|---|---|\n"
        + "\n".join(row.replace("\\|", "|") for row in rows) + "\n", "utf-8")
