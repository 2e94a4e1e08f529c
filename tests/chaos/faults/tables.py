"""Rows that are deleted, restored, and late. Counted rows stay counted; new rows count once."""
import subprocess
import time

from chaos import ledger, replication
from chaos.fault import Fault

ALL = (*ledger.TABLES, "TABLE_STAT")
REPLICA = ("replica", "mysql_proxy")
KEEP_INSIDE = 10  # seconds: rows that have left the overlap are read again for so long


def truncate(world, _):
    for table in ALL:
        world.database.query(f"TRUNCATE {table}")


def purge(world, _):
    """Deletes the older half of the rows, like a clean-up; the newest rows stay."""
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
    """Restores a dump from before the last rows: the database uses the ids of these rows again."""
    older = dump(world.database)
    time.sleep(1.1)
    world.write()
    assert world.has_counted(), "rows before the restore"
    load(world.database, older)


def fail_over(world, _):
    """The replica lacks the newest rows, which were counted, and becomes the server permanently."""
    replication.pause(world.replica)
    world.write()
    assert world.has_counted(), "rows that the replica lacks"
    replication.leave(world.replica)
    world.mysql_proxy.retarget(world.replica.port)
    world.current = world.replica


def fail_back(world):
    """The first server is created again from the second server, and becomes the server again."""
    world.write()
    assert world.has_counted(), "rows of the replica"
    load(world.database, dump(world.replica))
    world.mysql_proxy.retarget(world.database.port)
    world.current = world.database
    replication.follow(world.replica, world.database)
    time.sleep(2.2)


def take_turns(world, _):
    """A balancer over two copies, one of which is behind."""
    replication.pause(world.replica)
    world.write()
    assert world.has_counted(), "rows that the replica lacks"
    lead_to(world, world.replica)
    lead_to(world, world.database)
    world.write()
    lead_to(world, world.replica)
    replication.resume(world.replica)
    replication.wait(world.replica, world.database)


def lead_to(world, server):
    world.mysql_proxy.retarget(server.port)
    time.sleep(2.2)


def lead_back(world):
    lead_to(world, world.database)


def purge_and_late(world, _):
    """Sixty rows are deleted, and 59 rows between them become visible behind the overlap at the same time: no count of
    rows grows."""
    row = ("INSERT INTO LOG_RECORD (ID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
           "VALUES (%s, '1', '1', 'LATE', 'x', FROM_UNIXTIME(%s), FROM_UNIXTIME(%s))")
    series = ledger.path(("pipeline", "title"), (1, "late"), "log.records")
    [(first, now)] = world.database.query("SELECT COALESCE(MAX(ID), 0) + 2, UNIX_TIMESTAMP() FROM LOG_RECORD")
    with world.database.connect("otter") as connection, connection.cursor() as cursor:
        cursor.executemany(row, [(first + 2 * i, now, now) for i in range(120)])
        world.wanted[series] = world.wanted.get(series, 0) + 120
        assert world.has_counted(), "rows before the purge"
        time.sleep(world.settings["overlap"] + KEEP_INSIDE + 1)
        connection.begin()
        cursor.execute("DELETE FROM LOG_RECORD WHERE ID BETWEEN %s AND %s", (first, first + 119))
        cursor.executemany(row, [(first + 1 + 2 * i, now, now) for i in range(59)])
        connection.commit()
    world.wanted[series] += 59
    assert world.has_counted(), "late rows, though as many were deleted"


def stop_replication(world, _):
    """Rows of another master come late, with ids between the ids of this master."""
    replication.pause(world.database)


def resume_replication(world):
    replication.resume(world.database)


FAULTS = [
    Fault("TRUNCATE", truncate, is_quiet=True),
    Fault("range DELETE", purge, is_quiet=True),
    Fault("restore of an older dump", restore, is_quiet=True),
    Fault("failover to a lagging replica and back", fail_over, fail_back, is_quiet=True, parts=REPLICA),
    Fault("two copies that take turns, one behind", take_turns, lead_back, is_quiet=True, parts=REPLICA),
    Fault("late rows and a purge at once", purge_and_late, is_quiet=True, settings={"overlap": 4}, most=5),
    Fault("late commits: transactions held for seconds", lambda *_: None, lasts=(5, 7),
          settings={"load": {"writers": 12, "hold": 12}, "overlap": 20}),
    Fault("two masters, replication stopped", stop_replication, resume_replication, parts=("masters",),
          lasts=(1, 4), longest=37, settings={"delay": 2}),
]
