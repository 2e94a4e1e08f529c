"""A real InfluxDB 1.6 with its receiver of Graphite's lines."""
import json
import urllib.parse
import urllib.request

from servers.process import Process, free_port, port_is_open

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class InfluxDB:
    def __init__(self, folder):
        self.port, self.http = free_port(), free_port()
        config = folder / "influxdb.conf"
        config.write_text(f"""\
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{self.http}"
[[graphite]]
enabled = true
database = "graphite"
bind-address = "127.0.0.1:{self.port}"
batch-timeout = "1s"
""")
        self.process = Process("influxd", folder, ["influxd", "-config", str(config)])

    def start(self):
        self.process.start(lambda: port_is_open(self.port) and port_is_open(self.http))
        return self

    def sums(self):
        query = urllib.parse.urlencode({"db": "graphite", "q": "SELECT sum(value) FROM /^otter/"})
        with OPENER.open(f"http://127.0.0.1:{self.http}/query?{query}", timeout=60) as answer:
            series = json.load(answer)["results"][0].get("series", [])
        return {one["name"]: one["values"][0][1] for one in series}

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()
