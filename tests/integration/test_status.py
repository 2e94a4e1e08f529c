"""The status page: its statements are true in every format; who may ask, and what a client cannot do."""
import http.client
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

from servers.agent import SLACK
from servers.fake_otter import ROOT
from servers.mariadb import PASSWORD
from servers.process import free_port, wait_until
from servers.prometheus import promtool
from servers.status import Status
from servers.wiring import to_graphite, to_statsd

QUICK = {"patience": 1}


@pytest.fixture
def status():
    return Status()


def begin(make_agent, server, sinks, status, laid=None, **settings):
    agent = make_agent(server, sinks, status={"listen": status.listen, **QUICK, **(laid or {})}, **settings).start()
    wait_until(status.answers, "the status page answers")
    return agent


def test_off_unless_wanted(mariadb, otter, both, make_agent):
    agent = make_agent(mariadb, both).start()
    agent.wait_for_log("source=delay event=plan")
    threads = [task.joinpath("comm").read_text() for task in
               pathlib.Path(f"/proc/{agent.process.child.pid}/task").iterdir()]
    assert threads and not [name for name in threads if name.startswith(("MHD", "status"))]


def test_all_is_well_and_the_numbers_are_those_of_the_account(mariadb, otter, statsd, both, make_agent, status):
    otter.do("sample")
    agent = begin(make_agent, mariadb, both, status)
    statsd.wait_for(otter.sums())
    assert status.health() == (200, "ok\n")
    wait_until(lambda: status.one("sinks", "statsd")["behind"] == 0, "all is out")
    before = status.json()
    assert before["health"] == "ok" and not [s for s in before["sources"] + before["sinks"] if s["health"] != "well"]
    assert agent.stop() == 0
    for sink in before["sinks"]:
        told = re.search(rf"sink={sink['name']} event=account points=(\d+)", agent.log())
        assert 0 < sink["sent"] + sink["folded"] + sink["late"] + sink["lost"] <= int(told[1]), sink
        assert sum(sink["done_by_minute"]) == sink["sent"]
    rows = {source["name"]: source["rows"] for source in before["sources"]}
    tables = {"delay": "DELAY_STAT", "throughput": "THROUGHPUT_STAT", "history": "TABLE_HISTORY_STAT", "log": "LOG_RECORD"}
    for name, table in tables.items():
        assert rows[name] == mariadb.query(f"SELECT COUNT(*) FROM {table}")[0][0], name


