"""A real VictoriaMetrics with its receiver of Graphite's lines."""
import collections
import json
import socket
import urllib.parse
import urllib.request

from servers.process import Process, free_port, port_is_open

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class VictoriaMetrics:
    """`dedup`: the value of -dedup.minScrapeInterval; with None, samples of one time are all kept."""

    def __init__(self, folder, dedup=None):
        self.port, http = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}"
        self.process = Process("victoria-metrics", folder, [
            "victoria-metrics", f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{http}",
            f"-graphiteListenAddr=127.0.0.1:{self.port}", "-memory.allowedBytes=64MB", "-search.latencyOffset=1s",
            *([f"-dedup.minScrapeInterval={dedup}"] if dedup else [])])

    def start(self):
        self.process.start(lambda: port_is_open(self.port) and port_is_open(int(self.url.rpartition(":")[2])))
        return self

    def flush(self):
        """Makes visible what was received."""
        OPENER.open(f"{self.url}/internal/force_flush", timeout=60).close()

    def series(self):
        """Returns a list of (labels, values, times in milliseconds)."""
        self.flush()
        query = urllib.parse.urlencode({"match[]": '{__name__!=""}', "start": "0"})
        with OPENER.open(f"{self.url}/api/v1/export?{query}", timeout=60) as answer:
            series = [json.loads(line) for line in answer.read().splitlines()]
        return [(one["metric"], one["values"], one["timestamps"]) for one in series]

    def sums(self):
        """Returns the sum of all samples for each name."""
        sums = collections.Counter()
        for labels, values, _ in self.series():
            sums[labels["__name__"]] += sum(values)
        return sums

    def send(self, lines):
        with socket.create_connection(("127.0.0.1", self.port)) as to:
            to.sendall("".join(f"{line}\n" for line in lines).encode())

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()
