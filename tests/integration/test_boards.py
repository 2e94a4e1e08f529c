"""
Dashboards and alerts: a real graphite-web runs each of their queries, on points that the agent sent to a real carbon. Most worlds
also have a VictoriaMetrics, which runs the queries in PromQL, and a vmalert: they must come to the same results.
"""
import contextlib
import io
import json
import os
import re
import socket
import time

import cairocffi
import pytest

from servers.carbon import Carbon
from servers.fake_otter import ROOT
from servers.graphite_web import GraphiteWeb
from servers.mariadb import PASSWORD, USER
from servers.plot import plot
from servers.process import wait_until
from servers.promql import PromQL, Vmalert
from servers.victoria_metrics import VictoriaMetrics
from servers.wiring import to_graphite, to_statsd

pytestmark = pytest.mark.slow  # these tests mostly wait for graphite-web

STEP = 2  # seconds
BOARDS = ("overview", "pipeline", "agent")
OF_STATE = ("stalled", "locating", "paused", "stopped", "skewed")
SETTINGS = {"lag": 30, "idle": 6, "stall": 12, "skew": 60, "hold": 1}


class Boards:
    """The files that `otterbeat grafana` wrote for a config."""

    def __init__(self, folder, identity):
        self.folder, self.identity = folder, identity

    def read(self, name):
        return json.loads((self.folder / name).read_text("utf-8"))

    def board(self, name):
        return self.read(f"dashboards/{self.identity}/{name}.json")

    def rules(self):
        """Returns {name of the alert: rule}."""
        rules = self.read(f"alerting/{self.identity}.yaml")["groups"][0]["rules"]
        return {rule["uid"].removeprefix(f"{self.identity}-"): rule for rule in rules}

    def queries(self):
        """Returns [(board, panel, query)]."""
        return [(name, panel["title"], query) for name in BOARDS for panel in self.board(name)["panels"]
                for query in panel["targets"]]

    def targets(self):
        """Returns [(board, panel, target)]."""
        return [(name, title, query["target"]) for name, title, query in self.queries()]


def reduced(points, reducer):
    """Reduces a series like Grafana's expression in the mode dropNN."""
    values = [value for value, _ in points if value is not None]
    if not values:
        return None
    return sum(values) if reducer == "sum" else values[-1]


def is_past(value, evaluator):
    low, *high = evaluator["params"]
    return {"gt": lambda: value > low, "lt": lambda: value < low,
            "within_range": lambda: low < value < high[0]}[evaluator["type"]]()


