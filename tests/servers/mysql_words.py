"""The server's side of MySQL's protocol: packets, and a small honest Otter that answers queries."""
import re
import sqlite3
import struct
import threading
import time

LONG_PASSWORD, FOUND_ROWS, CONNECT_WITH_DB, LOCAL_FILES = 0x1, 0x2, 0x8, 0x80
PROTOCOL_41, SSL, TRANSACTIONS, SECURE_CONNECTION = 0x200, 0x800, 0x2000, 0x8000
MULTI_STATEMENTS, MULTI_RESULTS, PLUGIN_AUTH = 0x10000, 0x20000, 0x80000
CAPABILITIES = (LONG_PASSWORD | FOUND_ROWS | CONNECT_WITH_DB | LOCAL_FILES | PROTOCOL_41 | TRANSACTIONS |
                SECURE_CONNECTION | MULTI_RESULTS | PLUGIN_AUTH)
UTF8MB4, LONGLONG, NOTHING, VAR_STRING = 45, 8, 6, 253


def number(n):
    """Returns a length in MySQL's encoding."""
    if n < 251:
        return bytes([n])
    if n < 1 << 16:
        return b"\xfc" + struct.pack("<H", n)
    if n < 1 << 24:
        return b"\xfd" + struct.pack("<I", n)[:3]
    return b"\xfe" + struct.pack("<Q", n)


def text(cell):
    data = cell if isinstance(cell, bytes) else str(cell).encode()
    return number(len(data)) + data


def greeting(capabilities=CAPABILITIES, plugin=b"mysql_native_password", version=b"5.5.5-10.11.6-MariaDB"):
    nonce = b"abcdefgh", b"ijklmnopqrst"
    return (b"\x0a" + version + b"\0" + struct.pack("<I", 7) + nonce[0] + b"\0" +
            struct.pack("<HBHH", capabilities & 0xffff, UTF8MB4, 2, capabilities >> 16) + b"\x15" + bytes(10) +
            nonce[1] + b"\0" + plugin + b"\0")


def definition(name, kind=VAR_STRING):
    return (text("def") + text("otter") + text("t") + text("t") + text(name) + text(name) + b"\x0c" +
            struct.pack("<HIBHB", UTF8MB4, 1024, kind, 0, 0) + b"\0\0")


def row(cells):
    return b"".join(b"\xfb" if cell is None else text(cell) for cell in cells)


def error(code, message, state=b"HY000"):
    return b"\xff" + struct.pack("<H", code) + b"#" + state + (
        message if isinstance(message, bytes) else message.encode())


OK = b"\0\0\0\x02\0\0\0"
EOF = b"\xfe\0\0\x02\0"

