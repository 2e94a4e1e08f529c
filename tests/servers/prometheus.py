"""A real Prometheus with the alerts of deploy/prometheus, and promtool."""
import json
import subprocess
import urllib.parse
import urllib.request

from servers.fake_otter import ROOT
from servers.process import Process, free_port

RULES = ROOT / "deploy/prometheus/otterbeat.rules.yaml"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def promtool(*words, **more):
    """Returns (exit code, output)."""
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=60, **more)
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """Scrapes the agents and evaluates the alerts each second."""

    def __init__(self, folder, targets):
        folder.mkdir()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        scrape = {"job_name": "otterbeat", "static_configs": [{"targets": list(targets)}]}
        config = folder / "prometheus.yml"  # JSON is YAML, too
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                                      "rule_files": [str(RULES)], "scrape_configs": [scrape]}))
        self.process = Process("prometheus", folder, [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"])

    def is_ready(self):
        try:
            OPENER.open(f"{self.url}/-/ready", timeout=10).close()
        except OSError:  # nobody listens yet, or the answer is 503
            return False
        return True

    def start(self):
        self.process.start(self.is_ready)
        return self

    def ask(self, page, **words):
        with OPENER.open(f"{self.url}/api/v1/{page}?{urllib.parse.urlencode(words)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def number(self, query):
        """Returns the value of a query with one series; None: there is no series."""
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def alerts(self):
        """Returns {name: alert} of the alerts that fire, or that wait for the end of their `for`."""
        return {alert["labels"]["alertname"]: alert for alert in self.ask("alerts")["alerts"]}

    def stop(self):
        self.process.stop()
