"""otterbeat refuses a wrong config before it opens anything, and names file and line."""
import subprocess

import pytest

from servers.agent import PROGRAM
from servers.process import wait_until

GOOD = """managers = ( { mysql = { port = 1; }; } );
sources = { };
sinks = ( { type = "graphite"; port = 1; } );
"""


def check(folder, text, *options):
    (folder / "c.cfg").write_text(text)
    return subprocess.run([str(PROGRAM), "-c", "c.cfg", "--check", *options], cwd=folder, capture_output=True,
                          text=True, timeout=30)


@pytest.mark.parametrize("line, text, said", [
    (4, GOOD + "evry = 3;", 'no such setting: "evry"'),
    (4, GOOD + "drain = \"x\";", '"drain" must be a whole number'),
    (4, GOOD + "drain = -1;", '"drain" must be from 0 to 60'),
    (4, GOOD + "prefix = \"a b\";", '"prefix" may contain only'),
    (4, GOOD + "prefix = \"${OB_NOT_SET}\";", "${OB_NOT_SET}: this variable is not set"),
    (4, GOOD + "drain = ;", "syntax error"),
    (4, GOOD + "drain = 1; drain = 2;", "duplicate"),
    (4, GOOD + "queue = { max_bytes = 1; };", '"max_bytes" must be from'),
    (2, GOOD.replace("{ };", '{ delay = { evry = 1; }; };'), 'no such setting: "evry"'),
    (2, GOOD.replace("{ };", '{ delay = { start = "then"; }; };'), '"start" must be'),
    (2, GOOD.replace("{ };", '{ mine = { every = 1; }; };'), '"mine" is not a built-in source'),
    (2, GOOD.replace("{ };", '{ mine = { table = "T"; columns = ( ("x", "C") ); }; };'), 'no such role: "x"'),
    (3, GOOD.replace('"graphite"', '"kafka"'), '"type" must be'),
    (3, GOOD.replace("( { type", '( { type = "graphite"; }, { type'), 'two sinks are called "graphite"'),
    (1, GOOD.replace("( { mysql", '( { name = "a"; }, { name = "a"; mysql'), 'two managers are called "a"'),
    (1, GOOD.replace("port = 1; };", 'password_file = "nowhere"; };', 1), "nowhere: No such file"),
])
def test_says_which_and_where(folder, line, text, said):
    done = check(folder, text)
    assert done.returncode == 78, done.stderr
    said = said.replace('"', "'")  # in the log an error is one value in double quotes
    assert f"c.cfg:{line}: " in done.stderr and said in done.stderr, done.stderr


def test_a_config_that_is_not_there(folder):
    done = subprocess.run([str(PROGRAM), "-c", "none.cfg"], cwd=folder, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "none.cfg: No such file" in done.stderr


def test_variables_and_password_files(mariadb, otter, folder, carbon, make_agent, monkeypatch):
    """The secret is used, and never printed."""
    agent = make_agent(mariadb, [{"type": "graphite", "port": carbon.port}],
                       mysql={"password": "", "user": "${OB_TEST_USER}"}, prefix="${OB_TEST_PREFIX:-fallback}")
    (agent.folder / "secret").write_text("a-Secret-of-tests\n")
    agent.top["managers"][0]["mysql"].pop("password")
    agent.top["managers"][0]["mysql"]["password_file"] = "secret"
    agent.write()
    monkeypatch.setenv("OB_TEST_USER", "otterbeat")
    done = agent.run("--check")
    assert done.returncode == 0, done.stdout + done.stderr
    agent.once()
    wait_until(lambda: any(name.startswith("fallback.") for name in carbon.series()), "the prefix")


def test_no_secret_is_said(mariadb, otter, make_agent):
    agent = make_agent(mariadb, [{"type": "graphite", "port": 1}], mysql={"user": "nobody", "password": "hush-HUSH"})
    done = agent.run("--check")
    assert done.returncode == 69
    once = agent.run("--once")
    agent.start()
    agent.wait_for_log("event=poll_failed")
    with open(f"/proc/{agent.process.child.pid}/cmdline", encoding="utf-8") as line:
        shown = line.read()
    assert "HUSH" not in done.stdout + done.stderr + once.stdout + once.stderr + agent.log() + shown
