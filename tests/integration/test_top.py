"""otterbeat top: a live view of a real agent on a real terminal."""
import html
import os
import re
import signal
import subprocess
import termios

import pytest

from servers.agent import PROGRAM
from servers.browser import Browser
from servers.fake_otter import ROOT
from servers.mariadb import PASSWORD
from servers.process import free_port, wait_until
from servers.status import Status
from servers.terminal import Terminal
from servers.wiring import to_statsd

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
COLOURS = {"31": "#e05561", "32": "#8cc265", "33": "#d5a458"}
ESCAPE = re.compile(r"\x1b\[\??[0-9;]*[A-Za-z]")


@pytest.fixture
def status(folder):
    return Status(folder / "s.sock")


@pytest.fixture
def sick(mariadb, otter, make_agent, statsd, status):
    """An agent with three pipelines; pipeline 2 is behind by 100 seconds."""
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "SELECT IF(ID = 2, 100000, 10), 0, ID, NOW(), NOW() FROM PIPELINE")
    agent = make_agent(mariadb, [to_statsd(statsd)], status={"listen": status.listen}, health={"hold": 0, "lag": 30},
                       sources={"state": {"every": 1}}).start()
    wait_until(lambda: status.answers() and sorted(one["state"] for one in status.json()["pipelines"]) ==
               ["lagging", "ok", "ok"], "the states are known")
    return agent


@pytest.fixture
def top():
    made = []

    def start(*words, columns=120, **more):
        made.append(Terminal([PROGRAM, *words], "/", columns, **more))
        return made[-1]

    yield start
    for one in made:
        one.close()


def drawn(terminal):
    """Returns each completely drawn screen, with its colours."""
    return [text.partition("\x1b[J")[0] for text in terminal.seen.split("\x1b[H")[1:] if "\x1b[J" in text]


def screens(terminal):
    """Returns the lines of each completely drawn screen, without colours."""
    return [[ESCAPE.sub("", line) for line in text.split("\r\n")] for text in drawn(terminal)]


def wait_for_screen(terminal, is_it, seconds=30):
    begin = len(screens(terminal))
    terminal.read(lambda _: any(is_it(screen) for screen in screens(terminal)[begin:]), seconds)
    return next(screen for screen in screens(terminal)[begin:] if is_it(screen))


def rows(screen):
    """Returns [(health, name, figures)]."""
    begin = next(i for i, line in enumerate(screen) if line.startswith("HEALTH "))
    return [tuple(re.split("  +", line, maxsplit=2)) for line in screen[begin + 1:]]


def test_the_sick_pipeline_comes_first(sick, status, top):
    terminal = top("-c", sick.config, "top")
    before = terminal.settings()
    screen = wait_for_screen(terminal, lambda lines: True)
    wanted = {one["of"]: one["text"] for one in status.json()["headlines"]}
    assert screen[0].startswith("otterbeat ") and screen[1] == wanted["otter"] and screen[2] == wanted["otterbeat"]
    found = rows(screen)
    assert found[0][:2] == ("lagging", "pipeline 2") and found[0][2].startswith("for "), screen
    assert {name for _, name, _ in found} == {
        *(f"pipeline {n}" for n in (1, 2, 3)), "sink statsd",
        *(f"source {one['name']}" for one in status.json()["sources"])}
    assert "\x1b[33mlagging " in terminal.seen and not terminal.settings()[3] & (termios.ECHO | termios.ICANON)
    wait_for_screen(terminal, lambda lines: lines[0] != screen[0])
    terminal.press("q")
    assert terminal.end() == 0
    assert before[3] & termios.ECHO and terminal.settings() == before
    assert terminal.seen.startswith(ENTER) and terminal.seen.endswith(LEAVE), terminal.seen[-100:]


def test_it_has_the_size_of_the_terminal(sick, top):
    terminal = top("-c", sick.config, "top", "--every", "3600")
    first = wait_for_screen(terminal, lambda lines: True)
    assert any(len(line) > 60 for line in first)
    terminal.resize(9, 40)
    small = wait_for_screen(terminal, lambda lines: len(lines) == 9)
    assert max(map(len, small)) == 40 and rows(small)[0][:2] == ("lagging", "pipeline 2")
    assert re.fullmatch(r"and \d+ more, 0 of them not well", small[-1])
    terminal.resize(50, 120)
    assert wait_for_screen(terminal, lambda lines: len(lines) > 9)[1:] == first[1:]
    terminal.press("xQ")
    assert terminal.end() == 0