TABLES = {
    "CHANNEL": "ID bigint, NAME varchar, GMT_CREATE timestamp",
    "PIPELINE": "ID bigint, NAME varchar, CHANNEL_ID bigint, GMT_CREATE timestamp",
    "NODE": "ID bigint, NAME varchar, GMT_CREATE timestamp",
    "DATA_MEDIA": "ID bigint, NAME varchar, NAMESPACE varchar",
    "DATA_MEDIA_PAIR": "ID bigint, PIPELINE_ID bigint, SOURCE_DATA_MEDIA_ID bigint, TARGET_DATA_MEDIA_ID bigint",
    "DELAY_STAT": "ID bigint, DELAY_TIME bigint, DELAY_NUMBER bigint, PIPELINE_ID bigint, GMT_CREATE timestamp, "
                  "GMT_MODIFIED timestamp",
    "THROUGHPUT_STAT": "ID bigint, TYPE varchar, NUMBER bigint, SIZE bigint, PIPELINE_ID bigint, START_TIME timestamp, "
                       "END_TIME timestamp, GMT_CREATE timestamp, GMT_MODIFIED timestamp",
    "TABLE_HISTORY_STAT": "ID bigint, FILE_SIZE bigint, FILE_COUNT bigint, INSERT_COUNT bigint, UPDATE_COUNT bigint, "
                          "DELETE_COUNT bigint, DATA_MEDIA_PAIR_ID bigint, PIPELINE_ID bigint, START_TIME timestamp, "
                          "END_TIME timestamp, GMT_CREATE timestamp, GMT_MODIFIED timestamp",
    "TABLE_STAT": "ID bigint, FILE_SIZE bigint, FILE_COUNT bigint, INSERT_COUNT bigint, UPDATE_COUNT bigint, "
                  "DELETE_COUNT bigint, DATA_MEDIA_PAIR_ID bigint, PIPELINE_ID bigint, GMT_CREATE timestamp, "
                  "GMT_MODIFIED timestamp",
    "LOG_RECORD": "ID bigint, NID varchar, CHANNEL_ID varchar, PIPELINE_ID varchar, TITLE varchar, MESSAGE text, "
                  "GMT_CREATE timestamp, GMT_MODIFIED timestamp",
}
VIEWS = ("CHANNEL", "PIPELINE", "DATA_MEDIA", "DATA_MEDIA_PAIR")  # not of NODE, which is read from its table
NOT_THERE = "no such table: (otterbeat_NODE|DATA_MEDIA_SOURCE|CANAL|USER)"
# As a server has them that was never set up; those of a session are the session's to SET.
VARIABLES = {"server_id": "7", "hostname": "honest", "version": "10.11.6-MariaDB", "Ssl_version": "", "system_time_zone": "UTC",
             "autocommit": "OFF", "sql_select_limit": "1", "sql_big_selects": "OFF", "tx_isolation": "REPEATABLE-READ",
             "tx_read_only": "OFF", "sql_mode": "ANSI_QUOTES,STRICT_TRANS_TABLES", "time_zone": "SYSTEM",
             "lock_wait_timeout": "86400", "max_statement_time": "0.000000", "wait_timeout": "600", "net_read_timeout": "30",
             "net_write_timeout": "60", "character_set_client": "latin1", "character_set_connection": "latin1",
             "character_set_results": "latin1"}
NAMES = ("character_set_client", "character_set_connection", "character_set_results")  # that SET NAMES sets
EXPLAINED = ("id", "select_type", "table", "type", "possible_keys", "key", "key_len", "ref", "rows", "Extra")


def split(name):
    """"N" of "N bigint"."""
    return [column.split() for column in TABLES[name].split(", ")]


class BitOr:
    """The aggregate function of MySQL."""

    def __init__(self):
        self.bits = 0

    def step(self, bits):
        self.bits |= bits

    def finalize(self):
        return self.bits


def set_variables(sql, session):
    """What SET does to the variables of a session."""
    if sql.startswith("SET NAMES "):
        session.update(dict.fromkeys(NAMES, sql.split()[2]))
        return
    for name, value in re.findall(r"(\w+) = ('[^']*'|[^,]+)", sql):
        if value != "DEFAULT":
            session[name] = value.strip("'")


