"""The files that `otterbeat grafana` and `otterbeat datadog` write, and the files that they do not touch."""
import configparser
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from servers.agent import PROGRAM, settings
from servers.fake_otter import ROOT

DEMO = ROOT / "config/otterbeat.cfg"
QUERY = re.compile(r"(min|max|sum)\(last_(\d+)m\):(min|max|sum):[a-zA-Z][\w.]*\{[^{}]+\} by \{[\w,]+\}(\.as_count\(\))? "
                   r"(>|<|==) (\d+)")


def run(folder, *words, config=DEMO):
    return subprocess.run([str(PROGRAM), "-c", str(config), *words], cwd=folder, capture_output=True, text=True,
                          timeout=60)


def write(folder, kind, config=DEMO, *words):
    """Runs the command and returns {name: JSON} of all written files."""
    done = run(folder, kind, "--out", kind, *words, config=config)
    assert done.returncode == 0, done.stderr
    return read(folder / kind)


def read(folder):
    return {str(path.relative_to(folder)): json.loads(path.read_text("utf-8"))
            for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".cfg"}


@pytest.fixture
def make_config(folder):
    def make(**top):
        path = folder / "otterbeat.cfg"
        path.write_text(settings({"managers": [{"mysql": {"password": ""}}],
                                  "sinks": [{"type": "graphite", "port": 2003}], **top}))
        return path
    return make


VICTORIA = ROOT / "deploy/victoria-metrics"
IN_PROMQL = ("grafana", VICTORIA / "otterbeat.cfg", "--datasource", "prometheus")


@pytest.mark.parametrize("command, at", [(("grafana",), ROOT / "deploy/grafana"), (("datadog",), ROOT / "deploy/datadog"),
                                         (IN_PROMQL, VICTORIA)])
def test_the_samples_are_current(folder, command, at):
    assert write(folder, *command) == read(at), "make them again, see CONTRIBUTING.md"


def test_graphite_is_the_default(folder):
    assert write(folder, "grafana", DEMO, "--datasource", "graphite") == read(ROOT / "deploy/grafana")


def test_what_is_there_is_left_as_it_is(folder):
    done = run(folder, "grafana", "--out", "a/b")
    assert done.returncode == 0 and "a/b/alerting/otter.yaml\n" in done.stdout
    file, before = folder / "a/b/alerting/otter.yaml", (folder / "a/b/alerting/otter.yaml").read_text()
    stranger = folder / "a/b/alerting/mine.yaml"
    stranger.write_text("mine")
    file.write_text("mine")
    done = run(folder, "grafana", "--out", "a/b")
    assert done.returncode == 0 and f"{'a/b/alerting/otter.yaml'} is there already, differs, and was left as it is" in done.stdout
    assert "a/b/dashboards/otter/agent.json is there already, just so" in done.stdout
    assert file.read_text() == "mine"
    done = run(folder, "grafana", "--out", "a/b", "--replace")
    assert "a/b/alerting/otter.yaml was replaced" in done.stdout
    assert file.read_text() == before and stranger.read_text() == "mine"


def test_only_a_regular_file_is_replaced(folder):
    """A link, a fifo or a folder belongs to somebody else and stays; and the command does not wait for the reader of a fifo."""
    assert run(folder, "grafana", "--out", "a").returncode == 0
    file, target = folder / "a/alerting/otter.yaml", folder / "target"
    target.write_text("mine")
    for make in (lambda: file.symlink_to(target), lambda: os.mkfifo(file), file.mkdir):
        file.rmdir() if file.is_dir() else file.unlink()
        make()
        before = file.lstat()
        done = run(folder, "grafana", "--out", "a", "--replace")
        assert done.returncode == 70 and "a/alerting/otter.yaml is not a regular file, and was left as it is" in done.stderr
        assert (file.lstat().st_ino, file.lstat().st_mode) == (before.st_ino, before.st_mode)
        assert target.read_text() == "mine" and not list(folder.rglob("*.new"))


