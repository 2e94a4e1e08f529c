"""The receivers in C, which count lines and cost nearly nothing."""
import collections
import mmap
import pathlib
import struct

from servers.fake_otter import BUILD
from servers.process import Process, wait_until

LIMITS = pathlib.Path(BUILD) / "tests/bench/limits"
FORM = struct.Struct("6Q")
Counted = collections.namedtuple("Counted", "port lines bytes packets first_ns last_ns")


class Sink:
    """A receiver. `kind`: tcp, udp, or still, which accepts connections and never reads. `room`: bytes of the UDP receive buffer; 0 means
    the kernel's default."""

    def __init__(self, folder, kind, room=0):
        folder.mkdir(parents=True, exist_ok=True)
        self.kind, self.path = kind, folder / f"{kind}.counted"
        self.path.unlink(missing_ok=True)
        self.process = Process(f"sink-{kind}", folder, [str(LIMITS / "sink"), kind, str(self.path), str(room)])
        self.map = None

    def __enter__(self):
        self.process.start(lambda: self.path.exists() and self.path.stat().st_size)
        with open(self.path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), FORM.size, prot=mmap.PROT_READ)
        wait_until(lambda: self.port, "a sink has a port")
        return self

    def __exit__(self, *_):
        self.process.kill9()
        self.map.close()

    @property
    def counted(self):
        return Counted(*FORM.unpack(self.map[:FORM.size]))

    @property
    def port(self):
        return self.counted.port

    @property
    def last(self):
        """Returns the time of the last bytes, by time.monotonic()."""
        return self.counted.last_ns / 1e9

    def wait_for(self, lines, seconds=600):
        wait_until(lambda: self.counted.lines >= lines, f"{lines} lines, but {self.counted}", seconds, 0.02)

    def dropped(self):
        """Returns the number of datagrams that the kernel dropped because the receiver was too slow."""
        for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].partition(":")[2], 16) == self.port:
                return int(fields[-1])
        return 0
