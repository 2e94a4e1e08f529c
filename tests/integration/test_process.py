"""The process and its machine: pipes without a reader, signals at any moment, limits, files that are not regular files."""
import fcntl
import os
import re
import resource
import select
import signal
import subprocess
import time

import pytest

from servers.agent import ENVIRONMENT, IS_SANITIZED, PROGRAM
from servers.process import Process, free_port, wait_until
from servers.sinks import Stream
from servers.wiring import to_graphite

F_SETPIPE_SZ = 1031
NOWHERE = {"type": "statsd", "port": 9}


class FullPipe:
    """A full pipe of 4 KB, which the test reads when it wants."""

    def __init__(self):
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writing, False)
        try:
            while True:
                os.write(self.writing, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(self.writing, True)

    def read(self, until, seconds=20):
        text, deadline = "", time.monotonic() + seconds
        while not re.search(until, text):
            assert time.monotonic() < deadline, f"{until} is not in {text[-2000:]}"
            if select.select([self.reading], [], [], 0.2)[0]:
                text += os.read(self.reading, 65536).decode("utf-8", "replace").lstrip("x")
        return text

    def close(self):
        os.close(self.reading)
        os.close(self.writing)


@pytest.fixture
def pipe():
    made = FullPipe()
    yield made
    made.close()


@pytest.fixture
def spawn(folder):
    """spawn(agent, *options, …): returns the agent's process, which stops with the test."""
    made = []

    def start(agent, *options, before=None, **more):
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        made.append(subprocess.Popen([str(PROGRAM), "-c", str(agent.config), *options], cwd=folder, preexec_fn=before,
                                     env={**os.environ, **ENVIRONMENT}, **settings))
        return made[-1]

    yield start
    for one in made:
        if one.poll() is None:
            one.kill()
        one.wait()


@pytest.fixture
def lonely(make_agent, mariadb):
    """An agent that reads an empty database and has no server for its sink."""
    def make(**settings):
        agent = make_agent(mariadb, [NOWHERE], **settings)
        agent.config.chmod(0o600)
        return agent
    return make


# Files that the agent reads and writes


def test_nobody_reads_standard_error(lonely, pipe, spawn):
    """Log lines without room are dropped and counted; no thread waits, and the descriptor that other processes share is not changed."""
    agent = spawn(lonely(), stderr=pipe.writing)
    assert os.get_blocking(pipe.writing)
    time.sleep(2)
    for _ in range(3):
        agent.send_signal(signal.SIGHUP)
        time.sleep(0.5)
    assert os.get_blocking(pipe.writing), "the flag is of an open file of its own"
    os.read(pipe.reading, 4096)
    agent.send_signal(signal.SIGHUP)
    text = pipe.read(r"event=log_lines_dropped.*\n")
    assert re.search(r"Z warn event=log_lines_dropped n=[1-9]\d* why=", text.splitlines()[0]), text
    agent.terminate()
    assert agent.wait(20) == 0


def test_nobody_reads_a_dry_run(otter, carbon, make_agent, mariadb, pipe, spawn):
    otter.do("history", "--rows", 300)
    agent = make_agent(mariadb, [to_graphite(carbon)], drain=1)
    for options in (["--dry-run"], ["--dry-run", "--once"]):
        process = spawn(agent, *options, stdout=pipe.writing, stderr=subprocess.PIPE)
        assert b"event=started" in process.stderr.readline()
        time.sleep(2)
        process.terminate()
        assert process.wait(15) == (69 if "--once" in options else 0)


def test_a_dry_run_waits_for_its_reader(otter, carbon, make_agent, mariadb, pipe, spawn):
    otter.do("history", "--rows", 300)
    agent = make_agent(mariadb, [to_graphite(carbon)])
    process = spawn(agent, "--dry-run", "--once", stdout=pipe.writing)
    time.sleep(2)
    text = ""
    while process.poll() is None:
        if select.select([pipe.reading], [], [], 0.2)[0]:
            text += os.read(pipe.reading, 65536).decode().lstrip("x")
    assert process.returncode == 0
    wanted = agent.run("--dry-run", "--once").stdout
    assert len([line for line in text.splitlines() if ".pipeline." in line]) == wanted.count(".pipeline.") > 100


NO_FILES = {
    "config": lambda agent, fifo: agent.config.unlink() or fifo.rename(agent.config),
    "include": lambda agent, fifo: agent.config.write_text(f'@include "{fifo}"\n' + agent.config.read_text()),
    "log_file": lambda agent, fifo: agent.write(log_file=str(fifo)),
    "password_file": lambda agent, fifo: agent.write(managers=[{"mysql": {"password_file": str(fifo)}}]),
    "ca": lambda agent, fifo: agent.write(managers=[{"mysql": {"tls": "verify", "ca": str(fifo)}}]),
    "page.key": lambda agent, fifo: agent.write(managers=[{"page": {"url": "https://x", "cert": "c", "key": str(fifo)}}]),
    "lock": lambda agent, fifo: (agent.folder / "state").mkdir() or fifo.rename(agent.folder / "state/otterbeat.lock"),
    "store": lambda agent, fifo: (agent.folder / "state").mkdir() or fifo.rename(agent.folder / "state/otterbeat.db"),
}


@pytest.mark.parametrize("what", NO_FILES)
def test_a_pipe_in_the_place_of_a_file(lonely, spawn, folder, what):
    """otterbeat refuses the pipe at once, names it, and does not wait for the other end of the pipe."""
    agent = lonely()
    os.mkfifo(folder / "fifo")
    NO_FILES[what](agent, folder / "fifo")
    for options in ([], ["--check"], ["--dry-run", "--once"]):
        process = spawn(agent, *options, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        out, err = process.communicate(timeout=20)
        if options and what == "lock":
            continue  # these commands do not read that file
        assert process.returncode in (69, 78) and b"it is a pipe, not a regular file" in out + err, (options, out, err)


def test_a_log_that_is_a_link_is_not_followed(lonely, folder):
    theirs = folder / "theirs"
    theirs.write_text("theirs")
    agent = lonely(log_file="link.log")
    (agent.folder / "link.log").symlink_to(theirs)
    assert agent.process.start().wait() == 69
    agent.wait_for_log("symbolic link, which is not followed")
    assert theirs.read_text() == "theirs"
    assert "BAD  log" in agent.run("--check").stdout


def test_what_others_may_do_is_logged(lonely):
    agent = lonely()
    state = agent.folder / "state"
    state.mkdir()
    for path, mode, says in ((state, 0o777, "can replace the files in it"), (agent.config, 0o602, "can write to it"),
                             (agent.config, 0o604, "can read it, and it holds a password")):
        state.chmod(0o700)
        agent.config.chmod(0o600)
        assert "everybody" not in agent.run("--check").stdout
        path.chmod(mode)
        assert re.search(rf"warn config {path}: everybody on this machine {says} -> ", agent.run("--check").stdout), says
        assert f"event=exposed file={path} why=\"everybody on this machine {says}: " in agent.run("--once").stderr


def test_output_that_is_lost_is_no_success(lonely, spawn):
    for words in (["--version"], ["--help"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([str(PROGRAM), *words], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 69 and b"No space left on device" in done.stderr


# Limits


def test_a_file_that_may_not_grow(otter, carbon, make_agent, mariadb, spawn, folder):
    """Like a full disk: no signal ends the agent, committed points stay, and a start without the limit sends everything."""
    otter.do("sample")
    otter.do("history", "--rows", 2000, "--hours", 1)
    agent = make_agent(mariadb, [to_graphite(carbon)], log_file="otterbeat.log", drain=1)
    log = agent.folder / "otterbeat.log"
    limit = 200000

    def forbid():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = spawn(agent, before=forbid)
    wait_until(lambda: log.exists() and "File too large" in log.read_text(), "it says what the matter is")
    with log.open("a", encoding="ascii") as more:
        more.write("x" * limit + "\n")
    time.sleep(2)
    assert process.poll() is None
    process.terminate()
    assert process.wait(20) == 0
    agent.write(log_file="")
    assert agent.once()
    carbon.wait_for(otter.sums())


def test_descriptors(make_agent, mariadb, spawn):
    """The agent raises the soft limit. When the hard limit is too low, the log says so and says what helps."""
    managers = [{"name": f"m{i}", "mysql": {"port": free_port(), "password": "x"}, "page": {"url": "http://127.0.0.1:9"}}
                for i in range(20)]
    agent = make_agent(mariadb, [NOWHERE], managers=managers, sources={"page": {"enabled": True, "every": 1}})

    def limited(soft, hard):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    process = spawn(agent, before=limited(128, 4096), stderr=subprocess.PIPE)
    assert b"event=started" in process.stderr.readline()
    wait_until(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) > 200, "it has more than the soft limit")
    process.terminate()
    assert process.wait(30) == 0
    process = spawn(agent, before=limited(128, 128), stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 69
    assert b"event=few_descriptors limit=128 wanted=" in err
    assert re.search(rb"start_failed err=.*Too many open files; raise the limit of open files \(ulimit -n, LimitNOFILE\)", err)
    checked = spawn(agent, "--check", before=limited(128, 128), stdout=subprocess.PIPE)
    out, _ = checked.communicate(timeout=120)
    assert b"warn limits open files: 128 are allowed, and 20 managers" in out


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer needs all addresses")
def test_no_room_for_a_thread(lonely, spawn):
    """pthread_create returns its error and does not set errno."""
    def limit():
        resource.setrlimit(resource.RLIMIT_STACK, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    process = spawn(lonely(), before=limit, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 69
    assert re.search(rb"event=start_failed err=.no thread for \S+: (Resource temporarily unavailable|Cannot allocate memory); ", err)


# Signals


def reads(process, path):
    """Whether the process has the file open."""
    folder = f"/proc/{process.pid}/fd"
    try:
        return any(os.path.realpath(f"{folder}/{fd}") == str(path) for fd in os.listdir(folder))
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM])
def test_a_signal_while_the_config_is_read(lonely, spawn, number):
    agent = lonely()
    with agent.config.open("a") as config:
        config.write("# a long comment\n" * 3000000)
    process = spawn(agent, stderr=subprocess.PIPE)
    wait_until(lambda: reads(process, agent.config), "it reads the config", every=0.0001)
    process.send_signal(number)
    if number != signal.SIGTERM:
        wanted = b"event=reloaded" if number == signal.SIGHUP else b"event=started"
        while wanted not in process.stderr.readline():
            assert process.poll() is None
        process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert b"event=stopped" in err


def test_signals_that_mean_nothing_do_nothing(lonely):
    agent = lonely().start()
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGXFSZ):
        agent.process.send(number)
    agent.reload()
    agent.wait_for_log("event=reloaded")
    assert agent.stop() == 0


def test_a_command_is_ended_by_a_signal(lonely, spawn):
    """--check waits for a server that does not answer, and a signal ends it."""
    silent = Stream()
    agent = lonely(managers=[{"mysql": {"port": silent.port, "connect_timeout": 60}}])
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # A job in the background of a shell, or under nohup, begins with signals ignored: the agent keeps that.
        process = spawn(agent, "--check", before=lambda n=number: signal.signal(n, signal.SIG_DFL))
        wait_until(lambda: len(silent.connections) >= 2, "it waits")
        silent.connections.clear()
        process.send_signal(number)
        assert process.wait(10) == -number
    silent.stop()


def test_once_says_why_it_was_not_all(otter, mariadb, make_agent):
    """A signal ends --once: the exit code is 69, and a log line says why."""
    agent = make_agent(mariadb, [{"type": "graphite", "port": free_port()}], drain=1)
    otter.do("history", "--rows", 300)
    process = Process("once", agent.folder, [str(PROGRAM), "-c", str(agent.config), "--once"], ENVIRONMENT).start()
    wait_until(lambda: "event=sink_failed" in process.log(), "it runs")
    process.send(signal.SIGTERM)
    assert process.wait(30) == 69
    assert 'event=once_failed why="not all was read and sent: a signal ended it"' in process.log()


def test_a_store_that_is_damaged_while_it_runs_once(otter, mariadb, make_agent):
    """The exit code is 69, and a log line says why, also if no thread has read the damaged part."""
    otter.do("history", "--rows", 300)
    agent = make_agent(mariadb, [{"type": "graphite", "port": free_port()}], drain=1)
    process = Process("once", agent.folder, [str(PROGRAM), "-c", str(agent.config), "--once"], ENVIRONMENT).start()
    wait_until(lambda: "event=sink_failed" in process.log(), "its batches wait")
    wal = agent.folder / "state/otterbeat.db-wal"
    wait_until(lambda: wal.stat().st_size > 100000, "they are in the log")
    data = bytearray(wal.read_bytes())
    for at in range(32 + 24 + 500, len(data), 4096 + 24):
        data[at:at + 3000] = bytes(3000)
    with wal.open("r+b") as file:
        file.write(data)
    assert process.wait(60) == 69
    last = [line for line in process.log().splitlines() if " error " in line][-1]
    assert re.search(r"event=once_failed why=.not all was read and sent: (the store is damaged|nothing moved)", last)
