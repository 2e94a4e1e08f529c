"""Real relays in front of a carbon: a client of a relay does not notice when carbon is down."""
import textwrap

from servers.process import Process, free_port, port_is_open


class CarbonRelay:
    """carbon-c-relay, which writes `prefix` before each name."""

    def __init__(self, folder, carbon_port, prefix=""):
        self.port = free_port()
        config = folder / "relay.conf"
        rewrite = f"rewrite ^(.+)$ into {prefix}\\1;\n" if prefix else ""
        config.write_text(f"cluster carbon forward 127.0.0.1:{carbon_port};\n{rewrite}match * send to carbon stop;\n"
                          f"listen type linemode 127.0.0.1:{self.port} proto tcp;\n")
        self.process = Process("carbon-c-relay", folder,
                               ["/usr/bin/carbon-c-relay", "-f", str(config), "-w", "1", "-B", "32"])

    def start(self):
        self.process.start(lambda: port_is_open(self.port))
        return self

    def kill9(self):
        self.process.kill9()

    def stop(self):
        self.process.stop()


class PythonRelay(CarbonRelay):
    """Of graphite-carbon: carbon-relay, or carbon-aggregator, which adds up the values of each step and series."""

    def __init__(self, folder, pickle_port, step=None):
        self.port, self.pid = free_port(), folder / "pid"
        name = "aggregator" if step else "relay"
        (folder / "relay-rules.conf").write_text(f"[default]\ndefault = true\ndestinations = 127.0.0.1:{pickle_port}:a\n")
        (folder / "aggregation-rules.conf").write_text(f"<name> ({step}) = sum <<name>>\n" if step else "")
        (folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 60s:1d\n")  # it must exist
        (folder / "carbon.conf").write_text(textwrap.dedent(f"""\
            [{name}]
            STORAGE_DIR = {folder}
            CONF_DIR = {folder}
            LOG_DIR = {folder}
            PID_DIR = {folder}
            USER =
            LINE_RECEIVER_INTERFACE = 127.0.0.1
            LINE_RECEIVER_PORT = {self.port}
            PICKLE_RECEIVER_PORT = 0
            RELAY_METHOD = {"consistent-hashing" if step else "rules"}
            DESTINATIONS = 127.0.0.1:{pickle_port}:a
            TIME_TO_DEFER_SENDING = 0.05
            FORWARD_ALL = False
            MAX_AGGREGATION_INTERVALS = 100
            CARBON_METRIC_INTERVAL = 0
            """))
        self.process = Process(f"carbon-{name}", folder, [
            f"/usr/bin/carbon-{name}", f"--config={folder}/carbon.conf", f"--pidfile={self.pid}", "--nodaemon", "start"])

    def start(self):
        self.pid.unlink(missing_ok=True)  # twisted would take the pid of a killed relay for a running relay
        return super().start()