class InPromQL:
    """The files for a VictoriaMetrics, which gets the same points by a sink of its own, and a vmalert with their rules."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.store, self.boards, self.vmalert = folder, VictoriaMetrics(folder), None, None
        self.api = PromQL(self.store.url)

    def sink(self):
        return to_graphite(self.store, name="victoria", step=STEP, tagged=True, receiver="append", hold=1, creates=0)

    def start(self, agent, identity):
        self.store.start()
        done = agent.run("grafana", "--datasource", "prometheus", "--out", "promql", "--url", self.store.url)
        assert done.returncode == 0, done.stderr
        self.boards = Boards(agent.folder / "promql", identity)
        self.vmalert = Vmalert(self.folder, self.boards.folder / f"vmalert/{identity}.yaml", self.store.url).start()

    def is_red(self, alert, later):
        """Whether a result of the alert's query is past the threshold of Grafana's rule."""
        rule = self.boards.rules()[alert]
        question, reduction, comparison = (part["model"] for part in rule["data"])
        assert question["instant"] and reduction["reducer"] == "last", "the result is one number"
        evaluator = comparison["conditions"][0]["evaluator"]
        return any(is_past(number, evaluator) for _, number in self.api.at(time.time() + later, question["expr"]))

    def fired(self):
        """Returns the names of the alerts that fire in vmalert, or wait there."""
        return {name.removeprefix(f"{self.boards.identity}-") for name in self.vmalert.alerts()}

    def render(self, query, picked=str, seconds=7200, step=0):
        """Asks like Grafana for a panel, and returns {legend: {time: number}}. `step`: seconds of a pixel."""
        step = step or int(query["interval"].removesuffix("s"))
        end = int(time.time()) // step * step
        begin = end - seconds // step * step
        asked = query["expr"].replace("$__interval_ms", str(step * 1000)).replace("$__interval", f"{step}s")
        found = self.api.between(begin, end, step, picked(asked.replace("$__range", f"{end - begin}s")))
        return {re.sub(r"{{(\w+)}}", lambda tag, of=labels: of[tag[1]], query["legendFormat"]): points for labels, points in found}

    def choices(self, board, picked):
        """Returns the possible values of each variable of a board."""
        for variable in self.boards.board(board)["templating"]["list"]:
            match, tag = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]).groups()
            yield sorted(value for value in self.api.values(tag, picked(match)) if value != "none")

    def stop(self):
        if self.vmalert:
            self.vmalert.stop()
        self.store.stop()


class World:
    """carbon, graphite-web, a fake Otter with its pages, the agent, and the dashboards for the agent's config."""

    def __init__(self, folder, server, otter, manager, make_agent, prefix="otter", name="", tagged=False, path="ids",
                 sinks=(), promql=True, **top):
        self.otter, self.manager, self.folder = otter, manager, folder
        (folder / "web").mkdir()
        self.web = GraphiteWeb(folder / "web", folder / "carbon/whisper")
        self.carbon = Carbon(folder / "carbon", step=STEP, tag_url=self.web.url if tagged else "")
        self.prefix, self.name, self.tagged, self.pipeline = prefix, name, tagged, "1"
        self.promql = InPromQL(folder / "promql") if promql else None
        mysql = {"port": server.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3}
        self.agent = make_agent(
            server, [to_graphite(self.carbon, step=STEP, tagged=tagged, path=path, creates=0), *sinks,
                     *([self.promql.sink()] if promql else [])], prefix=prefix,
            managers=[{"name": name, "mysql": mysql, "page": {"url": manager.url, "timeout": 2}}], drain=1,
            sources={"page": {"enabled": True, "every": 1}, "agent": {"every": 1}, "state": {"every": 1}},
            **{"health": SETTINGS, **top})
        done = self.agent.run("grafana", "--out", "boards", "--url", self.web.url)
        assert done.returncode == 0, done.stderr
        self.boards = Boards(self.agent.folder / "boards", prefix.replace(".", "-"))

    def start(self, is_down=False):
        """Starts the servers; with `is_down` without carbon."""
        self.web.start()
        if self.promql:
            self.promql.start(self.agent, self.boards.identity)
        if not is_down:
            self.carbon.start()
        self.agent.start()
        return self

    def path(self, is_tagged, name, **tags):
        if self.name:
            tags = {"manager": self.name, **tags}
        if is_tagged:
            return ";".join([f"{self.prefix}.{name}", *sorted(f"{k}={v}" for k, v in tags.items())])
        return ".".join([self.prefix, *(f"{k}.{v}" for k, v in tags.items()), name])

    def push(self, value, name, ago=0, **tags):
        """Sends values, which no agent would send, directly to the stores."""
        after = f"{value} {int(time.time()) - ago}"
        with socket.create_connection(("127.0.0.1", self.carbon.port)) as connection:
            connection.sendall(f"{self.path(self.tagged, name, **tags)} {after}\n".encode())
        if self.promql:
            self.promql.store.send([f"{self.path(True, name, **tags)} {after}"])

    def wait_for_value(self, value, name, **tags):
        """Waits until carbon and VictoriaMetrics have this value."""
        wait_until(lambda: value in self.carbon.points(self.path(False, name, **tags)).values(), f"{name} is {value} in carbon")
        selector = ",".join([f'__name__="{self.prefix}.{name}"', *(f'{tag}="{of}"' for tag, of in tags.items())])
        wait_until(lambda: value in [number for _, number in self.promql.api.at(time.time(), f"last_over_time({{{selector}}}[600s])")],
                   f"{name} is {value} in VictoriaMetrics")

    def picked(self, target):
        """Returns the query after a reader has chosen the variables of a board."""
        return target.replace("$manager", self.name).replace("$pipeline", self.pipeline)

    def choices(self, board):
        """Returns the possible values of each variable of a board, with the query that Grafana uses."""
        for variable in self.boards.board(board)["templating"]["list"]:
            tag = re.fullmatch(r"tag_values\((\w+), (.+)\)", variable["query"])
            found = (self.web.ask("tags/autoComplete/values", tag=tag[1], expr=self.picked(tag[2]).split(", ")) if tag else
                     [one["text"] for one in self.web.ask("metrics/find", query=self.picked(variable["query"]))])
            assert variable["regex"] == "/^(?!none$)/"
            yield sorted(value for value in found if value != "none")

    def values(self, target, seconds=7200):
        now = int(time.time())
        return self.web.render(self.picked(target), now - seconds, now)

    def is_red(self, alert, later=0):
        """Whether the result of the alert's query is past its threshold, now or some seconds later."""
        rule = self.boards.rules()[alert]
        question, reduction, comparison = (part["model"] for part in rule["data"])
        now = int(time.time()) + later
        found = self.web.render(question["target"], now - rule["data"][0]["relativeTimeRange"]["from"], now)
        assert found, f"{alert}: no alert depends on a series that may be absent"
        labels = [tuple(sorted((key, str(value)) for key, value in one["tags"].items() if key != "name")) +
                  (one["target"].split(";")[0],) for one in found]
        assert len(set(labels)) == len(labels), f"{alert}: Grafana can't tell its series apart"
        numbers = [reduced(one["datapoints"], reduction["reducer"]) for one in found]
        evaluator = comparison["conditions"][0]["evaluator"]
        return any(is_past(number, evaluator) for number in numbers if number is not None)

    def judges(self, alerts, later=0):
        """Yields functions which return the red ones of these alerts: by Graphite, by PromQL, and (without `later`) by vmalert."""
        yield lambda: {alert for alert in alerts if self.is_red(alert, later)}
        if self.promql:
            yield lambda: {alert for alert in alerts if self.promql.is_red(alert, later)}
            if not later:
                yield lambda: self.promql.fired() & {*alerts}

    def wait_for_red(self, red, alerts, later=0):
        """Waits until exactly `red` of these alerts are red for all judges."""
        for judge in self.judges(alerts, later):
            wait_until(lambda: judge() == red, f"of {alerts} only {red} are red", 60, 0.3)

    def turns(self, alert, color, later=0):
        self.wait_for_red({alert} if color == "red" else set(), [alert], later)

    def nobody_says(self, alert):
        return not any(judge() for judge in self.judges([alert]))

    def stop(self):
        if self.promql:
            self.promql.stop()
        self.carbon.stop()
        self.web.stop()


