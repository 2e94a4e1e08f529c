"""A UDP relay in front of statsd: its port can be closed, and it can drop datagrams."""
import random
import select
import socket
import threading
import time

SO_RCVBUFFORCE = 33
PAUSE = 0.0002  # a pause after each datagram, so that statsd's small buffer does not overflow


class Relay:
    def __init__(self, target):
        self.target, self.drops = target, 0.0
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket, self.port = None, 0
        self.is_open, self.lock = True, threading.Lock()
        self.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def listen(self):
        with self.lock:
            if self.socket:
                return
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
            except OSError:
                pass
            self.socket.bind(("127.0.0.1", self.port))
            self.port = self.socket.getsockname()[1]

    def refuse(self):
        with self.lock:
            if self.socket:
                self.socket.close()
            self.socket = None

    def heal(self):
        self.drops = 0.0
        self.listen()

    def stop(self):
        self.is_open = False
        self.refuse()

    def _run(self):
        while self.is_open:
            with self.lock:
                data = self._take()
            if data is None:
                time.sleep(0.005)
            elif random.random() >= self.drops:
                self.out.sendto(data, ("127.0.0.1", self.target))
                time.sleep(PAUSE)

    def _take(self):
        if not self.socket or not select.select([self.socket], [], [], 0.01)[0]:
            return None
        return self.socket.recv(65536)
