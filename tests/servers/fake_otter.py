"""The fake Otter: the program in tests/otter, which fills a MariaDB like managers do."""
import json
import os
import pathlib
import subprocess

from servers.process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / os.environ.get("OB_PRESET", "dev")
PROGRAM = ROOT / "tests/otter"


class FakeOtter:
    def __init__(self, server, folder):
        self.folder = folder
        self.command = ["/usr/bin/python3", str(PROGRAM), "--socket", str(server.socket)]
        self.process = None

    def do(self, *words):
        done = subprocess.run([*self.command, *map(str, words)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sums(self):
        """Returns the right sum of each counter, by its dotted name."""
        return json.loads(self.do("sums"))

    def run(self, *words):
        """Starts the load, and returns when it runs: an earlier signal would end the program without a clean end."""
        self.process = Process("fake-otter", self.folder, [*self.command, "run", *map(str, words)])
        begun = len(self.process.log())
        return self.process.start(lambda: "event=running" in self.process.log()[begun:])

    def stop(self):
        if self.process:
            self.process.stop()
