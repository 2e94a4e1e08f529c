"""otterbeat migrate: the state of an agent goes from a folder into a database and back, and the sums stay exact."""
import itertools
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from servers.agent import PROGRAM
from servers.mariadb import PASSWORD, USER
from servers.process import wait_until
from servers.wiring import to_graphite, to_statsd

LEASE = 3
WAITING = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_rows_modified > 4"
TRX_AGE = 0.3  # seconds: the server renews this table only when nobody has read it for 0.1 s
TABLES = ("sources", "seen_ids", "tracked_rows", "tracked_totals", "names", "event_signatures", "event_values", "pipeline_states",
          "batches", "sinks", "sink_totals", "sink_totals_upto")


OF_EACH_MANAGER = ("sinks", "sink_totals_upto")  # in a folder, all managers have these rows in common
NAMES = {"one manager": ("",), "two managers": ("east", "west")}


@pytest.fixture
def names(request):
    return NAMES[getattr(request, "param", "one manager")]


@pytest.fixture
def agent(make_agent, mariadb, carbon, statsd, names):
    """It keeps totals of its own, since StatsD gets the growing totals, too. All managers have the tables of one database."""
    mysql = {"port": mariadb.port, "user": USER, "password": PASSWORD, "connect_timeout": 2, "query_timeout": 3}
    return make_agent(mariadb, [to_statsd(statsd, counters="both"), to_graphite(carbon, horizon=2, creates=0)], drain=1, state_dir="old",
                      managers=[{"name": name, "mysql": mysql} for name in names])


def sums(otter, names):
    return {re.sub(r"^otter\.", f"otter.manager.{name}." if name else "otter.", series): value
            for name in names for series, value in otter.sums().items()}


def share(agent, state):
    agent.top.pop("state_dir", None)
    agent.write(state=state.settings("a", LEASE))


def keep_in(agent, folder):
    agent.top.pop("state", None)
    agent.write(state_dir=folder)


