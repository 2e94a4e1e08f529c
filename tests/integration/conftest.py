"""Real servers for each test: all tests share one MariaDB, which is emptied before each test; carbon and statsd are new each time."""
import pathlib
import shutil
import tempfile

import pytest

from servers import agent as agents
from servers.carbon import Carbon
from servers.fake_otter import FakeOtter
from servers.manager import Manager
from servers.mariadb import PASSWORD, USER, MariaDB, make_template
from servers.sinks import Datagrams
from servers.state import State
from servers.statsd import Statsd
from servers.way import Way
from servers.wiring import to_graphite, to_statsd


def pytest_runtest_logreport(report):
    """Prints the reason of a failed test that runs a second time."""
    if report.outcome == "rerun":
        print(f"\n{report.nodeid} is asked again:\n{report.longreprtext}")


@pytest.fixture(scope="session")
def template():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="otterbeat-template-"))
    make_template(folder / "data")
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(name="folder")
def short_folder():
    """Returns a folder with a short path, because the path of a unix socket must be short."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(make, folder):
    folder.mkdir(exist_ok=True)
    server = make(folder)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session", name="shared_server")
def shared_mariadb(template):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ob-db-"))
    yield from started(lambda at: MariaDB(at, template), folder)
    shutil.rmtree(folder, ignore_errors=True)


def fill(server):
    server.query("DROP DATABASE IF EXISTS otter", database=None)
    server.query("CREATE DATABASE otter", database=None)
    server.make_user()
    return server


@pytest.fixture
def mariadb(shared_server):
    return fill(shared_server)


@pytest.fixture
def own_mariadb(template, folder):
    """A MariaDB of its own, which the test may kill."""
    for server in started(lambda at: MariaDB(at, template), folder / "db"):
        yield fill(server)


@pytest.fixture
def otter(mariadb, folder):
    fake = FakeOtter(mariadb, folder)
    fake.do("create", "--pipelines", 3, "--tables", 2)
    yield fake
    fake.stop()


@pytest.fixture
def manager(otter, folder):
    yield from started(lambda at: Manager(otter, at), folder / "manager")


@pytest.fixture
def way(manager):
    made = Way(manager.port)
    yield made
    made.stop()


@pytest.fixture
def sink():
    made = Datagrams()
    yield made
    made.stop()


@pytest.fixture
def page_agent(make_agent, manager, sink, mariadb):
    """An agent that reads only a manager's pages: those of the fake Otter, unless the test gives another url."""
    def make(sources=None, name="agent", names=None, **page):
        mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3}
        tables = {name: {"enabled": False} for name in (*agents.SOURCES, "state", "agent")}
        return make_agent(mariadb, [{"type": "statsd", "port": sink.port}], name=name,
                          managers=[{"mysql": mysql, "page": {"url": manager.url, "timeout": 2, **page}}],
                          sources={**tables, "page": {"enabled": True, "every": 1}, **(sources or {})},
                          **({"names": names} if names else {}))
    return make


@pytest.fixture(name="state")
def state_database(template, folder):
    """The database in which several agents keep their state."""
    (folder / "state").mkdir()
    server = State(folder / "state", template).start()
    server.install()
    yield server
    server.stop()


@pytest.fixture
def carbon(folder):
    yield from started(Carbon, folder / "carbon")


@pytest.fixture
def statsd(folder):
    yield from started(Statsd, folder / "statsd")


@pytest.fixture
def make_agent(folder):
    """make_agent(server, sinks, …): returns an agent that stops with the test, and whose log must not have a sanitizer's report."""
    made = []

    def make(server, sinks, name="agent", **settings):
        place = folder / name
        place.mkdir(exist_ok=True)
        made.append(agents.Agent(place, server, sinks, **settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def both(carbon, statsd):
    return [to_statsd(statsd), to_graphite(carbon)]
