"""A live system: managers that behave well and writers that do not, until a signal comes or the time is over."""
import functools
import os
import signal
import sys
import threading
import time

import pymysql

from database import BY_SERVER, connect, count_up, insert
from logs import KINDS, log_row
from world import FIRST_PAIR_OF_WRITERS, Dice, World, delay_row, history_row, throughput_row

ANSWER_SECONDS = 20  # a server without an answer for so long counts as gone; longer than a lock wait
PAUSE_SECONDS = 0.2  # before a broken connection is opened again
WRITERS_MOST = 500   # the writers of each master have numbers of their own: no writer updates rows of another writer
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Worker(threading.Thread):
    """One thread with its connection. The connection may break at any time: during the run the thread opens it again, with
    the session settings of one of the masters."""
    role = isolation = None

    def __init__(self, options, world, stop, number):
        super().__init__()
        self.options, self.world, self.stop, self.number = options, world, stop, number
        self.dice = Dice(f"{options.seed} {self.role} {number}")
        self.db, self.is_broken = None, False
        self.rows = self.rolled_back = self.breaks = 0

    def run(self):
        self.work()
        self.hang_up()

    def work(self):
        raise NotImplementedError

    def is_over(self, deadline):
        """Waits until that time. Returns True when the run is over, and returns at once when it is already over."""
        return self.stop.wait(max(deadline - time.monotonic(), 0))

    def attempt(self, act):
        """Connects if necessary, and acts. After an error (a lost server, a deadlock, a lock time-out) the worker closes the
        connection, so that the server rolls back, and waits a little."""
        try:
            if not self.db:
                self.connect()
            act()
        except (pymysql.Error, OSError) as error:
            if not self.is_broken:
                self.breaks += 1
                self.say(f"event=broken err=\"{error}\"")
            self.is_broken = True
            self.hang_up()
            self.stop.wait(PAUSE_SECONDS)

    def connect(self):
        masters = self.options.masters
        self.db = connect(self.options.socket, self.options.database, ANSWER_SECONDS)
        self.db.query(f"set session auto_increment_increment = {masters},"
                      f" auto_increment_offset = {self.options.master or self.number % masters + 1}")
        self.db.query(f"set session transaction isolation level {self.isolation}")
        if self.is_broken:
            self.say("event=connected")
        self.is_broken = False

    def hang_up(self):
        try:
            if self.db:
                self.db.close()
        except pymysql.Error:
            pass  # the connection was closed already
        self.db = None

    def say(self, text):
        sys.stderr.write(f"{self.role}={self.number} {text}\n")

    def write(self, table, row):
        """Writes with autocommit: Otter's managers use no transactions."""
        insert(self.db, table, [(*BY_SERVER, *row)])
        self.rows += 1


