"""The commands of an operator."""
import fcntl
import os
import pathlib
import re
import signal
import stat
import subprocess

import pytest

from servers.agent import PROGRAM
from servers.process import free_port, wait_until
from servers.sinks import Stream
from servers.terminal import Terminal


def run(folder, *words, **env):
    return subprocess.run([*map(str, words)], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **env})


def test_version_and_help(folder):
    assert re.fullmatch(r"otterbeat \d+\.\d+\.\d+\n", run(folder, PROGRAM, "--version").stdout)
    done = run(folder, PROGRAM, "--help")
    assert done.returncode == 0 and "--dry-run" in done.stdout


def test_wrong_usage(folder):
    for words in (["--nonsense"], ["word"], ["-c"], ["--init", "a", "b"]):
        done = run(folder, PROGRAM, *words)
        assert done.returncode == 64 and "usage:" in done.stderr, words


def test_init_writes_what_is_private_and_keeps_what_is_there(folder):
    assert run(folder, PROGRAM, "--init", "new").returncode == 0
    config, ctl = folder / "new/otterbeat.cfg", folder / "new/ctl"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert os.access(ctl, os.X_OK) and str(PROGRAM) in ctl.read_text()
    config.write_text("mine")
    assert "was left as it is" in run(folder, PROGRAM, "--init", "new").stdout
    assert config.read_text() == "mine"


def test_the_demo_config_is_good(folder):
    run(folder, PROGRAM, "--init")
    assert run(folder, PROGRAM, "--check").returncode == 69, "no server, but no mistake either"


def test_dry_run_prints_and_moves_nothing(mariadb, otter, carbon, statsd, both, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, both)
    first = agent.run("--dry-run", "--once")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert all(re.fullmatch(r"(statsd [^ ]+:-?\d+\|[cg]|graphite [^ ]+ -?\d+(\.\d+)? \d+)", line) for line in lines)
    assert any("otter.pipeline.1.delay_ms" in line for line in lines)
    assert not statsd.counters() and not carbon.series()
    agent.once()
    statsd.wait_for(otter.sums())
    added = [line for line in agent.run("--dry-run", "--once").stdout.splitlines()
             if line.startswith("statsd") and line.endswith("|c") and ".agent." not in line]
    assert not added, "the real run moved the cursors, and the dry one sees that"


def test_check_says_how_each_table_is_read(mariadb, otter, both, make_agent):
    done = make_agent(mariadb, both).run("--check")
    assert done.returncode == 0, done.stdout
    assert "ok   source delay: table DELAY_STAT, by ID, index PRIMARY" in done.stdout
    mariadb.query("DROP TABLE LOG_RECORD")
    done = make_agent(mariadb, both).run("--check")
    assert done.returncode == 69 and "BAD  source log" in done.stdout


def test_once_without_a_server(mariadb, make_agent):
    agent = make_agent(mariadb, [{"type": "graphite", "port": 1}], mysql={"port": free_port()})
    assert agent.run("--once").returncode == 69


def test_reload_keeps_the_old_config_when_the_new_is_wrong(mariadb, otter, carbon, statsd, both, make_agent):
    agent = make_agent(mariadb, both).start()
    good = agent.config.read_text()
    agent.config.write_text(good + "evry = 1;\n")
    agent.reload()
    agent.wait_for_log("event=reload_failed")
    otter.do("sample")
    wanted = otter.sums()
    statsd.wait_for(wanted)
    second = Stream()
    agent.write(prefix="other")
    agent.reload()
    agent.wait_for_log("event=reloaded")
    otter.do("history", "--rows", 100)
    wait_until(lambda: any(name.startswith("other.pipeline") for name in statsd.counters()), "the new prefix")
    assert agent.stop() == 0
    second.stop()


