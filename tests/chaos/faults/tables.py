"""Rows that go, come back, and come late. What was counted stays counted; what is new is counted once."""
import subprocess
import time

from chaos import ledger, replication
from chaos.fault import Fault

ALL = (*ledger.TABLES, "TABLE_STAT")
REPLICA = ("replica", "mysql_proxy")


def truncate(world, _):
    for table in ALL:
        world.database.query(f"TRUNCATE {table}")


def purge(world, _):
    """The older half, as who cleans up does; its newest rows stay."""
    for table in ledger.TABLES:
        world.database.query(f"DELETE FROM {table} WHERE ID <= (SELECT * FROM (SELECT (MIN(ID) + MAX(ID)) DIV 2 "
                             f"FROM {table}) m)")


def dump(server):
    return subprocess.run(["mariadb-dump", "--no-defaults", f"--socket={server.socket}", "--user=root",
                           "--single-transaction", "otter"], capture_output=True, check=True).stdout


def load(server, text):
    subprocess.run(["mariadb", "--no-defaults", f"--socket={server.socket}", "--user=root", "otter"], input=text,
                   check=True)


def restore(world, _):
    """A dump of before the last rows comes back: their ids are given out once more."""
    older = dump(world.database)
    time.sleep(1.1)
    world.write()
    assert world.has_counted(), "rows before the restore"
    load(world.database, older)


def fail_over(world, _):
    """The replica lacks the newest rows, which were counted, and takes over for good."""
    replication.pause(world.replica)
    world.write()
    assert world.has_counted(), "rows that the replica lacks"
    replication.leave(world.replica)
    world.mysql_proxy.retarget(world.replica.port)
    world.current = world.replica


def fail_back(world):
    """The first one is made anew from the second, and takes over again."""
    world.write()
    assert world.has_counted(), "rows of the replica"
    load(world.database, dump(world.replica))
    world.mysql_proxy.retarget(world.database.port)
    world.current = world.database
    replication.follow(world.replica, world.database)
    time.sleep(2.2)


def stop_replication(world, _):
    """Rows of another master come late, with ids between ours."""
    replication.pause(world.database)


def resume_replication(world):
    replication.resume(world.database)


FAULTS = [
    Fault("TRUNCATE", truncate, is_quiet=True),
    Fault("range DELETE", purge, is_quiet=True),
    Fault("restore of an older dump", restore, is_quiet=True),
    Fault("failover to a lagging replica and back", fail_over, fail_back, is_quiet=True, parts=REPLICA),
    Fault("late commits: transactions held for seconds", lambda *_: None, lasts=(5, 7),
          settings={"load": {"writers": 12, "hold": 12}, "overlap": 20}),
    Fault("two masters, replication stopped", stop_replication, resume_replication, parts=("masters",),
          lasts=(1, 4), longest=37, settings={"delay": 2}),
]
