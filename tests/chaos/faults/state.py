"""The agent's own disk and config."""
import os

from chaos.fault import AT_MOST, Fault

UNKNOWN = r"\.table\."  # what TABLE_STAT's totals were before is in the store alone
DISK = {"needs": ("mount",), "parts": ("small_disk",)}


def fill(world, _):
    world.disk.fill()


def make_room(world):
    world.disk.clear()


def restart_read_only(world, _):
    """Whether it refuses to start, or waits, is its own affair."""
    world.stop_agent()
    world.disk.protect()
    world.agent.process.start()


def make_writable(world):
    world.disk.protect(False)
    world.agent.process.stop()
    world.start_agent()


def damages(damage):
    """An `apply` that stops the agent, spoils its file, and starts it."""
    def apply(world, chance):
        world.stop_agent()
        damage(world.state_file, chance)
        world.start_agent()
    return apply


def cut_off(file, chance):
    os.truncate(file, chance.randrange(1, file.stat().st_size))


def flip(file, chance):
    """Bits here and there, which may be noticed or not."""
    size = file.stat().st_size
    with open(file, "r+b") as f:
        for at in (chance.randrange(size) for _ in range(64)):
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1 << chance.randrange(8)]))


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
    assert "event=reload_failed" in log and "event=reloaded" in log, "a reload was not told"


FAULTS = [
    Fault("disk full", fill, make_room, **DISK, lasts=(1, 4)),
    Fault("disk read-only at a restart", restart_read_only, make_writable, **DISK, lasts=(0.5, 2)),
    Fault("store cut off", damages(cut_off), check=damage_is_told, lasts=(1, 3), statsd=AT_MOST, may_lack=UNKNOWN),
    Fault("store with flipped bits", damages(flip), lasts=(1, 3), statsd=AT_MOST, may_lack=UNKNOWN),
    Fault("SIGHUP with a broken config, and a good one", break_config, mend_config, check=reloads_are_told),
]
