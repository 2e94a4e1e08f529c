"""Dashboards and alerts: each of their queries is asked of a real graphite-web, over what the agent sent to a real carbon."""
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
from servers.process import wait_until
from servers.wiring import to_graphite, to_statsd

STEP = 2  # seconds
BOARDS = ("overview", "pipeline", "agent")
STATES = {"stalled": 7, "locating": 4, "paused": 2, "stopped": 3, "skewed": 6}


class Boards:
    """What `otterbeat grafana` wrote for a config."""

    def __init__(self, folder, identity):
        self.folder, self.identity = folder, identity

    def read(self, name):
        return json.loads((self.folder / name).read_text("utf-8"))

    def board(self, name):
        return self.read(f"dashboards/{self.identity}/{name}.json")

    def rules(self):
        """Alert's name -> rule."""
        rules = self.read(f"alerting/{self.identity}.yaml")["groups"][0]["rules"]
        return {rule["uid"].removeprefix(f"{self.identity}-"): rule for rule in rules}

    def targets(self):
        """[(board, panel, target)]"""
        return [(name, panel["title"], query["target"]) for name in BOARDS for panel in self.board(name)["panels"]
                for query in panel["targets"]]


def reduced(points, reducer):
    """As Grafana's expression, in its mode dropNN."""
    values = [value for value, _ in points if value is not None]
    if not values:
        return None
    return sum(values) if reducer == "sum" else values[-1]


def is_past(value, evaluator):
    low, *high = evaluator["params"]
    return {"gt": lambda: value > low, "lt": lambda: value < low,
            "within_range": lambda: low < value < high[0]}[evaluator["type"]]()


class World:
    """Carbon, graphite-web, a fake Otter with its pages, the agent, and the files made for its config."""

    def __init__(self, folder, server, otter, manager, make_agent, prefix="otter", name="", tagged=False, sinks=(),
                 **top):
        self.otter, self.manager, self.folder = otter, manager, folder
        (folder / "web").mkdir()
        self.web = GraphiteWeb(folder / "web", folder / "carbon/whisper")
        self.carbon = Carbon(folder / "carbon", step=STEP, tag_url=self.web.url if tagged else "")
        self.prefix, self.name, self.tagged = prefix, name, tagged
        mysql = {"port": server.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3}
        self.agent = make_agent(
            server, [to_graphite(self.carbon, step=STEP, tagged=tagged, creates=0), *sinks], prefix=prefix,
            managers=[{"name": name, "mysql": mysql, "page": {"url": manager.url, "timeout": 2}}], drain=1,
            sources={"page": {"enabled": True, "every": 1}, "agent": {"every": 1}}, **top)
        done = self.agent.run("grafana", "--out", "boards", "--url", self.web.url)
        assert done.returncode == 0, done.stderr
        self.boards = Boards(self.agent.folder / "boards", prefix.replace(".", "-"))

    def start(self, is_down=False):
        """`is_down`: without carbon."""
        self.web.start()
        if not is_down:
            self.carbon.start()
        self.agent.start()
        return self

    def path(self, name, **tags):
        if self.name:
            tags = {"manager": self.name, **tags}
        if self.tagged:
            return ";".join([f"{self.prefix}.{name}", *sorted(f"{k}={v}" for k, v in tags.items())])
        return ".".join([self.prefix, *(f"{k}.{v}" for k, v in tags.items()), name])

    def push(self, value, name, ago=0, **tags):
        """What no agent sends, straight to carbon."""
        with socket.create_connection(("127.0.0.1", self.carbon.port)) as connection:
            connection.sendall(f"{self.path(name, **tags)} {value} {int(time.time()) - ago}\n".encode())

    def picked(self, target):
        """As a reader of a board has picked."""
        return target.replace("$manager", self.name).replace("$pipeline", "1")

    def values(self, target, seconds=7200):
        now = int(time.time())
        return self.web.render(self.picked(target), now - seconds, now)

    def is_red(self, alert, later=0, limit=None):
        """Whether the alert's query is past its threshold, or another limit, now or some seconds later."""
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
        if limit is not None:
            evaluator = {**evaluator, "params": [limit]}
        return any(is_past(number, evaluator) for number in numbers if number is not None)

    def turns(self, alert, color, later=0, limit=None):
        wait_until(lambda: self.is_red(alert, later, limit) == (color == "red"), f"{alert} is {color}", 60, 0.3)

    def stop(self):
        self.carbon.stop()
        self.web.stop()


