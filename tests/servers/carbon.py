"""A real carbon-cache, and the contents of its whisper files."""
import os
import struct
import textwrap

from servers.process import Process, free_port, port_is_open, wait_until

ARCHIVE, POINT = struct.Struct("!3L"), struct.Struct("!Ld")


def written_points(path):
    """Returns {time: value} of a file with one archive. Most of the file is a hole, which is not read."""
    found = {}
    with open(path, "rb") as file:
        file.seek(16)
        head = file.read(12)
        if len(head) < 12:  # carbon is just creating the file
            return {}
        offset, _, count = ARCHIVE.unpack(head)
        end, at = offset + count * 12, offset
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # the rest of the file is a hole
                break
            data_end = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), end)
            at -= (at - offset) % 12
            data_end += -(data_end - offset) % 12
            data = os.pread(file.fileno(), data_end - at, at)
            found.update((t, v) for t, v in POINT.iter_unpack(data[:len(data) // 12 * 12]) if t)
            at = data_end
    return found


class Carbon:
    def __init__(self, folder, step=60, creates="inf", updates="inf", schemas="", aggregation="", tag_url="", address="127.0.0.1"):
        self.folder = folder
        self.port, self.pickle_port, self.whisper = free_port(), free_port(), folder / "whisper"
        conf = folder / "conf"
        conf.mkdir(parents=True)
        (conf / "storage-schemas.conf").write_text(schemas + f"\n[all]\npattern = .*\nretentions = {step}s:10y\n")
        if aggregation:
            (conf / "storage-aggregation.conf").write_text(aggregation)
        (conf / "carbon.conf").write_text(textwrap.dedent(f"""\
            [cache]
            STORAGE_DIR = {folder}
            LOCAL_DATA_DIR = {self.whisper}
            CONF_DIR = {conf}
            LOG_DIR = {folder}
            PID_DIR = {folder}
            USER =
            LINE_RECEIVER_INTERFACE = {address}
            LINE_RECEIVER_PORT = {self.port}
            PICKLE_RECEIVER_INTERFACE = {address}
            PICKLE_RECEIVER_PORT = {self.pickle_port}
            CACHE_QUERY_PORT = 0
            ENABLE_UDP_LISTENER = False
            MAX_CREATES_PER_MINUTE = {creates}
            MAX_UPDATES_PER_SECOND = {updates}
            MAX_CACHE_SIZE = inf
            WHISPER_SPARSE_CREATE = True
            LOG_UPDATES = False
            {f"GRAPHITE_URL = {tag_url}" if tag_url else ""}
            """))
        self.process = Process("carbon", folder, [
            "/usr/bin/carbon-cache", f"--config={conf}/carbon.conf", f"--pidfile={folder}/pid", "--nodaemon", "start"])

    def start(self):
        (self.folder / "pid").unlink(missing_ok=True)  # twisted would take the pid of a killed carbon for a running carbon
        for file in self.whisper.rglob("*.wsp"):  # a carbon that was killed while creating a file would never repair the file
            if not file.stat().st_size:
                file.unlink()
        self.process.start(lambda: port_is_open(self.port))
        return self

    def points(self, path):
        file = self.whisper / (path.replace(".", "/") + ".wsp")
        return written_points(file) if file.exists() else {}

    def sums(self):
        """Returns the sum of all points for each series, without the series of the agent itself."""
        return {name: sum(self.points(name).values()) for name in self.series() if ".agent." not in name}

    def series(self):
        return sorted(".".join(p.relative_to(self.whisper).with_suffix("").parts)
                      for p in self.whisper.rglob("*.wsp"))

    def wait_for(self, wanted, seconds=30):
        """Waits until the sums are as expected; carbon writes a little later than it receives."""
        try:
            wait_until(lambda: self.differences(wanted) == {}, "sums", seconds, 0.3)
        except AssertionError:
            found = self.differences(wanted)
            assert found == {}, f"series: (wanted, got) {found}"

    def differences(self, wanted):
        got = self.sums()
        return {name: (value, got.get(name, 0)) for name, value in wanted.items() if got.get(name, 0) != value}

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()
