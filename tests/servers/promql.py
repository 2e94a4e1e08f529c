"""Asks a VictoriaMetrics in PromQL: with its API like Grafana, and with a real vmalert."""
import json
import urllib.parse
import urllib.request

from servers.process import Process, free_port, port_is_open

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url, **words):
    """Returns the data of an answer of the API."""
    with OPENER.open(f"{url}?{urllib.parse.urlencode(words)}", timeout=60) as answer:
        return json.load(answer)["data"]


class PromQL:
    """The API of a VictoriaMetrics. With nocache=1 a query at the present time also finds the newest samples."""

    def __init__(self, url):
        self.url = url

    def at(self, time, query):
        """Returns [(labels, number)] at one time."""
        found = ask(f"{self.url}/api/v1/query", query=query, time=time, nocache=1)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def between(self, begin, end, step, query):
        """Returns [(labels, {time: number})] for the pixels of a panel."""
        found = ask(f"{self.url}/api/v1/query_range", query=query, start=begin, end=end, step=step, nocache=1)["result"]
        return [(one["metric"], {time: float(value) for time, value in one["values"]}) for one in found]

    def values(self, label, match):
        return ask(f"{self.url}/api/v1/label/{label}/values", **{"match[]": match})

    def forget(self):
        """Deletes all series."""
        OPENER.open(f"{self.url}/api/v1/admin/tsdb/delete_series?match[]=%7B__name__!=%22%22%7D", timeout=60).close()


class Vmalert:
    """Evaluates the rules of a file each second in place of each minute, with the newest samples."""

    def __init__(self, folder, rules, url):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        file = folder / "rules.yaml"
        groups = json.loads(rules.read_text())["groups"]
        file.write_text(json.dumps({"groups": [{**group, "interval": "1s", "params": {"nocache": ["1"]}} for group in groups]}))
        self.process = Process("vmalert", folder, [
            "vmalert", f"-rule={file}", f"-datasource.url={url}", f"-httpListenAddr=127.0.0.1:{port}",
            f"-notifier.url=http://127.0.0.1:{free_port()}"])

    def start(self):
        self.process.start(lambda: port_is_open(int(self.url.rpartition(":")[2])))
        return self

    def alerts(self):
        """Returns {name: [alert]} of the alerts that fire, or that wait for the end of their `for`."""
        found = {}
        for alert in ask(f"{self.url}/api/v1/alerts")["alerts"] or []:
            found.setdefault(alert["name"], []).append(alert)
        return found

    def stop(self):
        self.process.stop()
