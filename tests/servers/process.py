"""A child process of a test: it has a folder and a log, it becomes ready or raises an error, and it never outlives the test."""
import ctypes
import os
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Runs in the child: when the test is killed, the child is killed, too."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# The ports are below the range that the kernel uses for connections and for port 0: otherwise a connection might take the port
# before the server starts, or while the server is down. A reservation by an abstract socket name ends with this process.
PORTS = range(10240, 32768)
TAKEN = []


def is_free(port):
    """Whether the port is free for TCP and UDP, and no other test has reserved it."""
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0otterbeat-tests-{port}")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    TAKEN.append(mark)
    return True


def free_port():
    return next(port for port in iter(lambda: random.choice(PORTS), None) if is_free(port))


def port_is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_until(is_true, what, seconds=30.0, every=0.05):
    """Waits until `is_true` returns a true value, and returns this value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        got = is_true()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


class Process:
    """A process. start() starts it, stop() sends SIGTERM, kill9() sends SIGKILL."""

    def __init__(self, name, folder, command, env=None):
        self.name, self.folder, self.command = name, folder, command
        self.env = {**os.environ, **(env or {})}
        self.child = None
        self.log_path = folder / f"{name}.log"

    def start(self, is_ready=None):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                self.command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=die_with_parent)
        if is_ready:
            try:
                wait_until(lambda: self.is_running() and is_ready(), f"{self.name} is ready")
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.log()[-2000:]}") from None
        return self

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def wait(self, seconds=30):
        return self.child.wait(seconds)

    def stop(self, seconds=20):
        """Stops the process and returns its exit code, negative when a signal ended it; None when it never ran."""
        if self.child is None:
            return None
        if self.is_running():
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill9()
                raise AssertionError(f"{self.name} did not stop within {seconds} s") from None
        return self.child.returncode

    def kill9(self):
        if self.is_running():
            self.child.kill()
            self.child.wait()

    def log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""