class Manager(Worker):
    """Adds each batch to the totals at once, and writes the batches since the last flush every minute."""
    role, isolation = "manager", "repeatable read"  # Otter's connections use the settings of the server

    def work(self):
        self.minute = 60 / self.options.speed  # how many seconds this manager's minute takes
        self.begun = time.monotonic()
        self.batches = []  # since the last flush
        self.next_kind = self.number * len(KINDS) // 2  # of log record; two managers begin with different kinds
        self.attempt(self.take_first_batches)
        phase = (0.2 + 0.8 * self.dice.random()) * self.minute
        duties = [(self.begun, self.minute / self.world.batches_a_minute, self.take_any_batch),
                  (self.begun + phase, self.minute, self.flush),
                  (self.begun + phase / 2, 2 * self.minute, self.watch)]
        while True:
            due, every, act = duty = min(duties, key=lambda each: each[0])
            if self.is_over(due):
                return
            # The schedule keeps its phase; missed rounds are not repeated.
            late = max(time.monotonic() - due, 0)
            duties[duties.index(duty)] = (due + every * (1 + late // every), every, act)
            self.attempt(act)

    def take_first_batches(self):
        """When managers start, all waiting nodes report at once, and the nodes of a split pipeline report to all managers.
        In this way TABLE_STAT gets two rows for one pair."""
        for pair in range(1, self.world.pairs + 1):
            if self.world.is_split(self.world.pipeline_of(pair)):
                self.take(pair)

    def take(self, pair):
        """A node reports a loaded batch: the manager updates the totals at once, and the rest with the next flush."""
        batch = self.world.batch(self.dice, pair, int(time.time()))
        count_up(self.db, batch)
        self.rows += 1
        self.batches.append(batch)

    def is_mine(self, pipeline):
        minute, managers = int((time.monotonic() - self.begun) / self.minute), self.options.managers
        if self.world.is_idle(pipeline, minute):
            return False
        if self.world.is_split(pipeline):
            return self.dice.happens(1 / managers)
        return self.world.manager_of(pipeline, minute, managers) == self.number

    def take_any_batch(self):
        pair = self.dice.between(1, self.world.pairs)
        pipeline = self.world.pipeline_of(pair)
        if self.is_mine(pipeline):
            if self.dice.happens(0.005):
                self.write_log(pipeline)
            self.take(pair)

    def flush(self):
        """As in Otter, a failed flush forgets nothing: the next flush writes the same batches again, and further batches that
        came meanwhile."""
        for pipeline in range(1, self.world.pipelines + 1):
            of_pipeline = [batch for batch in self.batches if batch.pipeline == pipeline]
            with_files = [batch for batch in of_pipeline if batch.files]
            if of_pipeline:
                self.write("DELAY_STAT", delay_row(pipeline, of_pipeline))
                self.write("THROUGHPUT_STAT", throughput_row("ROW", pipeline, of_pipeline))
            if with_files:
                self.write("THROUGHPUT_STAT", throughput_row("FILE", pipeline, with_files))
        for pair in sorted({batch.pair for batch in self.batches}):
            self.write("TABLE_HISTORY_STAT", history_row([batch for batch in self.batches if batch.pair == pair]))
        self.batches = []

    def watch(self):
        """One round of the rule monitors: they find one to three problems."""
        for _ in range(self.dice.between(1, 3)):
            self.write_log(self.dice.between(1, self.world.pipelines))

    def write_log(self, pipeline):
        self.write("LOG_RECORD", log_row(self.world, self.dice, self.next_kind, pipeline))
        self.next_kind += 1


class Writer(Worker):
    """Inserts rows in transactions; some transactions are held open, and some are rolled back. After a held transaction the
    next transaction also writes the rows that were due meanwhile. So the rate stays the same, and most rows are committed
    soon."""
    # A held transaction must lock only its own rows, and not the gaps into which other writers insert.
    role, isolation = "writer", "read committed"
    TABLES = {"DELAY_STAT": 30, "THROUGHPUT_STAT": 25, "TABLE_HISTORY_STAT": 25, "LOG_RECORD": 8, "TABLE_STAT": 12}
    USUAL_ROWS, MOST_ROWS, MOST_STATEMENTS = 8, 5000, 50  # of one transaction; above the largest number of statements each statement has more rows
    LONG_SHARE, ROLLED_BACK_SHARE, SHORT_HOLD = 0.15, 0.05, 0.005  # two shares of the transactions, and seconds

    def work(self):
        seconds_a_row = self.options.writers / self.options.rate
        paid = time.monotonic()
        while not self.is_over(paid + self.dice.between(1, self.USUAL_ROWS) * seconds_a_row):
            owed = (time.monotonic() - paid) / seconds_a_row
            rows = int(min(owed, self.MOST_ROWS))
            # Rows that an outage prevented are not written later.
            paid = paid + rows * seconds_a_row if owed < self.MOST_ROWS else time.monotonic()
            if rows:
                self.attempt(functools.partial(self.transact, rows))

    def transact(self, rows):
        is_rolled_back = self.dice.happens(self.ROLLED_BACK_SHARE)
        is_long = self.dice.happens(self.LONG_SHARE)
        hold = self.options.hold if is_long else min(self.options.hold, self.SHORT_HOLD)
        each = 1 + rows // self.MOST_STATEMENTS
        self.db.begin()
        for first in range(0, rows, each):
            self.write_statement(min(each, rows - first))
        # When the run ends meanwhile, this transaction still commits or rolls back as planned.
        self.stop.wait(hold * self.dice.random())
        if is_rolled_back:
            self.db.rollback()
            self.rolled_back += 1
        else:
            self.db.commit()
            self.rows += rows

    def write_statement(self, rows):
        """Writes one statement. All of its rows belong to one table and to one second."""
        table = self.dice.choices(list(self.TABLES), self.TABLES.values())[0]
        if table == "TABLE_STAT":
            # The update locks its row until the end of the transaction, so each writer uses a pair (without a name) of its own.
            own = {"pair": FIRST_PAIR_OF_WRITERS + self.number, "pipeline": self.number % self.world.pipelines + 1}
            for _ in range(rows):
                count_up(self.db, self.any_batch()._replace(**own))
        else:
            insert(self.db, table, [(*BY_SERVER, *self.any_row(table)) for _ in range(rows)])

    def any_batch(self):
        return self.world.batch(self.dice, self.dice.between(1, self.world.pairs), int(time.time()))

    def any_row(self, table):
        batch = self.any_batch()
        if table == "DELAY_STAT":
            return delay_row(batch.pipeline, [batch])
        if table == "THROUGHPUT_STAT":
            return throughput_row("FILE" if batch.files else "ROW", batch.pipeline, [batch])
        if table == "TABLE_HISTORY_STAT":
            return history_row([batch])
        return log_row(self.world, self.dice, self.dice.between(0, len(KINDS) - 1), batch.pipeline)


def end_loudly(failure):
    """Ends the whole run when a worker fails: a run with a missing worker would look like a good run."""
    sys.excepthook(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


def run(db, options):
    world, stop = World.of_database(db, options.seed), threading.Event()
    db.close()
    threading.excepthook = end_loudly
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    workers = [Manager(options, world, stop, i) for i in range(options.managers)]
    workers += [Writer(options, world, stop, WRITERS_MOST * options.master + i) for i in range(options.writers)]
    for worker in workers:
        worker.start()
    sys.stderr.write("event=running\n")  # from now on a signal ends the run cleanly
    if options.seconds:
        signal.sigtimedwait(SIGNALS, options.seconds)
    else:
        signal.sigwait(SIGNALS)
    stop.set()
    for worker in workers:
        worker.join()
    totals = {name: sum(getattr(worker, name) for worker in workers) for name in ("rows", "rolled_back", "breaks")}
    sys.stderr.write(f"event=done {' '.join(f'{name}={total}' for name, total in totals.items())}\n")
