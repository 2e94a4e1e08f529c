"""otterbeat verify: compares what a real graphite-web answers with what the tables have."""
import json
import socket
import time

import pytest

from servers.agent import PROGRAM
from servers.carbon import Carbon
from servers.graphite_web import GraphiteWeb
from servers.process import free_port, wait_until
from servers.terminal import Terminal
from servers.victoria_metrics import VictoriaMetrics
from servers.wiring import to_graphite, to_statsd

pytestmark = pytest.mark.slow

SHORT = {name: {"overlap": 5} for name in ("delay", "throughput", "history", "log")}
STEP = 60
FORMS = {"ids": {}, "names": {"path": "names"}, "tagged": {"tagged": True}}


def without_totals(sums):
    return {name: value for name, value in sums.items() if ".table." not in name}


class Tree:
    """A carbon with a graphite-web over its whisper files, and an agent that sends the history of two hours to carbon."""

    def __init__(self, folder, mariadb, otter, make_agent, form="ids", **carbon):
        place = folder / "web"
        place.mkdir()
        whisper = folder / "carbon" / "whisper"
        self.mariadb, self.otter = mariadb, otter
        self.web = GraphiteWeb(place, whisper)
        self.carbon = Carbon(folder / "carbon", tag_url=self.web.url if form == "tagged" else "", **carbon)
        sink = to_graphite(self.carbon, horizon=2, creates=0, **FORMS[form])
        self.agent = make_agent(mariadb, [sink], sources=SHORT)

    def start(self):
        self.web.start()
        self.carbon.start()
        self.otter.do("history", "--rows", 300, "--hours", 2, "--until", int(time.time()) - 200)
        self.agent.once()
        return self

    def stop(self):
        self.carbon.stop()
        self.web.stop()

    def verify(self, *options, code, since="-3h"):
        done = self.agent.run("verify", "--since", since, "--render", self.web.url, *options)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def found(self, *options, **more):
        """Returns {series: what the JSON says}, and the summary."""
        *series, last = map(json.loads, self.verify("--json", *options, **more).stdout.splitlines())
        return {one["series"]: one for one in series}, last["summary"]

    def wait_until_equal(self):
        """carbon writes a little later than it receives, and tells graphite-web of tags later still."""
        def is_equal():
            done = self.agent.run("verify", "--since", "-3h", "--render", self.web.url)
            return done.returncode == 0
        wait_until(is_equal, "all is equal", 30, 1)

    def send(self, path, points):
        """Sends points to carbon like any other sender, and waits until they are stored."""
        with socket.create_connection(("127.0.0.1", self.carbon.port)) as to:
            to.sendall("".join(f"{path} {value} {at}\n" for at, value in points.items()).encode())
        wait_until(lambda: points.items() <= self.carbon.points(path).items(), path)

    def remake(self, path, points):
        """Replaces a file of whisper by one with only these points."""
        self.file(path).unlink()
        self.send(path, points)

    def file(self, path):
        return self.carbon.whisper / (path.replace(".", "/") + ".wsp")


@pytest.fixture
def make_tree(folder, mariadb, otter, make_agent):
    made = []

    def make(**settings):
        made.append(Tree(folder, mariadb, otter, make_agent, **settings))
        return made[-1].start()

    yield make
    for tree in made:
        tree.stop()


def reasons(one):
    return {reason["reason"]: reason["steps"] for reason in one["reasons"]}


def differences(one):
    return {step["time"]: (step["tables"], step["graphite"]) for step in one["differences"]}


def assert_equal(one):
    assert one["is_equal"] and not one["steps_that_differ"] and not one["reasons"] and not one["differences"], one
    assert one["tables"] == one["graphite"], one