class Otter:
    """Ten rows per table, one minute old, in SQLite, which understands nearly all queries for MySQL without a change."""

    def __init__(self):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        for name, n, function in (
                ("UNIX_TIMESTAMP", -1, lambda *at: at[0] if at else int(time.time())), ("FROM_UNIXTIME", 1, lambda at: at),
                ("SYSDATE", 0, lambda: int(time.time())), ("XOR", 2, lambda a, b: a ^ b),
                ("DATABASE", 0, lambda: "otter"), ("CURRENT_USER", 0, lambda: "otterbeat@%"), ("VERSION", 0, lambda: "10.11.6"),
                ("CONNECTION_ID", 0, lambda: 7), ("LEFTMOST", 2, lambda cell, n: cell and cell[:n]),
                ("CONCAT", -1, lambda *cells: "".join(cells)), ("CONCAT_WS", -1, lambda by, *cells: by.join(c for c in cells if c is not None)),
                ("SUBSTRING_INDEX", 3, lambda cell, by, n: by.join(cell.split(by)[:n] if n > 0 else cell.split(by)[n:])),
                ("FLOOR", 1, lambda n: n and int(n // 1)), ("MOD", 2, lambda a, b: a % b), ("CRC32", 1, lambda cell: hash(cell) & 0xffff)):
            self.db.create_function(name, n, function)
        self.db.create_aggregate("BIT_OR", 1, BitOr)
        self.db.execute("ATTACH ':memory:' AS information_schema")
        self._describe()
        self._fill(int(time.time()) - 60)

    def _describe(self):
        for name, columns in (
                ("COLUMNS", "COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, ORDINAL_POSITION"), ("STATISTICS", "INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX"),
                ("TABLES", "TABLE_ROWS, ENGINE")):
            self.db.execute(f"CREATE TABLE information_schema.{name} (TABLE_SCHEMA, TABLE_NAME, {columns})")
        for table in TABLES:
            self.db.execute(f"CREATE TABLE {table} ({', '.join(name for name, _ in split(table))})")
            self.db.execute("INSERT INTO information_schema.TABLES VALUES ('otter', ?, 10, 'InnoDB')", (table,))
            self.db.execute("INSERT INTO information_schema.STATISTICS VALUES ('otter', ?, 'PRIMARY', 'ID', 1)", (table,))
            for place, (column, kind) in enumerate(split(table), 1):
                self.db.execute("INSERT INTO information_schema.COLUMNS VALUES ('otter', ?, ?, ?, ?, ?)",
                                (table, column, kind, kind, place))
        for table in VIEWS:
            self.db.execute(f"CREATE VIEW otterbeat_{table} AS SELECT * FROM {table}")

    def _fill(self, at):
        cells = {"bigint": lambda i: i, "timestamp": lambda i: at, "varchar": lambda i: str(i), "text": lambda i: "pid:1 nid:1 exception:x"}
        for table in TABLES:
            for i in range(1, 11):
                values = ["ROW" if name == "TYPE" else cells[kind](i) for name, kind in split(table)]
                self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def answer(self, sql, session):
        """(names, rows) of what has a result; None: it is done; a string: it can't be. `session` has its variables."""
        if sql.startswith("SET "):
            return set_variables(sql, session)
        if re.match(r"(?i)(START|BEGIN|COMMIT|ROLLBACK|USE|KILL)\b", sql):
            return None
        if re.match(r"(?i)SHOW .*GRANTS", sql):
            return ["Grants for otterbeat@%"], [["GRANT SELECT ON `otter`.* TO `otterbeat`@`%`"]]
        if re.match(r"(?i)SHOW CREATE USER", sql):
            return ["CREATE USER"], [["CREATE USER otterbeat IDENTIFIED VIA mysql_native_password USING '*1'"]]
        if re.match(r"(?i)SHOW ", sql):
            wanted = re.findall(r"'(\w+)'", sql)
            return ["Variable_name", "Value"], [[name, value] for name, value in (VARIABLES if "GLOBAL" in sql else session).items() if name in wanted]
        if re.match(r"(?i)EXPLAIN ", sql):
            return list(EXPLAINED), [["1", "SIMPLE", "t", "range", "PRIMARY", "PRIMARY", "8", None, "10", "Using where"]]
        sql = re.sub(r"@@(?:global\.)?(\w+)", lambda found: f"'{VARIABLES.get(found[1], 0)}'", sql)
        sql = re.sub(r"\bIF\(", "IIF(", sql)
        sql = re.sub(r"\(\((`\w+` & \d+)\) \^ (\d+)\)", r"XOR(\1, \2)", sql)
        sql = re.sub(r"(?i)\bDIV\b", "/", re.sub(r"(?i)\bLEFT\(", "LEFTMOST(", sql))
        sql = re.sub(r"(?i) (FORCE|USE) INDEX \([^)]*\)| LOCK IN SHARE MODE", "", sql)
        with self.lock:
            try:
                cursor = self.db.execute(sql)
                return [column[0] for column in cursor.description], [list(cells) for cells in cursor.fetchall()]
            except sqlite3.Error as failure:
                return f"the honest Otter does not understand: {failure}: {sql}"