def test_ctl(mariadb, otter, statsd, both, make_agent, folder):
    home = folder / "home dir"
    home.mkdir()
    place = folder / "with blank"
    run(folder, PROGRAM, "--init", place)
    log = home / "logs/otterbeat/otterbeat.log"
    (place / "otterbeat.cfg").write_text('log_file = "${OTTERBEAT_LOG:-}";\n' + make_agent(mariadb, both).config.read_text())

    def ctl(word):
        return run(folder, place / "ctl", word, HOME=str(home))

    assert ctl("status").returncode == 3
    assert ctl("check").returncode == 0
    assert ctl("start").returncode == 0, ctl("start").stderr
    try:
        pid = (place / "otterbeat.pid").read_text()
        assert "runs already" in ctl("start").stdout and pid == (place / "otterbeat.pid").read_text()
        assert ctl("status").returncode == 0
        log.rename(log.with_suffix(".1"))
        assert ctl("reload").returncode == 0
        wait_until(lambda: log.exists() and "event=reloaded" in log.read_text(), "a reload opens the log anew")
        assert ctl("restart").returncode == 0
        assert "event=started" in log.read_text()
    finally:
        assert ctl("stop").returncode == 0
    assert ctl("status").returncode == 3
    (place / "otterbeat.cfg").write_text("nonsense")
    failed = ctl("start")
    assert failed.returncode == 1 and "otterbeat.cfg:1: " in failed.stderr
    assert ctl("nonsense").returncode == 64


@pytest.fixture(name="place")
def ctl_place(mariadb, make_agent, folder):
    """A folder that --init has created, for an agent that runs for a while; the agent stops with the test."""
    place = folder / "place"
    run(folder, PROGRAM, "--init", place)
    agent = make_agent(mariadb, [{"type": "statsd", "port": 9}])
    (place / "otterbeat.cfg").write_text('log_file = "${OTTERBEAT_LOG:-}";\n' + agent.config.read_text())
    yield place
    run(folder, place / "ctl", "stop", HOME=str(folder))


