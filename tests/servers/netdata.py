"""A real netdata, which accepts DogStatsD's lines, ignores their tags, and keeps the values of each name."""
import json
import textwrap
import urllib.error
import urllib.request

from servers.process import Process, free_port, port_is_open


class Netdata:
    def __init__(self, folder):
        self.port, self.web = free_port(), free_port()
        folder.mkdir()
        config = folder / "netdata.conf"
        places = "\n".join(f"{name} = {folder}" for name in ("config", "lib", "cache", "log", "home", "lock", "registry"))
        off = "\n".join(f"{name} = no" for name in ("proc", "cgroups", "tc", "idlejitter", "apps", "diskspace", "timex",
                                                    "checks", "slabinfo", "enable running new plugins"))
        config.write_text(textwrap.dedent("""\
            [global]
            run as user = root
            [db]
            mode = ram
            retention = 3600
            [logs]
            error = stderr
            access = none
            debug = none
            [ml]
            enabled = no
            [health]
            enabled = no
            [registry]
            enabled = no
            [cloud]
            enabled = no
            """) + f"[web]\nbind to = 127.0.0.1:{self.web}\n[directories]\n{places}\n[plugins]\n{off}\n"
            f"[statsd]\nbind to = udp:127.0.0.1:{self.port}\ndefault port = {self.port}\n"
            "create private charts for metrics matching = *\nmax private charts allowed = 1000\n"
            "max private charts hard limit = 1000\n")
        self.process = Process("netdata", folder, ["netdata", "-D", "-c", str(config)])

    def start(self):
        self.process.start(lambda: port_is_open(self.web))
        return self

    def stop(self):
        self.process.stop()

    def sums(self, chart):
        """Returns {dimension: sum} of the last minutes. netdata computes with parts of a second, so the sums are rounded."""
        address = (f"http://127.0.0.1:{self.web}/api/v1/data?chart={chart}&after=-600&points=1&group=sum&format=json"
                   "&options=unaligned")
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError:  # this chart does not exist yet
            return {}
        return {name: round(value or 0) for row in told["data"] for name, value in zip(told["labels"][1:], row[1:])}

    def counter(self, name):
        return self.sums(f"statsd_{name}_counter").get("counter", 0)
