"""The files for Datadog, Grafana, Kubernetes and Prometheus, checked by the vendors' own models, types and tools."""
import json
import os
import re
import subprocess

import pytest
import yaml

from servers.agent import PROGRAM, settings
from servers.dogstatsd import read_all
from servers.fake_otter import ROOT
from servers.process import wait_until
from servers.prometheus import RULES, Prometheus, promtool
from servers.sinks import Datagrams
from servers.status import Status
from servers.wiring import to_graphite

TESTS = ROOT / "tests"
SAMPLES = {kind: ROOT / "deploy" / kind for kind in ("datadog", "grafana", "victoria-metrics")}
COMMANDS = {"datadog": ("datadog",), "grafana": ("grafana",), "victoria-metrics": ("grafana", "--datasource", "prometheus")}
BOARDS = {"grafana": "Graphite", "victoria-metrics": "Prometheus"}  # the types in vendors/board.ts


def run(*words):
    """Returns (exit code, output)."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "NODE_PATH": str(TESTS / "node_modules")})
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def named(folder):
    """The files for a config of another form: tagged series, a manager with a name, a prefix that is no word of Kubernetes, a shared
    state."""
    config = folder / "otterbeat.cfg"
    config.write_text(settings({"prefix": "_A.b", "managers": [{"name": "shop", "mysql": {"password": ""}}],
                                "sinks": [{"type": "graphite", "port": 2003, "tagged": True}],
                                "state": {"mysql": {"hosts": ("db1",), "user": "otterbeat_agent", "password": ""}}}))
    for kind, command in COMMANDS.items():
        done = subprocess.run([PROGRAM, "-c", config, *command, "--out", folder / kind], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    return folder


def check_datadog(*files):
    return run("node", TESTS / "vendors/datadog.js", *files)


def test_datadogs_models_know_every_part(named):
    files = [file for at in (SAMPLES["datadog"], named / "datadog") for file in sorted(at.rglob("*.json"))]
    assert len(files) == 29
    assert check_datadog(*files) == (0, "")


UNKNOWN_TO_DATADOG = [  # (file, a text in the file, what is there in its place)
    ("monitors/silent.json", "show_and_notify_no_data", "show_and_tell"),
    ("monitors/silent.json", "query alert", "absence alert"),
    ("monitors/silent.json", "require_full_window", "require_full_moon"),
    ("dashboard.json", '"timeseries"', '"timeserious"'),
    ("dashboard.json", "show_legend", "show_legends"),
    ("dashboard.json", '"metrics"', '"metres"'),
]


def test_what_datadog_does_not_know_is_found(folder):
    files = []
    for i, (name, old, new) in enumerate(UNKNOWN_TO_DATADOG):
        files.append(folder / str(i) / os.path.basename(name))
        files[-1].parent.mkdir()
        text = (SAMPLES["datadog"] / name).read_text()
        assert old in text
        files[-1].write_text(text.replace(old, new))
    code, said = check_datadog(*files)
    assert code == 1 and [file for file in files if f"{file}: unknown to Datadog: " not in said] == [], said


def test_an_agent_goes_on_sending_what_the_monitor_for_missing_data_adds_up(mariadb, otter, make_agent):
    query = json.loads((SAMPLES["datadog"] / "monitors/silent.json").read_text())["query"]
    name, by = re.fullmatch(r"sum\(last_10m\):sum:([\w.]+)\{\*\} by \{(\w+)\}\.as_count\(\) < 1", query).groups()
    server = Datagrams()
    make_agent(mariadb, [{"type": "statsd", "flavor": "dogstatsd", "container": "", "port": server.port}],
               sources={"agent": {"every": 1}}).start()

    def arrived():
        return [one for one in read_all(list(server.received)) if one.name == name and one.type == "c" and one.value >= 1 and
                any(tag.startswith(f"{by}:") for tag in one.tags)]

    wait_until(lambda: len(arrived()) >= 4, "the counter, again and again")
    server.stop()


def check_boards(folder, *boards):
    """Compiles boards, (type, text), with the types of tests/vendors/board.ts: each text is an expression of TypeScript. Board 0 is in 0.ts."""
    for i, (kind, text) in enumerate(boards):
        (folder / f"{i}.ts").write_text(f'import type {{ {kind} }} from "{TESTS}/vendors/board";\nexport const board: {kind} = {text};')
    return run("node", TESTS / "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
               "--module", "node16", "--types", "", *sorted(folder.glob("*.ts")))


def test_the_boards_are_of_grafanas_types(named):
    boards = [(kind, file.read_text()) for name, kind in BOARDS.items() for at in (SAMPLES[name], named / name)
              for file in sorted(at.rglob("dashboards/*/*.json"))]
    assert len(boards) == 12
    assert check_boards(named, *boards) == (0, "")
    code, said = run("node", "-p", 'require("@grafana/schema").defaultDashboard.schemaVersion')
    assert code == 0 and {json.loads(text)["schemaVersion"] for _, text in boards} == {int(said)}


UNKNOWN_TO_GRAFANA = [  # (a text in a board for Graphite, what is there in its place)
    ('"schemaVersion": 42', '"schemaVersion": "42"'),
    ('"drawStyle": "line"', '"drawStyle": "lines"'),
    ('"fillOpacity"', '"fillOpaqueness"'),
    ('"showLegend": true', '"showLegend": "yes"'),
    ('"graphTooltip": 1', '"graphTooltip": 3'),
    ('"refresh": "1m"', '"refreshed": "1m"'),
    ('"uid": "otter-graphite"', '"name": "otter-graphite"'),
    ('"textEditor": true', '"textEdit": true'),
    ('"type": "state-timeline"', '"type": "statetimeline"'),
]
UNKNOWN_OF_PROMETHEUS = [
    ('"expr"', '"target"'),
    ('"editorMode": "code"', '"editorMode": "text"'),
    ('"legendFormat"', '"legend"'),
    ('"range": true', '"range": "true"'),
    ('"type": "prometheus"', '"type": "graphite"'),
]


def test_what_is_of_no_type_of_grafana_is_found(folder):
    boards = []
    for name, unknown in (("grafana", UNKNOWN_TO_GRAFANA), ("victoria-metrics", UNKNOWN_OF_PROMETHEUS)):
        text = (SAMPLES[name] / "dashboards/otter/overview.json").read_text()
        assert [old for old, _ in unknown if old not in text] == []
        boards += [(BOARDS[name], text.replace(old, new)) for old, new in unknown]
    code, said = check_boards(folder, *boards)
    found = {int(i) for i in re.findall(r"^(?:\S*/)?(\d+)\.ts\W", said, re.M)}
    assert code != 0 and found == set(range(len(boards))), said


def test_kubectl_makes_a_configmap_of_the_boards(named):
    """The sidecar for dashboards copies the files out of each ConfigMap with the label, and all of them into one folder."""
    names = set()
    for at, identity, name in ((SAMPLES["grafana"], "otter", "otterbeat-otter-dashboards"),
                               (named / "grafana", "_A-b", "otterbeat--a-b-dashboards")):
        boards = at / "dashboards" / identity
        code, made = run("kubectl", "kustomize", boards)
        assert code == 0, made
        (named / "map.yaml").write_text(made)
        code, said = run("node", TESTS / "package/manifests.js", named / "map.yaml")
        assert (code, said) == (0, f"{named}/map.yaml: ConfigMap {name}: valid\n")
        made = yaml.safe_load(made)
        assert made["metadata"] == {"name": name, "labels": {"grafana_dashboard": "1"}}
        assert made["data"] == {f"{identity}-{file.name}": file.read_text() for file in boards.glob("*.json")}
        assert len(made["data"]) == 3 and not names & set(made["data"])
        names |= set(made["data"])


def ask_the_state(folder, config, state, **variables):
    """An agent with this config, whose `hosts` become the test's database, logs in there."""
    text, n = re.subn(r'hosts = \( "[^"]+" \);', f'hosts = ( "127.0.0.1" ); port = {state.port};', config)
    (folder / "shared.cfg").write_text(text)
    code, said = run("env", *(f"{name}={value}" for name, value in variables.items()), PROGRAM, "-c", folder / "shared.cfg", "cluster")
    assert n == 1 and code == 0, said


