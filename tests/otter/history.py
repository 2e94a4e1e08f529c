"""Writes history: many rows with times in the past, as fast as the database accepts them."""
import sys
import time

from database import STATISTICS, at, insert, number
from logs import log_row
from world import Dice, World, delay_row, history_row, throughput_row


def delays(world, dice, i, end):
    pipeline = i % world.pipelines + 1
    return delay_row(pipeline, [world.batch(dice, i % world.pipelines * world.tables + 1, end)])


def throughputs(world, dice, i, end):
    batch = world.batch(dice, i % world.pairs + 1, end)
    return throughput_row("FILE" if batch.files else "ROW", batch.pipeline, [batch])


def histories(world, dice, i, end):
    return history_row([world.batch(dice, i % world.pairs + 1, end)])


def logs(world, dice, i, _):
    return log_row(world, dice, i, dice.between(1, world.pipelines))


def totals(world, dice, i, end):
    return world.batch(dice, i % world.pairs + 1, end).counts()


# Row i of each table, from 0. Pipelines and pairs take turns.
MAKERS = {"DELAY_STAT": delays, "THROUGHPUT_STAT": throughputs, "TABLE_HISTORY_STAT": histories, "LOG_RECORD": logs,
          "TABLE_STAT": totals}
assert MAKERS.keys() == STATISTICS.keys()


def ids(dice, last):
    """Returns odd ids, as one of two masters gives them. The gaps stand for rows that were rolled back."""
    while True:
        last = (last + 1) | 1
        if dice.between(1, 16) == 1:
            last += 2 * dice.between(1, 5)
        yield last


def fill_table(db, table, count, until, seconds):
    world, dice = World.of_database(db), Dice(table)
    if table == "TABLE_STAT":  # one row for each pair, and no second row for a pair
        count = 0 if number(db, "select count(*) from TABLE_STAT") else min(count, world.pairs)
    new_ids = ids(dice, number(db, f"select max(ID) from {table}"))

    def row(i):
        created = changed = until - int((count - 1 - i) / count * seconds)
        if table == "TABLE_STAT":
            created, changed = until - int(seconds), until  # the row was created when the history began
        return (next(new_ids), at(created), at(changed), *MAKERS[table](world, dice, i, created))

    insert(db, table, map(row, range(count)))
    print(f"table={table} event=filled rows={count}", file=sys.stderr)


def fill(db, options):
    until = options.until or int(time.time())
    for table in STATISTICS:
        if options.table in ("all", table):
            db.begin()
            fill_table(db, table, options.rows, until, options.hours * 3600)
            db.commit()
