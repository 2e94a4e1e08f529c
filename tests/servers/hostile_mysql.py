"""A MySQL server that answers like the server of an honest Otter, except for one answer, which has a shape that no server should give.

A shape is a row of SHAPES: the place of the answer, and what the server does there. The places are "greeting" (the first packet),
"login" (the packet after the client's answer), and the kinds of queries, see KINDS; "query" means every kind.
"""
import collections
import re
import socket
import struct
import threading

from servers import mysql_words as words
from servers.sinks import accept_each
from servers.foreign_text import BAD_TEXT

CHECK_ALONE = {"explain", "version"}  # queries that only --check sends
AGENT_ALONE = {"rows", "counts"}

KINDS = (
    ("session", r"SHOW SESSION VARIABLES|SYSDATE"),
    ("variables", r"SHOW VARIABLES"),
    ("columns", r"FROM information_schema\.COLUMNS WHERE TABLE_SCHEMA = DATABASE\(\) AND TABLE_NAME = '\w+'$"),
    ("indexes", r"information_schema\.STATISTICS"),
    ("size", r"SELECT TABLE_ROWS"),
    ("explain", r"EXPLAIN "),
    ("counts", r"BIT_OR\(.* GROUP BY 1"),
    ("clock", r"SELECT UNIX_TIMESTAMP\(\)"),
    ("grant", r"SELECT DATABASE\(\), CONCAT"),
    ("version", r"SELECT CONCAT\(VERSION|SHOW CREATE USER|SHOW SESSION STATUS|SHOW GRANTS|time_zone, @@|@@global|SHOW GLOBAL|FROM \(SELECT 1"),
    ("names", r"FROM (?:otterbeat_)?(CHANNEL|PIPELINE|NODE|DATA_MEDIA)"),
    ("rows", r"FROM `?(DELAY_STAT|THROUGHPUT_STAT|TABLE_HISTORY_STAT|TABLE_STAT|LOG_RECORD)"),
    ("set", r"SET "),
)
QUIT, INIT_DB, QUERY, PING, RESET = 1, 2, 3, 14, 31
COMMANDS = {INIT_DB, PING, RESET}
RECEIVED_MAX = 1 << 20


def kind_of(sql):
    return next((kind for kind, pattern in KINDS if re.match(f"(?i).*?({pattern})", sql, re.S)), "other")


class Gone(Exception):
    """Raised when the client has left, or when the server stops."""


