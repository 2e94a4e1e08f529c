"""A private MariaDB, which fills its tables from its own sequences: a million rows take seconds."""
import re
import subprocess
import time

from servers.fake_otter import FakeOtter
from servers.mariadb import MariaDB, make_template

PIPELINES = 200  # each pipeline writes a row per minute, like Otter
TABLE = re.compile(r"INSERT INTO (\w+)")
FILL = "SET unique_checks = 0, foreign_key_checks = 0, time_zone = '+00:00'"


class Database:
    """One server with several databases. Each database is created when a case first asks for it."""

    def __init__(self, folder, pool):
        self.folder = folder
        make_template(folder / "template")
        (folder / "server").mkdir()
        self.server = MariaDB(folder / "server", folder / "template", options=(
            f"--innodb-buffer-pool-size={pool}", "--innodb-log-file-size=256M", "--max-connections=2500",
            "--secure-file-priv="))
        self.made = set()

    def start(self):
        self.server.start()
        self.server.make_user("SELECT ON *.*")
        return self

    def stop(self):
        self.server.stop()

    def query(self, sql, *args, database="otter"):
        return self.server.query(sql, *args, database=database)

    def create(self, name, pipelines=4):
        """Creates a database with empty tables, and drops an existing database first."""
        fake = FakeOtter(self.server, self.folder)
        fake.command += ["--database", name]
        fake.do("create", "--pipelines", pipelines, "--tables", 1)
        self.made.discard(name)
        return fake

    def _insert(self, name, sql):
        with self.server.connect(name) as connection, connection.cursor() as cursor:
            cursor.execute(FILL)
            cursor.execute(sql)
            cursor.execute(f"ANALYZE TABLE {TABLE.search(sql)[1]}")  # an older table has statistics

    def delays(self, rows, pipelines=PIPELINES, age=3600):
        """Returns the name of a database with that many rows in DELAY_STAT; the newest row is `age` seconds old."""
        name = f"delays_{rows}"
        if name not in self.made:
            self.create(name)
            self.add_delays(name, rows, pipelines, age)
            self.made.add(name)
        return name

    def add_delays(self, name, rows, pipelines=PIPELINES, age=3600, first=0):
        """Adds the rows first + 1 … first + rows: one row per minute for each pipeline."""
        begin = int(time.time()) - age - (first + rows - 1) // pipelines * 60
        self._insert(name, f"""
            INSERT INTO DELAY_STAT (ID, DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
            SELECT seq, seq * 7919 % 50000, seq % 100, 1 + (seq - 1) % {pipelines}, t, t FROM
            (SELECT seq, FROM_UNIXTIME({begin} + (seq - 1) DIV {pipelines} * 60) AS t
             FROM seq_{first + 1}_to_{first + rows}) AS s""")

    def histories(self, rows, pairs=PIPELINES, age=3600):
        """Like delays(), in TABLE_HISTORY_STAT: five counters per row."""
        name = f"histories_{rows}"
        if name not in self.made:
            self.create(name)
            begin = int(time.time()) - age - (rows - 1) // pairs * 60
            self._insert(name, f"""
                INSERT INTO TABLE_HISTORY_STAT (ID, FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT,
                    DATA_MEDIA_PAIR_ID, PIPELINE_ID, START_TIME, END_TIME, GMT_CREATE, GMT_MODIFIED)
                SELECT seq, seq * 7919 % 1000000, seq % 10, seq % 5000, seq % 700, seq % 30,
                    1 + (seq - 1) % {pairs}, 1 + (seq - 1) % {pairs}, t, t, t, t FROM
                (SELECT seq, FROM_UNIXTIME({begin} + (seq - 1) DIV {pairs} * 60) AS t FROM seq_1_to_{rows}) AS s""")
            self.made.add(name)
        return name

    def totals(self, pairs):
        """Like delays(), in TABLE_STAT."""
        name = f"totals_{pairs}"
        if name not in self.made:
            self.create(name)
            self._insert(name, f"""
                INSERT INTO TABLE_STAT (ID, FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT,
                    DATA_MEDIA_PAIR_ID, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
                SELECT seq, seq * 7919, seq, seq * 3, seq * 2, seq % 100, seq, 1 + seq % {PIPELINES},
                    NOW() - INTERVAL 1 DAY, NOW() - INTERVAL 1 HOUR FROM seq_1_to_{pairs}""")
            self.made.add(name)
        return name

    def managers(self, number, pipelines=PIPELINES):
        """Returns the names of that many databases, each with the names and the last ten minutes of its pipelines."""
        first, *others = names = [f"manager{i}" for i in range(number)]
        self.create(first, pipelines)
        begin = int(time.time()) - 600
        for sql in (
                f"""INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
                    SELECT 1, 1, 1 + seq % {pipelines}, t, t FROM {{times}}""",
                f"""INSERT INTO THROUGHPUT_STAT (TYPE, NUMBER, SIZE, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
                    SELECT type, seq % 5000, seq, 1 + seq % {pipelines}, t, t FROM {{times}},
                        (SELECT 'ROW' AS type UNION SELECT 'FILE') AS types""",
                f"""INSERT INTO TABLE_HISTORY_STAT (FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT,
                        DATA_MEDIA_PAIR_ID, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
                    SELECT seq, 0, seq % 5000, seq % 700, seq % 30, 1 + seq % {pipelines}, 1 + seq % {pipelines}, t, t FROM {{times}}""",
                """INSERT INTO TABLE_STAT (FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT,
                        DATA_MEDIA_PAIR_ID, PIPELINE_ID, GMT_CREATE, GMT_MODIFIED)
                    SELECT 1, 1, 1, 1, 1, ID, PIPELINE_ID, GMT_CREATE, NOW() FROM DATA_MEDIA_PAIR"""):
            self._insert(first, sql.format(times=f"(SELECT seq, FROM_UNIXTIME({begin} + seq DIV {pipelines} * 60) AS t"
                                                 f" FROM seq_0_to_{10 * pipelines - 1}) AS s"))
        tables = [table for table, in self.query("SHOW TABLES", database=first)]
        for name in others:
            self.query(f"CREATE OR REPLACE DATABASE {name}", database=None)
            for table in tables:
                self.query(f"CREATE TABLE {table} LIKE {first}.{table}", database=name)
                self.query(f"INSERT INTO {table} SELECT * FROM {first}.{table}", database=name)
        return names

    def handler_reads(self):
        """Returns the number of rows that the server has read so far, through all handlers."""
        return sum(int(value) for _, value in self.query("SHOW GLOBAL STATUS LIKE 'Handler_read%'", database=None))

    def longest_query_ms(self, user):
        """Returns how many ms the current statement of `user` has been open; 0 without a statement."""
        return float(self.query("SELECT COALESCE(MAX(TIME_MS), 0) FROM information_schema.PROCESSLIST"
                                " WHERE USER = %s AND COMMAND <> 'Sleep'", user, database=None)[0][0])


def version():
    return subprocess.run(["mariadbd", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
