"""Receivers that tests can control: they stop reading, close connections, or keep every byte."""
import re
import socket
import threading

SO_RCVBUFFORCE = 33


def accept_each(server, serve):
    """Calls `serve` for each connection, in a thread for each, until the server socket is closed."""
    def accept():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


class Datagrams:
    """Keeps every datagram that arrives at a UDP port or a unix socket."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        if not path:  # a large buffer, so that a busy machine loses no datagram
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self.socket.bind(str(path) if path else ("127.0.0.1", 0))
        self.port = None if path else self.socket.getsockname()[1]
        self.received = []
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            self.received.append(data)

    def lines(self):
        return [line for datagram in list(self.received) for line in datagram.decode().splitlines()]

    def stop(self):
        self.socket.close()


class Stream:
    """A TCP server that reads all lines, or accepts connections and never reads."""

    def __init__(self, reads=True):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.reads, self.connections, self.received = reads, [], bytearray()
        accept_each(self.server, self._serve)

    def _serve(self, connection):
        self.connections.append(connection)
        while self.reads:
            try:
                data = connection.recv(65536)
            except OSError:
                return
            if not data:
                connection.close()
                return
            self.received += data

    def lines(self):
        return bytes(self.received).decode().splitlines()

    def hang_up(self):
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def stop(self):
        self.server.close()
        self.hang_up()


def gauges(lines):
    """Returns {name without its prefix: last value}."""
    found = (re.fullmatch(r"(?:statsd )?otter\.(\S+):(-?[\d.]+)\|g", line) for line in lines)
    return {match.group(1): float(match.group(2)) for match in found if match}
