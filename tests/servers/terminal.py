"""A terminal, and a program that runs in it."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from servers.process import die_with_parent


def take_over():
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # SIGINT is ignored when the tests run in the background
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """The program's standard error goes to the terminal, and its output, too, unless `stdout` is another file. `seen`: everything
    that the program wrote to the terminal."""

    def __init__(self, command, cwd, columns=100, stdout=None, **env):
        self.master, slave = pty.openpty()
        self.resize(24, columns)
        self.seen = ""
        self.child = subprocess.Popen([*map(str, command)], cwd=cwd, stdin=slave, stdout=stdout or slave, stderr=slave,
                                      env={**os.environ, "TERM": "xterm", **env}, start_new_session=True,
                                      preexec_fn=take_over)
        os.close(slave)

    def resize(self, lines, columns):
        """Changes the size; the program gets SIGWINCH."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def settings(self):
        """Returns the settings of the terminal, such as whether it echoes keys."""
        return termios.tcgetattr(self.master)

    def read(self, until, seconds=30):
        """Reads until the condition is true for `seen`, or with None until the end. Returns `seen`."""
        deadline = time.monotonic() + seconds
        while until is None or not until(self.seen):
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"not seen within {seconds} s: {self.seen[-2000:]!r}"
            try:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:  # no process has the terminal open any more
                assert until is None, self.seen[-2000:]
                break
        return self.seen

    def press(self, key):
        os.write(self.master, key.encode())

    def end(self):
        """Reads the rest, and returns the exit code."""
        self.read(None)
        return self.child.wait(20)

    def close(self):
        """Closes the terminal, like a window that is closed."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)
            self.child.wait(20)
        os.close(self.master)

    def lines(self):
        """Returns the lines on the screen: of a line that was overwritten, the last text; the unfinished line comes last."""
        return [line.replace("\r", "\n").rstrip("\n").rpartition("\n")[2].rpartition("\x1b[K")[2]
                for line in self.seen.split("\n")]