FORMS = {
    "dotted": {},
    "tagged": {"tagged": True, "promql": False},
    "names": {"path": "names", "promql": False},
    "a manager with a name": {"prefix": "a.b-c", "name": "shop"},
    "tagged, a manager with a name": {"prefix": "a.b-c", "name": "shop", "tagged": True, "promql": False},
}


@pytest.fixture
def make_world(folder, mariadb, otter, manager, make_agent):
    with contextlib.ExitStack() as stack:
        def make(is_down=False, **how):
            world = World(folder, mariadb, otter, manager, make_agent, **how)
            stack.callback(world.stop)
            return world.start(is_down)
        yield make


@pytest.fixture
def late_carbon(folder):
    """A carbon that is not started yet."""
    made = Carbon(folder / "late", step=STEP)
    yield made
    made.stop()


def is_filled(found):
    return any(value is not None for one in found for value, _ in one["datapoints"])


@pytest.mark.parametrize("form", FORMS)
def test_no_query_is_empty(make_world, otter, form):
    otter.do("history", "--rows", 3000, "--hours", 1)
    world = make_world(**FORMS[form])
    otter.run("--speed", 30)
    empty = world.boards.queries()
    more = world.promql.boards.queries() if world.promql else []
    assert len(empty) > 30 and (not more or [one[:2] for one in more] == [one[:2] for one in empty])
    empty += more
    wait_until(lambda: len(list(world.choices("pipeline"))[-1]) == 3, "pipelines to pick")
    world.pipeline = list(world.choices("pipeline"))[-1][0]

    def has_data(query):
        return is_filled(world.values(query["target"])) if "target" in query else world.promql.render(query, world.picked)

    def fill():
        empty[:] = [one for one in empty if not has_data(one[2])]
        return not empty

    with contextlib.suppress(AssertionError):
        wait_until(fill, "data", 60, 1)
    assert not empty
    if world.promql:
        assert list(world.promql.choices("pipeline", world.picked)) == list(world.choices("pipeline"))
        assert {*world.promql.render(more[1][2])} == {f"{world.name}.{i}".strip(".") for i in "123"}, "the delays' legends"
    rules = world.boards.rules()
    assert all(judge() <= {*rules} for judge in world.judges(rules)), "they can be evaluated"
    for rule in [*rules.values(), *(world.promql.boards.rules().values() if world.promql else [])]:
        assert not re.search(r"\$", json.dumps(rule)), "Grafana would look for it in its environment"


