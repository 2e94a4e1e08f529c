"""A cable between the servers and an agent, each in a network namespace of its own. It can be pulled out, and it can lose what
comes back."""
import os
import subprocess

from servers.process import Process


def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *words], check=True)


class Island:
    """A network namespace. It ends with the process that holds it, and so do its wires."""

    def __init__(self, folder):
        self.process = Process("island", folder, ["unshare", "--net", "sleep", "infinity"])

    def start(self):
        self.process.start(lambda: os.readlink(self.namespace()) != os.readlink("/proc/self/ns/net"))
        return self

    def namespace(self):
        return f"/proc/{self.process.child.pid}/ns/net"

    def inside(self):
        """Returns the words in front of a command that is to run there."""
        return ["nsenter", f"--net={self.namespace()}", "--"]

    def stop(self):
        self.process.stop()


class Wire:
    """Leads to the server at `port`, and to the network `beyond`."""

    def __init__(self, island, number, port=0, beyond=None):
        self.name, self.port, self.loses_answers = f"wire{number}", port, False
        self.host, self.agent_host = f"10.77.{number}.1", f"10.77.{number}.2"
        ip("link", "add", self.name, "type", "veth", "peer", "name", self.name, "netns", str(island.process.child.pid))
        for host, where in ((self.host, ()), (self.agent_host, island.inside())):
            ip("address", "add", f"{host}/30", "dev", self.name, inside=where)
            ip("link", "set", self.name, "up", inside=where)
        if beyond:
            ip("route", "add", beyond, "via", self.host, inside=island.inside())

    def hold(self):
        """Nothing passes, and no end of a connection learns of it."""
        ip("link", "set", self.name, "down")

    def lose_answers(self):
        """What the agent sends arrives, and what is sent to the agent does not."""
        self.loses_answers = True
        ip("route", "add", "blackhole", f"{self.agent_host}/32")

    def heal(self):
        ip("link", "set", self.name, "up")
        if self.loses_answers:
            ip("route", "del", "blackhole", f"{self.agent_host}/32")
        self.loses_answers = False
