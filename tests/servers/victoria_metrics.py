"""A real VictoriaMetrics with its receiver of Graphite's lines."""
import socket
import urllib.request

from servers.process import Process, free_port, port_is_open

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class VictoriaMetrics:
    def __init__(self, folder):
        self.port, http = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}"
        self.process = Process("victoria-metrics", folder, [
            "victoria-metrics", f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{http}",
            f"-graphiteListenAddr=127.0.0.1:{self.port}", "-memory.allowedBytes=64MB"])

    def start(self):
        self.process.start(lambda: port_is_open(self.port) and port_is_open(int(self.url.rpartition(":")[2])))
        return self

    def flush(self):
        """Makes visible what was received."""
        OPENER.open(f"{self.url}/internal/force_flush", timeout=60).close()

    def send(self, lines):
        with socket.create_connection(("127.0.0.1", self.port)) as to:
            to.sendall("".join(f"{line}\n" for line in lines).encode())

    def stop(self):
        self.process.stop()
