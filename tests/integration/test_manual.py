"""The manual: man shows both pages, and otterbeat.cfg(5), which is made from the demo config, contains all of its texts."""
import pathlib
import re
import subprocess

import pytest

from servers.fake_otter import BUILD

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "config/otterbeat.cfg.example"
PAGES = {"otterbeat.1": ROOT / "deploy/otterbeat.1", "otterbeat.cfg.5": BUILD / "deploy/otterbeat.cfg.5"}

# Where the settings of each table in config/all_settings.c are explained; None: anywhere.
SECTIONS = {"top_settings": None, "queue_settings": "QUEUE", "names_settings": "NAMES", "health_settings": "HEALTH",
            "source_settings": "SOURCES", "statsd_settings": 'type = "statsd"', "graphite_settings": 'type = "graphite"',
            "manager_settings": "MANAGERS", "mysql_settings": "mysql", "page_settings": "page",
            "status_settings": "STATUS", "state_settings": "STATE", "state_mysql_settings": None}
IN_PROSE = {"password_file", "table", "address", "heading", "rows", "columns"}  # the others have an item or a section each


def run(*words, **more):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, **more)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_clean(name):
    assert run("mandoc", "-Tlint", "-Wwarning", PAGES[name]).stdout == ""
    shown = run("man", "--warnings", "-E", "UTF-8", "-l", PAGES[name], env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"})
    assert shown.stderr == "" and "SEE ALSO" in shown.stdout


def plain(text):
    return " ".join(text.replace("`", "").split())


def as_shown():
    return plain(re.sub(r".\x08", "", run("mandoc", "-Tutf8", PAGES["otterbeat.cfg.5"]).stdout))


def said_in(demo):
    """Yields each text of the demo config: settings without the semicolon, the comments behind settings, and other comments."""
    for line in demo.splitlines():
        line = re.sub(r"^ *#?", "", line)
        line = re.sub(r"^ +# ", "", line)
        if re.fullmatch(r" *[)}{]?[;,]?", line) or re.fullmatch(r"[a-z_]+ *= *[({]", line):
            continue
        for piece in re.split(r" # |(?<=[^ ;])   +(?!=|#)", line):
            yield plain(re.sub(r"; *$", "", piece))


def test_the_page_says_all_that_the_demo_config_says():
    shown, pieces = as_shown(), list(said_in(DEMO.read_text()))
    assert len(pieces) > 150
    assert [piece for piece in pieces if piece not in shown] == []


def sections():
    source = PAGES["otterbeat.cfg.5"].read_text().replace("\\(dq", '"')
    pieces = re.split(r'(?m)^\.S[hs] "?(.*?)"?$', source)
    found = {}
    for title, text in zip(pieces[1::2], pieces[2::2]):  # two sections are called mysql
        found[title] = found.get(title, "") + text
    return found


def tables():
    text = (ROOT / "config/all_settings.c").read_text()
    for table, body in re.findall(r"(?ms)^const struct ob_setting ob_(\w+)\[\] = \{\n(.*?)^\};", text):
        yield table, re.findall(r'\{ "(\w+)", OB_SET', body)


def is_explained(name, there, section):
    text = there[section] if section else "".join(there.values())
    return (re.search(rf'(?m)^\.It Li "{name} = ', text) or name in there or name.upper() in there
            or name == "type" and section in there or name in IN_PROSE and re.search(rf"\b{name}\b", text))


def test_each_setting_is_explained():
    there, seen = sections(), list(tables())
    assert {table for table, _ in seen} == set(SECTIONS)
    assert [f"{table}: {name}" for table, names in seen for name in names
            if not is_explained(name, there, SECTIONS[table])] == []