def test_a_container_can_ask(mariadb, otter, carbon, make_agent, status):
    """deploy/probe, which the image and the manifest run."""
    def probe(page):
        done = subprocess.run([ROOT / "deploy/probe", page, str(status.port)], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    agent = begin(make_agent, mariadb, [to_graphite(carbon)], status)
    wait_until(lambda: probe("/healthz") == (0, "ok\n"), "it is well")
    carbon.kill9()
    wait_until(lambda: probe("/healthz")[0] == 1 and "sink graphite" in probe("/healthz")[1], "it is ill")
    assert probe("/livez")[0] == 0, "a restart would not help"
    agent.kill9()
    assert probe("/livez")[0] != 0


def test_metrics_are_as_prometheus_wants_them(mariadb, otter, both, make_agent, status):
    otter.do("sample")
    begin(make_agent, mariadb, both, status)
    wait_until(lambda: status.one("sources", "delay")["rows"], "rows")
    code, headers, text = status.ask("/metrics")
    assert code == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert promtool("check", "metrics", input=text) == (0, "")
    rows = status.one("sources", "delay")["rows"]
    assert f'otterbeat_source_rows_total{{source="delay"}} {rows}\n' in text
    assert "otterbeat_healthy 1\n" in text


def test_a_database_that_dies_and_comes_back(own_mariadb, make_agent, statsd, status):
    own_mariadb.query("CREATE TABLE T (ID BIGINT PRIMARY KEY, N BIGINT)")
    mine = {name: {"enabled": False} for name in ("delay", "throughput", "history", "table", "log")}
    mine["mine"] = {"table": "T", "every": 1, "columns": [["cursor", "ID"], ["increment", "N"]]}
    begin(make_agent, own_mariadb, [to_statsd(statsd)], status, sources=mine)
    wait_until(lambda: status.one("sources", "mine")["poll_ms"] >= 0 and status.health()[0] == 200, "well")
    own_mariadb.kill9()
    wait_until(lambda: status.one("sources", "mine")["health"] == "troubled", "not late yet")
    wait_until(lambda: status.health()[0] == 503, "past its deadline")
    said = status.health()[1]
    assert said.startswith("ill\nsource mine is ill: not wholly read for ") and "mysql 2002" in said
    assert "sink" not in said, "what is well is not named"
    assert 'otterbeat_source_healthy{source="mine"} 0\n' in status.ask("/metrics")[2]
    assert status.ask("/livez")[0] == 200, "a restart would not help"
    own_mariadb.start()
    wait_until(lambda: status.health() == (200, "ok\n"), "it is back", 90)
    assert "mysql 2002" in status.one("sources", "mine")["last_error"], "the last error stays to be read"
    assert sum(status.one("sources", "mine")["failures_by_minute"]) > 0


def test_a_graphite_that_dies_and_comes_back(mariadb, otter, carbon, statsd, both, make_agent, status):
    begin(make_agent, mariadb, both, status, sources={"agent": {"every": 1}})
    wait_until(lambda: status.one("sinks", "graphite")["sent"], "it delivers")
    carbon.kill9()
    wait_until(lambda: status.one("sinks", "graphite")["health"] != "well", "not well")
    wait_until(lambda: status.health()[0] == 503, "past its deadline")
    wait_until(lambda: re.search(r"^sink graphite is ill: has not delivered for \d+ s: .*refused", status.health()[1],
                                 re.M), "what went wrong last")
    assert status.one("sinks", "statsd")["health"] == "well"
    assert status.one("sinks", "graphite")["behind"] > 0
    carbon.start()
    wait_until(lambda: status.health() == (200, "ok\n"), "it is back", 90)


def test_a_page_that_can_not_be_read(manager, mariadb, page_agent, make_agent, statsd, status):
    agent = page_agent()
    agent.write(status={"listen": status.listen, **QUICK})
    agent.start()
    wait_until(lambda: status.answers() and status.one("sources", "page")["rows"], "it is read")
    manager.state("login required")
    wait_until(lambda: status.health()[0] == 503, "past its deadline")
    assert "source page is ill" in status.health()[1]


def test_a_full_queue_is_no_fault_of_the_source(mariadb, otter, make_agent, status):
    otter.do("history", "--rows", 5000, "--hours", 24)
    begin(make_agent, mariadb, [{"type": "statsd", "port": free_port()}], status, queue={"max_bytes": 65536})
    wait_until(lambda: "since there is no room: the queue" in status.health()[1], "it waits")
    assert status.ask("/livez")[0] == 200


def test_pipelines_and_their_states(manager, otter, mariadb, make_agent, statsd, status):
    health = {"hold": 0}
    managers = [{"mysql": {"port": mariadb.port, "user": "otterbeat", "password": PASSWORD},
                 "page": {"url": manager.url}}]
    begin(make_agent, mariadb, [to_statsd(statsd)], status, managers=managers, health=health,
          sources={"page": {"enabled": True, "every": 1}, "state": {"every": 1}})
    wait_until(lambda: len(status.json()["pipelines"]) == 3, "all are known")
    pipelines = status.json()["pipelines"]
    assert {one["pipeline"] for one in pipelines} == {"1", "2", "3"} and all(one["why"] for one in pipelines)
    state = pipelines[0]["state"]
    same = sum(one["state"] == state for one in pipelines)
    assert f'otterbeat_pipelines{{manager="",state="{state}"}} {same}\n' in status.ask("/metrics")[2]
    assert f">{same} {state}<" in status.ask()[2]
    bad = {word: sum(one["state"] == word for one in pipelines)
           for word in ("hung", "stalled", "skewed", "lagging", "locating")}
    said = ", ".join(f"{n} {word}" for word, n in bad.items() if n)
    said = f"Otter needs a look: {said} of 3 pipelines" if said else "Otter is well: 3 pipelines"
    lines = status.json()["headlines"]
    assert {line["of"]: line["text"].split(":")[0] for line in lines}["otterbeat"] == "otterbeat is well"
    assert {line["of"]: line["text"] for line in lines}["otter"] == said
    assert f"<p>{said}</p>" in status.ask()[2]
    assert status.health()[0] == 200, "… which is Otter's trouble, not ours"


def test_who_may_ask(mariadb, otter, both, make_agent, status):
    secret = "hush: HUSH"
    agent = begin(make_agent, mariadb, both, status, {"user": "ops", "password": secret})
    for page in ("/", "/metrics", "/healthz", "/livez", "/status.json", "/status.css", "/none"):
        code, headers, text = status.ask(page)
        assert code == 401 and headers["WWW-Authenticate"].startswith("Basic") and "otterbeat_" not in text, page
    for login in ("ops:", "ops:hush", "ops:hush: HUSHH", "ops:hush: HUSh", "op:hush: HUSH", ":", "opss:hush: HUSH"):
        assert status.ask("/healthz", login=login)[0] == 401, login
    told = ""
    for page in ("/", "/metrics", "/healthz", "/status.json"):
        code, _, text = status.ask(page, login=f"ops:{secret}")
        assert code == 200, page
        told += text
    for scheme in ("basic", "BASIC"):
        assert status.ask("/healthz", login=f"ops:{secret}", scheme=scheme)[0] == 200, scheme
    assert status.ask("/healthz", login=f"ops:{secret}", scheme="Bearer")[0] == 401
    assert "HUSH" not in told + agent.log() and PASSWORD not in told + agent.log()


def test_only_reading(mariadb, otter, both, make_agent, status):
    begin(make_agent, mariadb, both, status)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        code, headers, _ = status.ask("/", method, body="x" * 100000)
        assert (code, headers["Allow"]) == (405, "GET, HEAD"), method
    assert status.ask("/", "HEAD")[0::2] == (200, "")
    for page in ("//", "/metrics/", "/../etc/passwd", "/status.html", "/%2e%2e/", "/healthz%20"):
        assert status.ask(page)[0] == 404, page
    headers = status.ask()[1]
    assert headers["Content-Security-Policy"].startswith("default-src 'none';") and headers["Cache-Control"] == "no-store"


class Slow:
    """Keeps many connections that send a byte from time to time, and replaces each closed connection."""

    def __init__(self, port, head, n=40, peer="127.0.0.1"):
        self.port, self.head, self.peer, self.lives, self.over = port, head, peer, [], threading.Event()
        self.threads = [threading.Thread(target=self._hold) for _ in range(n)]
        for thread in self.threads:
            thread.start()

    def _hold(self):
        while not self.over.wait(0.5):
            began = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5, (self.peer, 0)) as held:
                    held.sendall(self.head)
                    while not self.over.wait(0.5):
                        held.sendall(b"a")
            except OSError:
                self.lives.append(time.monotonic() - began)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
