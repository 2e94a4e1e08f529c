"""Counts what one agent sends: it forwards every line to the server that all agents send to."""
import socket
import threading
import time

from servers.sinks import accept_each


class CountedTcp:
    """A TCP port whose connections lead to another port of this machine."""

    def __init__(self, port):
        self.to, self.bytes, self.closed = port, 0, 0
        self.pause = 0.0  # seconds between two reads: an agent that has much to send waits in the midst of it
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # else the kernel holds megabytes during a pause
        self.port = self.server.getsockname()[1]
        accept_each(self.server, self._serve)

    def _serve(self, connection):
        try:
            with connection, socket.create_connection(("127.0.0.1", self.to)) as onward:
                while data := connection.recv(16384):
                    self.bytes += len(data)
                    onward.sendall(data)
                    time.sleep(self.pause)
        except OSError:
            pass
        self.closed += 1

    def stop(self):
        self.server.close()


class CountedUdp:
    """A UDP port whose datagrams are sent on to another port of this machine."""

    def __init__(self, port):
        self.to, self.bytes = port, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data = self.socket.recv(65536)
                self.socket.sendto(data, ("127.0.0.1", self.to))
            except OSError:
                return
            self.bytes += len(data)

    def stop(self):
        self.socket.close()