def test_compose_runs_two_agents_that_share_a_state(folder, state):
    files = [ROOT / "deploy" / name for name in ("compose.yaml", "compose.cluster.yaml")]
    code, made = run("env", "OTTERBEAT_PASSWORD=x", "OTTERBEAT_CFG=/dev/null", f"STATE_SQL={ROOT}/deploy/state.sql",
                     "OTTERBEAT_STATE_PASSWORD=y", "docker-compose", "-f", files[0], "-f", files[1], "config")
    assert code == 0, made
    agents = [one for one in yaml.safe_load(made)["services"].values() if "OTTERBEAT_AGENT" in one.get("environment", {})]
    ports = [one["environment"]["OTTERBEAT_STATUS"].partition(":")[2] for one in agents]
    assert len({one["environment"]["OTTERBEAT_AGENT"] for one in agents}) == len(set(ports)) == 2
    assert [one["healthcheck"]["test"][-1] for one in agents] == ports
    for key in ("read_only", "cap_drop", "mem_limit", "stop_grace_period", "network_mode", "build"):
        assert agents[0][key] == agents[1][key], key
    line, = re.findall(r"(?m)^# +(state = .*)$", files[1].read_text())
    config = (ROOT / "config/otterbeat.cfg").read_text()
    ask_the_state(folder, re.sub(r"(?m)^state_dir .*$", line, config), state, OTTERBEAT_STATE_PASSWORD="change-me-2",
                  OTTERBEAT_AGENT="agent-1")


