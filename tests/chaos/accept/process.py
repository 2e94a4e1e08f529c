"""The agent is killed: the contents of its store, and the values in statsd."""
import contextlib
import shutil
import sqlite3
import time

from chaos import accounts, arrival, ledger, rounds
from chaos.accept.case import Case
from chaos.fault import AT_MOST
from chaos.faults.processes import check_in_doubt
from chaos.kills import any_life
from servers.process import wait_until

BATCH = 1000  # the largest number of points that one crash can lose


def check_file(file, copy):
    """Checks a copy of the killed agent's store: the store is not damaged."""
    for ending in ("", "-wal"):
        if file.with_name(file.name + ending).exists():
            shutil.copy(file.with_name(file.name + ending), copy.with_name(copy.name + ending))
    with sqlite3.connect(copy) as store:
        found = store.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)], f"the store is damaged: {found[:3]}"
    for ending in ("", "-wal", "-shm"):
        copy.with_name(copy.name + ending).unlink(missing_ok=True)


def killed_files(trial):
    world, times = trial.world, trial.scaled(100, 300)
    world.start_load()
    for _ in range(times):
        world.start_agent()
        time.sleep(any_life(trial.chance) + 0.02)
        world.kill_agent()
        if world.state_file.exists():
            check_file(world.state_file, world.folder / "copy.db")
    world.stop_load()
    world.start_agent()
    trial.row.times = times
    assert "event=set_aside" not in world.agent.log(), "a store was set aside though nobody damaged it"
    trial.count()


def crashes_of_statsd(trial):
    """statsd lacks at most one batch per crash, and never more than the log calls in doubt."""
    world, times = trial.world, 30
    world.start_load()
    for _ in range(times):
        world.start_agent()
        time.sleep(trial.chance.uniform(0.2, 1.2))
        world.kill_agent()
    world.start_agent()
    time.sleep(1)
    closed_and_open_again(world)
    world.stop_load()
    trial.row.times = times
    trial.count()
    in_doubt, missing = check_in_doubt(world)
    trial.say(f"{times} kills; in doubt by the log: {in_doubt} points; series for which statsd has too little: {missing}")
    assert in_doubt <= times * BATCH, "a crash costs more than a batch"


def closed_and_open_again(world):
    """The listener closes and opens again: the next datagrams arrive."""
    world.relay.refuse()
    time.sleep(2)
    world.relay.heal()
    before = world.statsd.counters()
    arrival.wait_for(world, rounds.truth_of(world), 3)
    assert world.statsd.counters() != before, "nothing came after the port was open again"


def kept(world):
    """Returns the points of batches that Graphite's sink dropped, but whose steps are in its fold: they are behind, and in no batch."""
    behind = [account["behind"] for account in accounts.read(world.agent.log()) if account["sink"] == "graphite"][-1]
    with contextlib.closing(sqlite3.connect(world.state_file)) as store:
        waiting = store.execute("SELECT SUM(points) FROM batches, sinks WHERE name = 'graphite' AND seq > sent_upto")
        return behind - (waiting.fetchone()[0] or 0)


def fuller_than_the_queue(trial):
    """carbon is down for longer than the queue can hold: statsd does not wait, and open steps keep the dropped points."""
    world = trial.world
    world.start_agent()
    world.start_load()
    time.sleep(3)
    world.carbon_proxy.refuse()
    time.sleep(trial.scaled(25, 120))
    world.stop_load()
    truth = rounds.truth_of(world)
    wait_until(lambda: ledger.counters(world.statsd.counters()) == truth.sums, "statsd, while carbon is away", 30)
    world.stop_agent()
    points = kept(world)
    assert points > 0, "the queue was not full"
    world.start_agent()
    world.carbon_proxy.heal()
    trial.count()
    trial.say(f"{points} points were given up by the queue, and kept by steps that were open")


CASES = [
    Case("queue", fuller_than_the_queue, ("carbon_proxy",), {"agent": {"queue": {"max_bytes": 65536}},
                                                             "load": {"rate": 1500}}),
    Case("state", killed_files, settings={"step": 1}, statsd=AT_MOST),
    Case("statsd", crashes_of_statsd, ("relay",), statsd=AT_MOST),
]
