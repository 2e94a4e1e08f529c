"""Texts from a server, a page, a file or a command line, wherever they appear: in the log, on a terminal, on the status page."""
import json
import re
import subprocess

import pytest

from servers import hostile_mysql as odd
from servers.agent import PROGRAM, Agent, assert_no_report
from servers.foreign_text import BAD_TEXT, IN_LOG, NOT_SHOWN, SHOWN, assert_clean, assert_sound_log
from servers.hostile_mysql import HostileMysql, Shape
from servers.process import wait_until
from servers.sinks import Datagrams
from servers.status import Status

GENTLE = BAD_TEXT[:-2]  # without the bytes that are not UTF-8


@pytest.fixture(name="make")
def make_agent_of_a_shape(folder):
    """Returns an agent with one server, which gives these answers at these places."""
    made = []

    def make(answers, sinks=None, **top):
        server, sink = HostileMysql(Shape("texts", answers, {}, False)).start(), Datagrams()
        agent = Agent(folder, server, sinks or [{"type": "statsd", "port": sink.port}], **top)
        made.append((agent, server, sink))
        return agent

    yield make
    for agent, server, sink in made:
        agent.process.kill9()
        server.stop()
        sink.stop()


PRIMARY = odd.with_rows(lambda rows: [[BAD_TEXT, "ID", "1"]])


@pytest.mark.parametrize("answers, said", [
    pytest.param({"rows": odd.packets(odd.words.error(1064, BAD_TEXT))},
                 'event=poll_failed err="mysql 1064: x\'\\\\ ' + SHOWN, id="error"),
    pytest.param({"login": odd.packets(odd.words.error(1045, BAD_TEXT))},
                 'event=poll_failed err="mysql 1045: x\'\\\\ ' + SHOWN, id="login"),
    pytest.param({"indexes": PRIMARY}, f'event=plan table=THROUGHPUT_STAT reads="by ID, index {IN_LOG}', id="plan"),
    pytest.param({"names": odd.refused_names, "grant": odd.every_cell(BAD_TEXT)}, f'.otterbeat_CHANNEL TO {IN_LOG}', id="grant"),
    pytest.param({"names": odd.refused_names}, 'event=names_refused err="mysql 1142: SELECT command denied', id="names"),
    pytest.param({"rows": odd.cell(0, b"1\n\xe2\x80\xae event=forged")},
                 'id="1<U+000A><U+202E> event=forged"', id="cell"),
    pytest.param({"variables": odd.any_of(*(odd.every_cell(BAD_TEXT[:5] + b"%d" % i + BAD_TEXT[5:]) for i in range(50))),
                  "rows": odd.then_close(odd.honest)}, f'event=database_changed was="{IN_LOG[:14]}', id="identity"),
])
def test_the_log(make, answers, said):
    agent = make(answers).start()
    agent.wait_for_log(said)
    assert agent.stop() == 0
    assert_sound_log(agent.log())


def test_the_log_of_what_the_config_says(make, folder):
    agent = make({})
    config = folder / "a \x1b[31m\nevent=forged \u202e.cfg"
    agent.config.rename(config)
    done = subprocess.run([PROGRAM, "-c", config, "--once"], cwd=folder, capture_output=True, timeout=60, check=False)
    assert_no_report(done.stderr.decode())
    assert_sound_log(done.stderr.decode())
    assert 'config="' in done.stderr.decode()
    config.write_text('\x1b[31m\u202e = 1;')
    for options in ((), ("--check",), ("cursor",)):
        done = subprocess.run([PROGRAM, "-c", config, *options], cwd=folder, capture_output=True, timeout=60, check=False)
        assert done.returncode == 78
        assert_clean(done.stdout.decode() + done.stderr.decode())


def test_the_check(make):
    bad = odd.every_cell(BAD_TEXT)
    agent = make({"version": bad, "explain": bad, "indexes": PRIMARY, "names": odd.refused_names, "grant": bad})
    done = agent.run("--check")
    assert_clean(done.stdout + done.stderr)
    assert f"to server x\"\\ {SHOWN}" in done.stdout and done.stdout.count(f"index x\"\\ {SHOWN}") > 5
    as_json = agent.run("--check", "--json")
    assert_clean(as_json.stdout)
    assert SHOWN in as_json.stdout and json.loads(as_json.stdout)


def test_the_check_names_all_variables_that_differ(make):
    said = re.search(r"^ok +session .*$", make({}).run("--check").stdout, re.M)[0]
    assert 'autocommit = "ON" ("OFF")' in said and said.endswith('character_set_results = "utf8mb4" ("latin1")'), said


def test_the_cursor_command(make, folder):
    agent = make({"variables": odd.every_cell(BAD_TEXT)})
    agent.start()
    agent.wait_for_log("source=throughput event=plan")
    wait_until(lambda: SHOWN[:30] in agent.run("cursor").stdout, "the database is named")
    agent.stop()
    assert_clean(agent.run("cursor").stdout)
    exported = agent.run("cursor", "export").stdout
    assert_clean(exported)
    assert any(SHOWN[:30] in json.loads(line).get("database", "") for line in exported.splitlines())


def test_the_status_page(make):
    status = Status()
    agent = make({"rows": odd.packets(odd.words.error(1064, BAD_TEXT))}, status={"listen": status.listen, "patience": 1})
    agent.start()
    wait_until(status.answers, "the status page is there")
    wait_until(lambda: SHOWN in status.one("sources", "throughput")["last_error"], "the status page shows the text")
    wait_until(lambda: "throughput" in status.health()[1], "a probe gets the text")
    for page in ("/", "/healthz", "/status.json", "/metrics"):
        assert_clean(status.ask(page)[2].replace("\t", ""))
    assert SHOWN.replace("<", "&lt;").replace(">", "&gt;") in status.ask("/")[2]


def alarm_of(text):
    """Sets the title and the message of each row."""
    return odd.with_rows(lambda rows: [[text if isinstance(cell, str) and not cell.isdigit() else cell for cell in cells]
                                       for cells in rows])


def test_what_would_be_sent(make):
    agent = make({"rows": alarm_of(GENTLE)}, [{"type": "statsd", "flavor": "dogstatsd", "port": 1}])
    done = agent.run("--once", "--dry-run")
    assert "31m" in done.stdout, done.stdout + done.stderr
    assert_clean(done.stdout)


def test_an_event_that_is_sent(make, sink):
    agent = make({"rows": alarm_of(GENTLE)}, [{"type": "statsd", "flavor": "dogstatsd", "port": sink.port}])
    agent.start()
    sent = wait_until(lambda: [line for line in sink.lines() if line.startswith("_e{")], "an event")
    assert not NOT_SHOWN.search(sent[0]) and "31m" in sent[0]


def line_cells(line):
    return "".join(str(cell) for cell in json.loads(line).values())


def test_a_page(folder):
    page = (odd.__file__.rpartition("/servers")[0] + "/pages/nodes.html")
    text = open(page, encoding="utf-8").read()
    name = json.load(open(page.replace(".html", ".expected.json"), encoding="utf-8"))["rows"][0]["node_name"]
    (folder / "page.html").write_text(re.sub(f">\\s*{name}\\s*<", ">n\u202e\u2028\x9b<", text))
    done = subprocess.run([PROGRAM, "page", folder / "page.html"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert_clean(done.stdout.decode())
    assert any('\u202e' in line_cells(line) for line in done.stdout.decode().splitlines()), done.stdout