def rows_of_database(state):
    return {table: state.ask(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES}


def rows_of_folder(folder):
    with sqlite3.connect(folder / "otterbeat.db") as db:
        return {table: db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in TABLES}


def in_database(rows, names):
    """How many rows the database has when a folder has `rows`."""
    return {table: n * len(names) if table in OF_EACH_MANAGER else n for table, n in rows.items()}


def of_another_manager(state, names):
    """The rows that one manager has and that are another one's."""
    found = []
    for manager, other in itertools.permutations(names, 2):
        for table, column, text in (("sources", "name", f"{other}/"), ("seen_ids", "source", f"{other}/"),
                                    ("tracked_totals", "source", f"{other}/"),
                                    ("batches", "body", f"manager\0{other}\0"), ("sinks", "saved_state", f"otter.manager.{other}."),
                                    ("sink_totals", "tags", f"manager\0{other}\0")):
            at, = state.ask(f"SELECT COUNT(*), SUM(manager = %s) FROM {table} JOIN leases USING (unit) WHERE LOCATE(%s, {table}.{column})",
                            manager, text)
            assert at[0], f"{table} has rows of {other}"
            found += [(table, manager, other)] if at[1] else []
    return found


def refused(agent, says, *options):
    done = agent.run("migrate", *options)
    assert done.returncode == 69 and says in done.stderr, done.stderr
    assert "nothing was moved" in done.stderr


def move(agent, *options):
    done = agent.run("migrate", *options)
    assert done.returncode == 0 and done.stdout.startswith("moved "), done.stderr
    return done.stdout


def fill(otter, agent):
    """An agent that works, and stops."""
    agent.start()
    load = otter.run("--seconds", 3, "--speed", 20, "--writers", 2, "--rate", 60)
    assert load.wait(60) == 0
    time.sleep(1)
    assert agent.stop() == 0


def start_again(agent):
    times = agent.log().count("event=started")
    agent.start()
    agent.wait_for_log("event=started", times=times + 1)


def work_with_a_backlog(otter, agent, carbon):
    """The agent stops while rows are written and Graphite is down: the queue has points that Graphite lacks."""
    start_again(agent)
    load = otter.run("--seconds", 8, "--speed", 20, "--writers", 4, "--hold", 2, "--rate", 120)
    time.sleep(3)
    carbon.kill9()
    time.sleep(2)
    agent.stop()
    assert load.wait(60) == 0
    carbon.start()


def rows_of_last_manager(state, which=""):
    return state.ask(f"SELECT * FROM sinks WHERE unit = (SELECT MAX(unit) FROM leases) {which}")


def is_refused_in_another_order(agent, state, former):
    """As if StatsD were behind with the last manager alone, and Graphite with the other one alone."""
    whole = rows_of_last_manager(state)

    def replace(rows):
        state.ask("DELETE FROM sinks WHERE unit = %s", rows[0][0])
        for row in rows:
            state.ask("INSERT INTO sinks VALUES (%s, %s, %s, %s, %s, %s)", *row)

    replace(former)
    refused(agent, "the queues of the managers can't be put together", "--to-dir", str(agent.folder / "new"))
    replace(whole)


@pytest.mark.parametrize("names", NAMES, indirect=True)
def test_there_and_back_again(otter, agent, state, carbon, statsd, names):
    work_with_a_backlog(otter, agent, carbon)
    before = rows_of_folder(agent.folder / "old")
    assert before["batches"] and before["seen_ids"] and before["tracked_totals"] and before["sink_totals"], before

    share(agent, state)
    print(move(agent, "--from-dir", str(agent.folder / "old")))
    assert rows_of_database(state) == in_database(before, names)
    assert len(state.ask("SELECT DISTINCT unit FROM batches")) == len(names)
    assert of_another_manager(state, names) == []
    former = rows_of_last_manager(state, "AND name = 'statsd'")
    work_with_a_backlog(otter, agent, carbon)
    wanted = sums(otter, names)
    assert carbon.differences(wanted), "there is a backlog"
    before = rows_of_database(state)
    assert before["batches"]
    if len(names) > 1:
        is_refused_in_another_order(agent, state, former)

    print(move(agent, "--to-dir", str(agent.folder / "new")))
    assert in_database(rows_of_folder(agent.folder / "new"), names) == before
    keep_in(agent, "new")
    start_again(agent)
    wanted = sums(otter, names)
    carbon.wait_for(wanted, 60)
    statsd.wait_for(wanted, 30)
    assert agent.stop() == 0
    assert "event=set_aside" not in agent.log() and "event=corrupt" not in agent.log()


def test_what_is_refused(otter, agent, state, make_agent, mariadb, folder):
    old = str(agent.folder / "old")
    fill(otter, agent)
    done = agent.run("migrate", "--from-dir", old)
    assert done.returncode == 78 and "no setting `state`" in done.stderr
    for options in ((), ("--from-dir", old, "--to-dir", old)):
        assert agent.run("migrate", *options).returncode == 64

    start_again(agent)
    share(agent, state)
    refused(agent, "is used by another otterbeat", "--from-dir", old)
    assert agent.stop() == 0
    refused(agent, "No such file or directory", "--from-dir", old + "er")
    refused(agent, "is empty: there is nothing to move", "--to-dir", str(agent.folder / "new"))

    move(agent, "--from-dir", old)
    whole = rows_of_database(state)
    refused(agent, "has a state already: use --replace", "--from-dir", old)
    refused(agent, "has a state already: name another folder", "--to-dir", old)
    state.ask("DELETE FROM sinks")
    move(agent, "--from-dir", old, "--replace")
    assert rows_of_database(state) == whole

    start_again(agent)
    wait_until(lambda: state.lease()[0] == "a", "the agent owns the state")
    refused(agent, "stop all agents first: agent a owns the manager", "--from-dir", old, "--replace")
    refused(agent, "stop all agents first: agent a owns the manager", "--to-dir", str(agent.folder / "newer"))
    assert not (agent.folder / "newer").exists()
    assert agent.stop() == 0


def test_a_damaged_state_is_not_moved(otter, agent, state):
    fill(otter, agent)
    share(agent, state)
    for name in ("row", "file"):
        shutil.copytree(agent.folder / "old", agent.folder / name)
    with sqlite3.connect(agent.folder / "row/otterbeat.db") as db:
        db.execute("UPDATE sources SET newest = newest + 1 WHERE name = 'history'")
    refused(agent, "1 rows do not match their checksums, the first one is the checkpoint of source history", "--from-dir",
            str(agent.folder / "row"))
    (agent.folder / "file/otterbeat.db").write_bytes(b"no store" * 1000)
    refused(agent, "file is not a database", "--from-dir", str(agent.folder / "file"))
    assert (agent.folder / "file/otterbeat.db").read_bytes() == b"no store" * 1000, "the file stays as it is"
    assert not any(rows_of_database(state).values())

    move(agent, "--from-dir", str(agent.folder / "old"))
    state.ask("UPDATE sinks SET acked = acked + 1 WHERE name = 'graphite'")
    refused(agent, "the first one is the position of sink graphite", "--to-dir", str(agent.folder / "new"))
    assert not any(rows_of_folder(agent.folder / "new").values())


def begin_to_move(agent, *options):
    return subprocess.Popen([str(PROGRAM), "-c", str(agent.config), "migrate", *options], cwd=agent.folder,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("names", ["two managers"], indirect=True)
def test_a_kill_moves_nothing(otter, agent, state, names):
    """A row of somebody else's, which is not committed, holds the command in the middle of its transaction."""
    old, new = agent.folder / "old", agent.folder / "new"
    fill(otter, agent)
    before = rows_of_folder(old)
    share(agent, state)
    with state.connect("otterbeat") as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO sinks VALUES (%s, 'graphite', 0, 0, '', 0)", len(names))  # the last unit
        child = begin_to_move(agent, "--from-dir", str(old))
        wait_until(lambda: state.ask(WAITING), "the command waits in its transaction", 20, TRX_AGE)
        child.send_signal(signal.SIGKILL)
        child.wait()
        cursor.execute("ROLLBACK")
    wait_until(lambda: not state.ask("SELECT 1 FROM information_schema.innodb_trx"), "the server has rolled back", 20, TRX_AGE)
    assert not any(rows_of_database(state).values())
    assert rows_of_folder(old) == before
    move(agent, "--from-dir", str(old))
    whole = in_database(before, names)
    assert rows_of_database(state) == whole

    for wait in (0, 0.01, 0.02, 0.03):
        generations = [generation for _, generation in state.leases().values()]
        child = begin_to_move(agent, "--to-dir", str(new))
        wait_until(lambda last=generations: all(now > then for (_, now), then in zip(state.leases().values(), last)),
                   "the command has the leases", 20, 0.005)
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert rows_of_database(state) == whole
        if (new / "otterbeat.db").exists():
            assert rows_of_folder(new) in (before, dict.fromkeys(TABLES, 0))
    if not (new / "otterbeat.db").exists() or not any(rows_of_folder(new).values()):
        move(agent, "--to-dir", str(new))
    assert rows_of_folder(new) == before
