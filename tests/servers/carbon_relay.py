"""A real carbon-c-relay in front of a carbon: a client of the relay does not notice when carbon is down."""
from servers.process import Process, free_port, port_is_open


class CarbonRelay:
    def __init__(self, folder, carbon_port):
        self.port = free_port()
        config = folder / "relay.conf"
        config.write_text(f"cluster carbon forward 127.0.0.1:{carbon_port};\nmatch * send to carbon stop;\n"
                          f"listen type linemode 127.0.0.1:{self.port} proto tcp;\n")
        self.process = Process("carbon-c-relay", folder,
                               ["/usr/bin/carbon-c-relay", "-f", str(config), "-w", "1", "-B", "32"])

    def start(self):
        self.process.start(lambda: port_is_open(self.port))
        return self

    def stop(self):
        self.process.stop()