@pytest.mark.parametrize("form", FORMS)
def test_a_healthy_tree(make_tree, form):
    tree = make_tree(form=form)
    tree.wait_until_equal()
    series, summary = tree.found(code=0)
    for one in series.values():
        assert_equal(one)
    assert (summary["equal"], summary["differ"], summary["left_out"]) == (len(series), 0, 0)
    assert summary["not_compared"] == ["delay_age", "throughput_age", "table", "state", "agent"]
    assert sum(one["series"].endswith("delay_ms") or "delay_ms;" in one["series"] for one in series.values()) == 3
    if form == "ids":  # the sums and the steps are those of another program
        sums = {name: one["tables"] for name, one in series.items() if one["kind"] == "sum"}
        assert sums == without_totals(tree.otter.sums())
        assert {name: one["steps"] for name, one in series.items()} == {
            name: len(tree.carbon.points(name)) for name in tree.carbon.series() if name in series}


def spoil(tree):
    """Spoils seven series, each in its own way. Returns {series: (reasons, what differs)}."""
    def points(path):
        return dict(sorted(tree.carbon.points(path).items()))

    wrong = {}
    path = "otter.pipeline.1.type.row.throughput.count"
    wrong[path] = {"absent": None}, {at: (value, None) for at, value in points(path).items()}
    tree.file(path).unlink()

    path = "otter.pipeline.2.pair.3.history.inserts"
    at, value = max(points(path).items(), key=lambda point: point[1])
    tree.send(path, {at: value - 1})
    wrong[path] = {"less": 1}, {at: (value, value - 1)}

    path = "otter.pipeline.2.pair.4.history.inserts"
    at, value = max(points(path).items(), key=lambda point: point[1])
    tree.send(path, {at: value + 1})
    wrong[path] = {"more": 1}, {at: (value, value + 1)}

    path = "otter.pipeline.2.type.row.throughput.count"
    whole = points(path)
    hole = list(whole)[len(whole) // 2]
    tree.remake(path, {at: value for at, value in whole.items() if at != hole})
    wrong[path] = {"missing": 1}, {hole: (whole[hole], None)}

    path = "otter.pipeline.3.type.row.throughput.count"
    whole = points(path)
    late = list(whole)[:3]
    tree.remake(path, {at: value for at, value in whole.items() if at not in late})
    wrong[path] = {"begins_late": 3}, {at: (whole[at], None) for at in late}

    path = "otter.pipeline.1.type.file.throughput.count"
    whole = points(path)
    free = next(at for at in range(min(whole), max(whole), STEP) if at not in whole)
    also_free = next(at for at in range(min(whole), max(whole), STEP) if at not in whole and at != free)
    tree.send(path, {free: 7, also_free: 0})  # some relays write 0 where nothing came
    wrong[path] = {"no_rows": 1}, {free: (None, 7)}

    path = "otter.pipeline.3.pair.5.history.inserts"
    whole = points(path)
    tree.send(path, {at: 2 * value for at, value in whole.items()})
    doubled = {at: (value, 2 * value) for at, value in whole.items() if value}
    wrong[path] = {"appends": len(doubled)}, doubled

    path = "otter.pipeline.3.delay_ms"
    at, value = list(points(path).items())[-1]
    tree.send(path, {at: value + 0.5})
    wrong[path] = {"more": 1}, {at: (value, value + 0.5)}
    return wrong


def test_a_spoilt_tree(make_tree):
    tree = make_tree()
    tree.wait_until_equal()
    wrong = spoil(tree)
    series, summary = tree.found(code=1)
    assert (summary["equal"], summary["differ"]) == (len(series) - len(wrong), len(wrong))
    for path, one in series.items():
        if path not in wrong:
            assert_equal(one)
            continue
        why, steps = wrong[path]
        assert not one["is_equal"] and one["steps_that_differ"] == len(steps), path
        assert differences(one) == steps, path
        assert reasons(one) == {word: n or len(steps) for word, n in why.items()}, path
    at, (tables, graphite) = next(iter(wrong["otter.pipeline.2.pair.3.history.inserts"][1].items()))
    said = tree.verify(code=1).stdout
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    assert f"; {when} tables {tables:.0f}, Graphite {graphite:.0f}; likely reason: the value in Graphite is smaller" in said
    assert "DIFFERS otter.pipeline.1.type.row.throughput.count: " in said and "MAX_CREATES_PER_MINUTE" in said
    assert f"{len(series)} series from" in said and f"{len(wrong)} differ" in said


def test_a_range(make_tree):
    """Only the steps in the range are compared: what is wrong before and after it is not seen."""
    tree = make_tree()
    tree.wait_until_equal()
    path = "otter.pipeline.2.type.row.throughput.count"
    whole = sorted(tree.carbon.points(path).items())
    (first, before), (last, after) = whole[10], whole[-10]
    tree.send(path, {first: before + 1, last: after + 1})
    dates = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) for at in (first, first + STEP, last)]
    series, _ = tree.found("--until", dates[2], since=dates[1], code=0)
    assert series[path]["tables"] == sum(value for at, value in whole if first < at < last)
    series, _ = tree.found("--until", dates[2], since=dates[0], code=1)
    assert differences(series[path]) == {first: (before, before + 1)}
    assert "no row in this time" in tree.verify("--until", "-40d", since="-50d", code=69).stderr