def test_legends_are_what_the_lines_are_told_apart_by(make_world, otter):
    otter.do("history", "--rows", 600, "--hours", 1)
    world = make_world(prefix="a.b", name="shop", promql=False)
    panels = {panel["title"]: panel["targets"][0]["target"] for panel in world.boards.board("overview")["panels"]}
    of_pipelines = {f"shop.{i}" for i in (1, 2, 3)}
    wait_until(lambda: {one["target"] for one in world.values(panels["Worst delay"])} == of_pipelines, "delays")
    wait_until(lambda: {one["target"] for one in world.values(panels["Rows replicated"])} == of_pipelines, "rows")
    assert list(world.choices("pipeline")) == [["shop"], ["1", "2", "3"]]


def test_what_is_drawn_adds_up_to_what_sql_says(make_world, otter):
    otter.do("history", "--rows", 600, "--hours", 1)
    world = make_world(promql=False)
    world.carbon.wait_for(otter.sums())
    target, = [target for _, title, target in world.boards.targets() if title == "Rows replicated"]
    now = int(time.time())
    drawn = world.web.ask("render", target=target, format="json", **{"from": now - 7200, "until": now})
    got = {one["target"]: round(STEP * sum(value for value, _ in one["datapoints"])) for one in drawn}
    assert got == {i: otter.sums()[f"otter.pipeline.{i}.type.row.throughput.count"] for i in "123"}


@pytest.fixture
def promql(folder):
    made = InPromQL(folder / "promql")
    yield made
    made.stop()


