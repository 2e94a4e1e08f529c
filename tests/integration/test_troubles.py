"""Each kind of trouble: what --check says before the agent starts, and what /healthz and the log say while the agent runs.
OB_TROUBLES=FILE writes a table of these texts."""
import fcntl
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
    """Servers and a config without any trouble, until a test changes something before the agent starts."""

    def __init__(self, mariadb, manager, carbon, statsd, folder):
        self.server, self.manager, self.carbon, self.statsd, self.folder = mariadb, manager, carbon, statsd, folder
        self.mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD, "connect_timeout": 1, "query_timeout": 2}
        self.page = {"url": manager.url, "timeout": 1, "budget": 2}
        self.graphite = {"type": "graphite", "port": carbon.port}
        self.to_statsd = {"type": "statsd", "port": statsd.port}
        self.sources = {"page": {"enabled": True, "every": 1}, "agent": {"every": 1}, "state": {"every": 1}}
        self.top, self.more, self.mode, self.undo = {"health": {"hold": 0}}, "", 0o600, []
        self.last = lambda agent: None  # what the trouble does to the agent's config after it was written
        self.status = Status()

    def query(self, *statements, database="otter"):
        for sql in statements:
            self.server.query(sql, database=database)

    def user(self, words):
        self.query(*(f"ALTER USER {USER}@'{host}' {words}" for host in ("127.0.0.1", "localhost")), database=None)

    def grant(self, words):
        self.query(*(f"{words} {USER}@'{host}'" for host in ("127.0.0.1", "localhost")), database=None)

    def stand_in(self, **options):
        """Returns a port at which a server accepts connections and sends nothing."""
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
    """Needs a database server of its own, because every session uses the clock of the server."""
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
    del w.mysql["password"]
    w.mysql["password_file"] = "password"


def empty_password(w):
    (w.folder / "agent").mkdir()
    (w.folder / "agent/password").write_text("")
    del w.mysql["password"]
    w.mysql["password_file"] = "password"


def more_files(name, text, mode=0o755):
    """Returns an `arrange` that adds a file to the folder conf.d, from which the config continues."""
    def arrange(w):
        more = w.folder / "agent/conf.d"
        more.mkdir(parents=True)
        more.chmod(mode)
        (more / name).write_text(text)
        w.top.update(include_dir="conf.d", drain=5)
    return arrange


def second_agent(w):
    (w.folder / "agent/state").mkdir(parents=True)
    lock = (w.folder / "agent/state/otterbeat.lock").open("w")
    lock.write("4711\n")
    lock.flush()
    fcntl.flock(lock, fcntl.LOCK_EX)
    w.undo.append(lock.close)


def linked_log(w):
    (w.folder / "agent").mkdir()
    (w.folder / "agent/link.log").symlink_to(w.folder / "elsewhere")
    w.top["log_file"] = "link.log"


def damaged_store(w):
    (w.folder / "agent/state").mkdir(parents=True)
    (w.folder / "agent/state/otterbeat.db").write_bytes(b"noise" * 10000)


def disk(kilobytes, left):
    """Returns an `arrange` that puts the state directory on a disk of that size, with `left` kilobytes of free room."""
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
    check: str        # pattern of a line of --check; with " -> …" also of the fix
    code: int = 69    # the exit code of --check
    health: str = ""  # pattern of a line of /healthz; "": /healthz stays ok
    log: str = ""     # pattern of a line of the log; "": the log has no line about the trouble
    exits: int = 0    # when the agent does not start: its exit code
    causes: int = 1   # the number of lines of --check that are BAD, when `code` is not 0