def test_purged_rows(make_tree):
    """The step of the oldest row is not compared with the tables: some of its rows may be gone."""
    tree = make_tree()
    tree.wait_until_equal()
    tree.mariadb.query("DELETE FROM THROUGHPUT_STAT WHERE GMT_CREATE < NOW() - INTERVAL 3630 SECOND")
    oldest = int(tree.mariadb.query("SELECT UNIX_TIMESTAMP(MIN(GMT_CREATE)) FROM THROUGHPUT_STAT")[0][0])
    first = oldest // STEP * STEP + STEP
    series, _ = tree.found(code=1)
    purged = 0
    for path, one in series.items():
        if ".throughput." not in path:
            assert_equal(one)
            continue
        gone = {at: (None, value) for at, value in tree.carbon.points(path).items() if value and at < first}
        purged += len(gone)
        assert differences(one) == gone, path
        assert reasons(one) == ({"purged": len(gone)} if gone else {}), path
    assert purged > 50
    tree.found(since="oldest", code=0)  # begins with the oldest row


AGGREGATION = """
[readings]
pattern = (delay_ms|_s)$
xFilesFactor = 0
aggregationMethod = max
[averages]
pattern = history
xFilesFactor = 0
aggregationMethod = average
[sums]
pattern = .*
xFilesFactor = 0
aggregationMethod = sum
"""


def test_an_aggregated_tree(make_tree):
    """Sums of longer steps are equal, and averages are not. A time before the first retention is answered with the second one."""
    tree = make_tree(schemas="[two]\npattern = .*\nretentions = 60s:4h,300s:10y\n", aggregation=AGGREGATION)
    tree.wait_until_equal()  # the last three hours are in the first retention
    series, _ = tree.found(since="-5h", code=1)
    for path, one in series.items():
        assert one["graphite_step"] == 300, path
        if ".history." not in path:
            assert_equal(one)
        elif one["tables"]:
            assert set(reasons(one)) == {"aggregated"}, path
            for at, (tables, graphite) in differences(one).items():
                inside = [value for t, value in tree.carbon.points(path).items() if at <= t < at + 300]
                assert tables == sum(inside) and graphite == pytest.approx(tables / len(inside)), (path, at)
    assert "steps of 300 s instead of 60 s; likely reason: Graphite aggregates" in tree.verify(since="-5h", code=1).stdout


def test_time_that_graphite_does_not_keep(make_tree):
    tree = make_tree(schemas="[short]\npattern = throughput\nretentions = 60s:1h\n")
    tree.carbon.wait_for({name: value for name, value in without_totals(tree.otter.sums()).items() if ".throughput." not in name})
    series, _ = tree.found(code=1)
    for path, one in series.items():
        if ".throughput." not in path:
            assert_equal(one)
            continue
        assert set(reasons(one)) == {"before"}, (path, one["reasons"])
        assert all(at <= time.time() - 3500 and graphite is None for at, (_, graphite) in differences(one).items())


