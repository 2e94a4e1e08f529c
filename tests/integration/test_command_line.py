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
from servers.fake_otter import ROOT
from servers.process import free_port, wait_until
from servers.sinks import Stream
from servers.terminal import Terminal

COMPLETION = ROOT / "deploy/completion"


def run(folder, *words, **env):
    return subprocess.run([*map(str, words)], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **env})


def test_version_and_help(folder):
    assert re.fullmatch(r"otterbeat \d+\.\d+\.\d+\n", run(folder, PROGRAM, "--version").stdout)
    done = run(folder, PROGRAM, "--help")
    assert done.returncode == 0 and "--dry-run" in done.stdout


WRONG = {
    "--chekc": "there is no option --chekc; did you mean --check?",
    "--check=yes": "--check takes no value",
    "-check": "there is no option -check; did you mean --check?",
    "-v": "there is no option -v; did you mean --version?",
    "check": "there is no command check; did you mean --check?",
    "help": "there is no command help; did you mean --help?",
    "nonsense": "there is no command nonsense",
    "--nonsense": "there is no option --nonsense",
    "--graphana": "there is no option --graphana; did you mean grafana?",
    "-c": "--config needs a value: --config FILE",
    "--init a b": "b is one word too many",
    "--json": "--json works only together with --check",
    "--once cursor": "--once and the command cursor do not go together",
    "cursor shwo": "there is no command shwo; did you mean show?",
    "cursor --chekc": "there is no option --chekc",
    "cursor show more": "more is one word too many",
    "cursor rewind delay": "SOURCE TIME, or SOURCE ID, is missing",
    "replay --unitl -1h": "there is no option --unitl; did you mean --until?",
    "replay": "--since TIME is missing",
    "v": "there is no command v; did you mean verify?",
    "verify --since -1h": "--render URL is missing",
    "verify --rendre x": "there is no option --rendre; did you mean --render?",
    "grafana --uot x": "there is no option --uot; did you mean --out?",
    "grafana --out": "--out needs a value: --out DIR",
    "datadog --replcae": "there is no option --replcae; did you mean --replace?",
    "page": "PAGE is missing",
    "cluster releas": "there is no command releas; did you mean release?",
    "cluster --json release": "--json and the command cluster release do not go together",
    "migrate --from-dir": "--from-dir needs a value: --from-dir DIR",
    "migrate --to-dir x --replace": "--replace works only together with --from-dir",
    "\x1b[31m": "there is no command <U+001B>[31m",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage(folder, words):
    """Standard error has two lines, the error and the usage of the command. No config is needed."""
    done = run(folder, PROGRAM, *words.split())
    said = done.stderr.splitlines()
    assert done.returncode == 64 and not done.stdout and len(said) == 2, done
    assert re.fullmatch(r"otterbeat[a-z ]*: " + re.escape(WRONG[words]), said[0]) and said[1].startswith("usage: otterbeat "), said


def test_a_word_of_an_option_is_no_command(folder):
    """A folder may have the name of a command, and an option may be shortened as long as it is unique."""
    assert run(folder, PROGRAM, "--ini", "cursor").returncode == 0 and (folder / "cursor/otterbeat.cfg").exists()


def words_of_help(folder, *command):
    """Returns the options and the commands at the beginning of the lines of a command's help."""
    done = run(folder, PROGRAM, *command, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: otterbeat "), done
    return re.findall(r"(?m)^ {2,6}(?:-., )?(--[a-z-]+|[a-z]+) ", done.stdout.partition("\n\n")[2])


def test_completion(folder):
    """bash and zsh complete each option and each command that --help lists, at each of the places where they can stand."""
    zsh = (COMPLETION / "_otterbeat").read_text()

    def offered(*typed):
        script = '. "$1"; shift; COMP_WORDS=(otterbeat "$@" ""); COMP_CWORD=$(($# + 1)); _otterbeat; echo "${COMPREPLY[@]}"'
        return run(folder, "bash", "-c", script, "-", COMPLETION / "otterbeat.bash", *typed).stdout.split()

    first = words_of_help(folder)
    assert {"--check", "grafana"} <= set(first) <= set(offered()), set(first) - set(offered())
    assert not [word for word in first if word not in zsh]
    for command in (word for word in first if not word.startswith("-")):
        words = set(words_of_help(folder, command))
        line = re.search(rf"(?m)^ *{command}\).*", zsh)[0]
        assert words <= set(offered("-c", "x", command)) and not [word for word in words if word not in line], command
    assert run(folder, "bash", "-n", COMPLETION / "otterbeat.bash").returncode == 0
    assert run(folder, "zsh", "-n", COMPLETION / "_otterbeat").returncode == 0


def test_init_writes_what_is_private_and_keeps_what_is_there(folder):
    assert run(folder, PROGRAM, "--init", "new").returncode == 0
    config, ctl = folder / "new/otterbeat.cfg", folder / "new/ctl"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert os.access(ctl, os.X_OK) and str(PROGRAM) in ctl.read_text()
    assert (folder / "new/otterbeat.cfg.example").read_text() == (ROOT / "config/otterbeat.cfg.example").read_text()
    config.write_text("mine")
    assert "was left as it is" in run(folder, PROGRAM, "--init", "new").stdout
    assert config.read_text() == "mine"


def differing(folder, *options):
    """Returns the lines of the config that differ from the first config, and the whole config."""
    done = run(folder, PROGRAM, "--init", "made", *options)
    assert done.returncode == 0 and not done.stderr, done
    config = (folder / "made/otterbeat.cfg").read_text()
    first = (ROOT / "config/otterbeat.cfg").read_text()
    return [" ".join(line.split()) for line in config.splitlines() if line not in first.splitlines()], config


STATSD, GRAPHITE = '{ type = "statsd"; host = "127.0.0.1"; port = 8125; }', '{ type = "graphite"; host = "127.0.0.1"; port = 2003; }'


@pytest.mark.parametrize("options, lines", [
    (["--mysql", "mysql://me@db.example.com:3307/stats"],
     ['mysql = { host = "db.example.com"; port = 3307; user = "me"; password = "${OTTERBEAT_PASSWORD:-}"; database = "stats"; };']),
    (["--mysql", "jdbc:mysql://10.0.0.5:3306/ottermanager"],
     ['mysql = { host = "10.0.0.5"; port = 3306; user = "otterbeat"; password = "${OTTERBEAT_PASSWORD:-}"; database = "ottermanager"; };']),
    (["--mysql", "[::1]"],
     ['mysql = { host = "::1"; port = 3306; user = "otterbeat"; password = "${OTTERBEAT_PASSWORD:-}"; database = "otter"; };']),
    (["--mysql", 'mysql://a" database = "@h/b\\ user = "'],
     [r'mysql = { host = "h"; port = 3306; user = "a\" database = \""; password = "${OTTERBEAT_PASSWORD:-}"; database = "b\\ user = \""; };']),
    (["--manager", "https://otter.example.com/"], ['page = { url = "https://otter.example.com"; };']),
    (["--statsd", "statsd:8126"], ['{ type = "statsd"; host = "statsd"; port = 8126; }']),
    (["--graphite", "[2001:db8::1]:2004"], ['{ type = "graphite"; host = "2001:db8::1"; port = 2004; }']),
    (["--graphite", "carbon", "--statsd", "localhost:9"],
     ['{ type = "statsd"; host = "localhost"; port = 9; },', '{ type = "graphite"; host = "carbon"; port = 2003; }']),
])
def test_init_writes_the_servers_into_the_config(folder, options, lines):
    """A sink that is not named is left out when another sink is named. otterbeat can read the config that it wrote."""
    found, config = differing(folder, *options)
    assert found == lines
    assert (STATSD in config) == (GRAPHITE in config) == (not {"--statsd", "--graphite"} & set(options))
    assert run(folder, PROGRAM, "-c", "made/otterbeat.cfg", "datadog", "--out", "x").returncode == 0


def test_init_names_the_file_of_a_password(folder):
    """A relative path begins at the working folder, also when the config is written into another folder."""
    (folder / "secret").write_text("hush\n")
    found, config = differing(folder, "--password-file", "secret")
    assert f'password_file = "{folder.resolve()}/secret"; database' in found[0] and "OTTERBEAT_PASSWORD" not in config
    assert run(folder, PROGRAM, "-c", "made/otterbeat.cfg", "datadog", "--out", "x").returncode == 0


def test_init_is_the_same_twice(folder):
    """An existing config with the same options is no error; an existing config with other options is one."""
    for host, code in (("a", 0), ("a", 0), ("b", 78)):
        done = run(folder, PROGRAM, "--init", "--statsd", host)
        assert done.returncode == code and ("otterbeat.cfg was there already: no option was written" in done.stderr) == bool(code)
    assert 'host = "a"' in (folder / "otterbeat.cfg").read_text()


@pytest.mark.parametrize("option, value, why", [
    ("--mysql", "mysql://me:hush@h/otter", "everybody on this machine can see a password on the command line"),
    ("--mysql", "mysql://me:hush/otter", "behind me: the port must be a number"),
    ("--mysql", "postgres://h/otter", "this is not an address like mysql://"),
    ("--mysql", "mysql://h/otter?password=hush", "this is not an address like mysql://USER@HOST:PORT/DATABASE"),
    ("--mysql", "mysql://@h/otter", "a part of this value is empty"),
    ("--mysql", "mysql:///otter", "'' is not the name or the address of a host"),
    ("--mysql", "mysql://h:3306/a/b", "this is not an address like mysql://"),
    ("--mysql", "mysql://a\nb@h", "a control character is not allowed"),
    ("--statsd", "h:0", "behind h: the port must be a number from 1 to 65535"),
    ("--statsd", "h:", "behind h: the port must be a number from 1 to 65535"),
    ("--statsd", "::1", "an IPv6 address stands in brackets"),
    ("--statsd", "[::1", "an IPv6 address with a port is written like [::1]:8125"),
    ("--graphite", "a b:2003", "'a b' is not the name or the address of a host"),
    ("--graphite", "http://h:2003", "write HOST:PORT, without a protocol"),
    ("--manager", "h:8080", "'h:8080' is not an address like http://HOST:PORT"),
    ("--manager", "http://u@h", "'url' cannot contain"),
    ("--manager", "http://h/channelList.htm", "without the name of a page"),
    ("--password-file", "nowhere", "nowhere: No such file or directory"),
    ("--password-file", "/dev/null", "/dev/null: it is a device"),
])
def test_init_refuses_a_wrong_value(folder, option, value, why):
    """Standard error has one line, which shows no password. Nothing is written."""
    done = run(folder, PROGRAM, "--init", "new", option, value)
    assert done.returncode == 64 and done.stderr.startswith(f"otterbeat: {option}: ") and why in done.stderr, done
    assert "hush" not in done.stderr and done.stderr.count("\n") == 1 and not list(folder.iterdir())


def causes_of_nothing(done):
    """Returns the names of the findings that --check calls BAD, and the summary."""
    lines = [line for line in done.splitlines() if "ok   " not in line]
    return [re.match(r"BAD  (\w+ \w+): .* -> ", line)[1] for line in lines[:-1]], lines[-1]


def test_check_where_nothing_is_set_up(folder):
    """The first config is good. Each missing server has one line, nothing is logged, and the last line is a summary."""
    run(folder, PROGRAM, "--init")
    done = run(folder, "unshare", "-n", "sh", "-c", f"ip link set lo up && exec {PROGRAM} --check")
    assert done.returncode == 69 and not done.stderr, "no server, but no mistake either"
    causes, summary = causes_of_nothing(done.stdout)
    assert causes == ["tcp otter", "manager otter", "sink statsd", "sink graphite"], done.stdout
    assert re.match("4 problems, first fix: tcp otter: no server listens there", summary), summary


@pytest.mark.parametrize("env, has_colours", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_check_has_colours_on_a_terminal_alone(folder, env, has_colours):
    run(folder, PROGRAM, "--init")
    terminal = Terminal([PROGRAM, "--check"], folder, **env)
    seen = terminal.read(lambda said: "first fix" in said and said.endswith("\n"))
    terminal.close()
    assert ("\x1b[31mBAD \x1b[m sink graphite: " in seen) == has_colours and ("\x1b" in seen) == has_colours, seen
    assert "\x1b" not in run(folder, PROGRAM, "--check").stdout


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
