"""Rows that become visible late, and wrong clocks."""
import threading
import time

from chaos import ledger, replication
from chaos.accept.case import Case
from chaos.faults.clocks import before_the_fold
from chaos.rows import Rows
from servers.process import wait_until

PAST_THE_FOLD = "SELECT UTC_TIMESTAMP() > '2025-11-02 06:00:04'"
LEAST = 8000  # rows in each run


class Naive(threading.Thread):
    """Reads with `ID > last` every second, and so misses rows: this shows that the load is hard enough."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.read = server, 0
        self.last, self.is_over = dict.fromkeys(ledger.TABLES, 0), threading.Event()

    def run(self):
        while not self.is_over.wait(1):
            self.poll()

    def poll(self):
        for table in ledger.TABLES:
            ids = [row[0] for row in self.server.query(f"SELECT ID FROM {table} WHERE ID > %s", self.last[table])]
            self.read += len(ids)
            self.last[table] = max([self.last[table], *ids])

    def missed(self):
        """Returns how many of all rows the naive reader has missed."""
        self.is_over.set()
        self.join()
        self.poll()
        return ledger.rows_written(self.server) - self.read


def late(trial, seconds, bites, stopped=0):
    world = trial.world
    world.start_agent()
    naive = Naive(world.database)
    naive.start()
    world.start_load()
    time.sleep(seconds / 2)
    if stopped:
        replication.pause(world.database)
        time.sleep(stopped)
        replication.resume(world.database)
    time.sleep(seconds / 2)
    while ledger.rows_written(world.database) < LEAST:
        time.sleep(1)
    world.stop_load()
    missed = naive.missed()
    trial.say(f"ID > last would have missed {missed} rows")
    assert missed or not bites, "the load is too easy: ID > last missed nothing"
    trial.count()


def one_master(trial):
    late(trial, 12, False)


def two_masters(trial):
    late(trial, 12, True)


def long_transactions(trial):
    late(trial, trial.scaled(20, 60), True)


def two_masters_and_delay(trial):
    late(trial, trial.scaled(20, 60), True, trial.scaled(8, 40))


def behind_a_lock(trial):
    """A statement that waits for a lock has its time already, but its row is not visible yet."""
    world = trial.world
    world.rows = Rows(trial.chance)
    world.start_agent()
    world.write(world.database)
    assert world.has_counted(), "rows before"
    lock = world.database.connect("otter")
    lock.cursor().execute("LOCK TABLES THROUGHPUT_STAT WRITE, LOG_RECORD WRITE, TABLE_HISTORY_STAT WRITE, "
                          "TABLE_STAT WRITE")
    writer = threading.Thread(target=world.write, args=(world.database,))
    writer.start()
    time.sleep(6)
    lock.close()
    writer.join()
    trial.count(ledger.Truth(world.wanted))


def write_behind(trial, behind, wait):
    """Writes TABLE_STAT's rows over, each time with a clock that is so many seconds behind."""
    world = trial.world
    world.rows = Rows(trial.chance)
    world.start_agent()
    for seconds in behind:
        with world.database.connect("otter") as connection:
            connection.cursor().execute("SET timestamp = UNIX_TIMESTAMP() - %s", (seconds,))
            world.rows.write_over(connection, world.wanted)
        time.sleep(wait)
    trial.count(ledger.Truth(world.wanted))


def time_goes_back(trial):
    """TABLE_STAT's rows get times of before those that they had."""
    write_behind(trial, (0, 3, 0, 3, 3), 1.5)


def an_hour_back(trial):
    """The database's clock was set back for some rows."""
    write_behind(trial, (0, 3600, 0), 3)


def over_the_fold(trial):
    world = trial.world
    world.start_agent()
    world.start_load()
    wait_until(lambda: world.database.query(PAST_THE_FOLD)[0][0], "the hour has come again", 60, 0.5)
    here, zone, there = world.database.query("SELECT NOW(), @@system_time_zone, UTC_TIMESTAMP()")[0]
    trial.say(f"it is {here} in {zone}, {there} UTC")
    world.stop_load()
    trial.count()


FOLD = {"database_zone": "America/New_York", "database_offset": before_the_fold, "step": 1}
R1 = {"load": {"masters": 1, "managers": 2, "writers": 16, "hold": 0, "rate": 900}}
R2 = {"load": {"writers": 8, "hold": 0, "rate": 500}}
R3 = {"load": {"masters": 1, "writers": 40, "hold": 10, "rate": 600}}
R4 = {"load": {"writers": 24, "hold": 10, "rate": 400}, "delay": 4}


def longer(settings, **more):
    return {**settings, **more, "load": {**settings["load"], "hold": 30}}


CASES = [
    Case("late-r1", one_master, settings=R1),
    Case("late-r2", two_masters, ("masters",), R2),
    Case("late-r3", long_transactions, (), R3, longer(R3)),
    Case("late-r4", two_masters_and_delay, ("masters",), R4, longer(R4, delay=20)),
    Case("mdl", behind_a_lock),
    Case("back", time_goes_back),
    Case("clock", an_hour_back),
    Case("dst", over_the_fold, ("database_clock",), FOLD, needs=("faketime",)),
]