def test_a_tag_more_is_another_series(make_tree):
    tree = make_tree(form="tagged")
    tree.wait_until_equal()
    series, _ = tree.found(code=0)
    path = next(path for path in series if path.startswith("otter.throughput.count"))
    now = int(time.time()) // STEP * STEP - 600
    with socket.create_connection(("127.0.0.1", tree.carbon.port)) as to:
        to.sendall(f"{path};zone=east 1 {now}\n{path};zone=west 1 {now}\n".encode())
    parts = [part.replace(";", "") for part in path.split(";")]
    by_tag = "seriesByTag('name=" + "','".join(parts) + "')"
    wait_until(lambda: len(tree.web.render(by_tag, now - 60, now)) == 3, "the other series are indexed")
    assert_equal(tree.found(code=0)[0][path])
    with socket.create_connection(("127.0.0.1", tree.carbon.port)) as to:
        to.sendall(f"{path} 123456789 {now}\n".encode())
    wait_until(lambda: tree.agent.run("verify", "--since", "-3h", "--render", tree.web.url).returncode == 1, "it differs")
    series, summary = tree.found(code=1)
    assert summary["differ"] == 1 and differences(series[path])[now][1] == 123456789
    tree.agent.write(sinks=[to_graphite(tree.carbon, horizon=2, tagged=True, tags=["owner:o'neil"])])
    series, summary = tree.found(code=1)
    assert summary["equal"] == 0 and all(path.count(";owner=o'neil") == 1 for path in series)
    assert all(one["reasons"][0]["reason"] == "not_asked" for one in series.values())


def test_a_row_that_carbon_got_too_late(make_tree):
    """The tables have a row in a step that is already past."""
    tree = make_tree()
    tree.wait_until_equal()

    def insert(at):
        tree.mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, GMT_MODIFIED) "
                           "VALUES ('ROW', 5, 50, 2, NOW(), NOW(), FROM_UNIXTIME(%s), FROM_UNIXTIME(%s))", at, at)
    when = int(time.time()) // STEP * STEP - 1800
    insert(when)
    series, summary = tree.found(code=1)
    assert summary["differ"] == 2
    for name, amount in (("count", 5), ("bytes", 50)):
        path = f"otter.pipeline.2.type.row.throughput.{name}"
        had = tree.carbon.points(path).get(when)
        assert differences(series[path]) == {when: ((had or 0) + amount, had)}
    insert(when - 3 * 3600)  # the agent refuses a row that is so much older than the newest one
    _, summary = tree.found(code=1, since="-6h")
    assert (summary["differ"], summary["left_out"]) == (2, 2)
    said = tree.verify(code=1, since="-6h").stdout
    assert "2 points are not compared: they came after their steps were closed" in said
    assert "table (TABLE_STAT changes in place)" in said


def test_on_a_terminal(make_tree):
    tree = make_tree()
    tree.wait_until_equal()
    terminal = Terminal([PROGRAM, "-c", tree.agent.config, "verify", "--since", "-3h", "--render", tree.web.url], tree.agent.folder)
    try:
        assert terminal.end() == 0
        assert "\x1b[Kreading the tables: " in terminal.seen and "rows" in terminal.seen
        assert all(line.rstrip("\r").startswith(("equal ", "not compared", "7")) for line in terminal.lines()[:-1]), terminal.lines()
        assert not terminal.lines()[-1]
    finally:
        terminal.close()


