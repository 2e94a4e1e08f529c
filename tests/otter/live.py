"""A live system: managers that behave, writers that do not, until a signal or until the time is up."""
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

ANSWER_SECONDS = 20  # a server that answers nothing for so long is as good as gone; longer than a lock wait
PAUSE_SECONDS = 0.2  # before a broken connection is made again
WRITERS_MOST = 500   # each master's writers have numbers of their own: nobody updates another one's rows
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Worker(threading.Thread):
    """One thread and its connection, which may break at any time: it is made again, with the session of a master of
    its own, for as long as the run goes on."""
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
        """Waits until then. True when the run is over, at once if it already is."""
        return self.stop.wait(max(deadline - time.monotonic(), 0))

    def attempt(self, act):
        """Connects if need be, and acts. After any error (a lost server, a deadlock, a lock not given) it hangs up, so
        that the server rolls back, and waits a little."""
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
            pass  # it was closed already
        self.db = None

    def say(self, text):
        sys.stderr.write(f"{self.role}={self.number} {text}\n")

    def write(self, table, row):
        """By itself: Otter's managers know no transactions."""
        insert(self.db, table, [(*BY_SERVER, *row)])
        self.rows += 1


class Manager(Worker):
    """Counts batches up at once, and writes what came in since the last flush each minute."""
    role, isolation = "manager", "repeatable read"  # Otter's connections are as the server makes them

    def work(self):
        self.minute = 60 / self.options.speed  # how long this manager's minute is
        self.begun = time.monotonic()
        self.batches = []  # since the last flush
        self.next_kind = self.number * len(KINDS) // 2  # of log record; two managers do not tell the same story
        self.attempt(self.take_first_batches)
        phase = (0.2 + 0.8 * self.dice.random()) * self.minute
        duties = [(self.begun, self.minute / self.world.batches_a_minute, self.take_any_batch),
                  (self.begun + phase, self.minute, self.flush),
                  (self.begun + phase / 2, 2 * self.minute, self.watch)]
        while True:
            due, every, act = duty = min(duties, key=lambda each: each[0])
            if self.is_over(due):
                return
            # Keeps its phase; rounds that were missed are not made up for.
            late = max(time.monotonic() - due, 0)
            duties[duties.index(duty)] = (due + every * (1 + late // every), every, act)
            self.attempt(act)

    def take_first_batches(self):
        """When managers start, all nodes that waited report at once, and those of a split pipeline to all managers:
        this is where TABLE_STAT gets two rows of one pair."""
        for pair in range(1, self.world.pairs + 1):
            if self.world.is_split(self.world.pipeline_of(pair)):
                self.take(pair)

    def take(self, pair):
        """A node reports a loaded batch: the counters at once, the rest with the next flush."""
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
        """As in Otter, a flush that fails forgets nothing: what it has written already is written again with the next
        one, and has grown until then."""
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
        """The rule monitors' round: one to three things are found to be wrong."""
        for _ in range(self.dice.between(1, 3)):
            self.write_log(self.dice.between(1, self.world.pipelines))

    def write_log(self, pipeline):
        self.write("LOG_RECORD", log_row(self.world, self.dice, self.next_kind, pipeline))
        self.next_kind += 1


class Writer(Worker):
    """Inserts in transactions, some of which are held open, some rolled back. A writer that held a transaction owes
    the rows of that time: its next transaction writes them all, so that the rate is kept and still most rows are
    committed soon."""
    # Held transactions must lock their own rows only, not the gaps that others insert into.
    role, isolation = "writer", "read committed"
    TABLES = {"DELAY_STAT": 30, "THROUGHPUT_STAT": 25, "TABLE_HISTORY_STAT": 25, "LOG_RECORD": 8, "TABLE_STAT": 12}
    USUAL_ROWS, MOST_ROWS, MOST_STATEMENTS = 8, 5000, 50  # of one transaction; with more statements each has more rows
    LONG_SHARE, ROLLED_BACK_SHARE, SHORT_HOLD = 0.15, 0.05, 0.005  # of the transactions; in seconds

    def work(self):
        seconds_a_row = self.options.writers / self.options.rate
        paid = time.monotonic()
        while not self.is_over(paid + self.dice.between(1, self.USUAL_ROWS) * seconds_a_row):
            owed = (time.monotonic() - paid) / seconds_a_row
            rows = int(min(owed, self.MOST_ROWS))
            # What an outage kept from being written is nobody's debt.
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
        # When the run ends meanwhile, this transaction still ends as it was meant to.
        self.stop.wait(hold * self.dice.random())
        if is_rolled_back:
            self.db.rollback()
            self.rolled_back += 1
        else:
            self.db.commit()
            self.rows += rows

    def write_statement(self, rows):
        """All rows are of one table and of one second."""
        table = self.dice.choices(list(self.TABLES), self.TABLES.values())[0]
        if table == "TABLE_STAT":
            # It locks its row until the end of the transaction, hence a pair (without a name) of this writer's own.
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
    """Of a worker: a run without it would look as if all were well."""
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
    sys.stderr.write("event=running\n")  # from here on a signal ends it well
    if options.seconds:
        signal.sigtimedwait(SIGNALS, options.seconds)
    else:
        signal.sigwait(SIGNALS)
    stop.set()
    for worker in workers:
        worker.join()
    totals = {name: sum(getattr(worker, name) for worker in workers) for name in ("rows", "rolled_back", "breaks")}
    sys.stderr.write(f"event=done {' '.join(f'{name}={total}' for name, total in totals.items())}\n")
