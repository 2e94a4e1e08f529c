"""otterbeat refuses a wrong config before it opens anything, and names file and line."""
import re
import subprocess

import pytest

from servers.agent import PROGRAM
from servers.fake_otter import ROOT
from servers.mariadb import PASSWORD, USER
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
    assert done.returncode == 78, done.stdout
    said = said.replace('"', "'")  # in the log an error is one value in double quotes
    assert re.match(rf"BAD  config file: c.cfg:{line}: .*{re.escape(said)}", done.stdout), done.stdout
    assert not done.stderr and "1 problem, first fix: config file: `man otterbeat.cfg`" in done.stdout


def test_a_config_that_is_not_there(folder):
    done = subprocess.run([str(PROGRAM), "-c", "none.cfg"], cwd=folder, capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "none.cfg: No such file or directory; `otterbeat --init` writes a config" in done.stderr


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


def test_a_config_in_several_files(mariadb, otter, make_agent, sink):
    """Each file has its settings; a reload reads the folder again; an error names the file, and the old config stays."""
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}], include_dir="conf.d")
    more = agent.folder / "conf.d"
    more.mkdir()
    (more / "10-prefix.cfg").write_text('prefix = "first";\n')
    agent.start()
    wait_until(lambda: any(line.startswith("first.") for line in sink.lines()), "the prefix of the file")
    (more / "20-drain.cfg").write_text('\ndrain = 3;\nprefix = "second";\n')
    agent.reload()
    agent.wait_for_log("event=reload_failed")
    here = re.escape(str(more))
    assert re.search(rf"err=\"{here}/20-drain.cfg:2: 'drain' is set at {re.escape(str(agent.config))}:2, too\"", agent.log())
    assert f"BAD  config file: {more}/20-drain.cfg:2: " in agent.run("--check").stdout
    (more / "20-drain.cfg").unlink()
    (more / "10-prefix.cfg").write_text('prefix = "second";\n')
    agent.reload()
    agent.wait_for_log("event=reloaded")
    wait_until(lambda: any(line.startswith("second.") for line in sink.lines()), "the new prefix")


def test_files_of_a_folder_that_others_may_change(mariadb, make_agent, sink):
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}], include_dir="conf.d")
    (agent.folder / "conf.d").mkdir()
    more = agent.folder / "conf.d/more.cfg"
    more.write_text('prefix = "p";')
    agent.config.chmod(0o600)
    for path, mode, says in ((more, 0o602, "write to it"), (more.parent, 0o777, "replace the files in it")):
        before = path.stat().st_mode
        assert "everybody" not in agent.run("--check").stdout
        path.chmod(mode)
        assert f"warn config {path}: everybody on this machine can {says} -> " in agent.run("--check").stdout
        path.chmod(before)


MANUAL = ROOT / "deploy/otterbeat.1"


def test_secrets_as_systemd_gives_them(mariadb, otter, manager, make_agent, sink, monkeypatch, folder):
    """The example in the manual. systemd makes a folder with a read-only copy of each file that the unit names."""
    unit = (ROOT / "deploy/otterbeat.service.in").read_text()
    example = MANUAL.read_text().partition(".Sh SECRETS")[2].partition(".Sh")[0]
    named = dict(re.findall(r"(?m)^LoadCredential=(\w+):(\S+)$", unit + example))
    assert named == {"password": "/etc/otterbeat/password", "page": "/etc/otterbeat/page"}
    line = re.search(r'(?m)^password_file = "(.*)";$', example)[1]
    copies = folder / "credentials"
    copies.mkdir(mode=0o700)
    for name, secret in (("password", PASSWORD), ("page", manager.password)):
        (copies / name).write_text(secret + "\n")
        (copies / name).chmod(0o400)
    copies.chmod(0o500)
    mysql = {"port": mariadb.port, "user": USER, "password_file": line.replace("/page", "/password")}
    agent = make_agent(mariadb, [{"type": "statsd", "port": sink.port}],
                       managers=[{"mysql": mysql, "page": {"url": manager.url, "user": manager.user, "password_file": line}}],
                       sources={"page": {"enabled": True}})
    agent.config.chmod(0o600)
    without = agent.run("--check")
    assert without.returncode == 78 and "/etc/otterbeat/password: No such file or directory" in without.stdout, without
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(copies))
    manager.state("login required")
    done = agent.run("--check")
    assert done.returncode == 0 and "everybody" not in done.stdout, done.stdout
    (copies / "page").chmod(0o600)
    (copies / "page").write_text("wrong\n")
    assert agent.run("--check").returncode == 69, "the copy is what is used"
