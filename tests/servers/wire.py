"""A connection between the agent and a real MySQL server: slow, cut, or with an attacker who changes the packets."""
import socket
import struct
import threading
import time

CLIENT_SSL = 0x0800


class Wire:
    """`slow_from`: from this byte of the server on, in each connection, one byte passes every `pace` seconds. `hides_tls`: the
    greeting says that the server has no TLS. `said` contains all bytes that the agent sent, in all connections."""

    def __init__(self, port, slow_from=None, pace=0.5, hides_tls=False):
        self.target, self.slow_from, self.pace, self.hides_tls = port, slow_from, pace, hides_tls
        self.said, self.connections, self.slowed = bytearray(), 0, threading.Event()
        self.over, self.open = threading.Event(), set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                agent, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for end in (agent, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.open |= {agent, server}
            threading.Thread(target=self._carry, args=(agent, server, self._note), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, agent, self._change), daemon=True).start()

    def _note(self, _, data, to):
        self.said += data
        to.sendall(data)

    def _change(self, passed, data, to):
        if self.hides_tls and not passed:
            data = hide_tls(data)
        slow = len(data) if self.slow_from is None else max(self.slow_from - passed, 0)
        to.sendall(data[:slow])
        for byte in data[slow:]:
            self.slowed.set()
            if self.over.wait(self.pace):
                return
            to.sendall(bytes([byte]))

    def _carry(self, source, to, how):
        passed = 0
        try:
            while not self.over.is_set():
                data = source.recv(65536)
                if not data:
                    break
                how(passed, data, to)
                passed += len(data)
        except OSError:
            pass
        for end in (source, to):
            self.open.discard(end)
            end.close()

    def cut(self):
        """Cuts the connections, like a firewall that ends idle connections."""
        for end in list(self.open):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.over.set()
        self.listener.close()
        self.cut()
        time.sleep(0.05)


def hide_tls(greeting):
    """Removes TLS from the greeting. The capabilities follow the version, the thread, and the first part of the scramble."""
    at = greeting.index(b"\0", 5) + 14
    flags, = struct.unpack_from("<H", greeting, at)
    return greeting[:at] + struct.pack("<H", flags & ~CLIENT_SSL) + greeting[at + 2:]