def test_kubernetes_runs_two_agents_that_share_a_state(folder, state):
    file = ROOT / "deploy/kubernetes/otterbeat-cluster.yaml"
    code, said = run("node", TESTS / "package/manifests.js", file)
    assert code == 0, said
    secret, config, _, deployment = yaml.safe_load_all(file.read_text())
    assert deployment["spec"]["replicas"] == 2 and "strategy" not in deployment["spec"], "they are replaced one by one"
    for name, password in secret["stringData"].items():
        (folder / name).write_text(password)
    text = config["data"]["otterbeat.cfg"].replace("/run/secrets/otterbeat/", f"{folder}/")
    ask_the_state(folder, text, state)


def test_grafanas_rules_are_complete(named):
    """The properties of the rules in Grafana's files of rules, version 1."""
    for at, identity, n in [(at / name, identity, n) for name in BOARDS for at, identity, n in ((ROOT / "deploy", "otter", 13), (named, "_A-b", 14))]:
        rules = json.loads((at / f"alerting/{identity}.yaml").read_text())["groups"][0]["rules"]
        assert len(rules) == n
        for rule in rules:
            assert set(rule) == {"uid", "title", "condition", "data", "noDataState", "execErrState", "isPaused", "for", "annotations",
                                 "labels", "dashboardUid", "panelId"}
            assert rule["noDataState"] in ("OK", "Alerting") and rule["execErrState"] == "Error" and rule["isPaused"] is False
            assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
            assert rule["labels"]["severity"] in ("critical", "warning", "info") and rule["labels"]["source"] == "otterbeat"


def test_the_alerts_name_a_section_of_the_manual(folder):
    """The runbook is a section that the manual has; --runbook names another address."""
    manual = subprocess.run(["mandoc", "-Thtml", ROOT / "deploy/otterbeat.1"], capture_output=True, text=True, check=True).stdout
    text = (SAMPLES["grafana"] / "alerting/otter.yaml").read_text() + RULES.read_text()
    named_there = set(re.findall(r'runbook_url"?: "?([^"\s]+)', text))
    assert named_there == {"man:otterbeat(1)#ALERTS"} and 'id="ALERTS"' in manual
    address = "https://wiki.example.com/otterbeat.html#ALERTS"
    code, said = run(PROGRAM, "-c", ROOT / "config/otterbeat.cfg", "grafana", "--out", folder, "--runbook", address)
    assert code == 0, said
    rules = json.loads((folder / "alerting/otter.yaml").read_text())["groups"][0]["rules"]
    assert {rule["annotations"]["runbook_url"] for rule in rules} == {address}