SLOW_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize("head", (SLOW_HEAD, SLOW_BODY), ids=("head", "body"))
def test_slow_senders_hold_up_nobody(mariadb, otter, statsd, both, make_agent, status, head):
    """Slow senders delay no other client, not even one with the same address."""
    begin(make_agent, mariadb, both, status)
    slow = Slow(status.port, head)
    try:
        for _ in range(20):
            time.sleep(0.2)
            began = time.monotonic()
            assert status.ask("/livez")[0] == 200
            assert status.health()[0] == 200
            assert time.monotonic() - began < 2 + SLACK
        otter.do("sample")
        statsd.wait_for(otter.sums())
    finally:
        slow.stop()
    assert status.ask("/livez")[0] == 200


@pytest.mark.parametrize("head", (b"", SLOW_HEAD, SLOW_BODY), ids=("nothing", "head", "body"))
def test_a_request_has_an_end(mariadb, otter, both, make_agent, status, head):
    """The limit is ten seconds for the whole request, not for each byte."""
    begin(make_agent, mariadb, both, status)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", status.port)) as slow:
        slow.sendall(head)
        slow.settimeout(0.5)
        while time.monotonic() < began + 20:
            try:
                if head:
                    slow.sendall(b"a")
                if not slow.recv(1000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 8 < time.monotonic() - began < 14 + SLACK


def test_a_connection_that_is_kept_has_its_time_for_each_request(mariadb, otter, both, make_agent, status):
    begin(make_agent, mariadb, both, status)
    connection = http.client.HTTPConnection(status.listen, timeout=10)
    began = time.monotonic()
    while time.monotonic() < began + 14:
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        kept = connection.sock
        time.sleep(3)
    assert connection.sock is kept, "one and the same"
    connection.close()


def test_each_peer_has_a_share(mariadb, otter, both, make_agent, status):
    """A client that opens more connections loses its own connections, and other clients keep theirs."""
    begin(make_agent, mariadb, both, status)
    with socket.create_connection(("127.0.0.1", status.port)) as mine:
        mine.sendall(SLOW_HEAD)
        others = [socket.create_connection(("127.0.0.1", status.port), 5, ("127.0.0.2", 0)) for _ in range(60)]
        time.sleep(1)
        mine.sendall(b"\r\n\r\n")
        assert mine.recv(100).startswith(b"HTTP/1.1 200")
        alive = 0
        for other in others:
            other.setblocking(False)
            try:
                other.recv(1)
            except BlockingIOError:
                alive += 1
            except OSError:
                pass
            other.close()
        assert alive == 16


def guess(status, n, seconds, peer):
    """Tries wrong passwords on many connections, and returns the number of answers."""
    answers, until = [], time.monotonic() + seconds

    def run():
        while time.monotonic() < until:
            connection = http.client.HTTPConnection(status.listen, timeout=20, source_address=(peer, 0))
            try:
                connection.request("GET", "/livez", headers={"Authorization": "Basic b3BzOmd1ZXNz"})
                answers.append(connection.getresponse().status)
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_passwords_can_not_be_guessed_in_haste(mariadb, otter, both, make_agent, status):
    agent = begin(make_agent, mariadb, both, status, {"user": "ops", "password": "hush: HUSH"})
    guessing = threading.Thread(target=lambda: told.extend(guess(status, 20, 3, "127.0.0.3")))
    told = []
    guessing.start()
    for _ in range(10):
        began = time.monotonic()
        assert status.ask("/livez", login="ops:hush: HUSH")[0] == 200
        assert status.ask("/livez")[0] == 401, "the browser's first question"
        assert time.monotonic() - began < SLACK, "others do not wait"
        time.sleep(0.1)
    guessing.join()
    assert set(told) == {401} and 8 <= len(told) <= 60, len(told)
    lines = [line for line in agent.log().splitlines() if "event=login_refused" in line]
    counts = [int(re.search(r"peer=127\.0\.0\.3 wrong=(\d+) ", line)[1]) for line in lines]
    assert counts == [1, 10] and "guess" not in agent.log()
    assert agent.stop() == 0


def test_it_stops_while_a_wrong_password_waits(mariadb, otter, both, make_agent, status):
    agent = begin(make_agent, mariadb, both, status, {"user": "ops", "password": "hush"})
    with socket.create_connection(("127.0.0.1", status.port)) as waits:
        waits.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic b3BzOmd1ZXNz\r\n\r\n")
        agent.wait_for_log("event=login_refused peer=127.0.0.1 wrong=1 ")
        assert agent.stop() == 0


HOSTS = {  # {Host header: whether the request is answered}
    "localhost": True, "LocalHost:8126": True, "127.0.0.1": True, "127.0.0.1:1": True, "[::1]": True, "[::1]:8126": True,
    "127.0.0.9": True, "127.0.0.9:80": True,
    "evil.example": False, "evil.example:8126": False, "localhost.evil.example": False, "127.0.0.1.evil.example": False,
    "localhost.": False, "127.0.0.2": False, "[::2]": False, "[::1": False, "[::1]x": False, "": False, ":8126": False,
    "localhost@evil.example": False, "xlocalhost": False, "[": False, "127.0.0.": False,
}


def test_only_names_of_ours_are_answered_on_loopback(mariadb, otter, both, make_agent, status):
    """Otherwise a foreign web page, whose name leads to 127.0.0.1, could read the status page."""
    make_agent(mariadb, both, status={"listen": f"127.0.0.9:{status.port}", **QUICK}).start()

    def ask(*hosts, version="1.1", more=""):
        with socket.create_connection(("127.0.0.9", status.port)) as asking:
            said = "".join(f"Host: {host}\r\n" for host in hosts)
            asking.sendall(f"GET /livez HTTP/{version}\r\n{said}{more}Connection: close\r\n\r\n".encode())
            return int(asking.makefile("rb").readline().split()[1])

    def listens():
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.9", status.port)) == 0

    wait_until(listens, "the status page is there")
    got = {host: ask(host) for host in HOSTS}
    assert got == {host: 200 if is_ours else 421 for host, is_ours in HOSTS.items()}
    assert ask("evil.example", more="X-Forwarded-Host: localhost\r\n") == 421
    assert ask(version="1.0") == 200, "who says none is no browser"


def test_any_name_is_answered_where_it_takes_a_password_or_a_file(mariadb, otter, both, make_agent, folder):
    status = Status(folder / "s.sock")
    begin(make_agent, mariadb, both, status)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(status.path))
        asking.sendall(b"GET /livez HTTP/1.1\r\nHost: proxy.example\r\nConnection: close\r\n\r\n")
        assert asking.recv(100).startswith(b"HTTP/1.1 200")


