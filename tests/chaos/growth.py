"""Checks whether the agent grows: memory, files, threads and disk, after the warm-up and at the end."""
import os
import threading

EVERY = 0.5  # seconds
WARM = 0.3  # the share of the time that is the warm-up
MOST = 1.10  # the largest ratio of memory at the end to memory after the warm-up
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
            except OSError:  # the file disappeared meanwhile
                pass

    def stop(self):
        """Returns (text, grown values) from a third of the time after the warm-up and from the last third."""
        self.is_over.set()
        self.thread.join()
        third = max(1, len(self.samples) // 3)
        warm, last = self.samples[int(len(self.samples) * WARM):][:third], self.samples[-third:]
        then, now = ({name: sorted(s[name] for s in part) for name in part[0]} for part in (warm, last))
        said = ", ".join(f"{name} {middle(then[name])} -> {middle(now[name])}" for name in then)
        return said, [name for name in then if GREW[name](then[name], now[name])]


def middle(values):
    return values[len(values) // 2]


def never_again_so_few(then, now):
    """Whether a number never returns to its earlier minimum: connections open and close, so only a leak does that."""
    return now[0] > then[-1]


GREW = {
    "RSS kB": lambda then, now: middle(now) > middle(then) * MOST,
    "files": never_again_so_few,
    "threads": never_again_so_few,
    "disk": lambda then, now: now[0] > then[-1] + DISK,
}
