"""The world that Otter synchronises: channels with (mostly) two pipelines, and pipelines with `tables` pairs, all numbered
from 1 without gaps. What changes over time (which pipeline is idle, which manager gets a report) is computed from the seed and
not stored, so every thread computes the same."""
import random
import typing
import zlib

from database import at, number

SLOT_MINUTES = 5  # the length of an idle time, and of the time between fail-overs to another manager
BATCHES_A_PAIR, BATCHES_MOST = 6, 600  # per minute
FIRST_PAIR_OF_WRITERS = 1000001


class Batch(typing.NamedTuple):
    """One batch of rows of one pair that a node has loaded. Times are seconds since 1970 by the node's clock."""
    pair: int
    pipeline: int
    inserts: int
    updates: int
    deletes: int
    files: int
    file_bytes: int
    row_bytes: int  # bytes in the binlog
    delay_ms: int
    start: int
    end: int

    def rows(self):
        return self.inserts + self.updates + self.deletes

    def counts(self):
        return (self.file_bytes, self.files, self.inserts, self.updates, self.deletes, self.pair, self.pipeline)


class Dice(random.Random):
    def between(self, low, high):
        """Returns a random number; both bounds are included. Faster than randint()."""
        return low + int(self.random() * (high - low + 1))

    def happens(self, probability):
        return self.random() < probability


class World:
    def __init__(self, pipelines, tables, channels=0, seed=1):
        self.pipelines, self.tables, self.seed = pipelines, tables, seed
        self.share = -(-pipelines // channels) if channels else 2  # pipelines per channel

    @classmethod
    def of_database(cls, db, seed=1):
        """Returns a world with as many pipelines and tables as the database has names."""
        pipelines, pairs, channels = (number(db, f"select count(*) from {table}")
                                      for table in ("PIPELINE", "DATA_MEDIA_PAIR", "CHANNEL"))
        return cls(max(pipelines, 1), max(pairs // max(pipelines, 1), 1), channels, seed)

    @property
    def pairs(self):
        return self.pipelines * self.tables

    @property
    def batches_a_minute(self):
        return min(self.pairs * BATCHES_A_PAIR, BATCHES_MOST)

    def pipeline_of(self, pair):
        return (pair - 1) // self.tables % self.pipelines + 1

    def channel_of(self, pipeline):
        return (pipeline - 1) // self.share + 1

    def _decide(self, about, who, minute=0):
        return zlib.crc32(f"{self.seed} {about} {who} {minute // SLOT_MINUTES}".encode())

    def is_idle(self, pipeline, minute):
        """Whether the pipeline is idle: an idle pipeline writes no rows for some minutes."""
        return minute >= SLOT_MINUTES and self._decide("idle", pipeline, minute) % 16 == 0

    def is_split(self, pipeline):
        """Whether the pipeline is split: its load nodes have different managers, and all of these managers get reports."""
        return pipeline % 4 == 3

    def manager_of(self, pipeline, minute, managers):
        """Returns the manager to which the nodes of an unsplit pipeline report in this minute."""
        is_elsewhere = self._decide("manager", pipeline, minute) % 8 == 0
        return (pipeline + is_elsewhere) % managers

    def batch(self, dice, pair, end):
        pipeline = self.pipeline_of(pair)
        inserts, updates = dice.between(1, 400), dice.between(0, 200)
        deletes = dice.between(1, 40) if dice.happens(0.3) else 0
        files = dice.between(1, 8) if pair % 5 == 2 else 0
        usual_ms = 150 + self._decide("delay", pipeline) % 500
        is_spike = dice.happens(0.01)
        row_bytes = 200 + self._decide("size", pair) % 800 + dice.between(0, 100)
        return Batch(
            pair=pair, pipeline=pipeline, inserts=inserts, updates=updates, deletes=deletes, files=files,
            file_bytes=files * dice.between(20000, 900000), row_bytes=(inserts + updates + deletes) * row_bytes,
            delay_ms=dice.between(5000, 60000) if is_spike else dice.between(usual_ms // 2, usual_ms * 3 // 2),
            start=end - dice.between(0, 3), end=end)


def delay_row(pipeline, batches):
    """Returns a row of DELAY_STAT. DELAY_NUMBER is always 0, because Otter no longer counts it."""
    return (sum(batch.delay_ms for batch in batches) // len(batches), 0, pipeline)


def throughput_row(kind, pipeline, batches):
    """Returns a row of THROUGHPUT_STAT for all rows of the batches, or for all their files."""
    totals = {"ROW": (sum(batch.rows() for batch in batches), sum(batch.row_bytes for batch in batches)),
              "FILE": (sum(batch.files for batch in batches), sum(batch.file_bytes for batch in batches))}
    return (kind, *totals[kind], pipeline, *window(batches))


def history_row(batches):
    """Returns a row of TABLE_HISTORY_STAT. All batches belong to one pair."""
    *_, pair, pipeline = batches[0].counts()
    sums = [sum(column) for column in zip(*(batch.counts()[:-2] for batch in batches))]
    return (*sums, pair, pipeline, *window(batches))


def window(batches):
    return at(min(batch.start for batch in batches)), at(max(batch.end for batch in batches))