TROUBLES = [
    Trouble("a config that does not exist", lambda w: setattr(w, "last", lambda agent: agent.config.unlink()),
            r"BAD  config file: .*otterbeat.cfg: No such file or directory -> `otterbeat --init` writes a config", 78,
            log="No such file or directory; `otterbeat --init` writes a config", exits=78),
    Trouble("a config with a syntax error", lambda w: setattr(w, "more", "queue = { max_bytes = ; };\n"),
            r"BAD  config file: .*otterbeat.cfg:\d+: syntax error", 78, log="syntax error", exits=78),
    Trouble("a variable that is not set", lambda w: w.top.update(prefix="${OTTER_PREFIX}"),
            r"BAD  config file: .*OTTER_PREFIX}: this variable is not set; set the variable or give a default", 78,
            log="this variable is not set", exits=78),
    Trouble("a misspelt setting", lambda w: w.sources["page"].update(evry=5),
            r"BAD  config file: .*no such setting: 'evry'; did you mean 'every'\?", 78, log="did you mean 'every'", exits=78),
    Trouble("an unknown setting", lambda w: setattr(w, "more", "evry = 1;\n"),
            r"BAD  config file: .*otterbeat.cfg:\d+: no such setting: 'evry' -> `man otterbeat.cfg`", 78, log="no such setting: 'evry'", exits=78),
    Trouble("a value out of range", lambda w: w.top.update(drain=-1), r"BAD  config file: .*otterbeat.cfg:\d+: 'drain' must be from 0 to 60",
            78, log="'drain' must be", exits=78),
    Trouble("a setting that stands twice in a file", lambda w: setattr(w, "more", "log_level = \"info\";\nlog_level = \"warn\";\n"),
            r"BAD  config file: .*otterbeat.cfg:\d+: duplicate setting name: the setting of this line is already set in the same group", 78, log="duplicate setting name", exits=78),
    Trouble("an included file that does not exist", lambda w: setattr(w, "more", '@include "more.cfg"\n'),
            r"BAD  config file: .*otterbeat.cfg:\d+: cannot open include file: .* is relative to the working directory, not to this file", 78, log="cannot open include file", exits=78),
    Trouble("include_dir names a folder that does not exist", lambda w: w.top.update(include_dir="conf.d"),
            r"BAD  config file: .*otterbeat.cfg:\d+: .*/conf.d: No such file or directory", 78, log="/conf.d: No such file", exits=78),
    Trouble("a setting in two files of the config", more_files("10.cfg", "drain = 7;\n"),
            r"BAD  config file: .*/conf.d/10.cfg:1: 'drain' is set at .*/otterbeat.cfg:\d+, too", 78, log="'drain' is set at", exits=78),
    Trouble("a mistake in a file of include_dir", more_files("10.cfg", "\nlog_levle = 1;\n"),
            r"BAD  config file: .*/conf.d/10.cfg:2: no such setting: 'log_levle'; did you mean 'log_level'\?", 78,
            log="10.cfg:2: no such setting", exits=78),
    Trouble("every user can write to the folder include_dir", more_files("10.cfg", "log_level = \"info\";\n", 0o777),
            r"warn config .*/conf.d: everybody on this machine can replace the files in it -> chmod o-w", 0, log="event=exposed"),
    Trouble("a config that every user can read", lambda w: setattr(w, "mode", 0o644),
            r"warn config .*otterbeat.cfg: everybody on this machine can read it.* -> chmod o-r", 0, log="event=exposed"),
    Trouble("a state directory that every user can write to", open_state,
            r"warn config .*/state: everybody on this machine can replace the files in it -> chmod o-w", 0, log="event=exposed"),
    Trouble("a pipe in place of a password file", piped_password,
            r"BAD  config file: .*otterbeat.cfg:\d+: .*password: it is a pipe, not a regular file", 78, log="it is a pipe", exits=78),
    Trouble("an empty password file", empty_password, r"BAD  config file: .*password: the file is empty", 78,
            log="the file is empty", exits=78),
    Trouble("a second agent with the same state directory", second_agent, r"ok   state .*can be written", 0,
            log="event=start_failed .*is used by another otterbeat, process 4711", exits=69),
    Trouble("a log file that is a symbolic link", linked_log, r"BAD  log .*link.log: it is a symbolic link, which is not followed",
            log="event=start_failed", exits=69),
    Trouble("a state directory that is a file", state_is_a_file, r"BAD  state .*/state: Not a directory -> which user runs the agent",
            log="event=start_failed", exits=69),
    Trouble("a damaged store", damaged_store, r"warn store .*otterbeat.db: .* -> nothing to do: the next start sets this store aside", 0,
            log="event=set_aside"),
    Trouble("a full disk", disk(512, 0), r"BAD  disk .*: 0 MB free.* -> make room", 69, log="event=start_failed", exits=69),
    Trouble("a disk with little room left", disk(16384, 8192), r"BAD  disk .*: [78] MB free.* -> make room", 69,
            health="is ill: not wholly read .*, since there is no room: .* the disk is full", log="event=disk_low"),
    Trouble("a back-log that is larger than the queue", larger_than_the_queue, r"ok   source delay:", 0,
            health="source delay is ill: not wholly read .*, since there is no room: the queue",
            log="sink=graphite event=queue_full"),
    Trouble("a log file in a missing folder", lambda w: w.top.update(log_file="none/otterbeat.log"),
            r"BAD  log .*none/otterbeat.log: No such file or directory -> create the folder", log="event=start_failed", exits=69),
    Trouble("a port of the status page that is in use", taken_port,
            r"warn status 127.0.0.1:\d+: Address already in use -> this is fine when an agent runs", 0, log="event=start_failed",
            exits=69),

    Trouble("a database host with an unknown name", lambda w: w.mysql.update(host=NOWHERE),
            rf"BAD  dns otter: {NOWHERE}: .* -> is the name right\?", health="source delay is ill: .*mysql 2005",
            log="source=delay event=poll_failed"),
    Trouble("a database that is down", lambda w: w.mysql.update(port=free_port()),
            r"BAD  tcp otter: 127.0.0.1 port \d+: Connection refused -> no server listens there",
            health="source delay is ill: .*mysql 2002", log="source=delay event=poll_failed"),
    Trouble("another program at the database's port", lambda w: w.mysql.update(port=w.stand_in(reads=True)),
            r"BAD  login otter: mysql 20(12|13): .* -> the server accepts connections, but does not speak", health="source delay is ill",
            log="source=delay event=poll_failed"),
    Trouble("a wrong password", lambda w: w.mysql.update(password="guessed"),
            r"BAD  login otter: mysql 1045: Access denied .* -> check the user, the password, and the host",
            health="source delay is ill: .*mysql 1045", log="mysql 1045"),
    Trouble("no password", lambda w: w.mysql.update(password=""),
            r"BAD  login otter: mysql 1045: .*using password: NO.* -> otterbeat has no password: set the variable OTTERBEAT_PASSWORD",
            health="source delay is ill: .*mysql 1045", log="mysql 1045"),
    Trouble("a user without rights on the database", lambda w: w.mysql.update(database="other"),
            r"BAD  login other: mysql 104[49]: .* -> deploy/grants.sql", health="source delay is ill: .*mysql 104[49]", log="mysql 104[49]"),
    Trouble("a locked account", lambda w: w.user("ACCOUNT LOCK"),
            r"BAD  login otter: mysql 4151: .* -> the account is locked: ALTER USER … ACCOUNT UNLOCK",
            health="source delay is ill: .*mysql 4151", log="mysql 4151"),
    Trouble("a user that has reached a limit", lambda w: w.user("WITH MAX_QUERIES_PER_HOUR 1"),
            r"BAD  login otter: mysql 1226: .* -> the user has reached a limit", health="source delay is ill: .*mysql 1226",
            log="mysql 1226"),
    Trouble("fewer sessions than there are sources", lambda w: w.user("WITH MAX_USER_CONNECTIONS 3"),
            r"warn sessions otter: 3 at once, and a run needs 6: .*mysql 1226.* -> raise the user's MAX_USER_CONNECTIONS", 0,
            log="event=sessions_shared"),
    Trouble("a user that can log in only through the unix socket", lambda w: w.user("IDENTIFIED VIA unix_socket"),
            r"BAD  login otter: mysql 1698: .* -> the user can log in only through the unix socket",
            health="source delay is ill: .*mysql 1698", log="mysql 1698"),
    Trouble("a server without TLS", lambda w: w.mysql.update(tls="required"),
            r"BAD  login otter: mysql 2026: .* -> mysql.tls, ca, cert", health="source delay is ill: .*mysql 2026",
            log="mysql 2026"),
    Trouble("a user that can write", lambda w: w.grant("GRANT ALL ON otter.* TO"),
            r"warn grants otter: user otterbeat can do more than read; .* -> deploy/grants.sql", 0),
    Trouble("a user that can read passwords", lambda w: w.server.make_user("SELECT ON otter.*"),
            r"warn secrets otter: user otterbeat can read passwords .* -> deploy/grants.sql", 0),
    Trouble("a clock that is an hour behind", other_clock, r"warn clock otter: the server's clock is 3\d\d\d s behind the clock of this machine -> let both", 0),

    Trouble("a missing table", lambda w: w.query("DROP TABLE LOG_RECORD"),
            r"BAD  source log: there is no table LOG_RECORD .* -> deploy/grants.sql", health="source log is ill: .*no table",
            log="source=log event=poll_failed"),
    Trouble("a table that the user may not read", granted_but_one,
            r"BAD  source log: .*user otterbeat may not read it -> deploy/grants.sql", health="source log is ill: .*may not read",
            log="source=log event=poll_failed"),
    Trouble("a missing column of a key",
            lambda w: w.query("ALTER TABLE DELAY_STAT CHANGE PIPELINE_ID PIPELINE BIGINT NOT NULL"),
            r"BAD  source delay: table DELAY_STAT has no column PIPELINE_ID", health="source delay is ill: .*PIPELINE_ID",
            log="source=delay event=poll_failed", causes=2),  # the manager reads this column, too, and one of its pages fails
    Trouble("a missing column of a number", lambda w: w.query("ALTER TABLE TABLE_STAT DROP FILE_SIZE"),
            r"BAD  source table: table TABLE_STAT has none of these columns: FILE_SIZE -> the table has another version", 69,
            log="source=table event=columns_missing"),
    Trouble("a schema from before 2018", lambda w: w.query("ALTER TABLE DELAY_STAT MODIFY DELAY_TIME INT(21)"),
            r"warn schema otter: 5 of Otter's 5 tables.*DELAY_TIME can't hold.* -> .*ALTER TABLE DELAY_STAT", 0),
    Trouble("a large table without an index", without_index,
            r"BAD  source mine: table T: no index leads with ID, .*ALTER TABLE `T` ADD INDEX \(`ID`\)",
            health="source mine is ill: .*no index leads", log="source=mine event=poll_failed"),

    Trouble("a manager that is down", lambda w: w.page.update(url=f"http://127.0.0.1:{free_port()}"),
            r"BAD  manager otter: .* -> is the manager running, at page.url\?", health="source page is ill",
            log="source=page event=.*onnect"),
    Trouble("a manager that does not answer", silent_pages, r"BAD  manager otter: .*imed out.* -> has the manager lost",
            health="source page is ill: .*imed out", log="source=page event=.*imed out"),
    Trouble("a manager's host with an unknown name", lambda w: w.page.update(url=f"http://{NOWHERE}:8080"),
            rf"BAD  manager otter: .*ould not resolve host: {NOWHERE}.* -> is the host in page.url right\?",
            health="source page is ill: .*resolve host", log="source=page event=.*resolve host"),
    Trouble("an address of the manager that is wrong", lambda w: w.page.update(url=w.manager.url + "/channelList.htm"),
            r"BAD  manager otter: .*HTTP 404.* -> set page.url to the address of the manager, without the name of a page",
            health="source page is ill: .*HTTP 404", log="source=page event=.*HTTP 404"),
    Trouble("pages that need a log-in", lambda w: w.manager.state("login required"),
            r"BAD  manager otter: .*HTTP 302.* -> set page.user and its password", health="source page is ill: .*HTTP 302",
            log="source=page event=.*HTTP 302"),
    Trouble("a wrong password for the pages", lambda w: w.page.update(user="admin", password="guessed"),
            r"BAD  manager otter: .*does not accept page.user.* -> set page.user and its password to those",
            health="source page is ill: .*does not accept", log="source=page event=.*does not accept"),
    Trouble("pages with other words", lambda w: w.manager.state("drift channelList 运行状态 状态"),
            r"BAD  page channels: the layout has changed: the page has no column '运行状态' -> set page.words",
            health="source page is ill: .*not all pages", log="event=layout_drift page=channels"),

    Trouble("a Graphite that is down", lambda w: w.graphite.update(port=free_port()),
            r"BAD  sink graphite: .*refused -> is carbon running", health="sink graphite is ill: .*refused",
            log="sink=graphite event=sink_failed"),
    Trouble("a Graphite host with an unknown name", lambda w: w.graphite.update(host=NOWHERE),
            rf"BAD  sink graphite: {NOWHERE}.* -> is carbon running", health=f"sink graphite is ill: .*{NOWHERE}",
            log="sink=graphite event=sink_failed"),
    Trouble("a StatsD host with an unknown name", lambda w: w.to_statsd.update(host=NOWHERE),
            rf"BAD  sink statsd: {NOWHERE}.* -> is the statsd", health=f"sink statsd is ill: .*{NOWHERE}",
            log="sink=statsd event=sink_failed"),
    Trouble("a statsd that is down", lambda w: w.to_statsd.update(port=free_port()),
            r"BAD  sink statsd: nobody listens on 127.0.0.1:\d+ -> is the statsd", health="sink statsd is ill: .*nobody listens",
            log="sink=statsd event=sink_failed"),
    Trouble("a missing unix socket of statsd", lambda w: w.to_statsd.update(socket="/nowhere/s.sock"),
            r"BAD  sink statsd: socket /nowhere/s.sock: No such file", health="sink statsd is ill: .*No such file",
            log="sink=statsd event=sink_failed"),
]
seen = []


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
    world.last(agent)
    return agent


