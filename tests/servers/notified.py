"""A service manager's socket, NOTIFY_SOCKET, and the messages that it has received."""
import socket
import threading
import time


class Notified:
    def __init__(self, path):
        self.path, self.heard = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            try:
                data = self.socket.recv(4096)
            except OSError:
                return
            at = time.monotonic()
            self.heard += [(at, line) for line in data.decode().split("\n")]

    def lines(self, beginning=""):
        return [line for _, line in list(self.heard) if line.startswith(beginning)]

    def times(self, line):
        return [at for at, one in list(self.heard) if one == line]

    def stop(self):
        self.socket.close()
