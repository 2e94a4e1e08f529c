"""The time from a commit to the datagram."""
import random
import re
import socket
import threading
import time

from servers.process import wait_until

from bench import measure
from bench.cases.polls import running
from bench.contenders import make_agent, only, to_sink

NAME = re.compile(rb"pipeline\.(\d+)\.delay_ms:")
FIRST = 1000  # the number of the first pipeline whose rows are committed here


class Arrivals:
    """Keeps the time of the first line of each text, or tuple of texts, that the pattern finds."""

    def __init__(self, pattern=NAME):
        self.pattern = pattern
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.at = self.socket.getsockname()[1], {}
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            data = self.socket.recv(65536)
            now = time.monotonic()
            for found in self.pattern.findall(data):
                self.at.setdefault(found, now)


def latency(world):
    db, n = world.database, world.sizes.commits
    db.create("latency")
    arrivals, commits, chance = Arrivals(), {}, random.Random(1)
    agent = make_agent(world, "latency", [to_sink("udp", arrivals.port)], only("delay", every=1, start="now", settle=0))
    with running(agent), db.server.connect("latency") as connection:
        connection.autocommit(False)
        time.sleep(2)
        for pipeline in range(FIRST, FIRST + n):
            time.sleep(chance.uniform(0.05, 0.45))
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO DELAY_STAT (DELAY_TIME, DELAY_NUMBER, PIPELINE_ID, GMT_CREATE)"
                               " VALUES (1, 1, %s, NOW())", (pipeline,))
            connection.commit()
            commits[b"%d" % pipeline] = time.monotonic()
        wait_until(lambda: len(arrivals.at) >= n, "all arrive", 10)
    late = sorted(arrivals.at[p] - commits[p] for p in commits)
    for number, seconds in enumerate(late):
        world.note("otterbeat", number + 1, seconds=seconds)
    half = measure.median(late)
    world.say("commit to datagram, every = 1, p50", "<= 0.52 s", f"{half:.3f} s", half <= 0.52)
    world.say("commit to datagram, every = 1, max", "<= 1.05 s", f"{late[-1]:.3f} s", late[-1] <= 1.05)