FORMS = {
    "dotted": {},
    "tagged": {"tagged": True},
    "a manager with a name": {"prefix": "a.b-c", "name": "shop"},
    "tagged, a manager with a name": {"prefix": "a.b-c", "name": "shop", "tagged": True},
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
    """One that is not up yet."""
    made = Carbon(folder / "late", step=STEP)
    yield made
    made.stop()


def is_filled(found):
    return any(value is not None for one in found for value, _ in one["datapoints"])


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_no_query_is_empty(make_world, otter, form):
    otter.do("history", "--rows", 3000, "--hours", 1)
    world = make_world(**FORMS[form])
    otter.run("--speed", 30)
    world.push(0, "state", pipeline=1)
    empty = set(world.boards.targets())
    assert len(empty) > 30

    def fill():
        world.push(0, "state", pipeline=1)
        empty.difference_update([one for one in empty if is_filled(world.values(one[2]))])
        return not empty

    with contextlib.suppress(AssertionError):
        wait_until(fill, "data", 60, 1)
    assert not empty
    for name, rule in world.boards.rules().items():
        assert isinstance(world.is_red(name), bool), "it can be evaluated"
        assert not re.search(r"\$", json.dumps(rule)), "Grafana would look for it in its environment"


def test_legends_are_what_the_lines_are_told_apart_by(make_world, otter):
    otter.do("history", "--rows", 600, "--hours", 1)
    for world in [make_world(prefix="a.b", name="shop")]:
        panels = {panel["title"]: panel["targets"][0]["target"] for panel in world.boards.board("overview")["panels"]}
        of_pipelines = {f"shop.{i}" for i in (1, 2, 3)}
        wait_until(lambda: {one["target"] for one in world.values(panels["Worst delay"])} == of_pipelines, "delays")
        wait_until(lambda: {one["target"] for one in world.values(panels["Rows replicated"])} == of_pipelines, "rows")
        variables = world.boards.board("pipeline")["templating"]["list"]
        found = [[one["text"] for one in world.web.ask("metrics/find", query=world.picked(variable["query"]))]
                 for variable in variables]
        assert found == [["shop"], ["1", "2", "3", "none"]] and "none" in variables[1]["regex"]


def test_what_is_drawn_adds_up_to_what_sql_says(make_world, otter):
    otter.do("history", "--rows", 600, "--hours", 1)
    world = make_world()
    world.carbon.wait_for(otter.sums())
    target, = [target for _, title, target in world.boards.targets() if title == "Rows replicated"]
    now = int(time.time())
    drawn = world.web.ask("render", target=target, format="json", **{"from": now - 7200, "until": now})
    got = {one["target"]: round(STEP * sum(value for value, _ in one["datapoints"])) for one in drawn}
    assert got == {i: otter.sums()[f"otter.pipeline.{i}.type.row.throughput.count"] for i in "123"}


# What is pushed, since no agent sends it: alert -> a state that is bad, and one that is another's business.
@pytest.mark.parametrize("form", ["dotted", "tagged"])
def test_a_pipelines_state(make_world, form):
    world = make_world(**FORMS[form])
    for alert, state in STATES.items():
        for value, color in ((0, "green"), (state, "red"), (5, "green"), (state, "red"), (1, "green")):
            world.push(0, "state", pipeline=2)
            world.push(value, "state", pipeline=1)
            world.turns(alert, color)
            time.sleep(STEP)
    world.push(8, "state", pipeline=2)
    world.turns("stalled", "red")


def test_a_delay(make_world, mariadb):
    world = make_world()
    insert = ("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED) "
              "VALUES (%s, 0, 2, now(), now())")
    for delay, color in ((60000, "green"), (60001, "red"), (10, "green")):
        mariadb.query(insert, delay)
        wait_until(lambda wanted=delay: wanted in world.carbon.points("otter.pipeline.2.delay_ms").values(), "the delay")
        world.turns("lagging", color)


def test_exceptions(make_world, mariadb):
    world = make_world()
    insert = ("INSERT INTO LOG_RECORD (NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
              "VALUES ('1', '1', '2', %s, 'pid:2 nid:1 exception:setl:java.lang.Error', now(), now())")
    mariadb.query(insert, "DELAYTIME")
    wait_until(lambda: world.carbon.points("otter.pipeline.2.title.delaytime.log.records"), "another alarm")
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
    assert world.boards.rules()["source-unread"]["data"][2]["model"]["conditions"][0]["evaluator"]["params"] == [300]
    world.turns("source-unread", "green", limit=5)
    world.turns("errors", "green")
    manager.stop()
    world.turns("errors", "red")
    world.turns("source-unread", "red", limit=5)  # five minutes are long: the same, sooner
    assert not world.is_red("source-unread")
    manager.start()
    world.turns("source-unread", "green", limit=5)
    world.turns("errors", "green", later=620)


def test_a_sink_that_is_down(make_world, otter, late_carbon):
    otter.do("history", "--rows", 6000, "--hours", 1)
    world = make_world(sinks=[to_graphite(late_carbon, name="late", step=STEP, creates=0)])
    world.turns("behind", "red")
    late_carbon.start()
    world.turns("behind", "green")
    world.turns("lost", "green")


def test_points_that_are_lost(make_world, otter, statsd):
    """The queue is full while carbon is down, and the other sink keeps up."""
    otter.do("history", "--rows", 5000, "--hours", 24)
    world = make_world(sinks=[to_statsd(statsd)], queue={"max_bytes": 65536}, is_down=True)
    world.agent.wait_for_log("sink=graphite event=lost")
    assert not world.is_red("lost"), "nobody is told yet"
    world.carbon.start()
    world.turns("lost", "red")
    world.turns("lost", "green", later=620)


@pytest.mark.parametrize("form", ["dotted", "tagged"])
def test_an_agent_that_is_silent(make_world, form):
    world = make_world(**FORMS[form])
    world.turns("silent", "green")
    world.push(0, "agent.queue_points", ago=270, agent="other")
    wait_until(lambda: "other" in str(world.values(world.boards.rules()["silent"]["data"][0]["model"]["target"])), "it")
    assert not world.is_red("silent"), "a while ago is no silence yet"
    world.push(0, "agent.queue_points", ago=400, agent="third")
    world.turns("silent", "red")
    world.push(0, "agent.queue_points", agent="third")
    world.turns("silent", "green")
    world.push(0, "agent.queue_points", ago=30000, agent="gone")
    time.sleep(2 * STEP)
    assert not world.is_red("silent"), "one that is gone for good is no news"


def test_nothing_at_all_is_silence_too(make_world):
    world = make_world()
    world.agent.stop()
    for file in world.carbon.whisper.rglob("*.wsp"):
        file.unlink()
    red = {name for name in world.boards.rules() if world.is_red(name)}
    assert red == {"silent"}


# What deploy/boards.png shows: a row of panels of each board.
PICTURE = {
    "overview": ("State", "Worst delay", "Rows replicated"),
    "pipeline": ("Delay", "Stages", "Inserts"),
    "agent": ("Time of a poll", "Points sent", "Points behind"),
}
WIDTH, HEIGHT = 400, 190


def combined(pictures):
    """PNGs, put side by side and below each other, as one."""
    whole = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, WIDTH * len(pictures[0]), HEIGHT * len(pictures))
    context = cairocffi.Context(whole)
    for y, row in enumerate(pictures):
        for x, png in enumerate(row):
            context.set_source_surface(cairocffi.ImageSurface.create_from_png(io.BytesIO(png)), x * WIDTH, y * HEIGHT)
            context.paint()
    return whole.write_to_png()


