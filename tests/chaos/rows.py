"""Rows that the test writes itself, for cases in which the fake Otter's sums are not enough: each write also adds to the expected sums."""
from chaos import ledger

PIPELINES, PAIRS_EACH, TITLES = 3, 2, ("EXCEPTION", "DELAY_TIME", "MANUAL")
COUNTS = ("inserts", "updates", "deletes", "files", "bytes")
COLUMNS = "INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, FILE_COUNT, FILE_SIZE"
TIMES = "GMT_CREATE, GMT_MODIFIED"
UPDATE = ("UPDATE TABLE_STAT SET INSERT_COUNT = INSERT_COUNT + %s, UPDATE_COUNT = UPDATE_COUNT + %s, "
          "DELETE_COUNT = DELETE_COUNT + %s, FILE_COUNT = FILE_COUNT + %s, FILE_SIZE = FILE_SIZE + %s, "
          "GMT_MODIFIED = NOW() WHERE PIPELINE_ID = %s AND DATA_MEDIA_PAIR_ID = %s")


class Rows:
    def __init__(self, random, each=40):
        self.random, self.each, self.written = random, each, 0

    def write(self, server, wanted):
        """Writes a row into each table, and adds the amounts to `wanted`."""
        with server.connect("otter") as connection:
            self.write_over(connection, wanted)

    def write_over(self, connection, wanted):
        """Writes over a connection with other session settings."""
        with connection.cursor() as cursor:
            for _ in range(self.each):
                for write in (self._throughput, self._history, self._log, self._table):
                    for name, amount in write(cursor, self.random.randint(1, PIPELINES)):
                        wanted[name] = wanted.get(name, 0) + amount
                    self.written += 1

    def _throughput(self, cursor, pipeline):
        amounts = self.random.randint(1, 1000), self.random.randint(1, 100000)
        kind = self.random.choice(("ROW", "FILE"))
        cursor.execute(
            f"INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME, {TIMES}) "
            "VALUES (%s, %s, %s, %s, NOW(), NOW(), NOW(), NOW())", (kind, *amounts, pipeline))
        return self._named(("pipeline", "type"), (pipeline, kind.lower()), "throughput", ("count", "bytes"), amounts)

    def _history(self, cursor, pipeline):
        pair, amounts = self._pair(pipeline), self._amounts()
        cursor.execute(
            f"INSERT INTO TABLE_HISTORY_STAT ({COLUMNS}, PIPELINE_ID, DATA_MEDIA_PAIR_ID, START_TIME, END_TIME, "
            f"{TIMES}) VALUES (%s, %s, %s, %s, %s, %s, %s, NOW(), NOW(), NOW(), NOW())", (*amounts, pipeline, pair))
        return self._named(("pipeline", "pair"), (pipeline, pair), "history", COUNTS, amounts)

    def _log(self, cursor, pipeline):
        title = self.random.choice(TITLES)
        cursor.execute(
            f"INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, {TIMES}) "
            "VALUES ('1', %s, %s, 'x', NOW(), NOW())", (str(pipeline), title))
        return self._named(("pipeline", "title"), (pipeline, title.lower()), "log", ("records",), (1,))

    def _table(self, cursor, pipeline):
        pair, amounts = self._pair(pipeline), self._amounts()
        if not cursor.execute(UPDATE, (*amounts, pipeline, pair)):
            cursor.execute(f"INSERT INTO TABLE_STAT ({COLUMNS}, PIPELINE_ID, DATA_MEDIA_PAIR_ID, {TIMES}) "
                           "VALUES (%s, %s, %s, %s, %s, %s, %s, NOW(), NOW())", (*amounts, pipeline, pair))
        return self._named(("pipeline", "pair"), (pipeline, pair), "table", COUNTS, amounts)

    @staticmethod
    def totals(server):
        """Returns the totals in TABLE_STAT, by series."""
        found = {}
        for pipeline, pair, *amounts in server.query(
                f"SELECT PIPELINE_ID, DATA_MEDIA_PAIR_ID, {COLUMNS} FROM TABLE_STAT"):
            found.update(Rows._named(("pipeline", "pair"), (pipeline, pair), "table", COUNTS, amounts))
        return found

    def _pair(self, pipeline):
        return pipeline * 10 + self.random.randrange(PAIRS_EACH)

    def _amounts(self):
        return tuple(self.random.randint(0, 500) for _ in COUNTS)

    @staticmethod
    def _named(tags, values, kind, metrics, amounts):
        return [(ledger.path(tags, values, f"{kind}.{metric}"), amount) for metric, amount in zip(metrics, amounts)]