def test_init_follows_no_link(folder):
    (folder / "otterbeat.cfg").symlink_to(folder / "elsewhere")
    (folder / "otterbeat.cfg.example").symlink_to(folder / "elsewhere")
    os.mkfifo(folder / "ctl")
    done = subprocess.run([str(PROGRAM), "--init", "."], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.count("is there already and was left as it is") == 3
    assert not (folder / "elsewhere").exists() and (folder / "ctl").is_fifo()


def test_what_can_not_be_written(folder):
    (folder / "file").write_text("")
    for kind in ("grafana", "datadog"):
        done = run(folder, kind, "--out", "file/x")
        assert done.returncode == 70 and "Not a directory" in done.stderr


def test_wrong_usage(folder):
    for words in (["grafana"], ["datadog"], ["grafana", "--out"], ["grafana", "--out", ""], ["grafana", "--out", "x", "y"],
                  ["grafana", "--out", "x", "--nonsense"], ["datadog", "--out", "x", "--url", "http://x"]):
        done = run(folder, *words)
        assert done.returncode == 64 and "usage: otterbeat" in done.stderr, words
    assert not list(folder.iterdir())


def test_a_config_that_grafana_has_nothing_to_ask(folder, make_config):
    done = run(folder, "grafana", "--out", "x", config=make_config(sinks=[{"type": "statsd", "port": 8125}]))
    assert done.returncode == 78 and "no graphite sink" in done.stderr
    done = run(folder, "grafana", "--out", "x", "--datasource", "prometheus", config=make_config())
    assert done.returncode == 78 and "no graphite sink of the config has tagged = true" in done.stderr
    done = run(folder, "grafana", "--out", "x", "--datasource", "promql")
    assert done.returncode == 64 and '--datasource must be graphite or prometheus, not "promql"' in done.stderr
    assert not (folder / "x").exists()
    done = run(folder, "grafana", "--out", "x", config=make_config(prefix="p" * 30))
    assert done.returncode == 78 and "prefix is too long" in done.stderr


def test_the_sink_for_promql(folder, make_config):
    """A sink that sends each step once is preferred; what it holds back is not missing in windows and ranges."""
    sinks = [{"type": "graphite", "host": "a"}, {"type": "graphite", "name": "b", "host": "b", "tagged": True},
             {"type": "graphite", "name": "c", "host": "c", "tagged": True, "receiver": "append", "hold": 900}]
    done = run(folder, "grafana", "--out", "x", "--datasource", "prometheus", config=make_config(sinks=sinks[:2]))
    assert done.returncode == 0 and 'the sink b has no receiver = "append"' in done.stderr
    done = run(folder, "grafana", "--out", "y", "--datasource", "prometheus", config=make_config(sinks=sinks))
    assert done.returncode == 0 and done.stderr == ""
    for at, host, end, silence in (("x", "b", "now-1m", 300), ("y", "c", "now-24m", 1650)):
        files = read(folder / at)
        assert files["datasources/otter.yaml"]["datasources"][0]["url"] == f"http://{host}:8428"
        assert files["dashboards/otter/overview.json"]["time"]["to"] == end
        windows = re.findall(r"\[(\d+)s\]", json.dumps(files["vmalert/otter.yaml"]))
        assert min(map(int, windows)) == silence
    assert not run(folder, "grafana", "--out", "z", config=make_config(sinks=sinks[1:2])).stderr
    for words in ((), ("--datasource", "prometheus")):
        done = run(folder, "grafana", "--out", "z", *words, config=make_config(sinks=[{**sinks[2], "counters": "gauge"}]))
        assert done.stderr == 'otterbeat: the sink c has counters = "gauge", so it sends no amounts, but the files ask for amounts: set counters = "both"\n'


def test_what_is_not_read_is_not_shown(folder, make_config):
    files = write(folder, "grafana", make_config(sources={"page": {"enabled": False}}))
    text = json.dumps(files)
    assert "delay_ms" in text and not re.search("node_up|channel_state|stage_ms|last_sync_age_s", text)
    files = write(folder, "datadog", make_config(sources={"page": {"enabled": False}}))
    assert "monitors/node-down.json" not in files and "monitors/lagging.json" in files


def test_only_agents_that_share_a_state_have_managers_without_an_owner(folder, make_config):
    alone = {**write(folder, "grafana", make_config()), **write(folder, "datadog", make_config())}
    assert not re.search("managers_unowned|agent[.]managers|no-owner", json.dumps(alone))
    shutil.rmtree(folder / "grafana")
    shutil.rmtree(folder / "datadog")
    shared = make_config(state={"mysql": {"hosts": ("db1",), "user": "otterbeat_agent", "password": ""}})
    files = {**write(folder, "grafana", shared), **write(folder, "datadog", shared)}
    rule, = [rule for rule in files["alerting/otter.yaml"]["groups"][0]["rules"] if rule["uid"] == "otter-no-owner"]
    assert rule["noDataState"] == "OK" and rule["data"][0]["model"]["target"] == (
        "fallbackSeries(otter.agent.*.agent.managers_unowned,constantLine(0))")
    panel, = [one for one in files["dashboards/otter/agent.json"]["panels"] if one["id"] == rule["panelId"]]
    assert panel["title"] == "Managers without an owner" and panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == 0
    monitor = files["monitors/no-owner.json"]
    assert monitor["query"] == "min(last_5m):max:otter.agent.managers_unowned{*} by {agent} > 0"
    assert monitor["options"]["on_missing_data"] == "resolve"


@pytest.mark.parametrize("command, key, reducers", [(("grafana",), "target", {"last", "sum"}), (IN_PROMQL, "expr", {"last"})])
def test_grafanas_files_hold_together(folder, command, key, reducers):
    files = write(folder, *command)
    source = files["datasources/otter.yaml"]["datasources"][0]
    assert source["uid"] == f"otter-{source['type']}"
    assert set(re.findall(r'"uid": "([^"]*-(?:graphite|prometheus))"', json.dumps(files))) == {source["uid"]}
    boards = {board["uid"]: board for name, board in files.items() if name.endswith(".json")}
    rules = files["alerting/otter.yaml"]["groups"][0]["rules"]
    for rule in rules:
        panel, = [one for one in boards[rule["dashboardUid"]]["panels"] if one["id"] == rule["panelId"]]
        series = re.search(r"([a-z_]+)[,)\"]", rule["data"][0]["model"][key])[1]
        assert series in panel["targets"][0][key], "the panel shows what the alert is about"
        assert rule["annotations"]["summary"] and len(rule["annotations"]["description"]) > 60
    uids = [*boards, *(rule["uid"] for rule in rules)]
    assert len(set(uids)) == len(uids) and all(len(uid) <= 40 for uid in uids)
    assert [rule["uid"] for rule in rules if rule["noDataState"] != "OK"] == ["otter-silent"]
    assert {rule["data"][1]["model"]["reducer"] for rule in rules} == reducers


def test_the_rules_of_vmalert_are_those_of_grafana(folder):
    files = write(folder, *IN_PROMQL)
    compare = {"gt": lambda low: f" > {low}", "lt": lambda low: f" < {low}", "within_range": lambda low, high: f" == {(low + high) / 2:g}"}
    for rule, other in zip(files["alerting/otter.yaml"]["groups"][0]["rules"], files["vmalert/otter.yaml"]["groups"][0]["rules"], strict=True):
        question, _, comparison = (part["model"] for part in rule["data"])
        evaluator = comparison["conditions"][0]["evaluator"]
        assert other == {"alert": rule["uid"], "expr": question["expr"] + compare[evaluator["type"]](*evaluator["params"]),
                         **{key: rule[key] for key in ("for", "labels", "annotations")}}


@pytest.mark.parametrize("sink, said", [
    ({}, 'no sink of this config has flavor = "dogstatsd"'),
    ({"flavor": "dogstatsd"}, ""),
    ({"flavor": "dogstatsd", "counters": "gauge"}, 'it should be "both"'),
])
def test_what_datadog_would_miss_is_reported(folder, make_config, sink, said):
    done = run(folder, "datadog", "--out", "x", config=make_config(sinks=[{"type": "statsd", "port": 8125, **sink}]))
    assert done.returncode == 0 and said in done.stderr and bool(said) == bool(done.stderr)


def test_datadogs_monitors(folder):
    files = write(folder, "datadog")
    monitors = {name: file for name, file in files.items() if name.startswith("monitors/")}
    for name, monitor in monitors.items():
        asked = QUERY.fullmatch(monitor["query"])
        assert asked, monitor["query"]
        assert monitor["options"]["thresholds"] == {"critical": int(asked[6])}
        assert bool(asked[4]) == (asked[1] == "sum")
        is_silent = name == "monitors/silent.json"
        assert monitor["options"]["on_missing_data"] == ("show_and_notify_no_data" if is_silent else "resolve")
    rules = write(folder, "grafana")["alerting/otter.yaml"]["groups"][0]["rules"]
    assert {pathlib.Path(name).stem for name in monitors} == {rule["uid"].removeprefix("otter-") for rule in rules}
    groups = files["dashboard.json"]["widgets"]
    assert len(groups) == 3 and all(group["definition"]["widgets"] for group in groups)


def method_of(path):
    """Returns the aggregation like carbon: that of the first pattern that matches the name."""
    rules = configparser.ConfigParser(interpolation=None)
    rules.read(ROOT / "deploy/carbon/storage-aggregation.conf")
    return next(rules[name]["aggregationMethod"] for name in rules.sections() if re.search(rules[name]["pattern"], path))


def test_sums_stay_sums():
    """Carbon's coarser retentions add counters, for each series of config/builtin.c and config/own_series.c."""
    columns = re.findall(r'\{ OB_(\w+), (?:NULL|"\w+"), "([\w.]+)"', (ROOT / "config/builtin.c").read_text())
    columns += re.findall(r'OF_MESSAGE\(OB_(PEAK), "([\w.]+)"', (ROOT / "config/builtin.c").read_text())
    own = re.findall(r'= \{ "([\w.]+)", OB_(COUNTER|GAUGE)', (ROOT / "config/own_series.c").read_text())
    wanted = {"INCREMENT": {"sum"}, "TOTAL": {"sum"}, "COUNT": {"sum"}, "PEAK": {"max"}, "AGE": {"max"},
              "VALUE": {"max", "last"}, "COUNTER": {"sum"}, "GAUGE": {"max", "last"}}
    found = [(role, name) for role, name in columns if role in wanted] + [(role, name) for name, role in own]
    assert len(found) > 40
    for role, name in found:
        for path in (f"otter.pipeline.3.{name}", f"otter.manager.shop.pipeline.3.type.row.{name}",
                     f"otter.{name};manager=shop;pipeline=3", f"otter.{name}"):
            assert method_of(path) in wanted[role], path
