"""A real VictoriaMetrics with its receiver of Graphite's lines, and vmalert with the alerts that otterbeat writes."""
import json
import socket
import urllib.parse
import urllib.request

from servers.process import Process, free_port, port_is_open

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url, **words):
    """Returns the data of an answer in the format of Prometheus' API."""
    with OPENER.open(f"{url}?{urllib.parse.urlencode(words)}", timeout=60) as answer:
        return json.load(answer)["data"]


class VictoriaMetrics:
    def __init__(self, folder):
        self.port, http = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}"
        self.process = Process("victoria-metrics", folder, [
            "victoria-metrics", f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{http}",
            f"-graphiteListenAddr=127.0.0.1:{self.port}", "-memory.allowedBytes=64MB", "-search.latencyOffset=1ms"])

    def start(self):
        self.process.start(lambda: port_is_open(self.port) and port_is_open(int(self.url.rpartition(":")[2])))
        return self

    def flush(self):
        """Makes visible what was received."""
        OPENER.open(f"{self.url}/internal/force_flush", timeout=60).close()

    def send(self, lines):
        with socket.create_connection(("127.0.0.1", self.port)) as to:
            to.sendall("".join(f"{line}\n" for line in lines).encode())

    def now(self, query, time):
        """Returns [{metric: labels, value: number}] at one time."""
        return [{"metric": one["metric"], "value": float(one["value"][1])}
                for one in ask(f"{self.url}/api/v1/query", query=query, time=time)["result"]]

    def render(self, query, begin, end, step):
        """Returns [{metric: labels, values: [number]}] of a panel."""
        found = ask(f"{self.url}/api/v1/query_range", query=query, start=begin, end=end, step=step)["result"]
        return [{"metric": one["metric"], "values": [float(value) for _, value in one["values"]]} for one in found]

    def values(self, label, match):
        return ask(f"{self.url}/api/v1/label/{label}/values", **{"match[]": match})

    def forget(self):
        """Deletes all series."""
        OPENER.open(f"{self.url}/api/v1/admin/tsdb/delete_series?match[]=%7B__name__!=%22%22%7D", timeout=60).close()

    def stop(self):
        self.process.stop()


class Vmalert:
    """Evaluates a file of rules each second, in place of each minute."""

    def __init__(self, folder, rules, store):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        file = folder / "rules.yaml"
        groups = json.loads(rules.read_text())["groups"]
        file.write_text(json.dumps({"groups": [{**group, "interval": "1s"} for group in groups]}))
        self.process = Process("vmalert", folder, [
            "vmalert", f"-rule={file}", f"-datasource.url={store.url}", f"-httpListenAddr=127.0.0.1:{port}",
            f"-notifier.url=http://127.0.0.1:{free_port()}"])

    def start(self):
        self.process.start(lambda: port_is_open(int(self.url.rpartition(":")[2])))
        return self

    def alerts(self):
        """Returns {name: [alert]} of the alerts that fire, or that wait for the end of their `for`."""
        found = {}
        for alert in ask(f"{self.url}/api/v1/alerts")["alerts"]:
            found.setdefault(alert["name"], []).append(alert)
        return found

    def stop(self):
        self.process.stop()