def first(pattern, text, folder):
    """Returns the first line with the pattern, without the parts that differ from run to run."""
    found = re.search(f".*(?:{pattern}).*", text)
    assert found, f"no line has {pattern}:\n{text}"
    line = re.sub(r"^\S+Z ", "", found[0]).replace(str(folder), "/etc/otterbeat").replace("/agent/", "/")
    return re.sub(r"(127\.0\.0\.1(?::| port ))\d+", r"\1N", line)


def see(agent, world, trouble):
    """Returns the line of /healthz and the line of the log."""
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
    check = first(trouble.check, done.stdout, world.folder)
    lines = done.stdout.splitlines()
    assert not done.stderr, "the findings say all; nothing is logged"
    assert sum(line.startswith("BAD ") for line in lines) == (trouble.causes if trouble.code else 0), f"a cause has one line: {done.stdout}"
    assert lines[-1].startswith(f"{trouble.causes} problem" if trouble.code else "no problem found"), lines[-1]
    assert trouble.code == 0 or " -> " not in check or f"first fix: {check.split()[1]} " in lines[-1], lines[-1]
    health, log = see(agent, world, trouble)
    assert PASSWORD not in done.stdout + done.stderr + agent.log() and "guessed" not in done.stdout + agent.log()
    seen.append((trouble.name, check, trouble.code, health, log))


