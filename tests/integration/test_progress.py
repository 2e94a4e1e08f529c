"""The progress: a line on a terminal, which disappears at the end, and no output anywhere else."""
import re
import shutil
import time

import pytest

from servers.agent import PROGRAM
from servers.process import wait_until
from servers.terminal import Terminal
from servers.wiring import to_graphite

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn|error) .*\r?|\r?")
READ = re.compile(r"\r\x1b\[K(\d+) rows read, (\d+)/s; (\d+) points sent, (\d+) behind")
SLOW = {name: {"overlap": 5, "batch": 1} for name in ("delay", "throughput", "history", "log")}


@pytest.fixture
def on_terminal(make_agent, mariadb, carbon):
    """An agent that sends only to carbon, and starts on a terminal."""
    made = []

    def start(*words, columns=100, stdout=None, **top):
        agent = make_agent(mariadb, [to_graphite(carbon, creates=0, horizon=2)], **top)
        made.append(Terminal([PROGRAM, "-c", agent.config, *words], agent.folder, columns, stdout))
        return agent, made[-1]

    yield start
    for one in made:
        one.close()


def rows_behind(seen):
    shown = READ.findall(seen)
    return shown and int(shown[-1][0]) and int(shown[-1][3])


def assert_gone(terminal):
    assert all(LOG_LINE.fullmatch(line) for line in terminal.lines()), terminal.lines()


def test_once(otter, carbon, on_terminal):
    otter.do("history", "--rows", 300)
    carbon.stop()
    _, terminal = on_terminal("--once")
    terminal.read(rows_behind)
    carbon.start()
    assert terminal.end() == 0
    carbon.wait_for(otter.sums())
    assert "event=sink_failed" in terminal.seen and "event=stopped" in terminal.lines()[-2]
    assert_gone(terminal)


def test_the_log_goes_to_a_file(otter, carbon, on_terminal):
    otter.do("history", "--rows", 300)
    carbon.stop()
    agent, terminal = on_terminal("--once", log_file="some.log")
    terminal.read(rows_behind)
    carbon.start()
    assert terminal.end() == 0
    assert terminal.lines() == [""]
    log = (agent.folder / "some.log").read_text()
    assert "event=stopped" in log and "\x1b" not in log and "\r" not in log


def test_a_narrow_terminal(otter, carbon, on_terminal):
    carbon.stop()
    _, terminal = on_terminal("--once", columns=20, log_file="some.log")
    terminal.read(lambda seen: "rows read" in seen)
    assert max(map(len, re.split("[\r\n]|\x1b.K", terminal.seen))) == 19


@pytest.mark.slow
def test_nothing_is_shown_elsewhere(otter, make_agent, mariadb, carbon):
    otter.do("history", "--rows", 300)
    carbon.stop()
    done = make_agent(mariadb, [to_graphite(carbon)], drain=1).run("--once")
    assert done.returncode == 69, "it took its time"
    assert done.stdout == "" and "\r" not in done.stderr and "\x1b" not in done.stderr
    assert all(LOG_LINE.fullmatch(line) for line in done.stderr.splitlines())


def test_lines_that_are_printed_are_left_alone(otter, on_terminal):
    otter.do("history", "--rows", 300)
    _, terminal = on_terminal("--once", "--dry-run")
    assert terminal.end() == 0
    assert "graphite otter.pipeline" in terminal.seen and "rows read" not in terminal.seen


def test_a_stop_that_takes_long(otter, carbon, on_terminal):
    """After Ctrl-C the agent goes on sending for `drain` seconds."""
    otter.do("history", "--rows", 300)
    carbon.stop()
    _, terminal = on_terminal(drain=3)
    terminal.read(lambda seen: "event=sink_failed" in seen)
    time.sleep(1)
    assert "rows read" not in terminal.seen, "there is no end to be far from"
    terminal.press("\x03")
    terminal.read(lambda seen: re.search(r"\x1b\[Kstopping: [1-9]\d* points to send, [12] s at most", seen))
    assert terminal.end() == 0
    assert_gone(terminal)


@pytest.mark.slow
def test_a_terminal_that_holds_on_holds_up_nothing(otter, carbon, on_terminal):
    carbon.stop()
    agent, terminal = on_terminal("--once", log_file="some.log", drain=1)
    terminal.read(lambda seen: "rows read" in seen)
    terminal.press("\x13")  # Ctrl-S
    wait_until(lambda: "event=stopped" in (agent.folder / "some.log").read_text(), "it ended")


@pytest.mark.slow
def test_replay(otter, carbon, on_terminal):
    otter.do("history", "--rows", 3000, "--hours", 2, "--until", int(time.time()) - 200)
    shutil.rmtree(carbon.whisper, ignore_errors=True)
    carbon.stop()
    _, terminal = on_terminal("replay", "--since", "-2h", sources=SLOW)
    terminal.read(lambda seen: re.search(r"\x1b\[K[1-9]\d? %, at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d: [1-9]\d* rows read, ", seen))
    carbon.start()
    terminal.read(lambda seen: re.search(r"all is sent, and will be once more in \d s", seen))
    assert terminal.end() == 0
    *lines, last = terminal.lines()
    assert last == "" and "all of them sent" in lines[-1] and "All is sent; " in "".join(lines)
    assert not [line for line in lines if "rows read" in line]