class Talk:
    """One connection. `names` and `rows` are an honest server's answer to the current query."""

    def __init__(self, server, connection):
        self.server, self.connection = server, connection
        self.sequence, self.names, self.rows = 0, [], []
        self.variables = dict(words.VARIABLES)

    # The parts of answers.

    def raw(self, data):
        try:
            self.connection.sendall(data)
        except OSError as failure:
            raise Gone from failure

    def frame(self, payload):
        data = struct.pack("<I", len(payload))[:3] + bytes([self.sequence & 255]) + payload
        self.sequence += 1
        return data

    def packet(self, *payloads):
        self.raw(b"".join(self.frame(payload) for payload in payloads))

    def wait(self, seconds):
        """Waits, but not after the server stops or the client leaves."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise Gone
            self.server.over.wait(seconds)
        except socket.timeout:
            pass
        except OSError as failure:
            raise Gone from failure
        finally:
            self.connection.settimeout(None)
        if self.server.over.is_set():
            raise Gone

    def drip(self, payload):
        """Sends one byte per second."""
        for byte in self.frame(payload):
            self.raw(bytes([byte]))
            self.wait(1)

    def stall(self):
        while True:
            self.wait(600)

    def head(self, names, rows=()):
        """Sends the columns, with the types of the cells in the first row."""
        kinds = [words.LONGLONG if isinstance(cell, int) else words.VAR_STRING for cell in next(iter(rows), [""] * len(names))]
        self.packet(words.number(len(names)), *map(words.definition, names, kinds), words.EOF)

    def result(self, names, rows):
        self.head(names, rows)
        self.packet(*map(words.row, rows), words.EOF)

    # The course of a connection.

    def read(self, n):
        data = b""
        while len(data) < n:
            try:
                piece = self.connection.recv(n - len(data))
            except OSError as failure:
                raise Gone from failure
            if not piece:
                raise Gone
            data += piece
        if len(self.server.received) < RECEIVED_MAX:
            self.server.received += data
        return data

    def receive(self):
        head = self.read(4)
        self.sequence = head[3] + 1
        return self.read(int.from_bytes(head[:3], "little"))

    def shaped(self, *places):
        """Gives the answer of the shape if the current place is one of these; returns whether it did."""
        for place in places:
            answer = self.server.shape.answers.get(place)
            if answer:
                self.server.hit.set()
                answer(self)
                return True
        return False

    def query(self, sql):
        honest = self.server.otter.answer(sql, self.variables)
        if isinstance(honest, tuple):
            self.names, self.rows = honest
        else:
            self.names, self.rows = ["x"], [["1"]]
        if self.shaped(kind_of(sql), "query"):
            return
        if isinstance(honest, tuple):
            self.result(self.names, self.rows)
        elif honest is None:
            self.packet(words.OK)
        elif re.search(words.NOT_THERE, honest):
            self.packet(words.error(1146, honest, b"42S02"))
        else:
            self.server.misunderstood.append(honest)
            self.packet(words.error(1064, honest))

    def run(self):
        if not self.shaped("greeting"):
            self.packet(words.greeting())
        self.receive()
        if not self.shaped("login"):
            self.packet(words.OK)
        while True:
            command = self.receive()
            if not command or command[0] == QUIT:
                return
            if command[0] == QUERY:
                self.query(command[1:].decode("utf-8", "replace"))
            elif command[0] in COMMANDS:
                self.packet(words.OK)
            else:
                self.packet(words.error(1047, "Unknown command"))


class HostileMysql:
    def __init__(self, shape):
        self.shape, self.otter = shape, words.Otter()
        self.received, self.misunderstood = bytearray(), []
        self.hit, self.over = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.connections = set()

    def start(self):
        accept_each(self.listener, self._talk)
        return self

    def _talk(self, connection):
        self.connections.add(connection)
        try:
            Talk(self, connection).run()
        except (Gone, OSError):
            pass
        finally:
            self.connections.discard(connection)
            connection.close()

    def stop(self):
        self.over.set()
        self.listener.close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


Shape = collections.namedtuple("Shape", "name answers settings is_slow")


def shape(name, places, answer, is_slow=False, **settings):
    """Defines a shape. `places`: the places, separated by blanks; `settings`: of mysql; is_slow: the client must wait for a time-out."""
    return Shape(name, {place: answer for place in places.split()}, settings, is_slow)


# --- the answers ---


def honest(talk):
    talk.result(talk.names, talk.rows)


def with_rows(change):
    """Sends the honest columns, and the rows after `change`."""
    return lambda talk: talk.result(talk.names, change(talk.rows))


def cell(i, value):
    return with_rows(lambda rows: [[*cells[:i], value, *cells[i + 1:]] if i < len(cells) else cells for cells in rows])


def every_cell(value):
    return with_rows(lambda rows: [[value] * len(cells) for cells in rows])


def numbers(value, first=0):
    """Replaces each number, from the column `first` on."""
    return with_rows(lambda rows: [[value if isinstance(cell, int) and i >= first else cell for i, cell in enumerate(cells)]
                                   for cells in rows])


def fewer(n):
    return lambda talk: talk.result(talk.names[:n], [cells[:n] for cells in talk.rows])


def more(n):
    return lambda talk: talk.result(talk.names + [f"C{i}" for i in range(n)], [cells + [str(i) for i in range(n)] for cells in talk.rows])


def packets(*payloads):
    return lambda talk: talk.packet(*payloads)


def raw(data):
    return lambda talk: talk.raw(data)


def then_stall(answer):
    def do(talk):
        answer(talk)
        talk.stall()
    return do


def then_close(answer):
    def do(talk):
        answer(talk)
        raise Gone
    return do


def close(talk):
    raise Gone


def stall(talk):
    talk.stall()


def after_head(answer):
    """Sends the columns, and then these bytes instead of the rows."""
    def do(talk):
        talk.head(talk.names, talk.rows)
        answer(talk)
    return do


def some_row(talk, size=1):
    return words.row([(b"1" * size) for _ in talk.names])


def endless_rows(talk):
    many = b"".join(talk.frame(some_row(talk)) for _ in range(4096))
    while True:
        talk.raw(many)


def endless_numbered_rows(talk):
    """Sends rows without end. Each row is correct, and its id follows the id before."""
    first = 1
    while True:
        talk.packet(*(words.row([str(first + i), *([b"1"] * (len(talk.names) - 1))]) for i in range(1000)))
        first += 1000


def row_a_second(talk):
    while True:
        talk.packet(some_row(talk))
        talk.wait(1)


def rows_of_ten_megabytes(talk):
    for _ in range(20):
        talk.packet(words.row([b"7" * 10_000_000] + [b"1"] * (len(talk.names) - 1)))
    talk.packet(words.EOF)


def endless_packet(talk):
    """Sends one packet without end: each piece announces one more piece."""
    piece = bytes(0xffffff)
    while True:
        talk.packet(piece)


def many_columns(n):
    def do(talk):
        talk.packet(words.number(n))
        one = words.definition("C")
        for _ in range(n // 1000):
            talk.packet(*[one] * 1000)
        talk.packet(words.EOF, words.row(["1"] * n), words.EOF)
    return do


def many_rows(n):
    def do(talk):
        talk.head(talk.names, talk.rows)
        for first in range(0, n, 1000):
            talk.packet(*(words.row([f"C{first + i}", f"C{first + i}", "1"][:len(talk.names)]) for i in range(1000)))
        talk.packet(words.EOF)
    return do


def twice(talk):
    talk.result(talk.names, talk.rows)
    talk.sequence = 1
    talk.result(talk.names, talk.rows)


def skipping(n):
    def do(talk):
        talk.sequence += n
        talk.result(talk.names, talk.rows)
    return do


def drip(*payloads):
    def do(talk):
        for payload in payloads:
            talk.drip(payload)
        talk.stall()
    return do


def drip_columns(talk):
    talk.packet(words.number(len(talk.names)))
    for name in talk.names * 100:
        talk.drip(words.definition(name))


def switch(plugin, data=b"abcdefghijklmnopqrst\0"):
    return b"\xfe" + plugin + b"\0" + data


def switch_for_ever(talk):
    while True:
        talk.packet(switch(b"mysql_native_password"))
        talk.receive()


def ask_for_sha2(talk):
    """Asks for the complete password, and gives a public key whose private key the server has."""
    talk.packet(switch(b"caching_sha2_password"))
    talk.receive()
    talk.packet(b"\x01\x04")
    if talk.receive() != b"\x02":
        return
    talk.packet(b"\x01" + KEY)
    if len(talk.receive()) == 256:
        talk.server.received += b"the password, by the key of whoever asked"
    raise Gone


KEY = b"""-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAo/uFalPVjPAhVvSXrNx3
/GFaH3RyosYAgh0E0qF4mGX6An3c6NDzgaV/8rxFWqS+2ksPDbNR3wCp18YV5Lnb
EF4wV+g5Ne/RKzFlVKe7oUpF6o/UurFgow9YmT75gI3vgrQgYgSFiIGhL0gTdilP
+t6IKmCWTJidwZib0Es6Ak9so8EIhW9kWlf3x7KjMIQSAf5PfvcWlVWxOaAYu9Zo
SBkTu/J8uphTf97Dh8GUtnpNLY+IA/F4fmPiw7M/y97EeD1rajkNZwplZsJStMoF
JNIW0spfKybMn0tsyUB7R4K0S9DXvflPhda1XmT98nRSRimcdycYb7PkggPFSgmB
gQIDAQAB
-----END PUBLIC KEY-----
"""


def ask_for_a_file(talk):
    talk.packet(b"\xfb/etc/passwd")
    try:
        talk.receive()
    finally:
        talk.packet(words.OK)


def refused_names(talk):
    talk.packet(words.error(1142, b"SELECT command denied " + BAD_TEXT, b"42000"))


def any_of(*answers):
    """Uses the answers one after the other, one for each query."""
    def do(talk):
        with talk.server.otter.lock:
            turn = talk.server.turn = getattr(talk.server, "turn", -1) + 1
        answers[turn % len(answers)](talk)
    return do


ODD_NUMBERS = (b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999999999999999999999999", b"-1", b"1e400",
               b"", b"12\x0034", b"abc", b"0x10", b"9223372036854775807", b"-9223372036854775808", b"NaN", b"1.5")
NULLS = (("session", 2), ("variables", 2), ("columns", 2), ("indexes", 3), ("size", 1), ("clock", 2), ("counts", 2), ("names", 5), ("rows", 3))
ALL = "session variables columns indexes size clock rows counts names explain version"

SHAPES = [
    *(shape(f"null_in_cell_{i}_of_{place}", place, cell(i, None)) for place, n in NULLS for i in range(n)),
    *(shape(f"nothing_but_nulls_in_{place}", place, every_cell(None)) for place in ALL.split()),
    *(shape(f"one_column_of_{place}", place, fewer(1)) for place in "session variables columns indexes clock rows counts names explain".split()),
    shape("fewer_columns_by_one", "columns indexes clock rows counts names", lambda talk: fewer(len(talk.names) - 1)(talk)),
    *(shape(f"no_columns_of_{place}", place, packets(words.OK)) for place in ALL.split()),
    *(shape(f"no_rows_of_{place}", place, with_rows(lambda rows: [])) for place in "session variables columns indexes size clock counts explain".split()),
    shape("more_columns", ALL, more(70)),
    shape("the_same_row_many_times", "session variables columns indexes size clock counts", with_rows(lambda rows: rows * 100)),
    *(shape(f"odd_number_{i}_in_{place}_from_cell_{first}", place, numbers(value, first))
      for place, first in (("clock", 0), ("clock", 1), ("rows", 0), ("rows", 1))
      for i, value in enumerate(ODD_NUMBERS) if (place, first) in (("clock", 1), ("rows", 1)) or i in (0, 4, 7)),
    shape("odd_numbers_in_counts", "counts", any_of(*(numbers(value) for value in ODD_NUMBERS))),
    shape("odd_numbers_in_counts_alone", "counts", any_of(*(numbers(value, 1) for value in ODD_NUMBERS))),
    shape("odd_numbers_in_names", "names", any_of(*(numbers(value) for value in ODD_NUMBERS))),
    shape("odd_numbers_in_what_is_known_of_tables", "columns indexes size explain", any_of(*(every_cell(value) for value in ODD_NUMBERS))),
    shape("ids_above_two_to_the_63rd", "rows", numbers(b"18446744073709551615")),
    shape("endless_rows", "rows", after_head(endless_rows)),
    shape("endless_rows_with_ids", "rows", after_head(endless_numbered_rows)),
    shape("endless_names", "names", after_head(endless_numbered_rows)),
    shape("endless_counts", "counts", after_head(endless_numbered_rows)),
    shape("endless_variables", "variables", after_head(endless_rows)),
    shape("endless_session_variables", "session", after_head(endless_rows)),
    shape("endless_columns", "columns", after_head(endless_rows)),
    shape("endless_indexes", "indexes", after_head(endless_rows)),
    shape("endless_answer_to_set", "set", after_head(endless_rows)),
    shape("rows_of_10_megabytes", "rows", after_head(rows_of_ten_megabytes)),
    shape("names_of_10_megabytes", "names", after_head(rows_of_ten_megabytes)),
    shape("a_packet_that_says_16_megabytes", "rows", then_stall(raw(b"\xff\xff\xff\x01abc")), True),
    shape("a_packet_without_an_end", "rows", endless_packet),
    shape("a_greeting_without_an_end", "greeting", endless_packet),
    shape("a_column_count_of_2_to_the_63rd", "rows", then_stall(packets(b"\xfe" + b"\xff" * 7 + b"\x7f")), True),
    shape("a_column_count_that_is_cut", "rows", packets(b"\xfd\xff")),
    shape("a_row_a_second", "rows", after_head(row_a_second), True),
    shape("a_name_a_second", "names", after_head(row_a_second), True),
    shape("a_variable_a_second", "variables", after_head(row_a_second), True),
    shape("a_byte_a_second_in_the_greeting", "greeting", drip(words.greeting()), True),
    shape("a_byte_a_second_in_the_login", "login", drip(words.error(1045, "x" * 400)), True),
    shape("a_byte_a_second_in_the_columns", "rows", drip_columns, True),
    shape("a_byte_a_second_in_the_rows", "rows", after_head(drip(words.row(["1" * 200]))), True),
    shape("a_byte_a_second_after_set", "set", drip(words.error(1045, "x" * 400)), True),
    shape("a_hundred_thousand_columns", "rows clock", many_columns(100_000)),
    shape("a_table_of_a_hundred_thousand_columns", "columns", many_rows(100_000)),
    shape("a_table_of_a_hundred_thousand_indexes", "indexes", many_rows(100_000)),
    shape("a_cell_longer_than_its_packet", "rows", after_head(packets(b"\xfc\xff\xffabc", words.EOF))),
    shape("a_cell_of_2_to_the_64th", "rows", after_head(packets(b"\xfe" + b"\xff" * 8 + b"abc", words.EOF))),
    shape("a_cell_whose_length_is_cut", "rows", after_head(packets(b"\xfd\xff", words.EOF))),
    shape("an_empty_packet_for_a_row", "rows", after_head(packets(b"", words.EOF))),
    shape("a_row_of_one_cell", "rows clock", after_head(packets(b"\x011", words.EOF))),
    shape("a_column_that_is_cut", "rows", packets(b"\x02", words.definition("ID")[:9], words.definition("X")[:3], words.EOF)),
    shape("a_column_longer_than_its_packet", "rows", packets(b"\x01", b"\xfc\xff\xff" + words.definition("ID"), words.EOF)),
    shape("fewer_columns_than_announced", "rows", packets(b"\x05", words.definition("ID"), words.EOF, b"\x011", words.EOF)),
    shape("an_empty_packet", "query", packets(b"")),
    shape("an_empty_greeting", "greeting", packets(b"")),
    shape("a_greeting_that_is_cut", "greeting", packets(words.greeting()[:30])),
    shape("a_greeting_of_another_protocol", "greeting", packets(b"\x09" + words.greeting()[1:])),
    shape("a_greeting_without_a_nul", "greeting", packets(b"\x0a" + b"5" * 200)),
    shape("a_report_of_progress_for_a_greeting", "greeting", packets(b"\xff\xff\xff" + b"\xff" * 20)),
    shape("a_report_of_progress_for_an_answer", "query", packets(b"\xff\xff\xff\x01\x01\x02\x00\x00\x00\x01x", words.OK)),
    shape("endless_reports_of_progress", "rows", lambda talk: [
        talk.packet(*[b"\xff\xff\xff\x01\x01\x02\x00\x00\x00\x01x"] * 1000) for _ in iter(int, 1)]),
    shape("an_http_server", "greeting", then_close(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))),
    shape("sequence_numbers_off", "query", skipping(5)),
    shape("a_login_with_its_sequence_number_off", "login", lambda talk: (setattr(talk, "sequence", 9), talk.packet(words.OK))),
    shape("an_answer_twice", "query", twice),
    shape("one_more_result", "rows clock", lambda talk: (talk.head(talk.names, talk.rows), talk.packet(
        *map(words.row, talk.rows), b"\xfe\0\0\x08\0"), talk.result(talk.names, talk.rows))),
    shape("endless_results", "rows", lambda talk: [talk.packet(b"\x01", words.definition("x"), words.EOF, b"\xfe\0\0\x08\0")
                                                   for _ in iter(int, 1)]),
    shape("an_error_with_everything", "rows", packets(words.error(1064, BAD_TEXT))),
    shape("an_error_with_everything_at_the_login", "login", packets(words.error(1045, BAD_TEXT))),
    shape("an_error_with_everything_for_a_greeting", "greeting", packets(b"\xff\x10\x04" + BAD_TEXT)),
    shape("an_error_of_10_kilobytes", "variables", packets(words.error(1064, b"\x1b\n" * 5000))),
    shape("an_error_between_rows", "rows", after_head(packets(words.error(1317, BAD_TEXT)))),
    shape("an_error_that_is_cut", "rows", packets(b"\xff\x10")),
    shape("variables_that_are_not_taken", "session", with_rows(lambda rows: [
        [*cells[:-1], words.VARIABLES.get(cells[0], cells[-1])] for cells in rows])),
    shape("an_error_0", "rows", packets(words.error(0, ""))),
    shape("a_request_for_a_file", "query", ask_for_a_file),
    shape("a_request_for_a_file_by_set", "set", ask_for_a_file),
    shape("a_switch_to_a_password_in_clear", "login", then_stall(packets(switch(b"mysql_clear_password", b"")))),
    shape("a_switch_to_a_dialog", "login", then_stall(packets(switch(b"dialog", b"\x04Password: ")))),
    shape("a_switch_to_sha2_with_a_foreign_key", "login", ask_for_sha2),
    shape("a_switch_to_a_plugin_that_is_a_path", "login", packets(switch(b"../../../../tmp/evil"))),
    shape("a_switch_to_a_plugin_of_everything", "login", packets(switch(BAD_TEXT.replace(b"\0", b"")))),
    shape("a_switch_to_the_password_of_old", "login", packets(b"\xfe")),
    shape("a_switch_again_and_again", "login", switch_for_ever),
    shape("a_greeting_for_a_password_in_clear", "greeting", packets(words.greeting(plugin=b"mysql_clear_password"))),
    shape("no_tls_where_it_is_required", "greeting", packets(words.greeting()), tls="required"),
    shape("tls_that_is_none", "greeting", packets(words.greeting(words.CAPABILITIES | words.SSL)), tls="required"),
    shape("close_at_once", "greeting", close),
    shape("close_after_the_greeting", "login", close),
    *(shape(f"close_at_{place}", place, close) for place in "set session variables columns clock rows counts names".split()),
    shape("close_among_the_columns", "rows", then_close(packets(b"\x03", words.definition("ID")))),
    shape("close_among_the_rows", "rows", after_head(then_close(packets(b"\x011")))),
    shape("close_in_a_packet", "rows", then_close(raw(b"\x50\0\0\x01abc"))),
    *(shape(f"no_answer_at_{place}", place, stall, True) for place in "greeting login set session variables columns clock rows counts names".split()),
    *(shape(f"bad_text_in_{place}", place, every_cell(BAD_TEXT)) for place in "session variables indexes counts rows names explain version".split()),
    shape("bad_text_in_the_names_of_columns", "columns", with_rows(lambda rows: [*rows, [BAD_TEXT, "1"]])),
    shape("bad_text_for_a_version", "greeting", packets(words.greeting(version=BAD_TEXT))),
    Shape("bad_text_in_a_grant", {"names": refused_names, "grant": every_cell(BAD_TEXT)}, {}, False),
    Shape("no_columns_of_a_grant", {"names": refused_names, "grant": packets(words.OK)}, {}, False),
    Shape("nulls_in_a_grant", {"names": refused_names, "grant": every_cell(None)}, {}, False),
]