@pytest.mark.slow
def test_the_picture(make_world, otter):
    """OB_PICTURE=deploy/boards.png makes the one in the README anew. A minute of the fake Otter takes a step."""
    world = make_world()
    otter.run("--speed", 60 / STEP)
    time.sleep(80)
    for ago in range(0, 90, STEP):  # no agent tells it yet
        for pipeline, state in ((1, 0), (2, 5 if ago < 30 else 0), (3, 1 if ago > 50 else 7 if ago > 20 else 0)):
            world.push(state, "state", ago=ago, pipeline=pipeline)
    time.sleep(STEP)
    targets = {(name, panel["title"]): (name, panel) for name in BOARDS for panel in world.boards.board(name)["panels"]}
    rows = []
    for name, titles in PICTURE.items():
        panels = [targets[name, title][1] for title in titles]
        rows.append([world.web.get("render", width=WIDTH, height=HEIGHT, title=f"{name}: {panel['title']}",
                                   lineMode="connected", fontSize=8, yMin=0, **{"from": "-78s", "until": "-8s"},
                                   areaMode="stacked" if "scaleToSeconds" in panel["targets"][0]["target"] else "none",
                                   target=[world.picked(one["target"]) for one in panel["targets"]]) for panel in panels])
    png = combined(rows)
    assert 20000 < len(png) < 200000
    if "OB_PICTURE" in os.environ:
        (ROOT / os.environ["OB_PICTURE"]).write_bytes(png)
