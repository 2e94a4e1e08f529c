"""The cost of a process: wall seconds, CPU seconds, peak memory, context switches."""
import dataclasses
import os
import pathlib
import re
import select
import statistics
import subprocess
import time

from servers.process import die_with_parent

SAMPLE_MS = 20
PEAK = re.compile(r"VmHWM:\s+(\d+)")
SWITCHES = re.compile(r"ctxt_switches:\s+(\d+)")


@dataclasses.dataclass
class Usage:
    began: float  # time.monotonic(), the clock that the sinks use, too
    wall: float
    cpu: float
    peak_kib: int
    output: str


def tree(pid):
    """Returns a process and all its descendants. A process that ends meanwhile has none."""
    found = [pid]
    for one in found:
        try:
            for children in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        except OSError:
            pass
    return found


def peak_kib(pid):
    """Returns the peak memory of a process, or the sum for a pipeline. The kernel's ru_maxrss would include this Python process."""
    total = 0
    for one in tree(pid):
        try:
            found = PEAK.search(pathlib.Path(f"/proc/{one}/status").read_text())
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total


def run(command, folder, env=None, seconds=1800):
    """Runs a command to its end, which must be successful."""
    with open(folder / "errors", "w+b") as errors, open(folder / "output", "w+b") as output:
        began, peak = time.monotonic(), 0
        child = subprocess.Popen(command, cwd=folder, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=errors, preexec_fn=die_with_parent)
        ends = select.poll()
        end = os.pidfd_open(child.pid)
        ends.register(end, select.POLLIN)
        while not ends.poll(SAMPLE_MS):
            peak = max(peak, peak_kib(child.pid))
            if time.monotonic() > began + seconds:
                child.kill()
        wall = time.monotonic() - began
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        os.close(end)
        errors.seek(0)
        output.seek(0)
        assert child.returncode == 0, f"{command}: {child.returncode}\n{errors.read().decode()[-2000:]}"
        return Usage(began, wall, used.ru_utime + used.ru_stime, peak, output.read().decode())


class Watch:
    """Reads how much a running process has used since its start; only differences of two readings are used."""

    def __init__(self, process):
        self.pid = process.child.pid

    def _tasks(self, file):
        return [task.read_text() for task in pathlib.Path(f"/proc/{self.pid}/task").glob(f"*/{file}")]

    def cpu(self):
        return sum(int(text.split()[0]) for text in self._tasks("schedstat")) / 1e9

    def cpu_of_thread(self, number):
        """Returns the CPU time of one thread. Threads are numbered in the order of their start: 0 is the main thread, then come the sinks."""
        threads = sorted(int(task.name) for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir())
        return int(pathlib.Path(f"/proc/{self.pid}/task/{threads[number]}/schedstat").read_text().split()[0]) / 1e9

    def switches(self):
        return sum(int(n) for text in self._tasks("status") for n in SWITCHES.findall(text))

    def peak_kib(self):
        return peak_kib(self.pid)


def median(values):
    return statistics.median(values)


def load():
    return os.getloadavg()[0]
