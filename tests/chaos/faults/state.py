"""The agent's own disk and config."""
import contextlib
import os
import sqlite3

from chaos.fault import AT_MOST, Fault
from servers.process import wait_until

UNKNOWN = r"\.table\."  # only the store has the earlier totals of TABLE_STAT
KEPT = 32  # batches in the memory of the agent: OB_QUEUE_KEPT
DISK = {"needs": ("mount",), "parts": ("small_disk",)}


def fill(world, _):
    world.disk.fill()


def make_room(world):
    world.disk.clear()


def restart_read_only(world, _):
    """Restarts on a read-only disk. The agent may refuse to start, or may wait."""
    world.stop_agent()
    world.disk.protect()
    world.agent.process.start()


def make_writable(world):
    world.disk.protect(False)
    world.agent.process.stop()
    world.start_agent()


def damages(damage):
    """Returns an `apply` that stops the agent, damages its store, and starts the agent again."""
    def apply(world, chance):
        world.stop_agent()
        damage(world.state_file, chance)
        world.start_agent()
    return apply


def cut_off(file, chance):
    os.truncate(file, chance.randrange(1, file.stat().st_size))


def flips(bits):
    """Returns a `damage` that flips that many random bits, in used or unused parts of the store."""
    def flip(file, chance):
        size = file.stat().st_size
        with open(file, "r+b") as f:
            for at in (chance.randrange(size) for _ in range(bits)):
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return flip


def corrupt_a_batch(world, _):
    """Damages the oldest batch while the agent runs, when it is not in the agent's memory any more; the agent reads it once more."""
    def is_damaged():
        with contextlib.closing(sqlite3.connect(world.state_file, timeout=30)) as store, store:
            return store.execute("UPDATE batches SET body = zeroblob(length(body)) WHERE seq = (SELECT MIN(seq) FROM batches)"
                                 " AND seq < (SELECT MAX(seq) FROM batches) - ?", (KEPT,)).rowcount

    wait_until(is_damaged, "the queue has batches that are only on the disk")


def damage_is_mended(world):
    log = world.agent.log()
    assert "event=restarting" in log and "event=corrupt" in log, "a damaged batch was not logged"


def damage_is_told(world):
    assert "event=set_aside" in world.agent.log(), "a damaged store was not set aside"


def break_config(world, _):
    good = world.agent.config.read_text()
    world.agent.config.write_text(good + "nonsense = 1;\n")
    world.agent.reload()


def mend_config(world):
    world.agent.write()
    world.agent.reload()


def reloads_are_told(world):
    log = world.agent.log()
    assert "event=reload_failed" in log and "event=reloaded" in log, "a reload was not logged"


FAULTS = [
    Fault("disk full", fill, make_room, **DISK, lasts=(1, 4)),
    Fault("disk read-only at a restart", restart_read_only, make_writable, **DISK, lasts=(0.5, 2)),
    Fault("store cut off", damages(cut_off), check=damage_is_told, lasts=(1, 3), statsd=AT_MOST, may_lack=UNKNOWN),
    Fault("store with flipped bits", damages(flips(64)), lasts=(1, 3), statsd=AT_MOST, may_lack=UNKNOWN),
    Fault("store with one flipped bit", damages(flips(1)), lasts=(1, 3), statsd=AT_MOST, may_lack=UNKNOWN),
    Fault("a batch is corrupted under the agent", corrupt_a_batch, check=damage_is_mended, lasts=(9, 11), statsd=AT_MOST,
          may_lack=UNKNOWN, settings={"horizon": 8}, most=8),
    Fault("SIGHUP with a broken config, and a good one", break_config, mend_config, check=reloads_are_told),
]
