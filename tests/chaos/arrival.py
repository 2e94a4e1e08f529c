"""Waiting until all that was written has arrived."""
import os
import time

from chaos import ledger

PATIENCE = int(os.environ.get("OB_CHAOS_PATIENCE", 100))  # seconds; the agent's longest pause is a minute


def wait_for(world, truth, seconds=PATIENCE):
    """Until whisper holds the truth. Returns the differences that stayed, none in the end."""
    deadline = time.monotonic() + seconds
    while True:
        world.check_agent()
        found = truth.differences(ledger.whisper(world.carbon))
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.4)


def quiet_statsd(world):
    """Its counters, when they have stopped moving."""
    before, after = None, ledger.counters(world.statsd.counters())
    while before != after:
        time.sleep(1.2)
        before, after = after, ledger.counters(world.statsd.counters())
    return after