def test_what_is_drawn_in_promql_adds_up_too(promql, mariadb, otter, make_agent):
    """A panel draws each step once, at any width of a pixel, and 0 where a line has no amount; or the ten largest lines, without gaps."""
    otter.do("history", "--rows", 300, "--hours", 2, "--until", int(time.time()) - 400)
    agent = make_agent(mariadb, [{**promql.sink(), "step": 60}])
    promql.start(agent, "otter")
    agent.once()
    now = int(time.time())  # the line of i has its largest value i minutes ago, and its smaller values are in the opposite order
    promql.store.send(f"otter.delay_ms;pipeline=x{i} {(1000 + i if ago == i else 900 - i) * 1000} {now - 60 * ago}"
                      for i in range(10, 30) for ago in range(5, 45))
    panels = {title: query for _, title, query in promql.boards.queries()}

    def drawn(title, wanted, **pixels):
        def is_so():
            promql.store.flush()
            lines = promql.render(panels[title], **pixels)
            return {legend: (len(points), round(pixels["step"] * sum(points.values()))) for legend, points in lines.items()} == wanted
        wait_until(is_so, f"{title}: {wanted}", 20, 0.5)

    drawn("Worst delay", {f"x{i}": (40, 60 * 1000 * (39 * (900 - i) + 1000 + i)) for i in range(20, 30)}, seconds=3000, step=60)
    sums = {i: otter.sums()[f"otter.pipeline.{i}.type.row.throughput.count"] for i in "123"}
    for step in (60, 300):
        drawn("Rows replicated", {i: (9000 // step + 1, total) for i, total in sums.items()}, seconds=9000, step=step)


def row(mariadb, pipeline, delay):
    """Inserts the rows that a working pipeline writes each minute."""
    mariadb.query("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES (%s, 0, %s, now(), now())", delay, pipeline)
    mariadb.query("INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, "
                  "GMT_MODIFIED) VALUES ('ROW', 1, 1, %s, now(), now(), now(), now())", pipeline)


@pytest.mark.parametrize("form", ["dotted", "tagged"])
def test_a_pipelines_state(make_world, mariadb, manager, form):
    """Each state fires its own alert and no other alert; then the next state follows."""
    mariadb.query("DELETE FROM PIPELINE WHERE ID > 1")
    channel, = mariadb.query("SELECT CHANNEL_ID FROM PIPELINE")[0]
    row(mariadb, 1, 100)
    world = make_world(**FORMS[form])

    wait_until(lambda: is_filled(world.values(world.boards.rules()["stalled"]["data"][0]["model"]["target"], 60)), "a state")
    world.wait_for_red(set(), OF_STATE)
    for orders, alert in (([], "stalled"), (["pipeline 1 locating"], "locating"), ([f"channel {channel} paused"], "paused"),
                          ([f"channel {channel} stopped"], "stopped"),
                          ([f"pipeline 1 position {int(time.time()) + 900}"], "skewed")):
        manager.state(*orders)
        world.wait_for_red({alert}, OF_STATE)
    manager.state()
    row(mariadb, 1, 100)
    world.wait_for_red(set(), OF_STATE)


def test_a_delay(make_world, mariadb):
    world = make_world()
    for delay, color in ((30000, "green"), (30001, "red"), (10, "green")):
        row(mariadb, 2, delay)
        world.wait_for_value(delay, "delay_ms", pipeline="2")
        world.turns("lagging", color)


def test_exceptions(make_world, mariadb):
    world = make_world()
    insert = ("INSERT INTO LOG_RECORD (NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
              "VALUES ('1', '1', '2', %s, 'pid:2 nid:1 exception:setl:java.lang.Error', now(), now())")
    mariadb.query(insert, "DELAYTIME")
    world.wait_for_value(1, "log.records", pipeline="2", title="delaytime")
    world.turns("exceptions", "green")
    mariadb.query(insert, "EXCEPTION")
    world.turns("exceptions", "red")
    world.turns("exceptions", "red", later=300)
    world.turns("exceptions", "green", later=620)


def test_a_node_that_is_down(make_world, manager):
    world = make_world()
    wait_until(lambda: world.carbon.points("otter.node.1.node_up"), "nodes")
    world.turns("node-down", "green")
    manager.state("node 2 down")
    world.turns("node-down", "red")
    manager.state()
    world.turns("node-down", "green")


def test_a_source_that_is_not_read(make_world, manager):
    world = make_world()
    wait_until(lambda: world.carbon.points("otter.node.1.node_up"), "pages")
    world.turns("source-unread", "green")
    world.turns("errors", "green")
    manager.stop()
    world.turns("errors", "red")
    world.turns("source-unread", "red")
    manager.start()
    world.turns("source-unread", "green")
    world.turns("errors", "green", later=620)


def test_a_sink_that_is_down(make_world, otter, late_carbon):
    otter.do("history", "--rows", 6000, "--hours", 1)
    world = make_world(sinks=[to_graphite(late_carbon, name="late", step=STEP, creates=0)])
    world.turns("behind", "red")
    late_carbon.start()
    world.turns("behind", "green")
    world.turns("lost", "green")


def test_points_that_are_lost(make_world, otter, statsd):
    """The queue is full while carbon is down, and the other sink delivers."""
    otter.do("history", "--rows", 5000, "--hours", 24)
    world = make_world(sinks=[to_statsd(statsd)], queue={"max_bytes": 65536}, is_down=True)
    world.agent.wait_for_log("sink=graphite event=lost")
    assert not world.is_red("lost"), "no alert fires yet"
    world.carbon.start()
    world.turns("lost", "red")
    world.turns("lost", "green", later=620)


def test_a_manager_without_an_owner(make_world, state):
    """An agent may not take leases; an administrator helps."""
    right = "UPDATE ON otterbeat.leases {} otterbeat_agent"
    state.query(f"REVOKE {right.format('FROM')}", database=None)
    world = make_world(state=state.settings("a", 3))
    assert not world.is_red("no-owner"), "no data is no alarm"
    world.turns("no-owner", "red")
    panels = {panel["title"]: panel["targets"][0]["target"] for panel in world.boards.board("agent")["panels"]}
    assert [is_filled(world.values(panels[title])) for title in ("Managers", "Managers without an owner")] == [True, True]
    state.query(f"GRANT {right.format('TO')}", database=None)
    world.turns("no-owner", "green")
    world.push(2, "agent.managers_unowned", agent="other")
    world.turns("no-owner", "red")
    world.turns("no-owner", "green", later=320)


@pytest.mark.parametrize("form", ["dotted", "tagged"])
def test_an_agent_that_is_silent(make_world, form):
    world = make_world(**FORMS[form])
    world.turns("silent", "green")
    world.push(0, "agent.queue_points", ago=270, agent="other")
    wait_until(lambda: "other" in str(world.values(world.boards.rules()["silent"]["data"][0]["model"]["target"])), "it")
    assert world.nobody_says("silent"), "a while ago is no silence yet"
    world.push(0, "agent.queue_points", ago=400, agent="third")
    world.turns("silent", "red")
    world.push(0, "agent.queue_points", agent="third")
    world.turns("silent", "green")
    world.push(0, "agent.queue_points", ago=30000, agent="gone")
    time.sleep(2 * STEP)
    assert world.nobody_says("silent"), "one that is gone for good is no news"


def test_nothing_at_all_is_silence_too(make_world):
    world = make_world()
    world.agent.stop()

    def only_silence():
        for file in world.carbon.whisper.rglob("*.wsp"):  # carbon may still write points that it has received
            file.unlink()
        world.promql.api.forget()
        return all(judge() == {"silent"} for judge in world.judges(world.boards.rules()))

    wait_until(only_silence, "silence is red, alone")


# The panels in the pictures: one row for each board.
PICTURE = {
    "overview": ("State", "Worst delay", "Rows replicated"),
    "pipeline": ("Delay", "Stages", "Inserts"),
    "agent": ("Time of a poll", "Points sent", "Points behind"),
}
WIDTH, HEIGHT = 400, 190
SHOWN, LATE = 70, 8  # seconds: the span of a picture; and the newest part, which lacks points and is left out


def combined(pictures):
    """Combines PNGs, side by side and in rows, to one PNG."""
    whole = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, WIDTH * len(pictures[0]), HEIGHT * len(pictures))
    context = cairocffi.Context(whole)
    for y, row in enumerate(pictures):
        for x, png in enumerate(row):
            context.set_source_surface(cairocffi.ImageSurface.create_from_png(io.BytesIO(png)), x * WIDTH, y * HEIGHT)
            context.paint()
    return whole.write_to_png()


def of_graphite_web(world, title, panel):
    return world.web.get("render", width=WIDTH, height=HEIGHT, title=title, lineMode="connected", fontSize=8, yMin=0,
                         **{"from": f"-{SHOWN + LATE}s", "until": f"-{LATE}s"},
                         areaMode="stacked" if "scaleToSeconds" in panel["targets"][0]["target"] else "none",
                         target=[world.picked(one["target"]) for one in panel["targets"]])


def of_victoria_metrics(world, title, panel):
    lines, end = {}, time.time() - LATE
    for query in panel["targets"]:
        lines.update(world.promql.render(query, world.picked, SHOWN + LATE, STEP))
    shown = {legend: {at: number for at, number in points.items() if end - SHOWN <= at <= end} for legend, points in lines.items()}
    return plot(title, shown, end - SHOWN, end, WIDTH, HEIGHT)


def test_the_pictures(make_world, otter):
    """OB_PICTURES=deploy/images renews the two pictures of the boards. A minute of the fake Otter takes one step."""
    world = make_world()
    otter.run("--speed", 60 / STEP)
    time.sleep(40)
    world.manager.state("pipeline 2 locating")
    time.sleep(15)
    world.manager.state("channel 2 paused")
    time.sleep(15)
    world.manager.state()
    time.sleep(15)
    for file, boards, draw in (("boards.png", world.boards, of_graphite_web),
                               ("boards-victoria-metrics.png", world.promql.boards, of_victoria_metrics)):
        panels = {(name, panel["title"]): panel for name in BOARDS for panel in boards.board(name)["panels"]}
        png = combined([[draw(world, f"{name}: {title}", panels[name, title]) for title in titles]
                        for name, titles in PICTURE.items()])
        assert 20000 < len(png) < 200000
        if "OB_PICTURES" in os.environ:
            (ROOT / os.environ["OB_PICTURES"] / file).write_bytes(png)