def agents(place):
    """Returns the processes that run with this config."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == str(PROGRAM).encode() and str(place / "otterbeat.cfg").encode() in words:
            found.append(int(process.name))
    return found


def test_ctl_started_twice_at_once(place, folder):
    """One agent runs, both commands name this agent, and ctl can stop the agent."""
    for _ in range(3):
        both = [subprocess.Popen([place / "ctl", "start"], env={**os.environ, "HOME": str(folder)},
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
        said = sorted(one.communicate(timeout=60)[0] for one in both)
        running = agents(place)
        assert len(running) == 1 and all(f"pid {running[0]}" in text for text in said), (running, said)
        assert "runs already" in said[0] and "started" in said[1]
        assert "stopped" in run(folder, place / "ctl", "stop", HOME=str(folder)).stdout
        assert not agents(place)


def test_ctl_believes_no_number_of_an_agent_that_has_ended(place, folder):
    """The holder of the lock has not written its process id yet; the previous agent is a zombie."""
    ended = subprocess.Popen([PROGRAM, "--version"], stdout=subprocess.DEVNULL)
    wait_until(lambda: ") Z " in pathlib.Path(f"/proc/{ended.pid}/stat").read_text(), "it has ended")
    (place / "otterbeat.pid").write_text(f"{ended.pid}\n")
    with open(place / "otterbeat.pid", "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(folder, place / "ctl", "status", HOME=str(folder))
    assert done.returncode == 1 and "which is no otterbeat" in done.stderr, done
    ended.wait()


def test_ctl_ends_nobody_else(place, folder):
    """An old process id may belong to another program now, even to a program that has the config open."""
    other = subprocess.Popen(["tail", "-f", place / "otterbeat.cfg"], stdout=subprocess.DEVNULL)
    try:
        (place / "otterbeat.pid").write_text(f"{other.pid}\n")
        for word, code in (("status", 3), ("reload", 3), ("stop", 0)):
            assert run(folder, place / "ctl", word, HOME=str(folder)).returncode == code, word
        assert run(folder, place / "ctl", "start", HOME=str(folder)).returncode == 0
        running = agents(place)
        (place / "otterbeat.pid").write_text(f"{other.pid}\n")
        done = run(folder, place / "ctl", "stop", HOME=str(folder))
        assert done.returncode == 1 and "which is no otterbeat" in done.stderr
        assert other.poll() is None and agents(place) == running
        (place / "otterbeat.pid").write_text(f"{running[0]}\n")
    finally:
        other.kill()
        other.wait()


def test_ctl_knows_that_an_agent_was_killed(place, folder):
    assert run(folder, place / "ctl", "start", HOME=str(folder)).returncode == 0
    os.kill(agents(place)[0], signal.SIGKILL)
    wait_until(lambda: not agents(place), "it is gone")
    assert run(folder, place / "ctl", "status", HOME=str(folder)).returncode == 3
    assert "started" in run(folder, place / "ctl", "start", HOME=str(folder)).stdout


def test_ctl_without_a_home(place, folder):
    """As under cron or a service manager: the system's user database gives the home folder."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "getent").write_text(f"#!/bin/sh\necho x:x:0:0:x:{folder / 'home'}:/bin/sh\n")
    (tools / "getent").chmod(0o755)
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}

    def ctl(word):
        return subprocess.run([place / "ctl", word], env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ctl("status").returncode == 3 and not ctl("status").stderr
    done = ctl("start")
    assert done.returncode == 0 and str(folder / "home/logs/otterbeat/otterbeat.log") in done.stdout, done
    assert ctl("status").returncode == 0 and ctl("reload").returncode == 0 and ctl("stop").returncode == 0
    assert ctl("check").returncode in (0, 69)
    (tools / "getent").write_text("#!/bin/sh\nexit 2\n")
    assert str(place / "logs/otterbeat/otterbeat.log") in ctl("start").stdout
    assert ctl("stop").returncode == 0


LOG = ["2026-11-23T21:00:00.000Z info event=started why=\" error \"", "2026-11-23T21:00:01.000Z warn event=exposed",
       "2026-11-23T21:00:02.000Z error event=poll_failed err=\"caf\xe9 warn \"", "otterbeat: no level"]
RED, YELLOW, OFF = "\x1b[31m", "\x1b[33m", "\x1b[m"


@pytest.fixture
def ctl_tail(folder):
    """Starts ./ctl tail on a terminal, or returns its command."""
    run(folder, PROGRAM, "--init")
    log = folder / "logs/otterbeat/otterbeat.log"
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(LOG[:2]) + "\n", "latin-1")
    made = []

    def start(**more):
        made.append(Terminal([folder / "ctl", "tail"], folder, HOME=str(folder), **more))
        return made[-1], log

    yield start
    for one in made:
        one.close()


def test_ctl_tail_colours_on_a_terminal(ctl_tail):
    """Each line appears at once: no line waits for another line."""
    terminal, log = ctl_tail()
    assert terminal.read(lambda seen: seen.count("\n") == 2) == f"{LOG[0]}\r\n{YELLOW}{LOG[1]}{OFF}\r\n"
    for line, wanted in ((LOG[2], f"{RED}{LOG[2]}{OFF}"), (LOG[3], LOG[3])):
        with log.open("a", encoding="latin-1") as more:
            more.write(line + "\n")
        begin = len(terminal.seen)
        terminal.read(lambda seen: seen.endswith("\n") and len(seen) > begin, seconds=5)
        assert terminal.seen[begin:].replace("\ufffd", "\xe9") == wanted + "\r\n"
    terminal.press("\x03")
    assert terminal.end() != 0, "Ctrl-C ends all of it"


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_ctl_tail_without_colours(ctl_tail, env):
    terminal, _ = ctl_tail(**env)
    assert terminal.read(lambda seen: seen.count("\n") == 2) == "\r\n".join(LOG[:2]) + "\r\n"


def test_ctl_tail_into_a_pipe(ctl_tail):
    reading, writing = os.pipe()
    with open(reading, "rb", closefd=True) as pipe:
        ctl_tail(stdout=writing)
        os.close(writing)
        assert [pipe.readline().decode("latin-1").rstrip("\n") for _ in LOG[:2]] == LOG[:2]
