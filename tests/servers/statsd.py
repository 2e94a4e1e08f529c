"""The real statsd from npm, and the values that it has counted."""
import os
import pathlib
import re
import socket

from servers.process import Process, free_port, port_is_open, wait_until

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "node_modules/statsd/stats.js"


class Statsd:
    """A statsd that flushes once a day, so that its counters are sums; with `carbon`, it flushes into that carbon."""

    def __init__(self, folder, address="127.0.0.1", carbon=None, flush_ms=86400000):
        self.port, self.management_port = free_port(), free_port()
        config = folder / "statsd.js"
        backend = f"backends: ['./backends/graphite'], graphiteHost: '127.0.0.1', graphitePort: {carbon.port}" if carbon else "backends: []"
        config.write_text(
            f"{{ port: {self.port}, address: '{address}', mgmt_port: {self.management_port},"
            f" mgmt_address: '127.0.0.1', flushInterval: {flush_ms}, {backend} }}")
        self.process = Process("statsd", folder, ["node", str(PROGRAM), str(config)])

    def start(self):
        assert PROGRAM.exists(), "npm ci --prefix tests"
        self.process.start(lambda: port_is_open(self.management_port))
        try:  # a datagram that statsd misses on a busy machine would look like a loss of the agent
            os.sched_setscheduler(self.process.child.pid, os.SCHED_RR, os.sched_param(1))
        except PermissionError:
            pass
        return self

    def dropped(self):
        """Returns the number of datagrams that arrived while statsd's buffer was full."""
        rows = pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]
        return sum(int(row.split()[-1]) for row in rows if row.split()[1].endswith(f":{self.port:04X}"))

    def ask(self, what, of_agent=False):
        """Returns the values of Otter's series, or of the agent's own series."""
        with socket.create_connection(("127.0.0.1", self.management_port), 5) as s:
            s.sendall(f"{what}\n".encode())
            answer = b""
            while b"END" not in answer:
                answer += s.recv(65536)
        found = re.findall(r"['\"]?([^\s'\",{}]+)['\"]?: ([-+.\deE]+)", answer.decode())
        return {name: float(value) for name, value in found
                if not name.startswith("statsd.") and (".agent." in name) == of_agent}

    def counters(self):
        return self.ask("counters")

    def gauges(self):
        return self.ask("gauges")

    def differences(self, wanted):
        got = self.counters()
        return {name: (value, got.get(name, 0)) for name, value in wanted.items() if got.get(name, 0) != value}

    def wait_for(self, wanted, seconds=15):
        try:
            wait_until(lambda: self.differences(wanted) == {}, "counters", seconds, 0.2)
        except AssertionError:
            found = self.differences(wanted)
            assert found == {}, f"counters: (wanted, got) {found}, {self.dropped()} datagrams dropped by its kernel"

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()
