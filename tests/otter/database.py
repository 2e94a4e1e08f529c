"""One connection to the database, and rows for it."""
import itertools
import pathlib

import pymysql
from pymysql.constants import CLIENT

SESSION = ("set time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',"
           " innodb_lock_wait_timeout = 10")
ROWS_A_STATEMENT = 1000  # a statement stays below the smallest max_allowed_packet in use (1 MB)
COUNTS = "FILE_SIZE, FILE_COUNT, INSERT_COUNT, UPDATE_COUNT, DELETE_COUNT, DATA_MEDIA_PAIR_ID, PIPELINE_ID"
STATISTICS = {
    "DELAY_STAT": "DELAY_TIME, DELAY_NUMBER, PIPELINE_ID",
    "THROUGHPUT_STAT": "TYPE, NUMBER, SIZE, PIPELINE_ID, START_TIME, END_TIME",
    "TABLE_HISTORY_STAT": f"{COUNTS}, START_TIME, END_TIME",
    "LOG_RECORD": "NID, CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE",
    "TABLE_STAT": COUNTS,
}
NAMES = {
    "CHANNEL": "NAME, DESCRIPTION, PARAMETERS",
    "PIPELINE": "NAME, DESCRIPTION, PARAMETERS, CHANNEL_ID",
    "NODE": "NAME, IP, PARAMETERS, PORT",
    "DATA_MEDIA_SOURCE": "NAME, TYPE, PROPERTIES",
    "DATA_MEDIA": "NAME, NAMESPACE, PROPERTIES, DATA_MEDIA_SOURCE_ID",
    "DATA_MEDIA_PAIR": "COLUMN_PAIR_MODE, SOURCE_DATA_MEDIA_ID, TARGET_DATA_MEDIA_ID, PIPELINE_ID,"
                       " PULLWEIGHT, PUSHWEIGHT",
}
COLUMNS = {**STATISTICS, **NAMES}


class Sql(str):
    """A text that goes into a statement without quotes."""


NOW = Sql("now()")
BY_SERVER = (None, NOW, NOW)  # ID, GMT_CREATE and GMT_MODIFIED of a row, when the server chooses all three


def at(epoch):
    return Sql(f"from_unixtime({epoch})")


def connect(socket, database=None, answer_seconds=None):
    """Without a database the connection is to the server only. Times are UTC. The SQL mode is strict but allows zero dates,
    as Otter's own tables do. Otter's driver connects with FOUND_ROWS: an update that changes nothing still reports the row
    that it found. Without FOUND_ROWS "insert if 0 rows" would insert a second row."""
    return pymysql.connect(
        unix_socket=socket, user="root", database=database, charset="utf8mb4", autocommit=True,
        client_flag=CLIENT.FOUND_ROWS, init_command=SESSION, connect_timeout=5, read_timeout=answer_seconds,
        write_timeout=answer_seconds)


def select(db, sql, *args):
    with db.cursor() as cursor:
        cursor.execute(sql, args or None)
        return cursor.fetchall()


def number(db, sql, *args):
    """Returns the single number of a query. NULL and a missing row are 0."""
    rows = select(db, sql, *args)
    return rows[0][0] or 0 if rows else 0


def run_file(db, name):
    for statement in (pathlib.Path(__file__).parent / name).read_text("utf-8").split(";\n"):
        if statement.strip():
            db.query(statement)


def insert(db, table, rows):
    """Inserts rows. Each row has ID, GMT_CREATE and GMT_MODIFIED, and then the table's columns in the order of COLUMNS."""
    def literal(value):
        if isinstance(value, (int, Sql)):
            return str(value)
        return "NULL" if value is None else db.escape(value)

    head = f"insert into {table} (ID, GMT_CREATE, GMT_MODIFIED, {COLUMNS[table]}) values "
    values = (f"({','.join(map(literal, row))})" for row in rows)
    while some := list(itertools.islice(values, ROWS_A_STATEMENT)):
        db.query(head + ",".join(some))


def count_up(db, batch):
    """Adds to the pair's row in TABLE_STAT like a manager: an update, and an insert if the update found no row. Nothing
    prevents another manager from doing the same between both statements."""
    found = db.query(
        f"update TABLE_STAT set FILE_SIZE = FILE_SIZE + {batch.file_bytes}, FILE_COUNT = FILE_COUNT + {batch.files},"
        f" INSERT_COUNT = INSERT_COUNT + {batch.inserts}, UPDATE_COUNT = UPDATE_COUNT + {batch.updates},"
        f" DELETE_COUNT = DELETE_COUNT + {batch.deletes}, GMT_MODIFIED = now()"
        f" where PIPELINE_ID = {batch.pipeline} and DATA_MEDIA_PAIR_ID = {batch.pair}")
    if not found:
        insert(db, "TABLE_STAT", [(*BY_SERVER, *batch.counts())])