@pytest.mark.parametrize("form", ["ids", "tagged"])
def test_victoria_metrics(folder, mariadb, otter, make_agent, form):
    """Each sample is kept, so a step that is sent twice counts twice: verify reports this as `appends`."""
    place = folder / "vm"
    place.mkdir()
    store = VictoriaMetrics(place).start()
    try:
        otter.do("history", "--rows", 300, "--hours", 2, "--until", int(time.time()) - 200)
        agent = make_agent(mariadb, [to_graphite(store, horizon=2, creates=0, **FORMS[form])], sources=SHORT)
        last = {}  # the last total of each step is the right one
        for line in agent.run("--once", "--dry-run").stdout.splitlines():
            _, path, value, at = line.split()
            last[path, at] = value
        store.send(f"{path} {value} {at}" for (path, at), value in last.items())

        def found(code):
            store.flush()
            done = agent.run("verify", "--since", "-3h", "--render", store.url, "--json")
            if done.returncode != code:
                return None
            *series, _ = map(json.loads, done.stdout.splitlines())
            return {one["series"]: one for one in series}
        series = wait_until(lambda: found(0), "all is equal", 20, 1)
        for one in series.values():
            assert_equal(one)
        path, at = next((path, at) for (path, at), value in last.items() if "history.inserts" in path and int(value) > 5)
        store.send([f"{path} 3 {at}"])
        series = wait_until(lambda: found(1), "one step differs", 20, 1)
        value = int(last[path, at])
        assert differences(series.pop(path)) == {int(at): (value, value + 3)}
        for one in series.values():
            assert_equal(one)
        agent.once()
        wait_until(lambda: sum(not one["is_equal"] for one in found(1).values()) > 40, "all was sent again", 20, 1)
        for path, one in found(1).items():
            if one["kind"] == "sum" and one["tables"]:
                assert set(reasons(one)) == {"appends"}, (path, one)
                assert all(graphite >= 2 * tables > 0 for tables, graphite in differences(one).values()), path
            else:
                assert_equal(one)
    finally:
        store.stop()


GONE = "http://127.0.0.1:9"  # the port of the discard service, on which nobody listens


@pytest.mark.parametrize("words, code, why", [
    (["--since", "soon", "--render", GONE], 64, "'soon' is no time"),
    (["--since", "-1h", "--until", "-1s", "--render", GONE], 64, "a running agent may still be sending"),
    (["--since", "-1h"], 64, "--render URL is missing"),
    (["--render", GONE], 64, "--since TIME is missing"),
    (["--since", "-1h", "--render", "graphite:80"], 64, "'graphite:80' is no address of graphite-web"),
    (["--since", "-1h", "--render", "http://me:secret@graphite"], 64, "--render takes no user and no password"),
    (["--since", "-1h", "--render", GONE], 69, f"{GONE}/render: Failed to connect"),
    (["--since", "-1h", "--render", GONE, "--sink", "nowhere"], 64, "no Graphite sink 'nowhere': its Graphite sinks are graphite"),
])
def test_refused(mariadb, otter, carbon, make_agent, words, code, why):
    done = make_agent(mariadb, [to_graphite(carbon)]).run("verify", *words)
    assert done.returncode == code and why in done.stderr, done.stderr
    assert not done.stdout


def test_which_sink(mariadb, otter, carbon, statsd, make_agent):
    words = ["verify", "--since", "-1h", "--render", GONE]
    done = make_agent(mariadb, [to_statsd(statsd)]).run(*words)
    assert done.returncode == 78 and "the config has no Graphite sink" in done.stderr
    agent = make_agent(mariadb, [to_graphite(carbon, name="a"), to_graphite(carbon, name="b")])
    done = agent.run(*words)
    assert done.returncode == 78 and "choose one with --sink: a, b" in done.stderr
    assert agent.run(*words, "--sink", "b").returncode == 69


def test_another_server_than_graphite_web(mariadb, manager, carbon, make_agent):
    done = make_agent(mariadb, [to_graphite(carbon)]).run("verify", "--since", "-1h", "--render", manager.url)
    assert done.returncode == 69 and "check that --render is the address of graphite-web" in done.stderr, done.stderr


def test_a_database_that_is_away(make_tree):
    tree = make_tree()
    tree.agent.write(managers=[{"mysql": {"port": free_port(), "user": "nobody", "password": "", "connect_timeout": 1}}])
    done = tree.verify(code=69)
    assert "not all rows could be read" in done.stderr and not done.stdout