def test_it_sleeps_until_somebody_asks(mariadb, otter, both, make_agent, status):
    agent = begin(make_agent, mariadb, both, status)

    def switches():
        for task in pathlib.Path(f"/proc/{agent.process.child.pid}/task").iterdir():
            if task.joinpath("comm").read_text() == "status\n":
                return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", task.joinpath("status").read_text(), re.M)[1])
        return None

    time.sleep(1)  # the earlier requests have ended
    before = switches()
    time.sleep(5)
    assert before is not None and switches() == before


def test_a_unix_socket(mariadb, otter, both, make_agent, folder):
    status = Status(folder / "s.sock")
    agent = begin(make_agent, mariadb, both, status)
    assert status.health()[0] == 200
    second = make_agent(mariadb, both, name="second", status={"listen": status.listen})
    assert second.process.start().wait() == 69 and "s.sock: Address already in use" in second.log()
    agent.kill9()
    assert status.path.exists(), "a kill leaves it behind"
    agent.start()
    wait_until(status.answers, "it is taken over")
    assert agent.stop() == 0 and not status.path.exists()


NO_SOCKETS = {
    "a regular file": lambda path: path.write_text("precious"),
    "a folder": lambda path: path.mkdir(),
    "a symbolic link": lambda path: path.symlink_to(path.with_name("precious")),
    "a fifo": os.mkfifo,
}