def test_prometheus_takes_the_alerts():
    assert promtool("check", "rules", "--lint=all", "--lint-fatal", RULES) == (0, f"Checking {RULES}\n  SUCCESS: 8 rules found\n\n")
    code, said = promtool("test", "rules", TESTS / "vendors/otterbeat.rules.test.yaml")
    assert code == 0 and "SUCCESS" in said, said


def test_prometheus_and_vmalert_take_the_queries_in_promql(named):
    """promtool also parses the queries of the panels, each in a rule of its own."""
    for at, identity, n in ((SAMPLES["victoria-metrics"], "otter", 13), (named / "victoria-metrics", "_A-b", 14)):
        rules = at / f"vmalert/{identity}.yaml"
        assert promtool("check", "rules", "--lint=all", "--lint-fatal", rules) == (0, f"Checking {rules}\n  SUCCESS: {n} rules found\n\n")
        code, said = run("vmalert", "-dryRun", f"-rule={rules}")
        assert code == 0, said
        text = "".join(file.read_text() for file in at.rglob("dashboards/*/*.json"))
        queries = [json.loads(f'"{query}"') for query in re.findall(r'"expr": "(.*)"', text)]
        assert len(queries) > 30
        panels = [{"record": f"panel_{i}", "expr": re.sub(r"\$__(interval_ms|interval|range)", lambda of: {"interval_ms": "1"}.get(of[1], "1s"),
                                                          query)} for i, query in enumerate(queries)]
        (named / "panels.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": panels}]}))
        code, said = promtool("check", "rules", named / "panels.yaml")
        assert code == 0, said


def test_each_alert_has_a_test():
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    tested = (TESTS / "vendors/otterbeat.rules.test.yaml").read_text()
    assert [rule["alert"] for rule in rules if f'"{rule["alert"]}"' not in tested] == []
    manual = (ROOT / "deploy/otterbeat.1").read_text()
    assert [rule["alert"] for rule in rules if f'.It {rule["alert"]} ' not in manual] == []


@pytest.fixture
def prometheus(folder):
    made = []

    def make(*targets):
        made.append(Prometheus(folder / "prometheus", targets))
        return made[0].start()

    yield make
    for one in made:
        one.stop()


def test_prometheus_sees_an_agent_that_fails(mariadb, otter, carbon, make_agent, prometheus):
    """Every metric in the alerts is one that an agent offers, and the alerts name the agent, the sink and the source."""
    status = Status()
    agent = make_agent(mariadb, [to_graphite(carbon)], status={"listen": status.listen, "patience": 1}).start()
    wait_until(lambda: status.answers() and status.health() == (200, "ok\n"), "the agent is well")
    offered = set(re.findall(r"^otterbeat_\w+", status.ask("/metrics")[2], re.M))
    asked = set(re.findall(r"otterbeat_\w+", " ".join(rule["expr"] for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"])))
    assert asked - offered == {"otterbeat_managers_unowned"}, "only agents that share a state have this metric"
    server = prometheus(status.listen)
    wait_until(lambda: server.number("otterbeat_healthy") == 1, "a sample")
    wait_until(lambda: server.alerts() == {}, "no alert, after the first sample")
    carbon.kill9()
    alerts = wait_until(lambda: len(server.alerts()) == 2 and server.alerts(), "alerts")
    assert set(alerts) == {"OtterbeatSinkFailing", "OtterbeatUnhealthy"}
    said = alerts["OtterbeatSinkFailing"]["annotations"]["summary"]
    assert said == f"The agent {status.listen} does not deliver to the sink graphite"
    agent.kill9()
    wait_until(lambda: set(server.alerts()) == {"OtterbeatDown", "OtterbeatAllDown"}, "the agent is down")
