"""Whether the agent grows: memory, files, threads and disk, after it has warmed up and in the end."""
import os
import threading
import time

EVERY = 0.5  # seconds
WARM = 0.3  # of the time
MOST = 1.10  # of memory, then and now
DISK = 4 << 20  # bytes that the queue may take and give back


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))


def sample(agent, state):
    pid = agent.process.child.pid
    return {"RSS kB": resident(pid), "files": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task")),
            "disk": sum(file.stat().st_size for file in state.iterdir())}


class Watch:
    def __init__(self, world):
        self.world, self.samples, self.is_over = world, [], threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over.wait(EVERY):
            try:
                self.samples.append(sample(self.world.agent, self.world.state_file.parent))
            except OSError:  # a file that went while we looked
                pass

    def stop(self):
        """(what to say, what is wrong): the highest of a tenth of the time after the warm-up, and at the end."""
        self.is_over.set()
        self.thread.join()
        width = max(1, len(self.samples) // 10)
        begin = int(len(self.samples) * WARM)
        warm, last = self.samples[begin:begin + width], self.samples[-width:]
        then, now = ({name: max(s[name] for s in part) for name in part[0]} for part in (warm, last))
        said = ", ".join(f"{name} {then[name]} -> {now[name]}" for name in then)
        return said, [name for name in then if grew(name, then[name], now[name])]


def grew(name, then, now):
    if name == "disk":
        return now > then + DISK
    return now > then * MOST if name == "RSS kB" else now > then


def steady(seconds, chance, world, faults):
    """Faults that do not restart the agent, one after the other, until the time is up."""
    times, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        fault = chance.choice(faults)
        time.sleep(chance.uniform(*fault.gap))
        fault.apply(world, chance)
        time.sleep(chance.uniform(0.2, 1.5))
        fault.heal(world)
        world.check_agent()
        times += 1
    return times
