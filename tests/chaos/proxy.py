"""A TCP proxy between the agent and a server, which causes faults of the connection on request."""
import collections
import random
import select
import socket
import struct
import threading
import time

CHUNK, TICK = 65536, 0.02
ROOM = 262144  # when so many bytes wait for a peer, the proxy stops reading
AT_ONCE = struct.pack("ii", 1, 0)


class Direction:
    """One direction of a connection."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.waiting = collections.deque()  # [due, bytes]
        self.size, self.has_ended = 0, False

    def take(self, delay):
        """Reads the bytes that have arrived; returns False after a reset."""
        try:
            data = self.source.recv(CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if data:
            self.waiting.append([time.monotonic() + delay, data])
            self.size += len(data)
        else:
            self.has_ended = True
        return True

    def give(self, most):
        """Sends the bytes that are due, at most `most` bytes; returns their number, or -1."""
        given = 0
        while self.waiting and self.waiting[0][0] <= time.monotonic() and given < most:
            data = self.waiting[0][1][:most - given]
            try:
                sent = self.target.send(data)
            except BlockingIOError:
                break
            except OSError:
                return -1
            given += sent
            self.size -= sent
            self.waiting[0][1] = self.waiting[0][1][sent:]
            if not self.waiting[0][1]:
                self.waiting.popleft()
        return given


class Connection:
    def __init__(self, client, server):
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends = (client, server)
        self.up, self.down = Direction(client, server), Direction(server, client)

    def close(self, at_once=False):
        for end in self.ends:
            if at_once:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.close()


class Proxy:
    """Forwards to `target`, a port on loopback. Any thread may set the attributes and call the methods."""

    def __init__(self, target):
        self.target, self.host = target, "127.0.0.1"
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.rate = None  # bytes per second towards the server
        self.reads = True  # whether the proxy reads from the client
        self.delay = 0.0  # seconds, in both directions
        self.wants_cut = self.is_held = False
        self.connections, self.orders = [], collections.deque()
        self.allowance, self.paid = 0.0, time.monotonic()
        self.is_open = True
        threading.Thread(target=self._run, daemon=True).start()

    def abort(self):
        """Ends every connection with a reset."""
        self._order(self._abort)

    def refuse(self):
        """Closes the port and the connections."""
        self._order(self._refuse)

    def listen(self):
        self._order(self._listen)

    def cut(self):
        """Closes every connection after half of the next line."""
        self.wants_cut = True

    def hold(self):
        """Forwards nothing and closes nothing."""
        self.is_held = True

    def retarget(self, port):
        self.target = port
        self.abort()

    def heal(self):
        self.rate, self.reads, self.delay, self.wants_cut, self.is_held = None, True, 0.0, False, False
        if self.listener is None:
            self.listen()

    def stop(self):
        self._order(self._stop)

    def _order(self, what):
        done = threading.Event()
        self.orders.append((what, done))
        done.wait(5)

    def _abort(self):
        for connection in self.connections:
            connection.close(True)
        self.connections.clear()

    def _refuse(self):
        self._abort()
        if self.listener:
            self.listener.close()
        self.listener = None

    def _listen(self):
        if not self.listener:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)

    def _stop(self):
        self._refuse()
        self.is_open = False

    def _run(self):
        while self.is_open:
            while self.orders:
                what, done = self.orders.popleft()
                what()
                done.set()
            if self.is_held:
                time.sleep(TICK)
            elif self.is_open:
                self._turn()

    def _turn(self):
        readable, writable = self._interests()
        try:
            ready, _, _ = select.select(readable, writable, [], TICK)
        except (OSError, ValueError):  # the code below notices a closed end
            ready = readable
        if self.listener in ready:
            self._accept()
        self._refill()
        for connection in list(self.connections):
            self._serve(connection, ready)

    def _interests(self):
        readable, writable = [self.listener] if self.listener else [], []
        for connection in self.connections:
            for way in (connection.up, connection.down):
                if self._may_read(connection, way):
                    readable.append(way.source)
                if way.waiting and not self.delay and not (self.rate and way is connection.up):
                    writable.append(way.target)
        return readable, writable

    def _may_read(self, connection, way):
        return not way.has_ended and way.size < ROOM and (self.reads or way is not connection.up)

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 2)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            client.close()
            return
        self.connections.append(Connection(client, server))

    def _refill(self):
        now = time.monotonic()
        if self.rate:
            self.allowance = min(self.allowance + self.rate * (now - self.paid), self.rate)
        self.paid = now

    def _serve(self, connection, ready):
        for way in (connection.up, connection.down):
            if way.source in ready and self._may_read(connection, way) and not way.take(self.delay):
                return self._drop(connection, True)
            if way is connection.up and self.wants_cut and way.waiting and len(way.waiting[0][1]) > 2:
                return self._cut(connection)
            if self._forward(connection, way) < 0:
                return self._drop(connection, True)
        if any(way.has_ended and not way.waiting for way in (connection.up, connection.down)):
            self._drop(connection, False)
        return None

    def _forward(self, connection, way):
        if not (self.rate and way is connection.up):
            return way.give(1 << 30)
        given = way.give(int(self.allowance))
        self.allowance -= max(given, 0)
        return given

    def _cut(self, connection):
        data = connection.up.waiting[0][1]
        at = random.randrange(1, len(data) - 1)
        while at > 1 and data[at - 1:at] == b"\n":
            at -= 1
        try:
            connection.up.target.send(data[:at])
        except OSError:
            pass
        self._drop(connection, False)

    def _drop(self, connection, at_once):
        connection.close(at_once)
        self.connections.remove(connection)
