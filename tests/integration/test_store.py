"""The store, a file with the queue and the checkpoints: damaged, foreign, shared, missing."""
import contextlib
import os
import sqlite3
import subprocess

import pytest

from servers.wiring import to_graphite


def aside(agent):
    return list((agent.folder / "state").glob("otterbeat.db.aside-*"))


@pytest.mark.parametrize("damage", ["noise", "cut", "foreign", "later"])
def test_a_file_that_can_not_be_used_is_set_aside(mariadb, otter, carbon, statsd, both, make_agent, damage):
    """StatsD gets nothing twice; Graphite gets all points of today and yesterday again."""
    otter.do("history", "--rows", 200, "--hours", 3)
    agent = make_agent(mariadb, both)
    agent.once()
    file = agent.folder / "state/otterbeat.db"
    if damage == "noise":
        file.write_bytes(b"noise" * 10000)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
    if damage == "foreign":
        file.unlink()
        sqlite3.connect(file).executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    if damage == "later":
        sqlite3.connect(file).executescript("PRAGMA user_version = 99;")
    kept = file.read_bytes()
    done = agent.once()
    assert "event=set_aside" in done.stderr
    assert aside(agent)
    if damage in ("noise", "cut"):
        assert aside(agent)[0].read_bytes() == kept
    assert done.stderr.count("event=rewound") == 5
    wanted = otter.sums()
    carbon.wait_for(wanted)
    statsd.wait_for(wanted)
    mariadb.query("INSERT INTO LOG_RECORD (CHANNEL_ID, PIPELINE_ID, TITLE, MESSAGE, GMT_CREATE, GMT_MODIFIED) "
                  "VALUES ('1', '1', 'NEW', 'x', NOW(), NOW())")
    agent.once()
    statsd.wait_for({**wanted, "otter.pipeline.1.title.new.log.records": 1})
    carbon.wait_for(otter.sums())


def test_one_agent_a_folder(mariadb, otter, both, make_agent):
    agent = make_agent(mariadb, both).start()
    agent.wait_for_log("event=plan")
    second = agent.run("--once")
    assert second.returncode == 69
    assert "is used by another otterbeat" in second.stderr
    assert not aside(agent)


def test_in_memory(mariadb, otter, statsd, both, make_agent):
    otter.do("sample")
    agent = make_agent(mariadb, both, state_dir="")
    done = agent.once()
    assert "event=not_durable" in done.stderr
    statsd.wait_for(otter.sums())
    assert not (agent.folder / "state").exists()


@pytest.fixture
def disk(folder):
    """A file system of 32 MB."""
    place = folder / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, left):
    """Fills the disk with a foreign file, until `left` bytes are free."""
    room = os.statvfs(disk)
    with contextlib.suppress(OSError):  # the agent may have used some room meanwhile
        (disk / "other").write_bytes(bytes(room.f_bavail * room.f_frsize - left))


def test_a_full_disk_stops_polls_and_loses_nothing(mariadb, otter, statsd, both, make_agent, disk):
    agent = make_agent(mariadb, both, state_dir=str(disk / "state")).start()
    agent.wait_for_log("source=log event=plan")
    fill(disk, left=0)
    otter.do("history", "--rows", 2000, "--hours", 2)
    agent.wait_for_log("event=disk_low")
    (disk / "other").unlink()
    agent.wait_for_log("event=disk_recovered")
    statsd.wait_for(otter.sums(), 60)
    agent.stop()


def test_a_disk_that_the_queue_fills_keeps_room_to_deliver(mariadb, otter, carbon, make_agent, disk):
    """Reading waits before the disk is full; only the sink makes room, because delivered batches are deleted."""
    otter.do("history", "--rows", 60000, "--hours", 24)
    fill(disk, left=18 << 20)
    carbon.kill9()
    agent = make_agent(mariadb, [to_graphite(carbon, horizon=1)], state_dir=str(disk / "state")).start()
    agent.wait_for_log("event=disk_low")
    carbon.start()
    carbon.wait_for(otter.sums(), 90)
    (disk / "other").unlink()
    agent.wait_for_log("event=disk_recovered")
    agent.stop()
    assert "event=poll_failed" not in agent.log() and "disk is full" not in agent.log()