def test_all_is_well(world, make_agent):
    """As text and as JSON: both have the same findings, and every finding is ok."""
    world.server.grant_as_we_say()
    agent = make(world, make_agent)
    done = agent.run("--check")
    assert done.returncode == 0
    *lines, last = done.stdout.splitlines()
    assert last == "no problem found" and lines and all(line.startswith("ok   ") for line in lines), done.stdout
    for what in ("config", "state", "disk", "tcp", "login", "tls", "session", "sessions", "grants", "secrets", "clock", "schema",
                 "names", "mtu"):
        assert re.search(rf"^ok   {what} ", done.stdout, re.M), what
    assert "mysql_native_password" in done.stdout and "every transaction is read only" in done.stdout
    found = json.loads(agent.run("--check", "--json").stdout)
    assert found["worst"] == "ok" and len(found["findings"]) == len(lines)
    assert {tuple(sorted(one)) for one in found["findings"]} == {("fix", "grade", "name", "said", "what")}


def test_all_queries_fail_for_one_cause(world, make_agent):
    """The limit of the user is reached while the tables are checked."""
    world.user("WITH MAX_QUERIES_PER_HOUR 45")
    done = make(world, make_agent).run("--check")
    bad = [line for line in done.stdout.splitlines() if line.startswith("BAD ")]
    assert done.returncode == 69 and len(bad) == 1 and re.match("BAD  source .* mysql 1226: ", bad[0]), done.stdout


