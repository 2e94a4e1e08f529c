"""A reader that accepts only what Datadog's page "DogStatsD datagram format" allows, and a server for stream sockets.

    <METRIC_NAME>:<VALUE>|<TYPE>|@<SAMPLE_RATE>|#<TAG>,<TAG>|T<TIMESTAMP>|c:<ORIGIN>
    _e{<TITLE_LENGTH>,<TEXT_LENGTH>}:<TITLE>|<TEXT>|d:<TIMESTAMP>|h:<HOST>|k:<KEY>|p:<PRIORITY>|s:<SOURCE>|t:<ALERT>|#<TAGS>|c:
    _sc|<NAME>|<STATUS>|d:<TIMESTAMP>|h:<HOST>|#<TAGS>|c:<ORIGIN>|m:<MESSAGE>
"""
import re
import socket
import struct
import time
from typing import NamedTuple

from servers.sinks import accept_each

BUFFER = 8192  # dogstatsd_buffer_size
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
VALUE = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
TAG = re.compile(r"[A-Za-z][^|,\x00-\x1f\x7f]{0,199}")
ORIGIN = re.compile(r"(ci-[A-Za-z0-9_-]{1,64}|in-[1-9]\d*)")
SECOND = re.compile(r"[1-9]\d{8,9}")
HEAD = re.compile(rb"_e\{([1-9]\d*),(0|[1-9]\d*)\}:")
ALERTS = ("error", "warning", "info", "success")


class Metric(NamedTuple):
    name: str
    value: float
    type: str
    tags: tuple
    time: int | None
    origin: str | None


class Event(NamedTuple):
    title: str
    text: str
    fields: dict
    tags: tuple


class Check(NamedTuple):
    name: str
    status: int
    fields: dict
    tags: tuple


def whole(pattern, text, what):
    if not pattern.fullmatch(text):
        raise ValueError(f"no {what}: {text!r}")
    return text


def read_tags(text):
    tags = tuple(whole(TAG, tag, "tag") for tag in text.split(","))
    keys = [tag.split(":")[0] for tag in tags]
    if len(set(keys)) != len(keys):
        raise ValueError(f"one key twice: {text!r}")
    return tags


def read_metric(line):
    name, colon, rest = line.partition(":")
    value, *fields = rest.split("|")
    if not colon or not fields:
        raise ValueError("no value, or no type")
    whole(NAME, name, "name")
    kind = fields.pop(0)
    if kind not in ("c", "g", "ms", "h", "d", "s"):
        raise ValueError(f"no type: {kind!r}")
    found, order = {}, "@#Tc"
    for field in fields:
        if not field or field[0] not in order or field[0] in found or (field[0] == "c" and field[1:2] != ":"):
            raise ValueError(f"no field, or not here: {field!r}")
        order = order[order.index(field[0]):]
        found[field[0]] = field[1:].removeprefix(":") if field[0] == "c" else field[1:]
    if "T" in found and (kind not in "cg" or "@" in found):
        raise ValueError("a time is for counters and gauges without a rate")
    return Metric(name, float(whole(VALUE, value, "value")), kind, read_tags(found["#"]) if "#" in found else (),
                  int(whole(SECOND, found["T"], "time")) if "T" in found else None,
                  whole(ORIGIN, found["c"], "origin") if "c" in found else None)


def read_fields(fields, allowed):
    """Returns {key: text}; the tags have the key '#'."""
    found = {}
    for field in fields:
        key, text = ("#", field[1:]) if field.startswith("#") else field.split(":", 1)
        if key not in allowed or key in found or not text:
            raise ValueError(f"no field: {field!r}")
        found[key] = text
    if "d" in found:
        whole(SECOND, found["d"], "time")
    if "c" in found:
        whole(ORIGIN, found["c"], "origin")
    return found


def read_event(line):
    """Reads an event. The lengths in it count bytes."""
    head = HEAD.match(line)
    if not head:
        raise ValueError("no head of an event")
    title, text = line[head.end():][:int(head[1])], line[head.end() + int(head[1]) + 1:][:int(head[2])]
    rest = line[head.end() + int(head[1]) + 1 + int(head[2]):]
    if len(title) != int(head[1]) or len(text) != int(head[2]) or line[head.end() + len(title):][:1] != b"|":
        raise ValueError("its lengths are wrong")
    if rest and rest[:1] != b"|":
        raise ValueError("it goes on behind its text")
    if len(title.decode()) > 100 or len(text.decode()) > 4000:
        raise ValueError("longer than Datadog takes")
    fields = read_fields(rest.decode()[1:].split("|") if rest else [], "dhkpst#c")
    if fields.get("t", "info") not in ALERTS or fields.get("p", "normal") not in ("normal", "low"):
        raise ValueError("no alert type, or no priority")
    return Event(title.decode(), text.decode(), fields, read_tags(fields["#"]) if "#" in fields else ())


def read_check(line):
    _, name, status, *fields = line.split("|")
    if status not in ("0", "1", "2", "3"):
        raise ValueError(f"no status: {status!r}")
    if any(field.startswith("m:") for field in fields[:-1]):
        raise ValueError("the message stands last")
    found = read_fields(fields, "dh#cm")
    return Check(whole(NAME, name, "name"), int(status), found, read_tags(found["#"]) if "#" in found else ())


def read_line(line):
    """Reads a metric, an event or a service check; raises ValueError for a wrong line. `line`: bytes without the newline."""
    try:
        text = line.decode()  # raises an error for bytes that are not UTF-8
        if line.startswith(b"_e{"):
            return read_event(line)
        return read_check(text) if line.startswith(b"_sc") else read_metric(text)
    except ValueError as error:
        raise ValueError(f"{error}: {line[:300]!r}") from None


def read_all(payloads):
    """Returns the contents of some datagrams, in order."""
    found = []
    for payload in payloads:
        if len(payload) > BUFFER or not payload.endswith(b"\n"):
            raise ValueError(f"too long, or without its newline: {payload[-100:]!r}")
        found += [read_line(line) for line in payload[:-1].split(b"\n")]
    return found


class Frames:
    """A stream socket like that of an Agent, which closes the connection after a frame that is too long. It reads slowly."""

    def __init__(self, path, pause=0.0):
        self.path, self.pause, self.received, self.connections, self.broken = path, pause, [], [], 0
        self.listen()

    def listen(self):
        self.path.unlink(missing_ok=True)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(self.path))
        self.server.listen()
        accept_each(self.server, self._read)

    def _read(self, connection):
        self.connections.append(connection)
        while True:
            head = self._take(connection, 4)
            if head is None:
                return
            length = struct.unpack("<I", head)[0]
            if not 0 < length <= BUFFER:
                self.broken += 1
                connection.close()
                return
            payload = self._take(connection, length)
            if payload is None:
                self.broken += 1
                return
            self.received.append(payload)
            time.sleep(self.pause)

    @staticmethod
    def _take(connection, length):
        data = b""
        while len(data) < length:
            try:
                more = connection.recv(length - len(data))
            except OSError:
                return None
            if not more:
                return None
            data += more
        return data

    def hang_up(self):
        self.server.close()
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    stop = hang_up
