"""Waits until all written rows have arrived."""
import os
import time

from chaos import ledger
from servers.process import wait_until

PATIENCE = int(os.environ.get("OB_CHAOS_PATIENCE", 100))  # seconds; the agent's longest pause is a minute


def wait_for(world, truth, seconds=PATIENCE):
    """Waits until whisper's values equal the truth. Returns the remaining differences, which should be empty."""
    deadline = time.monotonic() + seconds
    while True:
        world.check_agent()
        found = truth.differences(ledger.whisper(world.carbon))
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.4)


def quiet_statsd(world):
    """Returns statsd's counters when the agents have nothing left for it, and the counters have stopped changing."""
    wait_until(lambda: not world.behind("statsd"), "the agents have sent all points to statsd", PATIENCE)
    before, after = None, ledger.counters(world.statsd.counters())
    while before != after:
        time.sleep(1.2)
        before, after = after, ledger.counters(world.statsd.counters())
    return after