def test_pages_that_fail_for_several_causes(world, make_agent):
    """--check has one line for each missing column, not one for each page without the column."""
    world.manager.state("drift channelList 运行状态 状态", "drift pipelineList 延迟时间 延迟")
    done = make(world, make_agent).run("--check")
    bad = [line.split(" -> ")[0] for line in done.stdout.splitlines() if line.startswith("BAD ")]
    assert bad == [f"BAD  page {page}: the layout has changed: the page has no column '{column}'"
                   for page, column in (("channels", "运行状态"), ("pipelines", "延迟时间"))], done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 problems, first fix: page channels: set page.words"), done.stdout


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
    """The server's log of the running agent has only SELECT, SET and SHOW, after the session was set to READ ONLY. Before that
    there are only the statements that choose the database and end an open transaction."""
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
    """In a network namespace whose only interface has a small MTU."""
    off = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log", "page")}
    agent = make_agent(mariadb, [{"type": "statsd", "port": 8125}], sources=off)
    command = f"ip link set lo up mtu 1280 && exec {PROGRAM} -c {agent.config} --check"
    done = subprocess.run(["unshare", "-n", "sh", "-c", command], capture_output=True, text=True, cwd=folder,
                          env={**os.environ, **ENVIRONMENT})
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network of our own here")
    assert "warn mtu statsd: datagrams of 1432 bytes do not fit into an MTU of 1280, which takes 1252 -> make payload" in done.stdout


def test_the_table_is_written():
    """The last test: writes the collected texts for operators."""
    if "OB_TROUBLES" not in os.environ:
        return
    rows = [f"| {name} | `` {check} `` ({code}) | {health if health in ('200', 'does not start') else f'`` {health} ``'} | "
            + (f"`` {log} `` |" if log else "|") for name, check, code, health, log in seen]
    (ROOT / os.environ["OB_TROUBLES"]).write_text(
        "# What can go wrong, and what you see then\n\nThe test `tests/integration/test_troubles.py` caused each trouble, and wrote "
        "down the line of `otterbeat --check` with\nits exit code, the line of `/healthz`, and the line of the log. In a line of "
        "`--check` the text behind the arrow says what\nhelps. `status.patience` was 1 second; an empty cell means that no line is "
        "written.\n\n"
        "| trouble | `--check` | `/healthz` | log |\n|---|---|---|---|\n"
        + "\n".join(row.replace("\\|", "|") for row in rows) + "\n", "utf-8")