@pytest.mark.parametrize("what", NO_SOCKETS)
def test_what_is_no_socket_is_left_where_it_is(mariadb, otter, both, make_agent, folder, what):
    path = folder / "s"
    path.with_name("precious").write_text("precious")
    NO_SOCKETS[what](path)
    before = path.lstat()
    agent = make_agent(mariadb, both, status={"listen": f"unix:{path}"})
    checked = agent.run("--check")
    assert checked.returncode == 69
    assert f"BAD  status unix:{path}: there is {what}, not a socket" in checked.stdout, checked.stdout
    assert agent.process.start().wait() == 69
    assert f"there is {what}, not a socket, and it was left as it is" in agent.log()
    after = path.lstat()
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    assert path.with_name("precious").read_text() == "precious"


def test_the_config_itself_is_no_place_for_a_socket(mariadb, otter, both, make_agent):
    agent = make_agent(mariadb, both)
    agent.write(status={"listen": f"unix:{agent.config}"})
    before = agent.config.read_bytes()
    assert agent.process.start().wait() == 69
    assert agent.config.read_bytes() == before


def test_only_our_own_socket_is_removed_at_the_stop(mariadb, otter, both, make_agent, folder):
    """A file or a foreign socket that appeared there meanwhile is not removed."""
    status = Status(folder / "s.sock")
    agent = begin(make_agent, mariadb, both, status)
    status.path.unlink()
    status.path.write_text("precious")
    assert agent.stop() == 0 and status.path.read_text() == "precious"
    status.path.unlink()
    agent.start()
    wait_until(status.answers, "the status page answers")
    status.path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(status.path))
        other.listen()
        assert agent.stop() == 0 and status.path.is_socket()