@pytest.mark.parametrize("end", ["\x03", "\x1c", signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(sick, top, end):
    terminal = top("-c", sick.config, "top")
    before = terminal.settings()
    wait_for_screen(terminal, lambda lines: True)
    if isinstance(end, str):
        terminal.press(end)
    else:
        os.kill(terminal.child.pid, end)
    assert terminal.end() == 0
    assert terminal.settings() == before and terminal.seen.endswith(LEAVE)


def test_the_shell_gets_the_terminal_back_while_it_is_stopped(sick, top):
    terminal = top("-c", sick.config, "top")
    before = terminal.settings()
    wait_for_screen(terminal, lambda lines: True)
    terminal.press("\x1a")
    terminal.read(lambda seen: seen.endswith(LEAVE))
    wait_until(lambda: terminal.settings() == before, "the settings are back")
    os.waitid(os.P_PID, terminal.child.pid, os.WSTOPPED)
    begin = len(terminal.seen)
    os.kill(terminal.child.pid, signal.SIGCONT)
    terminal.read(lambda seen: seen[begin:].startswith(ENTER))
    wait_for_screen(terminal, lambda lines: rows(lines)[0][1] == "pipeline 2")
    terminal.press("q")
    assert terminal.end() == 0 and terminal.settings() == before


def test_an_agent_that_ends_and_comes_back(sick, top):
    """The last figures stay, and a line says that they are old."""
    terminal = top("-c", sick.config, "top")
    wait_for_screen(terminal, lambda lines: True)
    sick.kill9()
    screen = wait_for_screen(terminal, lambda lines: lines[1].startswith("NO ANSWER for "))
    assert "Connection refused" in screen[1] and rows(screen)[0][1] == "pipeline 2"
    sick.start()
    wait_for_screen(terminal, lambda lines: not lines[1].startswith("NO ANSWER"))
    sick.process.send(signal.SIGSTOP)
    try:
        wait_for_screen(terminal, lambda lines: lines[1].startswith("NO ANSWER"))
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        sick.process.send(signal.SIGCONT)


def run(*words, **more):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=60, check=False, **more)


def assert_error(done, code, text):
    assert done.returncode == code and not done.stdout and re.fullmatch(f"otterbeat: {text}\n", done.stderr), done


def test_without_a_terminal_it_prints_once(sick, status, folder, top):
    done = run("-c", sick.config, "top")
    assert done.returncode == 0 and not done.stderr and "\x1b" not in done.stdout, done
    assert rows(done.stdout.splitlines())[0][:2] == ("lagging", "pipeline 2")
    by_url = run("top", "--url", status.listen, cwd=folder)
    assert rows(by_url.stdout.splitlines())[0] == rows(done.stdout.splitlines())[0], "no config is needed"
    terminal = top("-c", sick.config, "top", TERM="dumb")
    assert terminal.end() == 0 and "\x1b" not in terminal.seen and "pipeline 2" in terminal.seen


def test_an_agent_that_does_not_run(mariadb, make_agent, statsd, status, folder, top):
    agent = make_agent(mariadb, [to_statsd(statsd)], status={"listen": status.listen})
    where = re.escape(status.listen)
    assert_error(run("-c", agent.config, "top"), 69,
                 f"no agent answers at {where}: No such file or directory; is the agent running\\?")
    terminal = top("-c", agent.config, "top")
    assert terminal.end() == 69 and terminal.seen.count("\n") == 1 and "\x1b" not in terminal.seen
    port = free_port()
    assert_error(run("top", "--url", f"http://127.0.0.1:{port}"), 69,
                 f"no agent answers at http://127.0.0.1:{port}: Connection refused; is the agent running\\?")
    agent.write(status={"listen": ""})
    assert_error(run("-c", agent.config, "top"), 78, f"{re.escape(str(agent.config))}: the agent has no status page.*")
    assert run("top", cwd=folder).returncode == 78




@pytest.mark.parametrize("option, value, text", [
    ("--url", "http://ops:hush@localhost", "--url: everybody on this machine can see a password .*"),
    ("--url", "unix:", "--url: the path of a unix socket must have 1 to 107 bytes"),
    ("--url", f"unix:/{'x' * 107}", "--url: the path of a unix socket must have 1 to 107 bytes"),
    ("--url", "ftp://localhost", "--url: .*"),
    ("--every", "0", "--every must be a number of seconds from 1 to 3600, not '0'"),
    ("--every", "1.5", "--every must be a number of seconds from 1 to 3600, not '1.5'"),
])
def test_wrong_options(folder, option, value, text):
    done = run("top", "--url", "unix:/nowhere", option, value, cwd=folder)
    assert_error(done, 64, text)
    assert "hush" not in done.stderr


def test_the_password_of_the_status_page(mariadb, otter, make_agent, statsd, folder):
    status = Status()
    (folder / "secret").write_text(f"{PASSWORD}\n")
    agent = make_agent(mariadb, [to_statsd(statsd)], status={
        "listen": status.listen, "user": "ops", "password_file": str(folder / "secret")}).start()
    wait_until(status.answers, "the status page answers")
    assert run("-c", agent.config, "top").returncode == 0
    assert run("-c", agent.config, "top", "--url", status.url).returncode == 0
    assert_error(run("top", "--url", status.url), 69, f"{re.escape(status.url)}: user and password are needed")
    agent.write(status={"listen": status.listen, "user": "ops", "password": "wrong"})
    assert_error(run("-c", agent.config, "top"), 69, f"{re.escape(status.listen)}: user and password are wrong")


def test_another_server_answers(manager):
    assert_error(run("top", "--url", manager.url), 69, f"{re.escape(manager.url)}: the answer has the status 302")


def page_of(screen):
    """Returns a page that shows what a terminal shows."""
    text = re.sub(r"\x1b\[(\d+)m", lambda sgr: f'<b style="color: {COLOURS[sgr[1]]}">', html.escape(screen)).replace("\x1b[m", "</b>")
    return ('<meta charset="utf-8"><body style="background: #23272e; color: #abb2bf"><pre style="font: 15px DejaVu Sans Mono">'
            + ESCAPE.sub("", text))


def test_the_picture(sick, top, folder):
    """OB_PICTURES=FOLDER keeps the picture."""
    terminal = top("-c", sick.config, "top", columns=100)
    screen = wait_for_screen(terminal, lambda lines: any("pipeline 3" in line for line in lines))
    assert len(screen) > 10
    (folder / "top.html").write_text(page_of(drawn(terminal)[-1]), "utf-8")
    png = Browser(folder).picture((folder / "top.html").as_uri(), ROOT / os.environ.get("OB_PICTURES", folder) / "top.png",
                                  width=900, height=360).read_bytes()
    assert png.startswith(b"\x89PNG") and 10000 < len(png) < 150000