@pytest.mark.parametrize("kind", (socket.SOCK_STREAM, socket.SOCK_DGRAM))
def test_a_socket_that_somebody_has_stays(mariadb, otter, both, make_agent, folder, kind):
    """A foreign socket stays: a datagram socket of statsd, and also a socket whose owner does not answer because its queue is full."""
    path, waiting = folder / "s.sock", []
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(str(path))
        if kind == socket.SOCK_STREAM:
            other.listen(0)
            waiting = [socket.socket(socket.AF_UNIX) for _ in range(8)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(str(path))
        before = path.lstat().st_ino
        agent = make_agent(mariadb, both, status={"listen": f"unix:{path}"})
        checked = agent.run("--check")
        assert f"warn status unix:{path}: another program answers there" in checked.stdout, checked.stdout
        assert agent.process.start().wait(20) == 69 and "Address already in use" in agent.log()
        assert path.lstat().st_ino == before
    for one in waiting:
        one.close()
    checked = agent.run("--check")
    assert f"ok   status unix:{path}: a dead socket is there, which is replaced" in checked.stdout, checked.stdout
    path.unlink()
    assert f"ok   status unix:{path}: is free" in agent.run("--check").stdout


@pytest.mark.parametrize("umask", (0o000, 0o077))
def test_the_mode_of_the_socket_does_not_hang_on_the_umask(mariadb, otter, both, make_agent, folder, umask):
    status = Status(folder / "s.sock")
    before = os.umask(umask)
    try:
        begin(make_agent, mariadb, both, status)
    finally:
        os.umask(before)
    assert oct(status.path.stat().st_mode & 0o7777) == "0o660"


def test_a_port_that_is_taken(mariadb, otter, both, make_agent):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        agent = make_agent(mariadb, both, status={"listen": f"127.0.0.1:{port}"})
        assert agent.process.start().wait() == 69
        assert f"status: can't listen at 127.0.0.1:{port}: Address already in use" in agent.log()


def test_a_reload_moves_it(mariadb, otter, both, make_agent, status):
    agent = begin(make_agent, mariadb, both, status)
    other = Status()
    agent.write(status={"listen": other.listen})
    agent.reload()
    wait_until(other.answers, "it moved")
    assert status.answers() is None
    agent.reload()
    agent.wait_for_log("event=reloaded", times=2)
    assert other.health()[0] == 200, "the same address is free again at once"
